"""What is fitted under every release of scikit-learn: its estimators, and variants that differ in layout.

Runs under old releases too, so it asks each for what it has, and imports nothing else.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

N_TRAIN, N_TEST, N_FEATURES = 40, 6, 4


def _numbers(seed: int, *shape: int) -> Any:
    """Return floats that every release of numpy makes alike, and that are short in a file."""
    return np.random.RandomState(seed).randint(-4096, 4096, shape) / 1024.0


X, T = _numbers(0, N_TRAIN, N_FEATURES), _numbers(1, N_TEST, N_FEATURES)
_SUM = X[:, 0] + 2 * X[:, 1] - X[:, 2]
NUMBERS = _SUM + _numbers(2, N_TRAIN) / 8
TWO_NUMBERS = np.column_stack([NUMBERS, X[:, 3] - X[:, 0]])
BINARY = (NUMBERS > 0).astype(int)
THREE = np.array(["a", "b", "c"])[np.digitize(NUMBERS, [-3.0, 3.0])]
TWO_CLASSES = np.column_stack([BINARY, np.digitize(X[:, 3], [-1.0, 1.0])])
LABELS = (TWO_NUMBERS > 0).astype(int)
HOLES, HOLES_T = X.copy(), T.copy()
HOLES[::5, 1] = HOLES_T[1, 1] = HOLES_T[3, 0] = np.nan
CATEGORIES = np.column_stack([np.digitize(X[:, 0], [-2, 0, 2]), np.digitize(X[:, 1], [-1, 1]), np.abs(X[:, 2])])
CATEGORIES_T = np.column_stack([np.digitize(T[:, 0], [-2, 0, 2]), np.digitize(T[:, 1], [-1, 1]), np.abs(T[:, 2])])
SPARSE, SPARSE_T = (sparse.csr_matrix(np.where(np.abs(part) > 1.5, part, 0.0)) for part in (X, T))
COUNTS, COUNTS_T = np.abs(np.round(X * 2)), np.abs(np.round(T * 2))
TEXT = ["one two three", "two three four", "five six", "one five six seven"] * 3
WORDS = np.array([["red", "s"], ["green", "m"], ["blue", "l"], ["red", "m"]] * 5, object)
WEIGHTS = 1 + np.arange(N_TRAIN) % 3

DATA: dict[str, tuple[Any, Any, Any]] = {
    "numbers": (X, NUMBERS, T),
    "two numbers": (X, TWO_NUMBERS, T),
    "positive": (X, np.abs(NUMBERS) + 1, T),
    "binary": (X, BINARY, T),
    "three": (X, THREE, T),
    "two classes": (X, TWO_CLASSES, T),
    "labels": (X, LABELS, T),
    "none": (X, None, T),
    "counts": (COUNTS, THREE, COUNTS_T),
    "holes": (HOLES, None, HOLES_T),
    "holes three": (HOLES, THREE, HOLES_T),
    "holes numbers": (HOLES, NUMBERS, HOLES_T),
    "categories": (CATEGORIES, THREE, CATEGORIES_T),
    "categories numbers": (CATEGORIES, NUMBERS, CATEGORIES_T),
    "sparse": (SPARSE, THREE, SPARSE_T),
    "sparse binary": (SPARSE, BINARY, SPARSE_T),
    "sparse numbers": (SPARSE, NUMBERS, SPARSE_T),
    "sparse none": (SPARSE, None, SPARSE_T),
    "sparse counts": (sparse.csr_matrix(COUNTS), None, sparse.csr_matrix(COUNTS_T)),
    "unit": (np.clip(np.abs(X) / 4, 0, 1), None, np.clip(np.abs(T) / 4, 0, 1)),
    "text": (TEXT, None, ["two five", "one one seven", ""]),
    "words": (WORDS, None, WORDS[:3]),
    "words numbers": (WORDS, NUMBERS[:20], WORDS[:3]),
    "words three": (WORDS, np.array(["a", "b", "c", "b"] * 5), WORDS[:3]),
    "words binary": (WORDS, np.array([0, 1] * 10), WORDS[:3]),
    "dicts": ([{"a": 1.0, "b": "x"}, {"a": 2.0, "c": 3.0}] * 4, None, [{"a": 4.0, "b": "x"}]),
    "hashes": ([{"a": 1.0, "b": 2.0}, {"a": 2.0, "c": 3.0}] * 4, None, [{"a": 4.0, "b": 1.0}]),
    "column": (X[:, 0], NUMBERS, T[:, 0]),
    "targets": (np.array([0, 1, 2, 1] * 4), None, np.array([2, 1])),
    "target words": (np.array(["a", "b", "c", "b"] * 4), None, np.array(["c", "a"])),
    "sets": ([(0, 1), (2,), (1, 2)] * 4, None, [(0,), (1, 2)]),
    "images": (_numbers(3, 2, 6, 6), None, _numbers(4, 1, 6, 6)),
    "square": (X @ X.T, None, T @ X.T),
    "partly known": (X, np.where(np.arange(N_TRAIN) % 3, np.digitize(NUMBERS, [0.0]), -1), T),
}


class Model(NamedTuple):
    """One model: the key under which it is stored, the estimator, and which data it is fitted on."""

    key: str
    estimator: Any
    data: str


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
_DATA = {
    "AdditiveChi2Sampler": "unit",
    "BernoulliRBM": "unit",
    "CategoricalNB": "categories",
    "ComplementNB": "counts",
    "CountVectorizer": "text",
    "DictVectorizer": "dicts",
    "FeatureHasher": "hashes",
    "FixedThresholdClassifier": "binary",
    "FrozenEstimator": "three",
    "GammaRegressor": "positive",
    "GenericUnivariateSelect": "three",
    "HashingVectorizer": "text",
    "IsotonicRegression": "column",
    "KNNImputer": "holes",
    "IterativeImputer": "holes",
    "LabelBinarizer": "targets",
    "LabelEncoder": "target words",
    "LabelPropagation": "partly known",
    "LabelSpreading": "partly known",
    "LatentDirichletAllocation": "counts",
    "MissingIndicator": "holes",
    "MiniBatchNMF": "unit",
    "MultiLabelBinarizer": "sets",
    "MultiOutputClassifier": "two classes",
    "MultiOutputRegressor": "two numbers",
    "MultinomialNB": "counts",
    "NMF": "unit",
    "NeighborhoodComponentsAnalysis": "three",
    "OneHotEncoder": "words",
    "OrdinalEncoder": "words",
    "PatchExtractor": "images",
    "PLSSVD": "two numbers",
    "CCA": "two numbers",
    "PLSCanonical": "two numbers",
    "PoissonRegressor": "positive",
    "SelfTrainingClassifier": "partly known",
    "SkewedChi2Sampler": "unit",
    "TargetEncoder": "words numbers",
    "TfidfVectorizer": "text",
    "TfidfTransformer": "sparse counts",
    "TunedThresholdClassifierCV": "binary",
    "TweedieRegressor": "positive",
    **dict.fromkeys(
        ("SelectKBest", "SelectFdr", "SelectFpr", "SelectFwe", "SelectPercentile", "RFE", "RFECV"), "three"
    ),
    **dict.fromkeys(("SelectFromModel", "SequentialFeatureSelector", "LinearDiscriminantAnalysis"), "three"),
    **dict.fromkeys(
        ("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"), "two numbers"
    ),
    "ClassifierChain": "labels",
    "KernelCenterer": "square",
    "Pipeline": "three",
    "RegressorChain": "two numbers",
    **dict.fromkeys(
        ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"), "three"
    ),
}


def _made(cls: Any, **given: Any) -> Any:
    """Return an estimator with those parameters that its class has in this release."""
    known = inspect.signature(cls).parameters
    quick = _QUICK | _ONLY.get(cls.__name__, {})
    if cls.__name__ == "TSNE" and "max_iter" not in known:
        quick["n_iter"] = quick.pop("max_iter")
    if "estimator" in given and "estimator" not in known:
        given["base_estimator"] = given.pop("estimator")
    return cls(**{name: value for name, value in (quick | given).items() if name in known})


def _data_of(name: str, cls: Any) -> str:
    if name in _DATA:
        return _DATA[name]
    if issubclass(cls, ClassifierMixin):
        return "three"
    return "numbers" if issubclass(cls, RegressorMixin) else "none"


def _composed(all_of: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of estimators that need others, by name."""

    def make(name: str, **given: Any) -> Any:
        return _made(all_of[name], **given)

    one = {
        "estimator": make("LogisticRegression"),
    }
    tree = make("DecisionTreeClassifier", max_depth=2)
    scale = ("scale", make("StandardScaler"))
    out: dict[str, dict[str, Any]] = {
        name: one
        for name in (
            *("ClassifierChain", "OneVsOneClassifier", "OneVsRestClassifier", "OutputCodeClassifier"),
            *("MultiOutputClassifier", "RFE", "RFECV", "SelectFromModel", "SequentialFeatureSelector"),
            *("FixedThresholdClassifier", "TunedThresholdClassifierCV", "CalibratedClassifierCV"),
        )
    }
    out["SelfTrainingClassifier"] = one
    out["MultiOutputRegressor"] = out["RegressorChain"] = {"estimator": make("Ridge")}
    out["GridSearchCV"] = one | {"param_grid": {"C": [0.5, 1.0]}}
    out["RandomizedSearchCV"] = one | {"param_distributions": {"C": [0.5, 1.0]}, "n_iter": 2}
    out["HalvingGridSearchCV"] = one | {"param_grid": {"C": [0.5, 1.0]}, "min_resources": 20}
    out["HalvingRandomSearchCV"] = one | {"param_distributions": {"C": [0.5, 1.0]}, "min_resources": 20}
    out["ColumnTransformer"] = {"transformers": [("a", make("StandardScaler"), [0, 1])]}
    out["FeatureUnion"] = {"transformer_list": [scale, ("pca", make("PCA", n_components=2))]}
    out["Pipeline"] = {"steps": [scale, ("last", make("LogisticRegression"))]}
    out["FrozenEstimator"] = {"estimator": make("LogisticRegression").fit(X, THREE)}
    out["SparseCoder"] = {"dictionary": _numbers(5, 3, N_FEATURES)}
    out["StackingClassifier"] = out["VotingClassifier"] = {
        "estimators": [("a", make("LogisticRegression")), ("b", tree)]
    }
    out["StackingRegressor"] = out["VotingRegressor"] = {
        "estimators": [("a", make("Ridge")), ("b", make("DecisionTreeRegressor", max_depth=2))]
    }
    return out


def _variants(all_of: dict[str, Any]) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Return class, variant, data and parameters of models whose layout differs from that of the others."""

    def make(name: str, **given: Any) -> Any:
        return _made(all_of[name], **given)

    tree = make("DecisionTreeClassifier", max_depth=2)
    scaled = [("a", make("StandardScaler"), [0, 1])]
    words = [("a", make("OneHotEncoder"), [0]), ("b", make("OrdinalEncoder"), slice(1, 2))]
    out: list[tuple[str, str, str, dict[str, Any]]] = [
        ("AdaBoostClassifier", "samme", "three", {"algorithm": "SAMME"}),
        ("AdaBoostClassifier", "samme binary", "binary", {"algorithm": "SAMME"}),
        ("AdaBoostRegressor", "square", "numbers", {"loss": "square"}),
        ("BaggingClassifier", "logistic", "three", {"estimator": make("LogisticRegression")}),
        ("BaggingClassifier", "features", "three", {"max_features": 2, "max_samples": 0.5}),
        ("BaggingClassifier", "oob", "binary", {"oob_score": True, "n_estimators": 20}),
        ("BaggingRegressor", "svr", "numbers", {"estimator": make("SVR")}),
        ("BayesianGaussianMixture", "two", "none", {"n_components": 2}),
        ("CalibratedClassifierCV", "isotonic", "binary", {"method": "isotonic"}),
        ("CalibratedClassifierCV", "alone", "three", {"ensemble": False}),
        ("CalibratedClassifierCV", "svc", "three", {"estimator": make("LinearSVC")}),
        ("ColumnTransformer", "passthrough", "none", {"transformers": scaled, "remainder": "passthrough"}),
        (
            *("ColumnTransformer", "remainder", "none"),
            {"transformers": scaled, "remainder": make("MinMaxScaler")},
        ),
        (
            *("ColumnTransformer", "drop", "none"),
            {"transformers": [*scaled, ("b", "drop", [2]), ("c", "passthrough", [3])]},
        ),
        ("ColumnTransformer", "words", "words", {"transformers": words}),
        ("CountVectorizer", "chars", "text", {"analyzer": "char", "ngram_range": (1, 2)}),
        ("DecisionTreeClassifier", "weighted", "three", {"class_weight": "balanced"}),
        ("DecisionTreeClassifier", "entropy", "binary", {"criterion": "entropy"}),
        ("DecisionTreeClassifier", "two classes", "two classes", {}),
        ("DecisionTreeClassifier", "holes", "holes three", {}),
        ("DecisionTreeClassifier", "sparse", "sparse", {}),
        ("DecisionTreeRegressor", "absolute", "numbers", {"criterion": "absolute_error"}),
        ("DecisionTreeRegressor", "poisson", "positive", {"criterion": "poisson"}),
        ("DictVectorizer", "dense", "dicts", {"sparse": False}),
        ("DummyClassifier", "frequent", "three", {"strategy": "most_frequent"}),
        ("DummyRegressor", "median", "numbers", {"strategy": "median"}),
        ("EllipticEnvelope", "robust", "none", {"contamination": 0.2}),
        ("ElasticNet", "sparse", "sparse numbers", {}),
        ("ExtraTreesClassifier", "two classes", "two classes", {}),
        ("FunctionTransformer", "log", "unit", {"func": np.log1p, "inverse_func": np.expm1}),
        ("GaussianMixture", "tied", "none", {"n_components": 2, "covariance_type": "tied"}),
        ("GaussianMixture", "diag", "none", {"n_components": 2, "covariance_type": "diag"}),
        ("GaussianProcessClassifier", "three", "three", {}),
        ("GradientBoostingClassifier", "exponential", "binary", {"loss": "exponential"}),
        ("GradientBoostingClassifier", "init", "three", {"init": make("LogisticRegression")}),
        ("GradientBoostingClassifier", "zero", "binary", {"init": "zero"}),
        ("GradientBoostingRegressor", "huber", "numbers", {"loss": "huber"}),
        ("GradientBoostingRegressor", "quantile", "numbers", {"loss": "quantile", "alpha": 0.8}),
        ("GradientBoostingRegressor", "absolute", "numbers", {"loss": "absolute_error"}),
        ("GridSearchCV", "forest", "numbers", {"estimator": make("RandomForestRegressor")}),
        ("GridSearchCV", "pipeline", "three", {"estimator": make("Pipeline", steps=[("s", make("PCA")), ("t", tree)])}),
        ("HistGradientBoostingClassifier", "categories", "categories", {"categorical_features": [0, 1]}),
        (
            *("HistGradientBoostingRegressor", "categories", "categories numbers"),
            {"categorical_features": [True, True, False]},
        ),
        ("HistGradientBoostingClassifier", "early", "binary", {"early_stopping": True}),
        ("HistGradientBoostingRegressor", "poisson", "positive", {"loss": "poisson"}),
        ("HistGradientBoostingRegressor", "gamma", "positive", {"loss": "gamma"}),
        ("HistGradientBoostingRegressor", "quantile", "numbers", {"loss": "quantile", "quantile": 0.7}),
        ("HistGradientBoostingRegressor", "absolute", "numbers", {"loss": "absolute_error"}),
        ("HistGradientBoostingRegressor", "holes", "holes numbers", {}),
        ("IsolationForest", "features", "none", {"max_features": 2, "contamination": 0.1}),
        ("KBinsDiscretizer", "ordinal", "none", {"encode": "ordinal", "strategy": "uniform"}),
        ("KNeighborsClassifier", "brute", "three", {"algorithm": "brute", "weights": "distance"}),
        ("KNeighborsClassifier", "ball", "three", {"algorithm": "ball_tree", "metric": "manhattan"}),
        ("KNeighborsClassifier", "kd", "three", {"algorithm": "kd_tree", "p": 3}),
        ("KNeighborsClassifier", "sparse", "sparse", {}),
        ("KNeighborsClassifier", "two classes", "two classes", {}),
        ("KNeighborsRegressor", "chebyshev", "numbers", {"metric": "chebyshev"}),
        ("KernelDensity", "ball", "none", {"algorithm": "ball_tree", "metric": "manhattan"}),
        ("KernelPCA", "rbf", "none", {"kernel": "rbf", "fit_inverse_transform": True, "n_components": 3}),
        ("KernelRidge", "rbf", "numbers", {"kernel": "rbf"}),
        ("LinearDiscriminantAnalysis", "lsqr", "three", {"solver": "lsqr", "shrinkage": "auto"}),
        ("LinearSVR", "squared", "numbers", {"loss": "squared_epsilon_insensitive"}),
        ("LocalOutlierFactor", "novelty", "none", {"novelty": True, "n_neighbors": 5}),
        ("LogisticRegression", "liblinear", "binary", {"solver": "liblinear"}),
        ("LogisticRegression", "l1", "three", {"solver": "saga", "l1_ratio": 0.5, "penalty": "elasticnet"}),
        ("LogisticRegression", "ovr", "three", {"multi_class": "ovr"}),
        ("LogisticRegression", "multinomial binary", "binary", {"multi_class": "multinomial"}),
        ("LogisticRegression", "sparse", "sparse", {}),
        ("MaxAbsScaler", "sparse", "sparse none", {}),
        ("MinMaxScaler", "clip", "none", {"clip": True}),
        ("MissingIndicator", "all", "holes", {"features": "all"}),
        ("NearestNeighbors", "brute", "none", {"algorithm": "brute"}),
        ("NearestNeighbors", "ball", "none", {"algorithm": "ball_tree"}),
        ("NearestNeighbors", "cosine", "none", {"metric": "cosine"}),
        ("Normalizer", "l1", "none", {"norm": "l1"}),
        ("OneClassSVM", "linear", "none", {"kernel": "linear"}),
        ("OneHotEncoder", "dense drop", "words", {"drop": "first", "sparse": False, "sparse_output": False}),
        (
            *("OneHotEncoder", "infrequent", "words"),
            {"handle_unknown": "infrequent_if_exist", "min_frequency": 6},
        ),
        ("OneVsRestClassifier", "labels", "labels", {}),
        ("OrdinalEncoder", "unknown", "words", {"handle_unknown": "use_encoded_value", "unknown_value": -1}),
        ("PCA", "whiten", "none", {"whiten": True, "n_components": 2}),
        ("PCA", "randomized", "none", {"svd_solver": "randomized", "n_components": 2}),
        ("Pipeline", "regression", "numbers", {"steps": [("s", make("PolynomialFeatures")), ("r", make("Ridge"))]}),
        ("Pipeline", "passthrough", "none", {"steps": [("s", "passthrough"), ("r", make("PCA"))]}),
        (
            *("Pipeline", "words", "words three"),
            {
                "steps": [
                    ("c", make("ColumnTransformer", transformers=words, remainder="passthrough")),
                    ("f", make("RandomForestClassifier")),
                ]
            },
        ),
        ("PLSRegression", "one", "numbers", {"n_components": 1}),
        ("PowerTransformer", "boxcox", "positive", {"method": "yeo-johnson", "standardize": False}),
        ("QuantileTransformer", "normal", "none", {"output_distribution": "normal"}),
        ("RANSACRegressor", "tree", "numbers", {"estimator": make("DecisionTreeRegressor"), "min_samples": 10}),
        ("RFE", "forest", "three", {"estimator": make("RandomForestClassifier")}),
        ("RandomForestClassifier", "two classes", "two classes", {}),
        ("RandomForestClassifier", "oob", "binary", {"oob_score": True, "n_estimators": 20, "max_depth": 2}),
        ("RandomForestClassifier", "weighted", "three", {"class_weight": "balanced_subsample"}),
        ("Ridge", "sparse", "sparse numbers", {"solver": "sag", "random_state": 0}),
        ("RidgeCV", "cv", "numbers", {"cv": 2}),
        ("RidgeClassifier", "labels", "labels", {}),
        ("SGDClassifier", "log", "three", {"loss": "log_loss"}),
        ("SGDClassifier", "average", "binary", {"loss": "modified_huber", "average": True}),
        ("SGDClassifier", "perceptron", "binary", {"loss": "perceptron"}),
        ("SGDClassifier", "squared", "three", {"loss": "squared_hinge", "early_stopping": True}),
        ("SGDRegressor", "huber", "numbers", {"loss": "huber"}),
        ("SGDRegressor", "epsilon", "numbers", {"loss": "epsilon_insensitive"}),
        ("SVC", "proba", "three", {"probability": True}),
        ("SVC", "ovo", "three", {"decision_function_shape": "ovo", "kernel": "poly"}),
        ("SVC", "sparse", "sparse", {"kernel": "linear"}),
        ("SVC", "break", "three", {"break_ties": True}),
        ("SVR", "sparse", "sparse numbers", {}),
        ("SelectFromModel", "prefit", "three", {"estimator": make("RandomForestClassifier"), "max_features": 2}),
        ("SequentialFeatureSelector", "backward", "three", {"direction": "backward", "n_features_to_select": 2}),
        ("SimpleImputer", "frequent", "words", {"strategy": "most_frequent"}),
        ("SimpleImputer", "holes", "holes", {}),
        ("SimpleImputer", "indicator", "holes", {"add_indicator": True, "strategy": "median"}),
        ("SimpleImputer", "constant", "holes", {"strategy": "constant", "fill_value": -1}),
        ("SimpleImputer", "sparse", "sparse counts", {"missing_values": 1}),
        ("SplineTransformer", "periodic", "none", {"extrapolation": "periodic"}),
        ("SplineTransformer", "linear", "none", {"extrapolation": "linear", "include_bias": False}),
        ("StackingClassifier", "passthrough", "binary", {"passthrough": True, "final_estimator": tree}),
        ("StackingClassifier", "prefit", "three", {"stack_method": "predict"}),
        ("StandardScaler", "sparse", "sparse none", {"with_mean": False}),
        ("TargetEncoder", "three", "words three", {}),
        ("TargetEncoder", "binary", "words binary", {}),
        ("TfidfTransformer", "sublinear", "sparse counts", {"sublinear_tf": True, "norm": "l1"}),
        ("TfidfTransformer", "off", "sparse counts", {"use_idf": False}),
        ("TfidfVectorizer", "words", "text", {"min_df": 2, "ngram_range": (1, 2)}),
        ("TransformedTargetRegressor", "log", "positive", {"func": np.log1p, "inverse_func": np.expm1}),
        (
            *("TransformedTargetRegressor", "scaled", "two numbers"),
            {"regressor": make("Ridge"), "transformer": make("StandardScaler")},
        ),
        ("TweedieRegressor", "poisson", "positive", {"power": 1.0, "link": "log"}),
        ("TweedieRegressor", "identity", "numbers", {"power": 0.0, "link": "identity"}),
        ("VotingClassifier", "soft", "three", {"voting": "soft"}),
        ("VotingClassifier", "drop", "three", {"estimators": [("a", tree), ("b", "drop")]}),
        ("KNNImputer", "indicator", "holes", {"add_indicator": True}),
        ("IterativeImputer", "forest", "holes", {"estimator": make("RandomForestRegressor"), "max_iter": 2}),
        ("HDBSCAN", "centers", "none", {"store_centers": "both"}),
        ("NearestCentroid", "manhattan", "three", {"metric": "manhattan"}),
        ("QuadraticDiscriminantAnalysis", "store", "binary", {"store_covariance": True}),
        ("GaussianProcessRegressor", "normal", "two numbers", {"normalize_y": True}),
        ("SpectralEmbedding", "neighbors", "none", {"n_neighbors": 5}),
        ("Birch", "sparse", "sparse none", {}),
        ("KMeans", "elkan", "none", {"algorithm": "elkan"}),
        ("LatentDirichletAllocation", "online", "counts", {"learning_method": "online"}),
        ("PolynomialFeatures", "interactions", "sparse none", {"interaction_only": True, "degree": (2, 3)}),
        ("FeatureAgglomeration", "two", "none", {"n_clusters": 2}),
        ("Lasso", "two", "two numbers", {}),
        ("LassoLarsIC", "bic", "numbers", {"criterion": "bic"}),
        ("LogisticRegressionCV", "l1", "binary", {"solver": "liblinear", "penalty": "l1"}),
    ]
    return out


def models(all_of: dict[str, type[BaseEstimator]]) -> list[Model]:
    """Return unfitted models of all classes that a release has."""
    composed = _composed(all_of)
    out = []
    for name, cls in sorted(all_of.items()):
        data, given = _data_of(name, cls), composed.get(name, {})
        out.append(Model(name, _made(cls, **given), data))
        if data == "three" and issubclass(cls, ClassifierMixin):
            out.append(Model(f"{name} binary", _made(cls, **given), "binary"))
        if data == "numbers" and issubclass(cls, RegressorMixin):
            out.append(Model(f"{name} two numbers", _made(cls, **given), "two numbers"))
    for name, variant, data, given in _variants(all_of):
        if name in all_of:
            estimator = _made(all_of[name], **composed.get(name, {}) | given)
            if name == "GridSearchCV":
                grid = {"max_depth": [1, 2]} if variant == "forest" else {"t__max_depth": [1, 2]}
                estimator = _made(all_of[name], estimator=given["estimator"], param_grid=grid)
            out.append(Model(f"{name} {variant}", estimator, data))
    return out
