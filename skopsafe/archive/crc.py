"""The CRC-32 of members: of large ones, it is computed beside the reading or writing of them.

The instructions that modern processors have for it make it nearly free, and `isal` uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from skopsafe.archive.tasks import Task

try:
    from isal.isal_zlib import crc32
except ImportError:
    from zlib import crc32

__all__ = ["LARGE", "crc32", "filled", "of_chunks", "passed"]

LARGE = 1 << 22
"""From so many bytes on, a second thread is worth its start."""
_CHUNK = 1 << 21


def of_chunks(chunks: Iterable[Any]) -> int:
    """Return the CRC of bytes-like objects one behind the other."""
    crc = 0
    for chunk in chunks:
        crc = crc32(chunk, crc)
    return crc


def filled(view: memoryview, fill: Callable[[memoryview, int], None], crc: int) -> int:
    """Fill memory with `fill(piece, its place)`, and return the CRC that goes on from `crc`."""
    if len(view) < LARGE:
        fill(view, 0)
        return crc32(view, crc)
    starts = range(0, len(view), _CHUNK)
    return _in_turn(((view[start : start + _CHUNK], start) for start in starts), fill, crc, beside=True)


def passed(size: int, fill: Callable[[memoryview, int], None]) -> int:
    """Return the CRC of so many bytes that `fill` gives, without room for all of them."""
    rooms = [memoryview(bytearray(min(size, _CHUNK))) for _ in range(2)]
    starts = range(0, size, _CHUNK)
    pieces = ((rooms[number % 2][: size - start], start) for number, start in enumerate(starts))
    return _in_turn(pieces, fill, 0, beside=size >= LARGE)


def _in_turn(
    pieces: Iterable[tuple[memoryview, int]], fill: Callable[[memoryview, int], None], crc: int, beside: bool
) -> int:
    """Fill each piece while the CRC of the one before is computed, and not of any before that."""
    task = Task(int, crc, beside=False)
    for piece, place in pieces:
        fill(piece, place)
        task = Task(crc32, piece, task.result(), beside=beside)
    return task.result()
