"""Compression: the same bytes on any number of cores, limited memory, and damage that is found."""

from __future__ import annotations

import bz2
import contextlib
import io
import lzma
import struct
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.archive import compression
from skopsafe.archive.chunks import BLOCK, blocks
from skopsafe.archive.compression import BZIP2, DEFLATED, LZMA, STORED, ZSTANDARD, check_compression
from skopsafe.archive.decompression import DamagedError, decompressed
from skopsafe.archive.zip_records import MARKED_END
from tests.archive.zips import METHODS, Crafted, craft, needs_zstd, opened

RANDOM = np.random.default_rng(0)
MIXED = np.where(RANDOM.random(3 * BLOCK + 77) < 0.02, 1, 0).astype(np.uint8)


def packed(method: int, data: bytes, level: int | None = None) -> bytes:
    found: list[bytes] = []
    members = compression.Compressed(method, level, lambda *put: found.extend(put[4]))
    members.add("member", [data])
    members.finish()
    return b"".join(found)


def bomb_of(method: int, size: int) -> bytes:
    """Return a member of zeros that no writer of ours makes."""
    if method == DEFLATED:
        return packed(method, bytes(size))
    return b"".join(compression._compressed(method, None, size, [memoryview(bytes(size))]))


def unpacked(method: int, data: bytes, size: int, step: int = 1 << 16) -> bytes:
    pieces = (data[start : start + step] for start in range(0, len(data), step))
    return b"".join(decompressed(method, compression.FLAGS[method], size, pieces))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("stored", zipfile.ZIP_STORED),
        ("deflate", zipfile.ZIP_DEFLATED),
        ("bzip2", zipfile.ZIP_BZIP2),
        ("lzma", zipfile.ZIP_LZMA),
        pytest.param("zstd", 93, marks=needs_zstd),
    ],
)
def test_a_compression_has_a_name_and_the_number_of_zipfile(name: str, number: int) -> None:
    assert check_compression(name, None) == check_compression(number, None) == number
    data = skopsafe.dumps(np.arange(500.0), compression=name)
    assert data == skopsafe.dumps(np.arange(500.0), compression=number)
    assert struct.unpack_from("<H", data, 8) == (number,)
    assert skopsafe.loads(data).tolist() == np.arange(500.0).tolist()


@needs_zstd
@pytest.mark.parametrize("level", [23, -(2**17) - 1, "3", 3.0, True])
def test_a_level_that_zstd_does_not_have_is_refused(level: Any) -> None:
    with pytest.raises(skopsafe.ArgumentError, match=r"compresslevel .* is unknown"):
        skopsafe.dumps([1], compression="zstd", compresslevel=level)


@needs_zstd
@pytest.mark.parametrize("level", [-(2**17), -5, 0, 1, 22])
def test_every_level_of_zstd_can_be_used(level: int) -> None:
    data = skopsafe.dumps([1, "x"], compression="zstd", compresslevel=level)
    assert skopsafe.loads(data) == [1, "x"]


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=3000), step=st.integers(1, 3000))
def test_what_is_compressed_comes_back(data: bytes, step: int, method: int) -> None:
    assert unpacked(method, packed(method, data), len(data), step) == data


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, len(MIXED)])
@pytest.mark.parametrize("method", [DEFLATED, pytest.param(ZSTANDARD, marks=needs_zstd)])
def test_blocks_make_one_stream(size: int, method: int) -> None:
    data = MIXED[:size].tobytes()
    found = packed(method, data)
    assert unpacked(method, found, size) == data
    if method == DEFLATED:
        assert zlib.decompress(found, -zlib.MAX_WBITS) == data
        # Every block may refer to the end of the one before, so that cutting costs nearly nothing.
        whole = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        assert len(found) < 1.01 * len(whole.compress(data) + whole.flush()) + 10


def test_blocks_depend_on_the_content_alone() -> None:
    whole = [bytes(block) for block in blocks([MIXED])]
    assert [len(block) for block in whole] == [BLOCK, BLOCK, BLOCK, 77]
    parts = np.array_split(MIXED, 997)
    assert [bytes(block) for block in blocks([b"", *parts, bytearray()])] == whole
    assert [bytes(block) for block in blocks([MIXED[:10], MIXED[10:].tobytes()])] == whole


@pytest.mark.parametrize("method", METHODS)
def test_bytes_do_not_depend_on_cores(method: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = {"a": MIXED[: BLOCK + 5], "b": RANDOM.random(20_000), "c": [np.arange(i) for i in range(50)]}
    found = set()
    for cores in (1, 2, 3, 64):
        monkeypatch.setattr(compression, "_cores", lambda cores=cores: cores)
        found.add(skopsafe.dumps(model, compression=method))
    assert len(found) == 1


def test_no_more_is_compressed_at_a_time_than_cores_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[int] = []
    most = 0
    lock = threading.Lock()
    deflated = compression._deflated

    def counted(*arguments: Any) -> list[bytes]:
        nonlocal most
        with lock:
            at_work.append(1)
            most = max(most, len(at_work))
        try:
            return deflated(*arguments)
        finally:
            with lock:
                at_work.pop()

    monkeypatch.setattr(compression, "_deflated", counted)
    monkeypatch.setattr(compression, "_cores", lambda: 2)
    put: list[str] = []
    members = compression.Compressed(DEFLATED, 1, lambda name, *_: put.append(name))
    for number in range(10):
        members.add(str(number), [MIXED])
        assert len(put) >= number - 1
    members.finish()
    assert put == [str(number) for number in range(10)]
    assert 1 <= most <= 3  # the one that is waited for may still be on its way out


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [0, 10, 300_000])
def test_a_stream_of_another_size_than_the_directory_says_is_refused(method: int, size: int) -> None:
    data = MIXED[:size].tobytes()
    found = packed(method, data)
    for said in {0, size - 1, size // 2} - {size, -1}:
        with pytest.raises(DamagedError, match="more bytes"):
            unpacked(method, found, said)
    with pytest.raises(DamagedError, match="early"):
        unpacked(method, found, size + 1)
    with pytest.raises(DamagedError, match=r"behind|follow|more bytes"):
        unpacked(method, found + b"x", size)
    with pytest.raises(DamagedError, match=r"behind|follow|more bytes"):
        unpacked(method, found + found, size)
    for end in {0, 1, len(found) // 2, len(found) - 1}:
        with pytest.raises(DamagedError):
            unpacked(method, found[:end], size)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_stream_gives_at_most_its_size(method: int, data: st.DataObject) -> None:
    content = MIXED[:5000].tobytes()
    found = bytearray(packed(method, content))
    for _ in range(data.draw(st.integers(1, 4))):
        found[data.draw(st.integers(0, len(found) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DamagedError):
        assert len(unpacked(method, bytes(found), len(content))) == len(content)


@pytest.mark.parametrize("method", METHODS)
def test_a_bomb_is_stopped_at_the_size_that_the_directory_gives(method: int) -> None:
    """Its stream is longer, and the pieces that come out never are."""
    bomb = bomb_of(method, 20 * BLOCK)
    fed = 0

    def feed() -> Iterator[bytes]:
        nonlocal fed
        for start in range(0, len(bomb), 10):
            fed += 1
            yield bomb[start : start + 10]

    pieces: list[int] = []
    with pytest.raises(DamagedError, match="more bytes"):
        pieces.extend(map(len, decompressed(method, compression.FLAGS[method], BLOCK + 3, feed())))
    member = Crafted(data=bomb, size=1000, local={"method": method}, entry={"method": method})
    reader = opened(craft(member))
    for call in (reader.read, reader.read_array, reader.check):
        with pytest.raises(skopsafe.FormatError, match=r"damaged \(it has more bytes"):
            call("schema.json")


@pytest.mark.parametrize("method", METHODS)
def test_what_is_nearly_empty_is_not_taken_for_a_bomb(method: int) -> None:
    model = {
        "zeros": np.zeros(3_000_000),
        "more": [np.zeros(5000) for _ in range(300)],
        "noise": RANDOM.random(9),
    }
    data = skopsafe.dumps(model, compression=method)
    assert len(data) < 60_000
    loaded = skopsafe.loads(data)
    assert not loaded["zeros"].any()
    assert loaded["noise"].tolist() == model["noise"].tolist()
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        methods = {info.filename: info.compress_type for info in found.infolist()}
    assert methods["arrays/0.npy"] == DEFLATED
    assert methods["schema.json"] == method


def test_an_lzma_header_cannot_ask_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    decompressor = lzma.LZMADecompressor

    def watched(*arguments: Any, filters: list[dict[str, int]]) -> Any:
        asked.append(filters[0]["dict_size"])
        return decompressor(*arguments, filters=filters)

    found = bytearray(packed(LZMA, b"content"))
    found[5:9] = b"\xff" * 4
    monkeypatch.setattr("lzma.LZMADecompressor", watched)
    assert unpacked(LZMA, bytes(found), 7) == b"content"
    assert asked == [4096]
    for place, value in ((2, 4), (3, 1), (4, 225), (4, 255)):
        damaged = bytearray(found)
        damaged[place] = value
        with pytest.raises(DamagedError, match="header"):
            unpacked(LZMA, bytes(damaged), 7)


def test_lzma_without_a_marked_end_is_read() -> None:
    """Other writers make it; then the size in the directory tells the end."""
    data = b"content " * 100
    alone = lzma.compress(data, lzma.FORMAT_ALONE, preset=6)
    stream = bytes([9, 4, 5, 0]) + alone[:5] + alone[13:]
    assert b"".join(decompressed(LZMA, MARKED_END, len(data), iter([stream]))) == data
    cut = stream[:-6]  # in the middle of the mark
    assert b"".join(decompressed(LZMA, 0, len(data), iter([cut]))) == data
    with pytest.raises(DamagedError, match="early"):
        list(decompressed(LZMA, MARKED_END, len(data), iter([cut])))


def test_nothing_has_an_lzma_header_too() -> None:
    empty = packed(LZMA, b"")
    assert list(decompressed(LZMA, 0, 0, iter([empty[:9]]))) == []
    with pytest.raises(DamagedError, match="early"):
        list(decompressed(LZMA, 0, 0, iter([empty[:8]])))


def test_streams_of_other_libraries_are_read() -> None:
    data = MIXED[:1000].tobytes()
    assert unpacked(BZIP2, bz2.compress(data), 1000) == data
    assert unpacked(DEFLATED, zlib.compress(data)[2:-4], 1000) == data


@needs_zstd
def test_zipfile_of_newer_pythons_reads_and_writes_zstd() -> None:
    if sys.version_info < (3, 14):
        from backports.zstd import zipfile as newer
    else:
        newer = zipfile
    model = {"a": MIXED, "b": [1, 2]}
    data = skopsafe.dumps(model, compression="zstd", compresslevel=1)
    out = io.BytesIO()
    with newer.ZipFile(io.BytesIO(data)) as old, newer.ZipFile(out, "w", ZSTANDARD) as new:
        assert old.testzip() is None
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert out.getvalue() != data
    assert np.array_equal(skopsafe.loads(out.getvalue())["a"], MIXED)


_ABSENT = """
import sys
for name in ("compression", "compression.zstd", "backports", "backports.zstd"):
    sys.modules[name] = None
import skopsafe
path = sys.argv[1]
for call in (
    lambda: skopsafe.dump([1], path + "2", compression="zstd"),
    lambda: skopsafe.load(path),
    lambda: skopsafe.audit(path),
):
    try:
        call()
    except skopsafe.MissingTypeError as error:
        assert isinstance(error, ImportError)
        print(error)
"""


@needs_zstd
def test_without_its_package_zstd_says_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "file"
    skopsafe.dump([1], path, compression="zstd")
    root = Path(skopsafe.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", _ABSENT, str(path)], check=True, cwd=root, capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert "pip install 'skopsafe[zstd]'" in line
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


_IMPORTS = """
import sys
import numpy
before = set(sys.modules)
import skopsafe.api
from skopsafe import dumps, loads
loads(dumps({"a": [1, numpy.arange(3)]}))
path = sys.argv[1]
skopsafe.dump([1], path), skopsafe.load(path)
print(sorted((set(sys.modules) - before) & {"zipfile", "tempfile", "lzma", "bz2", "shutil", "random", "_lzma",
    "compression", "backports", "concurrent", "multiprocessing"}))
"""


def test_what_is_not_needed_is_not_imported(tmp_path: Path) -> None:
    root = Path(skopsafe.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTS, str(tmp_path / "file")],
        check=True,
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("method", [STORED, *METHODS])
def test_compressed_files_are_loaded_in_every_way(method: int, tmp_path: Path) -> None:
    model = {"large": RANDOM.random(30_000), "small": [np.arange(i) for i in range(30)], "text": "x"}
    path = tmp_path / "file"
    skopsafe.dump(model, path, compression=method)
    out = io.BytesIO()
    skopsafe.dump(model, out, compression=method)
    assert path.read_bytes() == out.getvalue()
    for loaded in (skopsafe.load(path), skopsafe.load(path, mmap_mode="r"), skopsafe.loads(out.getvalue())):
        assert np.array_equal(loaded["large"], model["large"])
        assert [array.tolist() for array in loaded["small"]] == [list(range(i)) for i in range(30)]
