"""The arrays of a changed Document: those of the file, and new ones that are made of them when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from skopsafe.errors import FormatError, LimitError, SkopsafeError, ValidationError, shown
from skopsafe.graph.document import Document
from skopsafe.migrate.nodes import Array, NewArray

_NEXT = "The file is damaged or crafted; do not load it."
_MISTAKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


_COPIES, _MORE = 16, 2**26
"""Bytes of new arrays: so many for each of an array of the file, and some more."""


class Arrays:
    """Numbers new arrays, behind those of the file, and makes them.

    Parameters
    ----------
    document : Document
        The file.

    Attributes
    ----------
    count : int
        How many arrays there are, with the new ones.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._new: dict[int, NewArray] = {}
        self._numbers: dict[int, int] = {}
        self._uses: Counter[int] = Counter()
        self._kept: set[int] = set()
        self._read: dict[int, Array] = {}
        self._left = _MORE
        self.count = document.array_count

    @property
    def has_new(self) -> bool:
        """Whether there is any new array."""
        return bool(self._new)

    def number(self, new: NewArray) -> int:
        """Return the number of a new array."""
        found = self._numbers.get(id(new))
        if found is None:
            found = self._numbers[id(new)] = self.count
            self._new[found] = new
            self.count += 1
            self._note(new)
        return found

    def _note(self, new: NewArray) -> None:
        """Note which arrays of the file will be read for it, and which are wanted for themselves too."""
        stack = [new]
        while stack:
            present = stack.pop()
            for source in present.sources:
                if isinstance(source, NewArray):
                    stack.append(source)
                    continue
                self._uses[source] += 1
                if present.keeps:
                    self._kept.add(source)

    def read(self, numbers: Sequence[int]) -> Iterator[tuple[Array | None, list[Array]]]:
        """Read arrays; see `Document.arrays`."""
        first = self._document.array_count
        if isinstance(numbers, range):
            is_new = bool(numbers) and numbers[-1] >= first
        else:
            is_new = any(number >= first for number in numbers)
        if not is_new and (not self._kept or self._kept.isdisjoint(numbers)):
            yield from self._document.arrays(numbers)
            return
        out: list[Array] = []
        for number in numbers:
            if number >= first:
                new = self._new.pop(number, None)
                if new is None:
                    raise ValidationError(
                        "an array is used twice", path="schema.json arrays", next_step=_NEXT
                    )
                out.append(self._made(new))
            elif number in self._kept:
                self._kept.discard(number)
                # Who comes for it later, or came before, has a copy.
                out.append(
                    self._of_file(number).copy("K") if number in self._uses else self._read.pop(number)
                )
            else:
                out += self._from_file(number)
        if out:
            yield None, out

    def _made(self, new: NewArray) -> Array:
        """Make a new array, and those of which it is made: chains of them are short."""
        parts = [
            self._made(source) if isinstance(source, NewArray) else self._of_file(source)
            for source in new.sources
        ]
        try:
            self._pay(parts)
            with np.errstate(all="ignore"):
                made: Any = new.make(*parts)
        except SkopsafeError:
            raise
        except _MISTAKEN as error:
            raise ValidationError(
                f"an array of an older release is not as that release writes it ({error})",
                path="schema.json arrays",
                next_step=_NEXT,
            ) from shown(error)
        if not isinstance(made, np.ndarray) or made.dtype.hasobject:
            raise ValidationError("an array is not of numbers", path="schema.json arrays", next_step=_NEXT)
        for source in new.sources:
            if not isinstance(source, NewArray):
                self._used(source)
        return made.copy() if any(np.may_share_memory(made, part) for part in parts) else made

    def _of_file(self, number: int) -> Array:
        """Return an array of the file that may be read more than once."""
        if number not in self._read:
            (self._read[number],) = self._from_file(number)
            self._left += _COPIES * _size(self._read[number])
        return self._read[number]

    def _pay(self, parts: list[Array]) -> None:
        """Count the bytes of what a new array is made of: an array may be a part of any number of them."""
        self._left -= sum(map(_size, parts))
        if self._left < 0:
            raise LimitError(
                "the same arrays are copied too often", path="schema.json arrays", next_step=_NEXT
            )

    def _used(self, number: int) -> None:
        self._uses[number] -= 1
        if self._uses[number] <= 0:
            del self._uses[number]
            if number not in self._kept:
                self._read.pop(number, None)

    def _from_file(self, number: int) -> list[Array]:
        if not 0 <= number < self._document.array_count:
            raise ValidationError("a node refers to no array", path="schema.json arrays", next_step=_NEXT)
        found = [array for _, arrays in self._document.arrays([number]) for array in arrays]
        if len(found) != 1:
            raise FormatError("an array is missing", path="schema.json arrays", next_step=_NEXT)
        return found


def _size(array: Array) -> int:
    """Return how many bytes an array, or one of floats of its shape, has."""
    return max(array.nbytes, 8 * array.size)
