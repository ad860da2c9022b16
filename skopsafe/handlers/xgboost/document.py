"""The document of a model: what xgboost relies on in it without looking.

The order follows ``LearnerIO::LoadModel`` (``src/learner.cc``), ``GBTreeModel::LoadModel``
(``src/gbm/gbtree_model.cc``) and ``GBLinearModel::LoadModel``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skopsafe.handlers.checks import integer, require
from skopsafe.handlers.xgboost import categories, params, trees
from skopsafe.handlers.xgboost.nodes import TreeReader
from skopsafe.handlers.xgboost.params import members, texts
from skopsafe.handlers.xgboost.written import WrittenTrees

_HERE = "Booster.content"
_MOST = 2**31 - 1
MOST_FEATURES = 2**20
MOST_GROUPS = 2**10
MOST_CELLS = 2**26
MOST_PAIRS = 2**32


@dataclass(slots=True)
class Facts:
    """What a document turned out to be.

    Attributes
    ----------
    version : tuple of int
        The version of xgboost that wrote it.
    booster : str
        ``gbtree``, ``dart`` or ``gblinear``.
    tree_form : int
        Which of `skopsafe.handlers.xgboost.nodes.FORMS` its trees have.
    cautions : list of str
        What makes some output take an uncommon amount of memory or stack, or fail badly.
    """

    version: tuple[int, int, int]
    booster: str = ""
    tree_form: int = 0
    cautions: list[str] = field(default_factory=list)


def version(value: Any, where: str) -> tuple[int, int, int]:
    """Return the version at the head of a document."""
    require(isinstance(value, list) and len(value) == 3, "not a version", where)
    major, minor, patch = (integer(part, where, 0, 10_000) for part in value)
    return major, minor, patch


def check(document: Any) -> Facts:
    """Check the document of a model, as ``Booster.save_raw("ubj")`` gives it."""
    model = members(document, {"learner", "version"}, _HERE)
    facts = Facts(version(model["version"], f"{_HERE}.version"))
    wrote = ".".join(map(str, facts.version))
    require(
        facts.version >= params.OLDEST,
        f"was written by XGBoost {wrote}, and those of 1.6 and later are read: load it with XGBoost {wrote}, "
        "call save_model('model.json'), and load that with today's",
        f"{_HERE}.version",
    )
    required = {
        "attributes",
        "feature_names",
        "feature_types",
        "gradient_booster",
        "learner_model_param",
        "objective",
    }
    learner = members(model["learner"], required, f"{_HERE}.learner")
    n_features, n_classes, n_targets = _check_sizes(learner["learner_model_param"], facts)
    groups = max(n_classes, n_targets)  # OutputLength
    check_objective(learner["objective"], n_classes, n_targets, f"{_HERE}.objective")
    _check_attributes(learner["attributes"])
    for name in ("feature_names", "feature_types"):
        values = learner[name]
        fits = isinstance(values, list) and all(isinstance(value, str) for value in values)
        require(fits, "not texts", f"{_HERE}.{name}")
        require(len(values) in (0, n_features), "not one for each feature", f"{_HERE}.{name}")
    booster = learner["gradient_booster"]
    require(type(booster) is dict, "not an object", f"{_HERE}.gradient_booster")
    facts.booster = booster.get("name", "")
    require(isinstance(facts.booster, str), "not a text", f"{_HERE}.gradient_booster.name")
    bound = MOST_GROUPS
    if facts.booster == "gblinear":
        _check_linear(booster, n_features, groups)
    elif facts.booster == "dart" and facts.version < params.TREES_DROP:
        booster = members(booster, {"gbtree", "name", "weight_drop"}, f"{_HERE}.gradient_booster")
        number = _check_trees(booster["gbtree"], n_features, groups, facts)
        bound = max(bound, number)
        _check_drops(booster["weight_drop"], number)
        require(facts.tree_form == 0, "vectors in the leaves", f"{_HERE}.gradient_booster")
    else:
        require(facts.booster == "gbtree", "unknown booster", f"{_HERE}.gradient_booster.name")
        bound = max(bound, _check_trees(booster, n_features, groups, facts))
    if facts.tree_form == 2 and facts.version < (3, 0, 0):
        facts.cautions.append(
            "trees of several outputs from before 3.0"
        )  # get_score of 2.1 takes no such trees
    if n_features > MOST_FEATURES:
        facts.cautions.append(f"{n_features} features")
    if groups > bound and facts.tree_form == 0:
        facts.cautions.append(f"{groups} outputs")
    if facts.booster != "gblinear" and groups * (n_features + 1) ** 2 >= MOST_PAIRS:
        # pred_interactions of 3.3 and 3.4 counts them in 32 bits, and writes beside its memory.
        facts.cautions.append(f"{groups} outputs of {n_features} features squared")
    if groups > MOST_GROUPS and "quantile" in learner["objective"]["name"]:
        facts.cautions.append(f"{groups} quantiles")  # which 3.3 sorts, in squared time
    if groups * (n_features + 1) > MOST_CELLS:
        facts.cautions.append(f"{groups} outputs of {n_features} features")
    return facts


def _check_sizes(value: Any, facts: Facts) -> tuple[int, int, int]:
    """Check ``learner_model_param`` and return the numbers of features, classes and targets."""
    where = f"{_HERE}.learner_model_param"
    count = params.COUNT
    form = {
        "base_score": params.FLOATS,
        "boost_from_average": params.FLAG,
        "num_class": count,
        "num_feature": count,
        "num_target": count,
    }
    newer = {"boost_from_average"} if facts.version < (1, 7) else set()
    found = texts(members(value, set(form) - newer, where), form, where)
    n_features = integer(int(found["num_feature"]), f"{where}.num_feature", 1, _MOST - 1)
    n_classes = integer(int(found["num_class"]), f"{where}.num_class", 0, _MOST)
    n_targets = integer(int(found["num_target"]), f"{where}.num_target", 1, _MOST)
    require(n_classes <= 1 or n_targets == 1, "classes and targets", f"{where}.num_target")
    scores = params.floats(found["base_score"])
    fits = len(scores) in (1, max(n_classes, n_targets))
    require(fits, f"{len(scores)} numbers", f"{where}.base_score")
    with np.errstate(over="ignore"):
        fits = bool(np.isfinite(np.array(scores).astype(np.float32)).all())
    require(fits, "not finite", f"{where}.base_score")
    return n_features, n_classes, n_targets


def check_objective(value: Any, n_classes: int, n_targets: int, where: str) -> None:
    """Check an objective and its parameters."""
    require(type(value) is dict, "not an object", where)
    name = value.get("name")
    require(
        isinstance(name, str) and name in params.OBJECTIVES,
        f"unknown objective {name!r:.60}",
        f"{where}.name",
    )
    vectors = {"ti+", "tj-"} if name.startswith("rank:") else set()
    # Which of them an objective has, differs between releases.
    found = members(value, {"name"}, where, {*params.OBJECTIVES[name], *vectors})
    for key in found.keys() & params.OBJECTIVE_PARAMS.keys():
        texts(found[key], params.OBJECTIVE_PARAMS[key], f"{where}.{key}")
    if "softmax_multiclass_param" in params.OBJECTIVES[name]:
        number = members(found.get("softmax_multiclass_param"), {"num_class"}, where)["num_class"]
        require(int(number) == n_classes >= 1, "not the number of classes", f"{where}.num_class")
    unbiased = found.get("lambdarank_param", {}).get("lambdarank_unbiased") == "1"
    sizes = set()
    for key in vectors:
        require((key in found) == unbiased, "not where it belongs", f"{where}.{key}")
        if unbiased:
            fits = isinstance(found[key], np.ndarray) and found[key].dtype == ">f4"
            require(fits, "not an array of float32", f"{where}.{key}")
            sizes.add(len(found[key]))
    require(len(sizes) <= 1, "two lengths", f"{where}.ti+")
    for key, item in (("quantile_loss_param", "quantile_alpha"), ("expectile_loss_param", "expectile_alpha")):
        if key in found and item in found[key]:
            number = len(params.floats(found[key][item]))
            require(number == n_targets, "not one for each target", f"{where}.{item}")


def _check_attributes(value: Any) -> None:
    where = f"{_HERE}.attributes"
    fits = type(value) is dict and all(isinstance(text, str) for text in value.values())
    require(fits, "not texts", where)
    if "best_iteration" in value:
        # Up to here predict takes trees: xgboost looks up a place before its first when this is negative.
        try:
            best = int(value["best_iteration"])
        except ValueError:
            return  # predict says so
        require(0 <= best < _MOST, "not a number of an iteration", f"{where}.best_iteration")


def _check_linear(booster: Any, n_features: int, groups: int) -> None:
    where = f"{_HERE}.gradient_booster"
    model = members(members(booster, {"model", "name"}, where)["model"], {"boosted_rounds", "weights"}, where)
    integer(model["boosted_rounds"], f"{where}.boosted_rounds", 0, _MOST)
    weights = model["weights"]
    fits = isinstance(weights, np.ndarray) and weights.dtype == ">f4"
    require(fits, "not an array of float32", f"{where}.weights")
    fits = len(weights) in (0, (n_features + 1) * groups)
    require(fits, "not one for each feature and output, and a bias", f"{where}.weights")


def _check_trees(booster: Any, n_features: int, groups: int, facts: Facts) -> int:
    """Check a booster of trees and return how many there are."""
    where = f"{_HERE}.gradient_booster"
    drops = {"weight_drop"} if facts.version >= params.TREES_DROP else set()
    within = drops if facts.version >= (3, 4) else set()
    booster = members(booster, {"model", "name"}, where, drops - within)
    require(params.is_text(booster["name"], "gbtree"), "unknown booster", f"{where}.name")
    has_ends = facts.version >= params.ENDS
    required = {"gbtree_model_param", "tree_info", "trees"} | ({"iteration_indptr"} if has_ends else set())
    model = members(booster["model"], required, where, {"cats", *within})
    found = model["trees"]
    require(isinstance(found, (TreeReader, WrittenTrees)), "not trees", f"{_HERE}.trees")
    form = params.TREE_MODEL if has_ends else params.TREE_MODEL_BEFORE
    sizes = texts(members(model["gbtree_model_param"], set(form), where), form, where)
    require(int(sizes["num_trees"]) == found.count, "not the number of trees", f"{where}.num_trees")
    # Multiplied with the number of outputs, it must not wrap around to zero.
    integer(int(sizes["num_parallel_tree"]), f"{where}.num_parallel_tree", 1, max(2**20, found.count))
    require(int(sizes["num_parallel_tree"]) * groups < 2**31, "too many", f"{where}.num_parallel_tree")
    info = integers(model["tree_info"], f"{where}.tree_info")
    if has_ends:
        _check_ends(model["iteration_indptr"], found.count, f"{where}.iteration_indptr")
    else:
        require(found.form == 0, "vectors in the leaves", f"{where}.trees")
        _check_whole(info, int(sizes["num_parallel_tree"]), groups, f"{where}.tree_info")
    facts.tree_form = found.form
    fits = len(info) == found.count and bool(((info >= 0) & (info < (1 if found.form else groups))).all())
    require(fits, "not an output for each tree", f"{where}.tree_info")
    if not found.count:
        facts.cautions.append("no trees")
    if isinstance(found, TreeReader):
        facts.cautions += trees.check(found, n_features, groups)
    else:
        found.check(info, groups)
    if "cats" in model:
        categories.check(model["cats"], n_features, facts.version, f"{where}.cats")
    for part in (booster, model):
        if "weight_drop" in part:
            _check_drops(part["weight_drop"], found.count)
    return int(found.count)


def _check_ends(value: Any, number: int, where: str) -> None:
    """Check where each iteration of a number of trees ends."""
    ends = integers(value, where)
    rises = len(ends) > 0 and bool((ends[1:] > ends[:-1]).all())
    require(rises and ends[0] == 0 and ends[-1] == number, "not the ends of iterations", where)


def _check_whole(info: np.ndarray[Any, np.dtype[Any]], parallel: int, groups: int, where: str) -> None:
    """Check the outputs of trees where xgboost works out the ends of iterations (``MakeIndptr``).

    It goes by the largest number of an output, and takes for granted that there is one.
    """
    require(len(info) > 0, "no trees, which XGBoost since 2.0 does not load from a model before", where)
    whole = int(info.max()) == groups - 1 and len(info) % (parallel * groups) == 0
    require(whole, "not whole iterations", where)


def _check_drops(drops: Any, number: int) -> None:
    """Check the weights of trees by ``dart``: predictions take one for each tree."""
    fits = isinstance(drops, list) and all(type(drop) is float for drop in drops)
    require(fits and len(drops) == number, "not a number for each tree", f"{_HERE}.weight_drop")


def integers(value: Any, where: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Return a list of integers as an array."""
    fits = isinstance(value, list) and set(map(type, value)) <= {int}
    require(fits, "not integers", where)
    return np.array(value, np.int64)
