"""Zips that are more than they seem: bombs, overlapping members, directories that lie; memory is measured."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import skopsafe
from skopsafe.archive import zip_records as records
from tests.archive.zips import Crafted, craft, needs_zstd
from tests.attacks.graphs import assert_refused, deflated, npy, one_list, schema, spelled, written
from tests.measuring import MEBIBYTE, VERBS, Meter, needs_linux

pytestmark = needs_linux

SMALL = 8 * MEBIBYTE
"""What a file that is refused at once may take: modules that are imported late, and its own bytes."""
EMPTY = one_list("[]")


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    with Meter() as made:
        yield made


def zeros(count: int) -> Iterator[bytes]:
    block = bytes(MEBIBYTE)
    for _ in range(count):
        yield block


def array_of(size: int) -> dict[str, Any]:
    """Return the schema of an array of so many bytes that stands alone."""
    return schema(
        ["numpy:ndarray"],
        [[0, ["array"]]],
        [[0, 1, [0]]],
        [0],
        dtypes=["|u1"],
        members=["arrays/0.npy"],
        arrays=[[0, 0, 0, 1, [size]]],
    )


def test_deflate_makes_no_more_than_the_limit_of_expansion(meter: Meter, tmp_path: Path) -> None:
    size = 16 * MEBIBYTE
    head = npy((size,))
    member = deflated("arrays/0.npy", [head, *zeros(16)])
    path = tmp_path / "bomb"
    path.write_bytes(craft(member, Crafted(data=spelled(array_of(size)))))
    assert path.stat().st_size < size / 900
    found = meter(path, limits={"expansion": 100})
    assert_refused(found, "LimitError", peak=SMALL, match="Limits(expansion=...)")
    found = meter(path)
    assert (found.ended, found.message) == ("returned", "ndarray")
    assert size <= found.peak <= size + SMALL


@pytest.mark.parametrize("says", [0, 1000, 6 * MEBIBYTE])
def test_a_member_never_gives_more_than_the_directory_says(meter: Meter, tmp_path: Path, says: int) -> None:
    member = deflated("schema.json", zeros(8))
    member.size = says
    path = tmp_path / "lie"
    # Something that does not shrink, so that the size that it says is no bomb.
    path.write_bytes(craft(Crafted(b"noise", bytes(MEBIBYTE)), member))
    for verb in VERBS:
        assert_refused(meter(path, verb), "FormatError", "LimitError", peak=2 * says + SMALL)


@needs_zstd
def test_zstandard_cannot_hide_much_in_little(meter: Meter, tmp_path: Path) -> None:
    from skopsafe.archive.compression import zstd

    compressor = zstd().ZstdCompressor(19)
    pieces = [*map(compressor.compress, zeros(128)), compressor.flush()]
    fields = {"method": 93}
    for says in (1000, 128 * MEBIBYTE):
        member = Crafted(b"schema.json", b"".join(pieces), fields, fields, size=says)
        path = tmp_path / "bomb"
        path.write_bytes(craft(member))
        assert path.stat().st_size < 6000
        assert_refused(meter(path), "FormatError", "LimitError", peak=SMALL)


def test_a_bomb_in_a_bomb_is_only_one(meter: Meter, tmp_path: Path) -> None:
    """What is in a member is read as what it is said to be, and never unpacked again."""
    inner = craft(deflated("schema.json", zeros(8)))
    outer = deflated("schema.json", [inner])
    again = deflated("schema.json", [outer.data])
    for number, member in enumerate((outer, again)):
        path = tmp_path / f"nested{number}"
        path.write_bytes(craft(member))
        assert_refused(meter(path), "FormatError", peak=SMALL, match="malformed")


def test_members_of_one_content_are_refused(meter: Meter, tmp_path: Path) -> None:
    """Many entries of the directory that lead to one member: each is a bomb by itself."""
    kernel = deflated("kernel", zeros(1))
    copies = [
        Crafted(
            b"copy%d" % number,
            b"",
            entry={"method": 8, "packed": len(kernel.data), "place": 0},
            size=MEBIBYTE,
            checksum=kernel.checksum,
        )
        for number in range(5000)
    ]
    path = tmp_path / "copies"
    path.write_bytes(craft(kernel, *copies, Crafted(data=EMPTY)))
    for verb in VERBS:
        assert_refused(meter(path, verb), "FormatError", peak=SMALL, match="overlap")


def quoted(count: int) -> bytes:
    """Return a zip in which each member quotes the local header of the next one, and shares its data.

    After David Fifield, "A better zip bomb" (2019): a stored block of deflate may hold that header, so that
    members overlap in all but their first bytes.
    """
    kernel = deflated("m", zeros(1))
    size, checksum = kernel.size or 0, kernel.checksum or 0
    content, data, headers = bytes(size), kernel.data, []
    for number in reversed(range(count)):
        name = b"m%04d" % number if number else b"schema.json"
        common = (20, 0, 8, 0, 33, checksum, len(data), size, len(name))
        header = records.LOCAL.pack(records.LOCAL_MAGIC, *common, 0) + name
        headers.append((common, name, len(header)))
        out = header + data
        data = b"\0" + struct.pack("<HH", len(header), 0xFFFF - len(header)) + out
        content = header + content
        size, checksum = len(content), zlib.crc32(content)
    directory, place = b"", 0
    for common, name, length in reversed(headers):
        directory += records.ENTRY.pack(records.ENTRY_MAGIC, 0, *common, 0, 0, 0, 0, 0, place) + name
        place += length + 5  # the mark of the block that quotes the next
    return out + directory + records.END.pack(b"PK\5\6", 0, 0, count, count, len(directory), len(out), 0)


def test_members_that_quote_each_other_are_refused(meter: Meter, tmp_path: Path) -> None:
    data = quoted(40)
    # It is a zip that others read, and each member is larger than the whole file.
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        names = zipped.namelist()
        assert len(names) == 40
        try:
            sizes = [len(zipped.read(name)) for name in (names[0], names[-1])]
        except zipfile.BadZipFile as error:  # later releases of Python look for overlaps too
            assert "overlap" in str(error).lower()  # noqa: PT017
            sizes = [info.file_size for info in zipped.infolist()]
    assert min(sizes) >= MEBIBYTE > 100 * len(data)
    path = tmp_path / "quoted"
    path.write_bytes(data)
    for verb in VERBS:
        assert_refused(meter(path, verb), "FormatError", peak=SMALL, match="overlap")


def test_a_zip_that_holds_itself_is_no_trap(meter: Meter, tmp_path: Path) -> None:
    """Nothing is unpacked by its content: a file that holds a copy of itself is read once."""
    path = written(tmp_path / "inner", EMPTY)
    for number in range(3):
        path = written(tmp_path / f"outer{number}", path.read_bytes())
    assert_refused(meter(path), "FormatError", peak=SMALL, match="malformed")
    path = written(tmp_path / "beside", EMPTY, {"self.zip": path.read_bytes()})
    found = meter(path)
    assert (found.ended, found.message) == ("returned", "list")
    assert found.peak < SMALL


def many_members(count: int) -> bytes:
    """Return a zip of so many empty members, made without a list of them."""
    local = records.LOCAL.pack(records.LOCAL_MAGIC, 20, 0, 0, 0, 33, 0, 0, 0, 7, 0)
    out = b"".join([local + b"%07d" % number for number in range(count)])
    step = len(local) + 7
    entries = [
        records.ENTRY.pack(records.ENTRY_MAGIC, 0, 20, 0, 0, 0, 33, 0, 0, 0, 7, 0, 0, 0, 0, 0, step * number)
        + b"%07d" % number
        for number in range(count)
    ]
    directory = b"".join(entries)
    end64 = records.END64.pack(records.END64_MAGIC, 44, 45, 45, 0, 0, count, count, len(directory), len(out))
    locator = records.LOCATOR.pack(records.LOCATOR_MAGIC, 0, len(out) + len(directory), 1)
    end = records.END.pack(records.END_MAGIC, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return out + directory + end64 + locator + end


@pytest.mark.parametrize("count", [150_000, pytest.param(1_000_000, marks=pytest.mark.large)])
def test_members_without_end_are_counted_and_not_read(meter: Meter, tmp_path: Path, count: int) -> None:
    path = tmp_path / "members"
    path.write_bytes(many_members(count))
    for verb in VERBS:
        assert_refused(meter(path, verb), "LimitError", peak=SMALL, match="Limits(members=...)")
    limits = {"members": 10**7, "directory_bytes": 2**20}
    found = meter(path, limits=limits)
    assert_refused(found, "LimitError", peak=SMALL, match="Limits(directory_bytes=...)")


def test_as_many_members_as_are_allowed_take_little(meter: Meter, tmp_path: Path) -> None:
    path = tmp_path / "members"
    path.write_bytes(many_members(skopsafe.Limits().members))
    found = meter(path, "audit")
    assert_refused(found, "FormatError", peak=8 * found.size, match="no schema.json")


@pytest.mark.parametrize(
    "end",
    [
        {"count": 60_000, "here": 60_000},
        {"length": 2**31},
        {"length": 30 * MEBIBYTE},
        {"place": 2**31},
        {"place": 0},
        {"length": 0, "count": 0, "here": 0},
    ],
    ids=str,
)
def test_a_directory_that_lies_takes_no_memory(meter: Meter, tmp_path: Path, end: dict[str, int]) -> None:
    path = tmp_path / "lie"
    path.write_bytes(craft(Crafted(data=EMPTY), **end))
    for verb in VERBS:
        assert_refused(meter(path, verb), "FormatError", peak=SMALL)


def test_a_zip64_directory_that_lies_takes_no_memory(meter: Meter, tmp_path: Path) -> None:
    genuine = many_members(1000)
    at = len(genuine) - records.END.size - records.LOCATOR.size - records.END64.size
    fields = list(records.END64.unpack_from(genuine, at))
    for place, value in ((6, 10**18), (7, 10**18), (8, 2**60), (9, 2**60), (8, 31 * MEBIBYTE)):
        changed = [*fields[:place], value, *fields[place + 1 :]]
        data = genuine[:at] + records.END64.pack(*changed) + genuine[at + records.END64.size :]
        path = tmp_path / "lie"
        path.write_bytes(data)
        assert_refused(meter(path), "FormatError", "LimitError", peak=len(data) + SMALL)


def test_a_stored_member_has_the_bytes_that_it_says(meter: Meter, tmp_path: Path) -> None:
    """Neither a size that is not there, nor an array whose header says more than its member."""
    path = tmp_path / "lie"
    path.write_bytes(craft(Crafted(data=EMPTY, size=2**31)))
    assert_refused(meter(path), "FormatError", peak=SMALL, match="two sizes")
    size = 10**9
    written(path, array_of(size), {"arrays/0.npy": npy((size,))})
    assert_refused(meter(path), "FormatError", peak=SMALL, match="contradicts")
