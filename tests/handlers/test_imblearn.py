"""Every estimator of imbalanced-learn comes back as it was, with nothing to approve."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("imblearn")

from imblearn import metrics
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline, make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from imblearn.utils.testing import all_estimators
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import skopsafe
from tests.handlers.coming_back import assert_alike, back, parameters

ESTIMATORS = dict(all_estimators())
SAMPLERS = sorted(name for name, cls in ESTIMATORS.items() if hasattr(cls, "_fit_resample"))
X, Y = make_classification(120, 5, weights=[0.75], n_informative=3, random_state=0)
CALLS = (
    ("predict", X),
    ("predict_proba", X),
    ("decision_function", X),
    ("transform", X),
    ("fit_resample", X, Y),
    ("get_feature_names_out",),
    ("pairwise", np.abs(X).astype(int)),
)


def twice(y: Any) -> dict[Any, int]:
    """Say how many samples each class should have: a user's function."""
    return {label: 2 * int((y == label).sum()) for label in np.unique(y)}


def as_it_is(X: Any, y: Any) -> Any:
    return X, y


def made(name: str) -> Any:
    if name == "Pipeline":
        steps = [("scale", StandardScaler()), ("smote", SMOTE(random_state=0)), ("lr", LogisticRegression())]
        return Pipeline(steps)
    estimator = ESTIMATORS[name](**({"categorical_features": [0]} if name == "SMOTENC" else {}))
    wanted = {"random_state": 0, "n_estimators": 3}
    return estimator.set_params(**{k: v for k, v in wanted.items() if k in estimator.get_params(deep=False)})


def data(name: str) -> tuple[Any, Any]:
    if name in ("SMOTEN", "ValueDifferenceMetric"):
        return np.abs(X).astype(int), Y
    return (np.column_stack([X[:, 0] > 0, X[:, 1:]]), Y) if name == "SMOTENC" else (X, Y)


def fitted(estimator: Any, features: Any, labels: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if hasattr(estimator, "fit_resample"):
            estimator.fit_resample(features, labels)
        else:
            estimator.fit(features, labels)
    return estimator


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_a_fitted_estimator_comes_back(name: str) -> None:
    estimator = fitted(made(name), *data(name))
    features, labels = data(name)
    calls = [call for call in CALLS if call[0] != "fit_resample"]
    assert_alike(estimator, back(estimator), [*calls, ("fit_resample", features, labels)])


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_an_unfitted_estimator_comes_back(name: str) -> None:
    back(made(name))


@pytest.mark.parametrize("name", sorted(set(SAMPLERS) - {"SMOTENC", "SMOTEN"}))
def test_a_pipeline_with_a_sampler_comes_back(name: str) -> None:
    model = fitted(make_pipeline(StandardScaler(), made(name), LogisticRegression()), X, Y)
    assert_alike(model, back(model), CALLS)


def test_a_search_comes_back() -> None:
    pipeline = Pipeline([("sampler", SMOTE(random_state=0)), ("tree", DecisionTreeClassifier(max_depth=2))])
    grid = {"sampler": [SMOTE(random_state=0), RandomUnderSampler(random_state=0), "passthrough"]}
    search = GridSearchCV(pipeline, grid | {"tree__max_depth": [1, 2]}, cv=2)
    search.set_params(scoring=make_scorer(metrics.geometric_mean_score))
    assert_alike(fitted(search, X, Y), back(search), CALLS)


@pytest.mark.parametrize(
    "estimator",
    [
        SMOTE(k_neighbors=NearestNeighbors(n_neighbors=3), random_state=0),
        RandomOverSampler(sampling_strategy={0: 100, 1: 90}, shrinkage={0: 0.1, 1: 0.2}, random_state=0),
        ESTIMATORS["ClusterCentroids"](estimator=KMeans(n_init=1, random_state=0), random_state=0),
        ESTIMATORS["BalancedBaggingClassifier"](LogisticRegression(), 2, sampler=SMOTE(), random_state=0),
        ESTIMATORS["SMOTETomek"](smote=SMOTE(k_neighbors=2, random_state=0)),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_estimators_in_parameters_come_back(estimator: Any) -> None:
    assert_alike(fitted(estimator, X, Y), back(estimator), CALLS)


@pytest.mark.parametrize("name", ["geometric_mean_score", "sensitivity_score", "specificity_score"])
def test_a_score_comes_back(name: str) -> None:
    scorer = make_scorer(getattr(metrics, name), average="macro")
    model = LogisticRegression().fit(X, Y)
    assert back(scorer)(model, X, Y) == scorer(model, X, Y)


def test_a_splitter_comes_back() -> None:
    splitter = pytest.importorskip("imblearn.model_selection").InstanceHardnessCV(
        LogisticRegression(), n_splits=3
    )
    found = zip(back(splitter).split(X, Y), splitter.split(X, Y), strict=True)
    assert all(np.array_equal(a[1], b[1]) for a, b in found)


@pytest.mark.parametrize(
    ("estimator", "function"),
    [
        (RandomOverSampler(sampling_strategy=twice, random_state=0), "twice"),
        (ESTIMATORS["FunctionSampler"](func=as_it_is), "as_it_is"),
        (make_pipeline(ESTIMATORS["FunctionSampler"](func=as_it_is), LogisticRegression()), "as_it_is"),
    ],
)
def test_a_function_is_listed_by_its_name_and_nothing_else(estimator: Any, function: str) -> None:
    saved = skopsafe.dumps(fitted(estimator, X, Y))
    names = skopsafe.get_untrusted_types(data=saved)
    assert names == [f"{__name__}.{function}"]
    loaded = skopsafe.loads(saved, trusted=names)
    assert parameters(loaded) == parameters(estimator)
    assert_alike(estimator, loaded, CALLS)


def test_a_cache_needs_approval() -> None:
    model = make_pipeline(SMOTE(), LogisticRegression(), memory="/some/cache")
    assert skopsafe.audit(model).untrusted == ["imblearn.pipeline.Pipeline:memory"]
