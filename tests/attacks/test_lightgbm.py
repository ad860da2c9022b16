"""Crafted models of LightGBM: refused before LightGBM reads a byte of them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

lgb = pytest.importorskip("lightgbm")

from sklearn.cluster import KMeans  # noqa: E402

import skopsafe  # noqa: E402
from skopsafe.handlers.lightgbm import parameters, text, trees  # noqa: E402
from skopsafe.testing.crafted import changed, forged  # noqa: E402
from skopsafe.testing.mutants import run  # noqa: E402
from tests.attacks.crashes import Case, assert_most_kill, endings  # noqa: E402
from tests.attacks.lightgbm_texts import CRAFTED, Crafted, Victim, chain, edited, text_of  # noqa: E402
from tests.lightgbm_models import MODELS, X, Y  # noqa: E402

BOOSTER = "lightgbm.basic:Booster"


@pytest.mark.parametrize("name", sorted(CRAFTED))
def test_a_crafted_text_is_refused(name: str) -> None:
    case = CRAFTED[name]
    model, _ = MODELS[case.model]()
    data = forged(model, BOOSTER, model=edited(case))
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=case.match) as caught:
        skopsafe.loads(data)
    assert caught.value.path.startswith("Booster.model")


def victim(case: Crafted) -> Any:
    return Victim(case.edit(text_of(case.model)).decode()), "use", (case.method,)


def deep() -> Any:
    return Victim(chain(30_000).decode()), "use", ("dump_model",)


def test_lightgbm_alone_dies_of_them(tmp_path: Path) -> None:
    cases = {name: Case(lambda case=case: victim(case), "") for name, case in CRAFTED.items() if case.method}
    assert_most_kill({**cases, "deep": Case(deep, "")}, tmp_path)


def test_the_texts_are_harmless_where_they_are_not_changed(tmp_path: Path) -> None:
    used = {case.model: case.method for case in CRAFTED.values() if case.method}

    def plain(model: str, method: str) -> Any:
        return Victim(text_of(model).decode()), "use", (method,)

    cases = {name: Case(lambda name=name, how=how: plain(name, how), "") for name, how in used.items()}
    assert set(endings(cases, tmp_path).values()) == {0}


def test_trees_are_not_too_deep() -> None:
    assert text.read(chain(trees.DEEPEST)).iterations == 1
    with pytest.raises(skopsafe.ValidationError, match="deep"):
        text.read(chain(trees.DEEPEST + 1))


def state(**changes: Any) -> Any:
    return lambda old: {**old, **changes}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"_handle": 12345}, "_handle"),
        ({"handle": 12345}, "handle"),
        ({"train_set": [1]}, "train_set"),
        ({"valid_sets": [1]}, "valid_sets"),
        ({"predict": "x"}, "hide a method"),
        ({"params": [1]}, "params"),
        ({"params": {"num_threads": 10**6}}, "params.num_threads"),
        ({"params": {"nthread": "100000"}}, "params.nthread"),
        ({"params": {"metric": "l2 num_threads=100000"}}, "second parameter"),
        ({"params": {"num_class": 10**6}}, "num_class"),
        ({"params": {"a b": 1}}, "not a name"),
        ({"params": {"machines": "example.com:80"}}, "machines"),
        ({"params": {"fs": "/dev/zero"}}, "params.fs"),
        ({"best_iteration": 2**31}, "best_iteration"),
        ({"best_iteration": "1"}, "best_iteration"),
        ({"_Booster__num_class": 2}, "num_class"),
        ({"_Booster__num_inner_eval": 10**9}, "num_inner_eval"),
        ({"_Booster__inner_predict_buffer": [np.zeros(1)]}, "inner_predict_buffer"),
        ({"_Booster__is_predicted_cur_iter": [True]}, "is_predicted_cur_iter"),
        ({"_Booster__init_predictor": 5}, "init_predictor"),
        ({"_network": True}, "_network"),
    ],
)
def test_an_attribute_of_a_booster_is_refused(changes: dict[str, Any], match: str) -> None:
    data = forged(MODELS["linear"]()[0], BOOSTER, state=state(**changes))
    with pytest.raises(skopsafe.ValidationError, match=match):
        skopsafe.loads(data)


def test_parts_of_a_booster_are_of_their_kind() -> None:
    model, _ = MODELS["linear"]()
    for part in (np.zeros(3), np.zeros((2, 2), np.uint8), np.zeros(0, np.uint8)):
        with pytest.raises(skopsafe.ValidationError, match=r"Booster\.model"):
            skopsafe.loads(forged(model, BOOSTER, model=lambda _, part=part: part))
    for value in ([1], "x", 5, None):
        with pytest.raises(skopsafe.ValidationError, match=r"Booster\.state"):
            skopsafe.loads(forged(model, BOOSTER, state=lambda _, value=value: value))
    # Without a model its address would be 0, which C++ follows.
    for value in (None, 10**6, "x", {"ref": 0}):
        with pytest.raises((skopsafe.ValidationError, skopsafe.FormatError)):
            skopsafe.loads(changed(model, lambda schema, value=value: put(schema, value)))
    data = forged(model, BOOSTER, reaches=lambda _: {"model": {"machines": "x\n[y: z]"}})
    with pytest.raises(skopsafe.ValidationError, match="no empty line"):
        skopsafe.loads(data, trusted=["lightgbm.basic.Booster:reaches"])


def put(schema: dict[str, Any], value: Any) -> None:
    """Replace the number of the array that is the text of the only Booster."""
    (run,) = (run for run in schema["runs"] if schema["shapes"][run[0]][1] == ["model", "reaches", "state"])
    run[2][0] = value


def test_a_handle_is_no_attribute_of_a_file() -> None:
    """What it would free is an address of the file's choosing."""
    model, _ = MODELS["continued"]()
    predictor = model._Booster__init_predictor
    assert skopsafe.get_untrusted_types(data=skopsafe.dumps(predictor)) == []

    def address(schema: dict[str, Any]) -> None:
        (shape,) = (shape for shape in schema["shapes"] if shape[1] and "pred_parameter" in shape[1])
        shape[1][shape[1].index("pred_parameter")] = "_handle"

    with pytest.raises(skopsafe.ValidationError, match="_InnerPredictor"):
        skopsafe.loads(changed(predictor, address))


class Floating:
    """A stand-in for a Series of pandas: LightGBM takes it for a number, and writes its str."""

    def __float__(self) -> float:
        return 1.0

    def __str__(self) -> str:
        return "1 num_threads=100000"


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("_Booster", KMeans(), "_Booster"),
        ("_Booster", "x", "_Booster"),
        ("_n_features", 2, "_n_features"),
        ("_n_features_in", 10**6, "_n_features_in"),
        ("_n_features_in", None, "_n_features_in"),
        ("_n_classes", 10**6, "_n_classes"),
        ("_n_classes", 5, "_n_classes"),
        ("_n_classes", "3", "_n_classes"),
        ("_best_iteration", 2**31, "_best_iteration"),
        ("n_jobs", 10**6, "n_jobs"),
        ("n_jobs", [10**6], "n_jobs"),
        ("boosting_type", "gbdt num_threads=100000", "boosting_type"),
        ("_objective", "binary num_threads=100000", "_objective"),
        ("_other_params", {"num_thread": 10**6}, "num_thread"),
        ("_other_params", {"nthreads": "100000"}, "nthreads"),
        ("_other_params", {"num_classes": 10**6}, "num_classes"),
        ("_other_params", {"verbosity": "1\tnum_threads=100000"}, "verbosity"),
        ("_other_params", {"metric": ["l2", "x num_threads=100000"]}, "metric"),
        ("_other_params", {"metric": np.array(["x num_threads=100000"])}, "metric"),
        ("_other_params", {"metric": [[["x"]]]}, "metric"),
        ("_other_params", {"metric": [KMeans()]}, "metric"),
        ("_other_params", {"alpha": Floating()}, "alpha"),
        ("_other_params", {"a num_threads=100000 b": 1}, "not a name"),
        ("_other_params", [1], "_other_params"),
        ("_le", KMeans(), "_le"),
        ("_classes", np.array(["a"]), "_n_classes"),
        ("_classes", None, "_classes"),
        ("_class_map", [1], "_class_map"),
    ],
)
def test_an_attribute_of_a_wrapper_is_refused(name: str, value: Any, match: str) -> None:
    model, _ = MODELS["multiclass"]()
    setattr(model, name, value)
    data = skopsafe.dumps(model)
    trusted = skopsafe.get_untrusted_types(data=data)
    assert set(trusted) <= {f"{__name__}.Floating", "lightgbm.sklearn.LGBMClassifier:_other_params"}
    with pytest.raises(skopsafe.ValidationError, match=match) as caught:
        skopsafe.loads(data, trusted=trusted)
    assert caught.value.path.startswith("LGBMClassifier.")


def test_a_second_parameter_reaches_lightgbm() -> None:
    """What the check prevents: C++ splits the text of a parameter at blanks."""
    model, _ = MODELS["multiclass"]()
    model.set_params(boosting_type="gbdt pred_early_stop=true pred_early_stop_freq=0")
    with pytest.raises(lgb.basic.LightGBMError, match="early_stop_freq"):
        model.predict(X)
    with pytest.raises(skopsafe.ValidationError, match="boosting_type"):
        skopsafe.loads(skopsafe.dumps(model))


def test_files_and_machines_need_approval(tmp_path: Path) -> None:
    splits = tmp_path / "splits.json"
    splits.write_text('{"feature": 2, "threshold": 0.5}')
    params = {"num_leaves": 4, "verbose": -1, "forcedsplits_filename": str(splits), "min_data_in_leaf": 5}
    booster = lgb.train(params, lgb.Dataset(X, Y), 3)
    data = skopsafe.dumps(booster)
    assert skopsafe.get_untrusted_types(data=data) == ["lightgbm.basic.Booster:reaches"]
    with pytest.raises(skopsafe.UntrustedTypesFoundException, match="reaches"):
        skopsafe.loads(data)
    loaded = skopsafe.loads(data, trusted=["lightgbm.basic.Booster:reaches"])
    assert loaded.params == booster.params
    assert list(loaded.params) == list(booster.params)
    assert loaded.model_to_string() == booster.model_to_string()
    assert str(splits) in copy.deepcopy(loaded).model_to_string()
    assert np.array_equal(loaded.predict(X), booster.predict(X))
    assert skopsafe.dumps(loaded) == data
    for key in ("machines", "mlist", "forced_splits", "parser_config_file"):
        model = lgb.LGBMRegressor(**{key: "x"})
        assert skopsafe.audit(model).untrusted == ["lightgbm.sklearn.LGBMRegressor:_other_params"]


def test_the_rule_and_the_loader_know_the_same_parameters() -> None:
    from skopsafe.trust.tables import Tables

    rule = Tables(()).rules("lightgbm.sklearn:LGBMModel")["_other_params"]
    assert set(rule.keys) == parameters.DOORS


def test_lightgbm_has_no_other_parameter_that_is_a_file() -> None:
    known = {alias for name in parameters.DOORS for alias in lgb.basic._ConfigAliases.get(name)}
    assert known == parameters.DOORS
    harmless = {"num_machines", "convert_model_language"}
    for name in lgb.basic._ConfigAliases.aliases.keys() - harmless:
        suspect = any(word in name for word in ("file", "machine", "model"))
        assert not suspect or name in parameters.DOORS, name


def test_a_data_set_is_never_loaded() -> None:
    def rename(schema: dict[str, Any]) -> None:
        row = next(row for row in schema["types"] if row[0].startswith("lightgbm"))
        row[0] = "lightgbm.basic:Dataset"

    with pytest.raises(skopsafe.ValidationError, match="Dataset"):
        skopsafe.loads(changed(lgb.LGBMRegressor(), rename))


@pytest.mark.parametrize("model", ["multiclass", "frame", "linear", "one_leaf", "no_tree"])
def test_mutants_only_raise(model: str) -> None:
    """A few of those that were run; see `skopsafe.testing.mutants`."""
    tally = run("tests.lightgbm_models", model, 40)
    assert not tally.bad
    assert tally.endings["ValidationError"] > 15
    assert tally.endings["loaded"] > 3
