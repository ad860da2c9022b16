"""What changed in scikit-learn 1.8."""

from __future__ import annotations

import numpy as np

from skopsafe.migrate.nodes import (
    Array,
    NewArray,
    Node,
    array,
    as_floats,
    is_a,
    is_array,
    replace,
    shape_of,
)
from skopsafe.migrate.records import CHANGELOG, Migration, Record, Refusal, adds

_LINK = CHANGELOG.format("1.8")
_BOOSTING = ("sklearn.ensemble._gb:GradientBoostingClassifier",)
_LOGISTIC = (
    "sklearn.linear_model._logistic:LogisticRegression",
    "sklearn.linear_model._logistic:LogisticRegressionCV",
)


def _fill_dtype(node: Node) -> bool:
    """The dtype of X after it was checked is the one that it was fitted on."""
    fitted = node.get("_fit_dtype")
    if not is_a(fitted, "numpy:dtype"):
        return False
    return node.add("_fill_dtype", fitted)


def _classes(node: Node) -> bool:
    """Copy the classes from the binarizer of the targets."""
    binarizer = node.node("_label_binarizer", "sklearn.preprocessing._label:LabelBinarizer")
    classes = binarizer.get("classes_") if binarizer is not None else None
    if is_array(classes):
        return node.add("classes_", array(np.array, classes))
    return node.add("classes_", classes) if is_a(classes, "numpy:ndarray") else False


def _size(axis: int, source: Node) -> Node:
    def make(found: Array) -> Array:
        return np.array(found.shape[axis], np.int64)

    return Node("numpy:generic", {"array": NewArray(make, [source.get("array")], keeps=True)})


def _coder(node: Node) -> bool:
    dictionary = node.get("dictionary")
    if not is_array(dictionary):
        return False
    return node.add("n_components_", _size(0, dictionary)) | node.add("n_features_in_", _size(1, dictionary))


def _ratio(node: Node) -> bool:
    """The penalty is told by the ratio: 0 for l2, 1 for l1."""
    if node.get("l1_ratio", 0) is not None:
        return False
    node.attributes["l1_ratio"] = 1.0 if node.get("penalty") == "l1" else 0.0
    return True


def _threshold(node: Node) -> bool:
    """Keep the default threshold of an elastic net, which a ratio of 1 would change."""
    if node.get("threshold", 0) is not None:
        return False
    for name in ("estimator", "estimator_"):
        part = node.node(name, *_LOGISTIC)
        if part is not None and part.get("penalty") == "elasticnet":
            node.attributes["threshold"] = "mean"
            return True
    return False


def _scaling(node: Node) -> bool:
    """`metric` said whether the scaling is metric, and `dissimilarity` named the metric."""
    metric, dissimilarity = node.get("metric"), node.get("dissimilarity")
    if type(metric) is not bool:
        return False
    node.add("metric_mds", metric)
    node.attributes["metric"] = dissimilarity if type(dissimilarity) is str else "euclidean"
    node.attributes["dissimilarity"] = "deprecated"
    node.add("init", "warn")
    node.add("metric_params", None)
    return True


def _descends(node: Node) -> bool:
    return bool(node.get("transform_algorithm") == "lasso_cd")


def _clips(node: Node) -> bool:
    """Tell whether an estimator starts the boosting whose probabilities were clipped at another place."""
    init = node.get("init_")
    if init is None or init == "zero":
        return False
    return not is_a(init, "sklearn.dummy:DummyClassifier") or init.get("strategy") != "prior"


def _clipped_prior(node: Node) -> bool:
    """Clip the probabilities of the classes as the older release did, which matters for very rare ones."""
    dummy = node.node("init_", "sklearn.dummy:DummyClassifier")
    prior = dummy.get("class_prior_") if dummy is not None else None
    if not is_array(prior):
        return False
    replace(prior, _clip)
    return True


def _clip(prior: Array) -> Array:
    return np.clip(as_floats(prior), _EPSILON, 1 - _EPSILON)


_EPSILON = float(np.finfo(np.float32).eps)


def _other_probabilities(node: Node) -> bool:
    """Tell whether probabilities were those of one class against the rest, or a softmax of two classes."""
    given, shape = node.get("multi_class"), shape_of(node.get("classes_"))
    if "classes_" not in node.attributes:
        return False
    is_binary = None if shape is None or len(shape) != 1 else shape[0] in (1, 2)
    if given == "multinomial":
        return is_binary is not False
    is_one_by_one = given == "ovr" or node.get("solver") == "liblinear"
    return is_one_by_one and is_binary is not True


RECORDS: tuple[Record, ...] = (
    Refusal(
        "dictionary-descent",
        "1.8",
        tuple(
            f"sklearn.decomposition._dict_learning:{name}"
            for name in ("DictionaryLearning", "MiniBatchDictionaryLearning", "SparseCoder")
        ),
        "the coordinate descent of transform_algorithm='lasso_cd' stops at another place",
        _descends,
        "1.7",
        _LINK,
    ),
    Refusal(
        "boosting-init-clipped",
        "1.8",
        _BOOSTING,
        "probabilities of the init estimator are clipped at 2e-16, and no longer at 1e-7",
        _clips,
        "1.7",
        _LINK,
    ),
    Migration(
        "boosting-prior-clipped",
        "1.8",
        _BOOSTING,
        "probabilities of the classes are clipped at 2e-16, and no longer at 1e-7",
        _clipped_prior,
        _LINK,
    ),
    Migration(
        "imputer-fill-dtype",
        "1.8",
        ("sklearn.impute._base:SimpleImputer",),
        "the dtype that is filled in is an attribute of its own",
        _fill_dtype,
        _LINK,
    ),
    Migration(
        "ridge-classes",
        "1.8",
        ("sklearn.linear_model._ridge:RidgeClassifier", "sklearn.linear_model._ridge:RidgeClassifierCV"),
        "the classes are an attribute, and no longer a property of the binarizer",
        _classes,
        _LINK,
    ),
    Migration(
        "sparse-coder-fitted",
        "1.8",
        ("sklearn.decomposition._dict_learning:SparseCoder",),
        "fit sets the numbers of components and features, which were properties",
        _coder,
        _LINK,
    ),
    Migration(
        "logistic-ratio",
        "1.8",
        _LOGISTIC[:1],
        "l1_ratio tells the penalty, and is a number always",
        _ratio,
        _LINK,
    ),
    Refusal(
        "logistic-one-against-rest",
        "1.8",
        _LOGISTIC,
        "without multi_class, probabilities of more than two classes are always a softmax, and of two never",
        _other_probabilities,
        "1.7",
        _LINK,
    ),
    Migration(
        "logistic-cv-attributes",
        "1.8",
        _LOGISTIC[1:],
        "the parameter use_legacy_attributes",
        adds({"use_legacy_attributes": True}),
        _LINK,
    ),
    Migration(
        "selection-threshold",
        "1.8",
        ("sklearn.feature_selection._from_model:SelectFromModel",),
        "the default threshold looks at the ratio of an elastic net",
        _threshold,
        _LINK,
    ),
    Migration(
        "scaling-metric",
        "1.8",
        ("sklearn.manifold._mds:MDS",),
        "metric became metric_mds, and dissimilarity became metric",
        _scaling,
        _LINK,
    ),
    Migration(
        "max-abs-clip",
        "1.8",
        ("sklearn.preprocessing._data:MaxAbsScaler",),
        "the parameter clip",
        adds({"clip": False}),
        _LINK,
    ),
    Migration(
        "quadratic-parameters",
        "1.8",
        ("sklearn.discriminant_analysis:QuadraticDiscriminantAnalysis",),
        "the parameters solver, shrinkage and covariance_estimator",
        adds({"solver": "svd", "shrinkage": None, "covariance_estimator": None}),
        _LINK,
    ),
    Migration(
        "spline-missing",
        "1.8",
        ("sklearn.preprocessing._polynomial:SplineTransformer",),
        "the parameter handle_missing",
        adds({"handle_missing": "error"}),
        _LINK,
    ),
)
