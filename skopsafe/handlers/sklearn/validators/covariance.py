"""Covariances: their distances hand a matrix to scipy, which does not look at its size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skopsafe.handlers.checks import array, require
from skopsafe.handlers.sklearn.validators.estimators import state


def _check_covariance(obj: Any) -> None:
    have, where = state(obj), type(obj).__name__
    if "location_" not in have:
        return
    width = array(have["location_"], f"{where}.location_", kinds="biuf", ndim=1).shape[0]
    for name in ("covariance_", "precision_"):
        if have.get(name) is not None:
            array(have[name], f"{where}.{name}", kinds="biuf", shape=(width, width))
    require(width >= 1, "is empty", f"{where}.location_")


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.covariance._empirical_covariance:EmpiricalCovariance": _check_covariance,
}
