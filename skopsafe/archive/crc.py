"""The CRC-32 of members: piece by piece as they are read, while a piece is in a cache of the processor.

The instructions that modern processors have for it make it nearly free, and `isal` uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from skopsafe.archive.tasks import Task

crc32_combine: Callable[[int, int, int], int] | None = None
"""Returns the CRC of two parts from that of each, and the size of the second."""
try:
    from isal.isal_zlib import crc32, crc32_combine
except ImportError:
    from zlib import crc32

__all__ = ["LARGE", "crc32", "filled", "of_chunks", "passed"]

LARGE = 1 << 21
"""From so many bytes on, a second thread is worth its start."""
_PIECE = 1 << 18

Fill = Callable[[memoryview, int], None]
Pieces = Iterator[tuple[memoryview, int]]


def of_chunks(chunks: Iterable[Any]) -> int:
    """Return the CRC of bytes-like objects one behind the other."""
    crc = 0
    for chunk in chunks:
        crc = crc32(chunk, crc)
    return crc


def filled(view: memoryview, fill: Fill, crc: int, *, beside: bool) -> int:
    """Fill memory with `fill(piece, its place)`, and return the CRC that goes on from `crc`.

    With `beside`, two threads may call `fill` at once.
    """

    def pieces(start: int, stop: int) -> Pieces:
        for place in range(start, stop, _PIECE):
            yield view[place : min(place + _PIECE, stop)], place

    return _in_halves(pieces, len(view), fill, crc, beside)


def passed(size: int, fill: Fill, *, beside: bool) -> int:
    """Return the CRC of so many bytes that `fill` gives, without room for all of them; see `filled`."""

    def pieces(start: int, stop: int) -> Pieces:
        room = memoryview(bytearray(min(stop - start, _PIECE)))
        for place in range(start, stop, _PIECE):
            yield room[: stop - place], place

    return _in_halves(pieces, size, fill, 0, beside)


def _in_halves(pieces: Callable[[int, int], Pieces], size: int, fill: Fill, crc: int, beside: bool) -> int:
    """Fill ``pieces(start, stop)`` and return their CRC; a second thread does half of it where that pays."""
    is_over: list[bool] = []

    def work(start: int, stop: int, crc: int) -> int:
        for piece, place in pieces(start, stop):
            if is_over:
                break
            fill(piece, place)
            crc = crc32(piece, crc)  # while the piece is in a cache
        return crc

    if crc32_combine is None or not beside or size < LARGE:
        return work(0, size, crc)
    middle = size // 2
    task = None
    try:
        task = Task(work, middle, size, 0)
        return crc32_combine(work(0, middle, crc), task.result(), size - middle)
    except BaseException:
        is_over.append(True)
        if task is not None:
            task.wait()  # it reads a file that is closed next
        raise
