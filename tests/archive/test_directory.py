"""The directory of a zip: crafted ones are refused, and odd ones have one meaning."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.archive import zip_records as records
from skopsafe.archive.directory import TAIL
from skopsafe.limits import Limits
from tests.archive.zips import Crafted, craft, opened

GOOD = Crafted()
WIDE = 0xFFFFFFFF


def wide(*values: int) -> bytes:
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values)


def test_the_helper_makes_a_zip_that_zipfile_reads() -> None:
    data = craft(GOOD, Crafted(b"other", b"more"))
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert zipped.testzip() is None
        assert zipped.namelist() == ["schema.json", "other"]
    assert opened(data).read("other") == b"more"


@pytest.mark.parametrize(
    ("member", "match"),
    [
        (Crafted(entry={"flags": 1}), "encrypted"),
        (Crafted(entry={"flags": 1 << 5}), "unknown flag"),
        (Crafted(entry={"flags": 1 << 6}), "unknown flag"),
        (Crafted(entry={"flags": 1 << 13}), "unknown flag"),
        (Crafted(entry={"method": 1}), "compression 1 is unknown"),
        (Crafted(entry={"method": 99}), "compression 99 is unknown"),
        (Crafted(entry={"version": 64}), "unknown"),
        (Crafted(entry={"packed": 5}), "two sizes"),
        (Crafted(entry={"size": 22}), "two sizes"),
        (Crafted(entry={"disk": 1}), "another part"),
        (Crafted(entry={"disk": 0xFFFF}), "another part"),
        (Crafted(entry={"comment": 1}), "malformed|ends early|comment"),
        (Crafted(entry={"magic": b"PK\1\3"}), "malformed"),
        (Crafted(entry={"name_size": 12}), "malformed|behind"),
        (Crafted(entry={"name_size": 10}), "bytes follow|name|two sizes"),
        (Crafted(entry={"extra_size": 1}), "malformed"),
        (Crafted(entry={"place": 1}), "before the first|overlap"),
        (Crafted(entry={"place": 1 << 20}), "overlap|before"),
        (Crafted(entry={"size": 1 << 20, "packed": 1 << 20}), "overlap or lie outside"),
        (Crafted(b"sch\0ma.json"), "NUL"),
        (Crafted(b"sch\xe9ma.json"), "neither ASCII"),
        (Crafted(b"sch\xe9ma.json", entry={"flags": 1 << 11}), "neither ASCII"),
        (Crafted(entry_extra=b"\x01"), "extra fields"),
        (Crafted(entry_extra=b"\x99\x00\x05\x00abc"), "extra fields"),
        (Crafted(entry_extra=b"\x99\x00\x01\x00a" * 2), "extra fields"),
        (Crafted(entry_extra=struct.pack("<HHBI", 0x7075, 6, 1, 0) + b"x"), "another name"),
        (Crafted(entry={"size": WIDE, "packed": WIDE}), "zip64 field"),
        (Crafted(entry={"place": WIDE}), "zip64 field"),
        (Crafted(entry={"size": WIDE}, entry_extra=wide(21, 21)), "zip64 field"),
        (Crafted(entry={"size": WIDE, "packed": WIDE}, entry_extra=wide(21)), "zip64 field"),
        (
            Crafted(entry={"size": WIDE, "packed": WIDE}, entry_extra=wide(2**63, 2**63)),
            "overlap|lie outside",
        ),
        (Crafted(entry_extra=wide(21)), "zip64 field"),
        (Crafted(entry={"place": WIDE}, entry_extra=wide(2**64 - 1)), "overlap|before"),
    ],
    ids=range(33),
)
def test_an_entry_that_is_not_in_order_is_refused(member: Crafted, match: str) -> None:
    with pytest.raises(skopsafe.FormatError, match=match) as caught:
        opened(craft(member))
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("end", "match"),
    [
        ({"magic": b"PK\5\7"}, "truncated"),
        ({"comment": 1}, "does not end with its directory"),
        ({"disk": 1}, "several parts"),
        ({"start_disk": 1}, "several parts"),
        ({"here": 2}, "several parts"),
        ({"here": 2, "count": 2}, "ends early"),
        ({"here": 0, "count": 0}, "bytes follow its last entry"),
        ({"length": 56}, "not where its end says"),
        ({"length": 58}, "not where its end says"),
        ({"place": 61}, "not where its end says"),
        ({"place": 0, "length": 119}, "malformed|damaged"),
        ({"place": WIDE}, "zip64"),
        ({"length": WIDE}, "zip64"),
        ({"here": 0xFFFF, "count": 0xFFFF}, "zip64"),
        ({"disk": 0xFFFF}, "zip64"),
        ({"before": b"x"}, "not where its end says"),
        ({"before": b"PK\6\7" + bytes(16)}, "zip64"),
        ({"behind": b"\0"}, "bytes behind it|not end"),
        ({"behind": bytes(22)}, "not end"),
    ],
    ids=range(19),
)
def test_an_end_that_is_not_in_order_is_refused(end: dict[str, Any], match: str) -> None:
    with pytest.raises(skopsafe.FormatError, match=match):
        opened(craft(GOOD, **end))


PLACE, LENGTH = 30 + 11 + 21, 46 + 11
"""Of the directory of a zip with `GOOD` alone."""


def end64(**changed: Any) -> bytes:
    """Return the zip64 end of that directory, and its locator."""
    fields = {
        "magic": b"PK\6\6",
        "size": 44,
        "writer": 45,
        "version": 45,
        "disk": 0,
        "start_disk": 0,
        "here": 1,
        "count": 1,
        "length": LENGTH,
        "place": PLACE,
    }
    locator = {"magic": b"PK\6\7", "disk": 0, "place": PLACE + LENGTH, "disks": 1}
    for name, value in changed.items():
        (locator if name.startswith("locator_") else fields)[name.removeprefix("locator_")] = value
    return records.END64.pack(*fields.values()) + records.LOCATOR.pack(*locator.values())


@pytest.mark.parametrize(
    "end",
    [
        {"place": WIDE},
        {"length": WIDE, "place": WIDE},
        {"here": 0xFFFF, "count": 0xFFFF},
        {"disk": 0xFFFF, "start_disk": 0xFFFF},
        {},
    ],
    ids=range(5),
)
def test_a_zip64_end_is_read_whatever_field_asks_for_it(end: dict[str, Any]) -> None:
    data = craft(GOOD, before=end64(), **end)
    assert opened(data).read("schema.json") == GOOD.data


@pytest.mark.parametrize(
    "changed",
    [
        {"magic": b"PK\6\5"},
        {"size": 45},
        {"version": 99},
        {"disk": 1},
        {"start_disk": 1},
        {"here": 2},
        {"count": 2},
        {"length": LENGTH + 1},
        {"length": 2**63},
        {"place": PLACE - 1},
        {"place": 2**64 - 1},
        {"locator_magic": b"PK\6\5"},
        {"locator_disk": 1},
        {"locator_place": PLACE},
        {"locator_place": 2**64 - 1},
        {"locator_disks": 2},
        {"locator_disks": 0},
    ],
    ids=range(17),
)
@pytest.mark.parametrize("end", [{}, {"place": WIDE, "length": WIDE, "here": 0xFFFF, "count": 0xFFFF}])
def test_a_zip64_end_that_is_not_in_order_is_refused(changed: dict[str, Any], end: dict[str, Any]) -> None:
    with pytest.raises(skopsafe.FormatError):
        opened(craft(GOOD, before=end64(**changed), **end))


@pytest.mark.parametrize("end", [{"place": PLACE - 1}, {"length": LENGTH - 1}, {"here": 2, "count": 2}])
def test_the_two_ends_of_a_directory_must_agree(end: dict[str, int]) -> None:
    with pytest.raises(skopsafe.FormatError, match="zip64"):
        opened(craft(GOOD, before=end64(), **end))


def test_members_in_any_order_are_read_and_overlapping_ones_refused() -> None:
    one, two = Crafted(b"one", b"1" * 50), Crafted(b"two", b"2" * 50)
    swapped = craft(
        Crafted(b"one", b"1" * 50, entry={"place": 0}), Crafted(b"two", b"2" * 50, entry={"place": 83})
    )
    assert swapped == craft(one, two)
    data = craft(one, two)
    start = len(data) - 22 - 2 * 49
    entries = data[start : start + 49], data[start + 49 : start + 98]
    reader = opened(data[:start] + entries[1] + entries[0] + data[-22:])
    assert (reader.read("one"), reader.read("two")) == (b"1" * 50, b"2" * 50)
    for place in (0, 1, 82):
        with pytest.raises(skopsafe.FormatError, match="overlap"):
            opened(craft(one, Crafted(b"two", b"2" * 50, entry={"place": place})))
    with pytest.raises(skopsafe.FormatError, match="stands twice"):
        opened(craft(one, one))
    with pytest.raises(skopsafe.FormatError, match="stands twice"):
        opened(craft(one, Crafted(b"one", b"2", local={"flags": 1 << 11}, entry={"flags": 1 << 11})))


def test_a_long_local_header_cannot_make_members_overlap() -> None:
    extra = struct.pack("<HH", 0xD935, 40) + bytes(40)
    one = Crafted(b"one", b"1" * 60, extra=extra)
    assert opened(craft(one, Crafted(b"two"))).read("one") == b"1" * 60
    # The second begins where the first would end without its extra field, and so within its data.
    reader = opened(craft(one, Crafted(b"two", entry={"place": 33 + 60})))
    with pytest.raises(skopsafe.FormatError, match="overlap"):
        reader.read("one")


def test_limits_are_compared_before_a_directory_is_read() -> None:
    asked: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(-1 if size is None else size)
            return super().read(size)

    data = craft(*(Crafted(b"%06d" % number, b"") for number in range(2000)))
    for limits in (Limits(members=1999), Limits(directory_bytes=2000 * 52 - 1)):
        asked.clear()
        with pytest.raises(skopsafe.LimitError):
            skopsafe.load(Watched(data), limits=limits)
        assert max(asked) <= TAIL
        assert min(asked) >= 0


def test_the_sizes_of_members_are_summed_before_any_is_read() -> None:
    huge = {"size": WIDE, "packed": 21, "method": 8}
    member = Crafted(entry=huge, entry_extra=wide(2**50))
    with pytest.raises(skopsafe.LimitError, match="total_bytes"):
        opened(craft(member))
    member = Crafted(entry={"size": 1 << 21, "packed": 21, "method": 8})
    with pytest.raises(skopsafe.LimitError, match="expansion"):
        opened(craft(member))


@pytest.mark.parametrize("size", [0, 1, 21, 22, 23])
def test_a_short_file_is_refused(size: int) -> None:
    with pytest.raises(skopsafe.FormatError):
        opened((b"PK\3\4" + bytes(40))[:size])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_a_changed_directory_gives_is_what_was_written_or_an_error(data: st.DataObject) -> None:
    """A change may hide a member, but never gives it another content."""
    contents = {b"one": b"1" * 40, b"two": b"2" * 50, b"schema.json": b"{}"}
    zipped = bytearray(craft(*(Crafted(name, content) for name, content in contents.items())))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(zipped) - 1))
        zipped[place] = data.draw(st.integers(0, 255))
    try:
        reader = opened(bytes(zipped))
        for name, content in contents.items():
            if name.decode() in reader:
                found = reader.read(name.decode())
                assert len(found) == reader.size(name.decode())
                assert found == content
    except skopsafe.FormatError:
        return
