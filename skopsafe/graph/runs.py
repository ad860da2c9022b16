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

from skopsafe.graph.document import Column, Run
from skopsafe.graph.parts import Leaf

Add = Callable[[list[Any]], int]


class Group(msgspec.Struct, frozen=True):
    """Nodes of one shape that were taken apart together.

    Attributes
    ----------
    height : int
        Greater than that of any node they refer to, back edges aside.
    shape : int
        The shape of all of them.
    refs : list of list of int
        The reference to each of them, whose number is set when all groups are known.
    columns : list of list
        By value where the shape has a width, else by node. A value is a scalar, a `Leaf`, or a reference.
    has_leaves : bool
        Whether one of the values is a `Leaf`.
    """

    height: int
    shape: int
    refs: list[list[int]]
    columns: list[list[Any]]
    has_leaves: bool


def _place(group: Group) -> tuple[int, int]:
    return group.height, group.shape


def arrange(groups: list[Group], has_width: Sequence[bool], add: Add) -> list[Run]:
    """Sort groups into runs, children first, and number their nodes.

    Parameters
    ----------
    groups : list of Group
        In the order in which they were taken apart; sorted in place.
    has_width : sequence of bool
        Whether all nodes of a shape have as many values.
    add : callable
        Takes arrays, which get numbers one after the other, and returns the first.

    Returns
    -------
    list of Run
        All nodes, children first.
    """
    groups.sort(key=_place)
    for number, ref in enumerate(chain.from_iterable([group.refs for group in groups])):
        ref[0] = number
    runs = []
    for (_, shape), found in groupby(groups, _place):
        first, *others = found
        count, columns = len(first.refs), first.columns
        if has_width[shape]:
            if others:
                parts = [first.columns, *(group.columns for group in others)]
                columns = [list(chain.from_iterable(part)) for part in zip(*parts, strict=True)]
                count = sum(map(len, (first.refs, *(group.refs for group in others))))
            if count == 1:
                stored: list[Any] = [_single(column[0], add) for column in columns]
            else:
                stored = [_column(column, add) for column in columns]
        else:
            stored = [
                _row(row, add) if group.has_leaves else row
                for group in (first, *others)
                for row in group.columns
            ]
            count = len(stored)
        runs.append(Run(shape, count, stored))
    return runs


def _row(row: list[Any], add: Add) -> list[Any]:
    return [add([value.array]) if type(value) is Leaf else value for value in row]


def _single(value: Any, add: Add) -> Any:
    """Return the column of one value."""
    kind = type(value)
    if kind is list:
        return Column(ref=value[0])
    return add([value.array]) if kind is Leaf else value


def _column(values: list[Any], add: Add) -> Any:
    """Return the values of an attribute in the shortest form."""
    first = values[0]
    kind = type(first)
    if len(set(map(type, values))) > 1:
        return _row(values, add)
    if kind is Leaf:
        return Column(first=add([value.array for value in values]))
    if kind is list:
        numbers = [value[0] for value in values]
        if numbers.count(numbers[0]) == len(numbers):
            return Column(ref=numbers[0])
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            return Column(ref=numbers[0], step=1)
        return Column(refs=numbers)
    # A comparison does not tell 0.0 from -0.0.
    if values.count(first) == len(values) and not (first == 0.0 and len(set(map(str, values))) > 1):
        return first
    return values


def spelled_out(runs: Sequence[Run]) -> list[Run]:
    """Return runs that name each reference, so that each node costs bytes.

    A reader refuses files with more nodes than bytes of schema, for columns that follow a rule could make
    any number of nodes out of nothing. Real objects come near that only if most of them are all alike.
    """
    return [
        Run(run.shape, run.count, [_spelled_out(column, run.count) for column in run.columns]) for run in runs
    ]


def _spelled_out(column: Any, count: int) -> Any:
    if isinstance(column, Column) and column.ref is not None:
        return Column(refs=[column.ref + row * column.step for row in range(count)])
    return column
