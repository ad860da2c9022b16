"""The trees of a model: what compiled evaluation walks, gathers and adds without looking.

Source: ``catboost/libs/model/cpu/evaluator_impl.cpp`` (the walk, with and without SSE), ``model.cpp``
(``CalcBinFeatures``, ``CalcFirstLeafOffsets``, ``GetTree``, which recurses) and ``model_build_helper.cpp``
(what a builder makes), in CatBoost 1.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.handlers.catboost.features import Features
from skopsafe.handlers.catboost.flat import Tables
from skopsafe.handlers.checks import in_range, require

DEEPEST = 64
"""CatBoost trains trees of depth 16 at most; code that explains them recurses."""

_NO_LEAF = 2**32 - 1
_NODES = np.dtype([("left", "<u2"), ("right", "<u2")])
_BINS = np.dtype([("feature", "<u2"), ("mask", "u1"), ("split", "u1")])


def check_trees(trees: Tables, features: Features) -> int:
    """Check all that ``TModelTrees`` says of the trees; return how many outputs they have.

    Parameters
    ----------
    trees : Tables
        The one table.
    features : Features
        What the splits count through.
    """
    where = trees.where
    dimension = int(trees.scalars(0, "<i4")[0])
    sizes = trees.vector(2, "<i4", "TreeSizes").astype(np.int64)
    splits = trees.vector(1, "<i4", "TreeSplits")
    starts = trees.vector(3, "<i4", "TreeStartOffsets")
    values, weights = trees.vector(8, "<f8", "LeafValues"), trees.vector(9, "<f8", "LeafWeights")
    nodes = trees.vectors(10, 4, "NonSymmetricStepNodes").items("<u4").view(_NODES)
    leaves = trees.vector(11, "<u4", "NonSymmetricNodeIdToLeafId")
    require(dimension >= 1, f"{dimension} is no number of outputs", f"{where}.ApproxDimension")
    require(not sizes.size or sizes.min() >= 0, "a tree has a negative size", f"{where}.TreeSizes")
    ends = np.cumsum(sizes)
    require(np.array_equal(starts, ends - sizes), "is not where the trees begin", f"{where}.TreeStartOffsets")
    require(len(splits) == int(sizes.sum()), "is not as long as the trees are", f"{where}.TreeSplits")
    if len(nodes) or len(leaves):
        require(len(nodes) == len(splits), "is not as long as the splits", f"{where}.NonSymmetricStepNodes")
        require(
            len(leaves) == len(splits), "is not as long as the splits", f"{where}.NonSymmetricNodeIdToLeafId"
        )
        count = _check_nodes(nodes, leaves.astype(np.int64), ends - sizes, sizes, dimension, where)
        if features.bins == 0:
            # Then nothing is walked, and the first node of each tree is its leaf.
            require(not splits.any(), "splits by a feature that is not there", f"{where}.TreeSplits")
            require(
                bool((sizes == 1).all()), "splits where no feature does", f"{where}.NonSymmetricStepNodes"
            )
    else:
        require(not sizes.size or sizes.max() <= 30, "a tree is too deep", f"{where}.TreeSizes")
        count = int((1 << sizes).sum())
    if features.bins or not len(nodes):
        in_range(splits, f"{where}.TreeSplits", 0, features.bins)
    require(
        len(values) == count * dimension, f"{len(values)} values of {count} leaves", f"{where}.LeafValues"
    )
    require(len(weights) in (0, count), f"{len(weights)} weights of {count} leaves", f"{where}.LeafWeights")
    _check_bias(trees, dimension, len(values))
    _check_repacked(trees, splits, features)
    return dimension


def _check_nodes(
    nodes: NDArray[Any],
    leaves: NDArray[np.int64],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    dimension: int,
    where: str,
) -> int:
    """Check trees of nodes, and return how many leaves they have.

    A step goes to the node so many places further on, or stays: then the node has a leaf.
    """
    path = f"{where}.NonSymmetricStepNodes"
    require(bool((sizes > 0).all()), "a tree has no node", path)
    tree = np.repeat(np.arange(len(sizes)), sizes)
    here, end = np.arange(len(nodes)), (starts + sizes)[tree]
    steps = [nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)]
    for step in steps:
        require(bool((here + step < end).all()), "a step leaves its tree", path)
    targets = np.concatenate([(here + step)[step > 0] for step in steps])
    parents = np.bincount(targets, minlength=len(nodes))
    parents[starts] += 1
    require(bool((parents == 1).all()), "a node has not exactly one parent", path)
    level = starts
    for _ in range(DEEPEST):
        level = np.concatenate([(level + step[level])[step[level] > 0] for step in steps])
        if not level.size:
            break
    require(not level.size, f"a tree is deeper than {DEEPEST}", path)
    path = f"{where}.NonSymmetricNodeIdToLeafId"
    has_leaf = (steps[0] == 0) | (steps[1] == 0)
    require(bool((leaves[~has_leaf] == _NO_LEAF).all()), "a node that has no leaf names one", path)
    found = leaves[has_leaf]
    order = np.argsort(found, kind="stable")
    expected = np.arange(len(found)) * dimension
    require(np.array_equal(found[order], expected), "is not one place for each leaf", path)
    require(
        not np.any(np.diff(tree[has_leaf][order]) < 0), "the leaves of a tree do not stand together", path
    )
    return len(found)


def _check_bias(trees: Tables, dimension: int, values: int) -> None:
    """Check scale and bias; a bias that is not there is made, of as many numbers as there are outputs."""
    bias = trees.vector(16, "<f8", "MultiBias")
    scalars = np.array([trees.scalars(14, "<f8", 1.0)[0], trees.scalars(15, "<f8")[0]])
    require(bool(np.isfinite(scalars).all()), "is not finite", f"{trees.where}.Scale")
    require(bool(np.isfinite(bias).all()), "is not finite", f"{trees.where}.MultiBias")
    if len(bias):
        require(
            len(bias) == dimension, f"{len(bias)} numbers of {dimension} outputs", f"{trees.where}.MultiBias"
        )
    else:
        fits = dimension <= max(1, values)
        require(fits, f"{dimension} outputs of {values} values", f"{trees.where}.ApproxDimension")
        require(dimension == 1 or scalars[1] == 0, "is one for many outputs", f"{trees.where}.Bias")


def _check_repacked(trees: Tables, splits: NDArray[Any], features: Features) -> None:
    """Check the splits as evaluation reads them. The library makes them anew; they are kept all the same."""
    where = f"{trees.where}.RepackedBins"
    found = trees.vectors(17, 4, "RepackedBins").items("<u4").view(_BINS)
    bucket, split, is_value = features.places(splits)
    require(not bucket.size or bucket.max() <= 0xFFFF, "more buckets than splits can name", where)
    if not len(found):
        return
    require(len(found) == len(splits), "is not as long as the splits", where)
    if features.bins == 0:
        require(not found.view("<u4").any(), "splits by a feature that is not there", where)
        return
    expected = np.zeros(len(found), _BINS)
    expected["feature"] = bucket
    expected["mask"] = np.where(is_value, ~split & 0xFF, 0)
    expected["split"] = np.where(is_value, 0xFF, split)
    require(np.array_equal(found, expected), "is not what the splits say", where)
