"""Deflated streams of which nobody says how much comes out, and those of gzip as Python reads them."""

from __future__ import annotations

import zlib

from skopsafe.archive.decompression import _Inflate

TRAILER = 8
"""Bytes behind a stream of gzip: a checksum and a size."""
_RAW = -15
_LONGEST = 2**17
"""Bytes of a header: a comment in it can be of any length, and is gone through again with each piece."""


class Flate(_Inflate):
    """`_Inflate` for streams of which nobody says how much comes out."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return what comes out of some more bytes, at most so many at once."""
        out = super().decompress(data, max_length)
        # A full piece may have more behind it that needs no input.
        self.needs_input = self.needs_input and len(out) < max_length
        return out


class Gzip:
    """A stream of gzip as Python reads it: no flag of the header is refused, and its checksum not compared.

    What the trailer says is only known when all has come out, and a loader may have taken it by then.
    """

    def __init__(self) -> None:
        self._header: bytes | None = b""
        self._inflate = Flate(_RAW)
        self._checksum = 0
        self._size = 0

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return what comes out of some more bytes, at most so many at once."""
        if self._header is not None:
            self._header += data
            start = _behind_header(self._header)
            if start is None:
                if len(self._header) > _LONGEST:
                    raise zlib.error("its header is too long")
                return b""
            data, self._header = self._header[start:], None
        out = self._inflate.decompress(data, max_length)
        self._checksum = zlib.crc32(out, self._checksum)
        self._size += len(out)
        return out

    def problem(self, trailer: bytes) -> str:
        """Return what is wrong with the trailer, or an empty text."""
        size = self._size & 0xFFFFFFFF
        is_right = trailer == self._checksum.to_bytes(4, "little") + size.to_bytes(4, "little")
        return "" if is_right else "its compressed data are damaged (checksum or size)"

    @property
    def eof(self) -> bool:
        """Whether all came out."""
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        """Whether nothing comes out without more bytes."""
        return self._inflate.needs_input

    @property
    def unused_data(self) -> bytes:
        """What was given that stands behind the end."""
        return self._inflate.unused_data


def _behind_header(data: bytes) -> int | None:
    """Return where the header of a stream of gzip ends (RFC 1952); None where more of it follows."""
    if len(data) < 10:
        return None
    flags, at = data[3], 10
    if flags & 4:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (8, 16):  # a name, a comment
        if flags & flag:
            end = data.find(b"\0", at)
            if end < 0:
                return None
            at = end + 1
    at += 2 if flags & 2 else 0
    return at if at <= len(data) else None
