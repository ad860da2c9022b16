"""Neighbour searches, and what rests on them.

Brute-force searches read ``X[i, :n]`` and ``_fit_X[j, :n]`` where n is the width of X: it is compared with
`n_features_in_` only. Graphs are CSR matrices whose indices go up to the number of samples that were
searched, in a shape made of `n_samples_fit_`. Votes write to ``scores[i, _y[j]]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.handlers.checks import array, in_range, integer, require
from skopsafe.handlers.sklearn.validators.estimators import features, is_csr, state

_METHODS = ("brute", "kd_tree", "ball_tree")


def _check_search(obj: Any) -> None:
    have, where = state(obj), type(obj).__name__
    if not {"_fit_method", "_fit_X", "_tree"} & have.keys():
        return  # not fitted: searches stop at the first of these that they ask for
    method = have.get("_fit_method")
    require(isinstance(method, str) and method in _METHODS, "unknown", f"{where}._fit_method")
    neighbors = have.get("n_neighbors")
    # Trees keep the neighbours of a sample in a row of this many items, and look at the first.
    require(
        neighbors is None or (isinstance(neighbors, (int, np.integer)) and neighbors >= 1),
        "not a positive integer",
        f"{where}.n_neighbors",
    )
    fitted: Any = have.get("_fit_X")
    if is_csr(fitted):
        require(fitted.data.dtype.kind in "biuf", f"dtype {fitted.dtype} is not allowed", f"{where}._fit_X")
    else:
        fitted = array(fitted, f"{where}._fit_X", kinds="biuf", ndim=2)
    count, width = fitted.shape
    require(count >= 1 and width >= 1, "is empty", f"{where}._fit_X")
    integer(have.get("n_samples_fit_"), f"{where}.n_samples_fit_", count, count)
    if "n_features_in_" not in have:
        # So it is after a fit on another search. scikit-learn would not look at the width of X then.
        obj.n_features_in_ = width
    require(features(have, where) == width, "is not the width of _fit_X", f"{where}.n_features_in_")
    if method != "brute":
        _check_tree(have.get("_tree"), (count, width), where)
    _check_metric(have, count, width, where)


def _check_tree(tree: Any, shape: tuple[int, int], where: str) -> None:
    from sklearn.neighbors import BallTree, KDTree

    require(type(tree) in (KDTree, BallTree), "is not a tree of scikit-learn", f"{where}._tree")
    require(np.asarray(tree.data).shape == shape, "holds other samples than _fit_X", f"{where}._tree")


def _check_metric(have: dict[str, Any], count: int, width: int, where: str) -> None:
    effective = have.get("effective_metric_")
    require(
        isinstance(effective, str) or callable(effective) or _is_metric(effective),
        "is not a metric",
        f"{where}.effective_metric_",
    )
    metric = have.get("metric")
    # The width of X is not looked at where metric is "precomputed".
    require(
        (isinstance(metric, str) and metric == "precomputed")
        == (isinstance(effective, str) and effective == "precomputed"),
        "does not fit effective_metric_",
        f"{where}.metric",
    )
    if effective == "precomputed":
        require(count == width, "a precomputed matrix is not square", f"{where}._fit_X")
    params = have.get("effective_metric_params_")
    require(isinstance(params, dict), "is not a dict", f"{where}.effective_metric_params_")
    if isinstance(effective, str) and params:
        check_parameters(params, count, width, f"{where}.effective_metric_params_")


def _is_metric(value: object) -> bool:
    from sklearn.metrics import DistanceMetric

    return isinstance(value, DistanceMetric)


def check_parameters(params: dict[Any, Any], count: int, width: int, where: str) -> None:
    """Check the parameters of a named metric whose sizes nobody looks at.

    Parameters
    ----------
    params : dict
        Keyword arguments of the metric.
    count, width : int
        Samples and features that are searched.
    where : str
        Where they stand, for the error.
    """
    if params.get("VI") is not None:
        inverse = np.asarray(params["VI"])
        require(
            inverse.dtype.kind in "biuf" and inverse.shape == (width, width),
            "is no matrix over the features",
            f"{where}['VI']",
        )
    require("X_norm_squared" not in params, "cannot be known before X is", f"{where}['X_norm_squared']")
    if params.get("Y_norm_squared") is not None:
        array(params["Y_norm_squared"], f"{where}['Y_norm_squared']", kinds="f", shape=(count,))


def _check_votes(obj: Any) -> None:
    have, where = state(obj), type(obj).__name__
    if "_fit_method" not in have or have.get("outputs_2d_"):
        return  # several outputs are counted by numpy
    labels = array(have.get("_y"), f"{where}._y", kinds="i", shape=(have.get("n_samples_fit_"),))
    in_range(labels, f"{where}._y", 0, len(have.get("classes_", ())))


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.neighbors._base:NeighborsBase": _check_search,
    "sklearn.neighbors._classification:KNeighborsClassifier": _check_votes,
    "sklearn.neighbors._classification:RadiusNeighborsClassifier": _check_votes,
}
