"""What is gone through at each place where it stands: paid for, so that sharing makes no long work."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from skopsafe.errors import LimitError

FEW = 256
"""Objects that share what they will: so many checks of all there is take no long time."""
_ITEMS_A_STEP = 16
"""Numbers of an array that are compared in the time of one step."""


class Account:
    """What one load, or one conversion, knows of the objects that it has made.

    An object stands once in a file and can be a part of any number of others. Each check that looks into what
    is shared either remembers what it found, or pays for looking again.

    Parameters
    ----------
    steps : float
        How much may be gone through more than once.

    Attributes
    ----------
    chains : dict of int to tuple
        By the id of an object: itself, which keeps the id its own, and how many objects hang below each other
        from it on where Python recurses. See `skopsafe.handlers.depth`.
    copies : dict of int to tuple
        By the id of an object: itself, and the copy that others are given in its place.
    """

    __slots__ = ("_left", "_seen", "chains", "copies")

    def __init__(self, steps: float) -> None:
        self._left = steps
        self._seen: dict[tuple[str, int], Any] = {}
        self.chains: dict[int, tuple[Any, int]] = {}
        self.copies: dict[int, tuple[Any, Any]] = {}

    def spend(self, count: int, where: str) -> None:
        """Take steps from what is left.

        Raises
        ------
        LimitError
            There are not as many.
        """
        self._left -= count
        if self._left < 0:
            raise LimitError(
                "the same objects are gone through too often",
                path=where,
                next_step="Pass limits=Limits(work=...) if you know the file.",
            )

    def is_new(self, what: str, value: Any) -> bool:
        """Tell whether this is the first question for a value, of those about one thing."""
        key = what, id(value)
        is_new = key not in self._seen
        self._seen[key] = value  # so that its id stays its own
        return is_new

    def look(self, obj: Any, where: str) -> None:
        """Pay for a check of an object, by the size of those of its attributes that others have as well."""
        for value in getattr(obj, "__dict__", {}).values():
            kind = type(value)
            if kind in _ARRAYS:
                self._pay_again(value, value.size, where)
            elif kind in _CONTAINERS:
                self._pay_again(value, len(value), where)
                if kind is list or kind is tuple:
                    for part in value:
                        if type(part) in _ARRAYS:
                            self._pay_again(part, part.size, where)

    def _pay_again(self, value: Any, size: int, where: str) -> None:
        """Pay for a container or array, unless it is small, or new."""
        if size >= _ITEMS_A_STEP and not self.is_new("look", value):
            of_numbers = type(value) in _ARRAYS and not value.dtype.hasobject
            self.spend(size // _ITEMS_A_STEP if of_numbers else size, where)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Make this the account of all checks that are called."""
        token = _PRESENT.set(self)
        try:
            yield
        finally:
            _PRESENT.reset(token)


_ARRAYS = frozenset((np.ndarray, np.memmap))
_CONTAINERS = frozenset((list, tuple, dict, set, frozenset))
_PRESENT: ContextVar[Account | None] = ContextVar("account", default=None)


def present() -> Account:
    """Return the account of the load that calls a check; a new one without a bound where none does."""
    return _PRESENT.get() or Account(math.inf)
