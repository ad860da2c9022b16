"""polars: layouts that do not fit together, plans, panics, and what such memory does to polars itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest

import skopsafe
from skopsafe.graph.parts import Leaf
from skopsafe.testing.crafted import forged, schema_of, with_schema
from tests.attacks.layouts import part, put, shorter, to

pl = pytest.importorskip("polars", minversion="1.32")

SERIES = "polars.series.series:Series"
DTYPE = "polars.datatypes.classes:DataType"
FAR = 2**30

TEXTS = pl.Series(["a", None, "bcd"])
NUMBERS = pl.Series([1, None, 3])
LISTS = pl.Series([["a"], None, ["b", "c"]])
PAIRS = pl.Series([["a", "b"], None], dtype=pl.Array(pl.String, 2))
RECORDS = pl.Series([{"a": 1, "b": "x"}, None])
ENUM = pl.Series(["a", None, "b"], dtype=pl.Enum(["a", "b"]))
CATEGORIES = pl.Series(["a", None, "b"], dtype=pl.Categorical)
DECIMALS = pl.Series([1, 2]).cast(pl.Decimal(20, 0))
BITS = pl.Series([True] * 9)
FREE = pl.Series([{}] * 3, dtype=pl.Struct([]))
TEXTLESS = (Leaf(np.zeros(1, "<i8")), Leaf(np.zeros(0, "u1")))
THREE = (3, None, Leaf(np.zeros(3, "<i8")))
ONE = (1, None, Leaf(np.zeros(1, "<i8")))

Change = Callable[[Any], Any]

LAYOUTS: dict[str, tuple[Any, Change, str]] = {
    "length_far": (NUMBERS, part(0, lambda _: FAR), r"\.validity"),
    "length_negative": (NUMBERS, part(0, lambda _: -1), r"\.length"),
    "nulls_without_end": (pl.Series([None]), part(0, lambda _: 2**40), r"\.length"),
    "records_without_end": (FREE, part(0, lambda _: FAR), r"\.length"),
    "validity_short": (NUMBERS, part(1, shorter), r"\.validity"),
    "values_short": (NUMBERS, part(2, shorter), r"\.values"),
    "values_of_another_dtype": (NUMBERS, part(2, lambda a: a.astype("<i4")), r"\.values"),
    "bits_short": (BITS, part(2, shorter), r"\.values"),
    "more_parts": (NUMBERS, lambda layout: (*layout, None), "malformed"),
    "no_layout": (NUMBERS, lambda _: 7, "malformed"),
    "text_offset_far": (TEXTS, part(2, put(1, FAR)), r"\.offsets"),
    "text_offset_negative": (TEXTS, part(2, put(0, -FAR)), r"\.offsets"),
    "text_offset_back": (TEXTS, part(2, to(0, 3, 1, 4)), r"\.offsets"),
    "text_data_short": (TEXTS, part(3, shorter), r"\.data"),
    "list_offset_far": (LISTS, part(2, put(1, FAR)), r"\.offsets"),
    "list_offset_behind_the_items": (LISTS, part(2, put(2, FAR)), r"\.items"),
    "list_items_of_another_type": (LISTS, part(3, lambda _: ONE), "malformed"),
    "array_items_short": (PAIRS, part(2, lambda _: (0, None, *TEXTLESS)), r"\.items"),
    "record_child_long": (RECORDS, part(2, lambda _: THREE), r"children\[0\]"),
    "enum_code_far": (ENUM, part(2, put(0, FAR)), r"\.codes"),
    "enum_code_at_the_end": (ENUM, part(2, put(0, 2)), r"\.codes"),
    "category_far": (CATEGORIES, part(2, put(0, FAR)), r"\.codes"),
    "category_null": (CATEGORIES, part(3, part(1, lambda _: np.zeros(1, "u1"))), r"\.categories"),
    "decimal_of_more_digits": (DECIMALS, part(2, lambda a: np.full_like(a, 127)), r"\.values"),
    "time_beyond_the_day": (pl.Series([0]).cast(pl.Time), part(2, to(2**62)), r"\.values"),
}


def crafted(series: Any, change: Change) -> bytes:
    return forged(series, SERIES, chunks=lambda old: [change(old[0])])


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_crafted_layout_is_refused(name: str) -> None:
    series, change, match = LAYOUTS[name]
    with pytest.raises(skopsafe.ValidationError, match=match):
        skopsafe.loads(crafted(series, change))


def test_a_text_is_utf8() -> None:
    with pytest.raises(skopsafe.FormatError, match="utf8"):
        skopsafe.loads(crafted(TEXTS, part(3, put(0, 255))))


TYPES: dict[str, tuple[Any, str]] = {
    "unknown": ("Int7", "unknown"),
    "function": ("read_csv", "unknown"),
    "nothing": ((), "malformed"),
    "width_far": (("Array", "Int8", 2**31), "not in"),
    "width_negative": (("Array", "Int8", -1), "not in"),
    "precision": (("Decimal", 99, 0), "not in"),
    "scale": (("Decimal", 5, 6), "not in"),
    "unit": (("Datetime", "s", None), "unit"),
    "zone_as_a_path": (("Datetime", "us", "../../etc/passwd"), "time zone"),
    "categories_twice": (("Enum", ("a", "a")), "cannot be built"),
    "categories_of_numbers": (("Enum", (1,)), "malformed"),
    "categories_of_floats": (("Categorical", "name", "namespace", "Float64"), "malformed"),
    "no_field": (("Struct", ("a",)), "malformed"),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_crafted_type_is_refused(name: str) -> None:
    described, match = TYPES[name]
    with pytest.raises(skopsafe.FormatError, match=match):
        skopsafe.loads(forged(pl.Int8(), DTYPE, type=lambda _: described))


def test_types_are_nested_as_deep_as_those_of_arrow() -> None:
    def lists(depth: int) -> Any:
        return "Int8" if not depth else ("List", lists(depth - 1))

    found = skopsafe.loads(forged(pl.Int8(), DTYPE, type=lambda _: lists(64)))
    with pytest.raises(skopsafe.ValidationError, match="64 deep"):
        skopsafe.loads(forged(pl.Int8(), DTYPE, type=lambda _: lists(65)))
    with pytest.raises(skopsafe.UnsupportedTypeError, match="64 deep"):
        skopsafe.dumps(pl.List(found))


def test_a_type_is_no_bomb() -> None:
    described: Any = "Int8"
    for _ in range(30):
        described = ("Struct", ("a", described), ("b", described))
    with pytest.raises(skopsafe.ValidationError, match="stands twice"):
        skopsafe.loads(forged(pl.Int8(), DTYPE, type=lambda _: described))


def test_columns_have_one_length() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    changes: list[dict[str, Change]] = [
        {"rows": lambda _: 3},
        {"chunks": lambda old: [old[0], []]},
        {"chunks": lambda old: old[:1]},
        {"columns": lambda _: ["a", "a"]},
    ]
    for change in changes:
        with pytest.raises(skopsafe.FormatError):
            skopsafe.loads(forged(frame, "polars.dataframe.frame:DataFrame", **change))


@pytest.mark.parametrize("name", ["polars.lazyframe.frame:LazyFrame", "polars.expr.expr:Expr"])
def test_a_plan_is_not_loaded(name: str) -> None:
    data = skopsafe.dumps(pl.Schema())
    schema = schema_of(data)
    schema["types"] = [[name if "Schema" in found else found, role] for found, role in schema["types"]]
    with pytest.raises(skopsafe.ValidationError, match="plan"):
        skopsafe.loads(with_schema(data, schema))


def test_a_panic_is_an_error_of_ours() -> None:
    """A panic is no `Exception`, so that whoever catches all exceptions does not catch it."""
    data = skopsafe.dumps(NUMBERS)
    panic = pl.exceptions.PanicException("index out of bounds")
    assert not isinstance(panic, Exception)
    with (
        mock.patch("polars.DataFrame.select", side_effect=panic),
        pytest.raises(skopsafe.ValidationError, match="gave up: index"),
    ):
        skopsafe.loads(data)


RAW = """
import os, sys, numpy as np, polars as pl, pyarrow as pa, resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
FAR = 2**30
offsets = pa.py_buffer(np.array([0, FAR, 1]))
data = pa.py_buffer(np.zeros(60, np.uint8))
view = pa.py_buffer(np.array([50, 0, 0, FAR], np.int32))
found = {
    "text": lambda: pa.Array.from_buffers(pa.large_string(), 2, [None, offsets, data]),
    "list": lambda: pa.Array.from_buffers(
        pa.large_list(pa.int64()), 2, [None, offsets], children=[pa.array([1])]
    ),
    "view": lambda: pa.Array.from_buffers(pa.string_view(), 1, [None, view, data]),
}[sys.argv[1]]()
pl.from_arrow(found).to_list()
"""


@pytest.mark.parametrize("name", ["text", "list", "view"])
def test_memory_of_arrow_that_is_refused_here_kills_polars(name: str) -> None:
    pytest.importorskip("pyarrow", minversion="20")
    done = subprocess.run([sys.executable, "-c", RAW, name], capture_output=True, check=False)
    assert done.returncode < 0
