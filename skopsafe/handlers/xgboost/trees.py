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
from skopsafe.handlers.xgboost.layout import Array
from skopsafe.handlers.xgboost.nodes import WHERE, Numbering, TreeReader

DEEPEST = 512
MOST_CATEGORIES = 2**24 - 1
MOST_BITS = 2**31
_DELETED = 2**31 - 1
_CATEGORIES = ("categories_nodes", "categories_segments", "categories_sizes", "categories")


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
    require((trees.ids == np.arange(len(trees.ids))).all(), "not the numbers of the trees", f"{WHERE}.id")
    sizes, numbers = trees.sizes, trees.params["num_nodes"]
    require((sizes > 0).all(), "a tree without nodes", f"{WHERE}.tree_param.num_nodes")
    require((numbers == sizes).all(), "not that of nodes", f"{WHERE}.tree_param.num_nodes")
    _check_vectors(trees, sizes, n_outputs)
    nodes = _Nodes(
        sizes, trees.numbering, *trees.nodes("left_children", "right_children", "parents", "split_indices")
    )
    toward, kinds = trees.nodes("default_left", "split_type").max(1)
    require(toward <= 1, "not flags", f"{WHERE}.default_left")
    require(kinds <= 1, "not flags", f"{WHERE}.split_type")
    _check_deleted(trees, nodes)
    _check_links(nodes)
    _check_right(trees, nodes)
    in_range(nodes.features, f"{WHERE}.split_indices", 0, 2**31)
    if nodes.features.max() >= n_features:
        in_range(nodes.features[~nodes.leaf], f"{WHERE}.split_indices", 0, n_features)
    any_sets = kinds == 1 or any(trees.counts[name].any() for name in _CATEGORIES)
    large = _check_categories(trees, nodes) if any_sets else []
    return (["deeper trees than usual"] if _is_deep(nodes) else []) + large


class _Nodes:
    """The nodes of all trees.

    Attributes
    ----------
    sizes, starts : ndarray of shape (n_trees,)
        The number of nodes of each tree, and the place of its root among all nodes.
    left, right, parents, features : ndarray of shape (n_nodes,)
        Columns of the trees; numbers of nodes are counted from the root.
    first, own : ndarray of shape (n_nodes,)
        The place of the root of each node, and its number.
    leaf, gone : ndarray of shape (n_nodes,)
        Which nodes have no children; which are deleted, or None.
    """

    def __init__(
        self, sizes: Array, numbering: Numbering, left: Array, right: Array, parents: Array, features: Array
    ) -> None:
        self.sizes, self.starts, self.first = sizes, numbering.starts, numbering.first
        self.own = numbering.own.astype(np.int32)
        self.left, self.right, self.parents, self.features = left, right, parents, features
        self.leaf = left == -1
        self.gone: Array | None = None


def _check_vectors(trees: TreeReader, sizes: Array, n_outputs: int) -> None:
    """Check the lengths of weights, which are vectors in some trees."""
    weights, vector = trees.counts["base_weights"], trees.params["size_leaf_vector"]
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


def _check_deleted(trees: TreeReader, nodes: _Nodes) -> None:
    """Find the deleted nodes, which only pruning leaves behind."""
    deleted = trees.params["num_deleted"]
    counted = np.zeros_like(deleted)
    if nodes.features.max() == _DELETED:
        gone = nodes.gone = (nodes.features == _DELETED) & (trees.nodes("default_left")[0] == 1)
        require(bool((nodes.leaf | ~gone).all()), "a deleted node has children", f"{WHERE}.left_children")
        require(not gone[nodes.starts].any(), "the root is deleted", f"{WHERE}.split_indices")
        counted = np.add.reduceat(gone, nodes.starts, dtype=np.int64)
    if not (counted == deleted).all():
        require(False, "not the number of deleted nodes", f"{WHERE}.tree_param.num_deleted")


def _check_links(nodes: _Nodes) -> None:
    """Check that each tree is one.

    A node that is not deleted, nor a root, is a child of its parent, which comes before it: so there is
    no way back, and each way comes from the root. No two nodes are the same child; when there are as many of
    them as children, each child is such a node.
    """
    left, parents, own, gone = nodes.left, nodes.parents, nodes.own, nodes.gone
    # Without signs, one comparison has both bounds.
    before = parents.view(np.uint32) < own.view(np.uint32)
    side = own - left.take(nodes.first + parents, mode="clip")
    child = side.view(np.uint32) <= 1
    roots = parents[nodes.starts]
    before[nodes.starts] = (roots == -1) | (roots == _DELETED)
    child[nodes.starts] = True
    children: Any = len(own) - len(nodes.sizes)
    if gone is not None:
        before[gone] = (parents[gone] >= 0) & (parents[gone] < np.repeat(nodes.sizes, nodes.sizes)[gone])
        child[gone] = True
        children -= np.count_nonzero(gone)
    require(before.all(), "not the parents of the children", f"{WHERE}.parents")
    require(child.all(), "not the node before its children", f"{WHERE}.left_children")
    counted = 2 * (len(own) - np.count_nonzero(nodes.leaf))
    require(counted == children, "a node has not exactly one parent", f"{WHERE}.left_children")


def _check_right(trees: TreeReader, nodes: _Nodes) -> None:
    """Check right children, and what leaves have there: a mark, or since 3.2 the number of their vector."""
    leaf, right = nodes.leaf, nodes.right
    # A mark is the same on both sides.
    beside = right == nodes.left + ~leaf
    if trees.form != 1 and beside.all():
        return
    require(bool((beside | leaf).all()), "not next to the left child", f"{WHERE}.right_children")
    which = right[leaf]
    in_range(which, f"{WHERE}.right_children", -1, 2**31)
    if trees.form != 1:
        limit = np.repeat(nodes.sizes, nodes.sizes)[leaf]
        require(bool((which < limit).all()), "outside the tree", f"{WHERE}.right_children")
        return
    targets = trees.params["size_leaf_vector"]
    lengths = trees.counts["leaf_weights"]
    require(bool((lengths % targets == 0).all()), "not vectors", f"{WHERE}.leaf_weights")
    fits = (which >= 0) & (which < np.repeat(lengths // targets, nodes.sizes)[leaf])
    require(bool(fits.all()), "a leaf has no vector", f"{WHERE}.right_children")


def _is_deep(nodes: _Nodes) -> bool:
    """Tell whether a tree has more than `DEEPEST` levels."""
    if nodes.sizes.max() <= 2 * DEEPEST:  # a level below the root has two nodes at least
        return False
    place = nodes.first + nodes.left
    level = nodes.starts
    for _ in range(DEEPEST):
        level = place[level[~nodes.leaf[level]]]
        if not level.size:
            return False
        level = np.concatenate([level, level + 1])
    return True


def _check_categories(trees: TreeReader, nodes: _Nodes) -> list[str]:
    """Check the sets of categories that splits send to the right."""
    numbers, begins, sizes, values = map(trees.joined, _CATEGORIES)
    counts, lengths = trees.counts["categories_nodes"], trees.counts["categories"]
    for name in ("categories_segments", "categories_sizes"):
        require(bool((trees.counts[name] == counts).all()), "not one for each node", f"{WHERE}.{name}")
    owner = np.repeat(np.arange(trees.count), counts)
    where = np.flatnonzero(trees.nodes("split_type")[0])
    same = len(where) == len(numbers) and bool((nodes.own[where] == numbers).all())
    require(
        same and bool((nodes.first[where] == nodes.starts[owner]).all()),
        "not the nodes of categories",
        f"{WHERE}.categories_nodes",
    )
    require(
        bool((sizes > 0).all() and (sizes <= len(values)).all()), "no categories", f"{WHERE}.categories_sizes"
    )
    total = np.bincount(owner, sizes, trees.count)
    require(bool((total == lengths).all()), "not the number of categories", f"{WHERE}.categories_sizes")
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
