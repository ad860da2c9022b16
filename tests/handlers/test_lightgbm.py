"""Models of LightGBM come back as they were, with nothing to approve."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

lgb = pytest.importorskip("lightgbm")

from sklearn.base import clone  # noqa: E402

import skopsafe  # noqa: E402
from skopsafe.handlers.lightgbm import text  # noqa: E402
from tests.lightgbm_models import BINARY, FEW, MODELS, X, Y, outputs  # noqa: E402

PICKLED = ("gain", "dump", "frame", "text", "copy", "histogram", "bounds")
"""What depends on numbers that LightGBM writes with six digits, or not at all: lost in a pickle too."""


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if hasattr(a, "__dict__") and not isinstance(a, type):
        return type(a) is type(b) and same(state(a), state(b))
    return bool(a == b) or (a != a and b != b)  # noqa: PLR0124


def state(obj: Any) -> dict[str, Any]:
    """Return the attributes of an object, without the address of what LightGBM holds."""
    return {name: value for name, value in vars(obj).items() if name != "_handle"}


def shown(params: dict[str, Any]) -> str:
    """Spell parameters, without the addresses of objects."""
    return re.sub(r"0x[0-9A-Fa-f]+", "", repr(params))


@pytest.fixture(params=sorted(MODELS))
def case(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    model, rows = MODELS[request.param]()
    return model, rows


def test_a_model_comes_back_as_it_was(case: tuple[Any, Any]) -> None:
    model, rows = case
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == []
    assert skopsafe.dumps(model) == data
    loaded = skopsafe.loads(data)
    assert skopsafe.dumps(loaded) == data
    expected, found = outputs(model, rows), outputs(loaded, rows)
    pickled = outputs(pickle.loads(pickle.dumps(model)), rows)
    expected |= {name: pickled[name] for name in PICKLED if name in pickled}
    assert found.keys() == expected.keys()
    assert [name for name in found if not same(found[name], expected[name])] == []
    if hasattr(model, "get_params"):
        assert shown(loaded.get_params()) == shown(model.get_params())
        clone(loaded)


def test_a_booster_keeps_what_a_pickle_keeps(case: tuple[Any, Any]) -> None:
    model = getattr(case[0], "_Booster", case[0])
    if not isinstance(model, lgb.Booster):
        return
    loaded, pickled = skopsafe.loads(skopsafe.dumps(model)), pickle.loads(pickle.dumps(model))
    caches = {"_Booster__inner_predict_buffer", "_Booster__is_predicted_cur_iter"}
    assert state(loaded).keys() == state(pickled).keys()
    for name in state(loaded).keys() - caches:
        assert same(state(loaded)[name], state(pickled)[name]), name
    assert not hasattr(loaded, "train_set")


def test_a_model_is_trained_on_after_loading() -> None:
    model, _ = MODELS["regression"]()
    loaded = skopsafe.loads(skopsafe.dumps(model))
    expected, found = (
        lgb.LGBMRegressor(**FEW).fit(X, Y, init_model=start).predict(X) for start in (model, loaded)
    )
    assert np.array_equal(found, expected)
    booster = skopsafe.loads(skopsafe.dumps(model.booster_))
    assert np.array_equal(booster.refit(X, -Y).predict(X), model.booster_.refit(X, -Y).predict(X))
    again = lgb.train({"verbose": -1, "num_threads": 1}, lgb.Dataset(X, Y), 2, init_model=booster)
    assert again.current_iteration() == 6
    assert np.array_equal(skopsafe.loads(skopsafe.dumps(again)).predict(X), again.predict(X))


def test_what_is_not_fitted() -> None:
    for model in (
        lgb.LGBMRegressor(),
        lgb.LGBMClassifier(n_jobs=-1, class_weight="balanced", reg_lambda=2),
        lgb.LGBMRanker(label_gain=[0, 1, 3], metric="ndcg, map"),
        lgb.LGBMModel(objective="regression", num_threads=np.int64(2)),
        lgb.LGBMClassifier(random_state=np.random.default_rng(0), n_jobs=None),
    ):
        data = skopsafe.dumps(model)
        assert skopsafe.get_untrusted_types(data=data) == []
        loaded = skopsafe.loads(data)
        assert shown(loaded.get_params()) == shown(model.get_params())
        assert skopsafe.dumps(loaded) == data
        with pytest.raises(Exception, match="not fitted"):
            loaded.predict(X)


def halves(y_true: Any, y_pred: Any) -> Any:
    return (y_pred - y_true) / 2, np.full_like(y_pred, 0.5)


def test_an_objective_of_ones_own_is_listed_by_its_name() -> None:
    model = lgb.LGBMRegressor(**FEW, objective=halves).fit(X, Y)
    data = skopsafe.dumps(model)
    name = f"{__name__}.halves"
    assert skopsafe.get_untrusted_types(data=data) == [name]
    loaded = skopsafe.loads(data, trusted=[name])
    assert loaded.objective is halves
    assert np.array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("names", [["a b", "ü", "日本", "x=y"], ["1", "2", "=3", "tab\there"], list("wxyz")])
def test_names_of_features(names: list[str]) -> None:
    booster = lgb.train({"verbose": -1, "num_leaves": 4}, lgb.Dataset(X, Y, feature_name=names), 2)
    loaded = skopsafe.loads(skopsafe.dumps(booster))
    assert loaded.feature_name() == booster.feature_name() == [name.replace(" ", "_") for name in names]
    assert np.array_equal(loaded.predict(X), booster.predict(X))


@pytest.mark.parametrize("name", ["x=", "=x", "a\nb"])
def test_a_name_that_lightgbm_itself_reads_otherwise(name: str) -> None:
    data = lgb.Dataset(X[:, :1], Y, feature_name=[name])
    # Otherwise it has read its own text already.
    booster = lgb.train({"verbose": -1, "num_leaves": 4}, data, 2, keep_training_booster=True)
    with pytest.raises(skopsafe.UnsupportedTypeError, match=r"could not be loaded again.*feature_"):
        skopsafe.dumps(booster)


def test_categories_of_pandas_are_kept() -> None:
    model, frame = MODELS["frame"]()
    loaded = skopsafe.loads(skopsafe.dumps(model))
    assert loaded.booster_.pandas_categorical == [["w", "x", "y", "z"], [0, 1, 2]]
    frame = frame[::-1].copy()
    frame["kind"] = pd.Categorical(frame["kind"].astype(str), categories=["z", "y", "x", "w", "new"])
    assert np.array_equal(loaded.predict_proba(frame), model.predict_proba(frame))


def test_numbers_that_lightgbm_rounds_in_reading_come_to_rest() -> None:
    model, _ = MODELS["regression"]()
    found = model.booster_.model_to_string()
    for value in ("inf", "-inf", "nan", "1e-320", "1e+308", "-0"):
        changed = re.sub(r"(internal_value|split_gain)=\S+", rf"\1={value}", found)
        sizes = " ".join(
            str(len(tree) + 5) for tree in changed.partition("end of trees")[0].split("Tree=")[1:]
        )
        booster = lgb.Booster(model_str=re.sub(r"tree_sizes=.*", f"tree_sizes={sizes}", changed))
        data = skopsafe.dumps(booster)
        loaded = skopsafe.loads(data)
        assert skopsafe.dumps(loaded) == data
        assert np.array_equal(loaded.predict(X), booster.predict(X))


def test_a_booster_is_shared() -> None:
    model, _ = MODELS["regression"]()
    first, second = skopsafe.loads(skopsafe.dumps([model, model.booster_]))
    assert first.booster_ is second


def test_a_data_set_is_not_saved() -> None:
    data = lgb.Dataset(X, Y)
    for dataset in (data, data.construct()):
        with pytest.raises(skopsafe.UnsupportedTypeError, match="save the data and the parameters"):
            skopsafe.dumps({"train": dataset})


def test_the_file_holds_the_text_and_little_more() -> None:
    model = lgb.LGBMRegressor(n_estimators=100, verbose=-1, n_jobs=1, min_child_samples=2).fit(X, Y).booster_
    own = len(model.model_to_string(num_iteration=-1))
    assert len(skopsafe.dumps(model)) < own + 12_000


def test_many_trees_are_read_as_one_by_one() -> None:
    """The trees of a model are checked together: a fault in the last is seen."""
    model = lgb.LGBMClassifier(n_estimators=30, verbose=-1, n_jobs=1, min_child_samples=2).fit(X, BINARY)
    found = model.booster_.model_to_string(num_iteration=-1)
    good = found[: found.rindex("\npandas_categorical:")].encode()
    assert text.read(good) == text.Model(1, 4, 30)
    for key in (b"threshold", b"right_child", b"split_feature", b"leaf_count"):
        place = good.rindex(b"\n" + key) + len(key) + 2
        with pytest.raises(skopsafe.ValidationError, match=key.decode()):
            text.read(good[:place] + b"x" + good[place + 1 :])


def test_lightgbm_is_imported_after_approval_alone(tmp_path: Path) -> None:
    file = tmp_path / "model.skops"
    skopsafe.dump([MODELS["linear"]()[0], halves], file)
    code = """
import sys, skopsafe
assert skopsafe.get_untrusted_types(sys.argv[1]) == [sys.argv[2]]
try:
    skopsafe.load(sys.argv[1])
except skopsafe.UntrustedTypesFoundException:
    assert "lightgbm" not in sys.modules
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code, str(file), f"{__name__}.halves"], check=True)


def test_without_lightgbm_the_error_names_it(tmp_path: Path) -> None:
    file = tmp_path / "model.skops"
    skopsafe.dump(MODELS["linear"]()[0], file)
    code = """
import sys, skopsafe
sys.modules["lightgbm"] = None
try:
    skopsafe.load(sys.argv[1])
except skopsafe.MissingTypeError as error:
    assert "lightgbm" in str(error)
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)


def test_a_copy_of_a_loaded_booster_is_the_same() -> None:
    model, _ = MODELS["early_stopping"]()
    booster = skopsafe.loads(skopsafe.dumps(model.booster_))
    copied = copy.deepcopy(booster)
    assert skopsafe.loads(skopsafe.dumps(copied)).params == copied.params
    assert np.array_equal(copied.predict(X), booster.predict(X, num_iteration=-1))
