"""Crafted quantile forests: refused at loading, because compiled code would follow them out of its memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("quantile_forest")

from quantile_forest import RandomForestQuantileRegressor
from quantile_forest._quantile_forest_fast import QuantileForest
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

import skopsafe
from skopsafe.testing.crafted import forged
from skopsafe.testing.mutants import run
from tests.attacks.crashes import Case, assert_most_kill
from tests.quantile_forest_models import MODELS, X, Y

FOREST = "quantile_forest._quantile_forest_fast:QuantileForest"
CASES: dict[str, Case] = {}


def fitted(**options: Any) -> Any:
    options = {"max_samples_leaf": 3, "max_depth": 4} | options
    return RandomForestQuantileRegressor(4, random_state=0, **options).fit(X, Y[:, 0])


def parts(model: Any) -> list[Any]:
    forest = model.forest_
    return [np.array(forest.y_train), np.array(forest.y_train_leaves), np.array(forest.y_bound_leaves)]


def case(match: str, crashes: bool = True) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def add(make: Callable[[], Any]) -> Callable[[], Any]:
        CASES[make.__name__] = Case(make, match, crashes)
        return make

    return add


def of_leaves(change: Callable[[Any], Any]) -> Any:
    model = fitted()
    targets, leaves, bounds = parts(model)
    model.forest_ = QuantileForest(targets, np.ascontiguousarray(change(leaves)), bounds)
    return model, "predict", (X,)


@case(r"QuantileForest\.y_train_leaves")
def a_sample_far_behind_the_last() -> Any:
    return of_leaves(lambda leaves: np.where(leaves > 0, 2**40, leaves))


@case(r"QuantileForest\.y_train_leaves")
def a_negative_sample() -> Any:
    return of_leaves(lambda leaves: np.where(leaves > 0, -(2**40), leaves))


@case(r"QuantileForest\.y_train_leaves", crashes=False)
def the_sample_behind_the_last() -> Any:
    return of_leaves(lambda leaves: np.where(leaves > 0, len(X) + 1, leaves))


@case(r"RandomForestQuantileRegressor\.estimators_")
def leaves_of_one_tree() -> Any:
    return of_leaves(lambda leaves: leaves[:1])


@case(r"RandomForestQuantileRegressor\.estimators_")
def leaves_of_one_node() -> Any:
    return of_leaves(lambda leaves: leaves[:, :1])


@case(r"QuantileForest\.y_train_leaves")
def leaves_of_one_output() -> Any:
    model = RandomForestQuantileRegressor(4, max_samples_leaf=3, random_state=0).fit(X, Y)
    targets, leaves, bounds = parts(model)
    model.forest_ = QuantileForest(np.repeat(targets, 50, axis=0), leaves, bounds)
    return model, "predict", (X,)


@case(r"RandomForestQuantileRegressor\.estimators_")
def trees_that_are_far_larger() -> Any:
    model = fitted(max_samples_leaf=1, max_depth=1)
    model.max_samples_leaf = 3
    points = np.random.RandomState(0).rand(20_000, 4)
    model.estimators_ = [DecisionTreeRegressor(max_features=1).fit(points, points[:, 0] * 1e6 % 7)] * 4
    return model, "predict", (points[:100],)


@case(r"RandomForestQuantileRegressor\.estimators_", crashes=False)
def other_estimators_with_leaves() -> Any:
    model = fitted()
    model.estimators_ = [RandomForestRegressor(2, random_state=0).fit(X, Y[:, 0])] * 4
    return model, "predict", (X,)


@case(r"QuantileForest\.y_train\W", crashes=False)
def targets_without_a_sample() -> Any:
    model = fitted()
    _, leaves, bounds = parts(model)
    model.forest_ = QuantileForest(np.empty((0, 0)), leaves, bounds)
    return model, "predict", (X,)


@case(r"QuantileForest\.y_train\W", crashes=False)
def targets_that_are_not_numbers() -> Any:
    """Sorting leaves its array over them."""
    model = fitted(max_samples_leaf=None, max_depth=1)
    targets, leaves, bounds = parts(model)
    targets[:, ::2] = np.nan
    model.forest_ = QuantileForest(targets, leaves, bounds)
    return model, "predict", (X, [0.5], "linear", False)


@case(r"RandomForestQuantileRegressor\.default_quantiles", crashes=False)
def a_quantile_that_is_not_a_number() -> Any:
    """It becomes an index, by a conversion that C leaves undefined."""
    return fitted(default_quantiles=[0.5, float("nan")]), "predict", (X, None, "linear", False)


@case(r"RandomForestQuantileRegressor\.default_quantiles", crashes=False)
def a_hundred_thousand_quantiles() -> Any:
    return fitted(default_quantiles=np.linspace(0, 1, 100_001).tolist()), "predict", (X,)


@case(r"RandomForestQuantileRegressor\.sorter_")
def an_order_that_leads_outside() -> Any:
    model = fitted()
    model.sorter_ = model.sorter_ + 2**40
    return model, "proximity_counts", (X,)


@case(r"RandomForestQuantileRegressor\.sorter_")
def an_order_that_is_too_short() -> Any:
    model = fitted()
    model.sorter_ = model.sorter_[:1].copy()
    return model, "proximity_counts", (X,)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_crafted_quantile_forest_is_refused(name: str) -> None:
    data = skopsafe.dumps(CASES[name].make()[0])
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=CASES[name].match):
        skopsafe.loads(data)


def test_what_is_refused_crashes_quantile_forest(tmp_path: Path) -> None:
    assert_most_kill(CASES, tmp_path)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("y_train", lambda old: old.astype(np.float32)),
        ("y_train", lambda old: old[0]),
        ("y_train", lambda old: old[:0]),
        ("y_train_leaves", lambda old: old.astype(np.int32)),
        ("y_train_leaves", lambda old: old[..., 0]),
        ("y_train_leaves", np.asfortranarray),
        ("y_train_leaves", lambda old: old[..., :0]),
        ("y_bound_leaves", lambda old: old.astype(np.int64)),
        ("y_bound_leaves", lambda old: np.ones(3)),
        ("sparse_pickle", lambda old: 1),
    ],
)
def test_a_store_of_another_form_is_refused(part: str, change: Any) -> None:
    with pytest.raises(skopsafe.SkopsafeError):
        skopsafe.loads(forged(fitted(), FOREST, **{part: change}))


@pytest.mark.parametrize("value", [0.5, [0.1, 0.9], "mean", None, [0, 1], 7, ["mean"], "text"])
def test_what_the_library_looks_at_itself_is_left_to_it(value: Any) -> None:
    loaded = skopsafe.loads(skopsafe.dumps(fitted().set_params(default_quantiles=value)))
    assert loaded.default_quantiles == value


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("forest_", DecisionTreeRegressor()),
        ("n_train_samples_", 10**12),
        ("max_samples", 10**12),
        ("max_samples", 1e12),
        ("max_samples", float("nan")),
        ("sample_weight_", np.full(60, 1e300)),
        ("n_jobs", 10**6),
    ],
)
def test_numbers_that_would_draw_without_end_are_refused(attribute: str, value: Any) -> None:
    model = fitted(max_samples=0.5)
    setattr(model, attribute, value)
    with pytest.raises(skopsafe.ValidationError, match="RandomForestQuantileRegressor"):
        skopsafe.loads(skopsafe.dumps(model))


@pytest.mark.parametrize("model", sorted(MODELS))
def test_no_mutant_of_a_quantile_forest_dies(model: str) -> None:
    tally = run("tests.quantile_forest_models", model, 20)
    assert not tally.bad
    assert tally.endings["loaded"]
    assert tally.endings["ValidationError"]
