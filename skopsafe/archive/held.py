"""The arrays of a Document that is no file: they are in memory, and are given as a file would give them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.archive.arrays import Collector
from skopsafe.archive.source import Joined
from skopsafe.errors import LimitError


class Holder(Collector):
    """A collector that can give its arrays back without writing them.

    Parameters
    ----------
    most : int
        Bytes that all arrays may have together: what was read once could be a part of any number of objects,
        and each gets an array of its own.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._left = most
        self._held: list[NDArray[Any] | None] = []
        self._given: set[int] = set()

    def add(self, array: NDArray[Any]) -> int:
        """Take an array; see `Collector.add`."""
        self._take(array.nbytes)
        self._held.append(array)
        return super().add(array)

    def add_all(self, arrays: list[NDArray[Any]]) -> int:
        """Take arrays; see `Collector.add_all`."""
        before = len(self._held)
        first = super().add_all(arrays)
        if len(self._held) == before:  # it may take them one by one
            self._take(sum(array.nbytes for array in arrays))
            self._held += arrays
        return first

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise LimitError(
                "the arrays of the file are parts of so many objects that they would not fit into memory",
                next_step="Treat the file as hostile, unless you know where it is from.",
            )

    def joined(self, numbers: Sequence[int]) -> Iterator[Joined]:
        """Yield arrays, each of which can be had once; no two of them share memory."""
        yield None, [self._give(number) for number in numbers]

    def _give(self, number: int) -> NDArray[Any]:
        array = self._held[number]
        assert array is not None, number
        self._held[number] = None
        if not array.dtype.itemsize:  # no copy of a text of no letters is one
            return array
        place = array.__array_interface__["data"][0]
        is_whole = array.flags.c_contiguous or array.flags.f_contiguous
        if not is_whole or not array.flags.writeable or not array.flags.owndata or place in self._given:
            array = np.array(array, order="K" if is_whole else "C", subok=False)
        if array.nbytes:
            self._given.add(array.__array_interface__["data"][0])
        return array
