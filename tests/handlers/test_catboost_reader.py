"""The reader of the binary form of CatBoost's models, for what a writer could do otherwise."""

from __future__ import annotations

import struct

import pytest

from skopsafe.errors import ValidationError
from skopsafe.handlers.catboost.flat import Buffer, Kind
from skopsafe.handlers.catboost.info import check_info

ROOT = Kind("Rows:4 Name:text Number:i Flag:B", Number=7)
ROW = Kind("Items:4")
WHERE = "here"


def table(fields: list[int], body: bytes) -> bytes:
    """Return a table behind its table of fields."""
    head = struct.pack(f"<{2 + len(fields)}H", 4 + 2 * len(fields), 4 + len(body), *fields)
    head = bytes(-len(head) % 4) + head
    return head + struct.pack("<i", len(head) - (-(4 + 2 * len(fields)) % 4)) + body


def buffer(head: list[int], body: bytes, rest: bytes = b"") -> Buffer:
    """Return a FlatBuffer whose root table has such a body."""
    made = table(head, body)
    data = struct.pack("<I", len(made) - len(body)) + made + rest
    return Buffer(data, 0, len(data), WHERE)


def test_fields_may_stand_in_any_order_and_be_missing() -> None:
    text = struct.pack("<I", 3) + b"abc\0"
    found = buffer([0, 8, 4], struct.pack("<iI", -5, 4) + text).root(ROOT)
    assert found[0] == (0, 0)
    assert found[2:4] == [-5, 0]
    made = buffer([0, 4, 0, 8], struct.pack("<IB3x", 8, 1) + text)
    rows, name, number, flag, _ = made.root(ROOT)
    assert (rows, made.text(name, WHERE), number, flag) == ((0, 0), b"abc", 7, 1)


def test_fields_of_a_later_version_are_not_read() -> None:
    assert buffer([0, 0, 4, 0, 999, 999], struct.pack("<i", 3)).root(ROOT)[2] == 3


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ([4, 0, 4], "over another"),  # two in one place
        ([0, 0, 6], "over another"),  # not aligned
        ([0, 0, 8], "over another"),  # behind its end
        ([0, 0, 2], "over another"),  # before it
        ([0, 4], "outside"),  # leads behind the buffer
    ],
)
def test_fields_that_lead_elsewhere_are_refused(fields: list[int], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        buffer(fields, struct.pack("<I", 2**31)).root(ROOT)


@pytest.mark.parametrize("size", [0, 2, 3, 5, 17, 4000, 4001])
def test_a_table_of_fields_of_another_size_is_refused(size: int) -> None:
    made = buffer([0, 0, 4, 0, 0, 0, 0], struct.pack("<i", 3))
    fields = made.data.index(struct.pack("<HH", 18, 8))
    data = bytearray(made.data)
    struct.pack_into("<H", data, fields, size)
    for _ in range(2):  # what is known of it from before changes nothing
        with pytest.raises(ValidationError, match="outside"):
            Buffer(bytes(data), 0, len(data), WHERE).root(ROOT)


def test_a_text_without_its_end_is_refused() -> None:
    for text, what in ((b"abcd", "ends outside"), (b"abcdefgh", "no end")):
        with pytest.raises(ValidationError, match=what):
            buffer([0, 4], struct.pack("<I", 4), struct.pack("<I", 4) + text).root(ROOT)


def test_tables_that_share_their_parts_are_not_read_over_and_over() -> None:
    many = 5000
    row = table([4], struct.pack("<II", 4, many) + bytes(4 * many))
    vector = struct.pack("<I", many)
    start = 4 * many + len(row) - 12 - 4 * many
    vector += b"".join(struct.pack("<I", start - 4 * number) for number in range(many))
    made = buffer([4], struct.pack("<I", 4), vector + row)
    rows = made.root(ROOT)[0]
    assert rows[1] == many
    with pytest.raises(ValidationError, match="over one another"):
        made.chain([items for items, _ in made.rows(ROW, rows, WHERE)], "<u4", WHERE)


NESTED = b'{"a":' * 150 + b"[" * 100 + b"]" * 100 + b"}" * 150
FLAT = b"[" + b",".join([b'{"a":1}'] * 900) + b"]"


@pytest.mark.parametrize(
    "training",
    [
        NESTED,
        b'{"x":"' + b"},{" * 300 + b'","y":' + NESTED + b"}",
        b'{"x":"]]]]","y":' + b'["]",' * 250 + b"1" + b"]" * 250 + b"}",
        b'{"x":"\\"","y":' + NESTED + b"}",
    ],
)
def test_metadata_nested_too_deeply_are_refused(training: bytes) -> None:
    with pytest.raises(ValidationError, match="nested too deeply"):
        check_info({b"training": training}, 1)


@pytest.mark.parametrize(
    "training",
    [
        FLAT,
        FLAT.replace(b"},{", b"} , {"),
        b'{"x":"' + b"{[" * 300 + b'"}',
        b'{"x":"\\"' + b"{[" * 300 + b'"}',
        b'{"metrics":{"test_metrics_history":[],"learn_metrics_history":' + FLAT + b"}}",
    ],
)
def test_long_metadata_are_no_deep_ones(training: bytes) -> None:
    check_info({b"training": training}, 1)


@pytest.mark.parametrize(
    "tests",
    [
        b'"test_metrics_history":[1]',
        b'"test_metrics_history" : [ 1 ]',
        b'"test\\u005fmetrics_history":[1]',
        b'"test_metrics_history":[],"test_metrics_history":[1]',
        b'"other":"test_metrics_history","test_metrics_history":[1]',
    ],
)
def test_a_history_of_fewer_tests_is_refused_however_it_is_written(tests: bytes) -> None:
    text = b'{"metrics":{"learn_metrics_history":[1,2],' + tests + b"}}"
    with pytest.raises(ValidationError, match="training"):
        check_info({b"training": text}, 1)
