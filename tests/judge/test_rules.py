"""Each rule: what it says of an operation, and of the nearest harmless one."""

from __future__ import annotations

import collections
import datetime
import enum
import functools
import io
import pickle
import re
import types
import zoneinfo
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest

import skopsafe
from skopsafe.judge.arguments import CHECKS
from skopsafe.judge.calls import all_calls
from skopsafe.judge.rules import RULES
from tests.judge.streams import call, look, name, stream, text

OS = name("posix", "system")


@pytest.mark.parametrize(
    "spelled",
    [
        "os:system",
        "posix:system",
        "nt:system",
        "builtins:eval",
        "builtins:getattr",
        "subprocess:Popen",
        "importlib:import_module",
        "pickle:loads",
        "pip:main",
        "numpy.f2py.crackfortran:myeval",
        "numpy.core:_ufunc_reconstruct",
        "mailcap:findmatch",
        "dataclasses:_create_fn",
        "typing:_eval_type",
        "torch.fx.graph_module:reduce_graph_module",
        "numpy:os.system",
        "numpy:testing",
        "numpy:testing.measure",
        "numpy:__builtins__",
        "numpy:ndarray.__init__.__globals__",
        "sklearn.base:os",
        "builtins:eval.__call__",
        "joblib.numpy_pickle:os.system",
    ],
)
def test_denied_names_are_malicious_however_they_are_reached(spelled: str) -> None:
    module, qualname = spelled.split(":")
    for data in (stream(call(spelled, text("x"))), stream(name(module, qualname))):
        found = look(data)
        level = "suspicious" if spelled == "sklearn.base:os" else "malicious"
        assert found.verdict == level, found
        assert found.reasons


@pytest.mark.parametrize(
    ("data", "level", "rule"),
    [
        (stream(call("textwrap:fill", text("x"))), "suspicious", "call of Python's own"),
        (stream(name("textwrap", "fill")), "unknown", "not reviewed"),
        (stream(call("nobody:function", text("x"))), "unknown", "not reviewed"),
        (stream(name("nobody", "Class") + b")\x81"), "unknown", "not reviewed"),
        (stream(name("nobody", "things.inside")), "suspicious", "walks through attributes"),
        (stream(name("nobody", "Outer.Inner")), "unknown", "not reviewed"),
        (stream(name("n\u043ebody", "Class")), "suspicious", "letters that look like others"),
        (stream(name("größe", "Maß")), "unknown", "not reviewed"),
        (stream(name("no body", "x")), "suspicious", "malformed name"),
        (stream(text("os") + call("builtins:str", text("system")) + b"\x93"), "malicious", "computed name"),
        (stream(call("builtins:dict") + b")R"), "suspicious", "call of a result"),
        (stream(b"N" + call("builtins:dict") + b"0"), "suspicious", "dropped result"),
        (stream(name("numpy", "ndarray") + b"}b"), "malicious", "changes what is imported"),
        (stream(name("numpy", "ndarray") + text("a") + b"Ns"), "malicious", "changes what is imported"),
        (stream(b"]" + b"K\x00Ns"), "suspicious", "changes a list"),
        (b"Psome\n.", "suspicious", "persistent id"),
        (stream(text("storage") + b"\x85Q"), "unknown", "persistent id"),
        (b"\x82\x01.", "suspicious", "extension"),
        (b"\x80\x05\x97.", "unknown", "buffer"),
        (b"Nr\xff\xff\xff\x7f.", "suspicious", "note"),
        (stream(call("builtins:bytearray", b"J\xff\xff\xff\x7f")), "suspicious", "arguments"),
        (stream(call("_codecs:encode", text("x"), text("evil"))), "suspicious", "arguments"),
        (stream(call("builtins:iter", OS, b"N")), "malicious", "denied"),
        (stream(call("builtins:type", text("x"), b")", b"}")), "malicious", "arguments"),
        (stream(call("functools:reduce", OS, b")")), "malicious", "denied"),
        (stream(call("zoneinfo:ZoneInfo", text("../../etc/passwd"))), "suspicious", "arguments"),
        (
            stream(call("numpy.random._pickle:__generator_ctor", text("x"), name("nobody", "f"))),
            "malicious",
            "arguments",
        ),
        (stream(call("builtins:getattr", text("x"), text("__class__"))), "malicious", "arguments"),
        (stream(call("builtins:getattr", text("x"), call("builtins:str"))), "malicious", "arguments"),
        (stream(call("builtins:getattr", text("x"), text("format"))), "malicious", "denied"),
        (stream(b"N") + b"\xffjunk", "unknown", "note"),
        (stream(call("logging:getLogger", text("x")) + b"}b"), "malicious", "changes what is imported"),
        (stream(call("http:HTTPStatus", b"K\xc8") + b"}b"), "malicious", "changes what is imported"),
        (
            stream(call("builtins:getattr", name("zoneinfo", "ZoneInfo"), text("_unpickle")))[:-1]
            + b"("
            + text("UTC")
            + b"\x88tR}b.",
            "malicious",
            "changes what is imported",
        ),
        (stream(call("fractions:Fraction", text("1e999999999"))), "suspicious", "arguments"),
        (stream(call("collections:deque", call("itertools:count", b"K\x01"))), "suspicious", "arguments"),
        (
            stream(
                name("argparse", "Namespace") + b")\x81}",
                text("append") + name("numpy", "sin") + b"sbK\x01a",
            ),
            "malicious",
            "calls what is in a state",
        ),
    ],
)
def test_verdicts(data: bytes, level: str, rule: str) -> None:
    found = look(data)
    assert found.verdict == level, found
    assert not rule or rule in {op.rule for op in found.operations if op.verdict == level}, found


def test_special_attributes_in_a_state() -> None:
    thing = name("sklearn.linear_model._base", "LinearRegression") + b")\x81"
    harmless = stream(thing, b"}" + text("coef_") + b"Nsb")
    assert look(harmless).verdict == "safe"
    assert look(stream(thing, b"}" + text("__class__") + b"Nsb")).verdict == "suspicious"
    assert look(stream(thing, b"N}" + text("__class__") + b"Ns\x86b")).verdict == "malicious"
    assert look(stream(thing, b"}" + text("__class__") + b"NsN\x86b")).verdict == "suspicious"


class Color(enum.Enum):
    RED = 1


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "obj",
    [
        datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
        zoneinfo.ZoneInfo("UTC"),
        PurePosixPath("a/b"),
        functools.partial(np.mean, axis=0),
        collections.Counter("aab"),
        collections.defaultdict(list, a=[1]),
        types.SimpleNamespace(a=1),
        ValueError("x"),
        int | str,
        int | None,
        list[int] | dict[str, int | None] | None,
        list[int],
        collections.defaultdict(functools.partial(dict)),
        re.compile("a+").findall,
        type(None),
        "abc".join,
        b"bytes \xff",
        bytearray(b"x"),
        iter([1, 2]),
        np.arange(3),
        np.float32(2.5),
        np.array([None, "a"], object),
        np.random.default_rng(0),
        np.random.RandomState(0),
    ],
    ids=lambda obj: type(obj).__qualname__,
)
def test_what_python_and_numpy_write_is_safe(obj: Any, protocol: int) -> None:
    if isinstance(obj, type(ValueError("x"))) and protocol < 2:
        pytest.skip("exceptions are plain calls there as well")
    found = look(pickle.dumps(obj, protocol))
    assert found.verdict == "safe", found


def test_what_nobody_reviewed_is_unknown() -> None:
    found = look(pickle.dumps([Color.RED]))
    assert found.verdict == "unknown"


def test_a_second_pickle_and_one_that_breaks_off_count() -> None:
    good, bad = pickle.dumps([1]), stream(call("posix:system", text("x")))
    assert look(good + good).verdict == "safe"
    assert look(good + bad).verdict == "malicious"
    assert look(bad[:-1]).verdict == "malicious"
    assert look(bad[:-1] + b"\xff").verdict == "malicious"
    broken = look(stream(call("builtins:dict"))[:-1])
    assert (broken.verdict, broken.exit_code) == ("suspicious", 1) or broken.exit_code == 3
    assert broken.errors


def test_pickles_within_pickles_are_looked_at() -> None:
    bad = stream(call("posix:system", text("x")))
    for inner in (
        bad,
        bytearray(bad),
        bad.decode("latin-1"),
        bad + b"\0" * 2**17,
        stream(call("zlib:crc32")),
    ):
        found = look(pickle.dumps({"content": inner}))
        assert found.verdict == (
            "malicious" if len(inner) != len(stream(call("zlib:crc32"))) else "suspicious"
        )
        assert any(op.rule == "pickle within" for op in found.operations)
    deep = bad
    for _ in range(8):
        deep = pickle.dumps([deep])
    assert look(deep).verdict != "safe"
    assert look(pickle.dumps({"content": pickle.dumps([1, 2])})).verdict == "safe"
    assert look(pickle.dumps({"content": bytes(range(256)) * 100})).verdict == "safe"


def test_every_rule_and_check_is_used() -> None:
    checks = {reviewed.check for reviewed in all_calls().values()} - {""}
    assert checks == set(CHECKS)
    assert {kind for rule in RULES.values() for kind in rule.kinds} == {
        *("import", "call", "build", "append", "setitem", "add")
    }


def test_a_report_shows_nothing_raw_and_not_too_much() -> None:
    found = look(stream(call("posix:system", text("\x1b[31m" + "x" * 10_000 + "\u202e"))))
    assert "\x1b" not in str(found)
    assert "\\x1b" in str(found)
    assert all(len(op.what) < 1000 for op in found.operations)
    assert str(found).isprintable() or "\n" in str(found)
    assert found.to_dict()["verdict"] == "malicious"


def test_many_and_deep_values_take_linear_time() -> None:
    deep = stream(b"N" + b"\x85" * 200_000)
    assert look(deep).verdict == "safe"
    wide = stream(call("posix:system", b"]" + b"(" + b"K\x01" * 100_000 + b"e"))
    assert look(wide).verdict == "malicious"


def test_what_a_dtype_of_pandas_has_in_its_cache_is_safe() -> None:
    pandas = pytest.importorskip("pandas")
    array = pandas.array([1, None], dtype="Int64")
    assert array.dtype.index_class is pandas.Index
    assert array.dtype.numpy_dtype.kind == "i"
    for protocol in (2, 5):
        assert skopsafe.inspect_pickle(io.BytesIO(pickle.dumps(array, protocol))).verdict == "safe"
