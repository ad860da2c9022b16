"""Crafted texts of LightGBM models: what is changed, what the error says, and what dies of it unchecked."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.lightgbm_models import MODELS

SECONDS = 2


@dataclass(frozen=True)
class Crafted:
    """A changed text.

    Attributes
    ----------
    model : str
        Which of the models it is a text of.
    changes : tuple of (str, str)
        Patterns, each of which is replaced once.
    match : str
        What the error of the load says.
    method : str
        What kills the process without the check, or "".
    resize : bool
        Whether ``tree_sizes`` is made true again.
    """

    model: str
    changes: tuple[tuple[str, str], ...]
    match: str
    method: str = ""
    resize: bool = True

    def edit(self, text: bytes) -> bytes:
        """Return the crafted text."""
        for pattern, new in self.changes:
            text, count = re.subn(
                pattern.encode(), new.encode(errors="surrogateescape"), text, count=1, flags=re.M
            )
            assert count, pattern
        return sized(text) if self.resize else text


class Victim:
    """Takes a text to LightGBM as it is, as unpickling a Booster does, and calls a method."""

    def __init__(self, text: str) -> None:
        self.text = text

    def use(self, method: str) -> None:
        import lightgbm as lgb

        signal.alarm(SECONDS)  # a hang ends by a signal too
        booster = lgb.Booster(model_str=self.text)
        # On all ways through a tree: far to the left, in the middle, and far to the right.
        X = np.repeat([-1e9, 0.5, 1e9], 50)[:, None] * np.ones(booster.num_feature())
        if method.startswith("predict"):
            booster.predict(X, num_threads=1, **dict.fromkeys(method.split()[1:], True))
        elif method != "load":
            getattr(booster, method)()


def sized(text: bytes) -> bytes:
    """Make ``tree_sizes`` true again."""
    found = re.search(rb"^tree_sizes=[^\n]*\n\n", text, re.M)
    assert found
    parts = text[found.end() : text.index(b"end of trees")].split(b"Tree=")[1:]
    sizes = b" ".join(b"%d" % (len(part) + 5) for part in parts)
    return text[: found.start()] + b"tree_sizes=" + sizes + b"\n\n" + text[found.end() :]


def text_of(name: str) -> bytes:
    """Return the text of a model, as a file has it."""
    from skopsafe.handlers.lightgbm.booster import _text_of

    model, _ = MODELS[name]()
    return _text_of(getattr(model, "_Booster", model))[0]


def chain(depth: int) -> bytes:
    """Return the text of a model with one tree of such a depth."""

    def line(key: str, numbers: Any) -> str:
        return f"{key}=" + " ".join(map(str, numbers)) + "\n"

    leaves = depth + 1
    tree = "".join(
        [
            f"Tree=0\nnum_leaves={leaves}\nnum_cat=0\n",
            *(line(key, [0] * depth) for key in ("split_feature", "split_gain")),
            line("threshold", range(depth)),
            line("decision_type", [2] * depth),
            line("left_child", (~i for i in range(depth))),
            line("right_child", [*range(1, depth), ~depth]),
            line("leaf_value", range(leaves)),
            line("leaf_weight", [1] * leaves),
            line("leaf_count", [1] * leaves),
            *(line(key, [0] * depth) for key in ("internal_value", "internal_weight")),
            line("internal_count", range(leaves, 1, -1)),
            "is_linear=0\nshrinkage=1\n\n\n",
        ]
    )
    head = (
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=0\n"
        "objective=regression\nfeature_names=a\nfeature_infos=[0:1]\n"
    )
    return f"{head}tree_sizes={len(tree)}\n\n{tree}end of trees\n\nfeature_importances:\n".encode()


def _first(key: str, new: str, match: str = "", method: str = "", model: str = "regression") -> Crafted:
    """Replace the first number of the first line of a key."""
    return Crafted(model, ((rf"^{key}=\S*", f"{key}={new}"),), match or key, method)


CRAFTED: dict[str, Crafted] = {
    # what prediction follows
    "left_child_far": _first("left_child", "2000000000", "no node", "predict"),
    "right_child_far": _first("right_child", "2000000000", "no node", "predict"),
    "leaf_far": _first("left_child", "-2147483648", "no leaf", "predict"),
    "child_is_itself": Crafted(
        "regression",
        ((r"^left_child=\S*", "left_child=0"), (r"^right_child=\S*", "right_child=0")),
        "does not come after",
        "predict",
    ),
    "node_twice": Crafted(
        "regression",
        ((r"^left_child=.*", "left_child=1 2 -2 -3"), (r"^right_child=.*", "right_child=1 3 -4 -5")),
        "one parent",
    ),
    "leaf_twice": Crafted(
        "regression", ((r"^(left_child=.*)-\d+", r"\1-1"), (r"^(right_child=.*)-\d+", r"\1-1")), "one parent"
    ),
    "feature_far": _first("split_feature", "2000000000", "split_feature", "predict"),
    "feature_negative": _first("split_feature", "-2000000000", "split_feature", "predict"),
    "importance_outside": _first("split_feature", "2000000000", "split_feature", "feature_importance"),
    "feature_one_too_far": _first("split_feature", "4"),
    "category_without_sets": _first(
        "decision_type", "1", "each set of categories once", "predict pred_contrib"
    ),
    "decision_unknown": _first("decision_type", "12"),
    "decision_negative": _first("decision_type", "-1"),
    "set_far": Crafted(
        "categories",
        ((r"^(threshold=(?:\S+ )*)0(?= |$)", r"\g<1>2000000000"),),
        r"threshold",
        "predict",
    ),
    "set_negative": Crafted("categories", ((r"^(threshold=(?:\S+ )*)0(?= |$)", r"\g<1>-7"),), "threshold"),
    "set_fraction": Crafted("categories", ((r"^(threshold=(?:\S+ )*)0(?= |$)", r"\g<1>0.5"),), "threshold"),
    "set_shared": Crafted("categories", ((r"^(threshold=0 .*) 1$", r"\1 0"),), "each set of categories once"),
    "boundary_far": Crafted(
        "categories",
        ((r"^cat_boundaries=0 \d+", "cat_boundaries=0 2000000000"),),
        "cat_boundaries|cat_threshold",
    ),
    "boundary_down": Crafted("categories", ((r"^cat_boundaries=0", "cat_boundaries=1"),), "cat_boundaries"),
    "boundaries_missing": Crafted("categories", ((r"^cat_boundaries=.*\n", ""),), "tree_sizes", "predict"),
    "num_cat_other": _first("num_cat", "3", "num_cat"),
    "num_cat_more": Crafted(
        "categories", ((r"^num_cat=\d+", "num_cat=2000000000"),), "each set of categories once"
    ),
    "word_too_large": Crafted(
        "categories", ((r"^cat_threshold=\d+", "cat_threshold=4294967296"),), "cat_threshold"
    ),
    "linear_feature_far": Crafted(
        "linear", ((r"^leaf_features=\d+", "leaf_features=2000000000"),), "leaf_features", "predict"
    ),
    "linear_feature_negative": Crafted(
        "linear", ((r"^leaf_features=\d+", "leaf_features=-2000000000"),), "leaf_features", "predict"
    ),
    "linear_counts": Crafted("linear", ((r"^num_features=\d+", "num_features=7"),), "leaf_features"),
    "linear_blank": Crafted("linear", ((r"^leaf_features=(\d+) ", r"leaf_features=\1  "),), "leaf_features"),
    "linear_const_too_small": _first("leaf_const", "1e-320", "no double", "load", "linear"),
    "linear_const_rounded": _first("leaf_const", "2.2250738585072012e-308", "no double", "load", "linear"),
    "linear_const_too_large": _first("leaf_const", "1e+309", "no double", "load", "linear"),
    "linear_coefficient_too_small": Crafted(
        "linear", ((r"^leaf_coeff=[^ \n]+", "leaf_coeff=-1e-400"),), "no double", "load"
    ),
    "linear_missing": Crafted("regression", ((r"^is_linear=0", "is_linear=1"),), "is_linear"),
    "linear_unmarked": Crafted("linear", ((r"^is_linear=1", "is_linear=0"),), "is_linear"),
    # what is read
    "sizes_far": Crafted(
        "regression", ((r"^tree_sizes=\d+", "tree_sizes=4294967296"),), "tree_sizes", "load", False
    ),
    "sizes_other": Crafted("regression", ((r"^tree_sizes=\d+", "tree_sizes=11"),), "num_leaves", "", False),
    "sizes_few": Crafted("regression", ((r"^tree_sizes=\d+ ", "tree_sizes="),), "tree_sizes", "", False),
    "tree_number": _first("Tree", "1"),
    "num_leaves_more": _first("num_leaves", "6", "split_|numbers instead of"),
    "num_leaves_huge": _first("num_leaves", "2147483647", "numbers instead of"),
    "num_leaves_none": _first("num_leaves", "0", "num_leaves"),
    "num_leaves_negative": _first("num_leaves", "-5", "num_leaves"),
    "count_negative": _first("leaf_count", "-1"),
    "internal_count_negative": _first("internal_count", "-1"),
    "leaf_value_missing": Crafted("regression", ((r"^leaf_value=\S* ", "leaf_value="),), "leaf_value"),
    "leaf_value_text": _first("leaf_value", "x"),
    "leaf_value_hex": _first("leaf_value", "0x1p3"),
    "leaf_value_plus": _first("leaf_value", "+1"),
    "leaf_value_long": _first("leaf_value", "1" * 400),
    "gain_leading_zero": _first("split_gain", "01"),
    "gain_blank": Crafted("regression", ((r"^split_gain=", "split_gain= "),), "split_gain"),
    "shrinkage_two": Crafted("regression", ((r"^shrinkage=", "shrinkage=1 "),), "shrinkage"),
    "key_twice": Crafted("regression", ((r"^(num_cat=0\n)", r"\1\1"),), "num_cat|split_feature"),
    "key_unknown": Crafted("regression", ((r"^shrinkage=", "shrinkag=1\nshrinkage="),), "shrinkage"),
    "key_missing": Crafted("regression", ((r"^internal_count=.*\n", ""),), "internal_count"),
    "keys_swapped": Crafted(
        "regression", ((r"^(left_child=.*\n)(right_child=.*\n)", r"\2\1"),), "left_child"
    ),
    "no_equals_sign": Crafted(
        "regression",
        ((r"^num_leaves=(?s:.*)end of trees(?s:.*)", "num_leaves"),),
        "tree_sizes|num_leaves",
        "",
        False,
    ),
    "carriage_return": Crafted(
        "regression", ((r"^shrinkage=(.*)\n", "shrinkage=\\1\r\n"),), "end a text or a line"
    ),
    "nul": Crafted("regression", ((r"^shrinkage=", "shrinkage=\0"),), "end a text or a line"),
    # the header
    "trees_of_an_iteration_many": _first(
        "num_tree_per_iteration", "1000000", "num_tree_per_iteration", "predict"
    ),
    "trees_of_an_iteration_none": _first("num_tree_per_iteration", "0", "num_tree_per_iteration", "load"),
    "classes_of_the_softmax": Crafted(
        "multiclass", ((r"num_class:3", "num_class:10000000"),), "objective", "predict"
    ),
    "classes_of_the_sigmoids": Crafted(
        "multiclassova", ((r"num_class:3", "num_class:99999999"),), "objective", "predict"
    ),
    "num_class_none": _first("num_class", "0"),
    "num_class_many": _first("num_class", "10001"),
    "num_class_without_trees": Crafted(
        "no_tree",
        (
            (r"^num_class=1", "num_class=5000"),
            (r"^num_tree_per_iteration=1", "num_tree_per_iteration=5000"),
            (r"^objective=.*\n", ""),
        ),
        "num_class",
    ),
    "iteration_half": Crafted(
        "multiclass",
        ((r"^tree_sizes=\d+ ", "tree_sizes="), (r"^Tree=0(?s:.*?)Tree=1\n", "Tree=1\n")),
        "tree_sizes",
    ),
    "version_newer": _first("version", "v5", "newer LightGBM"),
    "version_older": _first("version", "v2", "older"),
    "version_text": _first("version", "4", "not a version"),
    "objective_unknown": _first("objective", "evil", "objective"),
    "sigmoid_negative": Crafted("binary", ((r"sigmoid:1", "sigmoid:-1"),), "sigmoid"),
    "features_fewer": _first("max_feature_idx", "1", "feature_names"),
    "features_more": _first("max_feature_idx", "9", "feature_names"),
    "features_huge": _first("max_feature_idx", "2147483647", "max_feature_idx"),
    "label_negative": _first("label_index", "-1", "label_index"),
    "name_twice": Crafted(
        "regression",
        ((r"^feature_names=Column_0 Column_1", "feature_names=Column_1 Column_1"),),
        "feature_names",
    ),
    "name_of_json": Crafted(
        "regression", ((r"^feature_names=Column_0", 'feature_names="'),), "feature_names"
    ),
    "infos_short": Crafted("regression", ((r"^feature_infos=\S+ ", "feature_infos="),), "feature_infos"),
    "info_open": Crafted(
        "regression", ((r"^feature_infos=\S+ ", "feature_infos=[0 "),), "feature_infos", "dump_model"
    ),
    "info_empty": Crafted(
        "regression", ((r"^feature_infos=\S+ ", "feature_infos=: "),), "feature_infos", "dump_model"
    ),
    "monotone_short": Crafted(
        "monotone", ((r"^monotone_constraints=\S+ ", "monotone_constraints="),), "monotone_constraints"
    ),
    "monotone_large": Crafted(
        "monotone", ((r"^monotone_constraints=\S+", "monotone_constraints=2"),), "monotone_constraints"
    ),
    "first_line": Crafted("regression", ((r"\Atree", "forest"),), "in place of 'tree'"),
    "header_twice": Crafted("regression", ((r"^(num_class=1\n)", r"\1\1"),), "num_tree_per_iteration"),
    # the end
    "importance_of_nothing": Crafted(
        "regression", ((r"^feature_importances:", "feature_importances:\nx=1"),), "feature_importances"
    ),
    "importance_negative": Crafted(
        "regression",
        ((r"^feature_importances:", "feature_importances:\nColumn_0=-1"),),
        "feature_importances",
    ),
    "parameter_without_value": Crafted("regression", ((r"^\[boosting: gbdt\]", "[boosting]"),), "parameters"),
    "parameter_twice": Crafted(
        "regression", ((r"^(\[learning_rate: .*\n)", r"\1\1"),), "parameters learning_rate"
    ),
    "parameter_of_a_machine": Crafted(
        "regression", ((r"^\[machines: \]", "[machines: example.com:80]"),), "parameters machines"
    ),
    "parameter_of_a_file": Crafted(
        "regression",
        ((r"^\[forcedsplits_filename: \]", "[forcedsplits_filename: /dev/zero]"),),
        "forcedsplits_filename",
    ),
    "parameter_unknown": Crafted(
        "regression",
        ((r"^\[learning_rate: ", "[new_file: /dev/zero]\n[learning_rate: "),),
        "parameters new_file",
    ),
    "parameter_threads": Crafted(
        "regression", ((r"^\[num_threads: \d+", "[num_threads: 100000"),), "num_threads"
    ),
    "parameter_classes": Crafted("regression", ((r"^\[num_class: 1", "[num_class: 1000000"),), "num_class"),
    "parameter_hidden": Crafted(
        "regression", ((r"^\[metric: .*\]", "[metric: l2 num_threads=100000]"),), "second parameter"
    ),
    "parser": Crafted(
        "regression",
        ((r"^end of parameters\n", 'end of parameters\n\nparser:\n{"className": "x"}\nend of parser\n'),),
        "parser",
    ),
    "more_text": Crafted(
        "regression", ((r"^end of parameters\n", "end of parameters\nmore\n"),), "after its end"
    ),
    "cut_off": Crafted("regression", ((r"^end of parameters\n", "end of param"),), "middle of a line"),
    "not_utf8": Crafted("no_tree", ((r"^feature_names=Column_0", "feature_names=Col\udcff"),), "UTF-8"),
}


def edited(case: Crafted) -> Callable[[Any], Any]:
    """Return a change for the part ``model`` of a Booster."""
    return lambda blob: np.frombuffer(case.edit(bytes(blob)), np.uint8)
