"""Matrices that others take unlooked at: scipy those of distances, LAPACK those that it decomposes.

LAPACK's singular value decomposition may loop forever where there is an infinity, in wait for convergence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

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
    if have.get("store_precision") is not True:  # the precision is computed when it is asked for
        _check_finite(have.get("covariance_"), f"{where}.covariance_")


def _check_finite(found: Any, where: str) -> None:
    data = found.data if type(found).__module__.startswith("scipy.sparse.") else found
    if data is not None:
        require(bool(np.isfinite(array(data, where, kinds="biuf")).all()), "is not finite", where)


def _check_mixture(obj: Any) -> None:
    _check_finite(state(obj).get("covariances_"), f"{type(obj).__name__}.covariances_")


def _check_projection(obj: Any) -> None:
    _check_finite(state(obj).get("components_"), f"{type(obj).__name__}.components_")


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.covariance._empirical_covariance:EmpiricalCovariance": _check_covariance,
    "sklearn.mixture._base:BaseMixture": _check_mixture,
    "sklearn.random_projection:BaseRandomProjection": _check_projection,
}
