"""Every pickle in a file is found, however it is wrapped and whatever the file is called."""

from __future__ import annotations

import bz2
import collections
import contextlib
import gzip
import io
import lzma
import pickle
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.errors import SkopsafeError
from skopsafe.foreign.pickles.files import Stream, read, streams
from skopsafe.foreign.pickles.machine import Pickle
from skopsafe.streams import opened

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
COMPRESSIONS = ["zlib", "gzip", "bz2", "xz", "lzma", "lz4"]


def gzipped(data: bytes) -> bytes:
    """Compress, the same at any time."""
    return gzip.compress(data, mtime=0)


def evil(path: str = "x", protocol: int = 2) -> bytes:
    class Evil:
        def __reduce__(self) -> Any:
            import os

            return os.mkdir, (path,)

    return pickle.dumps(Evil(), protocol)


def found_in(data: bytes, limits: skopsafe.Limits | None = None, name: str = "") -> list[Stream]:
    return list(streams(io.BytesIO(data), limits or skopsafe.Limits(), name))


def names(data: bytes) -> set[str]:
    """Return all names that are imported anywhere in a file."""
    pickles = [one for stream in found_in(data) for one in read(stream)]
    return {op.value.spelled for one in pickles for op in one.operations if op.kind == "import"}


def is_found(data: bytes) -> bool:
    return any(name.endswith(":mkdir") for name in names(data))


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: dict[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickle_is_one(protocol: int) -> None:
    (stream,) = found_in(pickle.dumps([1, collections.OrderedDict(a=2)], protocol), name="model.bin")
    assert (stream.path, stream.kind, stream.start, stream.notes) == ("model.bin", "pickle", 0, ())
    (found,) = read(stream)
    assert (found.error, found.reader, found.trailing) == ("", "pickle", 0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("compression", [None, *COMPRESSIONS])
def test_files_of_joblib_are_read(tmp_path: Path, compression: str | None, protocol: int) -> None:
    if compression == "lz4":
        pytest.importorskip("lz4")
    path = tmp_path / "model.txt"
    obj = {"a": np.arange(1000.0), "b": np.array([complex, None], object), "c": np.ones((3, 4), order="F")}
    joblib.dump(obj, path, compress=(compression, 3) if compression else 0, protocol=protocol)
    with opened(path) as file:
        (stream,) = streams(file)
        assert stream.kind == "joblib"
        assert any(str(compression) in note for note in stream.notes) == (compression is not None)
        (found,) = read(stream)
    assert (found.error, found.reader, found.followed) == ("", "joblib", True)
    assert any(op.kind == "import" and op.value.name == "complex" for op in found.operations)


def test_the_header_of_joblib_before_0_10_is_read() -> None:
    content = evil()
    for space in (b"", b" "):
        header = b"ZF" + hex(len(content)).ljust(19).encode() + space
        assert is_found(header + zlib.compress(content))


def test_several_pickles_in_a_row_are_all_run() -> None:
    data = b"".join(pickle.dumps(n, protocol) for protocol in PROTOCOLS for n in range(3)) + evil()
    (stream,) = found_in(data)
    found = read(stream)
    assert len(found) == 3 * len(PROTOCOLS) + 1
    assert [one.root for one in found[:3]] == [0, 1, 2]
    assert is_found(data)


def test_a_hundred_thousand_in_a_row_take_linear_time() -> None:
    (stream,) = found_in(b"N." * 50_000)
    assert len(read(stream)) == 50_000
    with pytest.raises(skopsafe.LimitError, match="members"):
        read(stream, skopsafe.Limits(members=1000))


def test_trailing_bytes_are_said_with_their_place() -> None:
    data = pickle.dumps(1, 4)
    (stream,) = found_in(data + b"\xff\xff\xff")
    (found,) = read(stream)
    assert found.trailing == 3
    assert found.notes == [(len(data), "3 bytes follow that are no pickle")]
    # What does something before it breaks off is a pickle, and no trailing bytes.
    assert len(read(found_in(data + evil()[:-1])[0])) == 2


def test_what_follows_the_frame_of_a_pickle_is_run_too() -> None:
    behind = b"N." + evil()
    framed = b"\x80\x04\x95" + struct.pack("<Q", len(behind) + 2) + b"N." + b"\xff" * len(behind)
    data = framed + evil()
    assert is_found(data)
    inner = b"\x80\x04\x95" + struct.pack("<Q", 2 + len(behind)) + b"N." + behind
    assert is_found(inner)


@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
def test_arrays_of_objects_in_files_of_numpy_are_pickles(save: Any) -> None:
    out = io.BytesIO()
    save(out, np.array([complex, None], object))
    (stream,) = found_in(out.getvalue(), name="x")
    assert stream.kind == "npy"
    assert stream.path == ("x" if save is np.save else "x!arr_0.npy")
    assert "builtins:complex" in names(out.getvalue())


@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
def test_arrays_of_numbers_in_files_of_numpy_are_no_pickles(save: Any) -> None:
    for array in (np.arange(1000.0), np.zeros(3, [("o", "f4")]), np.array(["Oo"])):
        out = io.BytesIO()
        save(out, array)
        assert found_in(out.getvalue()) == []


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_all_versions_of_headers_are_read(version: tuple[int, int]) -> None:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.array([complex], object), version)
    assert "builtins:complex" in names(out.getvalue())


def test_what_is_behind_an_array_is_looked_at() -> None:
    """Each `numpy.load` of an open file reads one array, and `pickle.load` what comes then."""
    plain, objects, harmless = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(plain, np.zeros((3, 4)))
    np.save(objects, np.array([complex], object))
    np.save(harmless, np.array([None], object))
    numbers, bad, good = plain.getvalue(), objects.getvalue(), harmless.getvalue()
    for data in (numbers + bad, numbers * 3 + bad, good + bad, good + numbers + bad, pickle.dumps(1) + bad):
        assert "builtins:complex" in names(data)
        assert "builtins:complex" in names(zipped({"a.npy": data}))
    assert is_found(numbers + evil())
    assert is_found(good + evil())
    assert found_in(numbers + numbers) == found_in(numbers + b"\xff junk") == found_in(numbers[:-1]) == []
    (stream,) = found_in(good + numbers)
    assert [found.notes for found in read(stream)] == [[]]


def test_a_header_that_makes_no_sense_may_be_of_objects() -> None:
    out = io.BytesIO()
    np.save(out, np.array([complex], object))
    data = out.getvalue()
    assert "builtins:complex" in names(data.replace(b"'|O'", b"'|?(", 1))
    assert "builtins:complex" in names(data.replace(b"{'descr", b"{{{{{{{", 1))


TORCH = {
    "archive/data.pkl": evil(),
    "archive/byteorder": b"little",
    "archive/data/0": np.arange(100.0).tobytes(),
    "archive/version": b"3\n",
}


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_members_of_a_zip_that_are_pickles_are_found(method: int) -> None:
    data = zipped(TORCH, method)
    (stream,) = found_in(data, name="model.zip")
    assert (stream.path, stream.kind) == ("model.zip!archive/data.pkl", "pickle")
    assert is_found(data)


def _patched(data: bytes, at: bytes, offset: int, form: str, *values: Any) -> bytes:
    out = bytearray(data)
    place = out.find(at)
    while place >= 0:
        struct.pack_into(form, out, place + offset, *values)
        place = out.find(at, place + 4)
    return bytes(out)


GOOD = zipped(TORCH, zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize(
    "data",
    [
        b"front" + GOOD,
        GOOD + b"behind",
        GOOD[: GOOD.find(b"PK\1\2")],
        _patched(GOOD, b"PK\1\2", 8, "<H", 1),
        _patched(GOOD, b"PK\3\4", 6, "<H", 1),
        _patched(GOOD, b"PK\3\4", 14, "<I", 7),
        _patched(GOOD, b"PK\1\2", 16, "<I", 7),
        _patched(GOOD, b"PK\1\2", 0, "<4s", b"abcd"),
        GOOD.replace(b"archive/data.pkl", b"archive/data.txt", 1),
        pickle.dumps(1) + GOOD,
        GOOD + evil(),
        zipped({"a.zip": zipped({"b.zip": GOOD})}),
        zipped({"a.gz": gzipped(GOOD)}, zipfile.ZIP_DEFLATED),
        tarred({"a.zip": GOOD}),
        tarred({"pickle": evil(), "storages": b""}),
        tarred({"n" * 200: evil()}),
        tarred({"n" * 200: evil()}, tarfile.PAX_FORMAT),
        tarred({"a": b"x", "b": evil()}, tarfile.USTAR_FORMAT),
        tarred({"a": b"x"}) + tarred({"b": evil()}),
        gzipped(tarred({"b": evil()})),
        gzipped(gzipped(gzipped(evil()))),
        gzipped(b"") + gzipped(evil()),
        gzipped(evil()[:10]) + gzipped(evil()[10:]),
        bz2.compress(lzma.compress(evil())),
        lzma.compress(evil(), lzma.FORMAT_ALONE),
        lzma.compress(evil(), lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 12}]),
        gzipped(evil())[:-4],
        zlib.compress(evil())[:-4],
        gzipped(evil()) + GOOD,
        evil() + b"\0" * 100,
        evil()[:-1],
        evil()[:-1] + b"\xff",
        pickle.dumps(1, 0) + evil(protocol=0),
    ],
    ids=range(33),
)
def test_a_pickle_is_found_however_it_is_wrapped(data: bytes) -> None:
    assert is_found(data)


def test_a_pickle_with_a_zip_behind_it_is_both() -> None:
    data = pickle.dumps([1]) + zipped({"a.pkl": evil()})
    assert [stream.path for stream in found_in(data, name="x")] == ["x!a.pkl", "x"]


def test_layers_have_an_end() -> None:
    data = evil()
    for _ in range(6):
        data = zipped({"a": data})
    *_, last = found_in(data, name="x")
    assert (last.path, last.kind) == ("x!a!a!a!a!a", "unreadable")
    assert "more than 5 layers" in last.notes[-1]
    assert read(last) == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"7z\xbc\xaf\x27\x1c" + b"x" * 100, "a 7z archive"),
        (b"Rar!\x1a\x07\x00" + b"x" * 100, "a RAR archive"),
        (zipped({"a.7z": b"7z\xbc\xaf\x27\x1c" + b"x" * 100}), "a 7z archive"),
        (_patched(_patched(GOOD, b"PK\1\2", 10, "<H", 99), b"PK\3\4", 8, "<H", 99), "compression 99"),
        (_patched(zipped({"a": b"\xff" * 99}), b"PK\1\2", 8, "<H", 1), "it is encrypted"),
        (gzipped(b"text")[:-12] + b"\xff" * 12, "end early"),
        (gzipped(b"text")[:-8] + b"\xff" * 8, "damaged"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, why: str) -> None:
    found = [stream for stream in found_in(data) if stream.kind == "unreadable"]
    assert found
    assert why in " ".join(found[0].notes)
    assert read(found[0]) == []


def test_without_lz4_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pytest.importorskip("lz4.frame")
    data = frame.compress(evil())
    assert is_found(data)
    monkeypatch.setitem(sys.modules, "lz4.frame", None)
    (stream,) = found_in(data)
    assert stream.kind == "unreadable"
    assert "pip install lz4" in stream.notes[-1]


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"x\x9cabc", b"]\0\0abc", b"\xff" * 1000, b"PK", b"\x80\x09N."]
)
def test_a_file_that_is_nothing_known_is_other(data: bytes) -> None:
    (stream,) = found_in(data)
    assert stream.kind == "other"
    assert read(stream) == []


@pytest.mark.parametrize(
    "text", [b"ccf\n-0.14\n0.2\n", b"clear\ntempname filename\n", b"copyright,year\n1,2\n.", b"Python\nis\n."]
)
def test_a_text_that_begins_with_a_letter_of_an_opcode_is_no_pickle_in_a_zip(text: bytes) -> None:
    assert found_in(zipped({"a.txt": text})) == []
    assert [stream.kind for stream in found_in(text)] == ["other"]


def test_a_pickle_that_breaks_off_at_once_is_a_pickle() -> None:
    (stream,) = found_in(b"\x80\x04\x95")
    (found,) = read(stream)
    assert stream.kind == "pickle"
    assert found.error


def test_names_of_members_are_escaped() -> None:
    (stream,) = found_in(zipped({"a\x1b[31m.pkl": evil()}))
    assert stream.path.isprintable()


def test_bombs_are_refused() -> None:
    zeros = bytes(2**20)
    nested = gzipped(gzipped(zeros * 32))
    with pytest.raises(skopsafe.LimitError, match="expansion"):
        found_in(nested)
    with pytest.raises(skopsafe.LimitError, match="expansion"):
        found_in(zipped({"a.bz2": bz2.compress(zeros * 16)}, zipfile.ZIP_DEFLATED))
    with pytest.raises(skopsafe.LimitError, match="total_bytes"):
        found_in(gzipped(zeros), skopsafe.Limits(total_bytes=2**19))


def test_many_zips_in_each_other_are_refused() -> None:
    # Each directory shows the rest of the file as members, which are zips of the rest.
    data = zipped({f"{n}": b"x" for n in range(300)})
    for _ in range(3):
        data = zipped({"a": data, "b": data})
    with pytest.raises(skopsafe.LimitError, match="members"):
        found_in(data, skopsafe.Limits(members=1000))


def test_opcodes_are_those_of_the_whole_file() -> None:
    one = b"N0" * 10_000 + b"N."
    data = zipped({f"{n}": one for n in range(5)})
    limits = skopsafe.Limits(opcodes=10**6)
    for stream in found_in(data, limits):
        for _ in range(20):  # reading again takes nothing
            read(stream, limits)
    with pytest.raises(skopsafe.LimitError, match="opcodes"):
        found_in(data, skopsafe.Limits(opcodes=20_000))
    (stream,) = found_in(one)
    with pytest.raises(skopsafe.LimitError, match="10000 opcodes"):
        read(stream, skopsafe.Limits(opcodes=10_000))


def test_a_large_file_is_not_read_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.write(b"\x80\x04\x8e" + struct.pack("<Q", 2**31))
        file.seek(2**31, 1)
        file.write(b"." + evil())
    count = 0

    class Counted(io.FileIO):
        def read(self, size: int = -1) -> bytes:
            nonlocal count
            data = super().read(size)
            count += len(data)
            return data

    with Counted(str(path)) as file:
        (stream,) = streams(file)  # type: ignore[arg-type]
        assert len(read(stream)) == 2
    assert 0 < count < 5 * 2**20


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"cbuiltins\n" + b"x" * 2**20 + b"\n.")
    with opened(path) as file:
        (stream,) = streams(file)
        read(stream)  # of what was read already when it was found
        with open(path, "r+b") as other:
            other.truncate(10)
        with pytest.raises(skopsafe.FormatError, match="truncated"):
            read(stream)


def test_picklers_of_others_are_read() -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    dill = pytest.importorskip("dill")
    for dumps in (cloudpickle.dumps, dill.dumps):
        (stream,) = found_in(dumps(lambda x: x + 1))
        (found,) = read(stream)
        assert found.error == ""
        assert len(found.operations) > 2


def _bases() -> Iterator[bytes]:
    obj = {"a": np.arange(30.0), "b": np.array([complex, None], object)}
    for compression in (None, "zlib", "gzip", "bz2", "lzma"):
        for protocol in (0, 2, 4):
            file = io.BytesIO()
            joblib.dump(obj, file, compress=(compression, 1) if compression else 0, protocol=protocol)
            yield file.getvalue()
    yield from (GOOD, zipped(TORCH), tarred({"a": evil()}), zipped({"a.gz": gzipped(GOOD)}))
    for save in (np.save, np.savez):
        file = io.BytesIO()
        save(file, np.array([complex], object))
        yield file.getvalue()


BASES = list(_bases())


def _all(data: bytes) -> list[Pickle]:
    return [one for stream in found_in(data) for one in read(stream)]


@given(
    base=st.sampled_from(BASES),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    cut=st.floats(0, 1) | st.just(1.0),
    behind=st.binary(max_size=10) | st.sampled_from(BASES),
)
@settings(max_examples=300, deadline=5000)
def test_mutants_give_pickles_or_an_error_of_ours(
    base: bytes, changes: list[tuple[float, int]], cut: float, behind: bytes
) -> None:
    data = bytearray(base)
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    with contextlib.suppress(SkopsafeError):
        _all(bytes(data[: int(cut * len(data)) + 1]) + behind)
