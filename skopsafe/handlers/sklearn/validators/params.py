"""Parameters of any estimator that name methods to call or dtypes, or say how many threads to start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.handlers.checks import MOST_THREADS, integer, require
from skopsafe.handlers.dtypes import require_plain_dtype
from skopsafe.handlers.own import LIBRARIES

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


def _check_params(obj: Any) -> None:
    """What a parameter of a reviewed class may say."""
    if type(obj).__module__.partition(".")[0] not in _PLAIN:
        return
    state = vars(obj)
    for name, value in state.items():
        if isinstance(value, str) and name.endswith("dtype"):
            require_plain_dtype(value, f"{type(obj).__name__}.{name}")
    for name, least in (("n_jobs", -MOST_THREADS), ("_n_threads", 1), ("n_threads", 1)):
        if state.get(name) is not None:
            integer(state[name], f"{type(obj).__name__}.{name}", least, MOST_THREADS)


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
    "sklearn.ensemble._stacking:_BaseStacking": _methods("stack_method_"),
    "sklearn.gaussian_process.kernels:Kernel": _check_texts,
    "sklearn.metrics._scorer:_BaseScorer": _check_scorer,
    "sklearn.model_selection._classification_threshold:BaseThresholdClassifier": _methods("response_method"),
    "sklearn.multioutput:ClassifierChain": _methods("chain_method_"),
}
