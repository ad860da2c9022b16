"""The records of a Document.

See ``docs/format.md`` for how a Document is spelled as JSON.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

PROTOCOL = 1

CLASS = "class"
"""Role: instances of this class are built."""
VALUE = "value"
"""Role: the function or class itself is a value in the graph."""
CALL = "call"
"""Role: loading calls this, as an object's ``__reduce__`` asked for."""
ROLES = (CLASS, VALUE, CALL)

WIDEST = 1024
"""Values of a node without names that can be stored by column."""

MOST_TYPES = 10_000
"""Rows of the type table: each is looked up in many tables, and explained."""

LONGEST_NAME = 1000
"""Letters of the name of a value; what stands in messages is no longer."""

FLOAT = np.dtype("<f8")
"""Of a column of floats."""

Scalar = None | bool | int | float | str
Value = Scalar | list[int]
"""A JSON scalar, or a reference to a node: a list with the node's number."""


class Column(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The values of one attribute over a run, where they follow a rule. Exactly one field is set.

    Attributes
    ----------
    ref : int or None
        All rows refer to this node; with `step` 1, each row to the node after that of the row before.
    step : int
        0 or 1; goes with `ref`.
    refs : list of int or None
        One reference for each row.
    first : int or None
        The integers ``first``, ``first + 1``, ...
    floats : int or None
        The array whose items, float64, are the values.
    columns : list of (list or Column) or None
        For the values of one node that has many: the items of these take turns.
    count : int
        How many items each of `columns` has.
    """

    ref: int | None = None
    step: int = 0
    refs: list[int] | None = None
    first: int | None = None
    floats: int | None = None
    columns: list[list[Scalar | list[int]] | Column] | None = None
    count: int = 0


Values = Scalar | list[Scalar | list[int]] | Column


class Unread(float):
    """A float in an array that is not read before loading. As a number it is NaN; as text, its place."""

    __slots__ = ("place",)

    def __new__(cls, array: int, item: int) -> Unread:
        """Stand for an item of an array."""
        made = super().__new__(cls, "nan")
        made.place = (array, item)
        return made

    place: tuple[int, int]

    def __str__(self) -> str:
        array, item = self.place
        return f"(item {item} of array {array})"

    __repr__ = __str__


class Run(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Nodes of one shape, stored by attribute.

    Attributes
    ----------
    shape : int
        Which shape all of them have.
    count : int
        How many they are.
    columns : list
        Where all nodes of the shape have as many values, one entry for each of these: a scalar that all rows
        share, a list with one value for each row, or a `Column`. Otherwise one list of values for each row.
    """

    shape: int
    count: int
    columns: list[Values]


class TypeRow(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One importable name that the file can lead to, and what for."""

    name: str
    role: str


class Shape(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """A type, and what its nodes have for values.

    Attributes
    ----------
    type : int
        Which row of the type table.
    form : tuple of str, int or None
        The names of the values; how many there are, where they have no names; None where each node may have
        another number of them.
    """

    type: int
    form: tuple[str, ...] | int | None

    @property
    def attributes(self) -> tuple[str, ...] | None:
        """The names of the values; None where they have none."""
        form = self.form
        return form if type(form) is tuple else None

    @property
    def width(self) -> int | None:
        """How many values each node has; None where that differs."""
        form = self.form
        return len(form) if type(form) is tuple else form  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Document:
    """An object graph at rest.

    Attributes
    ----------
    types : sequence of TypeRow
        Every name that loading can import, once. The audit is this table.
    shapes : sequence of Shape
        Every distinct (type, attribute names).
    runs : sequence of Run
        All nodes, children first. A node's number is its place in them, counted from 0.
    array_count : int
        How many arrays there are.
    root : Value
        The object that was saved.
    writer : dict of str to str
        Versions of skopsafe, Python and the libraries at writing.
    arrays : callable
        ``arrays(numbers)`` reads arrays, each of which can be had once, in groups that lie side by side:
        all their items as one array, or None where there are gaps between them, and each of them.
    steps : float
        How much work it may make to look at or to build what is used at many places, at each of them.
    extent : callable
        ``extent(number)`` gives the shape that an array will have, without reading it; None if nobody knows.
    starts : list of int
        The number of the first node of each run.
    bare : set of int
        Identities of the lists of values in `runs` that `check` found to hold no reference.
    """

    types: Sequence[TypeRow]
    shapes: Sequence[Shape]
    runs: Sequence[Run]
    array_count: int
    root: Value
    writer: dict[str, str]
    arrays: Callable[[Sequence[int]], Iterator[tuple[NDArray[np.generic] | None, list[NDArray[np.generic]]]]]
    steps: float = math.inf
    extent: Callable[[int], tuple[int, ...] | None] = lambda _: None
    starts: list[int] = field(init=False)
    bare: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        starts = list(accumulate((run.count for run in self.runs), initial=0))
        object.__setattr__(self, "starts", starts)

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return self.starts[-1]

    @property
    def cell_count(self) -> int:
        """How many values all nodes have; those that have names count twice, for objects have them too."""
        return sum(map(self._cells, self.runs))

    def _cells(self, run: Run) -> int:
        form = self.shapes[run.shape].form
        if form is None:
            return sum([_length(row) for row in run.columns])
        return run.count * (form if isinstance(form, int) else 2 * len(form))

    def shape_of(self, number: int) -> int:
        """Return the shape of node `number`."""
        return self.runs[bisect_right(self.starts, number) - 1].shape

    def type_of(self, number: int) -> TypeRow:
        """Return the type of node `number`."""
        return self.types[self.shapes[self.shape_of(number)].type]

    def value(self, number: int, place: int) -> Value:
        """Return one value of node `number`, whose values have names."""
        index = bisect_right(self.starts, number) - 1
        return at(self.runs[index].columns[place], number - self.starts[index])

    def node(self, number: int) -> list[Any]:
        """Return node `number` as ``[shape, value, ...]``."""
        place = bisect_right(self.starts, number) - 1
        run, row = self.runs[place], number - self.starts[place]
        if self.shapes[run.shape].form is None:
            return [run.shape, *_values(run.columns[row])]
        return [run.shape, *(at(column, row) for column in run.columns)]

    def each(self) -> Iterator[list[Any]]:
        """Go through all nodes in order, each as `node` returns it."""
        for run in self.runs:
            if self.shapes[run.shape].form is None:
                for row in run.columns:
                    yield [run.shape, *_values(row)]
            else:
                for number in range(run.count):
                    yield [run.shape, *(at(column, number) for column in run.columns)]


def _length(row: Values) -> int:
    """Return how many values a node has that has a row of its own."""
    if isinstance(row, Column):
        return row.count * len(row.columns or ())
    assert isinstance(row, list)
    return len(row)


def _values(row: Values) -> list[Any]:
    """Return the values of a node that has a row of its own."""
    if isinstance(row, Column):
        return [at(column, place) for place in range(row.count) for column in row.columns or ()]
    assert isinstance(row, list)
    return row


def at(column: Values, row: int) -> Value:
    """Return the value that a column has in a row."""
    if isinstance(column, list):
        return column[row]
    if not isinstance(column, Column):
        return column
    if column.refs is not None:
        return [column.refs[row]]
    if column.ref is not None:
        return [column.ref + row * column.step]
    if column.floats is not None:
        return Unread(column.floats, row)
    return (column.first or 0) + row
