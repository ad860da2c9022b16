"""Fitted quantile forests, and all that they give out: for files changed at random."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from quantile_forest import ExtraTreesQuantileRegressor, RandomForestQuantileRegressor

_RANDOM = np.random.RandomState(0)
X = _RANDOM.rand(60, 4)
Y = np.column_stack([X[:, 0] + _RANDOM.rand(60), X[:, 1] * 3])


def _model(cls: Any, y: Any, sparse: bool = False, **options: Any) -> Callable[[], tuple[Any, Any]]:
    def make() -> tuple[Any, Any]:
        return cls(4, max_depth=4, random_state=0, **options).fit(X, y, sparse_pickle=sparse), X

    return make


MODELS = {
    "one_sample": _model(RandomForestQuantileRegressor, Y[:, 0]),
    "all_samples": _model(RandomForestQuantileRegressor, Y[:, 0], max_samples_leaf=None),
    "two_outputs": _model(RandomForestQuantileRegressor, Y, max_samples_leaf=3, default_quantiles=[0.2, 0.8]),
    "extra": _model(ExtraTreesQuantileRegressor, Y[:, 1], True, max_samples_leaf=5),
}


def outputs(model: Any, data: Any) -> None:
    """Call every method that predicts, in every way."""
    calls: list[Callable[[], Any]] = [
        lambda: model.predict(data),
        lambda: model.predict(data, "mean"),
        lambda: model.predict(data, oob_score=True),
        lambda: model.predict(data[:3], oob_score=True, indices=[0, 1, -1]),
        lambda: model.quantile_ranks(data, Y[:, 0]),
        lambda: model.quantile_ranks(data, Y),
        lambda: model.proximity_counts(data),
        lambda: model.proximity_counts(data, max_proximities=3),
        lambda: model.apply(data),
    ]
    calls += [
        lambda w=weighted, v=leaves, f=first: model.predict(data, None, "linear", w, v, f)
        for weighted, leaves, first in product((True, False), repeat=3)
    ]
    for call in calls:
        with contextlib.suppress(Exception):
            call()
