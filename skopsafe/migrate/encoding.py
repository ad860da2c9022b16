"""A graph back to a Document: children first, nodes of one shape side by side stored by column."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from skopsafe.graph.check import check
from skopsafe.graph.document import FLOAT, VALUE, WIDEST, Column, Document, Run, Shape, TypeRow, Unread, Value
from skopsafe.limits import DEFAULT_LIMITS
from skopsafe.migrate.arrays import Arrays
from skopsafe.migrate.nodes import Graph, NewArray, Node

_LONG = 32
"""Items of one node that are worth columns of their own."""


def encoded(graph: Graph) -> Document:
    """Return the Document of a graph. What its root does not lead to is left out.

    Raises
    ------
    FormatError
        It has become larger than a Document may be.
    """
    made = _Encoder(graph)
    document = graph.document
    arrays = made.arrays
    root: Value = [made.numbers[id(graph.root)]] if isinstance(graph.root, Node) else graph.root
    out = Document(
        types=made.types,
        shapes=made.shapes,
        runs=made.runs,
        array_count=arrays.count,
        root=root,
        writer=document.writer,
        arrays=arrays.read if arrays.has_new else document.arrays,
        steps=document.steps,
        extent=document.extent,
    )
    # Migrations add some attributes and nodes for each object that there is: a few times as many at most.
    check(out, dataclasses.replace(DEFAULT_LIMITS, nodes=max(out.node_count, DEFAULT_LIMITS.nodes)))
    return out


def in_order(graph: Graph) -> list[Node]:
    """Return the nodes that the root leads to: children first, and otherwise in the order of the file.

    A reference that led ahead in the file, as it does in a cycle, still does.
    """
    seen: set[int] = set()
    stack: list[Node] = [graph.root] if isinstance(graph.root, Node) else []
    reached: list[Node] = []
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        reached.append(node)
        stack += [value for value in node.values() if type(value) is Node]
    reached.sort(key=lambda node: node.place if node.place >= 0 else len(graph.nodes))
    out: list[Node] = []
    placed: set[int] = set()
    opened: set[int] = set()
    for first in reached:
        stack = [first]
        while stack:
            node = stack[-1]
            if id(node) in placed:
                stack.pop()
                continue
            missing: list[Node] = []
            if id(node) not in opened:
                opened.add(id(node))
                missing = [
                    child for child in node.values() if type(child) is Node and id(child) not in opened
                ]
                missing = [child for child in missing if (node.place, child.place) not in graph.ahead]
            if missing:
                stack += reversed(missing)
                continue
            placed.add(id(node))
            out.append(node)
            stack.pop()
    return out


class _Encoder:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.arrays = Arrays(graph.document)
        self.types: list[TypeRow] = []
        self.shapes: list[Shape] = []
        self.runs: list[Run] = []
        self._types: dict[tuple[str, str], int] = {}
        self._shapes: dict[tuple[int, Any], int] = {}
        nodes = in_order(graph)
        self.numbers = {id(node): number for number, node in enumerate(nodes)}
        present: list[Node] = []
        key: Any = None
        for number, node in enumerate(nodes):
            found = self._key(node)
            if present and (found != key or self._refers_into(node, number - len(present), number)):
                self._close(key[0], present)
                present = []
            key = found
            present.append(node)
        if present:
            self._close(key[0], present)

    def _key(self, node: Node) -> tuple[Any, ...]:
        """Return the shape of a node, and which of its values are floats of an array: these are columns."""
        row = (node.type, node.role)
        if row not in self._types:
            self._types[row] = len(self.types)
            self.types.append(TypeRow(*row))
        form: Any = None
        if node.has_names or node.role == VALUE:
            form = tuple(node.attributes)
        elif node.width is not None and node.width == len(node.items) and 0 < node.width <= WIDEST:
            form = node.width
        shape = (self._types[row], form)
        if shape not in self._shapes:
            self._shapes[shape] = len(self.shapes)
            self.shapes.append(Shape(*shape))
        if not self._graph.floats or form is None:
            return (self._shapes[shape],)
        return (self._shapes[shape], *(type(value) is Unread for value in node.values()))

    def _refers_into(self, node: Node, start: int, end: int) -> bool:
        """Tell whether a node refers to one of those from `start` on, which have to be built before it."""
        numbers = self.numbers
        return any(start <= numbers[id(value)] < end for value in node.values() if type(value) is Node)

    def _close(self, shape: int, nodes: list[Node]) -> None:
        if self.shapes[shape].form is None:
            self.runs.append(Run(shape, len(nodes), [self._row(node) for node in nodes]))
            return
        columns = zip(*[node.values() for node in nodes], strict=True)
        stored = [self._column(column) for column in columns]
        self.runs.append(Run(shape, len(nodes), stored))

    def _row(self, node: Node) -> Any:
        items, stride = node.items, node.stride
        if stride not in (1, 2) or len(items) < _LONG or len(items) % stride:
            return self._cells(items)
        cells = [self._cells(items[place::stride]) for place in range(stride)]
        columns = [self._references(column) for column in cells]
        return Column(count=len(items) // stride, columns=columns)

    def _references(self, cells: list[Any]) -> Any:
        if set(map(type, cells)) == {list}:
            return Column(refs=[cell[0] for cell in cells])
        return cells

    def _cells(self, values: Sequence[Any]) -> list[Any]:
        kinds = set(map(type, values))
        if kinds.isdisjoint((Node, NewArray)):
            return list(values)
        numbers = self.numbers
        return [
            [numbers[id(value)]]
            if type(value) is Node
            else self.arrays.number(value)
            if type(value) is NewArray
            else value
            for value in values
        ]

    def _column(self, values: tuple[Any, ...]) -> Any:
        """Return the values of an attribute in the shortest form."""
        kinds = set(map(type, values))
        if kinds == {Node}:
            return _references([self.numbers[id(value)] for value in values])
        if kinds == {Unread}:
            return Column(floats=self._floats(values))
        cells = self._cells(values)
        if Node in kinds:
            return cells
        kinds = set(map(type, cells))
        if (
            kinds == {int}
            and len(cells) > 1
            and cells[0] >= 0
            and cells == list(range(cells[0], cells[0] + len(cells)))
        ):
            return Column(first=cells[0])
        if len(kinds) == 1 and all(cell == cells[0] for cell in cells) and len(set(map(repr, cells))) == 1:
            return cells[0]
        return cells

    def _floats(self, values: tuple[Any, ...]) -> int:
        """Return the array of a column of floats: that of the file, or one of the items that are left."""
        places = [value.place for value in values]
        array = places[0][0]
        if places == [(array, item) for item in range(self._graph.floats[array])]:
            return array  # type: ignore[no-any-return]
        sources = tuple(dict.fromkeys(array for array, _ in places))
        order = {array: number for number, array in enumerate(sources)}

        def gather(*arrays: Any) -> Any:
            return np.array([arrays[order[array]][item] for array, item in places], FLOAT)

        return self.arrays.number(NewArray(gather, sources))


def _references(numbers: list[int]) -> Column:
    first = numbers[0]
    if len(numbers) == 1 or numbers.count(first) == len(numbers):
        return Column(ref=first)
    if numbers == list(range(first, first + len(numbers))):
        return Column(ref=first, step=1)
    return Column(refs=numbers)
