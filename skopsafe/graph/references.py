"""The references of a Document, column by column: a file can have many more of them than bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from skopsafe.graph.document import Column, Document, Run


class References(NamedTuple):
    """References of one column.

    Attributes
    ----------
    run : Run
        Where the column is.
    place : int
        Which value of its nodes it is; -1 where nodes have rows of their own.
    owners, numbers : sequence of int
        The nodes that hold the references, and those to which they lead: as many, or one of either side for
        all of the other.
    """

    run: Run
    place: int
    owners: Sequence[int]
    numbers: Sequence[int]


def references(document: Document) -> Iterator[References]:
    """Go through all references of a checked Document, in the order of the nodes' runs."""
    bare = document.bare
    for run, start in zip(document.runs, document.starts, strict=False):
        if document.shapes[run.shape].form is not None:
            owners = range(start, start + run.count)
            for place, column in enumerate(run.columns):
                found = _of(column, owners, bare)
                if found is not None:
                    yield References(run, place, *found)
            continue
        for owner, row in enumerate(run.columns, start):
            if isinstance(row, Column):
                parts: Sequence[Any] = row.columns or ()
                count = row.count
            else:
                parts, count = (row,), len(row)  # type: ignore[arg-type]
            for column in parts:
                found = _of(column, range(count), bare)
                if found is not None:
                    yield References(run, -1, (owner,), found[1])


def _of(column: Any, owners: range, bare: set[int]) -> tuple[Sequence[int], Sequence[int]] | None:
    """Return the rows of a column that have references, and the references."""
    if isinstance(column, list):
        if id(column) in bare:
            return None
        rows = [row for row, value in enumerate(column) if type(value) is list]
        return ([owners[row] for row in rows], [column[row][0] for row in rows]) if rows else None
    if not isinstance(column, Column):
        return None
    if column.refs is not None:
        return owners, column.refs
    if column.ref is None:
        return None
    return owners, range(column.ref, column.ref + (len(owners) if column.step else 1))
