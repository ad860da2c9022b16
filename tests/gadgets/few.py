"""A few small models for a quick probe: those whose texts could do most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

_X = pd.DataFrame(np.random.RandomState(0).rand(12, 3), columns=["a", "b", "c"])
_Y = np.arange(12) % 2
_TEXTS = ["one two three", "two three four", "a" * 60] * 4


def _texts() -> tuple[Any, Any, Any]:
    steps = [("words", CountVectorizer()), ("model", LogisticRegression())]
    return Pipeline(steps).fit(_TEXTS, _Y), _TEXTS, _Y


def _columns() -> tuple[Any, Any, Any]:
    steps = [("scale", StandardScaler(), ["a"]), ("code", OrdinalEncoder(), ["b"])]
    return ColumnTransformer(steps).fit(_X, _Y), _X, _Y


def _selected() -> tuple[Any, Any, Any]:
    return SelectFromModel(LogisticRegression(), importance_getter="coef_").fit(_X, _Y), _X, _Y


def _voting() -> tuple[Any, Any, Any]:
    return VotingClassifier([("a", LogisticRegression()), ("b", "drop")]).fit(_X, _Y), _X, _Y


MODELS: dict[str, Callable[[], tuple[Any, Any, Any]]] = {
    "texts": _texts,
    "columns": _columns,
    "selected": _selected,
    "voting": _voting,
}
