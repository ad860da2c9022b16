"""What is gone through at each place where it stands: paid for, so that sharing makes no long work."""

from __future__ import annotations

import collections
import contextlib
import math
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from skopsafe.errors import LimitError

FEW, MUCH = 256, 2**26
"""Objects that share what they will, unless there are so many bytes of arrays: so many checks of all there is
take no long time."""
_ITEMS_A_STEP = 16
"""Numbers of an array that are compared in the time of one step."""
BYTES_A_STEP = 32
"""Of an array that a loader has been given: some sort it."""
_LETTERS_A_STEP, _SHORT = 8, 256
"""Letters of a text, and those below which it is not looked at."""
LARGE = 16
"""Steps through an object that are worth remembering."""
_STEPS_AN_ITEM = 8
"""To look at an item of a container costs as much as making so many values."""


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

    __slots__ = ("_left", "_seen", "_sizes", "chains", "copies")

    def __init__(self, steps: float) -> None:
        self._left = steps
        self._seen: dict[tuple[str, int], Any] = {}
        self._sizes: dict[int, tuple[Any, int]] = {}
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

    def pay(self, values: Iterable[Any], where: str) -> int:
        """Pay for the parts of an object that others had before: its loader looks into them again, or copies.

        Parameters
        ----------
        values : iterable
            The parts.
        where : str
            The type that has them, for the error.

        Returns
        -------
        int
            The steps that it takes to go through all of them, new ones too.
        """
        found = [value for value in values if type(value) not in _SCALARS]
        if not found:
            return 0
        size = 0
        stack: list[Iterable[Any]] = [found]
        walked: set[int] = set()
        while stack:
            for value in stack.pop():
                if type(value) in _SCALARS:
                    continue
                steps, inside = self._size_of(value)
                if not steps:
                    continue
                size += steps
                if not self.is_new("part", value):
                    self.spend(steps, where)
                if inside and id(value) not in walked:
                    walked.add(id(value))
                    stack += inside
        return size

    def pay_columns(self, columns: Iterable[Iterable[Any]], where: str) -> int:
        """Pay for the parts of many objects, which stand in columns: as `pay` does."""
        return sum(
            [self.pay(column, where) for column in columns if not _SCALARS.issuperset(map(type, column))]
        )

    def pay_items(self, values: Any, where: str) -> None:
        """Pay for a list that is copied, if others had it before, and not for what is in its items."""
        if not self.is_new("items", values):
            self.spend(len(values), where)

    def note(self, made: list[Any], size: int) -> None:
        """Remember how long it takes to go through objects, together: their classes may hide their parts."""
        size //= len(made)
        if size >= LARGE and type(made[0]) not in _ARRAYS:
            for obj in made:
                self._sizes[id(obj)] = obj, size

    def _size_of(self, value: Any) -> tuple[int, list[Iterable[Any]]]:
        """Return the steps that it takes to go through an object, and what is to be gone through in it."""
        kind = type(value)
        if kind in _TEXTS:
            return (len(value) // _LETTERS_A_STEP if len(value) >= _SHORT else 0), []
        if kind in _CONTAINERS:
            return 1 + _STEPS_AN_ITEM * len(value), _inside(value, _SCALARS)
        if issubclass(kind, np.ndarray):
            if not value.dtype.hasobject:
                return value.nbytes // BYTES_A_STEP, []
            plain = np.ndarray.view(value, np.ndarray)
            return 1 + _STEPS_AN_ITEM * value.size, [plain.ravel().tolist()]
        return self._sizes.get(id(value), _NOTHING)[1], []

    def look(self, obj: Any, where: str) -> None:
        """Pay for a check of an object, by the size of those of its attributes that others have as well."""
        stack: list[Iterable[Any]] = [getattr(obj, "__dict__", {}).values()]
        walked: set[int] = set()
        while stack:
            for value in stack.pop():
                kind = type(value)
                if kind in _ARRAYS:
                    self._pay_again(value, value.size, where)
                elif kind in _CONTAINERS:
                    inside = _inside(value, _WITH_TEXTS)
                    self._pay_again(value, len(value) * (_STEPS_AN_ITEM if inside else 1), where)
                    if id(value) not in walked:
                        walked.add(id(value))
                        stack += inside
                elif id(value) in self._sizes:
                    self._pay_again(value, self._sizes[id(value)][1], where)

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
_CONTAINERS = frozenset((list, tuple, dict, set, frozenset, collections.deque))
_CONTAINERS |= {collections.OrderedDict, collections.Counter, collections.defaultdict}
_TEXTS = frozenset((str, bytes, bytearray))
_SCALARS: frozenset[type] = frozenset((bool, int, float, type(None)))
_WITH_TEXTS = _SCALARS | {str}
_NOTHING: tuple[Any, int] = (None, 0)


def _inside(value: Any, plain: frozenset[type]) -> list[Iterable[Any]]:
    """Return the parts of a container, unless all of them are plain."""
    parts: list[Iterable[Any]] = [value.keys(), value.values()] if isinstance(value, dict) else [value]
    return [part for part in parts if not plain.issuperset(map(type, part))]


_PRESENT: ContextVar[Account | None] = ContextVar("account", default=None)


def present() -> Account:
    """Return the account of the load that calls a check; a new one without a bound where none does."""
    return _PRESENT.get() or Account(math.inf)
