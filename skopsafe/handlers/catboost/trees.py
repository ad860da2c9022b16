"""The trees of a model: what compiled evaluation walks, gathers and adds without looking.

Source: ``catboost/libs/model/cpu/evaluator_impl.cpp`` (the walk, with and without SSE), ``model.cpp``
(``CalcBinFeatures``, ``CalcFirstLeafOffsets``, ``GetTree``, which recurses) and ``model_build_helper.cpp``
(what a builder makes), in CatBoost 1.2.
"""

from __future__ import annotations

import math

import numpy as np

from skopsafe.handlers.catboost.features import Features
from skopsafe.handlers.catboost.flat import Column, Table, refuse
from skopsafe.handlers.checks import in_range, require

_DOUBLINGS = 6
DEEPEST = 2**_DOUBLINGS
"""CatBoost trains trees of depth 16 at most; code that explains them recurses."""

_NO_LEAF = 2**32 - 1


def check_trees(trees: Table, features: Features) -> int:
    """Check all that ``TModelTrees`` says of the trees; return how many outputs they have.

    Parameters
    ----------
    trees : Table
        The one table.
    features : Features
        What the splits count through.
    """
    where = trees.where
    dimension = int(trees.number(0))
    sizes, starts = trees.items(2, "<i4", "TreeSizes"), trees.items(3, "<i4", "TreeStartOffsets")
    splits = trees.items(1, "<i4", "TreeSplits")
    values, weights = trees.vector(8, 8, "LeafValues")[1], trees.vector(9, 8, "LeafWeights")[1]
    nodes = trees.items(10, "<u4", "NonSymmetricStepNodes")
    leaves = trees.items(11, "<u4", "NonSymmetricNodeIdToLeafId")
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
    _check_bias(trees, dimension, values)
    _check_repacked(trees, splits, features)
    return dimension


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


def _check_bias(trees: Table, dimension: int, values: int) -> None:
    """Check scale and bias; a bias that is not there is made, of as many numbers as there are outputs."""
    where = trees.where
    scale, bias = trees.number(14, "d", 1.0), trees.number(15, "d")
    many = trees.items(16, "<f8", "MultiBias").tolist()
    require(math.isfinite(scale) and math.isfinite(bias), "is not finite", f"{where}.Scale")
    require(all(map(math.isfinite, many)), "is not finite", f"{where}.MultiBias")
    if many:
        fits = len(many) == dimension
        require(fits, f"{len(many)} numbers of {dimension} outputs", f"{where}.MultiBias")
    else:
        fits = dimension <= max(1, values)
        require(fits, f"{dimension} outputs of {values} values", f"{where}.ApproxDimension")
        require(dimension == 1 or bias == 0, "is one for many outputs", f"{where}.Bias")


def _check_repacked(trees: Table, splits: Column, features: Features) -> None:
    """Check the splits as evaluation reads them. The library makes them anew; they are kept all the same."""
    where = f"{trees.where}.RepackedBins"
    found = trees.items(17, "<u4", "RepackedBins")
    if not len(found):
        return
    require(len(found) == len(splits), "is not as long as the splits", where)
    if len(features.bins):
        require(np.array_equal(found, features.bins[splits]), "is not what the splits say", where)
    else:
        require(not found.any(), "splits by a feature that is not there", where)
