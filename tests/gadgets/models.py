"""Models for the probe: every estimator of scikit-learn, pipelines, other libraries; each with X and y."""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from tests import sklearn_models

_FAMILIES = ("ecosystem", "quantile_forest", "pipeline", "xgboost", "lightgbm", "catboost")


def _estimator(name: str) -> tuple[Any, Any, Any]:
    model, X = sklearn_models.fitted(name)
    return model, X, sklearn_models.data(name, model)[1]


def _of_family(make: Callable[[], Any]) -> tuple[Any, Any, Any]:
    model, X, *_ = make()
    return model, X, np.arange(len(X)) % 2 if hasattr(X, "__len__") else None


MODELS: dict[str, Callable[[], tuple[Any, Any, Any]]] = {
    name: functools.partial(_estimator, name) for name in sklearn_models.NAMES
}
for _family in _FAMILIES:
    with contextlib.suppress(ImportError):
        _models = importlib.import_module(f"tests.{_family}_models").MODELS
        MODELS |= {f"{_family} {name}": functools.partial(_of_family, make) for name, make in _models.items()}
