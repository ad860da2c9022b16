"""The arrays of a file, as loaders are given them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from skopsafe.errors import FormatError, SkopsafeError, ValidationError, shown
from skopsafe.graph.account import Account
from skopsafe.graph.document import Document

NEXT = "The file is damaged or crafted; do not load it."


class Given:
    """What a loader may ask for, but for what the present node names. See `skopsafe.graph.parts.Context`.

    Parameters
    ----------
    document : Document
        The file, whose arrays are read when they are asked for.

    Attributes
    ----------
    path : str
        Where the present node stands, for errors.
    account : Account
        What is known of the objects of this load.
    read : int
        Bytes of all arrays so far.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self.path = ""
        self.account = Account(document.steps)
        self.read = 0

    def array(self, number: object) -> NDArray[Any]:
        """Return array `number` of the file."""
        return self.arrays([number])[0]

    def arrays(self, numbers: Sequence[object]) -> list[NDArray[Any]]:
        """Return arrays of the file. Each can be had once."""
        return [array for _, arrays in self._arrays(numbers) for array in arrays]

    def joined(self, numbers: Sequence[object]) -> Iterator[tuple[NDArray[Any], list[NDArray[Any]]]]:
        """Yield arrays as `arrays` does, in groups, each behind the items of all its arrays as one array."""
        for flat, arrays in self._arrays(numbers):
            if flat is None:  # as bytes: numpy would copy structures field by field
                pieces = [array.ravel("A").view(np.uint8) for array in arrays]
                flat = np.concatenate(pieces).view(arrays[0].dtype)
            yield flat, arrays

    def _arrays(self, numbers: Sequence[object]) -> Iterator[tuple[NDArray[Any] | None, list[NDArray[Any]]]]:
        ends = (numbers[0], numbers[-1]) if isinstance(numbers, range) and numbers else numbers
        for number in ends:
            if type(number) is not int or not 0 <= number < self._document.array_count:
                raise ValidationError("a node refers to no array", path=self.path, next_step=NEXT)
        try:
            for flat, arrays in self._document.arrays(cast("Sequence[int]", numbers)):
                self.read += sum([array.nbytes for array in arrays]) if flat is None else flat.nbytes
                yield flat, arrays
        except (ValueError, OverflowError) as error:
            if isinstance(error, SkopsafeError):
                raise
            raise FormatError(
                f"an array cannot be made ({error})", path="schema.json arrays", next_step=NEXT
            ) from shown(error)
