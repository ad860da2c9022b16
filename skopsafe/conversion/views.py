"""Texts and bytes of Arrow that stand as views: short ones within, long ones as a place in a buffer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.conversion.rules import Budget, require

_INLINE = 12
"""Bytes that stand within a view."""


def joined(
    views: NDArray[np.uint8], valid: NDArray[np.bool_] | None, data: Sequence[Any], budget: Budget
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return where texts end, from a 0 on, and their bytes one behind the other.

    Parameters
    ----------
    views : ndarray of shape (n, 16), uint8
        The views.
    valid : ndarray of shape (n,), bool, or None
        Which of them are not null; None for all.
    data : sequence of bytes-like or None
        The buffers that they lead into.
    budget : Budget
        Pays for what is copied.
    """
    numbers = np.ascontiguousarray(views).view("<i4").reshape(-1, 4)
    sizes = numbers[:, 0].astype(np.int64)
    if valid is not None:
        sizes[~valid] = 0
    require(bool((sizes >= 0).all()), "a length is negative")
    budget.spend(int(sizes.sum()))
    pieces = []
    for row, size in enumerate(sizes.tolist()):
        if size <= _INLINE:
            pieces.append(views[row, 4 : 4 + size].tobytes())
            continue
        number, start = int(numbers[row, 2]), int(numbers[row, 3])
        require(0 <= number < len(data) and start >= 0, "a view leads outside")
        buffer = data[number]
        require(buffer is not None and start + size <= len(buffer), "a view leads outside")
        pieces.append(bytes(buffer[start : start + size]))
    ends = np.zeros(len(sizes) + 1, "<i8")
    np.cumsum(sizes, out=ends[1:])
    return ends, np.frombuffer(b"".join(pieces), np.uint8)
