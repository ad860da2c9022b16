"""How estimators are made: quick ones, with those parameters that their class has in a release."""

from __future__ import annotations

import inspect
from typing import Any

_QUICK = {
    "n_estimators": 3,
    "max_iter": 60,
    "n_init": 1,
    "random_state": 0,
    "cv": 2,
    "n_jobs": None,
    "max_depth": 3,
}
_ONLY: dict[str, dict[str, Any]] = {
    "BisectingKMeans": {"n_clusters": 2},
    "DictionaryLearning": {"n_components": 3, "max_iter": 10},
    "GaussianProcessClassifier": {"max_iter_predict": 20},
    "GaussianRandomProjection": {"n_components": 2},
    "GradientBoostingClassifier": {"max_depth": 2},
    "GradientBoostingRegressor": {"max_depth": 2},
    "HDBSCAN": {"min_samples": 2},
    "HistGradientBoostingClassifier": {"max_iter": 3, "min_samples_leaf": 4, "max_depth": None},
    "HistGradientBoostingRegressor": {"max_iter": 3, "min_samples_leaf": 4, "max_depth": None},
    "Isomap": {"n_neighbors": 6},
    "KMeans": {"n_clusters": 3},
    "LinearSVC": {"max_iter": 2000},
    "LinearSVR": {"max_iter": 2000},
    "LocallyLinearEmbedding": {"n_neighbors": 6},
    "MLPClassifier": {"hidden_layer_sizes": (4,)},
    "MLPRegressor": {"hidden_layer_sizes": (4,)},
    "MeanShift": {"bandwidth": 3.0},
    "MiniBatchDictionaryLearning": {"n_components": 3, "max_iter": 5, "batch_size": 10},
    "MiniBatchKMeans": {"n_clusters": 3, "batch_size": 20},
    "MiniBatchNMF": {"n_components": 2},
    "MiniBatchSparsePCA": {"n_components": 2, "max_iter": 5},
    "NMF": {"n_components": 2},
    "NeighborhoodComponentsAnalysis": {"max_iter": 5},
    "NuSVC": {"nu": 0.2, "max_iter": -1},
    "NuSVR": {"max_iter": -1},
    "Nystroem": {"n_components": 10},
    "OneClassSVM": {"max_iter": -1},
    "OneHotEncoder": {"handle_unknown": "ignore"},
    "OrthogonalMatchingPursuitCV": {"max_iter": None},
    "PLSSVD": {"n_components": 1},
    "PatchExtractor": {"patch_size": (2, 2), "max_patches": 3},
    "PolynomialCountSketch": {"n_components": 5},
    "QuantileRegressor": {"solver": "highs"},
    "QuantileTransformer": {"n_quantiles": 10},
    "RBFSampler": {"n_components": 5},
    "RadiusNeighborsClassifier": {"radius": 10.0},
    "RadiusNeighborsRegressor": {"radius": 10.0},
    "RandomTreesEmbedding": {"max_depth": 2},
    "RidgeCV": {"cv": None},
    "RidgeClassifierCV": {"cv": None},
    "SVC": {"max_iter": -1},
    "SVR": {"max_iter": -1},
    "SelectKBest": {"k": 2},
    "SkewedChi2Sampler": {"n_components": 5},
    "SparseRandomProjection": {"n_components": 2},
    "TSNE": {"perplexity": 5.0, "max_iter": 250, "init": "pca"},
    "TruncatedSVD": {"n_components": 2},
}


def made(cls: Any, **given: Any) -> Any:
    """Return an estimator with those parameters that its class has in this release."""
    known = inspect.signature(cls).parameters
    quick = _QUICK | _ONLY.get(cls.__name__, {})
    if cls.__name__ == "TSNE" and "max_iter" not in known:
        quick["n_iter"] = quick.pop("max_iter")
    if given.get("estimator") is not None and "estimator" not in known:
        given["base_estimator"] = given.pop("estimator")
    return cls(**{name: value for name, value in (quick | given).items() if name in known})
