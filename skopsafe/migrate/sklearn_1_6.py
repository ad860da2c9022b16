"""What changed in scikit-learn 1.6."""

from __future__ import annotations

import numpy as np

from skopsafe.graph.document import VALUE
from skopsafe.migrate.nodes import Array, Node, array, as_floats, is_a, is_array, open_state, shape_of
from skopsafe.migrate.records import CHANGELOG, Migration, Record, Refusal, adds, becomes, takes_over

_LINK = CHANGELOG.format("1.6")
_SGD = "sklearn.linear_model._sgd_fast:"
_LOSS = "sklearn._loss._loss:"


def _is_real_boosting(node: Node) -> bool:
    return bool(node.get("algorithm") == "SAMME.R")


def _centroids(node: Node) -> bool:
    """All classes were alike likely."""
    found = node.add("priors", "uniform")
    classes = node.get("classes_")
    if is_array(classes):
        found |= node.add("class_prior_", array(_uniform, classes))
    elif is_a(classes, "numpy:ndarray") and is_array(node.get("centroids_")):
        found |= node.add("class_prior_", array(_uniform, node.get("centroids_")))
    return found


def _uniform(classes: Array) -> Array:
    """Return the same share for each class; there is one item, or row, for each."""
    return np.full(len(classes), 1 / max(len(classes), 1))


def _other_probabilities(node: Node) -> bool:
    if node.get("multi_class") not in ("auto", "deprecated") or node.get("solver") != "newton-cholesky":
        return False
    shape = shape_of(node.get("classes_"))
    return "classes_" in node.attributes and not (shape is not None and shape in ((1,), (2,)))


def _keeps_empty(node: Node) -> bool:
    return node.get("keep_empty_features") is True


def _empty_features(node: Node) -> bool:
    """Empty features are those of which the imputer that comes first has no statistic."""
    initial = node.node("initial_imputer_", "sklearn.impute._base:SimpleImputer")
    statistics = initial.get("statistics_") if initial is not None else None
    return node.add("_is_empty_feature", array(_is_nan, statistics)) if is_array(statistics) else False


def _is_nan(statistics: Array) -> Array:
    return np.isnan(as_floats(statistics))


def _check_array(node: Node) -> bool:
    """Rename an argument of a call that is kept for later."""
    if (
        len(node.items) != 4
        or not isinstance(node.items[0], Node)
        or not is_a(node.items[2], "builtins:dict")
    ):
        return False
    function, keywords = node.items[0], node.items[2]
    if function.role != VALUE or function.type != "sklearn.utils.validation:check_array":
        return False
    places = [place for place, key in enumerate(keywords.each()[::2]) if key == "force_all_finite"]
    for place in places:
        keywords.items[2 * place] = "ensure_all_finite"
    return bool(places)


def _self_training(node: Node) -> bool:
    fitted = node.rename("base_estimator_", "estimator_")
    return takes_over({"base_estimator": "estimator"})(node) or fitted


def _message(node: Node) -> bool:
    open_state(node)
    return node.add("_deprecation_msg", None)


RECORDS: tuple[Record, ...] = (
    Refusal(
        "adaboost-real",
        "1.6",
        ("sklearn.ensemble._weight_boosting:AdaBoostClassifier",),
        "the algorithm SAMME.R of AdaBoostClassifier is gone",
        _is_real_boosting,
        "1.5",
        _LINK,
    ),
    Refusal(
        "logistic-newton-cholesky",
        "1.6",
        (
            "sklearn.linear_model._logistic:LogisticRegression",
            "sklearn.linear_model._logistic:LogisticRegressionCV",
        ),
        "the solver newton-cholesky fits more than two classes at once, and no longer one against the rest",
        _other_probabilities,
        "1.5",
        _LINK,
    ),
    Refusal(
        "imputer-keeps-empty",
        "1.6",
        ("sklearn.impute._iterative:IterativeImputer",),
        "IterativeImputer(keep_empty_features=True) imputes other values",
        _keeps_empty,
        "1.5",
        _LINK,
    ),
    Migration(
        "imputer-empty-features",
        "1.6",
        ("sklearn.impute._iterative:IterativeImputer",),
        "which features are empty is an attribute of its own",
        _empty_features,
        _LINK,
    ),
    Migration(
        "check-array-finite",
        "1.6",
        ("functools:partial",),
        "the parameter force_all_finite of check_array became ensure_all_finite",
        _check_array,
        _LINK,
    ),
    Migration(
        "pipeline-transform-input",
        "1.6",
        ("sklearn.pipeline:Pipeline",),
        "the parameter transform_input",
        adds({"transform_input": None}),
        _LINK,
    ),
    Migration(
        "centroid-priors",
        "1.6",
        ("sklearn.neighbors._nearest_centroid:NearestCentroid",),
        "classes have probabilities",
        _centroids,
        _LINK,
    ),
    Migration(
        "self-training-estimator",
        "1.6",
        ("sklearn.semi_supervised._self_training:SelfTrainingClassifier",),
        "base_estimator became estimator",
        _self_training,
        _LINK,
    ),
    Migration(
        "sgd-log",
        "1.6",
        (f"{_SGD}Log",),
        "the losses of stochastic gradient descent are those of other models",
        becomes(f"{_LOSS}CyHalfBinomialLoss"),
        _LINK,
    ),
    Migration(
        "sgd-squared",
        "1.6",
        (f"{_SGD}SquaredLoss",),
        "the losses of stochastic gradient descent are those of other models",
        becomes(f"{_LOSS}CyHalfSquaredError"),
        _LINK,
    ),
    Migration(
        "sgd-huber",
        "1.6",
        (f"{_SGD}Huber",),
        "the losses of stochastic gradient descent are those of other models",
        becomes(f"{_LOSS}CyHuberLoss"),
        _LINK,
    ),
    Migration(
        "scorer-message",
        "1.6",
        ("sklearn.metrics._scorer:_Scorer", "sklearn.model_selection._classification_threshold:_CurveScorer"),
        "scorers keep the message of a deprecation",
        _message,
        _LINK,
    ),
    Migration(
        "curve-scorer",
        "1.6",
        ("sklearn.model_selection._classification_threshold:_CurveScorer",),
        "the scorer over thresholds moved to another module",
        becomes("sklearn.metrics._scorer:_CurveScorer"),
        _LINK,
    ),
)
