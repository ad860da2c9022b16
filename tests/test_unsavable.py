"""What dumps, loads: everything else is refused by `dump`, with its place and what to do about it."""

from __future__ import annotations

import array
import ast
import asyncio
import builtins
import collections
import contextvars
import decimal
import email.message
import fractions
import functools
import hashlib
import io
import ipaddress
import itertools
import json
import logging
import math
import operator
import os
import queue
import random
import re
import socket
import statistics
import string
import struct
import subprocess
import sys
import threading
import time
import types
import typing
import weakref
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skopsafe
from tests.user_classes import Doubler, Plain


def _generator() -> Any:
    yield 1


def _local() -> tuple[type, Callable[[], None]]:
    class Local:
        pass

    def function() -> None: ...

    return Local, function


async def _coroutine() -> None: ...


def _started() -> Any:
    coroutine = _coroutine()
    weakref.finalize(coroutine, lambda: None)
    return coroutine


def _traceback() -> Any:
    try:
        raise ValueError
    except ValueError as error:
        return error.__traceback__


def _hiding() -> Any:
    model = StandardScaler()
    model.transform = np.log1p
    return model


LOCAL, FUNCTION = _local()
NAME = r"no name by which it could be found|is not what .* means"
STATE = r"no state that could be written|cannot be saved"
NEVER = r"can never be approved, so the file could not be loaded"

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "lambda": (lambda: lambda: 1, NAME),
    "local class": (lambda: LOCAL, NAME),
    "instance of a local class": (LOCAL, NAME),
    "local function": (lambda: FUNCTION, NAME),
    "namedtuple of another name": (lambda: collections.namedtuple("Gone", "a")(1), NAME),
    "decorated partial": (lambda: functools.lru_cache(str.lower), NAME),
    "open file": (lambda: open(os.devnull), STATE),  # noqa: SIM115
    "generator": (_generator, "used up"),
    "iterator of a list": (lambda: iter([]), "used up"),
    "iterator of a dict": (lambda: iter({}), "used up"),
    "map": (lambda: map(len, []), "used up"),
    "zip": (lambda: zip([1], strict=False), "used up"),
    "count": (lambda: itertools.count(3), "used up"),
    "chain": (lambda: itertools.chain([1]), "used up"),
    "code": (lambda: _generator.__code__, STATE),
    "frame": (sys._getframe, STATE),
    "traceback": (_traceback, STATE),
    "lock": (threading.Lock, STATE),
    "event": (threading.Event, STATE),
    "thread": (threading.Thread, STATE),
    "queue": (queue.Queue, STATE),
    "module": (lambda: math, STATE),
    "random module of numpy": (lambda: np.random, STATE),
    "socket": (socket.socket, STATE),
    "memoryview": (lambda: memoryview(b"a"), STATE),
    "weak reference": (lambda: weakref.ref(LOCAL), STATE),
    "dict keys": ({}.keys, STATE),
    "dict values": ({}.values, STATE),
    "dict items": ({}.items, STATE),
    "mapping proxy": (lambda: types.MappingProxyType({}), STATE),
    "property": (lambda: property(len), STATE),
    "static method": (lambda: staticmethod(len), STATE),
    "cell": (lambda: types.CellType(1), STATE),
    "match": (lambda: re.match("a", "a"), STATE),
    "struct": (lambda: struct.Struct("<i"), STATE),
    "hash": (hashlib.sha256, STATE),
    "compressor": (zlib.compressobj, STATE),
    "context variable": (lambda: contextvars.ContextVar("x"), STATE),
    "system entropy": (random.SystemRandom, "entropy"),
    "buffered iterator": (lambda: np.nditer(np.arange(3)), STATE),
    "flat iterator": (lambda: np.arange(3).flat, STATE),
    "business days": (np.busdaycalendar, STATE),
    "class that needs arguments": (lambda: np.finfo(float), "__getnewargs_ex__"),
    "type variable": (lambda: typing.TypeVar("T"), "only classes and functions"),
    "logging handler": (logging.StreamHandler, STATE),
    "method put on an instance": (_hiding, "hides a method"),
    "eval": (lambda: builtins.eval, NEVER),
    "open": (lambda: builtins.open, NEVER),
    "getattr": (lambda: builtins.getattr, NEVER),
    "os.system": (lambda: os.system, NEVER),
    "Popen": (lambda: subprocess.Popen, NEVER),
    "type": (lambda: type, NEVER),
    "class of getters": (lambda: operator.attrgetter, NEVER),
    "private attribute": (lambda: operator.attrgetter("a.__class__"), "not a public name"),
    "array as argument": (lambda: operator.methodcaller("dot", np.ones(2)), "not a constant"),
    "stat": (lambda: os.stat("."), NEVER),
    "event loop policy": (asyncio.DefaultEventLoopPolicy, STATE),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("case", REFUSED)
def test_what_could_not_be_loaded_is_refused_with_its_place(case: str) -> None:
    make, reason = REFUSED[case]
    model = Pipeline([("a", StandardScaler()), ("b", FunctionTransformer(Plain(part=make())))])
    with pytest.raises(skopsafe.UnsupportedTypeError, match=reason) as caught:
        skopsafe.dumps(model)
    assert isinstance(caught.value, TypeError)
    assert caught.value.path.startswith("object.steps[1][1].func.part")
    assert caught.value.path in str(caught.value)
    assert caught.value.next_step in str(caught.value)
    assert re.match(r"(Remove it|Define it|Save )", caught.value.next_step)


def test_a_coroutine_is_refused() -> None:
    coroutine = _coroutine()
    with pytest.raises(skopsafe.UnsupportedTypeError, match=r"object\['x'\]"):
        skopsafe.dumps({"x": coroutine})
    coroutine.close()


def test_the_path_names_keys_places_and_attributes() -> None:
    for obj, path in (
        ({"a": [1, (2, FUNCTION)]}, "object['a'][1][1]"),
        ({3: FUNCTION}, "object[3]"),
        (Plain(x=Plain(y=[FUNCTION])), "object.x.y[0]"),
        (functools.partial(FUNCTION), "object[0]"),
        (np.array([1, FUNCTION], object), "object.objects[1]"),
        (collections.deque([FUNCTION]), "object[1]"),
        (RandomForestClassifier(class_weight={0: FUNCTION}), "object.class_weight[0]"),
        (FUNCTION, "object"),
        ([os.system], "object[0].function"),
        (Doubler(os.system), "object.factor.function"),
    ):
        with pytest.raises(skopsafe.UnsupportedTypeError) as caught:
            skopsafe.dumps(obj)
        assert caught.value.path == path


def test_a_path_is_found_below_many_levels() -> None:
    deep: Any = FUNCTION
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(skopsafe.UnsupportedTypeError) as caught:
        skopsafe.dumps(deep)
    assert caught.value.path.startswith("object[0]")
    assert len(str(caught.value)) < 2000


def test_audit_of_an_object_shows_what_dump_would_refuse() -> None:
    report = skopsafe.audit(Doubler(os.system))
    assert report.denied == ["posix.system"]


LOADED: dict[str, Any] = {
    "array": array.array("d", [1, 2]),
    "array of characters": array.array("u", "é"),
    "IPv4Address": ipaddress.ip_address("1.2.3.4"),
    "IPv6Network": ipaddress.ip_network("2001:db8::/32"),
    "interface": ipaddress.ip_interface("10.0.0.1/8"),
    "SimpleNamespace": types.SimpleNamespace(a=1, b=[2]),
    "ChainMap": collections.ChainMap({1: 2}, {3: 4}),
    "UserDict": collections.UserDict(a=1),
    "UserList": collections.UserList([1]),
    "UserString": collections.UserString("x"),
    "Template": string.Template("$a"),
    "Context": decimal.Context(prec=5),
    "Random": random.Random(3),
    "NormalDist": statistics.NormalDist(1, 2),
    "struct_time": time.struct_time(range(9)),
    "ValueError": ValueError(1, "x"),
    "KeyError": KeyError("a"),
    "OSError": OSError(2, "x", "f"),
    "UnicodeDecodeError": UnicodeDecodeError("utf8", b"a", 0, 1, "r"),
    "ExceptionGroup": ExceptionGroup("a", [ValueError(1)]),
    "BytesIO": io.BytesIO(b"abc"),
    "StringIO": io.StringIO("abc"),
    "Logger": logging.getLogger("name"),
    "Message": email.message.Message(),
    "JSONEncoder": json.JSONEncoder(indent=2),
    "syntax tree": ast.parse("1 + 2"),
    "RegexFlag": re.IGNORECASE | re.MULTILINE,
    "ABC": collections.abc.Mapping,
    "Optional": typing.Optional[int],  # noqa: UP045
    "List": typing.List[int],  # noqa: UP006
    "list of int": list[int],
    "union": int | str,
    "Callable": typing.Callable[[int], int],
    "partialmethod": functools.partialmethod(len),
    "Polynomial": np.polynomial.Polynomial([1, 2]),
    "vectorize": np.vectorize(len),
    "method of a Generator": np.random.default_rng(1).normal,
    "object": object(),
    "Fraction": fractions.Fraction(1, 2),
    "upper": str.upper,
    "bound upper": "abc".upper,
    "get of a dict": {1: 2}.get,
    "len": len,
    "dtype class": np.dtypes.Float64DType,
}


@pytest.mark.parametrize("case", LOADED)
def test_what_dumps_loads(case: str) -> None:
    original = LOADED[case]
    data = skopsafe.dumps({"x": original})
    loaded = skopsafe.loads(data, trusted=skopsafe.get_untrusted_types(data=data))["x"]
    assert type(loaded) is type(original)
    assert skopsafe.dumps({"x": loaded}) == data


def test_an_attribute_behind_a_property_comes_back() -> None:
    data = skopsafe.dumps(np.poly1d([1, 2]))
    loaded = skopsafe.loads(data, trusted=skopsafe.get_untrusted_types(data=data))
    assert loaded == np.poly1d([1, 2])


def test_bound_methods_of_built_in_types_work_again() -> None:
    for function, argument in (
        (re.compile(r"\w+").findall, "one two"),
        ({"a": 1}.get, "a"),
        (str.split, "one two"),
        ("a,b".split, ","),
        (len, [1]),
    ):
        data = skopsafe.dumps(function)
        assert skopsafe.get_untrusted_types(data=data) == []
        assert skopsafe.loads(data)(argument) == function(argument)


@pytest.mark.parametrize("wrap", [lambda x: (x,), lambda x: functools.partial(print, x), slice])
def test_what_is_nested_too_deeply_to_be_loaded_is_not_saved(wrap: Any) -> None:
    deep: Any = 0
    for _ in range(200):
        deep = wrap(deep)
    if not isinstance(deep, functools.partial):
        assert repr(skopsafe.loads(skopsafe.dumps([deep]))) == repr([deep])
    with pytest.raises(skopsafe.UnsupportedTypeError, match="nested more than 200 deep"):
        skopsafe.dumps([wrap(deep)])
