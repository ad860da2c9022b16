"""The way through: which records concern a Document, and it as the installed release would write it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from skopsafe.errors import FormatError, MigrationError, SkopsafeError, shown
from skopsafe.graph.document import Document
from skopsafe.migrate import (
    sklearn_1_3,
    sklearn_1_4,
    sklearn_1_5,
    sklearn_1_6,
    sklearn_1_7,
    sklearn_1_8,
    sklearn_1_9,
    xgboost_,
)
from skopsafe.migrate.encoding import encoded
from skopsafe.migrate.nodes import Graph, Node
from skopsafe.migrate.records import Migration, Record, Refusal
from skopsafe.migrate.releases import Release, before

RECORDS: tuple[Record, ...] = (
    *sklearn_1_3.RECORDS,
    *sklearn_1_4.RECORDS,
    *sklearn_1_5.RECORDS,
    *sklearn_1_6.RECORDS,
    *sklearn_1_7.RECORDS,
    *sklearn_1_8.RECORDS,
    *sklearn_1_9.RECORDS,
)
"""All changes of scikit-learn that are known, in the order of their releases."""

OTHERS: dict[str, tuple[Record, ...]] = {"xgboost": xgboost_.RECORDS}
"""Those of other libraries, by the distribution, which is the top-level module too."""

_MISTAKEN = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Applied(NamedTuple):
    """A migration, and how many objects of a file it changed."""

    migration: Migration
    objects: int


def migrated(
    document: Document, written: Release, installed: Release, records: Sequence[Record] = RECORDS
) -> tuple[Document, tuple[Applied, ...]]:
    """Return a Document as `installed` would have written it, and the migrations that made it so.

    Parameters
    ----------
    document : Document
        What a file of `written` holds. Nobody has approved it: it may be anything.
    written, installed : Release
        Of the library.
    records : sequence of Record
        What changed in it, in the order of releases.

    Raises
    ------
    MigrationError
        Outputs would be others than those of the release that wrote it.
    """
    known = _between(records, written, installed)
    names = {row.name for row in document.types}
    if all(names.isdisjoint(record.types) for record in known):
        return document, ()
    graph = Graph(document)
    applied: list[Applied] = []
    for _, together in groupby(known, lambda record: record.release):
        nodes = graph.by_type()
        for record in together:
            found = [node for name in record.types for node in nodes.get(name, ())]
            if not found:
                continue
            if isinstance(record, Refusal):
                _refuse(record, found)
            elif count := sum(_applied(record, node) for node in found):
                applied.append(Applied(record, count))
    return (encoded(graph), tuple(applied)) if applied else (document, ())


def _between(records: Sequence[Record], written: Release, installed: Release) -> list[Record]:
    """Return the changes that came after one release, and that another has."""
    return [
        record
        for record in records
        if before(written, record.release) and not before(installed, record.release)
    ]


def _applied(record: Migration, node: Node) -> bool:
    with _understood(record, node):
        return record.apply(node)


def _refuse(record: Refusal, nodes: list[Node]) -> None:
    for node in nodes:
        with _understood(record, node):
            applies = record.applies(node)
        if applies:
            raise MigrationError(
                f"{record.library} {record.release} changed what the file holds: {record.reason}",
                path=f"schema.json nodes[{node.place}], {node.type}",
                next_step=f"Load it with {record.library} {record.last}, the last that gives its outputs, or "
                f"train again. See {record.link}",
            )


@contextlib.contextmanager
def _understood(record: Record, node: Node) -> Iterator[None]:
    """Raise a FormatError where an object is not at all as its release writes it."""
    try:
        yield
    except SkopsafeError:
        raise
    except _MISTAKEN as error:
        raise FormatError(
            f"an object of {node.type} is not as a release before {record.release} writes it ({error})",
            path=f"schema.json nodes[{node.place}]",
            next_step="The file is damaged or crafted; do not load it.",
        ) from shown(error)
