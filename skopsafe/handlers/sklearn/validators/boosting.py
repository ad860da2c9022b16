"""Gradient boosting, and the dummy estimators that it starts from.

``predict_stages`` writes the value of tree ``[stage, k]`` to ``out[sample, k]``. The buffer `out` is what
``init_`` predicts, in as many columns as it likes; the trees are taken from ``estimators_`` by a cast that
lets None through, and read ``X`` without another look at its columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.handlers.checks import array, integer, require
from skopsafe.handlers.sklearn.validators.trees import features_of


def _check_boosting(obj: Any) -> None:
    from sklearn.tree import DecisionTreeRegressor
    from sklearn.tree._tree import Tree

    state = vars(obj)
    if "estimators_" not in state:
        return
    where = type(obj).__name__
    estimators = array(state["estimators_"], f"{where}.estimators_", kinds="O", ndim=2)
    if not estimators.size:
        return
    features = features_of(obj)
    for estimator in estimators.ravel().tolist():
        if not isinstance(estimator, DecisionTreeRegressor):
            require(False, "not a DecisionTreeRegressor", f"{where}.estimators_")
        tree = vars(estimator).get("tree_")
        if not isinstance(tree, Tree):
            require(False, "a tree is not fitted", f"{where}.estimators_")
        if tree.n_features != features:
            require(False, "a tree has other features than n_features_in_", f"{where}.estimators_")
    columns = estimators.shape[1]
    number = integer(state.get("n_trees_per_iteration_"), f"{where}.n_trees_per_iteration_", 1, 2**31)
    require(number == columns, "not that of estimators_", f"{where}.n_trees_per_iteration_")
    _check_init(state.get("init_"), state.get("_loss"), columns, where)


def _check_init(init: Any, loss: Any, columns: int, where: str) -> None:
    """Require as many columns of a dummy as there are trees; what else there is, was approved."""
    from sklearn._loss.link import BaseLink
    from sklearn._loss.loss import BaseLoss
    from sklearn.dummy import DummyClassifier, DummyRegressor

    if not isinstance(init, (DummyClassifier, DummyRegressor)):
        return
    require(isinstance(loss, BaseLoss), "not a loss", f"{where}._loss")
    require(isinstance(vars(loss).get("link"), BaseLink), "not a link", f"{where}._loss.link")
    state = vars(init)
    outputs = integer(state.get("n_outputs_"), f"{where}.init_.n_outputs_", 1, 1)
    found = outputs
    if isinstance(init, DummyClassifier) and loss.is_multiclass:
        found = integer(state.get("n_classes_"), f"{where}.init_.n_classes_", 1, 2**31)
    require(found == columns, f"predicts {found} columns for {columns} trees", f"{where}.init_")


def _check_dummy_classifier(obj: Any) -> None:
    state = vars(obj)
    where = type(obj).__name__
    if "n_outputs_" not in state:
        return
    outputs = integer(state["n_outputs_"], f"{where}.n_outputs_", 1, 2**31)
    counts, classes, priors = (state.get(name) for name in ("n_classes_", "classes_", "class_prior_"))
    if outputs == 1:
        counts, classes, priors = [counts], [classes], [priors]
    for name, found in (("n_classes_", counts), ("classes_", classes), ("class_prior_", priors)):
        fits = isinstance(found, (list, np.ndarray)) and len(found) == outputs
        require(fits, "not one for each output", f"{where}.{name}")
    for count, labels, prior in zip(counts, classes, priors, strict=True):
        number = integer(count, f"{where}.n_classes_", 0, 2**31)
        array(labels, f"{where}.classes_", shape=(number,))
        array(prior, f"{where}.class_prior_", kinds="f", shape=(number,))


def _check_dummy_regressor(obj: Any) -> None:
    state = vars(obj)
    where = type(obj).__name__
    if "n_outputs_" not in state:
        return
    outputs = integer(state["n_outputs_"], f"{where}.n_outputs_", 1, 2**31)
    constant = array(state.get("constant_"), f"{where}.constant_", kinds="biuf", ndim=2)
    fits = outputs == 1 or constant.shape == (1, outputs)
    require(fits, "not a row of n_outputs_ items", f"{where}.constant_")


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.ensemble._gb:BaseGradientBoosting": _check_boosting,
    "sklearn.dummy:DummyClassifier": _check_dummy_classifier,
    "sklearn.dummy:DummyRegressor": _check_dummy_regressor,
}
