"""Trees and boosting under many options: loaded with nothing to approve, equal to the bit."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, export_text

import skopsafe
from tests.sklearn_models import outputs, same

_RANDOM = np.random.RandomState(0)
X = np.column_stack([_RANDOM.rand(120, 3), _RANDOM.randint(0, 6, (120, 2))])
HOLES = np.where(_RANDOM.rand(*X.shape) < 0.1, np.nan, X)
SPARSE = sp.csr_matrix(np.where(X > 0.5, X, 0))
LABELS = np.digitize(X[:, 0] + X[:, 3], [1, 3])
TEXTS = np.array(["low", "middle", "high"], object)[LABELS]
NUMBERS = X[:, 0] * 3 + X[:, 3] ** 2 + 1
TWO = np.column_stack([NUMBERS, X[:, 1]])
TWO_LABELS = np.column_stack([LABELS, X[:, 4] > 2]).astype(int)
WEIGHTS = _RANDOM.rand(120)
FRAME = pd.DataFrame(
    {
        "a": X[:, 0],
        "b": pd.Categorical(X[:, 3]),
        "c": X[:, 1].astype(np.float32),
        "d": pd.Categorical(np.where(X[:, 4] > 4, None, np.array(["x", "y"], object)[LABELS % 2])),
        "e": X[:, 4].astype(int),
    }
)

Fit = Callable[[], tuple[Any, Any]]
MODELS: dict[str, Fit] = {}


def model(name: str, estimator: Any, X: Any, y: Any, **kwargs: Any) -> None:
    def fit() -> tuple[Any, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if "random_state" in estimator.get_params():
                estimator.set_params(random_state=0)
            estimator.fit(X, y, **kwargs)
            if getattr(estimator, "warm_start", False):
                more = "max_iter" if hasattr(estimator, "max_iter") else "n_estimators"
                estimator.set_params(**{more: 9}).fit(X, y, **kwargs)
        return estimator, X

    assert name not in MODELS
    MODELS[name] = fit


model("tree of texts", DecisionTreeClassifier(class_weight="balanced"), X, TEXTS)
model("tree of one class", DecisionTreeClassifier(), X, np.zeros(120))
model("tree of outputs", DecisionTreeClassifier(max_depth=4), X, TWO_LABELS)
model("tree of weighted outputs", DecisionTreeClassifier(class_weight="balanced"), X, TWO_LABELS)
model("tree with holes", DecisionTreeRegressor(), HOLES, NUMBERS)
model("tree on sparse data", DecisionTreeRegressor(max_leaf_nodes=9), SPARSE, NUMBERS)
model("tree of float32", DecisionTreeRegressor(), X.astype(np.float32), NUMBERS.astype(np.float32))
model("monotonic tree", DecisionTreeRegressor(monotonic_cst=[1, -1, 0, 0, 0]), X, NUMBERS)
model("pruned tree", DecisionTreeRegressor(ccp_alpha=0.1), X, TWO)
model("tree of a frame", DecisionTreeRegressor(), FRAME[["a", "c"]], NUMBERS)
model("stump", DecisionTreeRegressor(max_depth=1), X, np.ones(120))
model("forest of different outputs", RandomForestClassifier(5), X, TWO_LABELS)
model("random tree", ExtraTreeClassifier(), X, LABELS)
model("forest of texts", RandomForestClassifier(7, class_weight="balanced_subsample"), X, TEXTS)
model("forest of outputs", RandomForestClassifier(5, oob_score=True), X, TWO_LABELS > 0)
model("forest with holes", RandomForestRegressor(5, max_samples=0.5, n_jobs=1), HOLES, TWO)
model("forest on sparse data", RandomForestRegressor(5, warm_start=True), SPARSE, NUMBERS)
model("forest with weights", RandomForestRegressor(5), X, NUMBERS, sample_weight=WEIGHTS)
model("forest of counts", RandomForestRegressor(5, criterion="poisson"), X, NUMBERS)
model("extra trees", ExtraTreesClassifier(5, bootstrap=True, oob_score=True), X, LABELS)
model("extra trees of outputs", ExtraTreesRegressor(5, monotonic_cst=[1, 0, 0, 0, 0]), X, TWO[:, 0])
model("embedding", RandomTreesEmbedding(5, max_depth=3), X, None)
model("isolation", IsolationForest(n_estimators=7, max_features=0.5), X, None)
model("isolation on sparse data", IsolationForest(n_estimators=7, contamination=0.1), SPARSE, None)
model("isolation with holes", IsolationForest(n_estimators=7, warm_start=True), HOLES, None)
model("bagging", BaggingClassifier(n_estimators=5, bootstrap_features=True, oob_score=True), X, TEXTS)
model("bagging of neighbours", BaggingClassifier(KNeighborsClassifier(), max_features=2), X, LABELS)
model("bagging of numbers", BaggingRegressor(n_estimators=5, max_features=0.6), SPARSE, NUMBERS)
model("adaptive boosting", AdaBoostClassifier(n_estimators=5), X, TEXTS)
model("adaptive boosting of numbers", AdaBoostRegressor(n_estimators=5, loss="square"), X, NUMBERS)

for loss in ("squared_error", "absolute_error", "huber", "quantile"):
    model(f"boosting {loss}", GradientBoostingRegressor(loss=loss, n_estimators=5), X, NUMBERS)
model("boosting from zero", GradientBoostingRegressor(n_estimators=5, init="zero"), X, NUMBERS)
model("boosting from a median", GradientBoostingRegressor(init=DummyRegressor(strategy="median")), X, NUMBERS)
model(
    "boosting of a sample",
    GradientBoostingRegressor(n_estimators=5, subsample=0.5, warm_start=True),
    X,
    NUMBERS,
)
model("boosting on sparse data", GradientBoostingClassifier(n_estimators=5), SPARSE, TEXTS)
model("boosting of two classes", GradientBoostingClassifier(n_estimators=5), X, LABELS > 0)
model("exponential", GradientBoostingClassifier(loss="exponential", n_estimators=5), X, LABELS > 0)
model("boosting that stops", GradientBoostingClassifier(n_iter_no_change=2), FRAME[["a", "c"]], LABELS)
model("boosting with weights", GradientBoostingClassifier(n_estimators=5), X, LABELS, sample_weight=WEIGHTS)
for strategy in ("prior", "stratified", "most_frequent", "uniform"):
    start = DummyClassifier(strategy=strategy, random_state=0)
    model(f"boosting from {strategy}", GradientBoostingClassifier(n_estimators=3, init=start), X, LABELS)
start = DummyClassifier(strategy="constant", constant=1)
model("boosting from a constant", GradientBoostingClassifier(n_estimators=3, init=start), X, TEXTS)

for loss in ("squared_error", "absolute_error", "gamma", "poisson", "quantile"):
    quantile = {"quantile": 0.3} if loss == "quantile" else {}
    regressor = HistGradientBoostingRegressor(loss=loss, max_iter=5, min_samples_leaf=3, **quantile)
    model(f"hist {loss}", regressor, HOLES, NUMBERS)
Hist = HistGradientBoostingClassifier
model("hist of numbers", Hist(max_iter=5, categorical_features=[3, 4], warm_start=True), X, TEXTS)
model("hist with a mask", Hist(max_iter=5, categorical_features=[False] * 4 + [True]), HOLES, LABELS)
model("hist of two classes", Hist(max_iter=5, class_weight="balanced"), X, LABELS > 0)
model("hist of a frame", Hist(max_iter=5, min_samples_leaf=2), FRAME, LABELS)
model("hist of numbers alone", Hist(max_iter=5), FRAME[["a", "c"]], LABELS)
model("hist of names", Hist(max_iter=5, categorical_features=["b", "e"]), FRAME[["a", "b", "e"]], LABELS)
model("hist of categories alone", Hist(max_iter=5, min_samples_leaf=2), FRAME[["b", "d"]], LABELS)
model("hist that stops", Hist(early_stopping=True, n_iter_no_change=2, scoring="accuracy"), X, LABELS)
model("hist with weights", Hist(max_iter=5), X, LABELS, sample_weight=WEIGHTS)
monotonic = HistGradientBoostingRegressor(
    max_iter=5, monotonic_cst={"a": 1, "c": -1}, interaction_cst="pairwise", max_bins=7, max_features=0.5
)
model("monotonic hist", monotonic, FRAME, NUMBERS.astype(np.float32))
model("hist without a split", HistGradientBoostingRegressor(max_iter=2), X[:10], NUMBERS[:10])
model("dummy of outputs", DummyRegressor(strategy="quantile", quantile=0.2), X, TWO)
model("dummy constant", DummyRegressor(strategy="constant", constant=[1, 2]), X, TWO)
model("dummy labels of outputs", DummyClassifier(strategy="stratified"), X, TWO_LABELS)
model("dummy of sparse outputs", DummyClassifier(), X, sp.csc_matrix(TWO_LABELS))


def results(estimator: Any, X: Any) -> dict[str, Any]:
    found = outputs(estimator, X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in ("decision_path", "staged_predict_proba", "staged_decision_function"):
            if hasattr(estimator, method):
                result = getattr(estimator, method)(X)
                found[method] = list(result) if hasattr(result, "__next__") else result
    if isinstance(estimator, (DecisionTreeClassifier, DecisionTreeRegressor)):
        found["text"] = export_text(estimator)
        found["depths"] = estimator.tree_.compute_node_depths()
    if hasattr(estimator, "feature_importances_"):
        found["feature_importances_"] = estimator.feature_importances_
    if hasattr(estimator, "_compute_partial_dependence_recursion") and "hist" not in str(type(estimator)):
        grid = np.linspace(0, 5, 7, dtype=np.float32)[:, None]
        found["dependence"] = estimator._compute_partial_dependence_recursion(grid, np.array([0]))
    return found


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back(name: str, tmp_path: Path) -> None:
    estimator, X = MODELS[name]()
    skopsafe.dump(estimator, tmp_path / "m.skops")
    assert skopsafe.get_untrusted_types(tmp_path / "m.skops") == []
    expected = results(estimator, X)
    for mmap_mode in (None, "r"):
        loaded = skopsafe.load(tmp_path / "m.skops", mmap_mode=mmap_mode)
        found = results(loaded, X)
        assert expected.keys() == found.keys()
        for method, value in expected.items():
            assert same(value, found[method]), method


@pytest.mark.parametrize("name", ["hist of numbers", "boosting of a sample", "forest on sparse data"])
def test_a_loaded_model_can_be_fitted_further(name: str) -> None:
    estimator, X = MODELS[name]()
    loaded = skopsafe.loads(skopsafe.dumps(estimator))
    y = TEXTS if name.startswith("hist") else NUMBERS
    more = "max_iter" if name.startswith("hist") else "n_estimators"
    for each in (estimator, loaded):
        each.set_params(**{more: 12}).fit(X, y)
    assert same(estimator.predict(X), loaded.predict(X))


def test_partial_dependence_of_a_loaded_model() -> None:
    estimator, _ = MODELS["hist squared_error"]()
    loaded = skopsafe.loads(skopsafe.dumps(estimator))
    grid = np.linspace(0, 5, 7)[:, None]
    expected, found = (m._compute_partial_dependence_recursion(grid, [0]) for m in (estimator, loaded))
    assert same(expected, found)


@pytest.mark.parametrize(
    "estimator",
    [RandomForestClassifier(), GradientBoostingRegressor(), Hist(), IsolationForest(), DummyClassifier()],
    ids=lambda estimator: type(estimator).__name__,
)
def test_an_unfitted_model_comes_back(estimator: Any) -> None:
    loaded = skopsafe.loads(skopsafe.dumps(estimator))
    assert repr(loaded) == repr(estimator)
