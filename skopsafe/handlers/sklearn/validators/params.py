"""Parameters of any estimator: names of methods and dtypes, numbers of threads, and other estimators."""

from __future__ import annotations

import re
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


_ESTIMATOR = re.compile(
    "estimator|transformer|regressor|classifier|encoder|imputer|indicator|scaler|binarizer|centerer|processor"
    "|mapper|pipeline|tfidf|pca|^le_$"
)
"""In the names of attributes whose ``transform`` estimators call, and in few others."""


_TABLES = frozenset({"DataFrame", "Series"})


def _check_params(obj: Any) -> None:
    """What a parameter of a reviewed class may say."""
    if type(obj).__module__.partition(".")[0] not in _REVIEWED:
        return
    state = vars(obj)
    # The `transform` of a table calls its method of any name: "to_clipboard" starts a program.
    for name in [name for name, value in state.items() if type(value).__name__ in _TABLES]:
        require(not _ESTIMATOR.search(name), "a table is no estimator", f"{type(obj).__name__}.{name}")
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


def _check_selector(obj: Any) -> None:
    """What pandas selects columns by."""
    for name in ("dtype_include", "dtype_exclude"):
        value = vars(obj).get(name)
        for dtype in value if isinstance(value, (list, tuple, np.ndarray)) else (value,):
            require_plain_dtype(dtype, f"{type(obj).__name__}.{name}")


def _check_getter(obj: Any) -> None:
    """A path of attributes that is followed from the nested estimator: not into Python itself."""
    getter = vars(obj).get("importance_getter")
    if isinstance(getter, str):
        parts = getter.split(".")
        require(
            not any(part.startswith("__") for part in parts),
            "not attributes of an estimator",
            f"{type(obj).__name__}.importance_getter",
        )


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.base:BaseEstimator": _check_params,
    "sklearn.compose._column_transformer:make_column_selector": _check_selector,
    "sklearn.feature_selection._from_model:SelectFromModel": _check_getter,
    "sklearn.feature_selection._rfe:RFE": _check_getter,
    "sklearn.ensemble._stacking:_BaseStacking": _methods("stack_method_"),
    "sklearn.metrics._scorer:_BaseScorer": _methods("_response_method"),
    "sklearn.model_selection._classification_threshold:BaseThresholdClassifier": _methods("response_method"),
}
