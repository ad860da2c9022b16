"""Fitted models of trees whose attributes were changed: each is a live object that can be dumped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.tree._tree import Tree

_RANDOM = np.random.RandomState(0)
X = np.column_stack([_RANDOM.rand(80, 2), _RANDOM.randint(0, 5, (80, 2))])
CLASSES = _RANDOM.randint(0, 3, 80)
NUMBERS = X[:, 0] + X[:, 2] ** 2
BOTH = np.column_stack([CLASSES, CLASSES[::-1]])

Craft = Callable[[], tuple[Any, str]]
CRAFTED: dict[str, Craft] = {}


def craft(function: Craft) -> Craft:
    CRAFTED[function.__name__.strip("_")] = function
    return function


def tree() -> Any:
    return DecisionTreeRegressor(max_depth=3, random_state=0).fit(X, NUMBERS)


def far_tree(feature: int = 2**31 - 2) -> Any:
    """Return a tree that is right in itself and splits on a feature that few data have."""
    known = tree().tree_
    state = known.__getstate__()
    nodes = state["nodes"].copy()
    nodes["feature"][nodes["left_child"] >= 0] = feature
    out = Tree(feature + 1, np.ones(1, np.intp), 1)
    out.__setstate__({**state, "nodes": nodes})
    return out


@craft
def tree_with_another_number_of_features() -> tuple[Any, str]:
    model = tree()
    model.tree_ = far_tree()
    return model, r"DecisionTreeRegressor\.tree_"


@craft
def tree_without_n_features_in() -> tuple[Any, str]:
    model = tree()
    model.tree_ = far_tree()
    del model.n_features_in_
    return model, r"DecisionTreeRegressor\.n_features_in_"


@craft
def tree_whose_n_features_in_compares_to_nothing() -> tuple[Any, str]:
    model = tree()
    model.tree_ = far_tree()
    model.n_features_in_ = np.ma.masked
    return model, r"DecisionTreeRegressor\.n_features_in_"


@craft
def tree_that_is_an_estimator() -> tuple[Any, str]:
    model = tree()
    model.tree_ = tree()
    return model, r"DecisionTreeRegressor\.tree_"


@craft
def tree_with_more_outputs() -> tuple[Any, str]:
    model = tree()
    model.n_outputs_ = 2
    return model, r"DecisionTreeRegressor\.tree_"


@craft
def tree_with_more_classes() -> tuple[Any, str]:
    model = DecisionTreeClassifier().fit(X, CLASSES)
    model.n_classes_ = 2**30
    return model, r"DecisionTreeClassifier\.n_classes_"


@craft
def tree_whose_classes_are_no_array() -> tuple[Any, str]:
    model = DecisionTreeClassifier().fit(X, CLASSES)
    model.classes_ = range(3)
    return model, r"DecisionTreeClassifier\.classes_"


@craft
def tree_with_more_classes_in_one_output() -> tuple[Any, str]:
    model = DecisionTreeClassifier().fit(X, BOTH)
    model.n_classes_ = [3, 2**30]
    return model, r"DecisionTreeClassifier\.n_classes_"


@craft
def forest_with_more_classes() -> tuple[Any, str]:
    model = RandomForestClassifier(3).fit(X, CLASSES)
    model.n_classes_ = 2**30
    return model, r"RandomForestClassifier\.n_classes_"


@craft
def forest_with_more_outputs() -> tuple[Any, str]:
    model = RandomForestRegressor(3).fit(X, NUMBERS)
    model.n_outputs_ = 2**30
    return model, r"RandomForestRegressor\.n_outputs_"


@craft
def forest_with_too_many_jobs() -> tuple[Any, str]:
    model = RandomForestRegressor(3).fit(X, NUMBERS)
    model.n_jobs = model.n_estimators = 10**7
    return model, r"RandomForestRegressor\.n_jobs"


@craft
def forest_of_no_list() -> tuple[Any, str]:
    model = RandomForestRegressor(3).fit(X, NUMBERS)
    model.estimators_ = dict.fromkeys(range(3), model.estimators_[0])
    return model, r"RandomForestRegressor\.estimators_"


@craft
def bagging_with_too_many_jobs() -> tuple[Any, str]:
    model = BaggingClassifier(n_estimators=3).fit(X, CLASSES)
    model.n_jobs = model.n_estimators = 10**7
    return model, r"BaggingClassifier\.n_jobs"


@craft
def bagging_with_more_classes() -> tuple[Any, str]:
    model = BaggingClassifier(n_estimators=3).fit(X, CLASSES)
    model.n_classes_ = 2**30
    return model, r"BaggingClassifier\.classes_"


@craft
def isolation_forest_that_takes_each_row_alone() -> tuple[Any, str]:
    model = IsolationForest(n_estimators=3).fit(X)
    model._max_features = 2**60
    return model, r"IsolationForest\._max_features"


def boosting() -> Any:
    return GradientBoostingRegressor(n_estimators=3, max_depth=2).fit(X, NUMBERS)


def boosting_of_classes() -> Any:
    return GradientBoostingClassifier(n_estimators=3, max_depth=2).fit(X, CLASSES)


@craft
def boosting_with_no_tree() -> tuple[Any, str]:
    model = boosting()
    model.estimators_[1, 0].tree_ = None
    return model, r"DecisionTreeRegressor\.tree_"


@craft
def boosting_with_another_estimator_that_has_a_tree() -> tuple[Any, str]:
    model = boosting()
    model.estimators_[1, 0] = StandardScaler()
    model.estimators_[1, 0].tree_ = far_tree()
    return model, r"GradientBoostingRegressor\.estimators_"


@craft
def boosting_with_a_tree_of_other_features() -> tuple[Any, str]:
    model = boosting()
    model.estimators_[1, 0].tree_ = far_tree()
    model.estimators_[1, 0].n_features_in_ = 2**31 - 1
    return model, r"DecisionTreeRegressor\.n_features_in_"


@craft
def boosting_with_a_tree_of_more_features() -> tuple[Any, str]:
    model = boosting()
    model.estimators_[1, 0].tree_ = far_tree(2**22 - 1)
    model.estimators_[1, 0].n_features_in_ = 2**22
    return model, r"GradientBoostingRegressor\.estimators_"


@craft
def boosting_with_more_trees_than_columns() -> tuple[Any, str]:
    model = boosting()
    model.estimators_ = np.full((1, 5), model.estimators_[0, 0], object)
    model.n_trees_per_iteration_ = 5
    return model, r"GradientBoostingRegressor\.init_"


@craft
def boosting_from_zero_with_more_trees_than_columns() -> tuple[Any, str]:
    model = boosting()
    model.init_ = "zero"
    model.estimators_ = np.full((1, 5), model.estimators_[0, 0], object)
    return model, r"GradientBoostingRegressor\.n_trees_per_iteration_"


@craft
def boosting_of_flat_estimators() -> tuple[Any, str]:
    model = boosting()
    model.estimators_ = model.estimators_.ravel()
    return model, r"GradientBoostingRegressor\.estimators_"


@craft
def boosting_from_a_dummy_without_outputs() -> tuple[Any, str]:
    model = boosting()
    model.init_.n_outputs_ = 0
    model.init_.constant_ = np.zeros((1, 0))
    return model, r"DummyRegressor\.n_outputs_|init_\.n_outputs_"


@craft
def boosting_from_a_dummy_of_fewer_classes() -> tuple[Any, str]:
    model = boosting_of_classes()
    model.init_ = DummyClassifier(strategy="prior").fit(X, CLASSES > 0)
    return model, r"GradientBoostingClassifier\.init_"


@craft
def boosting_from_a_dummy_of_other_priors() -> tuple[Any, str]:
    model = boosting_of_classes()
    model.init_.class_prior_ = np.ones(1)
    return model, r"DummyClassifier\.class_prior_"


@craft
def boosting_whose_loss_has_one_column() -> tuple[Any, str]:
    model = boosting_of_classes()
    model._loss.is_multiclass = False
    return model, r"HalfMultinomialLoss\.is_multiclass"


@craft
def boosting_whose_link_is_another_object() -> tuple[Any, str]:
    model = boosting()
    model._loss.link = StandardScaler()
    return model, r"GradientBoostingRegressor\._loss\.link"


@craft
def boosting_whose_loss_is_another_object() -> tuple[Any, str]:
    model = boosting()
    model._loss = StandardScaler()
    return model, r"GradientBoostingRegressor\._loss"


@craft
def dummy_with_more_outputs() -> tuple[Any, str]:
    model = DummyRegressor().fit(X, NUMBERS)
    model.n_outputs_ = 2**30
    return model, r"DummyRegressor\.constant_"


@craft
def dummy_with_more_classes() -> tuple[Any, str]:
    model = DummyClassifier(strategy="uniform").fit(X, CLASSES)
    model.n_classes_ = 2**30
    return model, r"DummyClassifier\.classes_"
