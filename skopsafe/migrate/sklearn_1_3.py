"""What changed in scikit-learn 1.3."""

from __future__ import annotations

import sys

from skopsafe.graph.document import VALUE
from skopsafe.migrate.nodes import Node
from skopsafe.migrate.records import CHANGELOG, Migration, Record, Refusal, adds, copies, renames
from skopsafe.migrate.sklearn_1_3_trees import lengths_of_paths, nodes_with_missing

_LINK = CHANGELOG.format("1.3")
_PLS = tuple(f"sklearn.cross_decomposition._pls:{name}" for name in ("CCA", "PLSCanonical", "PLSRegression"))
_SEARCHES = (
    *(f"sklearn.model_selection._search:{name}" for name in ("GridSearchCV", "RandomizedSearchCV")),
    "sklearn.model_selection._search_successive_halving:HalvingGridSearchCV",
    "sklearn.model_selection._search_successive_halving:HalvingRandomSearchCV",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting:HistGradientBoostingClassifier",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting:HistGradientBoostingRegressor",
)
_METRICS = (
    *("Euclidean", "SEuclidean", "Manhattan", "Chebyshev", "Minkowski", "Mahalanobis", "Hamming", "Canberra"),
    *(
        "BrayCurtis",
        "Jaccard",
        "Matching",
        "Dice",
        "RogersTanimoto",
        "RussellRao",
        "SokalMichener",
        "SokalSneath",
    ),
    *("Haversine", "PyFunc"),
)
_IMPUTERS = (
    *("sklearn.impute._base:SimpleImputer", "sklearn.impute._knn:KNNImputer"),
    "sklearn.impute._iterative:IterativeImputer",
)


def _scorer(node: Node) -> bool:
    """Search and boosting without a scorer keep an object in place of a function."""
    found = False
    for name in ("scorer_", "_scorer"):
        scorer = node.get(name)
        if (
            isinstance(scorer, Node)
            and scorer.role == VALUE
            and scorer.type == "sklearn.metrics._scorer:_passthrough_scorer"
        ):
            estimator = node.get("estimator", node)
            node.attributes[name] = Node(
                "sklearn.metrics._scorer:_PassthroughScorer", {"_estimator": estimator}
            )
            found = True
    return found


def _metric(node: Node) -> bool:
    node.type += "64"
    return True


def _coefficients(node: Node) -> bool:
    """Coefficients have a row for each target, and predictions two dimensions as before."""
    found = node.rename("_coef_", "coef_")
    return (node.add("_predict_1d", False) if "coef_" in node.attributes else False) or found


def _kernel(node: Node) -> bool:
    if not {"X_fit_", "n_features_in_"} <= node.attributes.keys():
        return False
    gamma, features = node.get("gamma"), node.get("n_features_in_")
    if gamma is None and type(features) is int and features > 0:
        gamma = 1 / features
    return node.add("gamma_", gamma)


def _statistics(node: Node) -> bool:
    inner = node.node("_inner_stats", "builtins:tuple")
    if inner is None or len(inner.items) != 2:
        return False
    return node.add("_A", inner.items[0]) | node.add("_B", inner.items[1])


def _indicator(node: Node) -> bool:
    indicator = node.node("indicator_", "sklearn.impute._base:MissingIndicator")
    features = node.get("n_features_in_")
    return (
        indicator.add("n_features_in_", features)
        if indicator is not None and type(features) is int
        else False
    )


_EPSILON = sys.float_info.epsilon


_LOSSES = {
    "sklearn.linear_model._stochastic_gradient:SGDClassifier": ("log",),
    "sklearn.ensemble._gb:GradientBoostingClassifier": ("deviance",),
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting:HistGradientBoostingClassifier": (
        *("auto", "binary_crossentropy", "categorical_crossentropy"),
    ),
}


def _loss(node: Node) -> bool:
    """Names of the logarithmic loss that were deprecated before."""
    if node.get("loss") not in _LOSSES[node.type]:
        return False
    node.attributes["loss"] = "log_loss"
    return True


def _always(_: Node) -> bool:
    return True


def _is_discrete(node: Node) -> bool:
    return node.get("algorithm") == "SAMME" and "estimators_" in node.attributes


def _inverts(node: Node) -> bool:
    """Tell whether the way back had another gamma than the way there: one for its own number of features."""
    is_fitted = "dual_coef_" in node.attributes or node.get("fit_inverse_transform") is True
    return is_fitted and node.get("gamma") is None and node.get("kernel") not in ("linear", "cosine")


RECORDS: tuple[Record, ...] = (
    Refusal(
        "kulsinski-distance",
        "1.3",
        tuple(f"sklearn.metrics._dist_metrics:KulsinskiDistance{width}" for width in ("", "32", "64")),
        "the metric kulsinski is gone",
        _always,
        "1.2",
        _LINK,
    ),
    Migration(
        "log-loss-names",
        "1.3",
        tuple(_LOSSES),
        "the logarithmic loss has one name",
        _loss,
        _LINK,
    ),
    Refusal(
        "kernel-pca-inverse",
        "1.3",
        ("sklearn.decomposition._kernel_pca:KernelPCA",),
        "inverse_transform of KernelPCA has the gamma of transform",
        _inverts,
        "1.2",
        _LINK,
    ),
    Migration(
        "tree-missing-values",
        "1.3",
        ("sklearn.tree._tree:Tree",),
        "nodes of trees say where missing values go",
        nodes_with_missing,
        _LINK,
    ),
    Migration(
        "isolation-paths",
        "1.3",
        ("sklearn.ensemble._iforest:IsolationForest",),
        "the lengths of paths are kept",
        lengths_of_paths,
        _LINK,
    ),
    Migration(
        "distance-metrics",
        "1.3",
        tuple(f"sklearn.metrics._dist_metrics:{name}Distance" for name in _METRICS),
        "distances say how many bits their numbers have",
        _metric,
        _LINK,
    ),
    Migration(
        "passthrough-scorer",
        "1.3",
        _SEARCHES,
        "the score of an estimator itself is an object, and no longer a function",
        _scorer,
        _LINK,
    ),
    Migration(
        "pls-coefficients", "1.3", _PLS, "coefficients have a row for each target", _coefficients, _LINK
    ),
    Migration(
        "chi2-interval",
        "1.3",
        ("sklearn.kernel_approximation:AdditiveChi2Sampler",),
        "the attribute sample_interval_ became private",
        renames({"sample_interval_": "_sample_interval"}),
        _LINK,
    ),
    Migration(
        "projection-names",
        "1.3",
        (
            "sklearn.random_projection:GaussianRandomProjection",
            "sklearn.random_projection:SparseRandomProjection",
        ),
        "how many features come out is an attribute of its own",
        copies({"n_components_": "_n_features_out"}),
        _LINK,
    ),
    Migration(
        "kernel-pca-gamma",
        "1.3",
        ("sklearn.decomposition._kernel_pca:KernelPCA",),
        "the gamma that is used is an attribute of its own",
        _kernel,
        _LINK,
    ),
    Migration(
        "dictionary-statistics",
        "1.3",
        ("sklearn.decomposition._dict_learning:MiniBatchDictionaryLearning",),
        "what learning goes on from are two attributes, and no longer a pair",
        _statistics,
        _LINK,
    ),
    Migration(
        "imputer-indicator",
        "1.3",
        _IMPUTERS,
        "an indicator of missing values knows the number of features",
        _indicator,
        _LINK,
    ),
    Migration(
        "dictionary-callback",
        "1.3",
        ("sklearn.decomposition._dict_learning:DictionaryLearning",),
        "the parameter callback",
        adds({"callback": None}),
        _LINK,
    ),
    Migration(
        "bayesian-max-iterations",
        "1.3",
        ("sklearn.linear_model._bayes:ARDRegression", "sklearn.linear_model._bayes:BayesianRidge"),
        "the parameter max_iter, which stands for n_iter",
        adds({"max_iter": None}),
        _LINK,
    ),
    Migration(
        "gaussian-process-targets",
        "1.3",
        ("sklearn.gaussian_process._gpr:GaussianProcessRegressor",),
        "the parameter n_targets",
        adds({"n_targets": None}),
        _LINK,
    ),
    Migration(
        "graphical-lasso-parameters",
        "1.3",
        ("sklearn.covariance._graph_lasso:GraphicalLasso",),
        "the parameters covariance and eps",
        adds({"covariance": None, "eps": _EPSILON}),
        _LINK,
    ),
    Migration(
        "graphical-lasso-cv-eps",
        "1.3",
        ("sklearn.covariance._graph_lasso:GraphicalLassoCV",),
        "the parameter eps",
        adds({"eps": _EPSILON}),
        _LINK,
    ),
    Migration(
        "iterative-imputer-fill-value",
        "1.3",
        ("sklearn.impute._iterative:IterativeImputer",),
        "the parameter fill_value",
        adds({"fill_value": None}),
        _LINK,
    ),
    Migration(
        "one-hot-names",
        "1.3",
        ("sklearn.preprocessing._encoders:OneHotEncoder",),
        "the parameter feature_name_combiner",
        adds({"feature_name_combiner": "concat"}),
        _LINK,
    ),
    Migration(
        "ordinal-infrequent",
        "1.3",
        ("sklearn.preprocessing._encoders:OrdinalEncoder",),
        "infrequent categories",
        adds({"min_frequency": None, "max_categories": None, "_infrequent_enabled": False}),
        _LINK,
    ),
    Migration(
        "spline-sparse-output",
        "1.3",
        ("sklearn.preprocessing._polynomial:SplineTransformer",),
        "the parameter sparse_output",
        adds({"sparse_output": False}),
        _LINK,
    ),
    Refusal(
        "adaboost-discrete",
        "1.3.1",
        ("sklearn.ensemble._weight_boosting:AdaBoostClassifier",),
        "AdaBoostClassifier(algorithm='SAMME') counts votes against a class too, which changes probabilities",
        _is_discrete,
        "1.3.0",
        _LINK,
    ),
)
