"""The compression of members: deflate, bzip2, LZMA or Zstandard (APPNOTE 6.3.10, section 4.4.5).

The libraries are imported when a member needs them.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from skopsafe.archive import crc
from skopsafe.archive.chunks import blocks
from skopsafe.archive.tasks import Task
from skopsafe.archive.zip_records import MARKED_END, SCHEMA
from skopsafe.errors import ArgumentError, MissingTypeError
from skopsafe.limits import SCHEMA_FLOOR

STORED, DEFLATED, BZIP2, LZMA, ZSTANDARD = 0, 8, 12, 14, 93
NAMES = {"stored": STORED, "deflate": DEFLATED, "bzip2": BZIP2, "lzma": LZMA, "zstd": ZSTANDARD}
VERSIONS = {STORED: 20, DEFLATED: 20, BZIP2: 46, LZMA: 63, ZSTANDARD: 63}
"""The release of the zip format that knows each method."""
FLAGS = {STORED: 0, DEFLATED: 0, BZIP2: 0, LZMA: MARKED_END, ZSTANDARD: 0}
_LEVELS = {STORED: (-1, 9), DEFLATED: (-1, 9), BZIP2: (1, 9), LZMA: (-1, 9), ZSTANDARD: (-(1 << 17), 22)}

_WINDOW = 1 << 15
_SMALL = 1 << 15
_MOST_THREADS = 4
_BOMB = 1000  # deflate reaches 1032, and readers allow somewhat more
_DENSE = 30  # of a large schema readers allow 34
_DENSE = 30  # what readers allow of a large schema, and somewhat less
_LZMA_USUAL = {"lc": 3, "lp": 0, "pb": 2, "dict_size": 1 << 23}


def check_compression(compression: Any, level: Any) -> int:
    """Return the number of a compression, given by name or number; raise unless it and its level are known.

    Raises
    ------
    ArgumentError
        There is no such compression or level.
    MissingTypeError
        The package for it is not installed.
    """
    number = NAMES.get(compression) if isinstance(compression, str) else compression
    if not isinstance(number, int) or number not in _LEVELS:
        raise ArgumentError(
            f"compression {compression!r} is unknown",
            next_step=f"Use one of {', '.join(map(repr, NAMES))}, or a constant of zipfile.",
        )
    low, high = _LEVELS[number]
    if level is not None and not (type(level) is int and low <= level <= high):
        raise ArgumentError(
            f"compresslevel {level!r} is unknown", next_step=f"Use an integer from {low} to {high}."
        )
    if number == ZSTANDARD:
        zstd()
    return int(number)


def zstd() -> Any:
    """Return the module for Zstandard."""
    try:
        try:
            from compression import zstd as found  # since Python 3.14
        except ImportError:
            from backports import zstd as found
    except ImportError as error:
        raise MissingTypeError(
            "compression with zstd needs a package that is not installed",
            next_step="Install it: pip install 'skopsafe[zstd]'.",
        ) from error
    return found


class Compressed:
    """Compresses members, several at a time, and hands them on in order.

    What comes out does not depend on the number of threads. Large members are deflated in blocks, each of
    which may refer to the end of the one before. A member that another method makes a thousand times smaller
    is deflated too, and where a large schema becomes thirty times smaller, its first blocks are written at
    greater length, so that readers need not take them for bombs.

    Parameters
    ----------
    method, level : int, int or None
        How.
    put : callable
        ``put(name, size, checksum, compressed size, chunks, method)`` takes the members.
    """

    def __init__(self, method: int, level: int | None, put: Callable[..., None]) -> None:
        self._method = method
        self._level = level
        self._put = put
        self._is_over = False
        self._threads = min(_cores(), _MOST_THREADS)
        self._running: deque[Task[Any]] = deque()
        self._members: deque[tuple[str, int, list[memoryview], list[Task[list[bytes]]]]] = deque()

    def add(self, name: str, chunks: Sequence[Any]) -> None:
        """Begin to compress a member."""
        cut = list(blocks(chunks))
        size = sum(map(len, cut))
        if self._method == DEFLATED:
            tasks = self._deflate(cut, self._level)
        else:
            tasks = [self._start(size, _compressed, self._method, self._level, size, self._wanted(cut))]
        self._members.append((name, size, cut, tasks))
        while len(self._members) > self._threads:
            self._finish_one()

    def _deflate(self, cut: list[memoryview], level: int | None, loose: int = 0) -> list[Task[list[bytes]]]:
        """Deflate blocks, of the first `loose` of which no repetition is used."""
        windows = [b"", *(block[-_WINDOW:] for block in cut)]
        return [
            self._start(len(block), _deflated, level, number <= loose, block, window, number == len(cut))
            for number, (block, window) in enumerate(zip(cut, windows, strict=False), 1)
        ]

    def _start(self, size: int, function: Callable[..., list[bytes]], *arguments: Any) -> Task[list[bytes]]:
        while len(self._running) >= self._threads:
            self._running[0].result()
            self._running.popleft()
        task = Task(function, *arguments, beside=size >= _SMALL)
        self._running.append(task)
        return task

    def _finish_one(self) -> None:
        name, size, cut, tasks = self._members.popleft()
        method = self._method
        pieces = _results(tasks)
        packed = sum(map(len, pieces))
        if name == SCHEMA and size > SCHEMA_FLOOR and packed * _DENSE < size:
            # So coded, a block is an eighth of its size at least.
            method, pieces = DEFLATED, _results(self._deflate(cut, None, 8 * len(cut) // _DENSE + 1))
        elif method != DEFLATED and packed * _BOMB < size:
            method, pieces = DEFLATED, _results(self._deflate(cut, None))
        self._put(name, size, crc.of_chunks(cut), sum(map(len, pieces)), pieces, method)

    def _wanted(self, cut: list[memoryview]) -> Iterator[memoryview]:
        """Yield blocks, and no more of them when nobody wants what they give."""
        for block in cut:
            if self._is_over:
                break
            yield block

    def give_up(self) -> None:
        """Let all threads end, which for a member of a gigabyte would take minutes."""
        self._is_over = True
        for task in self._running:
            task.wait()

    def finish(self) -> None:
        """Hand on what is left."""
        while self._members:
            self._finish_one()


def _results(tasks: list[Task[list[bytes]]]) -> list[bytes]:
    return [piece for task in tasks for piece in task.result()]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _deflated(
    level: int | None, is_loose: bool, block: memoryview, window: memoryview, is_last: bool
) -> list[bytes]:
    level = zlib.Z_DEFAULT_COMPRESSION if level is None else level
    strategy = zlib.Z_HUFFMAN_ONLY if is_loose else zlib.Z_DEFAULT_STRATEGY
    how = (level, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, strategy)
    deflate = zlib.compressobj(*how, zdict=window) if window else zlib.compressobj(*how)
    return [deflate.compress(block), deflate.flush(zlib.Z_FINISH if is_last else zlib.Z_SYNC_FLUSH)]


def _compressed(method: int, level: int | None, size: int, blocks: Iterable[memoryview]) -> list[bytes]:
    pieces = []
    if method == BZIP2:
        import bz2

        compressor: Any = bz2.BZ2Compressor(9 if level is None else level)
    elif method == LZMA:
        import lzma

        filters = [{"id": lzma.FILTER_LZMA1, **_LZMA_USUAL}]
        compressor = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=filters)
        first = (_LZMA_USUAL["pb"] * 5 + _LZMA_USUAL["lp"]) * 9 + _LZMA_USUAL["lc"]
        # The release of the LZMA SDK that zipfile names, bytes of the properties, the properties.
        pieces.append(bytes([9, 4, 5, 0, first]) + _LZMA_USUAL["dict_size"].to_bytes(4, "little"))
    else:
        compressor = zstd().ZstdCompressor(level)
        compressor.set_pledged_input_size(size)
    pieces += map(compressor.compress, blocks)
    pieces.append(compressor.flush())
    return pieces
