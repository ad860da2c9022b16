"""`sklearn.tree._tree.Tree`: the node table that compiled prediction walks without looking.

The walk is ``node = left_child[node]`` or ``right_child[node]`` until ``left_child[node] == -1``, and
reads ``X[sample, feature[node]]`` on its way, so children and features must be in range and every step
must go forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.graph.parts import Columns, Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import integer, require

Names = tuple[str, ...] | None

_FORM = ("n_features", "n_classes", "n_outputs", "max_depth", "nodes", "values")
_LIMIT = 2**31 - 1


def _get(obj: Any) -> Parts:
    return Parts(_FORM, [column[0] for column in _get_run([obj]).columns])


def _get_run(objs: list[Any]) -> Columns:
    states = [obj.__getstate__() for obj in objs]
    return Columns(
        _FORM,
        [
            [obj.n_features for obj in objs],
            [Leaf(obj.__reduce__()[1][1]) for obj in objs],
            [obj.n_outputs for obj in objs],
            [state["max_depth"] for state in states],
            [Leaf(state["nodes"]) for state in states],
            [Leaf(state["values"]) for state in states],
        ],
    )


def _load(names: Names, values: list[Any], context: Context) -> Any:
    return _load_run(names, [[value] for value in values], context)[0]


def _load_run(names: Names, columns: list[Sequence[Any]], context: Context) -> list[Any]:
    """Check the trees of a forest together, and then make them."""
    require(names == _FORM, "unknown form", "Tree")
    made: list[Any] = []
    # The trees copy what they get, so that the memory and the caches of one block serve the next.
    for flat, tables in context.joined(columns[4]):
        start, end = len(made), len(made) + len(tables)
        made += _load_block(flat, tables, [column[start:end] for column in columns], context)
    return made


def _load_block(
    flat: NDArray[Any], nodes: list[NDArray[Any]], columns: list[Sequence[Any]], context: Context
) -> list[Any]:
    """Make trees whose nodes lie side by side."""
    from sklearn.tree._tree import NODE_DTYPE, Tree

    if flat.dtype != NODE_DTYPE or flat.dtype.names != NODE_DTYPE.names:
        what = f"dtype {flat.dtype} is not that of the installed scikit-learn"
        require(False, what, "Tree.nodes")
    require(all(table.ndim == 1 and len(table) > 0 for table in nodes), "there is no node", "Tree.nodes")
    n_features, n_outputs, depths = (
        _integers(columns[place], f"Tree.{name}", low)
        for name, place, low in (("n_features", 0, 0), ("n_outputs", 2, 1), ("max_depth", 3, 0))
    )
    classes, values = (context.arrays(columns[place]) for place in (1, 5))
    _check_values(values, nodes, n_outputs, _check_classes(classes, n_outputs))
    found = check_nodes(flat, np.array(list(map(len, nodes)), np.intp), n_features, "Tree")
    require(np.array_equal(found, depths), "is not the depth of the nodes", "Tree.max_depth")
    made = []
    for features, counts, outputs, depth, table, value in zip(
        columns[0], classes, columns[2], columns[3], nodes, values, strict=True
    ):
        tree = Tree(features, counts, outputs)
        tree.__setstate__({"max_depth": depth, "node_count": len(table), "nodes": table, "values": value})
        made.append(tree)
    return made


def _integers(values: Sequence[Any], attribute: str, low: int) -> NDArray[np.int64]:
    if set(map(type, values)) != {int}:
        values = [integer(value, attribute, low, _LIMIT) for value in values]
    integer(min(values), attribute, low, _LIMIT)
    integer(max(values), attribute, low, _LIMIT)
    return np.array(values, np.int64)


def _check_classes(classes: list[NDArray[Any]], n_outputs: NDArray[np.int64]) -> list[int]:
    """Check the numbers of classes of each output; return the greatest of each tree."""
    fits = {array.dtype for array in classes} == {np.dtype(np.intp)}
    require(fits and all(array.ndim == 1 for array in classes), "malformed", "Tree.n_classes")
    require(list(map(len, classes)) == n_outputs.tolist(), "malformed", "Tree.n_classes")
    flat = np.concatenate(classes)
    smallest, largest = int(flat.min()), int(flat.max())
    fits = smallest >= 1 and largest <= _LIMIT
    require(fits, "is not a number of classes", "Tree.n_classes")
    return np.maximum.reduceat(flat, np.cumsum(n_outputs) - n_outputs).tolist()  # type: ignore[no-any-return]


def _check_values(
    values: list[NDArray[Any]], nodes: list[NDArray[Any]], n_outputs: NDArray[np.int64], most: list[int]
) -> None:
    expected = zip(map(len, nodes), n_outputs.tolist(), most, strict=True)
    for array, shape in zip(values, expected, strict=True):
        if array.shape != shape:
            require(False, f"shape {array.shape}", "Tree.values")
        if not array.flags.c_contiguous:
            require(False, "not in C order", "Tree.values")
    require({array.dtype for array in values} == {np.dtype(np.float64)}, "not float64", "Tree.values")


def check_nodes(
    nodes: NDArray[Any], sizes: NDArray[np.intp], n_features: NDArray[np.int64], where: str
) -> NDArray[np.int64]:
    """Check the node tables of trees that stand one behind the other, and return the true depth of each.

    Parameters
    ----------
    nodes : ndarray of shape (node_count,)
        Structured, with the fields of ``sklearn.tree._tree.NODE_DTYPE``.
    sizes : ndarray of shape (n_trees,)
        How many nodes each tree has; none is empty. Their indices start at 0 in each tree.
    n_features : ndarray of shape (n_trees,), int64
        Features that the samples of each tree have.
    where : str
        Where they stand, for the error.

    Returns
    -------
    ndarray of shape (n_trees,), int64
        Edges on the longest way from each root.
    """
    count, ends = len(nodes), np.cumsum(sizes)
    starts = ends - sizes
    inner = (nodes["left_child"] != -1).nonzero()[0]
    n_inner = len(inner)
    n_leaves = np.count_nonzero(nodes["right_child"] == -1)
    require(n_leaves == count - n_inner, "a node has one child only", f"{where}.nodes")
    tree = np.repeat(np.arange(len(sizes)), sizes).take(inner)
    start, end = starts.take(tree), ends.take(tree)
    parents = np.full(count, -1, np.intp)
    parents[starts] = starts
    for name in ("left_child", "right_child"):
        child = nodes[name].take(inner)
        child += start  # a sum that overflows is negative
        within = np.count_nonzero(child < end) == n_inner
        require(within, "a child is no node of its tree", f"{where}.nodes[{name!r}]")
        behind = np.count_nonzero(child > inner) == n_inner
        require(behind, "a child does not come after its parent", f"{where}.nodes[{name!r}]")
        parents[child] = inner
    # As many places for children as there are nodes below the roots: where each has a parent, none has two.
    fits = 2 * n_inner + len(sizes) == count and parents.min() >= 0
    require(fits, "a node has not exactly one parent", f"{where}.nodes")
    feature = nodes["feature"].take(inner)
    fits = feature.min(initial=0) >= 0 and np.count_nonzero(feature < n_features.take(tree)) == n_inner
    require(fits, "is not a feature", f"{where}.nodes['feature']")
    require(nodes["n_node_samples"].min() >= 0, "is negative", f"{where}.nodes['n_node_samples']")
    # Each turn doubles the way from a node to the ancestor that is known, up to the root, which is its own.
    edges = np.ones(count, np.int64)
    edges[starts] = 0
    while True:
        more = edges.take(parents, mode="clip")  # all are places: clipping is only faster than an error
        if not more.any():
            return np.maximum.reduceat(edges, starts)
        edges += more
        parents = parents.take(parents, mode="clip")


HANDLERS = (Handler("sklearn.tree._tree:Tree", _get, _load, load_run=_load_run, get_run=_get_run),)
