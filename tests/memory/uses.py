"""Every way to use a model of scikit-learn, or a value of scipy or numpy, that ends in compiled code."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp

from tests import sklearn_models

Use = Callable[[Any, Any], Any]
_MANY = 10**5

_OF_ESTIMATORS: dict[str, tuple[str, Use]] = {
    "graph": ("kneighbors_graph", lambda m, X: m.kneighbors_graph(X)),
    "graph of all": ("kneighbors_graph", lambda m, _: m.kneighbors_graph(mode="distance")),
    "radius": ("radius_neighbors", lambda m, X: m.radius_neighbors(X, 0.5)),
    "radius graph": ("radius_neighbors_graph", lambda m, X: m.radius_neighbors_graph(X, 0.5)),
    "mahalanobis": ("mahalanobis", lambda m, X: m.mahalanobis(X)),
    "clusters": ("dbscan_clustering", lambda m, _: m.dbscan_clustering(0.3)),
    "path": ("decision_path", lambda m, X: m.decision_path(X)),
    # Names are made up for as many features as the file says, however many those are.
    "names": (
        "get_feature_names_out",
        lambda m, _: m.get_feature_names_out() if m.n_features_in_ < _MANY else None,
    ),
    "std": ("sample_y", lambda m, X: m.predict(X, return_std=True)),
    "covariance": ("sample_y", lambda m, X: m.predict(X, return_cov=True)),
    "sample of y": ("sample_y", lambda m, X: m.sample_y(X)),
    "importances": ("feature_importances_", lambda m, _: m.feature_importances_),
    "coefficients": ("coef_", lambda m, _: m.coef_),
    "bic": ("bic", lambda m, X: m.bic(X)),
    "perplexity": ("perplexity", lambda m, X: m.perplexity(X)),
    "staged": ("staged_decision_function", lambda m, X: list(m.staged_decision_function(X))),
}
_AGAIN = ("predict", "predict_proba", "transform", "decision_function", "score_samples", "apply")
_FORMS: dict[str, Callable[[Any], Any]] = {
    "of 32 bits": lambda X: X.astype(np.float32),
    "in columns": np.asfortranarray,
    "of one": lambda X: X[:1],
    "sparse": sp.csr_matrix,
}
_OF_MATRICES: dict[str, Use] = {
    **{
        name: lambda m, _, name=name: getattr(m, name)()
        for name in ("toarray", "tocsr", "tocsc", "tocoo", "tolil", "transpose", "sum", "copy", "diagonal")
    },
    **{name: lambda m, _, name=name: getattr(m, name)().toarray() for name in ("tobsr", "todia", "todok")},
    "times": lambda m, _: m @ np.ones((m.shape[1], 2)),
    "product": lambda m, _: m.T @ m,
    "rows": lambda m, _: m.tocsr()[1:5].toarray(),
    "columns": lambda m, _: m.tocsr()[:, [0, 2, 1]].toarray(),
    "of two": lambda m, _: (m + m).toarray(),
    "greatest": lambda m, _: m.tocsr().max(axis=0).toarray(),
    "sorted": lambda m, _: m.tocsr().sorted_indices().toarray(),
}
_OF_SPLINES: dict[str, Use] = {
    "at": lambda m, _: m(np.linspace(-0.5, 1.5, 40)),
    "slope": lambda m, _: m.derivative()(0.3),
    "area": lambda m, _: m.integrate(0.1, 0.9),
    "sum": lambda m, _: m.antiderivative(2)(np.linspace(-0.5, 1.5, 9)),
}
_OF_GENERATORS: dict[str, Use] = {
    name: lambda m, _, name=name: getattr(m, name)(9)
    for name in ("random", "normal", "standard_gamma", "permutation", "bytes", "poisson", "random_sample")
}


def _samples(model: Any, X: Any) -> Any:
    return np.resize(X, (20, np.asarray(model.data).shape[1]))


_OF_TREES: dict[str, Use] = {
    "query": lambda m, X: m.query(_samples(m, X), 2),
    "dual": lambda m, X: m.query(_samples(m, X), 2, dualtree=True, breadth_first=True),
    "radius": lambda m, X: m.query_radius(_samples(m, X), 0.5, return_distance=True),
    "pairs": lambda m, X: m.two_point_correlation(_samples(m, X), [0.1, 0.5], dualtree=True),
    "density": lambda m, X: m.kernel_density(_samples(m, X), 0.3),
}
_OF_DISTRIBUTIONS: dict[str, Use] = {
    "ppf": lambda m, _: m.ppf([0.1, 0.5]),
    "cdf": lambda m, _: m.cdf([0.1, 0.5]),
}
_VALUES: dict[str, dict[str, Use]] = {
    "tocsr": _OF_MATRICES,
    "derivative": _OF_SPLINES,
    "standard_normal": _OF_GENERATORS,
    "two_point_correlation": _OF_TREES,
    "ppf": _OF_DISTRIBUTIONS,
}


def outputs(model: Any, X: Any) -> dict[str, Any]:
    """Return what each way of using a model gives; what raises, gives its error."""
    found = sklearn_models.outputs(model, X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, use, data in _uses(model, X):
            np.random.seed(0)
            try:
                found[name] = use(model, data)
            except Exception as error:
                found[name] = (type(error).__name__, str(error))
    return found


def _uses(model: Any, X: Any) -> Iterator[tuple[str, Use, Any]]:
    kind = type(model)
    if not hasattr(kind, "fit"):
        for mark, uses in _VALUES.items():
            if hasattr(kind, mark):
                yield from ((name, use, X) for name, use in uses.items())
        return
    for name, (needs, use) in _OF_ESTIMATORS.items():
        if hasattr(kind, needs) or needs in getattr(model, "__dict__", {}):
            yield name, use, X
    if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "bif":
        for form, made in _FORMS.items():
            if form != "sparse" or np.isfinite(X).all():
                data = made(X)
                for name in _AGAIN:
                    if hasattr(kind, name):
                        yield f"{name} {form}", lambda m, X, name=name: getattr(m, name)(X), data
