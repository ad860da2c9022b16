"""Crafted models of trees: refused at loading, because scikit-learn would follow them out of its memory."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree._tree import NODE_DTYPE, Tree

import skopsafe
from skopsafe.graph.parts import Leaf
from skopsafe.handlers.sklearn.hist_boosting import check_nodes
from skopsafe.testing.crafted import changed, forged, unchecked
from tests.attacks.hist_models import first_node, hist, hist_of_categories
from tests.attacks.tree_models import CLASSES, CRAFTED, NUMBERS, X

# These end by a signal, each time, when they are asked to predict. Others read or write a little behind an
# array and may get away with it, or never come back.
CRASHES = (
    "boosting_with_a_tree_of_other_features",
    "boosting_with_no_tree",
    "hist_bitset_behind_the_last",
    "hist_feature_behind_the_last",
    "hist_left_outside",
    "hist_negative_feature",
    "tree_with_another_number_of_features",
    "tree_without_n_features_in",
)

_PREDICT = """
import pickle, sys
model, X = pickle.load(sys.stdin.buffer)
model.predict(X)
"""


@pytest.mark.parametrize("name", sorted(CRAFTED))
def test_a_crafted_model_is_refused(name: str) -> None:
    model, where = CRAFTED[name]()
    data = unchecked(model)
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=where):
        skopsafe.loads(data)


@pytest.mark.parametrize("name", sorted(CRASHES))
def test_scikit_learn_alone_crashes(name: str) -> None:
    model, _ = CRAFTED[name]()
    done = subprocess.run(
        [sys.executable, "-c", _PREDICT],
        input=pickle.dumps((model, X)),
        capture_output=True,
        check=False,
    )
    assert done.returncode < 0, done.stderr.decode()


@pytest.mark.parametrize("classes", [True, False])
def test_another_start_of_boosting_needs_approval(classes: bool) -> None:
    if classes:
        model = GradientBoostingClassifier(n_estimators=2, init=LogisticRegression()).fit(X, CLASSES)
    else:
        model = GradientBoostingRegressor(n_estimators=2, init=Ridge()).fit(X, NUMBERS)
    name = f"sklearn.ensemble._gb.{type(model).__name__}:init_"
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == [name]
    loaded = skopsafe.loads(data, trusted=[name])
    assert np.array_equal(loaded.predict(X), model.predict(X))


def test_a_start_that_suits_the_other_kind_of_boosting_needs_approval() -> None:
    model = GradientBoostingRegressor(n_estimators=2).fit(X, NUMBERS)
    model.init_ = DummyClassifier().fit(X, CLASSES)
    assert skopsafe.audit(model).untrusted == ["sklearn.ensemble._gb.GradientBoostingRegressor:init_"]


def test_a_predictor_is_checked_without_an_estimator_around_it() -> None:
    predictor = first_node("left", 0)._predictors[0][0]
    with pytest.raises(skopsafe.ValidationError, match="TreePredictor"):
        skopsafe.loads(skopsafe.dumps([predictor]))


def test_a_predictor_of_a_file_has_arrays_and_nothing_else() -> None:
    name = "sklearn.ensemble._hist_gradient_boosting.predictor:TreePredictor"
    for value in (None, True, "x", -1, 10**6, 0.0, [0]):
        data = changed(hist()._predictors[0][0], lambda schema, value=value: put(schema, value))
        with pytest.raises((skopsafe.ValidationError, skopsafe.FormatError)):
            skopsafe.loads(data)
    predictor = hist()._predictors[0][0]
    predictor.predict = None
    with pytest.raises(skopsafe.UnsupportedTypeError, match="other attributes"):
        skopsafe.dumps(predictor)
    with pytest.raises(skopsafe.ValidationError, match="not rows of 8"):
        skopsafe.loads(forged(hist(), name, raw_left_cat_bitsets=lambda _: Leaf(np.zeros((0, 7), np.uint32))))


def test_many_trees_are_checked_at_once_as_one_by_one() -> None:
    predictors = [p for i in hist_of_categories()._predictors for p in i]
    tables = [p.nodes for p in predictors]
    sizes = np.array([len(table) for table in tables])
    rows = np.array([len(p.raw_left_cat_bitsets) for p in predictors])
    assert rows.any()
    nodes = np.concatenate(tables)
    check_nodes(nodes, rows, sizes)
    starts = np.cumsum(sizes) - sizes
    for field, value in (("left", 0), ("right", sizes[1]), ("right", 1), ("left", 2**32 - 1)):
        wrong = nodes.copy()
        wrong[field][starts[1]] = value
        with pytest.raises(skopsafe.ValidationError, match="TreePredictor"):
            check_nodes(wrong, rows, sizes)
    wrong = nodes.copy()
    split = np.flatnonzero((wrong["is_categorical"] != 0) & (wrong["is_leaf"] == 0))[-1]
    wrong["bitset_idx"][split] = rows[np.searchsorted(starts, split, "right") - 1]
    with pytest.raises(skopsafe.ValidationError, match="bitset"):
        check_nodes(wrong, rows, sizes)


def put(schema: dict[str, Any], value: Any) -> None:
    """Replace the number of the first array of the only predictor."""
    (run,) = (run for run in schema["runs"] if schema["shapes"][run[0]][1][:1] == ["nodes"])
    run[2][0] = {"ref": 0} if isinstance(value, list) else value


def chain(count: int) -> dict[str, Any]:
    """Return the state of a tree in which each inner node has a leaf and the next inner node."""
    nodes = np.zeros(count, NODE_DTYPE)
    inner = np.arange(0, count - 1, 2)
    nodes["left_child"] = nodes["right_child"] = -1
    nodes["left_child"][inner] = inner + 1
    nodes["right_child"][inner] = inner + 2
    nodes["feature"][inner] = 0
    return {
        "max_depth": len(inner),
        "node_count": count,
        "nodes": nodes,
        "values": np.zeros((count, 1, 1)),
    }


@pytest.mark.parametrize("count", [1, 3, 5, 200_001])
@pytest.mark.parametrize("error", [-1, 0, 1])
def test_the_depth_is_that_of_the_nodes(count: int, error: int) -> None:
    tree, state = Tree(1, np.ones(1, np.intp), 1), chain(count)
    tree.__setstate__({**state, "max_depth": max(state["max_depth"] + error, 0)})
    if tree.max_depth == state["max_depth"]:
        assert skopsafe.loads(skopsafe.dumps(tree)).max_depth == tree.max_depth
    else:
        with pytest.raises(skopsafe.ValidationError, match="depth"):
            skopsafe.loads(skopsafe.dumps(tree))
