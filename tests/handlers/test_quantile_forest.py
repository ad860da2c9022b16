"""Quantile forests come back as they were, with nothing to approve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("quantile_forest")

from quantile_forest import ExtraTreesQuantileRegressor, RandomForestQuantileRegressor
from sklearn.datasets import make_regression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopsafe
from tests.handlers.coming_back import assert_alike, back
from tests.sklearn_models import same

X, Y = make_regression(90, 4, n_targets=2, noise=1.0, random_state=0)
CLASSES = (RandomForestQuantileRegressor, ExtraTreesQuantileRegressor)
OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "all_samples": {"max_samples_leaf": None},
    "three_samples": {"max_samples_leaf": 3},
    "share": {"max_samples_leaf": 0.1, "default_quantiles": [0.1, 0.5, 0.9]},
    "bootstrap": {"bootstrap": True, "max_samples": 0.5, "oob_score": True},
    "few": {"bootstrap": True, "max_samples": 20, "max_depth": 3},
    "mean": {"default_quantiles": "mean", "max_samples_leaf": 2},
    "monotonic": {"monotonic_cst": [1, 0, 0, -1]},
}


def assert_same_quantiles(original: Any, loaded: Any) -> None:
    y = Y[:, : original.n_outputs_] if original.n_outputs_ > 1 else Y[:, 0]
    for weighted in (True, False):
        for first in (True, False):
            options = {"weighted_quantile": weighted, "aggregate_leaves_first": first}
            expected = original.predict(X, [0.1, 0.5, 0.9], **options)
            assert same(expected, loaded.predict(X, [0.1, 0.5, 0.9], **options))
            assert not np.isnan(expected).all()
    assert same(original.quantile_ranks(X, y), loaded.quantile_ranks(X, y))
    if original.max_samples_leaf != 1 or original.n_outputs_ == 1:
        assert original.proximity_counts(X) == loaded.proximity_counts(X)
    if original.bootstrap:
        assert same(original.predict(X, oob_score=True), loaded.predict(X, oob_score=True))
    assert_alike(original, loaded, [("predict", X), ("apply", X), ("score", X, y)])


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("cls", CLASSES)
def test_a_forest_comes_back(cls: Any, option: str, outputs: int, sparse: bool) -> None:
    if outputs == 2 and option == "monotonic":
        pytest.skip("the library has no constraints for several outputs")
    model = cls(5, random_state=0, **OPTIONS[option])
    y = Y if outputs == 2 else Y[:, 0]
    model.fit(X, y, sparse_pickle=sparse)
    loaded = back(model)
    assert loaded.forest_.sparse_pickle == sparse
    assert_same_quantiles(model, loaded)


def test_weights_and_missing_values_come_back() -> None:
    weights = np.random.RandomState(0).randint(0, 3, len(X)).astype(float)
    model = RandomForestQuantileRegressor(4, max_samples_leaf=3, random_state=0)
    assert_same_quantiles(model.fit(X, Y[:, 0], sample_weight=weights), back(model))
    gaps = np.where(np.random.RandomState(1).rand(*X.shape) < 0.1, np.nan, X)
    try:
        model.fit(gaps, Y[:, 0])
    except ValueError:
        pytest.skip("this release takes no missing values")
    assert_alike(model, back(model), [("predict", gaps)])


@pytest.mark.parametrize("cls", CLASSES)
def test_an_unfitted_forest_comes_back(cls: Any) -> None:
    back(cls(7, default_quantiles=[0.25, 0.75], max_samples_leaf=None))


def test_a_search_over_a_pipeline_comes_back() -> None:
    pipeline = make_pipeline(StandardScaler(), RandomForestQuantileRegressor(3, random_state=0))
    search = GridSearchCV(pipeline, {"randomforestquantileregressor__max_samples_leaf": [1, 4]}, cv=2)
    search.fit(X, Y[:, 0])
    assert_alike(search, back(search), [("predict", X), ("score", X, Y[:, 0])])


def test_a_mapped_forest_predicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's views want arrays that can be written to, which maps are not: these are copied."""
    monkeypatch.setattr("skopsafe.archive.arrays.POOLED_BELOW", 1)
    model = RandomForestQuantileRegressor(4, max_samples_leaf=3, random_state=0).fit(X, Y[:, 0])
    skopsafe.dump(model, tmp_path / "model.skops")
    loaded = skopsafe.load(tmp_path / "model.skops", mmap_mode="r")
    assert np.array_equal(model.predict(X, [0.1, 0.9]), loaded.predict(X, [0.1, 0.9]))
    assert np.array_equal(model.quantile_ranks(X, Y[:, 0]), loaded.quantile_ranks(X, Y[:, 0]))
