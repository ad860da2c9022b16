"""Written zips: what other readers find in them, and that the bytes do not depend on what is written to."""

from __future__ import annotations

import gc
import io
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.archive import crc
from skopsafe.archive.compression import BZIP2, DEFLATED, LZMA, STORED
from skopsafe.archive.container import ALIGNMENT, Reader, Writer, replace
from skopsafe.limits import Limits

METHODS = [STORED, DEFLATED, BZIP2, LZMA]
DTYPES = ["u1", "<f8", ">f4", "M8[s]", "U3", "V5", "?", [("a", "<i4"), ("b", "S3")]]


class Forwards:
    """What a pipe can do: neither seek nor say what was taken."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: Any) -> None:
        self.content += data


class Sips(io.RawIOBase):
    """Takes a part of what it is given."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)[:1000]
        self.content += part
        return len(part)


def written(sink: Any, members: dict[str, list[Any]], method: int = STORED) -> None:
    writer = Writer(sink, method, None)
    for name, chunks in members.items():
        writer.add(name, *chunks)
    writer.close()


def zipped(members: dict[str, list[Any]], method: int = STORED) -> bytes:
    out = io.BytesIO()
    written(out, members, method)
    return out.getvalue()


def content(chunks: list[Any]) -> bytes:
    return b"".join(chunk.tobytes() if isinstance(chunk, np.ndarray) else bytes(chunk) for chunk in chunks)


@st.composite
def chunk(draw: st.DrawFn) -> Any:
    kind = draw(st.integers(0, 3))
    if kind < 3:
        return (bytes, bytearray, memoryview)[kind](draw(st.binary(max_size=200)))
    count = draw(st.sampled_from([0, 1, 7, 300, 40_000]))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    return np.arange(count * dtype.itemsize, dtype="u8").astype("u1").view(dtype)


NAMES = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs"]), min_size=1, max_size=20)
MEMBERS = st.dictionaries(NAMES, st.lists(chunk(), max_size=5), max_size=6)


@settings(max_examples=60, deadline=None)
@given(MEMBERS, st.sampled_from(METHODS))
def test_zipfile_reads_what_is_written(members: dict[str, list[Any]], method: int) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(members, method))) as found:
        assert found.testzip() is None
        # zipfile takes slashes of another system, and none of the names here has one.
        assert found.namelist() == list(members)
        for info, chunks in zip(found.infolist(), members.values(), strict=True):
            assert found.read(info) == content(chunks)
            assert info.compress_type == method or info.file_size > 10_000
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert (info.create_system, info.external_attr) == (3, 0o600 << 16)


@settings(max_examples=60, deadline=None)
@given(MEMBERS.filter(len), st.sampled_from(METHODS))
def test_every_sink_gets_the_same_bytes(members: dict[str, list[Any]], method: int) -> None:
    data = zipped(members, method)
    forwards, sips = Forwards(), Sips()
    written(forwards, members, method)
    written(sips, members, method)
    assert data == bytes(forwards.content) == bytes(sips.content)
    begun = io.BytesIO(b"before")
    begun.seek(0, os.SEEK_END)
    written(begun, members, method)
    assert begun.getvalue() == b"before" + data
    reader = Reader(io.BytesIO(data), Limits())
    assert {name: reader.read(name) for name in members} == {n: content(c) for n, c in members.items()}


def test_large_members_are_the_same_in_every_sink(tmp_path: Path) -> None:
    """Their CRC is put in afterwards where that is possible."""
    large = np.arange(crc.LARGE // 8 + 3.0)
    members = {
        "first": [b"head", large],
        "small": [b"x"],
        "many": [np.full(1000, i, "u2") for i in range(3 * crc.LARGE // 2000)],
        "matrix": [large[:-3].reshape(256, -1)],
    }
    data = zipped(members)
    for name, chunks in members.items():
        assert zipfile.ZipFile(io.BytesIO(data)).read(name) == content(chunks)
    forwards, sips, begun = Forwards(), Sips(), io.BytesIO(b"before")
    begun.seek(0, os.SEEK_END)
    for sink in (forwards, sips, begun):
        written(sink, members)
    assert data == bytes(forwards.content) == bytes(sips.content) == begun.getvalue()[6:]
    replace(str(tmp_path / "new"), lambda file: written(file, members))
    assert (tmp_path / "new").read_bytes() == data
    for mode, buffering in (("wb", 0), ("wb", -1), ("ab", 0), ("ab", -1)):
        (tmp_path / "open").write_bytes(b"before")
        with open(tmp_path / "open", mode, buffering) as file:
            written(file, members)
        assert (tmp_path / "open").read_bytes() == (b"before" if mode == "ab" else b"") + data


def test_stored_members_are_aligned() -> None:
    data = zipped({f"{'n' * size}.npy": [bytes(size)] for size in range(150)})
    for info in zipfile.ZipFile(io.BytesIO(data)).infolist():
        name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
        assert (info.header_offset + 30 + name + extra) % ALIGNMENT == 0
        assert struct.unpack_from("<HH", data, info.header_offset + 30 + name) == (0xD935, extra - 4)


def test_more_members_than_the_old_end_can_count() -> None:
    count = 0x10003
    data = zipped({f"{number:x}": [] for number in range(count)})
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert len(found.namelist()) == count
    assert f"{count - 1:x}" in Reader(io.BytesIO(data), Limits())


class Sparse(Forwards):
    """A file in which long runs of zeros take no room."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, data: Any) -> None:
        if len(data) > 1 << 20:
            self.file.seek(len(data), os.SEEK_CUR)
        else:
            self.file.write(data)


def test_members_of_more_than_4_gb(tmp_path: Path) -> None:
    huge = np.zeros(2**32 + 5, np.uint8)
    path = tmp_path / "huge"
    with open(path, "wb") as file:
        written(Sparse(file), {"huge": [huge], "behind": [b"it"], "last": []})
    with zipfile.ZipFile(path) as found:
        assert [info.file_size for info in found.infolist()] == [2**32 + 5, 2, 0]
        assert found.getinfo("behind").header_offset > 2**32
        assert found.read("behind") == b"it"
        with found.open("huge") as member:
            assert member.read(10) == bytes(10)
    with open(path, "rb") as file:
        reader = Reader(file, Limits())
        assert reader.size("huge") == 2**32 + 5
        assert (reader.head("huge", 5), reader.read("behind"), reader.read("last")) == (bytes(5), b"it", b"")
        assert (reader.offset("huge"), reader.offset("behind") % ALIGNMENT) == (ALIGNMENT, 0)


@pytest.mark.parametrize("method", METHODS)
def test_a_failed_write_writes_nothing_more(method: int) -> None:
    class Fails(Forwards):
        def write(self, data: Any) -> None:
            if self.content:
                raise KeyboardInterrupt
            super().write(data)

    sink = Fails()
    stream = np.random.default_rng(0).bytes(1 << 19)
    with pytest.raises(KeyboardInterrupt):
        written(sink, {str(number): [stream] for number in range(20)}, method)
    size = len(sink.content)
    gc.collect()
    assert len(sink.content) == size < len(stream) * 2


def test_an_open_file_has_everything_before_it_is_closed(tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb") as file:
        written(file, {"member": [b"x"]})
        assert (tmp_path / "file").read_bytes() == zipped({"member": [b"x"]})


@pytest.mark.parametrize("count", [None, 0])
def test_a_sink_that_takes_nothing_is_an_error(count: int | None) -> None:
    class Blocked(io.RawIOBase):
        def write(self, data: Any) -> int | None:
            return count

    with pytest.raises(skopsafe.FileError, match="does not wait"):
        skopsafe.dump([1], Blocked())  # type: ignore[arg-type]
