"""What holds for the tables of every Document that was read: they refer to each other alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skopsafe import names
from skopsafe.errors import FormatError, LimitError
from skopsafe.graph.document import (
    LONGEST_NAME,
    MOST_TYPES,
    ROLES,
    VALUE,
    WIDEST,
    Column,
    Document,
    Run,
    Shape,
    TypeRow,
)
from skopsafe.limits import DEFAULT_LIMITS, Limits


def check(document: Document, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raise unless the tables of `document` are well formed and refer only to each other.

    Raises
    ------
    FormatError
        A row is malformed or an index points outside its table.
    LimitError
        There are more nodes than `limits` allows.
    """
    types, shapes, nodes = document.types, document.shapes, document.node_count
    rows: set[tuple[str, str]] = set()
    if len(types) > MOST_TYPES:
        raise LimitError(
            f"the file names {len(types)} types, more than {MOST_TYPES}",
            path="schema.json types",
            next_step="Save its parts to files of their own.",
        )
    for index, row in enumerate(types):
        problem = _type_problem(row, rows)
        if problem is not None:
            raise _malformed(problem, f"schema.json types[{index}]")
        rows.add((row.name, row.role))
    for index, shape in enumerate(shapes):
        problem = _shape_problem(shape, types)
        if problem is not None:
            raise _malformed(problem, f"schema.json shapes[{index}]")
    if any(run.count < 1 for run in document.runs):
        raise _malformed("a run has no nodes", "schema.json runs")
    if nodes > limits.nodes:
        raise LimitError(
            f"the file has {nodes} nodes, more than the limit of {limits.nodes}",
            next_step="Pass limits=Limits(nodes=...) if you expect so many objects.",
        )
    for index, run in enumerate(document.runs):
        if not 0 <= run.shape < len(shapes):
            problem = "a run refers to no shape"
        else:
            problem = _problem(run, shapes[run.shape].width, nodes, document.bare)
        if problem is not None:
            raise _malformed(problem, f"schema.json runs[{index}]")
    cells = document.cell_count
    if max(cells, document.array_count) > document.steps:
        raise LimitError(
            f"{cells} values and {document.array_count} arrays are more than a file of this size may have",
            path="schema.json runs",
            next_step="Pass limits=Limits(work=...) if you know the file and expect so many.",
        )
    root = document.root
    if type(root) is list and not _are_references([root], nodes):
        raise _malformed("a reference points to no node", "schema.json root")


def _type_problem(row: TypeRow, before: set[tuple[str, str]]) -> str | None:
    if not names.is_name(row.name):
        return "a type's name is not of the form module:qualname"
    if row.role not in ROLES:
        return "a type's role is unknown"
    return f"{row.name} stands twice in the type table" if (row.name, row.role) in before else None


def _shape_problem(shape: Shape, types: Sequence[TypeRow]) -> str | None:
    form = shape.form
    if not 0 <= shape.type < len(types):
        return "a shape refers to no type"
    if type(form) is tuple and len(set(form)) != len(form):
        return "a shape names an attribute twice"
    if type(form) is tuple and max(map(len, form), default=0) > LONGEST_NAME:
        return f"the name of an attribute has more than {LONGEST_NAME} letters"
    if type(form) is int and not 0 < form <= WIDEST:
        return "a shape has an impossible number of values"
    if types[shape.type].role == VALUE and form != ():
        return "a name used as a value has attributes"
    return None


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
    if (row.ref, row.step, row.refs, row.first, row.floats) != (None, 0, None, None, None):
        return False
    for column in columns:
        if isinstance(column, Column):
            # References alone, and not one to the same node for all: a row may not grow out of nothing.
            if (column.refs is None and column.step != 1) or not _is_rule(column, count, nodes):
                return False
        elif len(column) != count:
            return False
        elif list not in set(map(type, column)):
            bare.add(id(column))
        elif not _are_references(column, nodes):
            return False
    return True


def _is_rule(column: Column, count: int, nodes: int) -> bool:
    """Tell whether a column of so many rows has one of the fields, and that within its bounds."""
    ref, step, refs, first, floats = column.ref, column.step, column.refs, column.first, column.floats
    if column.columns is not None or column.count or (ref, refs, first, floats).count(None) != 3:
        return False
    if ref is not None:
        return step in (0, 1) and 0 <= ref <= ref + step * (count - 1) < nodes
    if step:
        return False
    if refs is not None:
        return len(refs) == count and 0 <= min(refs) <= max(refs) < nodes
    return 0 <= (floats if first is None else first) < 2**53  # type: ignore[operator]


def _are_references(values: Sequence[Any], nodes: int) -> bool:
    """Tell whether all lists among `values` are references to nodes that there are."""
    return all(len(value) == 1 and 0 <= value[0] < nodes for value in values if type(value) is list)


def _malformed(reason: str, path: str) -> FormatError:
    return FormatError(
        reason, path=path, next_step="The file is damaged or crafted; get it again from its author."
    )
