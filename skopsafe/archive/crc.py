"""The CRC-32 of large blocks, computed beside the reading or writing of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from zlib import crc32

from skopsafe.archive.tasks import Task

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
    task = Task(int, crc)
    for start in range(0, len(view), _CHUNK):
        piece = view[start : start + _CHUNK]
        fill(piece, start)
        task = Task(crc32, piece, task.result())
    return task.result()
