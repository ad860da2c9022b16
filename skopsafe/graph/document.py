"""The records of a Document and the invariants that every reader of one may rely on.

See ``docs/format.md`` for how a Document is spelled as JSON.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from skopsafe import names
from skopsafe.errors import FormatError, LimitError
from skopsafe.limits import DEFAULT_LIMITS, Limits

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
    columns : list of (list or Column) or None
        For the values of one node that has many: the items of these take turns.
    count : int
        How many items each of `columns` has.
    """

    ref: int | None = None
    step: int = 0
    refs: list[int] | None = None
    first: int | None = None
    columns: list[list[Scalar | list[int]] | Column] | None = None
    count: int = 0


Values = Scalar | list[Scalar | list[int]] | Column


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
    starts: list[int] = field(init=False)
    bare: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        starts = list(accumulate((run.count for run in self.runs), initial=0))
        object.__setattr__(self, "starts", starts)

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return self.starts[-1]

    def shape_of(self, number: int) -> int:
        """Return the shape of node `number`."""
        return self.runs[bisect_right(self.starts, number) - 1].shape

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
    return (column.first or 0) + row


def check(document: Document, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raise unless the tables of `document` are well formed and refer only to each other.

    Raises
    ------
    FormatError
        A row is malformed or an index points outside its table.
    LimitError
        There are more nodes than `limits` allows.
    """
    rows = set()
    for index, row in enumerate(document.types):
        where = f"schema.json types[{index}]"
        if not names.is_name(row.name):
            raise _malformed("a type's name is not of the form module:qualname", where)
        if row.role not in ROLES:
            raise _malformed("a type's role is unknown", where)
        if (row.name, row.role) in rows:
            raise _malformed(f"{row.name} stands twice in the type table", where)
        rows.add((row.name, row.role))
    for index, shape in enumerate(document.shapes):
        where = f"schema.json shapes[{index}]"
        if not 0 <= shape.type < len(document.types):
            raise _malformed("a shape refers to no type", where)
        form = shape.form
        if type(form) is tuple and len(set(form)) != len(form):
            raise _malformed("a shape names an attribute twice", where)
        if type(form) is int and not 0 < form <= WIDEST:
            raise _malformed("a shape has an impossible number of values", where)
        if document.types[shape.type].role == VALUE and form != ():
            raise _malformed("a name used as a value has attributes", where)
    if any(run.count < 1 for run in document.runs):
        raise _malformed("a run has no nodes", "schema.json runs")
    if document.node_count > limits.nodes:
        raise LimitError(
            f"the file has {document.node_count} nodes, more than the limit of {limits.nodes}",
            next_step="Pass limits=Limits(nodes=...) if you expect so many objects.",
        )
    for index, run in enumerate(document.runs):
        if not 0 <= run.shape < len(document.shapes):
            raise _malformed("a run refers to no shape", f"schema.json runs[{index}]")
        width = document.shapes[run.shape].width
        problem = _problem(run, width, document.node_count, document.bare)
        if problem is not None:
            raise _malformed(problem, f"schema.json runs[{index}]")
    root = document.root
    if type(root) is list and not _are_references([root], document.node_count):
        raise _malformed("a reference points to no node", "schema.json root")


def _problem(run: Run, width: int | None, nodes: int, bare: set[int]) -> str | None:
    """Return what is wrong with a run, or None; note the lists without references."""
    count = run.count
    if len(run.columns) != (count if width is None else width):
        return "a run has not one row for each node, or one column for each value of its shape"
    for column in run.columns:
        kind = type(column)
        if kind is list:
            values: list[Any] = column  # type: ignore[assignment]
            if width is not None and len(values) != count:
                return "a column has not one value for each node"
            if list not in set(map(type, values)):
                bare.add(id(values))
            elif not _are_references(values, nodes):
                return "a reference points to no node"
        elif width is None:
            if kind is not Column or not _is_row(column, nodes, bare):  # type: ignore[arg-type]
                return "a row follows no rule that there is, or points to no node"
        elif kind is Column and not _is_rule(column, count, nodes):  # type: ignore[arg-type]
            return "a column follows no rule that there is, or points to no node"
    return None


def _is_row(row: Column, nodes: int, bare: set[int]) -> bool:
    """Tell whether the values of one node are columns that cost as much as they make."""
    columns, count = row.columns, row.count
    if columns is None or not 0 < len(columns) <= 2 or count < 1:
        return False
    if (row.ref, row.step, row.refs, row.first) != (None, 0, None, None):
        return False
    for column in columns:
        if isinstance(column, Column):
            # No scalar, and no reference to one node, for all rows: a row may not grow out of nothing.
            if column.first is not None or column.step != (column.ref is not None):
                return False
            if not _is_rule(column, count, nodes):
                return False
        elif len(column) != count:
            return False
        elif list not in set(map(type, column)):
            bare.add(id(column))
        elif not _are_references(column, nodes):
            return False
    return True


def _is_rule(column: Column, count: int, nodes: int) -> bool:
    ref, step, refs, first = column.ref, column.step, column.refs, column.first
    if column.columns is not None or column.count:
        return False
    if ref is not None:
        return (
            refs is None and first is None and step in (0, 1) and 0 <= ref <= ref + step * (count - 1) < nodes
        )
    if step:
        return False
    if refs is not None:
        return first is None and len(refs) == count and 0 <= min(refs) <= max(refs) < nodes
    return first is not None and 0 <= first < 2**53


def _are_references(values: Sequence[Any], nodes: int) -> bool:
    """Tell whether all lists among `values` are references to nodes that there are."""
    return all(len(value) == 1 and 0 <= value[0] < nodes for value in values if type(value) is list)


def _malformed(reason: str, path: str) -> FormatError:
    return FormatError(
        reason, path=path, next_step="The file is damaged or crafted; get it again from its author."
    )
