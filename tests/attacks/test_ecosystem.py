"""Crafted models of imbalanced-learn, category_encoders and feature-engine: refused, or listed to approve."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("imblearn")
pytest.importorskip("category_encoders")
pytest.importorskip("feature_engine")

import category_encoders
import pandas as pd
from feature_engine.creation import MathFeatures
from feature_engine.discretisation import ArbitraryDiscretiser, DecisionTreeDiscretiser, EqualWidthDiscretiser
from feature_engine.encoding import OneHotEncoder
from feature_engine.imputation import MeanMedianImputer
from feature_engine.pipeline import Pipeline as FeaturePipeline
from feature_engine.preprocessing import MatchVariables
from feature_engine.selection import MRMR
from feature_engine.timeseries.forecasting import ExpandingWindowFeatures, WindowFeatures
from imblearn.base import FunctionSampler
from imblearn.combine import SMOTEENN
from imblearn.ensemble import BalancedRandomForestClassifier
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import TomekLinks
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import KBinsDiscretizer
from sklearn.tree import DecisionTreeClassifier

import skopsafe
from skopsafe.testing.mutants import run

X = pd.DataFrame(np.random.RandomState(0).rand(40, 3), columns=["a", "b", "c"])
Y = pd.Series((X["a"] > 0.5) * 1)
opened: list[str] = []
watching: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if watching and event == "open" and watching[0] in str(arguments[0]):
        opened.append(str(arguments[0]))


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    """Give a file; whoever opens it until the test ends is seen."""
    path = tmp_path / "marker"
    path.write_bytes(b"TZif nothing")
    if not watching:
        sys.addaudithook(_watch)
    opened.clear()
    watching[:] = [str(path)]
    yield path
    watching[:] = [str(tmp_path / "nothing")]


def math_features(func: Any) -> Any:
    model = MathFeatures(["a", "b"], "sum").fit(X)
    model.func = func
    return model


_CLIPBOARD = """
import sys
import pandas as pd
from feature_engine.creation import MathFeatures
model = MathFeatures(["a", "b"], "to_clipboard")
X = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
model.fit(X).transform(X)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the clipboard is another program elsewhere")
def test_a_name_of_a_method_runs_it(tmp_path: Path) -> None:
    """What the rule is there for, on the live object: filling the clipboard starts a program."""
    program, target = tmp_path / "xsel", tmp_path / "started"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\necho x >> {target}\n")
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "DISPLAY": ":0"}
    environment.pop("WAYLAND_DISPLAY", None)
    subprocess.run([sys.executable, "-c", _CLIPBOARD], env=environment, capture_output=True, check=False)
    assert target.exists()


@pytest.mark.parametrize(
    "func",
    [
        "to_clipboard",
        ["sum", "to_clipboard"],
        ["to_pickle"],
        "eval",
        "save",
        ("info",),
        {"a": "sum"},
        5,
        None,
    ],
)
def test_a_name_of_any_method_needs_approval(func: Any) -> None:
    found = skopsafe.audit(math_features(func)).untrusted
    assert found == ["feature_engine.creation.math_features.MathFeatures:func"]


@pytest.mark.parametrize("func", ["sum", ["mean", "std"], ("max",), np.mean, [np.sum, "var"]])
def test_names_of_aggregations_need_none(func: Any) -> None:
    assert skopsafe.audit(math_features(func)).ok


@pytest.mark.parametrize("cls", [ExpandingWindowFeatures, WindowFeatures])
@pytest.mark.parametrize("functions", ["pipe", ["mean", "apply"], "save", ["mean", ["sum"]], {"a": "sum"}])
def test_a_name_of_any_method_of_windows_needs_approval(cls: Any, functions: Any) -> None:
    model = cls()
    model.functions = functions
    assert skopsafe.audit(model).untrusted == [f"{cls.__module__}.{cls.__name__}:functions"]
    model.functions = ["mean", "std"]
    assert skopsafe.audit(model).ok


def crafted(zone: str) -> dict[str, Any]:
    """Return models that cast columns to a dtype of the file's choosing."""
    dtype = f"datetime64[ns, {zone}]"
    ordinal = category_encoders.OrdinalEncoder().fit(X.assign(a="x"), Y)
    ordinal.mapping[0]["data_type"] = dtype
    target = category_encoders.TargetEncoder(cols=["a"]).fit(X, Y)
    target.feature_dtypes_in_ = [dtype] * 3
    match = MatchVariables(match_dtypes=True, verbose=False).fit(X)
    match.dtype_dict_ = {"a": dtype}
    bins = KBinsDiscretizer(2, encode="ordinal", strategy="uniform").fit(X)
    bins.dtype = dtype
    return {
        "OrdinalEncoder": ordinal,
        "TargetEncoder": target,
        "MatchVariables": match,
        "KBinsDiscretizer": bins,
    }


CASTS: dict[str, Callable[[Any], Any]] = {
    "OrdinalEncoder": lambda model: model.inverse_transform(X.assign(a=1)),
    "TargetEncoder": lambda model: model.transform(X.to_numpy()),
    "MatchVariables": lambda model: model.transform(X),
    "KBinsDiscretizer": lambda model: model.transform(X.astype("Float64")),
}


@pytest.mark.parametrize("name", CASTS)
@pytest.mark.filterwarnings("ignore")
def test_a_dtype_opens_no_file(name: str, marker: Path) -> None:
    model = crafted(f"dateutil/{marker}")[name]
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=rf"{name}\.(mapping|feature_dtypes_in_|dtype)"):
        skopsafe.loads(data)
    assert not opened
    # What the check is there for, on the live object. Older encoders do not keep dtypes.
    if name != "TargetEncoder" or hasattr(model, "_restore_fitted_dtypes"):
        with contextlib.suppress(TypeError, ValueError):
            CASTS[name](model)
        assert opened


CRAFTED: dict[str, tuple[Any, dict[str, Any]]] = {
    "a million processes": (category_encoders.HashingEncoder(), {"max_process": 10**6}),
    "a number of processes that is none": (category_encoders.HashingEncoder(), {"max_process": "fork"}),
    "hashes without end": (category_encoders.HashingEncoder(), {"n_components": 10**9}),
    "powers of a long number": (category_encoders.BaseNEncoder(), {"base": 10**2000}),
    "powers in a subclass": (category_encoders.GrayEncoder(), {"base": 10**2000}),
    "a mapping that is no list": (category_encoders.OrdinalEncoder(), {"mapping": ({"data_type": "int"},)}),
    "items that are no dicts": (category_encoders.OrdinalEncoder(), {"mapping": ["data_type"]}),
    "long texts": (MatchVariables(), {"dtype_dict_": {"a": "S1000000000"}}),
    "threads of a sampler": (TomekLinks(), {"n_jobs": 10**6}),
    "threads of two samplers": (SMOTEENN(), {"n_jobs": 10**6}),
    "threads of an ensemble": (BalancedRandomForestClassifier(), {"n_jobs": 10**6}),
    "threads of a selector": (MRMR(), {"n_jobs": 10**6}),
    "names of columns without end": (
        MeanMedianImputer(),
        {"n_features_in_": 10**12, "feature_names_in_": ["a"], "variables_": ["a"], "imputer_dict_": {}},
    ),
    "columns without names": (OneHotEncoder(), {"n_features_in_": 3, "variables_": []}),
    "bins without end": (EqualWidthDiscretiser(), {"binner_dict_": {"a": 10**12}}),
    "bins without end in an array": (EqualWidthDiscretiser(), {"binner_dict_": {"a": np.array(10**12)}}),
    "bins of a tree": (DecisionTreeDiscretiser(), {"binner_dict_": {"a": 10**12}}),
    "bins in a parameter": (ArbitraryDiscretiser({"a": [0, 1]}), {"binning_dict": {"a": 10**12}}),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_a_number_that_asks_for_too_much_is_refused(name: str) -> None:
    model, attributes = CRAFTED[name]
    vars(model).update(attributes)
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=rf"{type(model).__name__}\.\w+"):
        skopsafe.loads(data)


@pytest.mark.parametrize(
    ("model", "attribute"),
    [
        (SMOTE(), "sampling_strategy"),
        (FunctionSampler(), "func"),
        (category_encoders.OrdinalEncoder(), "handle_unknown"),
        (category_encoders.TargetEncoder(), "mapping"),
        (category_encoders.TargetEncoder(), "cols"),
        (MeanMedianImputer(), "imputer_dict_"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
@pytest.mark.parametrize("function", [np.add, max, "bound"])
def test_a_function_that_could_reach_an_array_of_the_model_needs_approval(
    model: Any, attribute: str, function: Any
) -> None:
    function = {"array": np.ones(3)}.get if function == "bound" else function
    old = vars(model).get(attribute)
    try:
        vars(model)[attribute] = {"a": function} if attribute in ("mapping", "imputer_dict_") else function
        assert skopsafe.audit(model).untrusted == [
            f"{type(model).__module__}.{type(model).__name__}:{attribute}"
        ]
    finally:
        vars(model)[attribute] = old


@pytest.mark.parametrize("pipeline", [make_pipeline(LogisticRegression()), FeaturePipeline([("a", SMOTE())])])
def test_a_cache_of_a_pipeline_needs_approval(pipeline: Any, tmp_path: Path) -> None:
    name = f"{type(pipeline).__module__}.Pipeline:memory"
    pipeline.memory = str(tmp_path / "cache")
    assert skopsafe.audit(pipeline).untrusted == [name]
    pipeline.memory = None
    outer = GridSearchCV(Pipeline([("a", DecisionTreeClassifier())]), {"a__memory": [str(tmp_path)]})
    assert skopsafe.audit(outer).untrusted == ["sklearn.model_selection._search.GridSearchCV:param_grid"]


@pytest.mark.parametrize(
    ("grid", "ok"),
    [
        ({"math__func": ["to_clipboard"]}, False),
        ({"math__func": [["sum", "to_clipboard"], "max"]}, False),
        ([{"math__missing_values": ["raise"]}, {"math__func": [[np.mean], [["to_clipboard"]]]}], False),
        ({"window__functions": np.array(["pipe"])}, False),
        ({"bins__dtype": ["datetime64[ns, dateutil//path]"]}, False),
        ({"math__func": [np.mean, [np.sum, np.max]], "bins__dtype": [np.float32, None]}, True),
    ],
)
def test_a_grid_that_names_methods_needs_approval(grid: Any, ok: bool) -> None:
    search = GridSearchCV(Pipeline([("math", MathFeatures(["a", "b"], "sum"))]), grid)
    name = "sklearn.model_selection._search.GridSearchCV:param_grid"
    assert skopsafe.audit(search).untrusted == ([] if ok else [name])


@pytest.mark.parametrize("model", ["balanced_forest", "ordinal", "windows"])
def test_no_mutant_of_a_model_around_scikit_learn_dies(model: str) -> None:
    tally = run("tests.ecosystem_models", model, 15)
    assert not tally.bad
    assert tally.endings["loaded"]
    assert tally.endings.total() == 15
