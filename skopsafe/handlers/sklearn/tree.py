"""`sklearn.tree._tree.Tree`: the node table that compiled prediction walks without looking.

The walk is ``node = left_child[node]`` or ``right_child[node]`` until ``left_child[node] == -1``, and
reads ``X[sample, feature[node]]`` on its way, so children and features must be in range and every step
must go forward.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import array, in_range, integer, require

Names = tuple[str, ...] | None

_FORM = ("n_features", "n_classes", "n_outputs", "max_depth", "nodes", "values")
_LIMIT = 2**31 - 1


def _get(obj: Any) -> Parts:
    state = obj.__getstate__()
    return Parts(
        _FORM,
        [
            obj.n_features,
            obj.__reduce__()[1][1],
            obj.n_outputs,
            state["max_depth"],
            state["nodes"],
            state["values"],
        ],
    )


def check_nodes(nodes: np.ndarray[Any, Any], n_features: int, where: str) -> int:
    """Check a node table and return its true depth.

    Parameters
    ----------
    nodes : ndarray of shape (node_count,)
        Structured, with the fields of ``sklearn.tree._tree.NODE_DTYPE``.
    n_features : int
        Features that samples have.
    where : str
        Where it stands, for the error.

    Returns
    -------
    int
        Edges on the longest way from the root.
    """
    left, right = nodes["left_child"], nodes["right_child"]
    count = len(nodes)
    index = np.arange(count)
    leaf = left == -1
    require(bool((leaf == (right == -1)).all()), "a node has one child only", f"{where}.nodes")
    inner = ~leaf
    for name, child in (("left_child", left), ("right_child", right)):
        inner_child = child[inner]
        in_range(inner_child, f"{where}.nodes[{name!r}]", 0, count)
        require(
            bool((inner_child > index[inner]).all()),
            "a child does not come after its parent",
            f"{where}.nodes",
        )
    in_range(nodes["feature"][inner], f"{where}.nodes['feature']", 0, n_features)
    parents = np.bincount(np.concatenate([left[inner], right[inner]]), minlength=count)
    require(bool((parents[1:] == 1).all()), "a node has not exactly one parent", f"{where}.nodes")
    # Every parent comes before its children, so that levels can be walked as whole arrays.
    depth, level = 0, np.zeros(1, np.intp)
    while True:
        level = level[inner[level]]
        if not level.size:
            return depth
        level = np.concatenate([left[level], right[level]])
        depth += 1


def _load(names: Names, values: list[Any], _: Context) -> Any:
    from sklearn.tree._tree import NODE_DTYPE, Tree

    require(names == _FORM, "unknown form", "Tree")
    n_features = integer(values[0], "Tree.n_features", 0, _LIMIT)
    n_outputs = integer(values[2], "Tree.n_outputs", 1, _LIMIT)
    n_classes = array(values[1], "Tree.n_classes", kinds="iu", shape=(n_outputs,))
    in_range(n_classes, "Tree.n_classes", 1, _LIMIT)
    depth = integer(values[3], "Tree.max_depth", 0, _LIMIT)
    nodes = array(values[4], "Tree.nodes", kinds="V", ndim=1)
    require(len(nodes) > 0, "there is no node", "Tree.nodes")
    require(
        nodes.dtype.names == NODE_DTYPE.names
        and nodes.dtype.itemsize == NODE_DTYPE.itemsize
        and nodes.dtype == NODE_DTYPE,
        f"dtype {nodes.dtype} is not that of the installed scikit-learn",
        "Tree.nodes",
    )
    shape = (len(nodes), n_outputs, int(n_classes.max()))
    value = array(values[5], "Tree.values", shape=shape)
    require(value.dtype == np.float64 and value.flags.c_contiguous, "not float64 in C order", "Tree.values")
    require(
        check_nodes(nodes, n_features, "Tree") == depth, "is not the depth of the nodes", "Tree.max_depth"
    )
    in_range(nodes["n_node_samples"], "Tree.nodes['n_node_samples']", 0, 2**62)
    out = Tree(n_features, n_classes.astype(np.intp), n_outputs)
    out.__setstate__({"max_depth": depth, "node_count": len(nodes), "nodes": nodes, "values": value})
    return out


HANDLERS = (Handler("sklearn.tree._tree:Tree", _get, _load),)
