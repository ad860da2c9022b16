"""Groups of nodes to runs: same-shaped nodes of one height stored by attribute.

A node's height is the longest way down to a node without children, back edges aside. Sorted by height,
children still come first, and the thousand trees of a forest stand side by side: what they have in
common is stored once, and their arrays lie one behind the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, groupby
from typing import Any

import msgspec
import numpy as np

from skopsafe.graph.document import FLOAT, Column, Run, Shape
from skopsafe.graph.parts import Leaf

Add = Callable[[list[Any]], int]

FLOATS = 256
"""Floats side by side that are worth an array: its 8 bytes for each are half as many as their digits."""
LONG = 32
"""Values of one node that are worth a column of their own."""


class Refs(msgspec.Struct, frozen=True, gc=False):
    """A column of references alone: the numbers that their nodes had when they were found."""

    numbers: list[int]


Cells = list[Any] | Refs
"""Values side by side: scalars, `Leaf` and references, as lists of a number; or references alone."""


class Group(msgspec.Struct, frozen=True):
    """Nodes of one shape that were taken apart together.

    Attributes
    ----------
    height : int
        Greater than that of any node they refer to, back edges aside.
    shape : int
        The shape of all of them.
    numbers : sequence of int
        The number that each got when it was found.
    columns : list of Cells
        One for each value, where the shape has a width.
    rows : list of list of Cells
        Otherwise for each node one list, or several whose items take turns.
    """

    height: int
    shape: int
    numbers: Sequence[int]
    columns: list[Cells]
    rows: list[list[Cells]]


def _place(group: Group) -> tuple[int, int]:
    return group.height, group.shape


class Arranger:
    """Sorts groups into runs, children first, and gives their nodes the numbers that they have in a file.

    Parameters
    ----------
    groups : list of Group
        In the order in which they were taken apart.
    loose : list of list of int
        The references that stand among other values; they get the new numbers.
    add : callable
        Takes arrays, which get numbers one after the other, and returns the first.
    """

    def __init__(self, groups: list[Group], loose: list[list[int]], add: Add) -> None:
        self._groups = sorted(groups, key=_place)
        self._add = add
        start = 0
        self.final = final = [0] * sum([len(group.numbers) for group in groups])
        for group in self._groups:
            numbers, end = group.numbers, start + len(group.numbers)
            if isinstance(numbers, range):
                final[numbers.start : numbers.stop] = range(start, end)
            else:
                for place, number in enumerate(numbers, start):
                    final[number] = place
            start = end
        for ref in loose:
            ref[0] = final[ref[0]]

    def runs(self) -> list[Run]:
        """Return all nodes as runs."""
        out = []
        for (_, shape), found in groupby(self._groups, _place):
            groups = list(found)
            count = sum([len(group.numbers) for group in groups])
            if groups[0].rows:
                stored: list[Any] = [self._row(row) for group in groups for row in group.rows]
            elif count == 1:
                stored = [self._single(column) for column in groups[0].columns]
            else:
                parts = zip(*[group.columns for group in groups], strict=True)
                stored = [self._column(self._joined(part)) for part in parts]
            out.append(Run(shape, count, stored))
        return out

    def _joined(self, parts: tuple[Cells, ...]) -> Cells:
        if len(parts) == 1:
            return parts[0]
        if all(type(part) is Refs for part in parts):
            return Refs([number for part in parts for number in part.numbers])  # type: ignore[union-attr]
        return list(chain.from_iterable(map(self._mixed, parts)))

    def _mixed(self, cells: Cells) -> list[Any]:
        """Return values whose references are lists of the new number."""
        if isinstance(cells, Refs):
            return [[self.final[number]] for number in cells.numbers]
        return cells

    def _listed(self, cells: Cells) -> list[Any]:
        """Return values as they stand in a file."""
        return self._without_leaves(self._mixed(cells))

    def _without_leaves(self, cells: list[Any]) -> list[Any]:
        if Leaf not in set(map(type, cells)):
            return cells
        return [self._add([value.array]) if type(value) is Leaf else value for value in cells]

    def _row(self, parts: list[Cells]) -> Any:
        """Return the values of one node."""
        first = parts[0]
        count = len(first.numbers if type(first) is Refs else first)  # type: ignore[arg-type]
        if count < LONG:
            if len(parts) == 1:
                return self._listed(first)
            return list(chain.from_iterable(zip(*map(self._listed, parts), strict=True)))
        columns = [self._refs(part) if type(part) is Refs else self._listed(part) for part in parts]
        return columns[0] if len(parts) == 1 and type(first) is list else Column(count=count, columns=columns)

    def _refs(self, cells: Refs, *, may_be_one: bool = False) -> Column:
        numbers = list(map(self.final.__getitem__, cells.numbers))
        if may_be_one and numbers.count(numbers[0]) == len(numbers):
            return Column(ref=numbers[0])
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            return Column(ref=numbers[0], step=1)
        return Column(refs=numbers)

    def _single(self, cells: Cells) -> Any:
        """Return the column of one value."""
        if type(cells) is Refs:
            return Column(ref=self.final[cells.numbers[0]])
        (value,) = cells  # type: ignore[misc]
        if type(value) is list:
            return Column(ref=value[0])
        return self._add([value.array]) if type(value) is Leaf else value

    def _column(self, cells: Cells) -> Any:
        """Return the values of an attribute in the shortest form."""
        if type(cells) is Refs:
            return self._refs(cells, may_be_one=True)
        values: list[Any] = cells  # type: ignore[assignment]
        kinds = set(map(type, values))
        if kinds == {Leaf}:
            return Column(first=self._add([value.array for value in values]))
        if len(kinds) == 1 and _are_same(values):
            return values[0]
        if kinds == {float} and len(values) >= FLOATS:
            return Column(floats=self._add([np.array(values, FLOAT)]))
        return self._without_leaves(values)


def _are_same(values: list[Any]) -> bool:
    """Tell whether values of one type are the same scalar."""
    first = values[0]
    if type(first) is list or values.count(first) != len(values):
        return False
    # A comparison does not tell 0.0 from -0.0.
    return first != 0.0 or len(set(map(str, values))) == 1


def value_count(runs: Sequence[Run], shapes: Sequence[Shape]) -> int:
    """Return how many values all nodes have together."""
    total = 0
    for run in runs:
        if shapes[run.shape].form is not None:
            total += run.count * len(run.columns)
            continue
        for row in run.columns:
            if isinstance(row, Column):
                total += row.count * len(row.columns or ())
            else:
                total += len(row)  # type: ignore[arg-type]
    return total


def spelled_out(runs: Sequence[Run], *, scalars: bool = False) -> list[Run]:
    """Return runs that name each reference, and each scalar, so that nodes and values cost bytes.

    A reader refuses files with more nodes, or many more values, than bytes of schema, for columns that follow
    a rule could make any number of them out of nothing. Real objects come near that only if most of them are
    all alike.
    """
    return [
        Run(run.shape, run.count, [_spelled_out(column, run.count, scalars) for column in run.columns])
        for run in runs
    ]


def _spelled_out(column: Any, count: int, scalars: bool) -> Any:
    if not isinstance(column, Column):
        return [column] * count if scalars and not isinstance(column, list) else column
    if column.columns is not None:
        parts = [_spelled_out(part, column.count, scalars) for part in column.columns]
        return msgspec.structs.replace(column, columns=parts)
    if column.ref is None:
        return (
            list(range(column.first, column.first + count))
            if scalars and column.first is not None
            else column
        )
    return Column(refs=[column.ref + row * column.step for row in range(count)])
