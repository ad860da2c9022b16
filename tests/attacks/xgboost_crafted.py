"""Crafted documents of xgboost: each what a model would be with one thing wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import xgboost as xgb

from tests.xgboost_models import MODELS

_ARRAYS = {
    **dict.fromkeys(
        ("categories", "categories_nodes", "left_children", "parents", "right_children", "split_indices"), "l"
    ),
    **dict.fromkeys(("categories_segments", "categories_sizes"), "L"),
    **dict.fromkeys(("default_left", "split_type"), "U"),
    **dict.fromkeys(
        ("base_weights", "leaf_weights", "loss_changes", "split_conditions", "sum_hessian", "weights"), "d"
    ),
    **dict.fromkeys(("feature_segments", "sorted_idx", "offsets"), "l"),
    **dict.fromkeys(("ti+", "tj-"), "d"),
}
_DTYPES = {"l": ">i4", "L": ">i8", "U": ">u1", "d": ">f4", "i": ">i1", "I": ">i2"}


def ubj(value: Any, key: str = "") -> bytes:
    """Write what xgboost reads from JSON in the forms that it writes itself."""
    if isinstance(value, dict):
        kinds = {9: "i", 10: "U", 11: "I", 12: "I", 13: "l", 14: "l", 15: "L", 16: "L"}
        inner = (
            {"values": kinds.get(value["type"], "l") if "type" in value else "i"} if "values" in value else {}
        )
        out = b"{"
        for name in sorted(value):
            raw = name.encode()
            out += b"L" + len(raw).to_bytes(8, "big") + raw + ubj(value[name], inner.get(name, name))
        return out + b"}"
    if isinstance(value, np.ndarray):
        return ubj(value.tolist(), "d")
    if isinstance(value, list):
        kind = _ARRAYS.get(key) or (key if key in _DTYPES else None)
        if kind:
            body = np.array(value, np.float64 if kind == "d" else np.int64).astype(_DTYPES[kind]).tobytes()
            return b"[$" + kind.encode() + b"#L" + len(value).to_bytes(8, "big") + body
        return b"[#L" + len(value).to_bytes(8, "big") + b"".join(ubj(item, f"{key} item") for item in value)
    if isinstance(value, bool):
        return b"T" if value else b"F"
    if isinstance(value, int):
        return next(
            mark + value.to_bytes(size, "big", signed=True)
            for mark, size in ((b"i", 1), (b"I", 2), (b"l", 4), (b"L", 8))
            if -(2 ** (8 * size - 1)) < value < 2 ** (8 * size - 1) - 1
        )
    if isinstance(value, float):
        return b"d" + np.array(value, ">f4").tobytes()
    raw = value.encode()
    return b"SL" + len(raw).to_bytes(8, "big") + raw


def booster_of(name: str) -> Any:
    model = MODELS[name]()[0]
    return model if isinstance(model, xgb.Booster) else model.get_booster()


def document(booster: Any) -> dict[str, Any]:
    """Return a serialized booster as JSON values."""
    booster = booster.copy()
    return {"Config": json.loads(booster.save_config()), "Model": json.loads(booster.save_raw("json"))}


def model_of(doc: dict[str, Any]) -> dict[str, Any]:
    booster = doc["Model"]["learner"]["gradient_booster"]
    found: dict[str, Any] = booster.get("gbtree", booster)["model"]
    return found


def tree_of(doc: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = model_of(doc)["trees"][1]
    return found


def _item(name: str, place: int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(doc: dict[str, Any]) -> None:
        tree_of(doc)[name][place] = value

    return change


def _loop(doc: dict[str, Any]) -> None:
    tree = tree_of(doc)
    tree["left_children"][1], tree["right_children"][1] = 1, 2


def _shorter(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda doc: tree_of(doc)[name].pop() and None


def _param(name: str, value: str) -> Callable[[dict[str, Any]], None]:
    def change(doc: dict[str, Any]) -> None:
        doc["Model"]["learner"]["learner_model_param"][name] = value
        doc["Config"]["learner"]["learner_model_param"][name] = value

    return change


def _set(value: Any, *path: Any) -> Callable[[dict[str, Any]], None]:
    def change(doc: dict[str, Any]) -> None:
        for key in path[:-1]:
            doc = doc[key]
        doc[path[-1]] = value

    return change


_LEARNER = ("Model", "learner")
_GENERIC = ("Config", "learner", "generic_param")


def _generic(doc: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = doc["Config"]["learner"]["generic_param"]
    return found


CASES: dict[str, tuple[str, Callable[[dict[str, Any]], None], str]] = {
    "left_outside": ("booster", _item("left_children", 0, 10**6), "trees.left_children"),
    "left_negative": ("booster", _item("left_children", 0, -(10**6)), "trees.left_children"),
    "right_apart": ("booster", _item("right_children", 0, 3), "trees.right_children"),
    "loop": ("booster", _loop, "trees.left_children"),
    "parent_outside": ("booster", _item("parents", 1, 10**6), "trees.parents"),
    "feature_outside": ("booster", _item("split_indices", 0, 10**8), "trees.split_indices"),
    "feature_deleted": ("booster", _item("split_indices", 0, 2**31 - 1), "trees"),
    "too_few_children": ("booster", _shorter("left_children"), "trees.left_children"),
    "too_few_weights": ("booster", _shorter("base_weights"), "trees.base_weights"),
    "category_without_set": ("booster", _item("split_type", 0, 1), "trees.categories_nodes"),
    "segment_outside": (
        "booster_of_categories",
        _item("categories_segments", 0, 10**9),
        "trees.categories_segments",
    ),
    "size_outside": ("booster_of_categories", _item("categories_sizes", 0, 10**9), "trees.categories_sizes"),
    "category_negative": ("booster_of_categories", _item("categories", 0, -(10**9)), "trees.categories"),
    "same_id": ("booster", lambda doc: tree_of(doc).update(id=0), "trees.id"),
    "tree_of_no_output": (
        "multiclass",
        lambda doc: model_of(doc)["tree_info"].__setitem__(1, 10**6),
        "tree_info",
    ),
    "iterations_outside": (
        "booster",
        lambda doc: model_of(doc)["iteration_indptr"].__setitem__(1, 10**6),
        "iteration_indptr",
    ),
    "iterations_negative": (
        "booster",
        lambda doc: model_of(doc)["iteration_indptr"].__setitem__(1, -5),
        "iteration_indptr",
    ),
    "parallel_wraps": (
        "multiclass",
        lambda doc: model_of(doc)["gbtree_model_param"].update(num_parallel_tree="2147483647"),
        "num_parallel_tree",
    ),
    "fewer_features": ("booster", _param("num_feature", "1"), "trees.split_indices"),
    "fewer_classes": ("multiclass", _param("num_class", "2"), "base_score|tree_info|num_class"),
    "classes_of_objective": (
        "multiclass",
        _set("7", *_LEARNER, "objective", "softmax_multiclass_param", "num_class"),
        "num_class",
    ),
    **{
        f"array_as_{part}": ("booster", _set(np.array([1.0, 2.0]), *path), where)
        for part, path, where in (
            ("name", (*_LEARNER, "gradient_booster", "name"), "gradient_booster.name"),
            ("size", ("Config", "learner", "learner_model_param", "num_class"), "config.learner_model_param"),
            (
                "name_beside",
                ("Config", "learner", "gradient_booster", "name"),
                "config.gradient_booster.name",
            ),
        )
    },
    "unknown_objective": ("booster", _set("mine", *_LEARNER, "objective", "name"), "objective.name"),
    "score_not_finite": ("booster", _param("base_score", "nan"), "base_score"),
    "score_of_three": ("booster", _param("base_score", "[1E0,2E0,3E0]"), "base_score"),
    "best_iteration_negative": (
        "early_stopping",
        _set("-100000", *_LEARNER, "attributes", "best_iteration"),
        "best_iteration",
    ),
    "drop_missing": ("dart", lambda doc: _drops(doc).pop() and None, "weight_drop"),
    "generator_unknown": ("booster", lambda doc: _generic(doc).update(rng_state="1"), "rng_state"),
    "linear_too_short": ("linear", lambda doc: model_of(doc).update(weights=[1.0]), "weights"),
    "linear_of_more_features": ("linear", _param("num_feature", "1000000"), "weights"),
    "names_too_few": (
        "attributes",
        lambda doc: doc["Model"]["learner"]["feature_names"].pop() and None,
        "feature_names",
    ),
    "threads": ("booster", _set("1000000", *_GENERIC, "nthread"), "generic_param.nthread"),
    "threads_by_another_name": ("booster", _set("1000000", *_GENERIC, "n_jobs"), "generic_param.n_jobs"),
    "device_of_many_letters": (
        "booster",
        _set("gpu:" + "1" * 10**6, *_GENERIC, "device"),
        "generic_param.device",
    ),
    "unknown_member": ("booster", _set({}, *_LEARNER, "more"), "learner"),
    "unknown_parameter": ("booster", _set("1", *_GENERIC, "plugin"), "generic_param"),
    "pairs_of_features": ("booster", _param("num_feature", "65535"), "features squared"),
    "more_features": ("booster", _param("num_feature", "2000000"), "Booster.caution"),
    "more_outputs": ("booster", _param("num_target", "1000000"), "Booster.caution|base_score"),
}
"""By name: a model of `MODELS`, what changes its document, and which attribute is named."""

CATEGORIES: dict[str, tuple[str, Callable[[dict[str, Any]], None], str]] = {
    "sorted_idx": (
        "booster_of_categories",
        lambda doc: model_of(doc)["cats"]["sorted_idx"].__setitem__(0, 10**8),
        "cats.sorted_idx",
    ),
    "segments": (
        "booster_of_categories",
        lambda doc: model_of(doc)["cats"]["feature_segments"].__setitem__(1, 10**8),
        "cats.feature_segments",
    ),
    "offsets": (
        "booster_of_categories",
        lambda doc: model_of(doc)["cats"]["enc"][1]["offsets"].__setitem__(1, 10**8),
        "cats.enc.offsets",
    ),
}
"""The same for what there is since xgboost 3.1."""

VECTORS: dict[str, tuple[str, Callable[[dict[str, Any]], None], str]] = {
    "leaf_outside": (
        "vectors",
        lambda doc: tree_of(doc)["right_children"].__setitem__(-1, 10**8),
        "trees.right_children",
    ),
    "leaves_too_few": ("vectors", lambda doc: tree_of(doc).update(leaf_weights=[]), "trees.right_children"),
    "no_leaves": (
        "vectors",
        lambda doc: [tree.pop("leaf_weights") for tree in model_of(doc)["trees"]] and None,
        "trees",
    ),
}
"""The same for what there is since xgboost 3.2."""


def _drops(doc: dict[str, Any]) -> list[float]:
    booster = doc["Model"]["learner"]["gradient_booster"]
    found: list[float] = booster.get("weight_drop") or model_of(doc)["weight_drop"]
    return found


def _moved(doc: dict[str, Any]) -> None:
    """Put the weights where another release has them."""
    booster = doc["Model"]["learner"]["gradient_booster"]
    if "weight_drop" in booster:
        booster["model"]["weight_drop"] = booster.pop("weight_drop")
    else:
        booster["weight_drop"] = booster["model"].pop("weight_drop")


_ZEROS = " ".join(["0"] * 624)
_ONE_BIT = f"1{_ZEROS[1:]} 9"

DROPS: dict[str, tuple[str, Callable[[dict[str, Any]], None], str]] = {
    "drops_too_many": ("dart", lambda doc: _drops(doc).extend([1.0] * 3), "weight_drop"),
    "drops_of_texts": ("dart", lambda doc: _drops(doc).__setitem__(0, "1"), "weight_drop"),  # type: ignore[call-overload]
    "drops_elsewhere": ("dart", _moved, "'weight_drop' is unknown"),
    "drops_of_vectors": (
        "vectors",
        lambda doc: doc["Model"]["learner"]["gradient_booster"].update(weight_drop=[1.0]),
        "weight_drop",
    ),
    "dart_of_old": ("booster", _set("dart", *_LEARNER, "gradient_booster", "name"), "gradient_booster.name"),
    "dart_config_missing": (
        "booster",
        lambda doc: doc["Config"]["learner"]["gradient_booster"].pop("dart_train_param") and None,
        "'dart_train_param' is missing",
    ),
    "generator_missing": ("booster", lambda doc: _generic(doc).pop("rng_state") and None, "rng_state"),
    "generator_too_short": ("booster", _set("1 2 3", *_GENERIC, "rng_state"), "rng_state"),
    "generator_too_long": ("booster", _set(" ".join("1" * 626), *_GENERIC, "rng_state"), "rng_state"),
    "generator_of_letters": ("booster", _set("x" * 4000, *_GENERIC, "rng_state"), "rng_state"),
    "generator_of_zeros": ("booster", _set(f"{_ZEROS} 624", *_GENERIC, "rng_state"), "nothing but zeros"),
    "generator_of_one_bit": (
        "booster",
        _set(_ONE_BIT, *_GENERIC, "rng_state"),
        "nothing but zeros",
    ),
}
"""The same for what there is since xgboost 3.3."""


def before(doc: dict[str, Any]) -> None:
    """Make a document one as xgboost 1.7 wrote it: without the ends of iterations."""
    for part in (doc["Config"], doc["Model"]):
        part["version"] = [1, 7, 6]
    booster, model = doc["Model"]["learner"]["gradient_booster"], model_of(doc)
    for name in ("iteration_indptr", "cats", "weight_drop"):
        model.pop(name, None)
    if booster["name"] == "gbtree":
        booster.pop("weight_drop", None)
    model["gbtree_model_param"]["size_leaf_vector"] = "0"


def _before(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], None]:
    def changed(doc: dict[str, Any]) -> None:
        before(doc)
        change(doc)

    return changed


def _trees(count: int) -> Callable[[dict[str, Any]], None]:
    """Leave some trees."""

    def change(doc: dict[str, Any]) -> None:
        model = model_of(doc)
        for name in ("trees", "tree_info"):
            del model[name][count:]
        model["gbtree_model_param"]["num_trees"] = str(count)

    return change


_OLD_MODEL = (*_LEARNER, "gradient_booster", "model")

BEFORE: dict[str, tuple[str, Callable[[dict[str, Any]], None], str]] = {
    "before_no_trees": ("binary", _before(_trees(0)), "no trees"),
    "before_half_an_iteration": ("multiclass", _before(_trees(4)), "not whole iterations"),
    "before_outputs_missing": (
        "multiclass",
        _before(lambda doc: model_of(doc).update(tree_info=[0] * len(model_of(doc)["trees"]))),
        "not whole iterations",
    ),
    "before_output_outside": (
        "binary",
        _before(lambda doc: model_of(doc)["tree_info"].__setitem__(0, 10**6)),
        "not whole iterations",
    ),
    "before_output_negative": (
        "binary",
        _before(lambda doc: model_of(doc)["tree_info"].__setitem__(0, -(10**6))),
        "not an output for each tree",
    ),
    "before_parallel": (
        "binary",
        _before(_set("3", *_OLD_MODEL, "gbtree_model_param", "num_parallel_tree")),
        "not whole iterations",
    ),
    "before_vectors": (
        "binary",
        _before(_set("2", *_OLD_MODEL, "gbtree_model_param", "size_leaf_vector")),
        "size_leaf_vector",
    ),
    "before_with_ends": (
        "binary",
        _before(_set([0], *_OLD_MODEL, "iteration_indptr")),
        "'iteration_indptr' is unknown",
    ),
    "before_threads": ("binary", _before(_set("1000000", *_GENERIC, "nthread")), "nthread"),
    "before_threads_of_a_list": ("binary", _before(_set([1], *_GENERIC, "nthread")), "nthread"),
    "before_child_outside": ("booster", _before(_item("left_children", 0, 10**6)), "trees.left_children"),
    "before_version_of_config": ("binary", _before(_set([2, 0, 0], "Config", "version")), "version"),
    "ends_missing": (
        "binary",
        lambda doc: model_of(doc).pop("iteration_indptr") and None,
        "'iteration_indptr' is missing",
    ),
    "too_old": ("binary", _before(_set([1, 5, 2], "Model", "version")), r"those of 1\.6 and later"),
}
"""The same for what there was before xgboost 2.0."""
