"""Models of xgboost come back as they were, with nothing to approve."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

xgb = pytest.importorskip("xgboost")

from sklearn.calibration import CalibratedClassifierCV  # noqa: E402
from sklearn.ensemble import StackingClassifier, VotingClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

import skopsafe  # noqa: E402
from skopsafe.handlers.xgboost import booster as handler  # noqa: E402
from tests.xgboost_models import BINARY, CLASSES, MODELS, NUMBERS, TARGETS, VERSION, X, outputs, same  # noqa: E402

DENSE = np.nan_to_num(X)
CAUTION = "xgboost.core.Booster:caution"
APPROVED = {"no_trees": [CAUTION]}
if VERSION < (3, 0):
    APPROVED |= {"vectors": [CAUTION], "vectors_of_classes": [CAUTION]}


def classifier() -> Any:
    return xgb.XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_output_is_the_same(name: str) -> None:
    model, data = MODELS[name]()
    blob = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=blob) == APPROVED.get(name, [])
    loaded = skopsafe.loads(blob, trusted=APPROVED.get(name))
    expected, found = outputs(model, data), outputs(loaded, data)
    assert [key for key in expected if not same(expected[key], found[key])] == []
    assert skopsafe.dumps(model) == skopsafe.dumps(loaded) == blob
    if isinstance(model, xgb.XGBModel):
        assert str(loaded.get_params()) == str(model.get_params())


def test_enough_outputs_are_compared() -> None:
    model, data = MODELS["multiclass"]()
    arrays = [value for value in outputs(model, data).values() if isinstance(value, np.ndarray)]
    assert len(arrays) > 12


@pytest.mark.skipif(VERSION < (2, 1), reason="scikit-learn 1.6 does not fit estimators of xgboost 2.0")
@pytest.mark.parametrize(
    "make",
    [
        lambda: make_pipeline(StandardScaler(), classifier()),
        lambda: GridSearchCV(classifier(), {"max_depth": [1, 2]}, cv=2),
        lambda: CalibratedClassifierCV(classifier(), cv=2),
        lambda: StackingClassifier([("a", classifier()), ("b", LogisticRegression())], cv=2),
        lambda: VotingClassifier([("a", classifier()), ("b", LogisticRegression())], voting="soft"),
    ],
    ids=["pipeline", "search", "calibrated", "stack", "vote"],
)
def test_estimators_of_scikit_learn_hold_them(make: Any) -> None:
    model = make().fit(DENSE, CLASSES)
    blob = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=blob) == []
    loaded = skopsafe.loads(blob)
    assert same(loaded.predict_proba(DENSE), model.predict_proba(DENSE))
    assert skopsafe.dumps(loaded) == blob


def test_multi_output_estimators_hold_them() -> None:
    for model, y in (
        (MultiOutputClassifier(classifier()), np.column_stack([BINARY, CLASSES])),
        (MultiOutputRegressor(xgb.XGBRegressor(n_estimators=2)), TARGETS),
    ):
        model.fit(DENSE, y)
        blob = skopsafe.dumps(model)
        assert skopsafe.get_untrusted_types(data=blob) == []
        assert same(skopsafe.loads(blob).predict(DENSE), model.predict(DENSE))


@pytest.mark.parametrize(
    "name", ["XGBModel", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier"]
)
def test_models_that_are_not_fitted(name: str) -> None:
    model = getattr(xgb, name, None) or xgb.sklearn.XGBModel
    model = model(n_jobs=3, device="cuda:1", max_depth=2)
    loaded = skopsafe.loads(skopsafe.dumps(model))
    assert str(loaded.get_params()) == str(model.get_params())


def test_training_goes_on() -> None:
    model = xgb.XGBRegressor(n_estimators=3, n_jobs=1).fit(X, NUMBERS)
    loaded = skopsafe.loads(skopsafe.dumps(model))
    first, second = (
        xgb.XGBRegressor(n_estimators=2, n_jobs=1).fit(X, NUMBERS, xgb_model=m) for m in (model, loaded)
    )
    assert same(first.predict(X), second.predict(X))
    assert second.get_booster().num_boosted_rounds() == 5


def test_attributes_of_a_booster_come_back() -> None:
    loaded = skopsafe.loads(skopsafe.dumps(MODELS["attributes"]()[0]))
    assert loaded.attr("note") == "für später"
    assert loaded.mine["made"] == "by hand"
    assert loaded.mine["scores"].tolist() == [0, 1, 2]


def objective(y: Any, predicted: Any) -> Any:
    return predicted - y, np.ones_like(y)


def test_functions_are_listed_by_name() -> None:
    model = xgb.XGBRegressor(n_estimators=2, objective=objective).fit(X, NUMBERS)
    blob = skopsafe.dumps(model)
    name = f"{__name__}.objective"
    assert skopsafe.get_untrusted_types(data=blob) == [name]
    assert same(skopsafe.loads(blob, trusted=[name]).predict(X), model.predict(X))


@pytest.mark.parametrize("make", [xgb.DMatrix, xgb.QuantileDMatrix])
def test_data_cannot_be_saved(make: Any) -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match="save the array or table"):
        skopsafe.dumps({"data": make(X)})


def test_a_booster_without_a_model_cannot_be_saved() -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match="needs a model first"):
        skopsafe.dumps(xgb.Booster())


def test_the_file_is_no_larger_than_a_pickle_of_the_booster() -> None:
    booster = xgb.train({"max_depth": 5}, xgb.DMatrix(X, NUMBERS), 50)
    assert len(skopsafe.dumps(booster)) < len(booster.__getstate__()["handle"]) + 2000


def test_another_release_gets_the_model_and_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("multiclass", "dart", "linear", "quantiles", "categories"):
        model, data = MODELS[name]()
        blob = skopsafe.dumps(model)
        present = handler.installed()
        monkeypatch.setattr(handler, "installed", lambda present=present: (*present[:2], present[2] + 1))
        loaded = skopsafe.loads(blob)
        monkeypatch.undo()
        assert same(loaded.predict(data), model.predict(data))
        threads = '"nthread":"1"' if name == "linear" else '"nthread":"2"'
        assert threads in loaded.get_booster().save_config()


def test_a_model_of_a_newer_release_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    blob = skopsafe.dumps(MODELS["binary"]()[0])
    monkeypatch.setattr(handler, "installed", lambda: (1, 7, 6))
    with pytest.raises(skopsafe.ValidationError, match="newer than the installed one"):
        skopsafe.loads(blob)


@pytest.mark.skipif(VERSION >= (3, 2), reason="3.2 writes another form")
def test_vectors_of_older_releases_are_refused_by_newer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    blob = skopsafe.dumps(MODELS["vectors"]()[0])
    monkeypatch.setattr(handler, "installed", lambda: (3, 2, 0))
    with pytest.raises(skopsafe.ValidationError, match=r"before xgboost 3\.2"):
        skopsafe.loads(blob, trusted=[CAUTION])


def calls_of(content: bytes) -> int:
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        handler.examine(content)
    finally:
        sys.setprofile(None)
    return calls


def test_reading_takes_no_call_for_a_tree() -> None:
    few, many = (xgb.train({"max_depth": 1}, xgb.DMatrix(X, NUMBERS), count) for count in (300, 1000))
    first, second = (calls_of(bytes(booster.__getstate__()["handle"])) for booster in (few, many))
    # Two lists of integers are read by 256 of them.
    assert second < first + 30


def test_nothing_of_xgboost_is_imported_before_approval(tmp_path: Any) -> None:
    path = tmp_path / "m.skops"
    skopsafe.dump(xgb.XGBRegressor(n_estimators=2, objective=objective).fit(X, NUMBERS), path)
    code = (
        "import sys, skopsafe; print(skopsafe.get_untrusted_types(sys.argv[1]))\n"
        "try: skopsafe.load(sys.argv[1])\n"
        "except skopsafe.UntrustedTypesFoundException: print('xgboost' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"['{__name__}.objective']", "False"]
