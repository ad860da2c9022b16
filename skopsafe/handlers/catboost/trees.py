"""The trees of a model: what compiled evaluation walks, gathers and adds without looking.

Source: ``catboost/libs/model/cpu/evaluator_impl.cpp`` (the walk, with and without SSE), ``model.cpp``
(``CalcBinFeatures``, ``CalcFirstLeafOffsets``, ``GetTree``, which recurses) and ``model_build_helper.cpp``
(what a builder makes), in CatBoost 1.2.
"""

from __future__ import annotations

import math

import numpy as np

from skopsafe.handlers.catboost.features import Features, check_features
from skopsafe.handlers.catboost.flat import Buffer, Column, Kind, refuse
from skopsafe.handlers.checks import in_range, require

_DOUBLINGS = 6
DEEPEST = 2**_DOUBLINGS
"""CatBoost trains trees of depth 16 at most; code that explains them recurses."""

_NO_LEAF = 2**32 - 1
_WHERE = "CatBoost.model.ModelTrees"
_TREES = Kind(
    "ApproxDimension:i TreeSplits:4 TreeSizes:4 TreeStartOffsets:4 CatFeatures:4 FloatFeatures:4 OneHotFeatures:4"
    " CtrFeatures:4 LeafValues:8 LeafWeights:8 NonSymmetricStepNodes:4 NonSymmetricNodeIdToLeafId:4 TextFeatures:4"
    " EstimatedFeatures:4 Scale:d Bias:d MultiBias:8 RepackedBins:4 EmbeddingFeatures:4",
    Scale=1.0,
)


def check_trees(core: Buffer, place: int) -> tuple[int, int, Features]:
    """Check ``TModelTrees``; return how many trees there are, how many outputs they have, and their features.

    Parameters
    ----------
    core : Buffer
        Holds it.
    place : int
        Where it begins.
    """
    fields = dict(zip(_TREES.names, core.table(_TREES, place, _WHERE), strict=False))
    features = check_features(core, fields, _WHERE)
    where, dimension = _WHERE, fields["ApproxDimension"]
    sizes, starts = core.items(fields["TreeSizes"], "<i4"), core.items(fields["TreeStartOffsets"], "<i4")
    splits = core.items(fields["TreeSplits"], "<i4")
    values, weights = fields["LeafValues"][1], fields["LeafWeights"][1]
    nodes = core.items(fields["NonSymmetricStepNodes"], "<u4")
    leaves = core.items(fields["NonSymmetricNodeIdToLeafId"], "<u4")
    bins = len(features.bins)
    if dimension < 1:
        refuse(f"{dimension} is no number of outputs", f"{where}.ApproxDimension")
    require(not len(sizes) or sizes.min() >= 0, "a tree has a negative size", f"{where}.TreeSizes")
    ends = np.cumsum(sizes, dtype=np.int64)
    require(np.array_equal(starts, ends - sizes), "is not where the trees begin", f"{where}.TreeStartOffsets")
    total = int(ends[-1]) if len(ends) else 0
    require(len(splits) == total, "is not as long as the trees are", f"{where}.TreeSplits")
    if len(nodes) or len(leaves):
        for found, name in ((nodes, "NonSymmetricStepNodes"), (leaves, "NonSymmetricNodeIdToLeafId")):
            require(len(found) == total, "is not as long as the splits", f"{where}.{name}")
        count = _check_nodes(nodes, leaves, starts, sizes, dimension, where)
        if not bins:
            # Then nothing is walked, and the first node of each tree is its leaf.
            require(not splits.any(), "splits by a feature that is not there", f"{where}.TreeSplits")
            require((sizes == 1).all(), "splits where no feature does", f"{where}.NonSymmetricStepNodes")
    else:
        require(not len(sizes) or sizes.max() <= 30, "a tree is too deep", f"{where}.TreeSizes")
        count = int((1 << sizes.astype(np.int64)).sum())
    if bins or not len(nodes):
        in_range(splits, f"{where}.TreeSplits", 0, bins)
    if values != count * dimension:
        refuse(f"{values} values of {count} leaves", f"{where}.LeafValues")
    if weights not in (0, count):
        refuse(f"{weights} weights of {count} leaves", f"{where}.LeafWeights")
    bias = core.items(fields["MultiBias"], "<f8").tolist()
    _check_bias(fields["Scale"], fields["Bias"], bias, dimension, values)
    _check_repacked(core.items(fields["RepackedBins"], "<u4"), splits, features)
    return len(sizes), dimension, features


def _check_nodes(
    nodes: Column, leaves: Column, starts: Column, sizes: Column, dimension: int, where: str
) -> int:
    """Check trees of nodes, and return how many leaves they have.

    A step goes to the node so many places further on, or stays: then the node has a leaf.
    """
    path = f"{where}.NonSymmetricStepNodes"
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
    path = f"{where}.NonSymmetricNodeIdToLeafId"
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


def _check_bias(scale: float, bias: float, many: list[float], dimension: int, values: int) -> None:
    """Check scale and bias; a bias that is not there is made, of as many numbers as there are outputs."""
    if not all(map(math.isfinite, (scale, bias, *many))):
        refuse("is not finite", f"{_WHERE}.MultiBias")
    if many:
        fits = len(many) == dimension
        require(fits, f"{len(many)} numbers of {dimension} outputs", f"{_WHERE}.MultiBias")
    else:
        fits = dimension <= max(1, values)
        require(fits, f"{dimension} outputs of {values} values", f"{_WHERE}.ApproxDimension")
        require(dimension == 1 or bias == 0, "is one for many outputs", f"{_WHERE}.Bias")


def _check_repacked(found: Column, splits: Column, features: Features) -> None:
    """Check the splits as evaluation reads them. The library makes them anew; they are kept all the same."""
    where = f"{_WHERE}.RepackedBins"
    if not len(found):
        return
    require(len(found) == len(splits), "is not as long as the splits", where)
    if len(features.bins):
        require((found == features.bins[splits]).all(), "is not what the splits say", where)
    else:
        require(not found.any(), "splits by a feature that is not there", where)
