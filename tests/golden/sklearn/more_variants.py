"""More models, of parameters that matter for what is kept: solvers, kernels, scorers, data frames."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.golden.sklearn.data import BINARY, THREE, X
from tests.golden.sklearn.making import made

Row = tuple[str, str, str, dict[str, Any]]


def more_variants(all_of: dict[str, Any]) -> list[Row]:
    """Return class, variant, data and parameters."""

    def make(name: str, **given: Any) -> Any:
        return made(all_of[name], **given)

    return [*_linear(make), *_composed(make), *_prepared(make), *_others(make)]


def _linear(make: Any) -> list[Row]:
    return [
        ("ARDRegression", "no intercept", "numbers", {"fit_intercept": False}),
        ("BayesianRidge", "no intercept", "numbers", {"fit_intercept": False}),
        ("CCA", "one", "two numbers", {"n_components": 1, "scale": False}),
        ("GammaRegressor", "newton", "positive", {"solver": "newton-cholesky"}),
        ("IsotonicRegression", "clip", "column", {"out_of_bounds": "clip", "increasing": "auto"}),
        ("LinearDiscriminantAnalysis", "eigen", "three", {"solver": "eigen"}),
        ("LinearRegression", "positive", "numbers", {"positive": True}),
        ("LinearSVC", "crammer", "three", {"multi_class": "crammer_singer"}),
        ("LogisticRegression", "liblinear three", "three", {"solver": "liblinear"}),
        ("LogisticRegression", "newton", "three", {"solver": "newton-cholesky"}),
        ("LogisticRegression", "newton binary", "binary", {"solver": "newton-cholesky"}),
        ("LogisticRegression", "multinomial", "three", {"multi_class": "multinomial"}),
        ("LogisticRegression", "ovr binary", "binary", {"multi_class": "ovr"}),
        ("LogisticRegression", "none", "three", {"penalty": None, "class_weight": "balanced"}),
        ("LogisticRegressionCV", "ovr", "three", {"multi_class": "ovr"}),
        (
            "LogisticRegressionCV",
            "elastic",
            "binary",
            {"solver": "saga", "penalty": "elasticnet", "l1_ratios": [0.5, 1.0]},
        ),
        ("LogisticRegressionCV", "scored", "three", {"scoring": "neg_log_loss"}),
        ("NuSVC", "sparse", "sparse", {}),
        ("PassiveAggressiveClassifier", "squared", "binary", {"loss": "squared_hinge"}),
        ("PLSCanonical", "unscaled", "two numbers", {"scale": False}),
        ("QuadraticDiscriminantAnalysis", "regular", "three", {"reg_param": 0.1}),
        ("RidgeCV", "stored", "numbers", {"store_cv_values": True, "alphas": [0.1, 1.0]}),
        ("Ridge", "positive", "numbers", {"positive": True}),
        ("SGDClassifier", "huber", "binary", {"loss": "huber"}),
        ("SGDClassifier", "error", "three", {"loss": "squared_error", "average": 10}),
        ("SGDRegressor", "squared epsilon", "numbers", {"loss": "squared_epsilon_insensitive"}),
        ("SVC", "sigmoid", "three", {"kernel": "sigmoid", "gamma": "auto", "class_weight": "balanced"}),
        ("SVC", "sparse proba", "sparse binary", {"probability": True}),
        ("TweedieRegressor", "gamma", "positive", {"power": 2.0, "link": "auto"}),
    ]


def _composed(make: Any) -> list[Row]:
    logistic, tree = make("LogisticRegression"), make("DecisionTreeClassifier", max_depth=2)
    columns = [("n", make("StandardScaler"), ["a", "b"]), ("w", make("OneHotEncoder"), ["c"])]
    by_name = make("ColumnTransformer", transformers=columns, remainder="passthrough")
    selected = make("SelectFromModel", estimator=make("LogisticRegression", C=0.2))
    elastic = make("LogisticRegression", solver="saga", penalty="elasticnet", l1_ratio=1.0, C=0.1)
    return [
        (
            "BaggingClassifier",
            "pipeline",
            "three",
            {"estimator": make("Pipeline", steps=[("s", make("StandardScaler")), ("t", tree)])},
        ),
        (
            "CalibratedClassifierCV",
            "prefit",
            "three",
            {"estimator": make("LogisticRegression").fit(X, THREE), "cv": "prefit"},
        ),
        ("CalibratedClassifierCV", "trees", "three", {"estimator": tree, "method": "isotonic"}),
        ("ClassifierChain", "base", "labels", {"base_estimator": logistic, "estimator": None}),
        ("ClassifierChain", "trees", "labels", {"estimator": tree, "order": [1, 0]}),
        ("ColumnTransformer", "frame", "frame", {"transformers": columns, "remainder": "passthrough"}),
        (
            "ColumnTransformer",
            "frame drop",
            "frame",
            {"transformers": columns, "verbose_feature_names_out": False},
        ),
        ("Pipeline", "frame", "frame", {"steps": [("c", by_name), ("l", make("LogisticRegression"))]}),
        (
            "Pipeline",
            "frame trees",
            "frame",
            {"steps": [("c", by_name), ("f", make("HistGradientBoostingClassifier"))]},
        ),
        ("Pipeline", "selected", "three", {"steps": [("f", selected), ("l", tree)]}),
        (
            "FeatureUnion",
            "passthrough",
            "none",
            {"transformer_list": [("a", "passthrough"), ("b", "drop"), ("c", make("PCA"))]},
        ),
        ("GridSearchCV", "accuracy", "three", {"scoring": "accuracy", "param_grid": {"C": [0.5, 1.0]}}),
        ("GridSearchCV", "auc", "binary", {"scoring": "roc_auc", "param_grid": {"C": [0.5, 1.0]}}),
        ("GridSearchCV", "log", "three", {"scoring": "neg_log_loss", "param_grid": {"C": [0.5, 1.0]}}),
        (
            "GridSearchCV",
            "several",
            "three",
            {"scoring": ["accuracy", "f1_macro"], "refit": "accuracy", "param_grid": {"C": [0.5]}},
        ),
        (
            "GridSearchCV",
            "error",
            "numbers",
            {"scoring": "neg_mean_squared_error", "estimator": make("Ridge"), "param_grid": {"alpha": [0.5]}},
        ),
        ("MultiOutputClassifier", "forest", "two classes", {"estimator": make("RandomForestClassifier")}),
        ("OneVsOneClassifier", "svc", "three", {"estimator": make("LinearSVC")}),
        ("OneVsRestClassifier", "boosting", "three", {"estimator": make("GradientBoostingClassifier")}),
        ("SelectFromModel", "elastic", "three", {"estimator": elastic}),
        ("SelectFromModel", "median", "numbers", {"estimator": make("LassoCV"), "threshold": "1.25*median"}),
        (
            "SelfTrainingClassifier",
            "best",
            "partly known",
            {"estimator": logistic, "criterion": "k_best", "k_best": 4},
        ),
        (
            "StackingClassifier",
            "forest",
            "three",
            {"estimators": [("a", make("RandomForestClassifier")), ("b", make("KNeighborsClassifier"))]},
        ),
        (
            "StackingRegressor",
            "forest",
            "numbers",
            {"estimators": [("a", make("RandomForestRegressor")), ("b", make("SVR"))]},
        ),
        ("VotingRegressor", "weights", "numbers", {"weights": [1, 2]}),
    ]


def _prepared(make: Any) -> list[Row]:
    return [
        ("FunctionTransformer", "names", "none", {"feature_names_out": "one-to-one"}),
        ("GaussianRandomProjection", "inverse", "none", {"compute_inverse_components": True}),
        ("IterativeImputer", "empty", "empty", {}),
        ("IterativeImputer", "keeps empty", "empty", {"keep_empty_features": True}),
        ("KBinsDiscretizer", "kmeans", "none", {"strategy": "kmeans", "encode": "onehot-dense", "n_bins": 3}),
        ("KBinsDiscretizer", "quantile", "none", {"strategy": "quantile", "n_bins": 3, "subsample": None}),
        ("KNNImputer", "empty", "empty", {}),
        (
            "KernelPCA",
            "poly",
            "none",
            {"kernel": "poly", "gamma": 0.1, "fit_inverse_transform": True, "n_components": 2},
        ),
        ("KernelPCA", "cosine", "none", {"kernel": "cosine", "n_components": 2}),
        ("Nystroem", "poly", "none", {"kernel": "poly", "degree": 2, "n_components": 8}),
        ("OneHotEncoder", "binary", "words", {"drop": "if_binary", "handle_unknown": "error"}),
        (
            "OneHotEncoder",
            "categories",
            "words",
            {"max_categories": 2, "handle_unknown": "infrequent_if_exist"},
        ),
        ("OrdinalEncoder", "infrequent", "words", {"min_frequency": 6}),
        ("PCA", "mle", "none", {"n_components": "mle"}),
        ("PolynomialFeatures", "three", "none", {"degree": 3, "include_bias": False}),
        ("PowerTransformer", "box", "unit", {"method": "yeo-johnson"}),
        ("RBFSampler", "scale", "none", {"gamma": "scale"}),
        ("RobustScaler", "variance", "none", {"unit_variance": True, "quantile_range": (10.0, 90.0)}),
        ("SimpleImputer", "empty", "empty", {}),
        ("SimpleImputer", "keeps empty", "empty", {"keep_empty_features": True}),
        (
            "SplineTransformer",
            "quantile",
            "none",
            {"knots": "quantile", "extrapolation": "continue", "degree": 2},
        ),
        (
            "TfidfVectorizer",
            "float",
            "text",
            {"dtype": np.float32, "stop_words": ["one"], "smooth_idf": False},
        ),
        ("CountVectorizer", "english", "text", {"stop_words": "english", "binary": True}),
        ("LabelBinarizer", "sparse", "targets", {"sparse_output": True}),
        ("MultiLabelBinarizer", "sparse", "sets", {"sparse_output": True}),
        ("StandardScaler", "frame", "numbers frame", {}),
    ]


def _others(make: Any) -> list[Row]:
    seuclidean = {"metric": "seuclidean", "metric_params": {"V": np.array([1.0, 2.0, 3.0, 4.0])}}
    mahalanobis = {"metric": "mahalanobis", "metric_params": {"VI": np.diag([1.0, 2.0, 3.0, 4.0])}}
    return [
        ("AdaBoostRegressor", "linear", "numbers", {"estimator": make("LinearRegression")}),
        ("DictionaryLearning", "descent", "none", {"transform_algorithm": "lasso_cd"}),
        ("KNeighborsClassifier", "kulsinski", "three", {"algorithm": "ball_tree", "metric": "kulsinski"}),
        ("RandomForestRegressor", "friedman", "numbers", {"criterion": "friedman_mse"}),
        ("SGDClassifier", "old log", "three", {"loss": "log"}),
        ("BernoulliNB", "raw", "counts", {"binarize": None}),
        ("Birch", "none", "none", {"n_clusters": None, "threshold": 2.0}),
        ("BisectingKMeans", "largest", "none", {"bisecting_strategy": "largest_cluster", "n_clusters": 4}),
        ("CategoricalNB", "many", "categories", {"min_categories": 8}),
        ("DecisionTreeRegressor", "pruned", "numbers", {"ccp_alpha": 0.1, "max_depth": None}),
        ("DecisionTreeRegressor", "holes", "holes numbers", {}),
        ("DummyClassifier", "constant", "three", {"strategy": "constant", "constant": "b"}),
        ("DummyClassifier", "uniform", "three", {"strategy": "uniform"}),
        ("DummyClassifier", "stratified", "three", {"strategy": "stratified"}),
        ("DummyRegressor", "quantile", "numbers", {"strategy": "quantile", "quantile": 0.3}),
        ("GradientBoostingClassifier", "subsample", "three", {"subsample": 0.7, "max_features": 2}),
        ("GradientBoostingRegressor", "init", "numbers", {"init": make("Ridge")}),
        ("GradientBoostingRegressor", "zero", "numbers", {"init": "zero"}),
        ("GradientBoostingClassifier", "zero three", "three", {"init": "zero"}),
        ("GradientBoostingClassifier", "stopped", "three", {"n_iter_no_change": 2}),
        ("HistGradientBoostingClassifier", "monotonic", "binary", {"monotonic_cst": [1, 0, -1, 0]}),
        ("HistGradientBoostingRegressor", "interactions", "numbers", {"interaction_cst": [{0, 1}, {2, 3}]}),
        ("HistGradientBoostingClassifier", "holes", "holes three", {}),
        ("KNeighborsClassifier", "seuclidean", "three", {"algorithm": "ball_tree", **seuclidean}),
        ("KNeighborsRegressor", "mahalanobis", "numbers", {"algorithm": "ball_tree", **mahalanobis}),
        ("KernelDensity", "tophat", "none", {"kernel": "tophat", "bandwidth": 4.0}),
        ("LocalOutlierFactor", "brute", "none", {"novelty": True, "algorithm": "brute", "metric": "cosine"}),
        ("MLPClassifier", "early", "binary", {"early_stopping": True, "solver": "sgd"}),
        ("MLPRegressor", "tanh", "two numbers", {"activation": "tanh", "solver": "lbfgs"}),
        ("MiniBatchKMeans", "sparse", "sparse none", {}),
        ("NMF", "mu", "unit", {"solver": "mu", "beta_loss": "kullback-leibler"}),
        ("NearestCentroid", "shrunk", "three", {"shrink_threshold": 0.2}),
        ("RadiusNeighborsClassifier", "distance", "binary", {"weights": "distance", "outlier_label": 1}),
        ("RandomForestClassifier", "whole", "binary", {"bootstrap": False, "max_leaf_nodes": 4}),
        ("RandomForestClassifier", "holes", "holes three", {}),
        ("RandomForestRegressor", "absolute", "numbers", {"criterion": "absolute_error", "max_samples": 0.5}),
        ("SelectKBest", "mutual", "three", {"score_func": _function("mutual_info_classif")}),
        ("SelectKBest", "chi2", "counts", {"score_func": _function("chi2")}),
        (
            "SelectPercentile",
            "regression",
            "numbers",
            {"score_func": _function("f_regression"), "percentile": 50},
        ),
        (
            "SpectralClustering",
            "nearest",
            "none",
            {"affinity": "nearest_neighbors", "n_neighbors": 5, "n_clusters": 2},
        ),
        ("TransformedTargetRegressor", "forest", "numbers", {"regressor": make("RandomForestRegressor")}),
        ("TunedThresholdClassifierCV", "f1", "binary", {"scoring": "f1"}),
        ("FixedThresholdClassifier", "high", "binary", {"threshold": 0.8}),
        (
            "FrozenEstimator",
            "tree",
            "binary",
            {"estimator": make("DecisionTreeClassifier", max_depth=2).fit(X, BINARY)},
        ),
    ]


def _function(name: str) -> Any:
    from sklearn import feature_selection

    return getattr(feature_selection, name)
