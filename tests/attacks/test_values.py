"""Crafted values: parts that a loader must not build from, or not at that price."""

from __future__ import annotations

import collections
import datetime
import decimal
import functools
import subprocess
import sys
import types
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest

import skopsafe
from skopsafe.errors import ValidationError
from skopsafe.graph.account import Account
from skopsafe.handlers import registry
from skopsafe.handlers.depth import DEEPEST
from skopsafe.testing.crafted import forged

REGISTRY = registry.default()


class Arrays:
    """A context that has the arrays that a test gives it."""

    path = ""

    def __init__(self, *arrays: Any) -> None:
        self._arrays = arrays
        self.account = Account(2**22)

    def array(self, index: Any) -> Any:
        return self._arrays[index]

    def resolve(self) -> Any:
        raise AssertionError("no name is needed")


def load(name: str, names: tuple[str, ...] | None, values: list[Any], *arrays: Any) -> Any:
    handler = REGISTRY.by_name(name)
    assert handler is not None
    return handler.load(names, values, Arrays(*arrays))


def nested(step: Callable[[Any], Any], depth: int) -> Any:
    made: Any = None
    for _ in range(depth):
        made = step(made)
    return made


def _in_array(inner: Any) -> Any:
    out = np.empty(1, object)
    out[0] = inner
    return out


def _partial(inner: Any) -> Any:
    out = functools.partial(len if inner is None else inner)
    out.note = 1  # type: ignore[attr-defined]  # or Python would make one partial of both
    return out


CHAINS: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda inner: (inner,),
    "slice": slice,
    "ndarray": _in_array,
    "partial": _partial,
    "deque": lambda inner: collections.deque([inner]),
    "defaultdict": lambda inner: collections.defaultdict(None, {1: inner}),
    "tuple and slice": lambda inner: (slice(inner),),
    "alias and tuple": lambda inner: types.GenericAlias(list, (inner,)),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chains_that_python_frees_by_recursion_are_short(name: str) -> None:
    per_step = len(name.split(" and "))
    fits = skopsafe.dumps(nested(CHAINS[name], DEEPEST // per_step - 1))
    assert skopsafe.dumps(skopsafe.loads(fits)) == fits
    with mock.patch("skopsafe.save.DEEPEST", 10**9):
        data = skopsafe.dumps(nested(CHAINS[name], 2 * DEEPEST))
    with pytest.raises(ValidationError, match="deep"):
        skopsafe.loads(data)


@pytest.mark.skipif(sys.platform != "linux" or sys.version_info >= (3, 12), reason="shown for one Python")
@pytest.mark.parametrize(
    "step", ["(x,)", "types.GenericAlias(list, x)", "slice(x)", "collections.deque([x])"]
)
def test_long_chains_kill_python(step: str) -> None:
    """The reason for the limit: no exception comes before the stack is used up."""
    code = f"import collections, types\nx = ()\nfor _ in range(10**6): x = {step}\n"
    code += "hash(x)" if step in ("(x,)", "types.GenericAlias(list, x)") else "del x"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode not in (0, 1, 2), done.stderr


def doubled(step: Callable[[Any], Any], times: int) -> Any:
    """Hold an object twice in one that is held twice, and so on."""
    made: Any = int
    for _ in range(times):
        made = step(made)
    return made


DOUBLED: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda inner: (inner, inner),
    "alias": lambda inner: types.GenericAlias(tuple, (inner, inner)),
}
HASHING: dict[str, Callable[[Any], tuple[Any, list[Any]]]] = {
    **{
        f"{module}:{name}": lambda key: (None, [key, 1])
        for module, name in (("builtins", "dict"), ("collections", "OrderedDict"), ("collections", "Counter"))
    },
    "builtins:set": lambda key: (None, [key]),
    "builtins:frozenset": lambda key: (None, [key]),
    "typing:_GenericAlias": lambda key: (("name", "args"), ["Tuple", (key,)]),
}


@pytest.mark.parametrize("name", HASHING)
@pytest.mark.parametrize("step", DOUBLED)
def test_hashing_takes_no_longer_than_a_key_is_in_the_file(step: str, name: str) -> None:
    names, values = HASHING[name](doubled(DOUBLED[step], 5 if step == "alias" else 0))
    assert load(name, names, values) is not None
    key = doubled(DOUBLED[step], 40)  # a trillion ways down, and forty tuples
    if step == "tuple":
        (key,) = skopsafe.loads(skopsafe.dumps([key]))
    else:  # which are looked into when they are made
        with pytest.raises(skopsafe.LimitError, match="gone through too often"):
            skopsafe.loads(skopsafe.dumps([key]))
    names, values = HASHING[name](key)
    with pytest.raises(ValidationError, match="takes too long to be hashed"):
        load(name, names, values)


def test_a_union_is_hashed_no_longer() -> None:
    few, many = (doubled(DOUBLED["alias"], times) for times in (5, 40))
    assert load("types:UnionType", None, [few, int]) == few | int
    with pytest.raises(ValidationError, match="takes too long to be hashed"):
        load("types:UnionType", None, [many, int])


def test_many_keys_of_tuples_are_no_bomb() -> None:
    pairs = {((number, "a"), (number, "b")): number for number in range(70_000)}
    assert skopsafe.loads(skopsafe.dumps(pairs)) == pairs


def test_bytes_of_a_structure_are_values_of_its_fields() -> None:
    raw = np.full((3,), 2, np.uint8)
    flags = raw.view([("flag", "?")])
    with pytest.raises(ValidationError, match="neither 0 nor 1"):
        skopsafe.loads(skopsafe.dumps(flags))
    inner = raw.view([("inner", [("flag", "?")])])
    with pytest.raises(ValidationError, match="neither 0 nor 1"):
        skopsafe.loads(skopsafe.dumps(inner))
    with pytest.raises(ValidationError, match="neither 0 nor 1"):
        load("numpy:ndarray", ("bytes", "dtype"), [0, inner.dtype], raw.view("V1"))
    with pytest.raises(ValidationError, match="no structure"):
        load("numpy:ndarray", ("bytes", "dtype"), [0, np.dtype("?")], raw.view("V1"))
    assert skopsafe.loads(skopsafe.dumps(np.zeros(3, [("flag", "?")])))["flag"].tolist() == [False] * 3


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_texts_have_letters_that_exist(order: Any, byteorder: str) -> None:
    letters = np.full((2, 6), 0x110000, f"{byteorder}u4").view(f"{byteorder}U3")
    crafted = np.array(letters, order=order)
    with pytest.raises(ValidationError, match="letters"):
        skopsafe.loads(skopsafe.dumps(crafted))
    genuine = np.array([["a\U0010ffff", "\ud800"]], f"{byteorder}U3", order=order)
    assert (skopsafe.loads(skopsafe.dumps(genuine)) == genuine).all()


def test_memory_for_rows_stands_in_proportion_to_the_file() -> None:
    dtype = np.dtype([("text", "U100000000"), ("object", "O")])
    with pytest.raises(ValidationError, match="too long"):
        load("numpy:ndarray", ("shape", "fortran", "dtype", "rows"), [(1,), False, dtype, [("", None)]])
    with pytest.raises(ValidationError, match="no structure"):
        load("numpy:ndarray", ("shape", "fortran", "dtype", "rows"), [(1,), False, np.dtype("V9"), [b""]])


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (("str",), ["V2147483647"]),
        (("str",), ["f8,O"]),
        (("str",), [5]),
        (("base", "shape"), [np.dtype("f8"), (2**20, 2**7)]),
        (("base", "shape"), [np.dtype("f8"), [2]]),
        (("fields", "itemsize", "aligned"), [[("a", np.dtype("f8"), 2**30)], 2**31 - 1, False]),
        (("fields", "itemsize", "aligned"), [[("a", np.dtype("f8"), -8)], 8, False]),
        (("fields", "itemsize", "aligned"), [[("a", np.dtype("f8"), 0, [])], 8, False]),
        (("coerce", "missing", "na_object"), [True, True, []]),
        (("name",), ["f8"]),
        (None, []),
    ],
)
def test_a_dtype_is_of_sane_size(names: Any, values: Any) -> None:
    with pytest.raises(ValidationError, match=r"dtype|StringDType"):
        load("numpy:dtype", names, values)


def test_a_dtype_is_not_nested_without_end() -> None:
    dtype = np.dtype("i1")
    for _ in range(40):
        dtype = np.dtype([("a", dtype)])
    with pytest.raises(ValidationError, match="deep"):
        load("numpy:dtype", ("fields", "itemsize", "aligned"), [[("a", dtype, 0)], 1, False])


@pytest.mark.parametrize(
    ("part", "value"),
    [
        pytest.param("entropy", 2**70000, id="long"),
        ("entropy", [2**1000] * 100),
        ("entropy", -1),
        ("entropy", "5"),
        ("spawn_key", [1]),
        ("pool_size", 2**40),
    ],
)
def test_a_seed_is_short(part: str, value: Any) -> None:
    data = forged(np.random.SeedSequence(5), "numpy.random:SeedSequence", **{part: lambda _: value})
    with pytest.raises(ValidationError, match="SeedSequence"):
        skopsafe.loads(data)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("decimal:Decimal", [0, "1", 10**9], "exponent"),
        ("decimal:Decimal", [0, "1", True], "exponent"),
        ("decimal:Decimal", [2, "1", 0], "malformed"),
        pytest.param("fractions:Fraction", [2**300_000 + 1, 3], "too long", id="Fraction"),
        ("fractions:Fraction", [1, 0], "ratio"),
        ("re:Pattern", ["a", 2**70], "flags"),
        ("re:Pattern", ["a" * 20_000, 0], "too long"),
        ("collections:deque", [], "maxlen"),
        ("collections:deque", [1, "a", "b"], "maxlen"),
        ("collections:deque", [2**70, "a"], "maxlen"),
        ("collections:defaultdict", [5], "factory"),
        ("datetime:datetime", [2020], "too few|integers"),
        ("builtins:int", ["1", "2"], "hexadecimal"),
        ("builtins:complex", [1.0], "parts"),
        ("builtins:str", [5], "text"),
        ("builtins:slice", [1], "parts"),
        ("builtins:range", [0, 1, 0], "integers"),
        ("builtins:bytes", [], "unknown form"),
        ("zoneinfo:ZoneInfo", ["../../etc/passwd"], "time zone"),
        ("zoneinfo:ZoneInfo", ["/etc/passwd"], "time zone"),
        ("numpy:ndarray", [], "unknown form"),
        ("numpy:generic", [], "unknown form"),
        ("numpy.ma:MaskedArray", [], "unknown form"),
        ("numpy:matrix", [], "unknown form"),
        ("numpy:recarray", [], "unknown form"),
        ("numpy.random:RandomState", [], "unknown form"),
        ("numpy.random:SeedSequence", [], "unknown form"),
        ("scipy.sparse._csr:csr_array", [], "unknown form"),
    ],
)
def test_parts_have_the_form_of_their_type(name: str, values: list[Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        load(name, None, values)


def test_an_expression_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a pattern"):
        load("re:Pattern", None, ["(", 0])


def test_a_sparse_matrix_keeps_the_rows_that_were_checked() -> None:
    import scipy.sparse

    row, values = [0], [1.0]
    parts = [(1, 3), np.dtype("f8"), _in_array(values), _in_array(row)]
    made = load("scipy.sparse._lil:lil_matrix", ("shape", "dtype", "data", "rows"), parts)
    row[0] = 10**9
    values.append(2.0)
    assert isinstance(made, scipy.sparse.lil_matrix)
    assert made.toarray().tolist() == [[1.0, 0.0, 0.0]]


def test_a_seed_keeps_the_words_that_were_checked() -> None:
    words: list[Any] = [1, 2]
    names = ("entropy", "spawn_key", "pool_size", "children")
    made = load("numpy.random:SeedSequence", names, [words, (), 4, 0])
    words.append("x")
    assert made.spawn(1)[0].entropy == [1, 2]


def test_a_partial_writes_into_no_array_of_the_model() -> None:
    shared = np.zeros(2)
    loaded, bound = skopsafe.loads(
        skopsafe.dumps([shared, functools.partial(np.positive, out=(shared,), casting="unsafe")])
    )
    bound(np.array([5.0, 6.0]))
    assert loaded.tolist() == [0.0, 0.0]
    assert bound.keywords["out"][0].tolist() == [5.0, 6.0]


STRINGS = [
    np.array(["", "a"], kind(na_object=None)) for kind in [getattr(np.dtypes, "StringDType", None)] if kind
]


def test_values_at_the_edge_still_come_back() -> None:
    for value in (
        decimal.Decimal("1E+999999"),
        collections.deque([1, 2], maxlen=2),
        datetime.datetime.max,
        types.MappingProxyType({}).copy(),
        np.random.SeedSequence(2**2000),
        *STRINGS,
    ):
        data = skopsafe.dumps(value)
        assert skopsafe.dumps(skopsafe.loads(data)) == data
