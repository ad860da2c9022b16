"""Compressed streams are read at any place and to their end, and never beyond a budget."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import zlib
from collections.abc import Callable

import pytest

import skopsafe
from skopsafe.archive.readable import Budget, Part, Whole
from skopsafe.archive.unpack import Unpacked, compression_of, unpack

DATA = random.Random(0).randbytes(300_000) + bytes(300_000)
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}


def unpacked(packed: bytes, limits: skopsafe.Limits | None = None) -> Unpacked:
    found = compression_of(packed[:64])
    assert found is not None
    source = Whole(io.BytesIO(packed))
    return unpack(found[0], source, found[1], Budget(limits or skopsafe.Limits(), len(packed)))


@pytest.mark.parametrize("held", [0, 2**30])
@pytest.mark.parametrize("kind", COMPRESS)
def test_content_is_read_at_any_place(kind: str, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skopsafe.archive.readable.HELD", held)
    packed = COMPRESS[kind](DATA)
    assert compression_of(packed[:64]) == (kind, 0)
    content = unpacked(packed)
    assert (content.size, content.problem) == (len(DATA), "")
    for place, size in ((0, 5), (299_990, 20), (100, 400_000), (0, 10**7), (10**7, 1), (599_999, 2)):
        assert content.read(place, size) == DATA[place : place + size]


@pytest.mark.parametrize("kind", COMPRESS)
def test_what_comes_before_damage_is_kept(kind: str) -> None:
    packed = COMPRESS[kind](DATA)
    content = unpacked(packed[: len(packed) // 2])
    assert content.problem == "its compressed data end early"
    assert DATA.startswith(content.read(0, content.size))


@pytest.mark.parametrize("kind", COMPRESS)
def test_what_a_loader_takes_before_damage_is_there(kind: str) -> None:
    """A decompressor gives nothing out of bytes with damage in them, and loaders give it fewer at a time."""
    content = random.Random(1).randbytes(20_000)
    packed = bytearray(COMPRESS[kind](content) + COMPRESS[kind](DATA)[:20_000])
    if kind in ("zlib", "gzip"):
        packed[len(COMPRESS[kind](content)) - (1 if kind == "zlib" else 5)] ^= 1  # of the checksum
    elif kind == "lzma":
        packed = bytearray(COMPRESS[kind](content)[:-1] + b"\xff")
    else:
        packed[-10_000:] = bytes(10_000)
    found = unpacked(bytes(packed))
    assert found.problem or kind == "lzma"
    assert found.read(0, len(content)) == content


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:3] + b"\xe0" + data[4:],  # flags that mean nothing
        lambda data: data[:3] + b"\x02" + data[4:10] + b"ab" + data[10:],  # a checksum of the header
        lambda data: data[:3] + b"\x1c" + data[4:10] + b"\x01\0xname\0comment\0" + data[10:],
        lambda data: gzip.compress(b"") + bytes(100_000) + data + bytes(3) + gzip.compress(b""),
        lambda data: data[:-8] + b"12345678",
        lambda data: data[:-3],
    ],
)
def test_gzip_is_read_as_python_reads_it(change: Callable[[bytes], bytes]) -> None:
    packed = change(gzip.compress(b"content"))
    with gzip.open(io.BytesIO(packed)) as file:
        assert file.read(7) == b"content"
    assert unpacked(packed).read(0, 100) == b"content"


def test_a_header_of_gzip_without_end_takes_no_time() -> None:
    found = unpacked(b"\x1f\x8b\x08\x10" + b"x" * 10**7)
    assert (found.size, found.problem) == (0, "its compressed data are damaged (its header is too long)")


@pytest.mark.parametrize("kind", ["gzip", "bz2", "xz"])
def test_streams_behind_each_other_are_one(kind: str) -> None:
    content = unpacked(COMPRESS[kind](b"one ") + COMPRESS[kind](b"two") + b"something else")
    assert content.read(0, 100) == b"one two"


def test_a_thousand_streams_are_enough() -> None:
    content = unpacked(gzip.compress(b"x") * 1001)
    assert content.size == 1000
    assert "more than 1000" in content.problem


def test_a_bomb_takes_no_memory_and_is_refused() -> None:
    packed = bz2.compress(bytes(2**25))
    with pytest.raises(skopsafe.LimitError, match="expansion"):
        unpacked(packed)
    with pytest.raises(skopsafe.LimitError, match="total_bytes"):
        unpacked(gzip.compress(bytes(2**16)), skopsafe.Limits(total_bytes=2**15))


def test_a_file_that_changes_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skopsafe.archive.readable.HELD", 0)
    monkeypatch.setattr("skopsafe.archive.readable._HEAD", 0)
    file = io.BytesIO(zlib.compress(DATA))
    content = unpack("zlib", Whole(file), 0, Budget(skopsafe.Limits(), 10**6))
    file.getbuffer()[:2000] = bytes(2000)
    with pytest.raises(skopsafe.FormatError, match="changes"):
        content.read(0, len(DATA))


def test_a_window_for_lzma_that_fills_the_memory_is_not_made() -> None:
    packed = lzma.compress(b"x" * 1000, lzma.FORMAT_ALONE)
    content = unpacked(packed[:1] + b"\0\0\0\xff" + packed[5:])
    assert content.size == 0
    assert "damaged" in content.problem


@pytest.mark.parametrize("head", [b"", b"x", b"xx", b"ZFxyz", b"\x1f\x8b", b"PK\3\4"])
def test_other_things_are_not_compressed(head: bytes) -> None:
    assert compression_of(head) is None


def test_a_part_ends_where_its_whole_does() -> None:
    whole = Whole(io.BytesIO(b"0123456789"))
    part = Part(whole, 5, 100)
    assert (part.size, part.read(0, 100), part.read(3, 1), part.read(9, 9)) == (5, b"56789", b"8", b"")
    assert Part(whole, 50, 5).size == 0
