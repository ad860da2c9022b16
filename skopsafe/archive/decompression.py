"""Compressed members, read in pieces and never beyond the size that the directory gives."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from skopsafe.archive.compression import BZIP2, DEFLATED, LZMA, zstd
from skopsafe.archive.zip_records import MARKED_END

_PIECE = 1 << 18
_PROPERTIES = 5


class DamagedError(Exception):
    """Compressed data is not what it should be."""


def decompressed(method: int, flags: int, size: int, packed: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces of a member that has `size` bytes in all, never more than that.

    Raises
    ------
    DamagedError
        It has more or fewer bytes, or is no such stream.
    """
    decompressor, errors = _decompressor(method, size)
    left = size
    data = next(packed, b"")
    while True:
        try:
            piece = decompressor.decompress(data, min(left + 1, _PIECE))
        except errors as error:
            raise DamagedError(str(error)) from error
        if len(piece) > left:
            raise DamagedError("it has more bytes than the directory says")
        left -= len(piece)
        if piece:
            yield piece
        if decompressor.eof:
            break
        data = next(packed, b"") if decompressor.needs_input else b""
        if not piece and not data and decompressor.needs_input:
            break
    if left or not (decompressor.eof or (method == LZMA and not flags & MARKED_END and decompressor.begun)):
        raise DamagedError("it ends early")
    if decompressor.unused_data or next(packed, b""):
        raise DamagedError("bytes follow its end")


def _decompressor(method: int, size: int) -> tuple[Any, tuple[type[Exception], ...]]:
    if method == DEFLATED:
        return _Inflate(), (zlib.error,)
    if method == BZIP2:
        import bz2

        return bz2.BZ2Decompressor(), (OSError, ValueError)
    if method == LZMA:
        import lzma

        return _Lzma(size), (lzma.LZMAError, ValueError)
    library = zstd()
    return library.ZstdDecompressor(), (library.ZstdError,)


class _Inflate:
    """`zlib` with the methods of the other decompressors."""

    def __init__(self, bits: int = -zlib.MAX_WBITS) -> None:
        self._inflate = zlib.decompressobj(bits)
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int) -> bytes:
        out = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        self.needs_input = not self._inflate.unconsumed_tail
        return out

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data


class _Lzma:
    """`lzma` for the raw stream and the header that a zip has."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._header = b""
        self._raw: Any = None
        self.eof = False
        self.needs_input = True
        self.unused_data = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._raw is None:
            self._header += data
            start = 4 + _PROPERTIES
            if len(self._header) < start:
                return b""
            self._raw = self._opened(self._header[:start])
            data = self._header[start:]
        out: bytes = self._raw.decompress(data, max_length)
        self.eof, self.needs_input = self._raw.eof, self._raw.needs_input
        self.unused_data = self._raw.unused_data
        return out

    @property
    def begun(self) -> bool:
        """Whether the header was whole."""
        return self._raw is not None

    def _opened(self, header: bytes) -> Any:
        import lzma

        first = header[4]
        if header[2:4] != bytes([_PROPERTIES, 0]) or first >= 9 * 5 * 5:
            raise ValueError("the LZMA header is damaged")
        # A window larger than all that comes out is memory for nothing.
        window = min(int.from_bytes(header[5:], "little"), max(self._size, 1 << 12))
        properties = {"lc": first % 9, "lp": first // 9 % 5, "pb": first // 45, "dict_size": window}
        filters = [{"id": lzma.FILTER_LZMA1, **properties}]
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
