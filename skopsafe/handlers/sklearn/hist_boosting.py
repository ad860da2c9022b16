"""`TreePredictor`: one tree of histogram gradient boosting, walked by compiled code without looking.

The walk reads ``X[sample, feature_idx]`` and goes on to ``left`` or ``right`` until a node says that it is
a leaf; a categorical node reads row ``bitset_idx`` of a table of bitsets. Partial dependence pushes both
children on a stack with one place per node, so that no node may have two parents. How many features
there are, and which are categorical, is known to the estimator: its validator checks the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import require

Names = tuple[str, ...] | None

_FORM = ("nodes", "binned_left_cat_bitsets", "raw_left_cat_bitsets")
_NODES = "TreePredictor.nodes"


def _get(obj: Any) -> Parts:
    state = vars(obj)
    if state.keys() != set(_FORM):
        raise TypeError("a TreePredictor with other attributes than scikit-learn gives it")
    values = [state[name] for name in _FORM]
    for name, value in zip(_FORM, values, strict=True):
        if not isinstance(value, np.ndarray) or value.dtype.hasobject:
            raise TypeError(f"its {name} is not an array of numbers")
    return Parts(_FORM, [Leaf(np.asarray(value)) for value in values])


def check_nodes(nodes: NDArray[Any], rows: Any, sizes: NDArray[np.intp] | None = None) -> None:
    """Check the node table of one tree, or of many that stand one behind the other.

    Parameters
    ----------
    nodes : ndarray of shape (node_count,)
        Structured, of ``PREDICTOR_RECORD_DTYPE``.
    rows : int or ndarray of shape (n_trees,)
        How many bitsets each tree has.
    sizes : ndarray of shape (n_trees,), optional
        How many nodes each tree has, when there are many. Their indices start at 0 in each tree.
    """
    inner = (nodes["is_leaf"] == 0).nonzero()[0]
    count = len(inner)
    left, right = nodes["left"][inner], nodes["right"][inner]
    end: Any = len(nodes)
    tree: Any = None
    if sizes is not None:
        ends = np.cumsum(sizes)
        tree = np.repeat(np.arange(len(sizes)), sizes)[inner]
        left, right, end = left + (ends - sizes)[tree], right + (ends - sizes)[tree], ends[tree]
    for name, child in (("left", left), ("right", right)):
        if np.count_nonzero(child > inner) != count or np.count_nonzero(child < end) != count:
            require(False, "a child is not among the nodes behind its parent", f"{_NODES}[{name!r}]")
    has_parent = np.zeros(len(nodes), bool)
    has_parent[left] = True
    has_parent[right] = True
    require(np.count_nonzero(has_parent) == 2 * count, "a node has two parents", _NODES)
    if np.count_nonzero(nodes["is_categorical"]):
        categorical = nodes["is_categorical"][inner] != 0
        most = rows if tree is None else rows[tree][categorical]
        fits = (nodes["bitset_idx"][inner][categorical] < most).all()
        require(fits, "a categorical node has no bitset", f"{_NODES}['bitset_idx']")


def _load(names: Names, values: list[Any], context: Context) -> Any:
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    require(names == _FORM, "unknown form", "TreePredictor")
    nodes, binned, raw = map(context.array, values)
    fits = nodes.ndim == 1 and nodes.dtype == PREDICTOR_RECORD_DTYPE
    require(fits, "not one-dimensional, of the dtype that the installed scikit-learn has", _NODES)
    require(len(nodes) > 0, "there is no node", _NODES)
    for name, bitsets in (("binned_left_cat_bitsets", binned), ("raw_left_cat_bitsets", raw)):
        if bitsets.ndim != 2 or bitsets.shape[1] != 8 or bitsets.dtype != np.uint32:
            require(False, "not rows of 8 uint32", f"TreePredictor.{name}")
    check_nodes(nodes, min(len(binned), len(raw)))
    return TreePredictor(nodes, binned, raw)


HANDLERS = (Handler("sklearn.ensemble._hist_gradient_boosting.predictor:TreePredictor", _get, _load),)
