"""Parameters of any estimator: names of methods and dtypes, numbers of threads, and other estimators."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.handlers.checks import MOST_THREADS, integer, require
from skopsafe.handlers.dtypes import require_plain_dtype
from skopsafe.handlers.own import LIBRARIES
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


# xgboost and lightgbm have checks of their own.
_PLAIN = LIBRARIES - {"xgboost", "lightgbm", "catboost"}


_ESTIMATOR = re.compile(
    "estimator|transformer|regressor|classifier|encoder|imputer|indicator|scaler|binarizer|centerer|processor"
    "|mapper|pipeline|tfidf|pca|^le_$"
)
"""In the names of attributes whose ``transform`` estimators call, and in few others."""


_TABLES = frozenset({"DataFrame", "Series"})


def _check_params(obj: Any) -> None:
    """What a parameter of a reviewed class may say."""
    if type(obj).__module__.partition(".")[0] not in _PLAIN:
        return
    state = vars(obj)
    # The `transform` of a table calls its method of any name: "to_clipboard" starts a program.
    for name in [name for name, value in state.items() if type(value).__name__ in _TABLES]:
        require(not _ESTIMATOR.search(name), "a table is no estimator", f"{type(obj).__name__}.{name}")
    for name, value in state.items():
        if isinstance(value, str) and name.endswith("dtype"):
            require_plain_dtype(value, f"{type(obj).__name__}.{name}")
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


def _check_texts(obj: Any) -> None:
    """``repr`` writes texts of these classes as they are, so that they reach a terminal."""
    for name, value in vars(obj).items():
        inner = value.items() if name == "_kwargs" and isinstance(value, dict) else [("", value)]
        for text in (text for pair in inner for text in pair if isinstance(text, str)):
            require(text.isprintable(), "holds control characters", f"{type(obj).__name__}.{name}")


def _check_scorer(obj: Any) -> None:
    _methods("_response_method")(obj)
    _check_texts(obj)


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.base:BaseEstimator": _check_params,
    "sklearn.compose._column_transformer:make_column_selector": _check_selector,
    "sklearn.ensemble._stacking:_BaseStacking": _methods("stack_method_"),
    "sklearn.gaussian_process.kernels:Kernel": _check_texts,
    "sklearn.metrics._scorer:_BaseScorer": _check_scorer,
    "sklearn.model_selection._classification_threshold:BaseThresholdClassifier": _methods("response_method"),
    "sklearn.multioutput:ClassifierChain": _methods("chain_method_"),
}
