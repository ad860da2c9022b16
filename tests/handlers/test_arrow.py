"""pyarrow: arrays of every type, columns, tables, schemas and scalars come back as they were."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import skopsafe

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")

TEXTS = ["a", "bcdefghijklmnopqrstu", None, "é", ""]
BYTES = [b"a", b"x" * 20, None, b"", b"q"]
NUMBERS = [1, 0, None, 1, 0]
DAYS = [datetime.date(2020, 1, 1), None, datetime.date(1960, 1, 1), datetime.date(1960, 1, 2), None]
DECIMALS = [Decimal("1.25"), None, Decimal("-3.5"), Decimal(0), Decimal(1)]
LISTS = [["a"], None, [], ["b", None, "c"], ["z"]]
MAPS = [[("a", 1)], None, [], [("b", None)], [("q", 2)]]
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


def again(obj: Any) -> Any:
    """Return what comes back of an object, after the checks that hold for all."""
    data = skopsafe.dumps(obj)
    assert skopsafe.get_untrusted_types(data=data) == []
    found = skopsafe.loads(data)
    assert type(found) is type(obj)
    assert skopsafe.dumps(obj) == data
    assert skopsafe.dumps(found) == data
    return found


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
