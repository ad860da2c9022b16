"""Crafted files that try to run code: each is refused before anything is imported."""

from __future__ import annotations

import collections
import functools
import json
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import skopsafe
from skopsafe import names
from skopsafe.testing.crafted import call, changed, schema_of, with_schema
from skopsafe.trust.tables import Tables


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "posix:system",
        "builtins:eval",
        "builtins:exec",
        "builtins:getattr",
        "subprocess:Popen",
        "pickle:loads",
        "_pickle:loads",
        "ctypes:CDLL",
        "importlib:import_module",
        "_operator:methodcaller",
        "_operator:attrgetter",
        "builtins:open",
        "shutil:rmtree",
        "socket:socket",
        "runpy:run_path",
        "skopsafe.api:load",
        "operator:call",
        "_frozen_importlib:_gcd_import",
        "numpy.ctypeslib:load_library",
        "numpy.ctypeslib._ctypeslib:load_library",
        "numpy:savetxt",
        "numpy:ndarray.tofile",
        "numpy.lib._npyio_impl:load",
        "numpy.lib.stride_tricks:as_strided",
        "scipy.io:loadmat",
        "scipy.io.matlab._mio:loadmat",
        "scipy:LowLevelCallable",
        "sklearn.datasets:load_files",
        "sklearn.datasets._base:clear_data_home",
        "joblib.numpy_pickle:load",
        "joblib.externals.loky:get_reusable_executor",
        "pandas:read_csv",
        "pandas.io.common:get_handle",
        "torch.package:PackageImporter",
        "builtins:help",
        "builtins:str.format",
        "builtins:object.__setattr__",
        "importlib.metadata:EntryPoint.load",
        "_winapi:CreateProcess",
        "winreg:SetValue",
        "nt:system",
        "logging:FileHandler",
        "logging.config:dictConfig",
        "unittest.mock:patch",
        "weakref:finalize",
        "atexit:register",
        "sched:scheduler",
        "codecs:open",
        "_io:FileIO",
        "types:FunctionType",
        "pathlib:Path.write_bytes",
    ],
)
@pytest.mark.parametrize("role", ["call", "value", "class"])
def test_the_floor_cannot_be_approved(name: str, role: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    data = call(name, role, f"touch {marker}")
    spelled = names.spell(name)
    assert spelled in skopsafe.get_untrusted_types(data=data)
    with pytest.raises(skopsafe.DeniedTypeError) as caught:
        skopsafe.loads(data, trusted=[spelled, name])
    assert caught.value.types == [spelled]
    assert not marker.exists()


def test_every_entry_of_the_floor_is_denied_and_none_is_reviewed() -> None:
    table = tomllib.loads(
        resources.files("skopsafe.trust").joinpath("tables", "denied.toml").read_text("utf-8")
    )
    tables = Tables(())
    for group in table["denied"]:
        assert group["reason"]
        for name in (*group.get("names", ()), *(f"{module}:f" for module in group.get("modules", ()))):
            assert tables.denied(name), name
            for role in ("class", "value"):
                assert tables.reviewed(name, role) is None, name
            assert names.is_name(name) or name == "builtins.__loader__:f"
            with pytest.raises(skopsafe.DeniedTypeError):
                skopsafe.loads(call(name), trusted=[names.spell(name), name])


def test_an_alias_of_a_denied_function_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "innocent_helpers.py").write_text("from os import system as tidy\n")
    monkeypatch.syspath_prepend(tmp_path)
    marker = tmp_path / "marker"
    data = call("innocent_helpers:tidy", "call", f"touch {marker}")
    with pytest.raises(skopsafe.DeniedTypeError, match="posix"):
        skopsafe.loads(data, trusted=["innocent_helpers.tidy"])
    assert not marker.exists()


def test_nothing_is_imported_before_approval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "module_with_effects.py").write_text(f"open({str(marker)!r}, 'w').close()\ndef f(): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    data = call("module_with_effects:f")
    with pytest.raises(skopsafe.UntrustedTypesFoundException):
        skopsafe.loads(data)
    assert skopsafe.get_untrusted_types(data=data) == ["module_with_effects.f"]
    assert "module_with_effects" not in sys.modules
    assert not marker.exists()


@pytest.mark.parametrize("role", ["class", "call"])
def test_a_reviewed_function_is_not_trusted_in_another_role(role: str) -> None:
    assert skopsafe.get_untrusted_types(data=call("numpy:log1p", role)) == ["numpy.log1p"]


def test_a_trusted_name_in_another_module_is_not_trusted() -> None:
    assert skopsafe.get_untrusted_types(data=call("evil.pipeline:Pipeline", "class")) == [
        "evil.pipeline.Pipeline"
    ]


def test_a_partial_shows_its_function() -> None:
    data = skopsafe.dumps(functools.partial(json.dumps, "x"))
    assert skopsafe.get_untrusted_types(data=data) == ["json.dumps"]


def test_a_name_must_be_a_name() -> None:
    for name in ("os:system\x1b[31m", "a:b c", "a", ":", "a:b:c", "<b>:x", "../x:y", 5):
        with pytest.raises(skopsafe.FormatError):
            skopsafe.loads(call(name, "call"))  # type: ignore[arg-type]


def test_a_name_of_an_attribute_is_shown_without_escapes() -> None:
    import numpy as np
    from sklearn.svm import SVC

    def rename(schema: dict[str, Any]) -> None:
        for shape in schema["shapes"]:
            if shape[1] and "kernel" in shape[1]:
                shape[1][shape[1].index("kernel")] = "\x1b[2J\nall is well"

    data = changed(SVC(kernel=np.log1p), rename)
    (name,) = skopsafe.get_untrusted_types(data=data)
    assert name == "sklearn.svm._classes.SVC:\\x1b[2J\\nall is well"
    assert "\x1b" not in str(skopsafe.audit(data))
    with pytest.raises(skopsafe.UntrustedTypesFoundException, match="all is well"):
        skopsafe.loads(data)


def test_an_attribute_cannot_hide_a_method() -> None:
    from sklearn.preprocessing import StandardScaler

    def rename(schema: dict[str, Any]) -> None:
        for shape in schema["shapes"]:
            if shape[1] and "copy" in shape[1]:
                shape[1][shape[1].index("copy")] = "transform"

    data = changed(StandardScaler(), rename)
    with pytest.raises(skopsafe.ValidationError, match="transform"):
        skopsafe.loads(data)


def claiming(model: Any) -> bytes:
    """Return a file in which every text ``claim`` is the name by which numpy takes objects for arrays."""
    text = json.dumps(schema_of(data := skopsafe.dumps(model)))
    return with_schema(
        data, json.loads(text.replace("claim", "__array_interface__").replace("kind", "typestr"))
    )


def test_an_object_cannot_claim_to_be_an_array() -> None:
    from sklearn.linear_model import LinearRegression
    from sklearn.utils import Bunch

    plain, function = LinearRegression(), functools.partial(len)
    plain.claim = function.claim = {}  # type: ignore[attr-defined]
    for claimant in (plain, function, Bunch(claim={})):
        model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
        model.intercept_ = claimant
        assert skopsafe.get_untrusted_types(data=claiming(model)) == []
        with pytest.raises(skopsafe.ValidationError, match="may not claim to be an array"):
            skopsafe.loads(claiming(model))
    plain.__array_interface__ = {}  # type: ignore[attr-defined]
    with pytest.raises(skopsafe.UnsupportedTypeError, match="to be an array"):
        skopsafe.dumps(plain)


@pytest.mark.parametrize("cls", [dict, collections.OrderedDict, collections.Counter])
def test_a_dict_cannot_be_a_place_in_memory(cls: Any) -> None:
    place = {"data": (16, False), "shape": (1,), "version": 3}
    for made in (cls(place | {"kind": "<f8"}), collections.defaultdict(list, place | {"kind": "<f8"})):
        with pytest.raises(skopsafe.ValidationError, match="place in memory"):
            skopsafe.loads(claiming(made))
    with pytest.raises(skopsafe.UnsupportedTypeError, match="place of an array in memory"):
        skopsafe.dumps(cls(place | {"typestr": "<f8"}))
    assert skopsafe.loads(skopsafe.dumps({"typestr": "<f8", "data": [16]})) == {
        "typestr": "<f8",
        "data": [16],
    }


def test_the_file_cannot_name_a_loader_or_grant_trust() -> None:
    for field in ("loader", "__loader__", "trusted", "skops_trusted_types"):
        data = changed([1], lambda schema, field=field: schema.update({field: ["os.system"]}))
        with pytest.raises(skopsafe.FormatError, match="malformed"):
            skopsafe.loads(data)


def test_values_that_open_doors_need_approval(tmp_path: Path) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(input="filename"), memory=str(tmp_path))
    needed = skopsafe.audit(model).untrusted
    assert needed == [
        "sklearn.feature_extraction.text.TfidfVectorizer:input",
        "sklearn.pipeline.Pipeline:memory",
    ]
    data = skopsafe.dumps(model)
    with pytest.raises(skopsafe.UntrustedTypesFoundException, match="pickles in it are loaded"):
        skopsafe.loads(data)
    assert skopsafe.loads(data, trusted=needed).memory == str(tmp_path)


@pytest.mark.parametrize("trusted", [True, ["sklearn.*"], "os.system", [lambda: 0], [5]])
def test_trust_without_names_is_refused(trusted: Any) -> None:
    with pytest.raises(skopsafe.PolicyError):
        skopsafe.loads(skopsafe.dumps([1]), trusted=trusted)


def test_the_exception_says_how_to_approve() -> None:
    with pytest.raises(TypeError) as caught:
        skopsafe.loads(call("mypackage.mod:f"))
    assert caught.value.types == ["mypackage.mod.f"]  # type: ignore[attr-defined]
    assert "trusted=['mypackage.mod.f']" in str(caught.value)


def test_an_approved_name_that_is_not_installed_says_what_to_install() -> None:
    with pytest.raises(skopsafe.MissingTypeError, match=r"imbalanced-learn"):
        skopsafe.loads(call("imblearn.nowhere:F"), trusted=["imblearn.nowhere.F"])


def test_a_grid_is_as_strict_as_the_boosters_themselves() -> None:
    tables = Tables(())
    grid = tables.rules("sklearn.model_selection._search:GridSearchCV")["param_grid"]
    drawn = tables.rules("sklearn.model_selection._search:RandomizedSearchCV")["param_distributions"]
    assert grid.keys == drawn.keys
    for owner, attribute in (
        ("catboost.core:CatBoostClassifier", "params"),
        ("lightgbm.sklearn:LGBMModel", "_other_params"),
    ):
        keys = tables.rules(owner)[attribute].keys
        assert len(keys) > 10
        assert set(keys) <= set(grid.keys)


@pytest.mark.parametrize(
    "grid",
    [
        {"memory": ["x"]},
        {"steps__vect__input": ["filename"]},
        [{"C": [1]}, {"a__memory": [1]}],
        {"clf__snapshot_file": ["x"]},
        {"clf__forcedsplits_filename": ["x"]},
    ],
)
def test_a_grid_that_opens_doors_needs_approval(grid: Any) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

    name = "sklearn.model_selection._search.GridSearchCV:param_grid"
    assert skopsafe.audit(GridSearchCV(LogisticRegression(), grid)).untrusted == [name]
    name = "sklearn.model_selection._search.RandomizedSearchCV:param_distributions"
    assert skopsafe.audit(RandomizedSearchCV(LogisticRegression(), grid)).untrusted == [name]
    for harmless in ({"C": [1, 2]}, [{"C": [1]}, {"tol": [0.1]}], {"clf__C": [1]}):
        assert skopsafe.audit(GridSearchCV(LogisticRegression(), harmless)).ok
