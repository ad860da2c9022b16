"""Models of CatBoost come back as they were, with nothing to approve but what cannot be checked."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("catboost")

from catboost import CatBoost, CatBoostClassifier, CatBoostRanker, CatBoostRegressor, Pool
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingRegressor, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopsafe
from skopsafe.handlers.catboost import blob, check
from skopsafe.testing.crafted import forged
from tests.catboost_models import MODELS, constant, outputs

FAST = {"iterations": 4, "depth": 2, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
CLASSES = (CatBoost, CatBoostClassifier, CatBoostRanker, CatBoostRegressor)


def same(first: Any, second: Any) -> bool:
    """Compare two outputs, bit by bit."""
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray):
        if first.dtype != second.dtype or first.shape != second.shape:
            return False
        return (
            first.tolist() == second.tolist()
            if first.dtype == object
            else first.tobytes() == second.tobytes()
        )
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second or str(first) == str(second) == "nan")


def again(model: Any) -> Any:
    return skopsafe.loads(data := skopsafe.dumps(model), trusted=skopsafe.get_untrusted_types(data=data))


class Distance:
    """An objective of the user's own."""

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> Any:
        return [(target - approx, -1.0) for approx, target in zip(approxes, targets, strict=True)]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_comes_back_as_it_was(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model, X = MODELS[name]()
    data = skopsafe.dumps(model)
    marked = [f"catboost.core.{type(model).__name__}:embedding_features"] if "embeddings" in name else []
    assert skopsafe.get_untrusted_types(data=data) == marked
    loaded = skopsafe.loads(data, trusted=marked)
    assert list(tmp_path.iterdir()) == []
    assert skopsafe.dumps(model) == data
    assert skopsafe.dumps(loaded) == data
    before, after = outputs(model, X), outputs(loaded, X)
    # The library keeps the history of the training as a text, if at all, and reads its last digits inexactly.
    history = before.pop("evals_result_"), after.pop("evals_result_")
    if "training" in dict(model.get_metadata().items()):
        for which, metrics in history[0].items():
            for metric, values in metrics.items():
                np.testing.assert_allclose(history[1][which][metric], values, rtol=1e-12)
    else:
        before = {name: found for name, found in before.items() if not name.startswith("best_")}
    assert {key for key in before if not same(before[key], after[key])} == set()
    assert loaded.get_params() == model.get_params()
    assert not any(isinstance(found, str) for key, found in before.items() if key.startswith("predict of"))


@pytest.mark.parametrize("cls", CLASSES)
def test_an_estimator_without_a_model_comes_back(cls: Any) -> None:
    options = {"iterations": 7, "cat_features": ["a"], "loss_function": None, "class_names": [1, 2]}
    made = (
        cls(options)
        if cls is CatBoost
        else cls(**{k: v for k, v in options.items() if k != "class_names" or cls is CatBoostClassifier})
    )
    data = skopsafe.dumps(made)
    assert skopsafe.get_untrusted_types(data=data) == []
    loaded = skopsafe.loads(data)
    assert type(loaded) is cls
    assert loaded.get_params() == made.get_params()
    assert not loaded.is_fitted()
    assert skopsafe.dumps(loaded) == data
    X = np.random.default_rng(0).random((20, 2))
    if cls in (CatBoostClassifier, CatBoostRegressor):
        y = np.arange(20) % 2 + 1
        first, second = (
            cls(**m.get_params() | FAST | {"cat_features": None}).fit(X, y) for m in (made, loaded)
        )
        assert same(first.predict(X), second.predict(X))


def _meta() -> dict[str, Any]:
    classifier, regressor = CatBoostClassifier(**FAST), CatBoostRegressor(**FAST)
    return {
        "pipeline": make_pipeline(StandardScaler(), classifier),
        "grid": GridSearchCV(classifier, {"depth": [1, 2]}, cv=2),
        "calibrated": CalibratedClassifierCV(classifier, cv=2),
        "stack": StackingClassifier([("c", classifier), ("l", LogisticRegression())], cv=2),
        "vote": VotingClassifier([("c", classifier), ("l", LogisticRegression())], voting="soft"),
        "outputs": MultiOutputRegressor(regressor),
        "bag": BaggingRegressor(regressor, n_estimators=2, random_state=0),
    }


@pytest.mark.parametrize("name", _meta())
def test_a_model_inside_another_comes_back(name: str) -> None:
    X = np.random.default_rng(0).random((40, 3))
    y = np.stack([X[:, 0], X[:, 1]], axis=1) if name == "outputs" else (X[:, 0] > 0.5).astype(int)
    model = _meta()[name].fit(X, y)
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == []
    loaded = skopsafe.loads(data)
    assert same(loaded.predict(X), model.predict(X))
    if hasattr(model, "predict_proba"):
        assert same(loaded.predict_proba(X), model.predict_proba(X))


def test_an_objective_of_the_user_is_listed_by_its_name() -> None:
    X = np.random.default_rng(0).random((20, 2))
    model = CatBoostRegressor(**FAST, loss_function=Distance(), eval_metric="RMSE").fit(X, X[:, 0])
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == [f"{__name__}.Distance"]
    assert same(again(model).predict(X), model.predict(X))


@pytest.mark.parametrize("name", ["train_dir", "snapshot_file", "input_borders"])
def test_a_path_among_the_parameters_needs_approval(name: str) -> None:
    data = skopsafe.dumps(CatBoostClassifier(**{name: "somewhere"}))
    assert skopsafe.get_untrusted_types(data=data) == ["catboost.core.CatBoostClassifier:params"]


def test_a_model_that_the_library_cannot_explain_needs_approval() -> None:
    model, X = constant()
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == ["catboost.core.CatBoostRegressor:no_splits"]
    assert same(again(model).predict(X), model.predict(X))


def test_a_pool_is_refused_and_the_error_tells_what_to_save() -> None:
    with pytest.raises(
        skopsafe.UnsupportedTypeError, match=r"made from, and make it again \(at object\[1\]\)"
    ):
        skopsafe.dumps([0, Pool(np.zeros((3, 2)), [1, 2, 3])])


def test_a_model_without_its_statistics_is_refused_at_dump() -> None:
    model, X = MODELS["categories"]()
    options = model.get_params() | {"final_ctr_computation_mode": "Skip"}
    with pytest.raises(skopsafe.UnsupportedTypeError, match="could not be loaded again"):
        skopsafe.dumps(CatBoostClassifier(**options).fit(X, X.b == "p"))


def test_texts_that_a_pickle_spoiled_are_refused_at_dump() -> None:
    model, _ = MODELS["texts"]()
    spoiled = pickle.loads(pickle.dumps(model))
    with pytest.raises(skopsafe.UnsupportedTypeError, match="could not be loaded again"):
        skopsafe.dumps(spoiled)


SPOILED: dict[str, Callable[[Any], None]] = {
    "classes that are no JSON": lambda model: model.get_metadata().__setitem__("class_params", "{"),
    "classes that are not there": lambda model: model.get_metadata().__setitem__("class_params", "[]"),
    "a loss that is a number": lambda model: model.get_metadata().__setitem__(
        "params", '{"loss_function": {"type": 5, "params": {}}}'
    ),
    "a loss of its own, that is unknown": lambda model: model.get_metadata().__setitem__(
        "loss_function", '{"type": "Nothing", "params": {}}'
    ),
    "a history of fewer tests": lambda model: model.get_metadata().__setitem__(
        "training",
        '{"metrics": {"learn_metrics_history": [{}, {}], "test_metrics_history" : [[]]}}',
    ),
    "an unknown loss": lambda model: model.get_metadata().__setitem__(
        "params", '{"loss_function": {"type": "Nothing", "params": {}}}'
    ),
    "a text nested without end": lambda model: model.get_metadata().__setitem__(
        "training", '{"a": ' + "[" * 900 + "]" * 900 + "}"
    ),
}


@pytest.mark.parametrize("name", SPOILED)
@pytest.mark.parametrize("kind", ["classifier", "levels", "categories"])
def test_what_load_refuses_is_refused_at_dump(name: str, kind: str) -> None:
    model, _ = MODELS[kind]()
    SPOILED[name](model)
    with pytest.raises(skopsafe.UnsupportedTypeError):
        skopsafe.dumps(model)
    written = np.frombuffer(model._serialize_model(), np.uint8)
    data = forged(MODELS[kind]()[0], f"catboost.core:{type(model).__name__}", model=lambda _: written)
    with pytest.raises(skopsafe.ValidationError):
        skopsafe.loads(data)


def test_features_without_borders_stand_anywhere() -> None:
    X = np.random.default_rng(0).random((60, 5))
    X[:, [0, 2, 4]] = 1.0
    model = CatBoostRegressor(**FAST).fit(X, X[:, 1] + X[:, 3])
    assert [len(borders) > 0 for borders in model.get_borders().values()] == [False, True, False, True, False]
    assert same(again(model).predict(X), model.predict(X))


def test_validation_makes_no_more_calls_for_more_trees() -> None:
    X = np.random.default_rng(0).random((200, 3))
    counts = []
    for trees in (40, 400):
        model = CatBoostRegressor(**FAST | {"iterations": trees}).fit(X, X[:, 0])
        parsed = blob.parse(model._serialize_model())
        calls = []
        sys.setprofile(lambda _, event, what, calls=calls: calls.append(event))
        try:
            check.check_parsed(parsed)
        finally:
            sys.setprofile(None)
        counts.append(len(calls))
    assert counts[1] < counts[0] + 50


def test_a_loaded_model_can_be_changed_as_before() -> None:
    model, X = MODELS["regressor"]()
    loaded = again(model)
    for each in (model, loaded):
        each._object._set_leaf_values(each.get_leaf_values() * 2)
        each.set_feature_names(list("abcd"))
    assert same(loaded.predict(X), model.predict(X))
    assert loaded.feature_names_ == list("abcd")


def test_the_blob_is_not_larger_than_that_of_the_library() -> None:
    for name in ("classifier", "categories", "texts"):
        model, _ = MODELS[name]()
        written = model._serialize_model()
        ours = blob.ordered(blob.parse(written))
        assert len(ours) <= len(written) + 64
        assert blob.ordered(blob.parse(ours)) == ours
        found = check.check_model(ours)
        assert found == check.check_model(written)
        assert found.n_trees == model.tree_count_


def test_the_order_of_the_metadata_does_not_matter() -> None:
    model, _ = MODELS["metadata"]()
    items = list(model.get_metadata().items())
    data = skopsafe.dumps(model)
    for name, value in reversed(items):
        del model.get_metadata()[name]
        model.get_metadata()[name] = value
    assert skopsafe.dumps(model) == data
    assert dict(skopsafe.loads(data).get_metadata().items()) == dict(items)


def test_nothing_is_imported_before_approval(tmp_path: Path) -> None:
    model, _ = MODELS["embeddings"]()
    skopsafe.dump(model, tmp_path / "m.skops")
    script = (
        "import sys, skopsafe\n"
        "skopsafe.audit('m.skops')\n"
        "try: skopsafe.load('m.skops')\n"
        "except skopsafe.UntrustedTypesFoundException: pass\n"
        "else: raise SystemExit('loaded')\n"
        "sys.exit('catboost' in sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def test_a_model_of_another_library_is_named() -> None:
    with warnings.catch_warnings(), pytest.raises(skopsafe.ValidationError, match="no model of CatBoost"):
        check.check_model(b"ONNXxxxxxxxxxxxxxxxx")
