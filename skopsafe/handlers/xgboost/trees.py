"""What xgboost relies on in its trees without looking: the shape of each, and its categories.

Prediction goes from node to node by ``left + !decision`` (``src/predictor/predict_fn.h``), so that the right
child has to be the next one after the left; it looks up the value of a feature by `split_indices`, a set of
categories by `categories_nodes`, and a vector of a leaf by `right_children`. SHAP values, dumps and depths
are computed by recursion, as deep as the tree is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.handlers.checks import in_range, require
from skopsafe.handlers.xgboost.nodes import FORMS, WHERE, TreeReader

Array = np.ndarray[Any, np.dtype[Any]]

DEEPEST = 512
MOST_CATEGORIES = 2**24 - 1
MOST_BITS = 2**31
_DELETED = 2**31 - 1
_PER_NODE = (
    "default_left",
    "left_children",
    "loss_changes",
    "parents",
    "right_children",
    "split_conditions",
    "split_indices",
    "split_type",
    "sum_hessian",
)


def check(trees: TreeReader, n_features: int, n_outputs: int) -> list[str]:
    """Check all trees of a model at once.

    Parameters
    ----------
    trees : TreeReader
        Where they stand.
    n_features, n_outputs : int
        Those of the model.

    Returns
    -------
    list of str
        What is sound and still takes an uncommon amount of memory or stack.
    """
    if trees.count == 0:
        return []
    require(trees.ids == list(range(trees.count)), "not the numbers of the trees", f"{WHERE}.id")
    deleted, _, sizes, vector = trees.params.T
    require(bool((sizes > 0).all()), "a tree without nodes", f"{WHERE}.tree_param.num_nodes")
    for name in _PER_NODE:
        if name in FORMS[trees.form]:
            require(
                bool((trees.counts[name] == sizes).all()), "not one item for each node", f"{WHERE}.{name}"
            )
    _check_vectors(trees, sizes, vector, n_outputs)
    starts = np.cumsum(sizes) - sizes
    tree = np.repeat(np.arange(trees.count), sizes)
    left, right, parents, features = (
        trees.joined(name) for name in ("left_children", "right_children", "parents", "split_indices")
    )
    toward, kinds = trees.joined("default_left"), trees.joined("split_type")
    in_range(toward, f"{WHERE}.default_left", 0, 2)
    in_range(kinds, f"{WHERE}.split_type", 0, 2)
    gone = (features == _DELETED) & (toward == 1)
    leaf = left == -1
    require(bool((leaf | ~gone).all()), "a deleted node has children", f"{WHERE}.left_children")
    counted = np.bincount(tree, gone, trees.count)
    require(
        bool((counted == deleted).all()), "not the number of deleted nodes", f"{WHERE}.tree_param.num_deleted"
    )
    _check_leaves(trees, right, leaf, tree, sizes)
    deep = _check_links(left, right, parents, leaf, gone, starts, sizes, tree)
    in_range(features, f"{WHERE}.split_indices", 0, 2**31)
    in_range(features[~leaf], f"{WHERE}.split_indices", 0, n_features)
    large = _check_categories(trees, kinds, starts, tree)
    return (["deeper trees than usual"] if deep else []) + large


def _check_vectors(trees: TreeReader, sizes: Array, vector: Array, n_outputs: int) -> None:
    """Check the lengths of weights, which are vectors in some trees."""
    weights = trees.counts["base_weights"]
    if trees.form == 0:
        require(bool((vector <= 1).all()), "a leaf is no vector", f"{WHERE}.tree_param.size_leaf_vector")
        require(bool((weights == sizes).all()), "not one item for each node", f"{WHERE}.base_weights")
        return
    fits = n_outputs > 1 and bool((vector == n_outputs).all())
    require(fits, "not the number of outputs of the model", f"{WHERE}.tree_param.size_leaf_vector")
    fits = bool((weights % sizes == 0).all() and (weights >= sizes).all())
    if trees.form == 2:
        fits = bool((weights == sizes * n_outputs).all())
    require(fits, "not a vector for each node", f"{WHERE}.base_weights")


def _check_leaves(trees: TreeReader, right: Array, leaf: Array, tree: Array, sizes: Array) -> None:
    """Check what leaves have in place of a right child: a mark, or since 3.2 the number of their vector."""
    which = right[leaf]
    in_range(which, f"{WHERE}.right_children", -1, 2**31)
    if trees.form != 1:
        require(bool((which < sizes[tree[leaf]]).all()), "outside the tree", f"{WHERE}.right_children")
        return
    targets = trees.params[:, 3]
    lengths = trees.counts["leaf_weights"]
    require(bool((lengths % targets == 0).all()), "not vectors", f"{WHERE}.leaf_weights")
    fits = (which >= 0) & (which < (lengths // targets)[tree[leaf]])
    require(bool(fits.all()), "a leaf has no vector", f"{WHERE}.right_children")


def _check_links(
    left: Array,
    right: Array,
    parents: Array,
    leaf: Array,
    gone: Array,
    starts: Array,
    sizes: Array,
    tree: Array,
) -> bool:
    """Check that each tree is one, and tell whether one is deep."""
    inner = np.flatnonzero(~leaf)
    start, own = starts[tree[inner]], inner - starts[tree[inner]]
    first = left[inner].astype(np.int64)
    # Children come behind their parents: so there is no way back, and every way comes from the root.
    fits = (first > own) & (first + 1 < sizes[tree[inner]])
    require(bool(fits.all()), "not a later node of the tree", f"{WHERE}.left_children")
    require(bool((right[inner] == first + 1).all()), "not next to the left child", f"{WHERE}.right_children")
    children = np.concatenate([start + first, start + first + 1])
    times = np.bincount(children, minlength=len(left))
    expected = ~gone
    expected[starts] = False
    require(not gone[starts].any(), "the root is deleted", f"{WHERE}.split_indices")
    require(bool((times == expected).all()), "a node has not exactly one parent", f"{WHERE}.left_children")
    found = np.ones(len(left), bool)
    found[starts] = np.isin(parents[starts], (-1, _DELETED))
    found[children] = parents[children] == np.concatenate([own, own])
    found[gone] = (parents[gone] >= 0) & (parents[gone] < sizes[tree[gone]])
    require(bool(found.all()), "not the parents of the children", f"{WHERE}.parents")
    place = np.zeros(len(left), np.int64)
    place[inner] = start + first
    level = starts
    for _ in range(DEEPEST):
        level = place[level[~leaf[level]]]
        if not level.size:
            return False
        level = np.concatenate([level, level + 1])
    return True


def _check_categories(trees: TreeReader, kinds: Array, starts: Array, tree: Array) -> list[str]:
    """Check the sets of categories that splits send to the right."""
    nodes, begins, sizes, values = (
        trees.joined(name)
        for name in ("categories_nodes", "categories_segments", "categories_sizes", "categories")
    )
    counts, lengths = trees.counts["categories_nodes"], trees.counts["categories"]
    for name in ("categories_segments", "categories_sizes"):
        require(bool((trees.counts[name] == counts).all()), "not one for each node", f"{WHERE}.{name}")
    owner = np.repeat(np.arange(trees.count), counts)
    where = np.flatnonzero(kinds)
    same = len(where) == len(nodes) and bool((where - starts[tree[where]] == nodes).all())
    require(
        same and bool((tree[where] == owner).all()),
        "not the nodes of categories",
        f"{WHERE}.categories_nodes",
    )
    require(
        bool((sizes > 0).all() and (sizes <= len(values)).all()), "no categories", f"{WHERE}.categories_sizes"
    )
    total = np.bincount(owner, sizes, trees.count)
    require(bool((total == lengths).all()), "not the number of categories", f"{WHERE}.categories_sizes")
    if not len(nodes):
        return []
    ends = np.cumsum(sizes)
    first = (np.cumsum(lengths) - lengths)[owner]
    require(
        bool((begins == ends - sizes - first).all()), "not where they begin", f"{WHERE}.categories_segments"
    )
    in_range(values, f"{WHERE}.categories", 0, MOST_CATEGORIES)
    grows = values[1:] > values[:-1]
    grows[ends[:-1] - 1] = True
    require(bool(grows.all()), "not in ascending order", f"{WHERE}.categories")
    bits = int((values[ends - 1].astype(np.int64) + 32).sum())
    return ["sets of categories of many bytes"] if bits > MOST_BITS else []
