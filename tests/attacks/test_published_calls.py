"""Reviewed functions and types that did more than compute when a file gave them arguments of its choice.

The pattern is that of the bypasses of the safe mode of Keras: only what is allowed is called, and still a
file is opened, a program is started, or memory is shown.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.special
from sklearn.cluster import FeatureAgglomeration
from sklearn.compose import make_column_selector
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import Bunch
from sklearn.utils.validation import check_array

import skopsafe
from tests.attacks.published import needs

X = np.zeros((3, 2))


@pytest.mark.parametrize(
    "function", [np.exp, np.log1p, scipy.special.expit, np.clip], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("mask", [False, np.False_, np.zeros((3, 2), bool), [True, False], None])
def test_a_function_shows_no_memory_of_before(function: Any, mask: Any) -> None:
    """A universal function leaves what ``where`` excludes as it was when it was allocated."""
    given = {"where": mask} | ({"a_min": 0, "a_max": 1} if function is np.clip else {})
    for model in (
        FunctionTransformer(function, kw_args=given),
        FunctionTransformer(inverse_func=function, inv_kw_args=given),
        FunctionTransformer(functools.partial(function, **given)),
        KNeighborsRegressor(weights=functools.partial(function, **given)),
        functools.partial(functools.partial(function), **given),
        collections.defaultdict(functools.partial(function, 0.0, **given)),
    ):
        with pytest.raises(skopsafe.ValidationError, match=r"memory of before.*where"):
            skopsafe.loads(skopsafe.dumps(model))


@pytest.mark.filterwarnings("ignore:'where' used without")
def test_the_memory_of_before_is_what_was_there() -> None:
    """What is refused above, on the live object: numbers of an array that is gone."""
    model, given = FunctionTransformer(np.exp, kw_args={"where": False}), np.zeros(100)
    seen = 0
    for _ in range(50):
        secret = np.full(100, 1234.5)
        del secret
        seen += int((model.transform(given) == 1234.5).sum())
    assert seen


@pytest.mark.parametrize(
    "given", [{"where": True}, {"where": np.True_}, {"dtype": "float32"}, {"dtype": None}]
)
def test_usual_arguments_pass(given: Any) -> None:
    for model in (
        FunctionTransformer(np.exp, kw_args=given),
        FunctionTransformer(functools.partial(np.exp, **given)),
        functools.partial(dict, where="a text"),  # no function of numpy
    ):
        data = skopsafe.dumps(model)
        assert needs(data) == []
        skopsafe.loads(data)


def test_an_array_is_not_made_of_memory_of_before() -> None:
    assert FunctionTransformer(np.ndarray).transform([5]).shape == (
        5,
    )  # of numbers that happened to be there
    for model in (FunctionTransformer(np.ndarray), functools.partial(np.ndarray, (5,)), [np.ndarray]):
        assert needs(skopsafe.dumps(model)) == ["numpy.ndarray"]


def opened(monkeypatch: pytest.MonkeyPatch, run: Any) -> bool:
    """Tell whether `run` opens the file that `PLACE` names."""
    from dateutil import tz

    found = []
    monkeypatch.setattr(tz.tz.tzfile, "__init__", lambda self, path, *_: found.append(path))
    with contextlib.suppress(Exception):  # whether it was opened is all that matters
        run()
    monkeypatch.undo()
    return bool(found)


@pytest.fixture
def place(tmp_path: Path) -> str:
    (tmp_path / "secret").write_bytes(b"x" * 100)
    return f"dateutil/{tmp_path / 'secret'}"


NAMED = ["Timestamp", "DatetimeTZDtype", "IntervalDtype", "SparseDtype"]


@pytest.mark.parametrize("name", NAMED)
def test_a_class_of_pandas_opens_no_file(name: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a time zone may be a path: dateutil opens that file."""
    cls = getattr(pd, name)
    text = f"datetime64[ns, {place}]"
    made = {
        "Timestamp": functools.partial(cls, "2020", tz=place),
        "DatetimeTZDtype": functools.partial(cls, "ns", place),
    }.get(name, functools.partial(cls, text))
    assert opened(monkeypatch, made)
    for model in (made, collections.defaultdict(made), FunctionTransformer(made), FunctionTransformer(cls)):
        assert needs(skopsafe.dumps(model)) == [f"pandas.{name}"]


@pytest.mark.filterwarnings("ignore")
def test_the_classes_of_pandas_that_need_none_open_none(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from skopsafe.trust.tables import Tables

    text = f"datetime64[ns, {place}]"
    listed = [name for name in dir(pd) if Tables(()).reviewed(f"pandas:{name}", "value")]
    assert len(listed) > 10
    for name in listed:
        for arguments in (
            (place,),
            (text,),
            ("2020", place),
            ("2020", text),
            ("ns", place),
            (0, text),
            (1, 2, text),
        ):
            assert not opened(monkeypatch, lambda n=name, a=arguments: getattr(pd, n)(*a))
            for key in (
                "tz",
                "dtype",
                "freq",
                "subtype",
                "unit",
                "tzinfo",
                "categories",
                "storage",
                "closed",
            ):
                for value in (place, text):
                    given = {key: value}
                    assert not opened(
                        monkeypatch, lambda n=name, a=arguments, g=given: getattr(pd, n)(*a[:-1], **g)
                    )


@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: [text], lambda text: ("f8", text), np.str_])
def test_a_dtype_in_arguments_opens_no_file(wrap: Any, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"a": pd.array([1, 2], dtype="Int64")})
    given = {"dtype": wrap(f"datetime64[ns, {place}]")}
    live = FunctionTransformer(check_array, kw_args={"dtype": f"datetime64[ns, {place}]"})
    assert opened(monkeypatch, lambda: live.transform(frame))
    for model in (
        FunctionTransformer(check_array, kw_args=given),
        FunctionTransformer(functools.partial(check_array, **given)),
        FunctionTransformer(np.array, kw_args=given),
    ):
        with pytest.raises(skopsafe.ValidationError, match="not a plain dtype"):
            skopsafe.loads(skopsafe.dumps(model))


@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: [text], lambda text: np.array([text])])
def test_a_selector_opens_no_file(wrap: Any, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"datetime64[ns, {place}]"
    frame = pd.DataFrame({"a": [1.0]})
    assert opened(monkeypatch, lambda: make_column_selector(dtype_include=text)(frame))
    for given in ({"dtype_include": wrap(text)}, {"dtype_exclude": wrap(text)}):
        with pytest.raises(skopsafe.ValidationError, match="not a plain dtype"):
            skopsafe.loads(skopsafe.dumps(FunctionTransformer(make_column_selector(**given))))
    selector = make_column_selector(dtype_include=["category", "number", np.number, object])
    assert skopsafe.loads(skopsafe.dumps(selector)).dtype_include == selector.dtype_include


_PROGRAM = """
import pandas as pd
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
table = FrozenEstimator(pd.DataFrame({"a": [1.0]}))
last = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
make_pipeline(FunctionTransformer("to_clipboard".translate), table, last).predict([[0.0]])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the clipboard is another program elsewhere")
def test_a_table_as_an_estimator_runs_its_method_of_any_name(tmp_path: Path) -> None:
    """What the refusal below is about, on live objects: nothing but reviewed types, and a program starts."""
    program, target = tmp_path / "xsel", tmp_path / "started"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\necho x >> {target}\n")
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "DISPLAY": ":0"}
    environment.pop("WAYLAND_DISPLAY", None)
    subprocess.run([sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, check=False)
    assert target.exists()


@pytest.mark.parametrize("table", [pd.DataFrame({"a": [1.0]}), pd.Series([1.0])], ids=["frame", "series"])
def test_a_table_is_no_estimator(table: Any) -> None:
    last = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    search = GridSearchCV(last, {})
    search.best_estimator_ = table
    for model in (FrozenEstimator(table), search, make_pipeline(FrozenEstimator(table), last)):
        with pytest.raises(skopsafe.ValidationError, match="a table is no estimator"):
            skopsafe.loads(skopsafe.dumps(model))
    kept = LinearRegression()
    kept.table_ = table  # as data it is welcome
    assert skopsafe.loads(skopsafe.dumps(kept)).table_.equals(table)


def given_out(path: Path) -> dict[str, Any]:
    """Return transformers that make a text of the file's choice of any X."""
    text, known = str(path), np.array([str(path)], dtype=object)
    codes = np.frombuffer(text.encode(), np.uint8)
    return {
        "a method of a text": FunctionTransformer(text.translate),
        "in a partial": FunctionTransformer(functools.partial(str.translate, text)),
        "the largest object": make_pipeline(
            FunctionTransformer(functools.partial(np.where, True, known)), FunctionTransformer(np.max)
        ),
        "the only object": make_pipeline(
            FunctionTransformer(len),
            FunctionTransformer(functools.partial(np.where, True, known.reshape(()))),
            FunctionTransformer(functools.partial(np.multiply, 1)),
        ),
        "decoded": make_pipeline(
            FunctionTransformer(functools.partial(np.where, True, codes)),
            FunctionTransformer(np.ravel),
            FunctionTransformer(np.array, kw_args={"dtype": "uint8"}),
            FunctionTransformer(str, kw_args={"encoding": "ascii"}),
        ),
        "decoded by numpy": make_pipeline(
            FunctionTransformer(functools.partial(np.where, True, codes)),
            FunctionTransformer(np.array, kw_args={"dtype": "uint8"}),
            FunctionTransformer(np.str_, kw_args={"encoding": "ascii"}),
        ),
        "a step that is none": make_pipeline(Bunch(transform=text.translate), FunctionTransformer()),
        "a class in a step that is none": make_pipeline(
            FunctionTransformer(np.array), Bunch(transform=functools.partial(str, errors="strict"))
        ),
    }


@pytest.mark.parametrize("how", given_out(Path("x")))
def test_no_step_makes_a_path_of_the_files_choice(how: str, tmp_path: Path) -> None:
    """XGBoost opens the file whose path it is given as X, as Keras did with a vocabulary (CVE-2025-12058)."""
    path = tmp_path / "rows.libsvm"
    path.write_text("1 0:0.5 1:0.25\n0 0:0.75 1:0.5\n")
    steps = given_out(Path(f"{path}?format=libsvm"))[how]
    if "class" not in how:
        given = steps.transform([[1.0]])
        assert isinstance(given, str)
        assert Path(given.partition("?")[0]).read_text().startswith("1 0:")
    data = skopsafe.dumps(steps)
    if skopsafe.get_untrusted_types(data=data):
        with pytest.raises(skopsafe.UntrustedTypesFoundException, match="path of a file"):
            skopsafe.loads(data)
    else:
        with pytest.raises(skopsafe.ValidationError, match=r"not numbers|may take for a path"):
            skopsafe.loads(data)


@pytest.mark.filterwarnings("ignore:.*Text file input")
def test_xgboost_opens_the_file_of_a_path(tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    path = tmp_path / "rows.libsvm"
    path.write_text("1 0:0.5 1:0.25\n0 0:0.75 1:0.5\n0 0:0.75 1:0.5\n")
    model = xgboost.XGBRegressor(n_estimators=1).fit([[0.0, 1.0], [1.0, 0.0]], [0.0, 1.0])
    with contextlib.suppress(xgboost.core.XGBoostError):  # releases differ in what they make of it
        assert len(model.predict(f"{path}?format=libsvm")) == 3
    model = make_pipeline(FunctionTransformer(f"{path}?format=libsvm".translate), model)
    assert needs(skopsafe.dumps(model)) == [
        "sklearn.preprocessing._function_transformer.FunctionTransformer:func"
    ]


@pytest.mark.parametrize(
    "model",
    [
        FunctionTransformer(functools.partial(np.where, np.ones(2, bool), np.zeros((1, 2)))),
        FunctionTransformer(functools.partial(np.add, [[1, 2.5]])),
        FunctionTransformer(np.nan_to_num, kw_args={"nan": 0.0, "posinf": np.float32(1)}),
        FunctionTransformer(np.array, kw_args={"dtype": np.float32, "order": "F"}),
        FunctionTransformer(np.reshape, kw_args={"order": "C", "copy": None}),
        CountVectorizer(tokenizer=str.split, preprocessor=str.lower),
        SimpleImputer(strategy=np.max),
        FeatureAgglomeration(2, pooling_func=np.mean),
        {"functions": [np.max, str.lower]},
    ],
    ids=lambda model: type(model).__name__,
)
def test_functions_with_numbers_and_at_their_places_need_none(model: Any) -> None:
    data = skopsafe.dumps(model)
    assert needs(data) == []
    skopsafe.loads(data)


def test_every_attribute_whose_transform_is_called_is_known() -> None:
    """The names by which the check tells estimators from data, against the code of the libraries."""
    import importlib
    import re

    from skopsafe.handlers.sklearn.validators.params import _ESTIMATOR, _PLAIN

    called: set[str] = set()
    for library in _PLAIN:
        folder = Path(str(importlib.import_module(library).__file__)).parent
        for source in folder.rglob("*.py"):
            if "tests" not in source.parts:
                called |= set(re.findall(r"self\.(\w+)\.(?:transform|apply)\(", source.read_text("utf-8")))
    assert len(called) > 15
    # A tree, and dictionaries of frames that are data, have loaders or rules of their own.
    assert {name for name in called if not _ESTIMATOR.search(name)} <= {"tree_"}
