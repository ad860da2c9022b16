"""Nodes to runs: same-shaped nodes of one height stored by attribute.

A node's height is the longest way down to a node without children, back edges aside. Sorted by height,
children still come first, and the thousand trees of a forest stand side by side: what they have in
common is stored once, and their arrays lie one behind the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from skopsafe.graph.document import Column, Run
from skopsafe.graph.parts import Leaf

Add = Callable[[Any], int]


def group(
    nodes: Sequence[list[Any]],
    heights: Sequence[int],
    refs: Sequence[list[int]],
    is_named: Sequence[bool],
    add: Add,
) -> list[Run]:
    """Sort nodes into runs.

    Parameters
    ----------
    nodes : sequence of list
        ``[shape, value, ...]``; a value is a scalar, a `Leaf`, or one of `refs`.
    heights : sequence of int
        The height of each node.
    refs : sequence of list
        The reference to each node, whose number is set here.
    is_named : sequence of bool
        Whether a shape names its attributes.
    add : callable
        Takes the array of a `Leaf` and returns its number.

    Returns
    -------
    list of Run
        All nodes, children first.
    """
    shapes = len(is_named)
    keys = [height * shapes + node[0] for height, node in zip(heights, nodes, strict=True)]
    order = sorted(range(len(nodes)), key=keys.__getitem__)
    for number, index in enumerate(order):
        refs[index][0] = number
    runs = []
    start = 0
    while start < len(order):
        key, end = keys[order[start]], start + 1
        while end < len(order) and keys[order[end]] == key:
            end += 1
        members = [nodes[index] for index in order[start:end]]
        shape = members[0][0]
        if is_named[shape]:
            columns = [_column(values, add) for values in zip(*members, strict=True)][1:]
        else:
            columns = [_row(node, add) for node in members]
        runs.append(Run(shape, end - start, columns))
        start = end
    return runs


def _row(node: list[Any], add: Add) -> list[Any]:
    if Leaf in set(map(type, node)):
        return [add(value.array) if type(value) is Leaf else value for value in node[1:]]
    return node[1:]


def _column(values: tuple[Any, ...], add: Add) -> Any:
    """Return the values of an attribute in the shortest form."""
    first = values[0]
    kind = type(first)
    if len(values) > 1 and len(set(map(type, values))) > 1:
        return [add(value.array) if type(value) is Leaf else value for value in values]
    if kind is Leaf:
        numbers = [add(value.array) for value in values]
        return numbers[0] if len(numbers) == 1 else Column(first=numbers[0])
    if kind is list:
        numbers = [value[0] for value in values]
        if numbers.count(numbers[0]) == len(numbers):
            return Column(ref=numbers[0])
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
            return Column(ref=numbers[0], step=1)
        return Column(refs=numbers)
    if values.count(first) == len(values) and not (first == 0.0 and len(set(map(str, values))) > 1):
        return first
    return list(values)


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
