"""What scikit-learn 1.3 changed in trees: fields of their nodes, and what an isolation forest keeps."""

from __future__ import annotations

import numpy as np

from skopsafe.migrate.nodes import Array, NewArray, Node, is_stored, sequence

_TREE_FIELDS = (
    *("left_child", "right_child", "feature", "threshold", "impurity", "n_node_samples"),
    "weighted_n_node_samples",
)
_TREE_DTYPE = np.dtype(
    {
        "names": [*_TREE_FIELDS, "missing_go_to_left"],
        "formats": ["<i8", "<i8", "<i8", "<f8", "<f8", "<i8", "<f8", "u1"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)


def nodes_with_missing(node: Node) -> bool:
    """Nodes of trees say where missing values go; these trees knew none."""
    nodes = node.get("nodes")
    if not is_stored(nodes):
        return False
    node.attributes["nodes"] = NewArray(_widened, (nodes,))
    return True


def _widened(nodes: Array) -> Array:
    if nodes.dtype.names != _TREE_FIELDS or nodes.ndim != 1:
        raise ValueError("its nodes have other fields")
    out = np.zeros(nodes.shape, _TREE_DTYPE)
    for name in _TREE_FIELDS:
        out[name] = nodes[name]
    return out


def lengths_of_paths(node: Node) -> bool:
    """Keep for each tree how long its paths are, which was worked out with each prediction."""
    trees = node.node("estimators_", "builtins:list")
    if trees is None:
        return False
    found = [part.node("tree_", "sklearn.tree._tree:Tree") for part in trees.each() if isinstance(part, Node)]
    tables = [tree.get("nodes") for tree in found if tree is not None]
    if len(tables) != len(trees.items) or not all(map(is_stored, tables)):
        return False
    lengths = [Node("numpy:ndarray", {"array": NewArray(_average, (table,), keeps=True)}) for table in tables]
    depths = [Node("numpy:ndarray", {"array": NewArray(_depths, (table,), keeps=True)}) for table in tables]
    return node.add("_average_path_length_per_tree", sequence("tuple", lengths)) | node.add(
        "_decision_path_lengths", sequence("tuple", depths)
    )


def _average(nodes: Array) -> Array:
    """Return how long a path below each node would be on average, were its samples split further."""
    samples = nodes["n_node_samples"]
    out = np.where(samples == 2, 1.0, 0.0)
    many = samples > 2
    count = samples[many].astype(np.float64)
    out[many] = 2.0 * (np.log(count - 1.0) + np.euler_gamma) - 2.0 * (count - 1.0) / count
    return out


def _depths(nodes: Array) -> Array:
    """Return the depth of each node; that of the root is 1."""
    count = len(nodes)
    parents, places = np.zeros(count, np.int64), np.arange(count)
    for name in ("left_child", "right_child"):
        child = nodes[name].astype(np.int64)
        inner = np.flatnonzero(child != -1)
        if not ((child[inner] > inner) & (child[inner] < count)).all():
            raise ValueError("a child is no node behind its parent")
        parents[child[inner]] = inner
    depths = (places > 0).astype(np.int64)
    for _ in range(count.bit_length()):
        # Each turn doubles the way to the ancestor that is known, up to the root.
        depths += depths[parents]
        parents = parents[parents]
    return depths + 1
