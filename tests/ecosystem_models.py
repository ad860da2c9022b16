"""Fitted models of imbalanced-learn, category_encoders and feature-engine: for files changed at random."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import category_encoders
import numpy as np
import pandas as pd
from feature_engine.discretisation import DecisionTreeDiscretiser, EqualFrequencyDiscretiser
from feature_engine.imputation import RandomSampleImputer
from feature_engine.pipeline import Pipeline
from feature_engine.preprocessing import MatchCategories, MatchVariables
from feature_engine.timeseries.forecasting import WindowFeatures
from imblearn.ensemble import BalancedRandomForestClassifier, EasyEnsembleClassifier
from imblearn.over_sampling import SMOTE, SMOTENC
from imblearn.pipeline import make_pipeline
from sklearn.neighbors import KNeighborsClassifier

_RANDOM = np.random.RandomState(0)
X = pd.DataFrame(_RANDOM.rand(40, 3), columns=["a", "b", "c"])
WORDS = X.assign(word=_RANDOM.choice(list("xyz"), 40), kind=pd.Categorical(_RANDOM.choice(["p", "q"], 40)))
Y = pd.Series((X["a"] > 0.6) * 1)

_METHODS = ("predict", "predict_proba", "transform", "inverse_transform", "get_feature_names_out")


def _model(model: Any, data: Any) -> Callable[[], tuple[Any, Any]]:
    def make() -> tuple[Any, Any]:
        if hasattr(model, "fit_resample") and not hasattr(model, "predict"):
            model.fit_resample(data, Y)
            return model, data
        return model.fit(data, Y), data

    return make


MODELS = {
    "balanced_forest": _model(BalancedRandomForestClassifier(3, max_depth=3, random_state=0), X.to_numpy()),
    "easy_ensemble": _model(EasyEnsembleClassifier(2, random_state=0), X.to_numpy()),
    "sampler": _model(make_pipeline(SMOTE(k_neighbors=2), KNeighborsClassifier()), X.to_numpy()),
    "smotenc": _model(SMOTENC([0], k_neighbors=2), np.column_stack([X["a"] > 0.5, X["b"], X["c"]])),
    "target": _model(category_encoders.TargetEncoder(), WORDS),
    "one_hot": _model(category_encoders.OneHotEncoder(), WORDS),
    "ordinal": _model(category_encoders.OrdinalEncoder(), WORDS),
    "base_n": _model(category_encoders.BaseNEncoder(base=3), WORDS),
    "hashing": _model(category_encoders.HashingEncoder(max_process=1), WORDS),
    "leave_one_out": _model(category_encoders.LeaveOneOutEncoder(), WORDS),
    "discretiser": _model(EqualFrequencyDiscretiser(q=3), X),
    "trees": _model(DecisionTreeDiscretiser(regression=False, scoring="accuracy", cv=2), X),
    "samples": _model(RandomSampleImputer(random_state=0), WORDS),
    "windows": _model(WindowFeatures(window=[2, 3], functions=["mean", "max"]), X),
    "match": _model(
        Pipeline([("a", MatchVariables(match_dtypes=True, verbose=False)), ("b", MatchCategories())]), WORDS
    ),
}


def outputs(model: Any, data: Any) -> None:
    """Call every method that gives something out."""
    for method in _METHODS:
        with contextlib.suppress(Exception):
            getattr(model, method)(*([data.copy()] if method != "get_feature_names_out" else []))
    with contextlib.suppress(Exception):
        model.inverse_transform(model.transform(data.copy()))
    with contextlib.suppress(Exception):
        gaps = data.copy()
        gaps.iloc[::3] = None
        model.transform(gaps)
    with contextlib.suppress(Exception):
        model.fit_resample(data.copy(), Y)
