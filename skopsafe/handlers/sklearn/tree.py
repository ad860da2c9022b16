"""`sklearn.tree._tree.Tree`: the node table that compiled prediction walks without looking.

The walk is ``node = left_child[node]`` or ``right_child[node]`` until ``left_child[node] == -1``, and
reads ``X[sample, feature[node]]`` on its way, so children and features must be in range and every step
must go forward.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import integer, require

Names = tuple[str, ...] | None

_FORM = ("n_features", "n_classes", "n_outputs", "max_depth", "nodes", "values")
_LIMIT = 2**31 - 1


def _get(obj: Any) -> Parts:
    state = obj.__getstate__()
    n_classes = obj.__reduce__()[1][1]
    nodes, values = Leaf(state["nodes"]), Leaf(state["values"])
    return Parts(_FORM, [obj.n_features, Leaf(n_classes), obj.n_outputs, state["max_depth"], nodes, values])


def _load(names: Names, values: list[Any], context: Context) -> Any:
    require(names == _FORM, "unknown form", "Tree")
    return _load_run(names or (), [[value] for value in values], context)[0]


def _load_run(names: tuple[str, ...], columns: list[list[Any]], context: Context) -> list[Any]:
    """Check the trees of a forest together, and then make them."""
    from sklearn.tree._tree import NODE_DTYPE, Tree

    require(names == _FORM, "unknown form", "Tree")
    n_features, n_outputs, depths = (
        np.array([integer(value, f"Tree.{name}", low, _LIMIT) for value in columns[place]], np.int64)
        for name, place, low in (("n_features", 0, 0), ("n_outputs", 2, 1), ("max_depth", 3, 0))
    )
    classes, nodes, values = (context.arrays(columns[place], copy=False) for place in (1, 4, 5))
    for outputs, count, table, value in zip(n_outputs.tolist(), classes, nodes, values, strict=True):
        _check_arrays(outputs, count, table, value, NODE_DTYPE)
    found = check_nodes(nodes, n_features, "Tree")
    require(bool((found == depths).all()), "is not the depth of the nodes", "Tree.max_depth")
    made = []
    for *sizes, table, value, depth in zip(
        columns[0], classes, columns[2], nodes, values, columns[3], strict=True
    ):
        # The arrays may be views of the file's buffers: the tree copies them.
        tree = Tree(*sizes)
        tree.__setstate__({"max_depth": depth, "node_count": len(table), "nodes": table, "values": value})
        made.append(tree)
    return made


def _check_arrays(outputs: int, n_classes: Any, nodes: Any, values: Any, dtype: np.dtype[Any]) -> None:
    require(n_classes.dtype == np.intp and n_classes.shape == (outputs,), "malformed", "Tree.n_classes")
    most = int(n_classes.max())
    require(n_classes.min() >= 1 and most <= _LIMIT, "is not a number of classes", "Tree.n_classes")
    require(nodes.ndim == 1 and len(nodes) > 0, "there is no node", "Tree.nodes")
    require(
        nodes.dtype == dtype and nodes.dtype.names == dtype.names,
        f"dtype {nodes.dtype} is not that of the installed scikit-learn",
        "Tree.nodes",
    )
    require(values.shape == (len(nodes), outputs, most), f"shape {values.shape}", "Tree.values")
    require(values.dtype == np.float64 and values.flags.c_contiguous, "not float64 in C order", "Tree.values")


def check_nodes(
    tables: list[np.ndarray[Any, Any]], n_features: np.ndarray[Any, Any], where: str
) -> np.ndarray[Any, Any]:
    """Check node tables and return the true depth of each.

    Parameters
    ----------
    tables : list of ndarray of shape (node_count,)
        Structured, with the fields of ``sklearn.tree._tree.NODE_DTYPE``; none is empty.
    n_features : ndarray of shape (n_trees,), int64
        Features that the samples of each tree have.
    where : str
        Where they stand, for the error.

    Returns
    -------
    ndarray of shape (n_trees,), int64
        Edges on the longest way from each root.
    """
    nodes = np.concatenate(tables) if len(tables) > 1 else tables[0]
    sizes = np.array([len(table) for table in tables])
    ends = np.cumsum(sizes)
    starts = ends - sizes
    tree = np.repeat(np.arange(len(tables)), sizes)
    left, right = nodes["left_child"], nodes["right_child"]
    leaf = left == -1
    require(np.array_equal(leaf, right == -1), "a node has one child only", f"{where}.nodes")
    inner = np.flatnonzero(~leaf)
    own, tree_of = inner - starts[tree[inner]], tree[inner]
    children = []
    for name, column in (("left_child", left), ("right_child", right)):
        child = column[inner]
        require(
            bool((child < sizes[tree_of]).all()), "a child is no node of its tree", f"{where}.nodes[{name!r}]"
        )
        require(
            bool((child > own).all()), "a child does not come after its parent", f"{where}.nodes[{name!r}]"
        )
        children.append(child + starts[tree_of])
    feature = nodes["feature"][inner]
    require(
        bool(((feature >= 0) & (feature < n_features[tree_of])).all()),
        "is not a feature",
        f"{where}.nodes['feature']",
    )
    require(bool((nodes["n_node_samples"] >= 0).all()), "is negative", f"{where}.nodes['n_node_samples']")
    parents = (
        np.bincount(np.concatenate(children), minlength=len(nodes)) if len(inner) else np.zeros(len(nodes))
    )
    parents[starts] += 1
    require(bool((parents == 1).all()), "a node has not exactly one parent", f"{where}.nodes")
    # Every parent comes before its children, so that the levels of all trees can be walked as whole arrays.
    place = np.zeros(len(nodes), np.intp)
    place[inner] = np.arange(len(inner))
    depth, level = np.zeros(len(tables), np.int64), starts
    while True:
        level = level[~leaf[level]]
        if not level.size:
            return depth
        depth[tree[level]] += 1
        level = np.concatenate([child[place[level]] for child in children])


HANDLERS = (Handler("sklearn.tree._tree:Tree", _get, _load, load_run=_load_run),)
