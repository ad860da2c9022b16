"""KD and ball trees: their queries follow indices of the state without looking.

`query_radius` writes each index of every reachable leaf into a buffer of ``n_samples`` items, so leaves
must partition the samples: an overlap would write behind the buffer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import array, in_range, integer, require

Names = tuple[str, ...] | None

_FORM = (
    "data",
    "idx_array",
    "node_data",
    "node_bounds",
    "leaf_size",
    "n_levels",
    "n_nodes",
    "n_trims",
    "n_leaves",
    "n_splits",
    "n_calls",
    "dist_metric",
    "sample_weight",
)
# KD trees measure boxes with the exponent of the metric alone.
_KD_METRICS = ("Euclidean", "Manhattan", "Chebyshev", "Minkowski")
_COUNTERS = ("n_trims", "n_leaves", "n_splits", "n_calls")


def _get(obj: Any) -> Parts:
    state = list(obj.__getstate__())
    for index, part in enumerate(state):
        # A mapped array stays the object that it is, which others may share.
        if isinstance(part, np.ndarray) and type(part) is not np.memmap:
            state[index] = np.asarray(part)
    # The counters say how often the tree was queried: they are not part of what it is.
    for name in _COUNTERS:
        state[_FORM.index(name)] = 0
    return Parts(_FORM, state)


def _load(names: Names, values: list[Any], context: Context) -> Any:
    cls = context.resolve()
    where = cls.__name__
    require(names == _FORM, "unknown form", where)
    state = dict(zip(_FORM, values, strict=True))
    real = np.float32 if where.endswith("32") else np.float64
    data = _exact(state["data"], real, f"{where}.data", ndim=2)
    count, features = data.shape
    require(count >= 1 and features >= 1, "is empty", f"{where}.data")
    index = _exact(state["idx_array"], np.intp, f"{where}.idx_array", ndim=1)
    require(index.shape == (count,), "has another length than data", f"{where}.idx_array")
    in_range(index, f"{where}.idx_array", 0, count)
    require(
        bool((np.bincount(index, minlength=count) == 1).all()), "is not a permutation", f"{where}.idx_array"
    )
    integer(state["leaf_size"], f"{where}.leaf_size", 1, 2**62)
    levels = integer(state["n_levels"], f"{where}.n_levels", 1, 62)
    nodes = integer(state["n_nodes"], f"{where}.n_nodes", 1, 2**62)
    require(nodes == 2**levels - 1, "does not fit n_levels", f"{where}.n_nodes")
    for name in _COUNTERS:
        integer(state[name], f"{where}.{name}", 0, 2**31 - 1)
    sides = 2 if "KD" in where else 1
    bounds = _exact(state["node_bounds"], real, f"{where}.node_bounds", ndim=3)
    require(bounds.shape == (sides, nodes, features), f"shape {bounds.shape}", f"{where}.node_bounds")
    table = array(state["node_data"], f"{where}.node_data", kinds="V", shape=(nodes,))
    expected = cls(np.zeros((2, 1), real)).__getstate__()[2].dtype
    require(table.dtype == expected, "has another dtype", f"{where}.node_data")
    _check_partition(table, count, where)
    _check_metric(state["dist_metric"], data, where)
    if state["sample_weight"] is not None:
        weights = _exact(state["sample_weight"], real, f"{where}.sample_weight", ndim=1)
        require(weights.shape == (count,), "has another length than data", f"{where}.sample_weight")
    if type(state["dist_metric"]).__name__.startswith("PyFuncDistance"):
        # The function is called with writable views of these arrays, even where they are mapped read-only.
        values = [np.array(part) if _is_read_only(part) else part for part in values]
    out = cls.__new__(cls)
    cls.__setstate__(out, tuple(values))
    return out


def _check_metric(metric: Any, data: np.ndarray[Any, Any], where: str) -> None:
    """Check that a tree of this kind can have the metric, and that its parameters fit the features."""
    name, width = type(metric).__name__, "32" if where.endswith("32") else "64"
    known = type(metric).__module__ == "sklearn.metrics._dist_metrics" and name.endswith(f"Distance{width}")
    require(known, "is not a distance metric of scikit-learn", f"{where}.dist_metric")
    kind = name.removesuffix(f"Distance{width}")
    require("KD" not in where or kind in _KD_METRICS, "is not for this tree", f"{where}.dist_metric")
    try:
        metric._validate_data(data)
    except ValueError as error:
        require(False, f"does not fit the data: {error}", f"{where}.dist_metric")


def _is_read_only(part: object) -> bool:
    return isinstance(part, np.ndarray) and not part.flags.writeable


def _exact(value: object, dtype: Any, where: str, ndim: int) -> np.ndarray[Any, Any]:
    found = array(value, where, ndim=ndim)
    require(found.dtype == dtype and found.flags.c_contiguous, f"not {np.dtype(dtype)} in C order", where)
    return found


def _check_partition(table: np.ndarray[Any, Any], count: int, where: str) -> None:
    """Check level by level that the ranges of two children are the halves of their parent's."""
    start, end, leaf = table["idx_start"], table["idx_end"], table["is_leaf"]
    require(start[0] == 0 and end[0] == count, "the root does not hold all samples", f"{where}.node_data")
    level = np.zeros(1, np.intp)
    while level.size:
        inner = level[leaf[level] == 0]
        left, right = 2 * inner + 1, 2 * inner + 2
        require(
            not inner.size or int(right.max()) < len(table),
            "an inner node has no children",
            f"{where}.node_data",
        )
        fits = (
            (start[left] == start[inner])
            & (end[left] == start[right])
            & (end[right] == end[inner])
            & (start[left] <= end[left])
            & (start[right] <= end[right])
        )
        require(bool(fits.all()), "the ranges of nodes do not partition the samples", f"{where}.node_data")
        level = np.concatenate([left, right])


HANDLERS = tuple(
    Handler(f"sklearn.neighbors._{module}:{name}{width}", _get, _load)
    for module, name in (("kd_tree", "KDTree"), ("ball_tree", "BallTree"))
    for width in ("", "32", "64")
)
