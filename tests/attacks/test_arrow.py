"""pyarrow: layouts whose buffers do not fit together, and what Arrow does with such buffers by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skopsafe
from skopsafe.graph.parts import Leaf
from skopsafe.testing.crafted import changed, forged, schema_of, with_schema
from tests.attacks.layouts import Change, part, put, shorter, to

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")

ARRAY = "pyarrow.lib:Array"
FAR = 2**30

TEXTS = pa.array(["a", None, "bcd"])
NUMBERS = pa.array([1, None, 3])
LISTS = pa.array([["a"], None, ["b", "c"]])
MAPS = pa.array([[("a", 1)], None, [("b", 2), ("c", 3)]], pa.map_(pa.string(), pa.int64()))
RECORDS = pa.array([{"a": 1, "b": "x"}, None, {"a": 3, "b": "z"}])
PAIRS = pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int64(), 2))
DICTIONARY = pa.array(["a", None, "b"]).dictionary_encode()
RUNS = pc.run_end_encode(pa.array([1, 1, 2]))
DENSE = pa.UnionArray.from_dense(
    pa.array([0, 1, 0], pa.int8()), pa.array([0, 0, 1], pa.int32()), [pa.array([1, 2]), pa.array(["a"])]
)
SPARSE = pa.UnionArray.from_sparse(
    pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]
)

INTEGERS = (3, None, Leaf(np.zeros(3, "<i8")))
NO_TEXTS = (0, None, Leaf(np.zeros(1, "<i4")), Leaf(np.zeros(0, "u1")))

LAYOUTS: dict[str, tuple[Any, Change, str]] = {
    "length_far": (NUMBERS, part(0, lambda _: FAR), r"Array\.validity"),
    "length_negative": (NUMBERS, part(0, lambda _: -1), r"Array\.length"),
    "length_true": (NUMBERS, part(0, lambda _: True), r"Array\.length"),
    "nulls_without_end": (pa.nulls(3), part(0, lambda _: 2**40), r"Array\.length"),
    "records_without_end": (pa.array([{}] * 3), part(0, lambda _: 2**40), r"Array\.length"),
    "validity_short": (NUMBERS, part(1, shorter), r"Array\.validity"),
    "values_short": (NUMBERS, part(2, shorter), r"Array\.values"),
    "values_of_another_dtype": (NUMBERS, part(2, lambda a: a.astype("<i4")), r"Array\.values"),
    "values_big_endian": (NUMBERS, part(2, lambda a: a.astype(">i8")), r"Array\.values"),
    "bits_short": (pa.array([True] * 9), part(2, shorter), r"Array\.values"),
    "rows_narrow": (pa.array([b"ab", b"cd"], pa.binary(2)), part(2, lambda a: a[:, :1]), r"Array\.values"),
    "more_parts": (NUMBERS, lambda layout: (*layout, None), "malformed"),
    "fewer_parts": (NUMBERS, lambda layout: layout[:-1], "malformed"),
    "no_layout": (NUMBERS, lambda layout: 7, "malformed"),
    "text_offset_far": (TEXTS, part(2, put(1, FAR)), r"Array\.offsets"),
    "text_offset_negative": (TEXTS, part(2, put(0, -FAR)), r"Array\.offsets"),
    "text_offset_behind_the_data": (TEXTS, part(2, put(3, FAR)), r"Array\.data"),
    "text_offset_back": (TEXTS, part(2, to(0, 3, 1, 4)), r"Array\.offsets"),
    "text_offsets_short": (TEXTS, part(2, shorter), r"Array\.offsets"),
    "text_data_short": (TEXTS, part(3, shorter), r"Array\.data"),
    "text_no_utf8": (TEXTS, part(3, put(0, 255)), "Array"),
    "list_offset_far": (LISTS, part(2, put(1, FAR)), r"Array\.offsets"),
    "list_offset_behind_the_items": (LISTS, part(2, put(3, FAR)), r"Array\.children\[0\]"),
    "list_offset_negative": (LISTS, part(2, to(0, -FAR, 1, 3)), r"Array\.offsets"),
    "list_items_of_another_type": (
        LISTS,
        part(3, lambda _: (3, None, Leaf(np.zeros(3, "<i8")))),
        "malformed",
    ),
    "map_offset_far": (MAPS, part(2, put(1, FAR)), r"Array\.offsets"),
    "map_keys_null": (MAPS, part(3, part(1, lambda _: np.zeros(1, np.uint8))), r"Array\.children\[0\]"),
    "map_values_short": (MAPS, part(4, lambda _: (2, None, Leaf(np.zeros(2, "<i8")))), r"children\[1\]"),
    "record_child_short": (RECORDS, part(2, lambda _: (1, None, Leaf(np.zeros(1, "<i8")))), r"children\[0\]"),
    "pairs_short": (PAIRS, part(2, lambda _: (1, None, Leaf(np.zeros(1, "<i8")))), r"children\[0\]"),
    "pairs_far": (PAIRS, lambda layout: (FAR, None, layout[2]), r"children\[0\]"),
    "index_far": (DICTIONARY, part(2, put(0, FAR)), r"Array\.indices"),
    "index_negative": (DICTIONARY, part(2, put(0, -1)), r"Array\.indices"),
    "index_at_the_end": (DICTIONARY, part(2, put(0, 2)), r"Array\.indices"),
    "index_of_a_null": (DICTIONARY, part(2, put(1, FAR)), r"Array\.indices"),
    "runs_beyond": (RUNS, part(1, put(1, FAR)), r"Array\.run_ends"),
    "runs_too_few": (RUNS, part(0, lambda _: FAR), r"Array\.run_ends"),
    "runs_back": (RUNS, part(1, put(0, 7)), r"Array\.run_ends"),
    "runs_negative": (RUNS, part(1, put(0, -7)), r"Array\.run_ends"),
    "runs_of_fewer_values": (RUNS, part(2, lambda _: (1, None, Leaf(np.zeros(1, "<i8")))), r"Array\.values"),
    "dense_code": (DENSE, part(1, put(0, 77)), r"Array\.types"),
    "dense_code_negative": (DENSE, part(1, put(0, -1)), r"Array\.types"),
    "dense_offset_far": (DENSE, part(2, put(2, FAR)), r"Array\.offsets"),
    "dense_offset_negative": (DENSE, part(2, put(0, -1)), r"Array\.offsets"),
    "dense_child_short": (DENSE, part(3, lambda _: (1, None, Leaf(np.zeros(1, "<i8")))), r"children\[0\]"),
    "sparse_code": (SPARSE, part(1, put(0, 77)), r"Array\.types"),
    "sparse_child_short": (SPARSE, part(2, lambda _: (1, None, Leaf(np.zeros(1, "<i8")))), r"children\[0\]"),
    "decimal_of_more_digits": (
        pa.array([1, 2]).cast(pa.decimal128(19, 0)),
        part(2, lambda a: np.full_like(a, 127)),
        "Array",
    ),
    "time_beyond_the_day": (pa.array([1, 2], pa.time64("us")), part(2, to(1, 2**62)), "Array"),
    "day_in_the_middle": (pa.array([0], pa.date64()), part(2, to(5)), "Array"),
}
if hasattr(pa, "string_view"):
    VIEWS = pa.array(["a", None, "b" * 20], pa.string_view())
    LAYOUTS |= {
        "view_offset_far": (VIEWS, part(2, put(1, FAR)), r"Array\.offsets"),
        "view_data_short": (VIEWS, part(3, shorter), r"Array\.data"),
        "view_no_utf8": (VIEWS, part(3, put(0, 255)), "Array"),
        "list_view_far": (
            pa.array([["a"], ["b", "c"]], pa.list_view(pa.string())),
            part(2, put(1, FAR)),
            r"Array\.offsets",
        ),
    }


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_crafted_layout_is_refused(name: str) -> None:
    array, change, match = LAYOUTS[name]
    with pytest.raises(skopsafe.ValidationError, match=match):
        skopsafe.loads(forged(array, ARRAY, layout=change))


TYPES: dict[str, tuple[Any, str]] = {
    "unknown": ("int7", "unknown"),
    "method": ("Table", "unknown"),
    "nothing": ((), "malformed"),
    "number": (7, "malformed"),
    "width_far": (("fixed_size_binary", 2**31), "fixed_size_binary|not in"),
    "width_negative": (("fixed_size_binary", -1), "not in"),
    "precision": (("decimal128", 99, 0), "not in"),
    "scale_far": (("decimal128", 5, 2**31 - 1), "scale"),
    "scale_negative": (("decimal128", 5, -5), "scale"),
    "unit": (("time32", "ns"), "unit"),
    "zone_as_a_path": (("timestamp", "us", "../../etc/passwd"), "time zone"),
    "zone_as_a_long_text": (("timestamp", "us", "a" * 1000), "time zone"),
    "list_far": (("fixed_size_list", ("item", "int8", True, None), 2**31), "not in"),
    "list_of_no_field": (("list", "int8"), "malformed"),
    "map_with_null_keys": (("map", ("k", "int8", True, None), ("v", "int8", True, None), False), "malformed"),
    "union_codes_twice": (("dense_union", (0, 0), *[(n, "int8", True, None) for n in "ab"]), "codes"),
    "union_code_far": (("dense_union", (200,), ("a", "int8", True, None)), "not in"),
    "dictionary_of_floats": (("dictionary", "float32", "string", False), "malformed"),
    "run_ends_of_bytes": (("run_end_encoded", "int8", "string"), "malformed"),
    "metadata": (("list", ("item", "int8", True, ("key",))), "malformed"),
    "metadata_of_no_bytes": (("list", ("item", "int8", True, ("\u1234", "value"))), "not bytes"),
    "tensor_far": (("arrow.fixed_shape_tensor", "int8", (2**20, 2**20), None, None), "shape"),
    "tensor_order": (("arrow.fixed_shape_tensor", "int8", (2, 2), None, (5, 7)), "order"),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_crafted_type_is_refused(name: str) -> None:
    described, match = TYPES[name]
    with pytest.raises(skopsafe.FormatError, match=match):
        skopsafe.loads(forged(pa.int8(), "pyarrow.lib:DataType", type=lambda _: described))


def nested(depth: int) -> Any:
    described: Any = "int8"
    for _ in range(depth):
        described = ("list", ("item", described, True, None))
    return described


def test_types_are_nested_as_deep_as_arrow_reads_them() -> None:
    found = skopsafe.loads(forged(pa.int8(), "pyarrow.lib:DataType", type=lambda _: nested(64)))
    assert str(found).count("list") == 64
    with pytest.raises(skopsafe.ValidationError, match="64 deep"):
        skopsafe.loads(forged(pa.int8(), "pyarrow.lib:DataType", type=lambda _: nested(65)))
    with pytest.raises(skopsafe.UnsupportedTypeError, match="64 deep"):
        skopsafe.dumps(pa.list_(found))


def test_a_type_is_no_bomb() -> None:
    """Thirty tuples, each of which holds the one before twice, would be a type of a billion fields."""
    described: Any = "int8"
    for _ in range(30):
        field = ("name", described, True, None)
        described = ("struct", field, field)
    with pytest.raises(skopsafe.ValidationError, match="stands twice"):
        skopsafe.loads(forged(pa.int8(), "pyarrow.lib:DataType", type=lambda _: described))


def test_a_layout_is_no_bomb() -> None:
    column = pa.chunked_array([NUMBERS, NUMBERS])
    with pytest.raises(skopsafe.ValidationError, match="stands twice"):
        skopsafe.loads(forged(column, "pyarrow.lib:ChunkedArray", chunks=lambda old: [old[0], old[0]]))


def test_chunks_share_a_dictionary_that_is_checked_for_each() -> None:
    column = pa.chunked_array([DICTIONARY, DICTIONARY])
    layouts = "pyarrow.lib:ChunkedArray"
    found = skopsafe.loads(skopsafe.dumps(column))
    first, second = (chunk.dictionary.buffers()[2].address for chunk in found.chunks)
    assert first == second
    with pytest.raises(skopsafe.ValidationError, match=r"chunks\[1\]\.indices"):
        skopsafe.loads(forged(column, layouts, chunks=lambda old: [old[0], part(2, put(0, FAR))(old[1])]))


def test_columns_have_one_length() -> None:
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    for change in (
        {"rows": lambda _: 3},
        {"columns": lambda old: [old[0], []]},
        {"columns": lambda old: old[:1]},
    ):
        with pytest.raises(skopsafe.ValidationError, match="Table"):
            skopsafe.loads(forged(table, "pyarrow.lib:Table", **change))


@pytest.mark.parametrize("number", [1, 2])
def test_an_array_shares_no_memory_with_what_can_be_written_to(number: int) -> None:
    """Else a model could change the offsets that were checked, while it learns."""

    def use(schema: dict[str, Any]) -> None:
        for run in schema["runs"]:
            if schema["types"][schema["shapes"][run[0]][0]][0] == "numpy:ndarray":
                run[2] = [number]

    with pytest.raises(skopsafe.FormatError, match="used twice"):
        skopsafe.loads(changed([np.zeros(4, "<i4"), TEXTS], use))


@pytest.mark.parametrize("mode", [None, "r", "c"])
def test_an_array_that_stands_at_an_odd_place_is_copied(mode: Any, tmp_path: Path) -> None:
    numbers = pa.array(np.arange(100_000))
    data = skopsafe.dumps(numbers)
    path = tmp_path / "numbers.skops"
    for odd in (data, with_schema(data, schema_of(data))):  # zipfile does not align
        path.write_bytes(odd)
        found = skopsafe.load(path, mmap_mode=mode)
        assert found.equals(numbers)
        assert found.buffers()[1].address % 8 == 0
        assert not found.buffers()[1].is_mutable


OPEN = """
import pyarrow as pa, pyarrow.parquet, pyarrow.dataset, pyarrow.fs, pyarrow.compute as pc, skopsafe, sys
path = sys.argv[1] + "/table.parquet"
pa.parquet.write_table(pa.table({"a": [1]}), path)
things = {
    "dataset": pa.dataset.dataset(path), "file": pa.parquet.ParquetFile(path),
    "system": pa.fs.LocalFileSystem(),
    "map": pa.memory_map(path), "stream": pa.OSFile(path), "expression": pc.field("a") > 1,
    "reader": pa.RecordBatchReader.from_batches(pa.schema([]), []),
}
for name, thing in things.items():
    try:
        data = skopsafe.dumps(thing)
    except skopsafe.UnsupportedTypeError:
        continue
    try:
        skopsafe.loads(data)
    except (skopsafe.DeniedTypeError, skopsafe.UntrustedTypesFoundException):
        continue
    sys.exit(name)
"""


def test_what_opens_files_is_never_loaded(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", OPEN, str(tmp_path)], check=True)


RAW = """
import os, json, resource, numpy as np, pyarrow as pa
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
FAR = 2**30
def buffer(*items, dtype=np.int32):
    return pa.py_buffer(np.array(items, dtype))
def made(kind, length, *buffers, children=None):
    return pa.Array.from_buffers(kind, length, [None, *buffers], children=children)
record = pa.StructArray.from_arrays(
    [pa.array(["a"]), pa.array([1])], fields=[pa.field("k", pa.string(), False), pa.field("v", pa.int64())]
)
offsets = buffer(0, FAR, 1)
cases = {
    "text_offset_far": lambda: made(pa.string(), 2, offsets, buffer(0, dtype=np.uint8)).to_pylist(),
    "list_offset_far": lambda: made(pa.list_(pa.int64()), 2, offsets, children=[pa.array([1])]).to_pylist(),
    "map_offset_far": lambda: repr(made(pa.map_(pa.string(), pa.int64()), 2, offsets, children=[record])),
    "index_negative": lambda: pa.DictionaryArray.from_arrays(
        pa.array([-FAR], pa.int32()), pa.array([1.5]), safe=False
    ).to_pylist(),
    "dense_code": lambda: made(
        pa.dense_union([pa.field("a", pa.int64())], [0]), 1, buffer(77, dtype=np.int8), buffer(0),
        children=[pa.array([1])],
    ).to_pylist(),
    "scale_far": lambda: made(
        pa.decimal128(5, 2**31 - 1), 1, buffer(5, 0, dtype=np.int64)
    ).cast(pa.decimal128(38, 38)),
}
if hasattr(pa, "string_view"):
    cases["view_far"] = lambda: made(pa.string_view(), 1, buffer(50, 0, 7, 0)).to_pylist()
    cases["list_view_far"] = lambda: made(
        pa.list_view(pa.int64()), 1, buffer(FAR), buffer(FAR), children=[pa.array([1])]
    ).to_pylist()
ended = {}
for name, case in cases.items():
    child = os.fork()
    if child == 0:
        os.close(2)
        try:
            case()
        except BaseException:
            os._exit(1)
        os._exit(0)
    ended[name] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps(ended))
"""


def test_what_is_refused_crashes_pyarrow() -> None:
    done = subprocess.run([sys.executable, "-c", RAW], capture_output=True, text=True, check=True)
    ended = json.loads(done.stdout.splitlines()[-1])
    died = [name for name, code in ended.items() if code < 0]
    assert len(died) >= 0.7 * len(ended), ended
