"""Compressed streams as something that can be read at any place, for files that are only looked at.

Nothing here believes a size: a stream is decompressed to its end in pieces, all that comes out counts against
a `Budget`, and what is large is not kept but decompressed again where it is read.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from skopsafe.archive.access import AGAIN
from skopsafe.archive.compression import BZIP2, DEFLATED, LZMA, ZSTANDARD, zstd
from skopsafe.archive.decompression import DamagedError, _Lzma
from skopsafe.archive.gzipped import TRAILER, Flate, Gzip
from skopsafe.archive.readable import Budget, Readable
from skopsafe.errors import FormatError, MissingTypeError

_PIECE = 2**18
_INPUT = 2**16
_MOST_PARTS = 1000
"""Streams of a format behind each other that are read as one."""
_MOST_MEMORY = 2**28
"""Bytes that a decompressor may take for its window: more than any level of the formats has."""
_RAW, _ZLIB = -15, 15
_LONGEST_SIZE = 19  # of the hexadecimal size that joblib wrote before 0.10


class Unpacked:
    """What comes out of a decompressor.

    Parameters
    ----------
    pieces : callable
        Begins to decompress, and yields what comes out.
    budget : Budget
        What it may cost.

    Attributes
    ----------
    size : int
        Bytes that come out.
    problem : str
        Why it ends early; empty where it does not.
    """

    def __init__(self, pieces: Callable[[], Iterator[bytes]], budget: Budget) -> None:
        self._begin = pieces
        self.size = 0
        self.problem = ""
        kept: bytearray | None = bytearray()
        try:
            for piece in pieces():
                budget.take(len(piece))
                self.size += len(piece)
                if kept is not None:
                    kept += piece
                    if self.size > budget.held:
                        kept = None
        except DamagedError as error:
            self.problem = str(error)
        if kept is not None:
            budget.held -= self.size
        self._kept = kept
        self._base = 0
        self._window = b""
        self._pieces: Iterator[bytes] = iter(())
        if kept is None:
            self._restart()

    def _restart(self) -> None:
        self._base, self._window, self._pieces = 0, b"", self._begin()

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on, or as many as there are."""
        if self._kept is not None:
            return bytes(self._kept[offset : offset + size])
        size = min(size, self.size - offset)
        if size <= 0:
            return b""
        if offset < self._base:
            self._restart()
        window = [self._window]
        end = self._base + len(self._window)
        while end < offset + size:
            try:
                piece = next(self._pieces, b"")
            except DamagedError:
                piece = b""
            if not piece:
                raise FormatError("the file changes while it is read", next_step=AGAIN)
            if end <= offset:
                window, self._base = [], end
            window.append(piece)
            end += len(piece)
        data = b"".join(window)
        at = offset - self._base
        self._base, self._window = offset, data[at:]
        return self._window[:size]


Opened = tuple[Callable[[], Any], tuple[type[Exception], ...]]


def _lzma_container() -> Opened:
    import lzma

    return lambda: lzma.LZMADecompressor(memlimit=_MOST_MEMORY), (lzma.LZMAError, ValueError)


def _bz2() -> Opened:
    import bz2

    return bz2.BZ2Decompressor, (OSError, ValueError)


def _zstd() -> Opened:
    library = zstd()
    return library.ZstdDecompressor, (library.ZstdError,)


def _lz4() -> Opened:
    try:
        import lz4.frame
    except ImportError as error:
        raise MissingTypeError(
            "compression with lz4 needs a package that is not installed",
            next_step="Install it: pip install lz4.",
        ) from error
    return lz4.frame.LZ4FrameDecompressor, (RuntimeError, ValueError)


_OPENERS: dict[str, Callable[[], Opened]] = {
    "zlib": lambda: (lambda: Flate(_ZLIB), (zlib.error,)),
    "gzip": lambda: (Gzip, (zlib.error,)),
    "bz2": _bz2,
    "xz": _lzma_container,
    "lzma": _lzma_container,
    "lz4": _lz4,
    "zstd": _zstd,
}
_MAGIC = {
    "gzip": b"\x1f\x8b\x08",
    "bz2": b"BZh",
    "xz": b"\xfd7zXZ",
    "lzma": b"]\0",
    "lz4": b"\x04\x22\x4d\x18",
    "zstd": b"\x28\xb5\x2f\xfd",
}
_MAGICS = tuple(_MAGIC.values())
_ONCE = ("zlib", "lzma")
"""Formats of which no reader takes several streams behind each other. Their first bytes are those of much
else, too."""


def is_certain(kind: str) -> bool:
    """Tell whether the first bytes of a compression are hardly those of anything else."""
    return kind not in _ONCE


def compression_of(head: bytes) -> tuple[str, int] | None:
    """Return which compression a stream has, and where the compressed data begins; by its first bytes."""
    if head[:2] == b"ZF":
        start = 2 + _LONGEST_SIZE
        with contextlib.suppress(ValueError):
            int(head[2:start], 16)
            return "zlib", start + (head[start : start + 1] == b" ")
    if head[:1] == b"x" and len(head) > 1 and (head[0] * 256 + head[1]) % 31 == 0:
        return "zlib", 0
    if not head.startswith(_MAGICS):
        return None
    return next((kind, 0) for kind, magic in _MAGIC.items() if head.startswith(magic))


def unpack(kind: str, source: Readable, start: int, budget: Budget) -> Unpacked:
    """Decompress a stream of a compression that `compression_of` told.

    Raises
    ------
    LimitError
        More comes out than the budget has.
    MissingTypeError
        The package for it is not installed.
    """
    make, errors = _OPENERS[kind]()
    magic = b"" if kind in _ONCE else _MAGIC[kind]
    return Unpacked(lambda: _pieces(make, errors, source, start, magic), budget)


def unpack_member(method: int, size: int, source: Readable, start: int, budget: Budget) -> Unpacked | None:
    """Decompress a member of a zip, to the end that its data have; None where the method is unknown.

    Raises
    ------
    LimitError, MissingTypeError
        As `unpack`.
    """
    make: Callable[[], Any]
    errors: tuple[type[Exception], ...]
    if method == DEFLATED:
        make, errors = (lambda: Flate(_RAW)), (zlib.error,)
    elif method == LZMA:
        import lzma

        make, errors = (lambda: _Lzma(max(size, 1 << 16))), (lzma.LZMAError, ValueError)
    elif method in (BZIP2, ZSTANDARD):
        make, errors = _OPENERS["bz2" if method == BZIP2 else "zstd"]()
    else:
        return None
    return Unpacked(lambda: _pieces(make, errors, source, start, b""), budget)


def _pieces(
    make: Callable[[], Any],
    errors: tuple[type[Exception], ...],
    source: Readable,
    start: int,
    magic: bytes,
) -> Iterator[bytes]:
    """Yield what comes out of a stream, and of those of the same kind behind it.

    Raises
    ------
    DamagedError
        It is no such stream, or breaks off. What came before is what a loader would have taken.
    """
    place, parts, decompressor, problem = start, 0, make(), ""
    first, last, told = start, start, 0
    while True:
        data = source.read(place, _INPUT) if decompressor.needs_input else b""
        last = place if data else last
        place += len(data)
        try:
            piece = decompressor.decompress(data, _PIECE)
        except errors as error:
            yield from _before_damage(make, errors, source, first, last, told)
            raise DamagedError(f"its compressed data are damaged ({error})") from None
        if piece:
            told += len(piece)
            yield piece
        if decompressor.eof:
            place -= len(decompressor.unused_data or b"")  # lz4 has None
            parts += 1
            if magic == _MAGIC["gzip"]:
                problem = problem or decompressor.problem(source.read(place, TRAILER))
                place = _behind_zeros(source, place + TRAILER)
            if not magic or source.read(place, len(magic)) != magic:
                if problem:
                    raise DamagedError(problem)
                return
            if parts >= _MOST_PARTS:
                raise DamagedError(f"it has more than {_MOST_PARTS} compressed streams")
            decompressor = make()
            first, last, told = place, place, 0
        elif not piece and not data and decompressor.needs_input:
            raise DamagedError("its compressed data end early")


def _before_damage(
    make: Callable[[], Any],
    errors: tuple[type[Exception], ...],
    source: Readable,
    first: int,
    last: int,
    told: int,
) -> Iterator[bytes]:
    """Yield what comes out before the damage in the bytes from `last` on, behind what was `told` already.

    A decompressor gives nothing out of bytes among which there are damaged ones. Loaders give it fewer at a
    time, so that they get more: all of it comes where it gets one by one.
    """
    place, decompressor = first, make()
    while not decompressor.eof:
        size = 1 if place >= last else min(_INPUT, last - place)
        data = source.read(place, size) if decompressor.needs_input else b""
        place += len(data)
        try:
            piece = decompressor.decompress(data, _PIECE)
        except errors:
            return
        if len(piece) > told:
            yield piece[told:]
        told = max(0, told - len(piece))
        if not piece and not data and decompressor.needs_input:
            return


def _behind_zeros(source: Readable, place: int) -> int:
    """Return where the zero bytes end that Python passes by between streams of gzip."""
    while True:
        data = source.read(place, _INPUT)
        rest = data.lstrip(b"\0")
        place += len(data) - len(rest)
        if rest or not data:
            return place
