"""Parameters of any estimator that name methods to call or dtypes, or say how many threads to start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.handlers.checks import MOST_THREADS, integer, require
from skopsafe.handlers.dtypes import require_plain_dtype
from skopsafe.handlers.sklearn.validators.widths import check_widths

_METHODS = frozenset(
    {
        "auto",
        "drop",
        "decision_function",
        "predict",
        "predict_log_proba",
        "predict_proba",
        "score_samples",
        "transform",
    }
)


# Libraries whose estimators were reviewed; what a user's class means by these names is its own affair.
_REVIEWED = frozenset({"sklearn", "imblearn", "quantile_forest", "category_encoders", "feature_engine"})


def _check_params(obj: Any) -> None:
    """What a parameter of a reviewed class may say."""
    if type(obj).__module__.partition(".")[0] not in _REVIEWED:
        return
    state = vars(obj)
    if isinstance(state.get("dtype"), str):
        require_plain_dtype(state["dtype"], f"{type(obj).__name__}.dtype")
    for name, least in (("n_jobs", -MOST_THREADS), ("_n_threads", 1), ("n_threads", 1)):
        if state.get(name) is not None:
            integer(state[name], f"{type(obj).__name__}.{name}", least, MOST_THREADS)
    check_widths(obj)


def _methods(name: str) -> Callable[[Any], None]:
    def check(obj: Any) -> None:
        """Whatever stands there has this method called with X: ``tofile`` of an array writes a file."""
        value = vars(obj).get(name)
        for method in value if isinstance(value, (list, tuple, np.ndarray)) else (value,):
            require(
                method is None or (isinstance(method, str) and method in _METHODS),
                "not a method of estimators that is called with X",
                f"{type(obj).__name__}.{name}",
            )

    return check


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.base:BaseEstimator": _check_params,
    "sklearn.ensemble._stacking:_BaseStacking": _methods("stack_method_"),
    "sklearn.metrics._scorer:_BaseScorer": _methods("_response_method"),
    "sklearn.model_selection._classification_threshold:BaseThresholdClassifier": _methods("response_method"),
}
