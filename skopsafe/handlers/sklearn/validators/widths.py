"""How many columns an estimator says that it has seen or makes: names are made up for each of them.

A number takes no room in a file, and ``get_feature_names_out`` answers with a text for each of a billion
columns. Up to `MOST_COLUMNS` it is taken as it is. What was really fitted on more has arrays of that size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.handlers.checks import integer, require
from skopsafe.handlers.sklearn.validators.estimators import state

MOST_COLUMNS = 2**22
"""Names of so many columns take about 400 MB and two seconds."""

_WIDTHS = ("n_features_in_", "_n_features_out", "n_features_out_", "n_output_features_")
_ITEMS, _DEPTH = 64, 4


def check_widths(obj: Any) -> None:
    """Raise `ValidationError` for a number of columns that nothing in the estimator bears out."""
    have = state(obj)
    for name in _WIDTHS:
        width = have.get(name)
        if isinstance(width, (int, np.integer)) and width > MOST_COLUMNS:
            where = f"{type(obj).__name__}.{name}"
            integer(width, where, 0, 2**62)
            shown = any(_shows(value, int(width), _DEPTH) for value in have.values())
            require(shown, f"{width} columns, and no array that is as wide", where)


def _shows(value: Any, width: int, depth: int) -> bool:
    """Tell whether there is an array of so many rows or columns, in an estimator within too."""
    if isinstance(value, dict):
        value = list(value.values())
    plain = isinstance(value, (list, tuple))
    shape = getattr(value, "shape", ())
    if isinstance(shape, tuple) and width in shape:
        return True
    if plain and len(value) == width:
        return True
    if depth and plain:
        return any(_shows(item, width, depth - 1) for item in value[:_ITEMS])
    # An estimator within is checked by itself: that it says the same is enough.
    return any(state(value).get(name) == width for name in _WIDTHS)
