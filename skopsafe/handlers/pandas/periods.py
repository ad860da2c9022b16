"""How far a period may lie from today: compiled code computes dates with integers that wrap around."""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.handlers.checks import require

_YEARS = 300_000
"""Before and after 1970. Nanoseconds reach 292 years, and no calendar of a model reaches this far."""

_PER_YEAR = {
    "A": 1, "Y": 1, "Q": 4, "M": 12, "W": 53, "B": 262, "D": 366, "H": 8784, "h": 8784,
    "T": 527_040, "min": 527_040, "S": 31_622_400, "s": 31_622_400,
}  # fmt: skip
"""Periods in a year, by the first part of the name of a freq; what is not here is finer than a second."""


def require_sane_ordinals(ordinals: np.ndarray[Any, Any], freq: Any, where: str) -> None:
    """Raise unless ordinals of periods are within the years that compiled code can compute with."""
    name = freq.rule_code.partition("-")[0]
    name = {"YE": "Y", "QE": "Q", "ME": "M", "BYE": "Y", "BQE": "Q"}.get(name, name)
    bound = _YEARS * _PER_YEAR.get(name, 2**45)
    known = ordinals[ordinals != np.iinfo(np.int64).min]
    if known.size:
        require(-bound <= known.min() and known.max() <= bound, f"beyond {_YEARS} years", where)
