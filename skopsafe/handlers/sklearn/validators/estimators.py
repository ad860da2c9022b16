"""What every estimator has in common, and helpers that the validators of the families share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skopsafe.handlers.checks import integer, require

# joblib starts as many threads or processes as it is told to. Models come from machines with more cores
# than this one, so the bound is that of large machines and not that of the present one.
_MOST_JOBS = 1024


def state(obj: Any) -> dict[str, Any]:
    """Return the attributes that an instance has by itself: neither properties nor those of its class."""
    found: dict[str, Any] = getattr(obj, "__dict__", {})
    return found


def is_csr(value: object) -> bool:
    """Tell whether `value` is a CSR matrix or array, whose loader has checked its indices."""
    from scipy.sparse import issparse

    return bool(issparse(value)) and getattr(value, "format", "") == "csr"


def features(have: dict[str, Any], where: str) -> int:
    """Return ``n_features_in_``.

    It must be there: scikit-learn takes an X of any width where it is missing.
    """
    return integer(have.get("n_features_in_"), f"{where}.n_features_in_", 1, 2**62)


def _check_jobs(obj: Any) -> None:
    jobs = state(obj).get("n_jobs")
    if jobs is None:
        return
    try:
        number = int(jobs)  # as joblib does, which takes strings and arrays too
    except (TypeError, ValueError, OverflowError):
        return  # joblib refuses it when it is used
    require(number <= _MOST_JOBS, f"asks for {number} threads or processes", f"{type(obj).__name__}.n_jobs")


CHECKS: dict[str, Callable[[Any], None]] = {"sklearn.base:BaseEstimator": _check_jobs}
