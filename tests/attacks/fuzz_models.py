"""All estimators of the installed scikit-learn, and models as people build them, as a family of mutants."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from joblib import parallel_config
from sklearn.base import BaseEstimator, clone
from sklearn.utils import estimator_html_repr

from tests import pipeline_models, pipeline_models_more  # noqa: F401 - the second adds to the first
from tests.sklearn_models import NAMES, OUTPUTS, fitted

_MORE = (
    "fit_predict_proba",
    "get_feature_names_out",
    "get_support",
    "score",
    "get_metadata_routing",
    "get_covariance",
    "get_precision",
    "densify",
    "sparsify",
    "get_n_leaves",
    "get_depth",
    "decision_path",
    "radius_neighbors",
    "kneighbors_graph",
    "build_analyzer",
    "get_stop_words",
    "predict_log_proba",
    "staged_decision_function",
    "staged_predict_proba",
    "mahalanobis",
    "error_norm",
    "bic",
    "aic",
    "perplexity",
    "gibbs",
    "sample_y",
    "log_marginal_likelihood",
    "cost_complexity_pruning_path",
)

MODELS: dict[str, Callable[[], tuple[Any, Any]]] = {
    **{name: functools.partial(fitted, name) for name in NAMES},
    **pipeline_models.MODELS,
}


def _call(model: Any, method: str, X: Any) -> Any:
    call = getattr(model, method)
    if method == "inverse_transform":
        return call(model.transform(X))
    if method in ("sample", "get_support", "get_stop_words", "build_analyzer", "densify", "sparsify"):
        return call(5) if method == "sample" else call()
    if method in ("get_n_leaves", "get_depth", "get_covariance", "get_precision", "get_metadata_routing"):
        return call()
    if method in ("get_feature_names_out", "log_marginal_likelihood"):
        return call()
    if method in ("kneighbors", "kneighbors_graph"):
        return call(X, 2)
    if method == "score":
        return call(X, model.predict(X))
    found = call(X)
    return list(found) if hasattr(found, "__next__") else found


def outputs(model: Any, X: Any) -> dict[str, Any]:
    """Call all that gives something out, display included; return what did."""
    found: dict[str, Any] = {}
    methods = dict.fromkeys((*OUTPUTS, *_MORE))
    with parallel_config(backend="threading"), np.errstate(all="ignore"):
        for method in methods:
            np.random.seed(0)
            with _raising():
                found[method] = _call(model, method, X.copy() if hasattr(X, "copy") else X)
        for display in (repr, estimator_html_repr, clone) if isinstance(model, BaseEstimator) else (repr,):
            with _raising():
                display(model)
    return found


@contextlib.contextmanager
def _raising() -> Iterator[None]:
    """Let a method raise, as any may; but memory that runs out is for the harness to see."""
    try:
        yield
    except MemoryError:
        raise
    except Exception:
        pass
