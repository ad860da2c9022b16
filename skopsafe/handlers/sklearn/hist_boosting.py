"""`TreePredictor`: one tree of histogram gradient boosting, walked by compiled code without looking.

The walk reads ``X[sample, feature_idx]`` and goes on to ``left`` or ``right`` until a node says that it is
a leaf; a categorical node reads row ``bitset_idx`` of a table of bitsets. Partial dependence pushes both
children on a stack with one place per node, so that no node may have two parents. How many features
there are, and which are categorical, is known to the estimator: its validator checks the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def check_nodes(nodes: NDArray[Any], rows: NDArray[np.intp], sizes: NDArray[np.intp]) -> None:
    """Check the node tables of trees that stand one behind the other.

    Parameters
    ----------
    nodes : ndarray of shape (node_count,)
        Structured, of ``PREDICTOR_RECORD_DTYPE``.
    rows : ndarray of shape (n_trees,)
        How many bitsets each tree has.
    sizes : ndarray of shape (n_trees,)
        How many nodes each tree has. Their indices start at 0 in each tree.
    """
    inner = (nodes["is_leaf"] == 0).nonzero()[0]
    count = len(inner)
    ends = np.cumsum(sizes)
    tree = np.repeat(np.arange(len(sizes)), sizes)[inner]
    starts, end = (ends - sizes)[tree], ends[tree]
    left, right = nodes["left"][inner] + starts, nodes["right"][inner] + starts
    for name, child in (("left", left), ("right", right)):
        if np.count_nonzero(child > inner) != count or np.count_nonzero(child < end) != count:
            require(False, "a child is not among the nodes behind its parent", f"{_NODES}[{name!r}]")
    has_parent = np.zeros(len(nodes), bool)
    has_parent[left] = True
    has_parent[right] = True
    require(np.count_nonzero(has_parent) == 2 * count, "a node has two parents", _NODES)
    if np.count_nonzero(nodes["is_categorical"]):
        categorical = nodes["is_categorical"][inner] != 0
        fits = (nodes["bitset_idx"][inner][categorical] < rows[tree][categorical]).all()
        require(fits, "a categorical node has no bitset", f"{_NODES}['bitset_idx']")


def _load(names: Names, values: list[Any], context: Context) -> Any:
    return _load_run(names, [[value] for value in values], context)[0]


def _load_run(names: Names, columns: list[Sequence[Any]], context: Context) -> list[Any]:
    """Check the trees of an estimator together, and then make them."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    require(names == _FORM, "unknown form", "TreePredictor")
    binned, raw = map(context.arrays, columns[1:])
    for name, found in (("binned_left_cat_bitsets", binned), ("raw_left_cat_bitsets", raw)):
        fits = {bitsets.dtype for bitsets in found} == {np.dtype(np.uint32)} and all(
            bitsets.ndim == 2 and bitsets.shape[1] == 8 for bitsets in found
        )
        require(fits, "not rows of 8 uint32", f"TreePredictor.{name}")
    rows = np.array([min(len(one), len(other)) for one, other in zip(binned, raw, strict=True)])
    nodes: list[NDArray[Any]] = []
    for flat, tables in context.joined(columns[0]):
        fits = flat.dtype == PREDICTOR_RECORD_DTYPE and all(table.ndim == 1 for table in tables)
        require(fits, "not one-dimensional, of the dtype that the installed scikit-learn has", _NODES)
        sizes = np.array(list(map(len, tables)), np.intp)
        require(sizes.min() > 0, "there is no node", _NODES)
        check_nodes(flat, rows[len(nodes) : len(nodes) + len(tables)], sizes)
        nodes += tables
    return [TreePredictor(*arrays) for arrays in zip(nodes, binned, raw, strict=True)]


HANDLERS = (
    Handler(
        "sklearn.ensemble._hist_gradient_boosting.predictor:TreePredictor", _get, _load, load_run=_load_run
    ),
)
