"""Arrays, scalars and sparse containers as they really are: views, odd dtypes, flags, streams of numbers."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import skopsafe
from skopsafe.archive.arrays import Collector
from skopsafe.graph.plain import MOST_DIMENSIONS
from tests.test_values import back, same_bits

BASE = np.arange(24.0).reshape(4, 6)
UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "25s", "generic"]
CODES = "?bBhHiIlLqQefdgFDGSUVOMm"


def same_array(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    assert same_bits(one, other)


@pytest.mark.parametrize(
    "view",
    [
        BASE[::2],
        BASE[:, ::-1],
        BASE[::-1, ::-2],
        BASE.T,
        BASE[1:3, 2:4],
        BASE[:, 1],
        np.broadcast_to(BASE[0], (3, 6)),
        np.lib.stride_tricks.as_strided(BASE, (3, 3), (8, 8)),
        BASE.reshape(2, 2, 6).transpose(2, 0, 1),
        BASE.astype(">f4")[::3],
        BASE[None, :, None],
        BASE[0:0, ::2],
        np.frombuffer(b"\1" + BASE.tobytes(), np.float64, 4, 1),
    ],
    ids=range(13),
)
def test_views_come_back_with_their_values(view: np.ndarray) -> None:
    loaded = back(view)
    same_array(np.array(loaded), np.array(view))
    assert loaded.flags.writeable
    assert loaded.flags.aligned
    # A view is saved as what it shows, never as the memory that it is cut out of.
    assert len(skopsafe.dumps(np.zeros(10**6)[:3])) < 3000


def test_arrays_that_share_memory_come_back_apart() -> None:
    base = np.arange(6)
    loaded = back({"base": base, "view": base[:3], "again": base})
    # One object stays one object; a view becomes an array of its own.
    assert loaded["again"] is loaded["base"]
    assert not np.shares_memory(loaded["base"], loaded["view"])
    assert loaded["view"].tolist() == [0, 1, 2]


def test_order_and_writing_of_arrays() -> None:
    for array in (BASE, BASE.T, np.asfortranarray(BASE), np.zeros((1, 5)), np.zeros((3, 0), order="F")):
        loaded = back(array)
        assert loaded.flags.c_contiguous == array.flags.c_contiguous
        assert loaded.flags.f_contiguous == array.flags.f_contiguous
    frozen = np.arange(3)
    frozen.flags.writeable = False
    assert back(frozen).flags.writeable, "whether an array can be written is no part of what is saved"


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1, 1), (2, 3), (1,) * 32, (1,) * MOST_DIMENSIONS])
def test_every_dtype_and_shape_comes_back(code: str, shape: tuple[int, ...]) -> None:
    dtype = np.dtype({"S": "S3", "U": "U2", "V": "V5", "M": "M8[s]", "m": "m8[D]"}.get(code, code))
    array = np.zeros(shape, dtype)
    if array.size:
        array.reshape(-1)[-1] = {"O": None, "V": b"ab", "M": 5, "m": 7}.get(code, 1)
    same_array(back(array), array)
    if code not in "O?bBSV":
        swapped = array.astype(dtype.newbyteorder(">"))
        same_array(back(swapped), swapped)


@pytest.mark.parametrize("code", [code for code in CODES if code != "O"])
def test_every_scalar_comes_back(code: str) -> None:
    value = np.ones(2, {"M": "M8[s]", "m": "m8[D]", "V": "V3", "S": "S4", "U": "U3"}.get(code, code))[0]
    loaded = back([value])[0]
    # On this machine longlong is another name of int64: the dtype is the same, and comes back as int64.
    assert type(loaded) is type(value) or code in "qQ"
    assert loaded.dtype == value.dtype
    assert repr(loaded) == repr(value)


@pytest.mark.parametrize(
    "kind", [np.float16, np.float32, np.float64, np.longdouble, np.complex64, np.clongdouble]
)
@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-0.0", "1e-7"])
def test_special_numbers_come_back(kind: Any, text: str) -> None:
    value = kind(float(text))
    for found in (back(value), back(np.array([value]))[0]):
        assert repr(found) == repr(value)
        assert np.signbit(found.real) == np.signbit(value.real)


def test_unused_bytes_of_long_doubles_do_not_get_into_the_file() -> None:
    array = np.zeros(100, "g")
    array.view("u1").reshape(100, 16)[:, 10:] = np.frombuffer(b"secret", "u1")
    assert b"secret" not in skopsafe.dumps(array)
    assert b"secret" not in skopsafe.dumps(array[0])
    assert skopsafe.dumps(array) == skopsafe.dumps(np.zeros(100, "g"))


def test_long_doubles_keep_all_their_digits() -> None:
    value = np.longdouble(1) / 3
    assert back(value) == value
    assert back(np.array([value]))[0] == value


@pytest.mark.parametrize("kind", ["M8", "m8"])
@pytest.mark.parametrize("unit", UNITS)
def test_times_of_every_unit_come_back(kind: str, unit: str) -> None:
    dtype = np.dtype(kind if unit == "generic" else f"{kind}[{unit}]")
    array = np.array(["NaT"] * 2, dtype)
    if unit != "generic":
        array[1] = array.dtype.type(7, dtype.str.partition("[")[2][:-1])
    same_array(back(array), array)
    assert np.isnat(back(array[0]))
    assert back(array[1]).dtype == dtype


def test_scalars_of_structured_dtypes_come_back() -> None:
    array = np.array([(1, (2.5, "x"))], [("a", "i2"), ("b", [("c", "f4"), ("d", "U2")])])
    value = back(array[0])
    assert value.dtype == array.dtype
    assert value["b"]["d"] == "x"


@pytest.mark.parametrize(
    "dtype",
    [
        np.dtype({"names": ["a", "b"], "formats": ["i2", "f8"], "offsets": [6, 16], "itemsize": 40}),
        pytest.param(np.dtype({"names": ["b", "a"], "formats": ["i4", "i4"], "offsets": [4, 0]})),
        np.dtype({"names": ["a", "b"], "formats": ["i4", "i2"], "offsets": [0, 2]}),
        np.dtype({"names": ["a", "b"], "formats": ["i4", "i2"], "offsets": [0, 0], "itemsize": 9}),
        np.dtype([(("Title", "a"), "i4"), ("b", "f4", (2, 3))]),
        np.dtype([("a", "i1"), ("b", "f8")], align=True),
        np.dtype([("a", [("b", [("c", ">u2")])])]),
        np.dtype([("", "i4"), ("", "f4")]),
        np.dtype([("ünï", "i4"), ("名", "i4")]),
        np.dtype([("a", "M8[ns]"), ("b", "S3"), ("c", "?")]),
        np.dtype([("o", object), ("n", "f8")]),
        np.dtype([]),
        np.dtype(("i4", (2, 2))),
        np.dtype("V0"),
        np.dtype("U0"),
    ],
    ids=range(15),
)
def test_odd_dtypes_come_back(dtype: np.dtype[Any]) -> None:
    loaded = back(dtype)
    assert loaded == dtype
    assert loaded.isalignedstruct == dtype.isalignedstruct
    array = np.zeros(3, dtype)
    if dtype.names and not dtype.hasobject and dtype.itemsize:
        array.view("u1")[:] = 1
    elif dtype.hasobject:
        array[1] = ({"x": [1]}, 2.0)
    found = back(array)
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert repr(found.tolist()) == repr(array.tolist())


def test_bytes_between_fields_do_not_get_into_the_file() -> None:
    dtype = np.dtype({"names": ["a"], "formats": ["i4"], "offsets": [0], "itemsize": 64})
    array = np.zeros(100, dtype)
    array.view("u1")[:] = np.frombuffer(b"secret!!" * 800, "u1")
    array["a"] = 1
    assert b"secret" not in skopsafe.dumps(array)
    assert b"secret" not in skopsafe.dumps(array[0])


def test_masked_arrays_of_structures_come_back() -> None:
    array = np.ma.array(
        [(1, 2.0), (3, 4.0)],
        mask=[(True, False), (False, True)],
        dtype=[("a", "i4"), ("b", "f8")],
        fill_value=(9, 8),
    )
    loaded = back(array)
    assert loaded.mask.tolist() == array.mask.tolist()
    assert loaded.filled().tolist() == array.filled().tolist()
    hard = np.ma.array(np.arange(6).reshape(2, 3), mask=False, hard_mask=True)
    assert back(hard).hardmask
    assert back(np.ma.array([1, 2])).mask is np.ma.nomask
    objects = np.ma.array([1, None, "x"], mask=[0, 1, 0], dtype=object, fill_value="?")
    assert repr(back(objects)) == repr(objects)


def test_record_arrays_keep_their_kind() -> None:
    records = np.rec.fromrecords([(1, "a"), (2, "b")], names="n,t")
    loaded = back(records)
    assert type(loaded[0]) is np.record
    assert loaded.t.tolist() == ["a", "b"]
    plain = np.zeros(2, [("a", int)]).view(np.recarray)
    assert back(plain).dtype == plain.dtype


def test_a_memory_map_comes_back_as_an_array(tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "raw", "f4", "w+", shape=(3, 4), order="F")
    mapped[:] = 7
    loaded = back(mapped)
    assert type(loaded) is np.ndarray
    assert loaded.flags.f_contiguous
    assert (loaded == 7).all()


def test_object_arrays_hold_anything() -> None:
    strings = np.array(["a", "longer"], getattr(np.dtypes, "StringDType", lambda: "U6")())
    inner = np.arange(3)
    array = np.empty((2, 3), object)
    array[:] = [[inner, strings, [1]], [{"a": inner}, None, datetime.date(2020, 1, 1)]]
    loaded = back(array)
    assert loaded[0, 0] is loaded[1, 0]["a"]
    assert loaded[0, 1].dtype == strings.dtype
    loop = np.empty(1, object)
    loop[0] = [loop]
    try:
        data = skopsafe.dumps(loop)
    except skopsafe.UnsupportedTypeError as error:
        assert "contains itself" in error.reason  # noqa: PT017 - either is documented behaviour
    else:
        again = skopsafe.loads(data)
        assert again[0][0] is again


def _unsorted(form: str, index: Any) -> Any:
    cls = getattr(scipy.sparse, form)
    return cls((np.array([1.0, 2, 3]), np.array([2, 0, 1], index), np.array([0, 2, 3], index)), shape=(2, 3))


def _duplicated(form: str, index: Any) -> Any:
    cls = getattr(scipy.sparse, form)
    return cls((np.array([1.0, 2, 3]), np.array([1, 1, 2], index), np.array([0, 2, 3], index)), shape=(2, 3))


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("make", [_unsorted, _duplicated])
@pytest.mark.parametrize("form", ["csr_matrix", "csr_array"])
@pytest.mark.parametrize("asked", [False, True])
def test_sparse_matrices_keep_their_order_and_flags(form: str, make: Any, index: Any, asked: bool) -> None:
    sparse = make(form, index)
    if asked:  # scipy remembers the answers
        assert not sparse.has_canonical_format
        assert sparse.has_sorted_indices == (make is _duplicated)
    loaded = back(sparse)
    for part in ("data", "indices", "indptr"):
        same_array(getattr(loaded, part), getattr(sparse, part))
    assert loaded.has_canonical_format == sparse.has_canonical_format
    assert loaded.has_sorted_indices == sparse.has_sorted_indices
    assert (loaded @ np.ones(3)).tolist() == (sparse @ np.ones(3)).tolist()


@pytest.mark.parametrize("dtype", ["?", "i1", "u8", "f4", "f8", "D"])
@pytest.mark.parametrize("kind", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (1, 1), (4, 6)])
def test_sparse_containers_of_every_size_come_back(kind: str, dtype: str, shape: tuple[int, int]) -> None:
    dense = (np.arange(shape[0] * shape[1]).reshape(shape) % 3).astype(dtype)
    sparse = getattr(scipy.sparse, f"{kind}_array")(dense)
    loaded = back(sparse)
    assert type(loaded) is type(sparse)
    assert loaded.dtype == sparse.dtype
    assert loaded.toarray().tolist() == dense.tolist()


@pytest.mark.skipif(MOST_DIMENSIONS == 32, reason="scipy had two dimensions")
def test_sparse_arrays_of_many_dimensions_come_back() -> None:
    array = scipy.sparse.coo_array((np.ones(1), [[0]] * MOST_DIMENSIONS), (1,) * MOST_DIMENSIONS)
    assert back(array).shape == array.shape


@pytest.mark.parametrize("name", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_streams_of_random_numbers_go_on_in_the_middle(name: str) -> None:
    kind = getattr(np.random, name)
    for make in (np.random.Generator, np.random.RandomState, lambda bits: bits):
        stream = make(kind(7))
        if hasattr(stream, "standard_normal"):
            stream.standard_normal(3)
            stream.integers(0, 5, 3, dtype="u4") if hasattr(stream, "integers") else stream.randint(0, 5, 3)
        loaded = back(stream)
        draw = (
            (lambda s: s.random_raw(5)) if not hasattr(stream, "uniform") else (lambda s: s.uniform(size=5))
        )
        assert draw(loaded).tolist() == draw(stream).tolist()
    bits = kind(1)
    pair = back([np.random.Generator(bits), np.random.Generator(bits), bits])
    assert pair[0].bit_generator is pair[1].bit_generator is pair[2]


def test_seeds_spawn_as_before() -> None:
    for seed in (
        np.random.SeedSequence(5),
        np.random.SeedSequence([1, 2**70], spawn_key=(3,), pool_size=8),
        np.random.SeedSequence(),
    ):
        seed.spawn(2)
        loaded = back(seed)
        assert loaded.spawn(1)[0].generate_state(4).tolist() == seed.spawn(1)[0].generate_state(4).tolist()


@pytest.mark.parametrize("offsets", [[0, 2], [4, 0]])
def test_no_array_is_written_whose_header_would_say_something_else(offsets: list[int]) -> None:
    dtype = np.dtype({"names": ["a", "b"], "formats": ["i4", "i4"], "offsets": offsets})
    with pytest.raises(skopsafe.UnsupportedTypeError, match="order of their bytes"):
        Collector().add(np.zeros(3, dtype))


@pytest.mark.parametrize("dtype", [[("\ud800", "f8")], [("a", [("b\udfff", "i4")])]], ids=ascii)
def test_no_array_is_written_whose_header_could_not_be_spelled(dtype: Any) -> None:
    array = np.zeros(2, dtype)
    with pytest.raises(skopsafe.UnsupportedTypeError, match="half of a character"):
        Collector().add(array)
    assert skopsafe.loads(skopsafe.dumps(array)).dtype == array.dtype  # which has no such header
