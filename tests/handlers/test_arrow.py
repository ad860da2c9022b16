"""pyarrow: arrays of every type, columns, tables, schemas and scalars come back as they were."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import skopsafe
from tests.handlers.coming_back import back as again

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")

TEXTS = ["a", "bcdefghijklmnopqrstu", None, "é", ""]
BYTES = [b"a", b"x" * 20, None, b"", b"q"]
NUMBERS = [1, 0, None, 1, 0]
DAYS = [datetime.date(2020, 1, 1), None, datetime.date(1960, 1, 1), datetime.date(1960, 1, 2), None]
DECIMALS = [Decimal("1.25"), None, Decimal("-3.5"), Decimal(0), Decimal(1)]
LISTS = [["a"], None, [], ["b", None, "c"], ["z"]]
MAPS = [[("a", 1)], None, [], [("b", None)], [("q", 2)]]
_LONGEST = datetime.timedelta(days=10**8)
"""A duration in microseconds has 64 bits in Arrow, and a few more in Python."""
RECORDS = [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {}, {"a": 2}]


def arrays() -> dict[str, Any]:
    """Return an array of five items of each type that the installed pyarrow has."""
    made: dict[str, Any] = {}

    def add(maker: str, values: list[Any], *args: Any) -> None:
        if hasattr(pa, maker):
            kind = getattr(pa, maker)(*args)
            made[f"{maker}{args}" if args else maker] = pa.array(values, kind)

    def extend(maker: str, storage: Any, *args: Any) -> None:
        if hasattr(pa, maker):
            made[maker] = pa.ExtensionArray.from_storage(getattr(pa, maker)(*args), storage)

    for bits in (8, 16, 32, 64):
        add(f"int{bits}", NUMBERS)
        add(f"uint{bits}", NUMBERS)
    add("float16", [None if n is None else np.float16(n) for n in NUMBERS])
    add("float32", NUMBERS)
    add("float64", [1.5, float("nan"), None, float("inf"), -0.0])
    add("bool_", [True, False, None, True, False])
    for maker in ("string", "large_string", "string_view"):
        add(maker, TEXTS)
    for maker in ("binary", "large_binary", "binary_view"):
        add(maker, BYTES)
    add("binary", [b"ab", None, b"cd", b"ef", b"xx"], 2)
    add("date32", DAYS)
    add("date64", DAYS)
    for maker, unit in (("time32", "s"), ("time32", "ms"), ("time64", "us"), ("time64", "ns")):
        add(maker, NUMBERS, unit)
    for unit in ("s", "ms", "us", "ns"):
        add("duration", NUMBERS, unit)
        add("timestamp", NUMBERS, unit)
    add("timestamp", NUMBERS, "ns", "Europe/Lisbon")
    add("timestamp", NUMBERS, "us", "+05:30")
    add("month_day_nano_interval", [(1, 2, 3), None, (4, 5, 6), (7, 8, 9), (1, 1, 1)])
    for bits, precision in ((32, 5), (64, 15), (128, 38), (256, 76)):
        add(f"decimal{bits}", DECIMALS, precision, 2)
    for maker in ("list_", "large_list", "list_view", "large_list_view"):
        add(maker, LISTS, pa.string())
        add(maker, [[[1], None], None, [], [[]], [[2, None]]], pa.list_(pa.field("x", pa.int8(), False)))
    add("list_", [[1, 2], None, [3, 4], [5, None], [1, 1]], pa.int32(), 2)
    add("map_", MAPS, pa.string(), pa.int64())
    add("map_", MAPS, pa.field("k", pa.string(), False), pa.field("v", pa.int64()), True)
    add("struct", RECORDS, [("a", pa.int8()), pa.field("b", pa.string(), metadata={"k": "v"})])
    add("struct", [{}, None, {}, {}, {}], [])
    add("null", [None] * 5)
    made["dictionary"] = pa.array(TEXTS).dictionary_encode()
    indices = pa.array([0, 1, None, 0, 1], pa.uint8())
    made["ordered"] = pa.DictionaryArray.from_arrays(indices, pa.array(["x", "y", "z"]), ordered=True)
    made["dictionary of lists"] = pa.DictionaryArray.from_arrays(indices, pa.array([["x"], ["y", "z"]]))
    made["dense"] = pa.UnionArray.from_dense(
        pa.array([0, 5, 0, 0, 5], pa.int8()),
        pa.array([0, 0, 1, 2, 1], pa.int32()),
        [pa.array([1, 2, None]), pa.array(["a", "b"])],
        ["numbers", "texts"],
        [0, 5],
    )
    items = [pa.array([1, 2, 3, 4, 5]), pa.array(["a", None, "c", "d", "e"])]
    made["sparse"] = pa.UnionArray.from_sparse(pa.array([0, 1, 0, 0, 1], pa.int8()), items)
    made["run_end_encoded"] = pc.run_end_encode(pa.array([1, 1, 2, 2, None]))
    made["list of dictionaries"] = pa.ListArray.from_arrays([0, 1, 1, 3, 4, 5], made["dictionary"])
    if hasattr(pa, "uuid"):
        made["uuid"] = pa.array([b"a" * 16, None, b"b" * 16, b"c" * 16, b"d" * 16], pa.uuid())
    extend("bool8", pa.array(NUMBERS, pa.int8()))
    extend("json_", pa.array(["1", "2", None, "{}", "4"]))
    extend("opaque", pa.array(NUMBERS, pa.int8()), pa.int8(), "type", "vendor")
    tensors = pa.array([[1, 2, 3, 4]] * 5, pa.list_(pa.int32(), 4))
    extend("fixed_shape_tensor", tensors, pa.int32(), [2, 2], ["a", "b"], [1, 0])
    return made


ARRAYS = arrays()
CUTS: dict[str, slice] = {
    "whole": slice(None),
    "tail": slice(1, None),
    "middle": slice(1, 4),
    "head": slice(0, 4),
    "nothing": slice(2, 2),
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_comes_back(name: str, cut: str) -> None:
    array = ARRAYS[name][CUTS[cut]]
    found = again(array)
    found.validate(full=True)
    assert found.type.equals(array.type, check_metadata=True)
    assert str(found.to_pylist()) == str(array.to_pylist())
    assert found.null_count == array.null_count


@pytest.mark.parametrize("name", ARRAYS)
def test_a_column_comes_back_with_its_chunks(name: str) -> None:
    array = ARRAYS[name]
    column = pa.chunked_array([array, array[1:], array[:0]], array.type)
    found = again(column)
    assert [len(chunk) for chunk in found.chunks] == [5, 4, 0]
    assert str(found.to_pylist()) == str(column.to_pylist())


@pytest.mark.parametrize("name", ARRAYS)
def test_a_scalar_comes_back(name: str) -> None:
    for item in (ARRAYS[name][0], ARRAYS[name][2]):
        found = again(item)
        assert found.type == item.type
        assert str(found.as_py()) == str(item.as_py())


def test_a_table_comes_back() -> None:
    columns = [pa.chunked_array([array, array[1:3]]) for array in ARRAYS.values()]
    fields = [
        pa.field(f"column {i}", column.type, metadata={b"\xff": b"\0"}) for i, column in enumerate(columns)
    ]
    table = pa.table(columns, pa.schema(fields, metadata={"pandas": '{"é": 1}'}))
    found = again(table)
    assert found.schema.equals(table.schema, check_metadata=True)
    assert str(found.to_pylist()) == str(table.to_pylist())
    batch = table.to_batches()[0]
    assert again(batch).schema.equals(batch.schema, check_metadata=True)
    assert again(table.select([])).num_rows == 7
    assert again(batch.select([])).num_rows == 5
    assert again(pa.table({})).num_columns == 0
    assert again(pa.chunked_array([], pa.int8())).num_chunks == 0


def leaves() -> st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]]:
    """Return types with strategies for their items."""
    return st.sampled_from(
        [
            (pa.int8(), st.integers(-128, 127)),
            (pa.uint64(), st.integers(0, 2**64 - 1)),
            (pa.float64(), st.floats(allow_nan=False)),
            (pa.bool_(), st.booleans()),
            (pa.string(), st.text(st.characters(exclude_categories=["Cs"]), max_size=20)),
            (pa.large_binary(), st.binary(max_size=20)),
            (pa.binary(3), st.binary(min_size=3, max_size=3)),
            (pa.date32(), st.dates()),
            (pa.duration("us"), st.timedeltas(-_LONGEST, _LONGEST)),
            (pa.decimal128(9, 2), st.decimals(-1000, 1000, places=2)),
            (pa.null(), st.none()),
            (pa.dictionary(pa.int16(), pa.string()), st.sampled_from("abc")),
        ]
    )


def inside(found: Any) -> st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]]:
    """Return types that hold a type, with strategies for their items."""
    kind, items = found
    items = st.none() | items
    return st.sampled_from(
        [
            (pa.list_(kind), st.lists(items, max_size=3)),
            (pa.large_list(pa.field("é", kind, metadata={"k": "v"})), st.lists(items, max_size=3)),
            (pa.list_(kind, 2), st.lists(items, min_size=2, max_size=2)),
            (pa.struct({"a": kind, "b": pa.int8()}), st.fixed_dictionaries({"a": items, "b": st.none()})),
            (pa.map_(pa.int8(), kind), st.lists(st.tuples(st.integers(0, 9), items), max_size=3)),
        ]
    )


@st.composite
def columns(draw: st.DrawFn) -> Any:
    """Draw a column of a nested type, its chunks slices of arrays."""
    kind, items = draw(
        leaves().flatmap(lambda leaf: st.just(leaf) | inside(leaf) | inside(leaf).flatmap(inside))
    )
    chunks = []
    for values in draw(st.lists(st.lists(st.none() | items, max_size=6), max_size=3)):
        begin, end = sorted(draw(st.tuples(st.integers(0, 6), st.integers(0, 6))))
        chunks.append(pa.array(values, kind)[begin:end])
    return pa.chunked_array(chunks, kind)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(columns())
def test_any_column_comes_back(column: Any) -> None:
    found = again(column)
    found.validate(full=True)
    assert found.type.equals(column.type, check_metadata=True)
    assert found.to_pylist() == column.to_pylist()
    assert list(map(len, found.chunks)) == list(map(len, column.chunks))
    whole = [pa.concat_arrays([chunk]) for chunk in column.chunks]
    assert skopsafe.dumps(pa.chunked_array(whole, column.type)) == skopsafe.dumps(column)


def test_what_is_hidden_is_not_written() -> None:
    secret = pa.array(["visible", "secret" * 10, "visible"])
    buffers = [pa.py_buffer(b"\5"), *secret.buffers()[1:]]
    assert b"secret" in buffers[2].to_pybytes()
    for array in (secret[:1], pa.Array.from_buffers(pa.string(), 3, buffers)):
        assert b"secret" not in skopsafe.dumps(array)
        assert b"secret" not in skopsafe.dumps(pa.table({"a": array}).slice(0, 1))
    numbers = pa.Array.from_buffers(
        pa.int64(), 3, [buffers[0], pa.py_buffer(np.array([1, 0x746572636573, 3]))]
    )
    assert b"secret" not in skopsafe.dumps(numbers)
    assert again(numbers).to_pylist() == [1, None, 3]


def test_a_list_of_more_than_is_visible_gives_the_bytes_of_what_is() -> None:
    items = pa.array(list(range(10)))
    holes = pa.ListArray.from_arrays(pa.array([2, 4, 7, 9]), items)
    masked = pa.Array.from_buffers(holes.type, 3, [pa.py_buffer(b"\5"), holes.buffers()[1]], children=[items])
    assert masked.to_pylist() == [[2, 3], None, [7, 8]]
    assert skopsafe.dumps(masked) == skopsafe.dumps(pa.array([[2, 3], None, [7, 8]]))


def test_records_that_are_all_null_come_back() -> None:
    """pyarrow gives their items the index 0 of an empty dictionary, which it does not call valid itself."""
    kind = pa.struct({"a": pa.dictionary(pa.int8(), pa.string())})
    records = pa.array([None, None], kind)
    for array in (records, records[1:], records[:0]):
        with pytest.raises(pa.ArrowInvalid, match="Dictionary indices"):
            array.validate(full=True)
        found = again(array)
        found.validate(full=True)
        assert found.equals(array)
    broken = pa.DictionaryArray.from_arrays(pa.array([5]), pa.array(["a"]), safe=False)
    with pytest.raises(skopsafe.UnsupportedTypeError, match="Dictionary indices"):
        skopsafe.dumps(broken)


def test_dense_unions_in_another_order_come_back() -> None:
    found = ARRAYS["dense"].take(pa.array([4, 2, 0])) if hasattr(pa, "uuid") else ARRAYS["dense"][1:]
    assert again(found).to_pylist() == found.to_pylist()
    kinds, offsets = pa.array([0, 1, 0], pa.int8()), pa.array([1, 1, 3], pa.int32())
    gaps = pa.UnionArray.from_dense(kinds, offsets, [pa.array([1, 2, 3, 4]), pa.array(["a", "b"])])
    assert again(gaps).to_pylist() == [2, "b", 4]


def test_a_mapped_array_is_not_copied(tmp_path: Any) -> None:
    numbers = pa.table({"a": np.arange(100_000), "b": np.arange(100_000.0)})
    skopsafe.dump(numbers, tmp_path / "numbers.skops")
    before = pa.total_allocated_bytes()
    found = skopsafe.load(tmp_path / "numbers.skops", mmap_mode="r")
    assert found.equals(numbers)
    assert pa.total_allocated_bytes() < before + 100_000
    with pytest.raises(ValueError, match="read-only"):
        found["a"].chunk(0).to_numpy()[0] = 1


class Money(pa.ExtensionType):  # type: ignore[misc, valid-type, name-defined]
    """An extension type of a user."""

    def __init__(self) -> None:
        super().__init__(pa.int64(), "skopsafe.money")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: Any, serialized: bytes) -> Money:
        return cls()


@pytest.mark.parametrize(
    ("obj", "match"),
    [
        (Money(), "extension type"),
        (pa.ExtensionArray.from_storage(Money(), pa.array([1])), "extension type"),
        (pa.decimal128(5, -2), "scale"),
        (pa.timestamp("us", "no zone"), "time zone"),
        (pa.Array.from_buffers(pa.string(), 1, [None, *pa.array([b"\xff"]).buffers()[1:]]), "UTF8"),
    ],
    ids=["type", "array", "scale", "zone", "text"],
)
def test_what_cannot_be_loaded_cannot_be_saved(obj: Any, match: str) -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match=match):
        skopsafe.dumps({"key": obj})
