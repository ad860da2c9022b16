"""Chunks: C-contiguous bytes-like objects, arrays of any plain dtype among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np

BLOCK = 1 << 20


def size_of(chunk: Any) -> int:
    """Return how many bytes a chunk has."""
    if type(chunk) is bytes:
        return len(chunk)
    return int(chunk.nbytes) if isinstance(chunk, np.ndarray) else memoryview(chunk).nbytes


def flat(chunk: Any) -> memoryview:
    """Return the bytes of a chunk."""
    if isinstance(chunk, np.ndarray):
        # Dates have no format that a memoryview knows.
        chunk = cast("Any", chunk.reshape(-1).view(np.uint8))
    view = memoryview(chunk)
    return view.cast("B") if view.nbytes else memoryview(b"")


def blocks(chunks: Iterable[Any]) -> Iterator[memoryview]:
    """Cut chunks anew, so that only the content decides where; the last block may be empty."""
    held: list[memoryview] = []
    size = 0
    for chunk in chunks:
        view = flat(chunk)
        while view:
            part = view[: BLOCK - size]
            view = view[len(part) :]
            held.append(part)
            size += len(part)
            if size == BLOCK:
                yield held[0] if len(held) == 1 else memoryview(b"".join(held))
                held, size = [], 0
    yield memoryview(b"".join(held))
