"""Targets: the zip with all that it holds, and the compression of its members."""

from __future__ import annotations

import io
import itertools
import struct
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from skopsafe.archive import directory
from skopsafe.archive import schema as schemas
from skopsafe.archive.compression import BZIP2, DEFLATED, LZMA, ZSTANDARD, zstd
from skopsafe.archive.decompression import DamagedError, decompressed
from skopsafe.archive.npy import is_plain
from skopsafe.archive.recognize import recognize
from skopsafe.archive.source import Mapping
from skopsafe.archive.zip_read import Reader
from skopsafe.archive.zip_records import MARKED_END
from skopsafe.errors import SkopsafeError
from skopsafe.graph.document import Document
from skopsafe.limits import DEFAULT_LIMITS
from tests.fuzz.schemas import look_at
from tests.fuzz.stages import reach

MEMBER = schemas.MEMBER
_MOST_ARRAYS = 10_000
_SHORT_TAIL = 128


def container(data: bytes) -> None:
    """Read a whole file; whatever is accepted, `zipfile` has to read in the same way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of numpy, on what earlier releases wrote
        _container(data)


def _container(data: bytes) -> None:
    assert recognize(data[:64], data[-1:]).isprintable()
    try:
        reader = Reader(io.BytesIO(data), DEFAULT_LIMITS)
    except SkopsafeError:
        return
    reach("directory")
    _compare_members(reader, data)
    try:
        content = reader.read(MEMBER)
        reach("checksum of the schema")
        schemas._SCHEMAS.decode(content)
        reach("schema decoded")
    except (SkopsafeError, ValueError):
        pass
    try:
        document = schemas.read(io.BytesIO(data), DEFAULT_LIMITS)
    except SkopsafeError:
        return
    reach("document")
    look_at(document, reader.size(MEMBER))
    arrays = _arrays(document)
    if not arrays:
        return
    reach("arrays")
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(data)
        # Reads by descriptor and maps have to give the same as reads of a stream.
        assert _arrays(schemas.read(file, DEFAULT_LIMITS)) == arrays
        assert _arrays(schemas.read(file, DEFAULT_LIMITS, Mapping("c", verify=True))) == arrays
        # So do those of large files, whose end alone is read ahead.
        with mock.patch.object(directory, "TAIL", _SHORT_TAIL):
            assert _arrays(schemas.read(file, DEFAULT_LIMITS)) == arrays
            assert _arrays(schemas.read(io.BytesIO(data), DEFAULT_LIMITS)) == arrays


def _compare_members(reader: Reader, data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        infos = other.infolist()
        assert len(infos) == len(reader._members)
        for info in infos:
            name = info.filename
            assert reader.size(name) == info.file_size
            try:
                content = reader.read(name)
            except SkopsafeError:
                continue
            reach("member read")
            assert reader.head(name, 100) == content[:100]
            reader.check(name)
            assert len(content) == info.file_size
            if info.compress_type != ZSTANDARD:  # which zipfile knows since Python 3.14
                assert other.read(info) == content, name


def _arrays(document: Document) -> list[Any]:
    """Return all arrays as values that can be compared; none where one is refused."""
    if document.array_count > _MOST_ARRAYS:
        return []
    try:
        groups = list(document.arrays(range(document.array_count)))
    except (SkopsafeError, ValueError, OverflowError, MemoryError):  # the last three as `Builder` takes them
        return []
    spans = []
    for flat, arrays in groups:
        for array in arrays:
            assert is_plain(array.dtype)
            start = array.__array_interface__["data"][0]
            spans.append((start, start + array.nbytes))
        if flat is not None:
            assert flat.tobytes() == b"".join(array.tobytes("A") for array in arrays)
    spans = sorted(span for span in spans if span[0] < span[1])
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans)), "shared memory"
    return [
        (array.dtype.descr, array.shape, array.flags.f_contiguous, array.tobytes("A"))
        for _, arrays in groups
        for array in arrays
    ]


RECIPE = struct.Struct("<BBBI")
"""What stands before a packed member in an input of `decompression`: method, flags, pieces and size."""
METHODS = (DEFLATED, BZIP2, LZMA, ZSTANDARD)
_LARGEST = 1 << 22


def decompression(data: bytes) -> None:
    """Decompress a member in pieces; whatever is accepted, the libraries have to give in one go."""
    if len(data) < RECIPE.size:
        return
    number, flags, pieces, size = RECIPE.unpack_from(data)
    method, packed = METHODS[number % len(METHODS)], data[RECIPE.size :]
    size = min(size, _LARGEST)
    step = len(packed) // (1 + pieces % 8) + 1
    given = (packed[at : at + step] for at in range(0, len(packed), step))
    out = b""
    try:
        for piece in decompressed(method, flags & MARKED_END, size, given):
            out += piece
            assert len(out) <= size
            reach(f"method {method} gives something")
    except DamagedError:
        return
    reach(f"method {method} comes to its end")
    assert len(out) == size
    assert out == _at_once(method, packed, size)


def _at_once(method: int, packed: bytes, size: int) -> bytes:
    if method == DEFLATED:
        return zlib.decompress(packed, -zlib.MAX_WBITS)
    if method == BZIP2:
        import bz2

        return bz2.decompress(packed)
    if method == ZSTANDARD:
        # The library compares the size that a frame says of itself only where it gets all of it in one go.
        stream = zstd().ZstdDecompressor()
        return b"".join(stream.decompress(packed[at : at + 1]) for at in range(len(packed)))
    import lzma

    # As zipfile reads it.
    filters = [lzma._decode_filter_properties(lzma.FILTER_LZMA1, packed[4:9])]  # type: ignore[attr-defined]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters).decompress(packed[9:], size)


def packed(method: int, content: bytes) -> bytes:
    """Return content compressed as a member has it."""
    from skopsafe.archive.compression import _compressed

    if method == DEFLATED:
        deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return deflate.compress(content) + deflate.flush()
    return b"".join(_compressed(method, None, len(content), [memoryview(content)]))


def recipes(contents: Iterator[bytes]) -> Iterator[bytes]:
    """Return inputs of `decompression`, one for each method."""
    for content in contents:
        for number, method in enumerate(METHODS):
            yield RECIPE.pack(number, MARKED_END, 1, len(content)) + packed(method, content)
