"""Items of tables that take no bytes in a file: nulls, records without fields, lists and bytes of length 0.

A column of them says how many there are in a few bytes, and whatever writes them out takes memory for each.
"""

from __future__ import annotations

from typing import Any

from skopsafe.graph.parts import Leaf
from skopsafe.handlers.checks import require

MOST_FREE = 2**24
"""Items without bytes that a table may have in any case."""
MOST_FOR_ONE = 128
"""Items without bytes for each that has some: a table may have so many columns of nulls for another one."""


class Content:
    """Counts items of one table.

    Attributes
    ----------
    free : int
        Those without bytes.
    full : int
        The others.
    """

    def __init__(self, free: int = 0) -> None:
        self.free = free
        self.full = 0

    def require_full(self, where: str) -> None:
        """Raise `ValidationError` if there are far more items without bytes than with."""
        require(self._is_full, f"{self.free} items have no content, and {self.full} have some", where)

    def refuse_free(self) -> None:
        """Raise `TypeError` for items that would not be loaded again."""
        if not self._is_full:
            raise TypeError(f"{self.free} of its items have no content, and it would not be loaded")

    @property
    def _is_full(self) -> bool:
        return self.free <= max(MOST_FREE, MOST_FOR_ONE * self.full)

    def take(self, layouts: list[Any]) -> None:
        """Count the items of layouts that are about to be written."""
        for length, *parts in layouts:
            size = sum(part.array.size for part in parts if isinstance(part, Leaf))
            below = [part for part in parts if isinstance(part, tuple)]
            self.full += size
            if not size and not any(part[0] for part in below):
                self.free += length
            self.take(below)
