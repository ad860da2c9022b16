"""quantile-forest: the samples of leaves that its compiled prediction follows without looking.

``quantile_forest/_quantile_forest_fast.pyx`` is compiled without checks of bounds. For the leaf of each tree
it takes ``y_train_leaves[tree, leaf, output]`` as one run of memory, and reads ``y_train[output][item - 1]``
for every item that is not 0. So runs must be contiguous and items at most the number of samples, there must
be runs for every tree, node and output, and no target may be NaN: ``std::sort`` leaves its array over one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import array, in_range, integer, require
from skopsafe.handlers.library import Check, Library

Names = tuple[str, ...] | None

FORM = ("y_train", "y_train_leaves", "y_bound_leaves", "sparse_pickle")
# They are sorted by recursion, which a crafted order makes as deep as there are quantiles.
_MOST_QUANTILES = 10_000
# What an out-of-bag prediction draws again; a forest was fitted with as many rows for each of its trees.
_MOST_DRAWS = 2**26


def parts_of(targets: Any, leaves: Any, bounds: Any, sparse_pickle: Any) -> Parts:
    """Return the parts of a forest, of its arrays."""
    arrays = np.array(targets, np.float64), np.ascontiguousarray(leaves), np.ascontiguousarray(bounds)
    return Parts(FORM, [*map(Leaf, arrays), bool(sparse_pickle)])


def _get(obj: Any) -> Parts:
    return parts_of(obj.y_train, obj.y_train_leaves, obj.y_bound_leaves, obj.sparse_pickle)


def _load(names: Names, values: list[Any], context: Context) -> Any:
    require(names == FORM, "unknown form", "QuantileForest")
    # Its memory views want arrays that can be written to, which maps cannot.
    targets, leaves, bounds = (np.require(part, requirements="W") for part in context.arrays(values[:3]))
    where = f"QuantileForest.{FORM[0]}"
    array(targets, where, kinds="f", ndim=2)
    require(targets.dtype == np.float64 and targets.size > 0, "no float64 targets", where)
    require(not np.isnan(targets).any(), "holds NaN", where)
    where = f"QuantileForest.{FORM[1]}"
    array(leaves, where, kinds="i", shape=(None, None, len(targets), None))
    require(leaves.dtype == np.intp and leaves.size > 0, "no indices", where)
    require(leaves.flags.c_contiguous, "not in C order", where)
    in_range(leaves, where, 0, targets.shape[1] + 1)
    where = f"QuantileForest.{FORM[2]}"
    require(array(bounds, where, kinds="f", ndim=3).dtype == np.float64, "not float64", where)
    require(type(values[3]) is bool, "not a bool", "QuantileForest.sparse_pickle")
    return context.resolve()(targets, leaves, bounds, values[3])


def _check_quantiles(value: Any, where: str) -> None:
    """Refuse NaN, which passes the library's own test of quantiles and becomes an index."""
    several = value if isinstance(value, list) else [value]
    require(len(several) <= _MOST_QUANTILES, f"more than {_MOST_QUANTILES}", where)
    for item in several:
        require(not isinstance(item, float) or item == item, "holds NaN", where)  # noqa: PLR0124


def _check_draws(state: dict[str, Any], samples: int, name: str) -> None:
    """Bound what prediction out of the bag draws: ``max_samples``, of the samples or of their weights."""
    most, weights = state.get("max_samples"), state.get("sample_weight_")
    where = f"{name}.max_samples"
    if isinstance(most, (int, np.integer)):
        integer(most, where, -(2**31), max(_MOST_DRAWS, samples))
    elif most is not None:
        require(isinstance(most, (float, np.floating)), "not a number", where)
        total = float(samples)
        if weights is not None:
            weights = np.asarray(weights)
            require(weights.dtype.kind in "biuf", "not numbers", f"{name}.sample_weight_")
            total = float(weights.sum())
        require(abs(most * total) <= max(_MOST_DRAWS, samples), "too many", where)


def _check_forest(obj: Any) -> None:
    from quantile_forest._quantile_forest_fast import QuantileForest
    from sklearn.tree._classes import BaseDecisionTree

    state, name = vars(obj), type(obj).__name__
    _check_quantiles(state.get("default_quantiles"), f"{name}.default_quantiles")
    if "forest_" not in state:
        return
    forest, trees = state["forest_"], state.get("estimators_")
    require(type(forest) is QuantileForest, "not a QuantileForest", f"{name}.forest_")
    leaves = np.asarray(forest.y_train_leaves)
    samples = len(forest.y_train[0])
    where = f"{name}.estimators_"
    require(type(trees) is list and 0 < len(trees) <= len(leaves), "not one for each tree's leaves", where)
    for tree in trees or ():
        require(isinstance(tree, BaseDecisionTree) and hasattr(tree, "tree_"), "not a fitted tree", where)
        require(tree.tree_.node_count <= leaves.shape[1], "a tree has more nodes than leaves", where)
    integer(state.get("n_train_samples_"), f"{name}.n_train_samples_", samples, samples)
    where = f"{name}.sorter_"
    sorter = state.get("sorter_")
    if sorter is not None:
        array(sorter, where, kinds="i", shape=(samples, leaves.shape[2]))
        in_range(sorter, where, 0, samples)
    _check_draws(state, samples, name)


CHECKS: dict[str, Check] = {"quantile_forest._quantile_forest:BaseForestQuantileRegressor": _check_forest}

LIBRARY = Library((Handler("quantile_forest._quantile_forest_fast:QuantileForest", _get, _load),), CHECKS)
