"""Members, read by name: in one go, into memory, or their beginning; every damage is found."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.archive import crc
from skopsafe.archive.compression import BZIP2, DEFLATED, LZMA, STORED
from skopsafe.archive.container import Reader, Writer
from skopsafe.limits import Limits
from tests.archive.zips import Crafted, craft, opened

METHODS = [STORED, DEFLATED, BZIP2, LZMA]
WIDE = 0xFFFFFFFF
LARGE = np.arange(crc.LARGE // 4 + 3, dtype="<u4").view("u1")
CONTENT = {"large": LARGE.tobytes(), "empty": b"", "small": b"content", "middle": bytes(range(256)) * 300}
SLOW = {name: data for name, data in CONTENT.items() if name != "large"}
CONTENTS = {STORED: CONTENT, DEFLATED: CONTENT, BZIP2: SLOW, LZMA: SLOW}


def by_zipfile(method: int, content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as zipped:
        for name, data in content.items():
            zipped.writestr(name, data)
    return out.getvalue()


def by_us(method: int, content: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    writer = Writer(out, method, None)
    for name, data in content.items():
        writer.add(name, data)
    writer.close()
    return out.getvalue()


class Streamed(io.BytesIO):
    """Makes zipfile put sizes behind the data."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError

    def seek(self, *_: Any) -> int:
        raise OSError


def streamed(method: int, content: dict[str, bytes]) -> bytes:
    out = Streamed()
    with zipfile.ZipFile(out, "w", method) as zipped:
        for name, data in content.items():
            zipped.writestr(name, data)
    data = out.getvalue()
    assert struct.unpack_from("<H", data, 6)[0] & 8
    return data


@pytest.mark.parametrize("make", [by_zipfile, by_us, streamed])
@pytest.mark.parametrize("method", METHODS)
def test_members_are_read_in_every_way(make: Callable[..., bytes], method: int) -> None:
    reader = opened(make(method, CONTENTS[method]))
    for name, data in CONTENTS[method].items():
        assert name in reader
        assert reader.size(name) == len(data)
        assert reader.is_stored(name) == (method == STORED)
        assert reader.read(name) == data
        array = reader.read_array(name)
        assert array.dtype == np.uint8
        assert array.tobytes() == data
        assert array.flags.writeable
        reader.check(name)
        for skip in (0, 1, 5, len(data)):
            skip = min(skip, len(data))
            head = reader.head(name, skip)
            assert head == data[:skip]
            target = np.zeros(len(data) - skip, np.uint8)
            reader.read_into(name, skip, target, head)
            assert target.tobytes() == data[skip:]
        assert reader.head(name, 10**9) == data
    assert "other" not in reader
    for call in (reader.read, reader.size, reader.check, reader.offset, reader.read_array):
        with pytest.raises(skopsafe.FormatError, match="other is missing"):
            call("other")
    reader.close()


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.text("abcé/.", min_size=1, max_size=9), st.binary(max_size=99), min_size=1, max_size=9
    ),
    st.sampled_from(METHODS),
    st.sampled_from([by_zipfile, streamed]),
)
def test_what_zipfile_writes_is_read(
    content: dict[str, bytes], method: int, make: Callable[..., bytes]
) -> None:
    reader = opened(make(method, content))
    assert {name: reader.read(name) for name in content} == content


class Plain:
    """A file object with nothing but what reading takes, and short reads."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)
        self.seek = self._file.seek

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 1 << 17))


FILES: dict[str, Callable[[Path], Any]] = {
    "path": lambda path: path.open("rb"),
    "raw": lambda path: path.open("rb", buffering=0),
    "both ways": lambda path: path.open("r+b"),
    "bytes": lambda path: io.BytesIO(path.read_bytes()),
    "plain": lambda path: Plain(path.read_bytes()),
    "gzip": lambda path: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(path.read_bytes(), 1))),
    "buffered bytes": lambda path: io.BufferedReader(io.BytesIO(path.read_bytes())),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_of_file_is_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(by_us(STORED, CONTENT))
    file = FILES[kind](path)
    reader = Reader(file, Limits())
    assert reader.file is file
    for name, data in CONTENT.items():
        assert reader.read(name) == reader.read_array(name).tobytes() == data
        reader.check(name)
    if hasattr(file, "close"):
        file.close()


def test_a_compressed_file_object_is_not_read_by_its_descriptor(tmp_path: Path) -> None:
    """It has one, of the file below."""
    path = tmp_path / "file.gz"
    with gzip.open(path, "wb") as out:
        out.write(by_us(STORED, CONTENT))
    with gzip.open(path) as file:
        assert file.fileno() > 0
        assert Reader(file, Limits()).read("middle") == CONTENT["middle"]  # type: ignore[arg-type]


def test_what_stands_in_a_buffer_is_read() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(by_us(STORED, {"member": b"content"}))
        assert Reader(file, Limits()).read("member") == b"content"  # type: ignore[arg-type]


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(by_us(STORED, CONTENT))
    with open(path, "rb") as file:
        reader = Reader(file, Limits())
        os.truncate(path, 100_000)
        for call in (reader.read, reader.read_array, reader.check):
            with pytest.raises(skopsafe.FormatError, match="truncated"):
                call("large")
        os.truncate(path, 0)
        with pytest.raises(skopsafe.FormatError, match="truncated"):
            reader.read("middle")


def test_a_disk_that_fails_is_an_error_of_ours() -> None:
    class Fails(io.BytesIO):
        broken = False

        def read(self, size: int | None = -1, /) -> bytes:
            if self.broken:
                raise OSError(5, os.strerror(5))
            return super().read(size)

        def readinto(self, buffer: Any, /) -> int:
            raise OSError(5, os.strerror(5))

    file = Fails(by_us(STORED, CONTENT))
    reader = Reader(file, Limits())
    file.broken = True
    for call in (reader.read, reader.read_array, reader.check):
        with pytest.raises(skopsafe.FileError, match=os.strerror(5)):
            call("middle")


@pytest.mark.parametrize(
    "local",
    [
        {"magic": b"PK\3\5"},
        {"flags": 1},
        {"flags": 1 << 11},
        {"flags": 8},
        {"method": 8},
        {"checksum": 1},
        {"packed": 20},
        {"size": 20},
        {"packed": 0, "size": 0, "checksum": 0},
        {"size": WIDE, "packed": WIDE},
        {"name_size": 10},
        {"name_size": 12},
        {"name_size": 0xFFFF},
        {"extra_size": 1},
        {"extra_size": 0xFFFF},
    ],
    ids=range(15),
)
def test_a_local_header_that_contradicts_the_directory_is_refused(local: dict[str, Any]) -> None:
    reader = opened(craft(Crafted(b"first"), Crafted(local=local)))
    for call in (reader.read, reader.read_array, reader.check, reader.offset, lambda n: reader.head(n, 1)):
        with pytest.raises(skopsafe.FormatError, match=r"contradicts|extra fields|overlap|truncated"):
            call("schema.json")


def test_sizes_may_stand_behind_the_data_where_the_header_says_so() -> None:
    behind = {"flags": 8, "packed": 0, "size": 0, "checksum": 0}
    assert opened(craft(Crafted(local=behind, entry={"flags": 8}))).read("schema.json")
    for wrong in ({"packed": 1}, {"size": 1}, {"checksum": 1}):
        reader = opened(craft(Crafted(local={**behind, **wrong}, entry={"flags": 8})))
        with pytest.raises(skopsafe.FormatError, match="contradicts"):
            reader.read("schema.json")


def test_a_local_header_may_be_longer_than_what_is_read_at_first() -> None:
    extra = struct.pack("<HH", 0x9999, 300) + bytes(300)
    for wide in (b"", struct.pack("<HHQQ", 1, 16, 21, 21)):
        local = {"size": WIDE, "packed": WIDE} if wide else {}
        data = craft(Crafted(extra=extra + wide, local=local), Crafted(b"more", bytes(70_000)))
        reader = opened(data)
        assert reader.head("schema.json", 7) == b"content"
        assert opened(data).read("schema.json") == b"content of the member"
    swapped = craft(Crafted(extra=struct.pack("<HHQQ", 1, 16, 20, 21), local={"size": WIDE, "packed": WIDE}))
    with pytest.raises(skopsafe.FormatError, match="contradicts"):
        opened(swapped).read("schema.json")


@pytest.mark.parametrize(
    ("method", "name"),
    [(method, name) for method, content in CONTENTS.items() for name in content if content[name]],
)
def test_a_wrong_checksum_is_found_in_every_way_of_reading(method: int, name: str) -> None:
    data = bytearray(by_us(method, {name: CONTENT[name]}))
    place = data.index(b"PK\1\2") + 16
    for at in (14, place):
        data[at] ^= 1
    for size in (0, 3):
        reader = opened(bytes(data))
        head = reader.head(name, size)
        target = np.empty(reader.size(name) - size, np.uint8)
        with pytest.raises(skopsafe.FormatError, match="CRC"):
            reader.read_into(name, size, target, head)
    for call in (reader.read, reader.read_array, reader.check):
        with pytest.raises(skopsafe.FormatError, match="CRC"):
            call(name)
    reader = opened(by_us(method, {name: CONTENT[name]}))
    with pytest.raises(skopsafe.FormatError, match="CRC"):
        reader.read_into(name, 3, np.empty(reader.size(name) - 3, np.uint8), b"xxx")


class Counted(io.BytesIO):
    """Counts reads and the bytes of them."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[int] = []

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.reads.append(len(data))
        return data

    def readinto(self, buffer: Any, /) -> int:
        self.reads.append(len(buffer))
        return super().readinto(buffer)


def test_a_small_file_is_read_once_and_an_array_with_two_reads() -> None:
    file: BinaryIO = Counted(by_us(STORED, {"array": b"x" * 3000, "schema.json": b"y" * 3000}))
    reader = Reader(file, Limits())
    reader.read("schema.json")
    reader.read("array")
    assert len(file.reads) == 1  # type: ignore[attr-defined]
    file = Counted(by_us(STORED, {"array": CONTENT["large"], "schema.json": b"y" * 3000}))
    reader = Reader(file, Limits())
    reader.read("schema.json")
    assert file.reads == [1 << 16, 64]
    head = reader.head("array", 128)
    reader.read_into("array", 128, np.empty(reader.size("array") - 128, np.uint8), head)
    before, rest = file.reads[2], file.reads[3:]
    assert before < 400
    assert sum(rest) == len(LARGE) - 128


def test_threads_are_for_large_members_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[Any] = []

    def start(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        started.append(function)
        threading.Thread(target=function, args=arguments).start()

    monkeypatch.setattr("skopsafe.archive.tasks.start_new_thread", start)
    reader = opened(by_us(STORED, {"almost": bytes(crc.LARGE - 1)}))
    assert not reader.read_array("almost").any()
    assert started == []
    path = tmp_path / "large.zip"
    path.write_bytes(by_us(STORED, CONTENT))
    assert len(started) == 1
    assert opened(path.read_bytes()).read_array("large").tobytes() == CONTENT["large"]
    assert len(started) == 1, "what is no file has one place to read at"
    with open(path, "rb") as file:
        reader = Reader(file, Limits())
        assert reader.read_array("large").tobytes() == CONTENT["large"]
        reader.check("large")
    assert len(started) == (1 if crc.crc32_combine is None else 3)


def test_members_are_read_where_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    expected = [by_us(method, CONTENTS[method]) for method in METHODS]
    monkeypatch.setattr("skopsafe.archive.tasks.start_new_thread", refuse)
    assert [by_us(method, CONTENTS[method]) for method in METHODS] == expected
    path = tmp_path / "large.zip"
    path.write_bytes(expected[0])
    with open(path, "rb") as file:
        assert Reader(file, Limits()).read_array("large").tobytes() == CONTENT["large"]


def test_a_reader_serves_threads() -> None:
    reader = opened(by_us(DEFLATED, CONTENT))
    with tempfile.NamedTemporaryFile() as file:
        file.write(by_us(STORED, CONTENT))
        file.flush()
        with open(file.name, "rb") as stored:
            both = Reader(stored, Limits())
            failed: list[str] = []

            def read() -> None:
                for name, data in CONTENT.items():
                    if both.read_array(name).tobytes() != data or both.read(name) != data:
                        failed.append(name)

            threads = [threading.Thread(target=read) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert failed == []
    assert reader.read("small") == b"content"
