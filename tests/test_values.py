"""Python values, numpy arrays and sparse containers come back as they went in."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
import math
import pathlib
import re
import struct
import uuid
import zoneinfo
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import skopsafe

ZONE = zoneinfo.ZoneInfo("Europe/Berlin")


def back(obj: Any) -> Any:
    data = skopsafe.dumps(obj)
    assert skopsafe.get_untrusted_types(data=data) == []
    loaded = skopsafe.loads(data)
    assert skopsafe.dumps(loaded) == data
    return loaded


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        2**200,
        -(2**63),
        2**53,
        -0.0,
        math.inf,
        1j,
        complex(-0.0, math.inf),
        "text",
        "\ud800",
        b"",
        b"x" * 5000,
        bytearray(b"ab"),
        (),
        ((), [], {}),
        range(1, 10, 2),
        slice(None, 3),
        ...,
        NotImplemented,
        {1, 2, "a", None},
        frozenset({(1, 2), (0,)}),
        {(1, "a"): 2, None: 3, 1.5: 4, frozenset({1}): 5, b"k": 6},
        decimal.Decimal("-1.500"),
        decimal.Decimal("Infinity"),
        fractions.Fraction(1, 3),
        uuid.UUID(int=5),
        datetime.date(2020, 1, 2),
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=ZONE, fold=1),
        datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC),
        datetime.time(1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "X")),
        datetime.timedelta(days=-1, microseconds=3),
        ZONE,
        collections.OrderedDict([(2, 1), (1, 2)]),
        collections.Counter("abca"),
        collections.defaultdict(list, {1: [2]}),
        collections.deque([1, 2], maxlen=3),
        pathlib.PurePosixPath("/a/b"),
        pathlib.Path("x"),
        re.compile("a+b", re.IGNORECASE),
        np.dtype("f4"),
        np.dtype([("a", "<i4"), ("b", ">f8", (2,))]),
        np.float64,
        int,
        np.log1p,
        np.float32(1.5),
        np.datetime64("2020-01-01"),
        np.str_("s"),
        np.bool_(True),
    ],
    ids=lambda v: type(v).__name__,
)
def test_value_comes_back(value: Any) -> None:
    loaded = back(value)
    assert type(loaded) is type(value)
    assert loaded == value
    if not isinstance(value, (set, frozenset)):  # their order is no part of them
        assert repr(loaded) == repr(value)


def test_nan_and_partial_come_back() -> None:
    assert math.isnan(back(math.nan))
    loaded = back(functools.partial(np.clip, a_min=0, a_max=1))
    assert loaded.func is np.clip
    assert loaded.keywords == {"a_min": 0, "a_max": 1}


plain = hnp.array_dtypes(max_size=3) | hnp.scalar_dtypes()


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    """Compare field by field: padding between the fields does not count, and NaT and nan are themselves."""
    if one.dtype.names is not None:
        return all(same_bits(one[name], other[name]) for name in one.dtype.names)
    if one.dtype.char in "gG":  # some bytes of a long double are no part of it
        return [repr(item) for item in one.ravel()] == [repr(item) for item in other.ravel()]
    return one.tobytes() == other.tobytes()


@settings(max_examples=200, deadline=None)
@given(hnp.arrays(dtype=plain, shape=hnp.array_shapes(min_dims=0, min_side=0)), st.sampled_from("CF"))
def test_array_comes_back(array: np.ndarray, order: str) -> None:
    array = np.array(array, order=order)
    loaded = back(array)
    assert loaded.dtype == array.dtype
    assert loaded.shape == array.shape
    assert loaded.flags.f_contiguous == array.flags.f_contiguous
    assert loaded.flags.c_contiguous == array.flags.c_contiguous
    assert same_bits(loaded, array)


@pytest.mark.parametrize(
    "code", ["f2", "f4", "g", "F", "G", ">i8", ">U3", "S4", "V3", "M8[ns]", "m8[D]", "O", "?"]
)
def test_dtype_comes_back(code: str) -> None:
    array = np.zeros((2, 3), code)
    loaded = back(array)
    assert loaded.dtype == array.dtype
    np.testing.assert_array_equal(loaded, array)


def test_large_and_strided_arrays_come_back() -> None:
    base = np.arange(200_000.0).reshape(400, 500)
    for array in (base, base.T, base[::2, ::3], np.asfortranarray(base), base[:0]):
        loaded = back(array)
        np.testing.assert_array_equal(loaded, array)
        assert loaded.flags.writeable


def test_special_arrays_come_back() -> None:
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0], fill_value=9)
    loaded = back({"m": masked, "n": np.ma.array([1, 2]), "c": np.ma.masked})
    assert loaded["c"] is np.ma.masked
    assert loaded["m"].fill_value == 9
    np.testing.assert_array_equal(loaded["m"].mask, masked.mask)
    matrix = back(np.matrix([[1, 2]]))
    assert type(matrix) is np.matrix
    record = np.rec.array([(1, 2.0)], dtype=[("a", int), ("b", float)])
    assert back(record)[0].a == 1
    assert type(back(record)) is np.recarray
    objects = np.array([["a", None], [(1, 2), {}]], object, order="F")
    assert back(objects).tolist() == objects.tolist()


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="needs numpy 2")
def test_strings_of_any_length_come_back() -> None:
    strings = np.array(["a", "longer than others"], np.dtypes.StringDType())
    assert back(strings).dtype == strings.dtype
    missing = np.array(["a", np.nan], np.dtypes.StringDType(na_object=np.nan))
    assert back(missing)[0] == "a"


@pytest.mark.parametrize("form", ["matrix", "array"])
@pytest.mark.parametrize("kind", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
def test_sparse_comes_back(kind: str, form: str) -> None:
    dense = np.array([[0, 1.5, 0, 0], [2, 0, 0, 3]])
    sparse = getattr(scipy.sparse, f"{kind}_{form}")(dense)
    loaded = back(sparse)
    assert type(loaded) is type(sparse)
    np.testing.assert_array_equal(loaded.toarray(), dense)


@pytest.mark.parametrize("name", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_random_generators_continue(name: str) -> None:
    generator = np.random.Generator(getattr(np.random, name)(5))
    generator.random(3)
    loaded = back(generator)
    assert loaded.random(5).tolist() == generator.random(5).tolist()
    assert loaded.spawn(1)[0].random() == generator.spawn(1)[0].random()
    state = np.random.RandomState(3)
    state.standard_normal(3)
    copied = back(state)
    assert copied.standard_normal(3).tolist() == state.standard_normal(3).tolist()


def test_shared_references_and_cycles_come_back() -> None:
    shared: list[Any] = [1]
    loaded = back([shared, shared, {"a": shared}])
    assert loaded[0] is loaded[1] is loaded[2]["a"]
    cycle: dict[str, Any] = {}
    cycle["self"] = [cycle]
    again = back(cycle)
    assert again["self"][0] is again


def test_depth_and_doubling_cost_nothing() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    loaded, depth = back(deep), 0
    while loaded:
        loaded, depth = loaded[0], depth + 1
    assert depth == 100_000
    doubled: list[Any] = []
    for _ in range(40):
        doubled = [doubled, doubled]
    assert len(skopsafe.dumps(doubled)) < 4000
    assert back(doubled)[0] is not None


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    )
)
def test_nested_values_come_back(value: Any) -> None:
    assert repr(back(value)) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        lambda: 1,
        open(__file__),  # noqa: SIM115
        (i for i in ()),
        math,
    ],
)
def test_what_cannot_be_saved_names_its_place(value: Any) -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match=r"steps.*\[1\]"):
        skopsafe.dumps({"steps": [0, value]})


@pytest.mark.parametrize("value", [math.nan, -math.nan, math.inf, -math.inf, -0.0])
def test_floats_keep_their_sign(value: float) -> None:
    for loaded in (back(value), *back([value] * 300), back((value, value))[1]):
        assert struct.pack("<d", loaded) == struct.pack("<d", value)
