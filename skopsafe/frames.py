"""What a dump keeps on its stack: objects whose parts are being written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from skopsafe.graph.scalars import objects_in


class Frame:
    """Objects of one shape on their way: what is still to be written of them.

    Attributes
    ----------
    numbers : sequence of int
        The number of each object.
    shape : int
        Their shape.
    cells : list of list
        The values: those of one object; or all values of each attribute of several; or those of several
        objects behind each other.
    labels : tuple of str or None
        What the values of one object are called.
    lengths : list of int or None
        How many values each object has, where they stand behind each other.
    keys : list or None
        For a mapping: its keys, which are the first list of `cells` too.
    objects : list of sequence of int
        For each list of `cells`, the places of objects in it.
    turn, place : int
        Which list is on its way, and which value of it.
    """

    __slots__ = (
        "batches",
        "cells",
        "keys",
        "labels",
        "lengths",
        "numbers",
        "objects",
        "place",
        "shape",
        "turn",
    )

    def __init__(
        self,
        numbers: Sequence[int],
        shape: int,
        cells: list[list[Any]],
        labels: tuple[str, ...] | None = None,
        lengths: list[int] | None = None,
        keys: list[Any] | None = None,
    ) -> None:
        self.numbers = numbers
        self.shape = shape
        self.cells = cells
        self.labels = labels
        self.lengths = lengths
        self.keys = keys
        self.objects = [objects_in(values) for values in cells]
        self.turn = 0
        self.place = 0
        self.batches: Iterator[list[Any]] | None = None


def path_of(frames: Sequence[Frame], type_names: Sequence[str]) -> str:
    """Return the way from the first frame to the value that the last is at, for an error.

    Parameters
    ----------
    frames : sequence of Frame
        Each of one object.
    type_names : sequence of str
        The type of each.
    """
    path = "object"
    for frame, name in zip(frames, type_names, strict=True):
        place = frame.place
        if frame.labels is not None:
            path += f".{frame.labels[place]}" if place < len(frame.labels) else ""
        elif frame.keys is not None:
            path += _subscript(frame.keys[place]) if frame.turn else "[<key>]"
        elif name.endswith(":OrderedDict"):
            path += _subscript(frame.cells[0][place - 1]) if place % 2 else "[<key>]"
        else:
            path += f"[{place}]"
    return path


def _subscript(key: Any) -> str:
    return f"[{key!r}]" if isinstance(key, (str, int)) else "[...]"
