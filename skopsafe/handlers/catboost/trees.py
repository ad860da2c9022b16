"""The trees of a model: what compiled evaluation walks, gathers and adds without looking.

Source: ``catboost/libs/model/cpu/evaluator_impl.cpp`` (the walk, with and without SSE), ``model.cpp``
(``CalcBinFeatures``, ``CalcFirstLeafOffsets``, ``GetTree``, which recurses) and ``model_build_helper.cpp``
(what a builder makes), in CatBoost 1.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skopsafe.handlers.catboost.flat import Buffer, Column, Kind, holds, refuse
from skopsafe.handlers.checks import require

_DOUBLINGS = 6
DEEPEST = 2**_DOUBLINGS
"""CatBoost trains trees of depth 16 at most; code that explains them recurses."""

_UINT, _DOUBLE = np.dtype("<u4"), np.dtype("<f8")
_NO_LEAF = 2**32 - 1
_WHERE = "CatBoost.model.ModelTrees"
_TREES = Kind(
    "ApproxDimension:i TreeSplits:4 TreeSizes:4 TreeStartOffsets:4 CatFeatures:4 FloatFeatures:4"
    " OneHotFeatures:4 CtrFeatures:4 LeafValues:8 LeafWeights:8 NonSymmetricStepNodes:4"
    " NonSymmetricNodeIdToLeafId:4 TextFeatures:4 EstimatedFeatures:4 Scale:d Bias:d MultiBias:8"
    " RepackedBins:4 EmbeddingFeatures:4",
    Scale=1.0,
)


def read_trees(core: Buffer, place: int) -> dict[str, Any]:
    """Return the fields of the one table ``TModelTrees``, by name."""
    fields = dict(zip(_TREES.names, core.table(_TREES, place, _WHERE), strict=False))
    if fields["ApproxDimension"] < 1:
        refuse(f"{fields['ApproxDimension']} is no number of outputs", f"{_WHERE}.ApproxDimension")
    return fields


def check_trees(core: Buffer, fields: dict[str, Any], bins: Column) -> int:
    """Check all that ``TModelTrees`` says of the trees; return how many outputs they have.

    Parameters
    ----------
    core : Buffer
        Holds it.
    fields : dict
        Its fields.
    bins : ndarray
        What a split of each bin is as evaluation reads it.
    """
    where, dimension = _WHERE, fields["ApproxDimension"]
    sizes, starts = core.items(fields["TreeSizes"], _UINT), core.items(fields["TreeStartOffsets"], _UINT)
    splits, repacked = core.items(fields["TreeSplits"], _UINT), core.items(fields["RepackedBins"], _UINT)
    values, weights = fields["LeafValues"][1], fields["LeafWeights"][1]
    nodes, leaves = fields["NonSymmetricStepNodes"], fields["NonSymmetricNodeIdToLeafId"]
    total, walks = len(splits), nodes[1] > 0 or leaves[1] > 0
    fits = holds(sizes <= (total if walks else 30))
    require(fits, "a tree has a negative size, or is too deep", f"{where}.TreeSizes")
    require(len(starts) == len(sizes), "is not one for each tree", f"{where}.TreeStartOffsets")
    ends = starts + sizes
    begins = bytes(4 * min(1, len(ends))) + ends[:-1].tobytes()
    fits = holds(ends <= total) and starts.tobytes() == begins
    require(fits, "is not where the trees begin", f"{where}.TreeStartOffsets")
    require(total == (ends[-1] if len(ends) else 0), "is not as long as the trees are", f"{where}.TreeSplits")
    if walks:
        for (_, count), name in ((nodes, "NonSymmetricStepNodes"), (leaves, "NonSymmetricNodeIdToLeafId")):
            require(count == total, "is not as long as the splits", f"{where}.{name}")
        count = _check_nodes(core.items(nodes, _UINT), core.items(leaves, _UINT), starts, sizes, dimension)
        if not len(bins):  # then nothing is walked, and the first node of each tree is its leaf
            require((sizes == 1).all(), "splits where no feature does", f"{where}.NonSymmetricStepNodes")
    else:
        count = int((1 << sizes).sum())
    if values != count * dimension:
        refuse(f"{values} values of {count} leaves", f"{where}.LeafValues")
    if weights not in (0, count):
        refuse(f"{weights} weights of {count} leaves", f"{where}.LeafWeights")
    check_bias(core, fields)
    _check_splits(splits, repacked, bins, walks)
    return int(dimension)


def _check_splits(splits: Column, repacked: Column, bins: Column, walks: bool) -> None:
    """Check splits, and the same as evaluation reads them: the library makes these anew, and keeps them."""
    if not len(bins) and walks:
        bins = np.zeros(1, np.uint32)  # nothing is split, and what stands for it is zero
    try:
        expected = bins.take(splits)
    except IndexError:
        refuse("splits by a feature that is not there", f"{_WHERE}.TreeSplits")
    if len(repacked):
        require(
            repacked.tobytes() == expected.tobytes(), "is not what the splits say", f"{_WHERE}.RepackedBins"
        )


def _check_nodes(nodes: Column, leaves: Column, starts: Column, sizes: Column, dimension: int) -> int:
    """Check trees of nodes, and return how many leaves they have.

    A step goes to the node so many places further on, or stays: then the node has a leaf.
    """
    path = f"{_WHERE}.NonSymmetricStepNodes"
    require((sizes > 0).all(), "a tree has no node", path)
    here = np.arange(len(nodes))
    starts = starts.astype(np.int64)
    end = np.repeat(starts + sizes, sizes)
    parents = np.full(len(nodes), -1)
    steps = [(nodes & 0xFFFF).astype(np.int64), (nodes >> 16).astype(np.int64)]
    count = 0
    for step in steps:
        targets = here + step
        require((targets < end).all(), "a step leaves its tree", path)
        goes = np.flatnonzero(step)
        count += len(goes)
        parents[targets[goes]] = goes
    # As many steps as nodes that are no root, and each of those is reached: then none is reached twice.
    once = (parents[starts] == -1).all() and count + len(starts) == len(nodes)
    parents[starts] = starts
    require(once and (parents >= 0).all(), "a node has not exactly one parent", path)
    for _ in range(_DOUBLINGS):
        parents = parents[parents]
    require((parents == np.repeat(starts, sizes)).all(), f"a tree is deeper than {DEEPEST}", path)
    path = f"{_WHERE}.NonSymmetricNodeIdToLeafId"
    has_leaf = (steps[0] == 0) | (steps[1] == 0)
    require((leaves[~has_leaf] == _NO_LEAF).all(), "a node that has no leaf names one", path)
    found = leaves[has_leaf]
    if not np.array_equal(found, np.arange(len(found)) * dimension):
        _check_leaves(found, parents[has_leaf], dimension, path)
    return len(found)


def _check_leaves(found: Column, roots: Column, dimension: int, path: str) -> None:
    """Check leaves that do not stand in the order of their nodes."""
    order = np.argsort(found, kind="stable")
    expected = np.arange(len(found)) * dimension
    require(np.array_equal(found[order], expected), "is not one place for each leaf", path)
    require((np.diff(roots[order]) >= 0).all(), "the leaves of a tree do not stand together", path)


def check_bias(core: Buffer, fields: dict[str, Any]) -> None:
    """Check outputs, scale and bias; a missing bias is made, of as many numbers as there are outputs."""
    dimension, values = fields["ApproxDimension"], fields["LeafValues"][1]
    scale, bias = fields["Scale"], fields["Bias"]
    many = core.items(fields["MultiBias"], _DOUBLE).tolist()
    fits = dimension <= max(1, values) or dimension == len(many)
    require(fits, f"{dimension} outputs of {values} values", f"{_WHERE}.ApproxDimension")
    require(math.isfinite(scale) and math.isfinite(bias), "is not finite", f"{_WHERE}.Scale")
    require(all(map(math.isfinite, many)), "is not finite", f"{_WHERE}.MultiBias")
    fits = len(many) == dimension or not many
    require(fits, f"{len(many)} numbers of {dimension} outputs", f"{_WHERE}.MultiBias")
    require(many or dimension == 1 or bias == 0, "is one for many outputs", f"{_WHERE}.Bias")
