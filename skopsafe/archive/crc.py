"""The CRC-32 of members: piece by piece as they are read, while a piece is in a cache of the processor.

The instructions that modern processors have for it make it nearly free, and `isal` uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


def of_chunks(chunks: Iterable[Any]) -> int:
    """Return the CRC of bytes-like objects one behind the other."""
    crc = 0
    for chunk in chunks:
        crc = crc32(chunk, crc)
    return crc


def filled(view: memoryview, fill: Callable[[memoryview, int], None], crc: int, *, beside: bool) -> int:
    """Fill memory with `fill(piece, its place)`, and return the CRC that goes on from `crc`.

    With `beside`, two threads may call `fill` at once.
    """

    def work(start: int, stop: int, crc: int) -> int:
        places = range(start, stop, _PIECE)
        return _in_turn(((view[place : min(place + _PIECE, stop)], place) for place in places), fill, crc)

    return _in_halves(work, len(view), crc, beside)


def passed(size: int, fill: Callable[[memoryview, int], None], *, beside: bool) -> int:
    """Return the CRC of so many bytes that `fill` gives, without room for all of them; see `filled`."""

    def work(start: int, stop: int, crc: int) -> int:
        room = memoryview(bytearray(min(stop - start, _PIECE)))
        places = range(start, stop, _PIECE)
        return _in_turn(((room[: stop - place], place) for place in places), fill, crc)

    return _in_halves(work, size, 0, beside)


def _in_turn(
    pieces: Iterable[tuple[memoryview, int]], fill: Callable[[memoryview, int], None], crc: int
) -> int:
    """Fill each piece, and go on with the CRC while it is in a cache."""
    for piece, place in pieces:
        fill(piece, place)
        crc = crc32(piece, crc)
    return crc


def _in_halves(work: Callable[[int, int, int], int], size: int, crc: int, beside: bool) -> int:
    """Return the CRC of ``work(start, stop, crc)``; a second thread does half of it where that pays."""
    if crc32_combine is None or not beside or size < LARGE:
        return work(0, size, crc)
    middle = size // 2
    task = Task(work, middle, size, 0)
    try:
        first = work(0, middle, crc)
    except BaseException:
        task.wait()  # it reads a file that is closed next
        raise
    return crc32_combine(first, task.result(), size - middle)
