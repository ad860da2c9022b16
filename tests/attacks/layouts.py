"""Changes of layouts, which are tuples of plain arrays and further layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.graph.parts import Leaf

Change = Callable[[Any], Any]


def part(place: int, change: Change) -> Change:
    """Return a change of one part of a layout; that of an array gets the array."""

    def apply(layout: Any) -> Any:
        old = layout[place]
        new = change(old.array.copy()) if isinstance(old, Leaf) else change(old)
        return (*layout[:place], Leaf(new) if isinstance(new, np.ndarray) else new, *layout[place + 1 :])

    return apply


def put(place: int, value: int) -> Change:
    def apply(array: Any) -> Any:
        array[place] = value
        return array

    return apply


def shorter(array: Any) -> Any:
    return array[:-1]


def to(*values: int) -> Change:
    return lambda array: np.array(values, array.dtype)
