"""What changed in scikit-learn 1.4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skopsafe.migrate.nodes import (
    Array,
    NewArray,
    Node,
    as_floats,
    float_of,
    is_a,
    is_array,
    is_stored,
    open_state,
    sequence,
    shape_of,
)
from skopsafe.migrate.records import CHANGELOG, Migration, Record, Refusal, adds, renames

_LINK = CHANGELOG.format("1.4")
_TREES = tuple(
    f"sklearn.tree._classes:{kind}Tree{task}"
    for kind in ("Decision", "Extra")
    for task in ("Classifier", "Regressor")
)
_FORESTS = tuple(
    f"sklearn.ensemble._forest:{kind}{task}"
    for kind in ("RandomForest", "ExtraTrees")
    for task in ("Classifier", "Regressor")
)
_BOOSTING = tuple(f"sklearn.ensemble._gb:GradientBoosting{task}" for task in ("Classifier", "Regressor"))
_HIST_BOOSTING = tuple(
    f"sklearn.ensemble._hist_gradient_boosting.gradient_boosting:HistGradientBoosting{task}"
    for task in ("Classifier", "Regressor")
)
_SGD = (
    *(f"sklearn.linear_model._stochastic_gradient:{name}" for name in ("SGDClassifier", "SGDOneClassSVM")),
    "sklearn.linear_model._perceptron:Perceptron",
    "sklearn.linear_model._passive_aggressive:PassiveAggressiveClassifier",
)


def _shares(node: Node) -> bool:
    """Each node of the tree of a classifier holds the shares of the classes, and no longer their weights."""
    tree = node.node("tree_", "sklearn.tree._tree:Tree")
    values = tree.get("values") if tree is not None else None
    if tree is None or not is_stored(values) or (isinstance(values, NewArray) and values.make is _divided):
        return False
    tree.attributes["values"] = NewArray(_divided, (values,))
    return True


def _divided(values: Array) -> Array:
    weights = as_floats(values, 3)
    totals = weights.sum(axis=2, keepdims=True)
    totals[totals == 0.0] = 1.0
    return np.ascontiguousarray(weights / totals)


def _signed_features(node: Node) -> bool:
    """The feature of a node is an integer with a sign; the last patches of 1.3 write it so, too."""
    nodes = node.get("nodes")
    if not is_stored(nodes):
        return False
    node.attributes["nodes"] = NewArray(_signed, (nodes,))
    return True


def _signed(nodes: Array) -> Array:
    names = nodes.dtype.names
    if names is None or "feature_idx" not in names or nodes.ndim != 1:
        raise ValueError("its nodes have other fields")
    fields = [(name, "<i8" if name == "feature_idx" else nodes.dtype[name].str) for name in names]
    return nodes.astype(fields)


_LOSSES: dict[str, tuple[str, str, str, Any]] = {
    # By the name that is gone: the loss, its link, the interval of y, and the parameter of the compiled part.
    "BinomialDeviance": ("HalfBinomialLoss", "LogitLink", "unit", None),
    "ExponentialLoss": ("ExponentialLoss", "HalfLogitLink", "unit", None),
    "MultinomialDeviance": ("HalfMultinomialLoss", "MultinomialLogit", "count", None),
    "LeastSquaresError": ("HalfSquaredError", "IdentityLink", "real", None),
    "LeastAbsoluteError": ("AbsoluteError", "IdentityLink", "real", None),
    "HuberLossFunction": ("HuberLoss", "IdentityLink", "real", 1.0),
    "QuantileLossFunction": ("PinballLoss", "IdentityLink", "real", "alpha"),
}
_DUMMY = "sklearn.dummy:DummyClassifier"
_GONE = "sklearn.ensemble._gb_losses:"


def _loss(node: Node) -> bool:
    """Losses are those of other models."""
    old = node.node("_loss", *(f"{_GONE}{name}" for name in _LOSSES))
    if old is None:
        return False
    open_state(old)
    name, link, interval, parameter = _LOSSES[old.type.removeprefix(_GONE)]
    alpha = float_of(node.get("alpha"))
    if parameter == "alpha":
        parameter = alpha
    compiled = Node(f"sklearn._loss._loss:Cy{name}")
    compiled.items = [] if parameter is None else [parameter]
    classes: Any = {"unit": 2, "count": old.get("K"), "real": None}[interval]
    of_y = {
        "unit": (0, 1, True),
        "count": (0, _infinite(""), True),
        "real": (_infinite("-"), _infinite(""), False),
    }
    low, high, is_closed = of_y[interval]
    attributes: dict[str, Any] = {} if name != "HuberLoss" else {"quantile": alpha}
    made = Node(f"sklearn._loss.loss:{name}", attributes)
    made.attributes |= {
        "closs": compiled,
        "link": Node(f"sklearn._loss.link:{link}", {}),
        "approx_hessian": name in ("AbsoluteError", "HuberLoss", "PinballLoss"),
        "constant_hessian": False,
        "n_classes": classes,
        "interval_y_true": _interval(low, high, is_closed, is_closed and interval == "unit"),
        "interval_y_pred": _interval(low, high, False, False)
        if interval == "real"
        else _interval(0, 1, False, False),
    }
    node.attributes["_loss"] = made
    return True


def _infinite(sign: str) -> Node:
    return sequence("float", [f"{sign}inf"])


def _interval(low: Any, high: Any, low_inclusive: bool, high_inclusive: bool) -> Node:
    values = {"low": low, "high": high, "low_inclusive": low_inclusive, "high_inclusive": high_inclusive}
    return Node("sklearn._loss.link:Interval", values)


@dataclass(frozen=True, slots=True)
class _Shift:
    """Adds to the values of a tree what the prior of the classes begins less with."""

    rate: float

    def __call__(self, values: Array, prior: Array) -> Array:
        shares = as_floats(prior, 1)
        epsilon = np.finfo(np.float32).eps
        shift = np.log(np.clip(shares, epsilon, 1 - epsilon)).mean() / self.rate
        return np.asarray(as_floats(values) + shift)


def _shift(node: Node) -> bool:
    """Let the first trees make up for logarithms of the prior whose mean is zero now, and was not."""
    loss, dummy = node.node("_loss", "sklearn._loss.loss:HalfMultinomialLoss"), node.node("init_", _DUMMY)
    table, prior = (
        node.node("estimators_", "numpy:ndarray"),
        dummy.get("class_prior_") if dummy is not None else None,
    )
    rate, shape = float_of(node.get("learning_rate")), shape_of(table)
    if loss is None or table is None or not is_array(prior) or not rate or not shape or len(shape) != 2:
        return False
    trees = table.node("objects", "builtins:list")
    rows, columns = shape
    if (
        trees is None
        or type(rows) is not int
        or type(columns) is not int
        or rows * columns != len(trees.items)
    ):
        return False
    items = trees.each()
    first = items[::rows] if table.get("fortran") else items[:columns]
    found = False
    for regressor in first:
        tree = regressor.node("tree_", "sklearn.tree._tree:Tree") if isinstance(regressor, Node) else None
        values = tree.get("values") if tree is not None else None
        if (
            tree is None
            or not is_stored(values)
            or (isinstance(values, NewArray) and type(values.make) is _Shift)
        ):
            continue
        parts = (NewArray(np.copy, (values,)), NewArray(np.copy, (prior.get("array"),), keeps=True))
        tree.attributes["values"] = NewArray(_Shift(rate), parts)
        found = True
    return found


def _trees_per_iteration(node: Node) -> bool:
    """One tree for each class, where there are more than two."""
    classes = node.get("n_classes_", node.get("_n_classes")) if node.type == _BOOSTING[0] else 1
    if type(classes) is not int or "estimators_" not in node.attributes:
        return False
    return node.add("n_trees_per_iteration_", classes if classes > 2 else 1)


def _passed_through(node: Node) -> bool:
    """What passes columns on stands among the fitted transformers, and no longer beside them."""
    fitted, parts = (
        node.node("_name_to_fitted_passthrough", "builtins:dict"),
        node.node("transformers_", "builtins:list"),
    )
    if fitted is None or parts is None:
        return False
    by_name = {name: part for name, part in fitted.pairs() if type(name) is str}
    found = False
    for place, part in enumerate(parts.each()):
        if not is_a(part, "builtins:tuple") or len(part.items) != 3:
            continue
        name, transformer, columns = part.items
        if transformer == "passthrough" and type(name) is str and name in by_name:
            parts.items[place] = sequence("tuple", [name, by_name[name], columns])
            found = True
    return found


def _starts_elsewhere(node: Node) -> bool:
    """Tell whether another estimator than the prior starts a boosting of more than two classes."""
    if node.node("_loss", f"{_GONE}MultinomialDeviance") is None or node.get("init_") in (None, "zero"):
        return False
    dummy = node.node("init_", _DUMMY)
    return dummy is None or dummy.get("strategy") != "prior"


_SCORERS: dict[str, Any] = {
    "sklearn.metrics._scorer:_PredictScorer": "predict",
    "sklearn.metrics._scorer:_ProbaScorer": "predict_proba",
    "sklearn.metrics._scorer:_ThresholdScorer": ("decision_function", "predict_proba"),
}


def _scorer(node: Node) -> bool:
    """Scorers are of one class, and say which method of an estimator they call."""
    method = _SCORERS[node.type]
    node.type = "sklearn.metrics._scorer:_Scorer"
    open_state(node)
    return node.add("_response_method", sequence("tuple", method) if isinstance(method, tuple) else method)


RECORDS: tuple[Record, ...] = (
    Migration(
        "hist-boosting-features",
        "1.4",
        ("sklearn.ensemble._hist_gradient_boosting.predictor:TreePredictor",),
        "the feature of a node has a sign",
        _signed_features,
        _LINK,
    ),
    Migration(
        "scorer-response-method",
        "1.4",
        tuple(_SCORERS),
        "scorers are of one class, and say which method of an estimator they call",
        _scorer,
        _LINK,
    ),
    Migration(
        "tree-shares",
        "1.4",
        tuple(name for name in _TREES if name.endswith("Classifier")),
        "trees of classifiers hold shares of the classes, and no longer weights",
        _shares,
        _LINK,
    ),
    Migration(
        "tree-monotonic",
        "1.4",
        (*_TREES, *_FORESTS),
        "the parameter monotonic_cst",
        adds({"monotonic_cst": None}),
        _LINK,
    ),
    Refusal(
        "boosting-init-centred",
        "1.4",
        _BOOSTING[:1],
        "logarithms of the probabilities of the init estimator are centred, which changes decision_function",
        _starts_elsewhere,
        "1.3",
        _LINK,
    ),
    Migration(
        "boosting-losses",
        "1.4",
        _BOOSTING,
        "the losses of gradient boosting are those of other models",
        _loss,
        _LINK,
    ),
    Migration(
        "boosting-multinomial-start",
        "1.4",
        _BOOSTING[:1],
        "predictions start from logarithms of the prior whose mean is zero; the first trees make up for that",
        _shift,
        _LINK,
    ),
    Migration(
        "boosting-trees-per-iteration",
        "1.4",
        _BOOSTING,
        "how many trees there are in an iteration is an attribute of its own",
        _trees_per_iteration,
        _LINK,
    ),
    Migration(
        "hist-boosting-parameters",
        "1.4",
        _HIST_BOOSTING,
        "the parameter max_features, and categories that are encoded before",
        adds({"max_features": 1.0, "_preprocessor": None, "_is_categorical_remapped": None}),
        _LINK,
    ),
    Migration(
        "sgd-loss-attribute",
        "1.4",
        _SGD,
        "the attribute loss_function_ became private",
        renames({"loss_function_": "_loss_function_"}),
        _LINK,
    ),
    Migration(
        "columns-passed-through",
        "1.4",
        ("sklearn.compose._column_transformer:ColumnTransformer",),
        "what passes columns on stands among the fitted transformers",
        _passed_through,
        _LINK,
    ),
)
