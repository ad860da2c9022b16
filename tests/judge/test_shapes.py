"""What no pickler does with classes that were reviewed, and what it would do."""

from __future__ import annotations

import argparse
import collections
import functools
import itertools
import pickle
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score, make_scorer, roc_auc_score

from tests.judge.streams import call, look, name, stream, text


def new(spelled: str, *args: bytes) -> bytes:
    return name(*spelled.split(":")) + b"(" + b"".join(args) + b"t\x81"


def table(**items: bytes) -> bytes:
    return b"}(" + b"".join(text(key) + item for key, item in items.items()) + b"u"


def number(value: int) -> bytes:
    return b"\x8a\x08" + value.to_bytes(8, "little", signed=True)


def row(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def data(size: int) -> bytes:
    return b"B" + size.to_bytes(4, "little") + b"A" * size


def dtype(kind: str, flags: int, *, size: int = -1, alignment: int = -1) -> bytes:
    state = row(b"K\x03", text("|"), b"NNN", number(size), number(alignment), number(flags))
    return call("numpy:dtype", text(kind), b"\x89", b"\x88") + state + b"b"


def over(content: bytes, made: bytes) -> bytes:
    return call("numpy._core.numeric:_frombuffer", content, made, row(b"K\x08"), text("C"))


NAMESPACE = new("argparse:Namespace")
PLACE = table(shape=row(b"K\x0a"), typestr=text("|u1"), data=row(number(4096), b"\x89"), version=b"K\x03")
UNBUILT = call("numpy:dtype", text("V8"), b"\x89", b"\x88")
FIELDS = row(
    *(b"K\x03", text("|"), b"N", row(text("a")), table(a=row(dtype("O8", 63), b"K\x00"))),
    *(b"K\x08", b"K\x01", b"K\x1b"),
)
LATE = row(UNBUILT + b"q\x01", over(data(8), b"h\x01"), b"h\x01" + FIELDS + b"b")
COMPUTED = call("builtins:str", b"C\x09__class__", text("ascii"))


def made_text(value: str) -> bytes:
    return call("copyreg:_reconstructor", *2 * (name("builtins", "str"),), text(value))


def ordered(**items: bytes) -> bytes:
    return call("collections:OrderedDict") + table(**items).removeprefix(b"}")


def by_function(function: str) -> bytes:
    """Push an instance that is made by a call of a reviewed function, and has an address for a state."""
    given = (name("xgboost.core", "DMatrix"), *((b"}",) if function.endswith("_new_Index") else ()))
    return call(function, *given) + table(handle=number(0x4141414141)) + b"b"


TZFILE = name("dateutil.tz.tz", "tzfile")
ZONE = "dateutil//etc/passwd"
DATETIMES = "pandas.core.indexes.datetimes:_new_DatetimeIndex"
METHOD = call("functools:partial", call("builtins:getattr", b"}", text("get")))
MAPPING = new("collections:UserDict") + table(data=table(_handle=number(0x4141414141)), get=METHOD) + b"b"
FORMULA = table(formula=text("y ~ f(x)"), restore_model_spec=b"\x88")


def address(spelled: str) -> bytes:
    attributes = dict.fromkeys(("handle", "_handle"), number(0x4141414141))
    return new(spelled) + table(**attributes, _InnerPredictor__is_manage_handle=b"\x88") + b"b"


@pytest.mark.parametrize(
    ("made", "rule"),
    [
        (NAMESPACE + table(__array_interface__=PLACE) + b"b", "special attribute"),
        (new("sklearn.utils._bunch:Bunch") + text("__array_interface__") + PLACE + b"s", "special attribute"),
        (
            call(
                "copyreg:_reconstructor",
                name("sklearn.utils._bunch", "Bunch"),
                name("builtins", "dict"),
                table(__array_interface__=PLACE),
            ),
            "arguments",
        ),
        (NAMESPACE + call("collections:OrderedDict") + text("__class__") + b"Nsb", "special attribute"),
        (NAMESPACE + b"}" + COMPUTED + b"Nsb", "computed attribute"),
        (
            NAMESPACE + call("builtins:dict", b"](" + row(text("__class__"), b"N") + b"e") + b"b",
            "computed attribute",
        ),
        (new("pandas:Index", NAMESPACE), "arguments"),
        (new("numpy:ndarray", row(b"K\x08"), text("u1"), data(8)), "arguments"),
        (new("numpy.ma:MaskedArray", NAMESPACE), "arguments"),
        (
            call("copyreg:__newobj__", name("numpy", "ndarray"), row(b"K\x08")),
            "arguments",
        ),
        (
            call("copyreg:_reconstructor", *2 * (name("dateutil.tz", "tzfile"),), text("/dev/zero")),
            "arguments",
        ),
        (call("types:SimpleNamespace", table(a=b"N")), "arguments"),
        (call("pandas:DatetimeTZDtype", text("ns"), text("dateutil//etc/passwd")), "arguments"),
        (call("pandas:SparseDtype", text("datetime64[ns, dateutil//etc/passwd]")), "arguments"),
        (
            call(
                "pandas.core.indexes.base:_new_Index",
                name("pandas", "Index"),
                table(dtype=text("datetime64[ns, dateutil//etc/passwd]")),
            ),
            "arguments",
        ),
        (call("builtins:dict", NAMESPACE), "arguments"),
        (call("builtins:list", call("collections:OrderedDict") + table(keys=b"N") + b"b"), "arguments"),
        (call("builtins:iter", NAMESPACE), "arguments"),
        (call("builtins:str", data(1), text("idna")), "arguments"),
        (call("numpy:dtype", NAMESPACE, b"\x89", b"\x88"), "arguments"),
        (over(over(data(8), dtype("u1", 0)), dtype("u1", 0)), "arguments"),
        (new("pandas:DataFrame") + text("a") + b"Ns", "items"),
        (
            call("numpy._core.numeric:_frombuffer", data(8), dtype("u1", 0), row(b"K\x08"), text("C"))
            + b"NNs",
            "items",
        ),
        (b"\x96" + (8).to_bytes(8, "little") + b"A" * 8 + b"K\x01a", "items"),
        (call("collections:Counter") + b"(K\x01\x90", "items"),
        (NAMESPACE + b"}b}b", "second state"),
        (new("sklearn.linear_model._base:LinearRegression") + b"N" + table(a=b"N") + b"\x86b", "slots"),
        (dtype("O8", 0), "dtype"),
        (dtype("O8", 61), "dtype"),
        (dtype("V8", 0, size=800, alignment=0), "dtype"),
        (
            call("numpy:dtype", text("f8"))
            + row(b"K\x03", text(">"), b"NNN", *2 * (number(-1),), b"K\x00")
            + b"b",
            "dtype",
        ),
        (LATE, "dtype"),
        (call(DATETIMES, name("pandas", "DatetimeIndex"), ordered(tz=text(ZONE))), "arguments"),
        (call(DATETIMES, name("pandas", "DatetimeIndex"), table(tz=made_text(ZONE))), "arguments"),
        (
            call(
                *("pandas:DatetimeTZDtype", text("ns")),
                call("numpy._core.multiarray:scalar", call("numpy:dtype", text("U9")), data(36)),
            ),
            "arguments",
        ),
        (call("pandas:SparseDtype", made_text(f"datetime64[ns, {ZONE}]")), "arguments"),
        (call("functools:partial", TZFILE, text("/etc/passwd")), "arguments"),
        (call("collections:defaultdict", TZFILE), "arguments"),
        (call("types:GenericAlias", TZFILE, name("builtins", "int")), "arguments"),
        (call("_operator:getitem", name("typing", "Union"), TZFILE), "arguments"),
        (
            call("functools:partial", call("_operator:getitem", name("typing", "List"), TZFILE)),
            "arguments",
        ),
        (
            call("numpy._core.multiarray:scalar", call("numpy:dtype", text("O")), TZFILE),
            "arguments",
        ),
        (
            call("copyreg:_reconstructor", *2 * (name("builtins", "bytes"),), number(2**32)),
            "arguments",
        ),
        (
            call(
                "copyreg:_reconstructor",
                *2 * (name("builtins", "list"),),
                call("itertools:cycle", b"]K\x01a"),
            ),
            "arguments",
        ),
        (
            new("sklearn.isotonic:IsotonicRegression") + table(_build_f=METHOD) + b"b",
            "attribute that acts",
        ),
        (new("lightgbm.basic:Booster") + MAPPING + b"b", "state"),
        (new("somebody:Model") + MAPPING + b"b", "state"),
        (new("statsmodels.base.data:PandasData") + FORMULA + b"b", "code in a state"),
        (by_function("sklearn.metrics._dist_metrics:newObj"), "instance"),
        (by_function("pandas.core.indexes.base:_new_Index"), "instance"),
        (new("pyarrow.lib:DataType"), "instance"),
        (address("xgboost.core:DMatrix"), "instance"),
        (address("lightgbm.basic:Dataset"), "instance"),
        (address("lightgbm.basic:_InnerPredictor"), "attribute that acts"),
        (new("typing:_GenericAlias"), "instance"),
        (
            new("sklearn.metrics._scorer:_Scorer") + table(_response_method=text("save_model")) + b"b",
            "attribute that acts",
        ),
    ],
)
def test_what_no_pickler_does_is_suspicious(made: bytes, rule: str) -> None:
    found = look(stream(made))
    assert found.verdict == "suspicious", found
    assert rule in {op.rule for op in found.operations if op.verdict == "suspicious"}, found


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "obj",
    [
        argparse.Namespace(a=1),
        types.SimpleNamespace(a=1),
        load_iris(),
        collections.deque([1, 2], 3),
        collections.OrderedDict(a=1),
        np.dtype([("a", "i4"), ("b", "O")]),
        np.dtype([("a", "i4"), ("b", "f8")], align=True),
        np.dtype("M8[ns]"),
        np.dtype((np.int32, (2, 3))),
        np.dtype("i4", metadata={"a": 1}),
        np.array([(1, None)], [("a", "i4"), ("b", "O")]),
        np.ma.masked_array([1, 2], [0, 1]),
        make_scorer(accuracy_score),
        make_scorer(roc_auc_score, response_method=("decision_function", "predict_proba")),
        functools.partial(np.mean, axis=0),
        np.array([(1, None)], [("a", "i4"), ("b", "O")])[0],
        itertools.product([1, 2], "ab"),
        itertools.combinations([1, 2], 2),
        np.arange(3.0).sum,
        collections.defaultdict(itertools.count().__next__),
        collections.defaultdict(functools.partial(collections.defaultdict, int)),
        pd.interval_range(0, 3),
        pd.Interval(np.float64(1), np.float64(2)),
        pd.DateOffset(months=1),
    ],
    ids=lambda obj: type(obj).__qualname__,
)
def test_what_picklers_do_is_safe(obj: Any, protocol: int) -> None:
    try:
        data = pickle.dumps(obj, protocol)
    except TypeError:  # an offset of pandas 2 by a protocol before 2
        assert protocol < 2
        pytest.skip("it cannot be pickled so")
    found = look(data)
    assert found.verdict == "safe", found


def test_dtypes_that_another_numpy_may_know_are_unknown() -> None:
    state = row(b"K\x03", text("<"), b"NNN", *2 * (number(-1),), b"K\x00")
    made = call("numpy:dtype", name("ml_dtypes", "bfloat16"), b"\x89", b"\x88") + state + b"b"
    assert look(stream(made)).verdict == "unknown"


def test_a_scorer_that_is_called_while_it_is_loaded_writes_a_file(tmp_path: Path) -> None:
    """Containers call ``keys`` of what they are given, and a scorer calls a method by its name."""
    xgboost = pytest.importorskip("xgboost")
    marker = tmp_path / "marker"
    model = xgboost.XGBClassifier(n_estimators=1).fit([[0.0], [1.0]], [0, 1])
    scorer = make_scorer(accuracy_score)
    scorer._response_method = "save_model"
    hooked = argparse.Namespace(keys=functools.partial(scorer, model, str(marker), None))
    inner = pickle.dumps(hooked, 3)[2:-1]
    file = tmp_path / "model.pkl"
    file.write_bytes(b"\x80\x03cbuiltins\ndict\n" + inner + b"\x85R.")
    found = look(file.read_bytes())
    assert found.verdict == "suspicious"
    assert {"arguments", "attribute that acts"} <= {op.rule for op in found.operations}
    assert not marker.exists()
    if xgboost.__version__.startswith("2.0"):
        return  # its estimators fail as soon as scikit-learn 1.6 asks what they are
    subprocess.run(
        [sys.executable, "-c", "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))", str(file)],
        capture_output=True,
        check=False,
    )
    assert marker.exists(), "it does no harm, and says nothing about the rules"


@pytest.mark.parametrize(
    "spelled", ["xgboost.core:DMatrix", "lightgbm.basic:Dataset", "lightgbm.basic:_InnerPredictor"]
)
def test_an_address_in_a_state_ends_the_process(spelled: str, tmp_path: Path) -> None:
    pytest.importorskip(spelled.partition(".")[0])
    file = tmp_path / "model.pkl"
    file.write_bytes(stream(address(spelled)))
    script = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"
    assert subprocess.run([sys.executable, "-c", script, str(file)], check=False).returncode < 0


@pytest.mark.parametrize(
    "made",
    [
        by_function("sklearn.metrics._dist_metrics:newObj"),
        by_function("pandas.core.indexes.base:_new_Index"),
        new("lightgbm.basic:Booster") + MAPPING + b"b",
        call("pyarrow.lib:list_", new("pyarrow.lib:DataType")),
    ],
    ids=["function", "index", "mapping", "nothing in it"],
)
def test_other_ways_to_an_address_end_the_process_too(made: bytes, tmp_path: Path) -> None:
    for library in ("xgboost", "lightgbm", "pyarrow"):
        pytest.importorskip(library)
    file = tmp_path / "model.pkl"
    file.write_bytes(stream(made))
    script = "import pickle, sys; made = pickle.load(open(sys.argv[1], 'rb')); del made"
    assert subprocess.run([sys.executable, "-c", script, str(file)], check=False).returncode < 0


def test_what_scipy_writes_of_distributions_is_not_taken_for_an_attack() -> None:
    kinds = (scipy.stats.rv_continuous, scipy.stats.rv_discrete)
    every = [each for each in vars(scipy.stats).values() if isinstance(each, kinds)]
    assert len(every) > 100
    for each in every:
        found = look(pickle.dumps(each))
        assert found.verdict in ("unknown", "suspicious"), (each.name, found)
        assert "code in a state" not in {op.rule for op in found.operations}
