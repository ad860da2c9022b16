"""Clusterings whose prediction is compiled.

The loops of k-means read as many columns of the centres as X has, and X is compared with `n_features_in_`
only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.graph.account import present
from skopsafe.handlers.checks import array, in_range, integer, require
from skopsafe.handlers.sklearn.validators.estimators import features, state

# Each thread allocates 256 distances to every centre, without looking whether it got them.
_MOST_CENTERS = 2**20
_STEPS_A_NODE = 32
"""To look at a node of a tree costs as much as making so many values."""


def _check_centers(obj: Any) -> None:
    have, where = state(obj), type(obj).__name__
    if "_n_threads" in have:
        from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

        threads = integer(have["_n_threads"], f"{where}._n_threads", 1, 2**62)
        # It is the number of the machine that fitted, and OpenMP starts any number of threads.
        obj._n_threads = min(threads, _openmp_effective_n_threads())
    if "cluster_centers_" not in have:
        return
    width = features(have, where)
    centers = array(have["cluster_centers_"], f"{where}.cluster_centers_", kinds="f", shape=(None, width))
    integer(len(centers), f"{where}.cluster_centers_", 1, _MOST_CENTERS)


def _check_bisections(obj: Any) -> None:
    from sklearn.cluster._bisect_k_means import _BisectingTree

    have, where = state(obj), f"{type(obj).__name__}._bisecting_tree"
    if "_bisecting_tree" not in have:
        return
    width = features(have, type(obj).__name__)
    seen: set[int] = set()
    account = present()
    todo = [have["_bisecting_tree"]]
    while todo:
        node = todo.pop()
        require(type(node) is _BisectingTree, "holds something that is not a node", where)
        # Prediction visits a node once for every way that leads to it.
        require(id(node) not in seen, "two nodes have the same child", where)
        seen.add(id(node))
        if not account.is_new("bisection", node):
            account.spend(_STEPS_A_NODE, where)
        inner = state(node)
        if inner.get("left") is None:
            continue
        for name in ("left", "right"):
            child = inner.get(name)
            require(type(child) is _BisectingTree, "is not a node", f"{where}.{name}")
            array(state(child).get("center"), f"{where}.{name}.center", kinds="f", shape=(width,))
            todo.append(child)


def _check_norms(obj: Any) -> None:
    have, where = state(obj), type(obj).__name__
    if "subcluster_centers_" not in have:
        return
    centers = array(have["subcluster_centers_"], f"{where}.subcluster_centers_", kinds="f", ndim=2)
    norms = have.get("_subcluster_norms")
    if norms is not None:
        array(norms, f"{where}._subcluster_norms", kinds="f", shape=(len(centers),))


def _check_linkage(obj: Any) -> None:
    have, where = state(obj), f"{type(obj).__name__}._single_linkage_tree_"
    linkage = have.get("_single_linkage_tree_")
    if linkage is None:
        return
    names = array(linkage, where, kinds="V", ndim=1).dtype.names or ()
    for name in ("left_node", "right_node"):
        require(name in names and linkage[name].dtype == np.intp, "malformed", f"{where}[{name!r}]")
        in_range(linkage[name], f"{where}[{name!r}]", 0, 2 * len(linkage) + 1)


def _check_agglomeration(obj: Any) -> None:
    """`transform` counts the features of each cluster in an array as long as the greatest label."""
    if "labels_" in vars(obj):
        where = f"{type(obj).__name__}.labels_"
        labels = array(vars(obj)["labels_"], where, kinds="iu", ndim=1)
        in_range(labels, where, 0, len(labels))


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.cluster._agglomerative:FeatureAgglomeration": _check_agglomeration,
    "sklearn.cluster._kmeans:_BaseKMeans": _check_centers,
    "sklearn.cluster._bisect_k_means:BisectingKMeans": _check_bisections,
    "sklearn.cluster._birch:Birch": _check_norms,
    "sklearn.cluster._hdbscan.hdbscan:HDBSCAN": _check_linkage,
}
