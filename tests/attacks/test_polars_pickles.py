"""Frames of polars in pickles: what their Arrow streams say of themselves is not believed."""

from __future__ import annotations

import pickle
import struct
import tracemalloc

import pytest

pl = pytest.importorskip("polars", minversion="1.32")

import skopsafe  # noqa: E402
from skopsafe.errors import SkopsafeError  # noqa: E402
from tests.convert.converting import converted  # noqa: E402


def replaced(series: object, old: bytes, new: bytes, count: int = -1) -> bytes:
    data = pickle.dumps(series, 4)
    assert old in data
    return data.replace(old, new, count)


COUNT = 12_345
NOTHING = {
    "nulls": pl.Series([None] * COUNT, dtype=pl.Null),
    "records of nothing": pl.Series([{}] * COUNT, dtype=pl.Struct([])),
}


@pytest.mark.parametrize("name", NOTHING)
def test_rows_of_which_there_is_nothing_take_nothing(name: str) -> None:
    data = replaced(NOTHING[name], struct.pack("<q", COUNT), struct.pack("<q", 2**46))
    tracemalloc.start()
    try:
        with pytest.raises(SkopsafeError):
            skopsafe.loads(converted(data))
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def offsets(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def view(size: int) -> bytes:
    return struct.pack("<i", size) + b"a te"


LISTS = pl.Series([[71, 72], [73]], dtype=pl.List(pl.Int64))
TEXTS = pl.Series(["a text that is longer than twelve"])
ENUM = pl.Series(["v"], dtype=pl.Enum(["u", "v"]))
CASES = {
    "offsets that decrease": replaced(LISTS, offsets(0, 2, 3), offsets(0, 3, 2)),
    "offsets beyond": replaced(LISTS, offsets(0, 2, 3), offsets(0, 2, 4)),
    "offsets below": replaced(LISTS, offsets(0, 2, 3), offsets(-1, 2, 3)),
    "a view beyond": replaced(TEXTS, view(33), view(34)),
    "a negative view": replaced(TEXTS, view(33), view(-3)),
    "other categories": replaced(ENUM, b"1;u1;v", b"1;u1;w"),
    "lengths of categories": replaced(ENUM, b"1;u1;v", b"9;u1;v"),
    "an end within": replaced(LISTS, b"\xff" * 4 + bytes(4), b"\xff" * 4 + b"\1\0\0\0"),
    "a break": replaced(LISTS, b"\xff" * 4 + bytes(4), b"\xff" * 4 + b"\xff" * 4),
    "another schema": replaced(LISTS, b"\xff" * 4, b"\xff\xff\xff\x7f"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_stream_that_contradicts_itself_is_refused(name: str) -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match="polars"):
        converted(CASES[name])
