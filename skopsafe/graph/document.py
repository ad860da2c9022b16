"""The records of a Document and the invariants that every reader of one may rely on.

See ``docs/format.md`` for how a Document is spelled as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

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

Scalar = None | bool | int | float | str
Value = Scalar | list[int]
"""A JSON scalar, or a reference to a node: a list with the node's index."""


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One importable name that the file can lead to, and what for."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A type with the ordered names of its values; None where they have no names."""

    type: int
    attributes: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Document:
    """An object graph at rest.

    Attributes
    ----------
    types : sequence of TypeRow
        Every name that loading can import, once. The audit is this table.
    shapes : sequence of Shape
        Every distinct (type, attribute names).
    nodes : sequence of list
        ``[shape, value, ...]``, children first.
    arrays : sequence
        What `array` can be asked for; opaque here.
    root : Value
        The object that was saved.
    writer : dict of str to str
        Versions of skopsafe, Python and the libraries at writing.
    array : callable
        ``array(i)`` reads array ``i``.
    """

    types: Sequence[TypeRow]
    shapes: Sequence[Shape]
    nodes: Sequence[list[Any]]
    array_count: int
    root: Value
    writer: dict[str, str]
    array: Callable[[int], NDArray[np.generic]]


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
        if shape.attributes is not None and len(set(shape.attributes)) != len(shape.attributes):
            raise _malformed("a shape names an attribute twice", where)
        if document.types[shape.type].role == VALUE and shape.attributes != ():
            raise _malformed("a name used as a value has attributes", where)
    if len(document.nodes) > limits.nodes:
        raise LimitError(
            f"the file has {len(document.nodes)} nodes, more than the limit of {limits.nodes}",
            next_step="Pass limits=Limits(nodes=...) if you expect so many objects.",
        )
    _check_nodes(document)


def _check_nodes(document: Document) -> None:
    count = len(document.nodes)
    lengths = [None if s.attributes is None else len(s.attributes) + 1 for s in document.shapes]
    for index, node in enumerate(document.nodes):
        if not node or type(node[0]) is not int or not 0 <= node[0] < len(lengths):
            raise _malformed("a node refers to no shape", f"schema.json nodes[{index}]")
        expected = lengths[node[0]]
        if expected is not None and len(node) != expected:
            raise _malformed("a node has not as many values as its shape", f"schema.json nodes[{index}]")
        for value in node:
            if type(value) is list and (len(value) != 1 or not 0 <= value[0] < count):
                raise _malformed("a reference points to no node", f"schema.json nodes[{index}]")
    if isinstance(document.root, list) and not (len(document.root) == 1 and 0 <= document.root[0] < count):
        raise _malformed("the root refers to no node", "schema.json root")


def _malformed(reason: str, path: str) -> FormatError:
    return FormatError(
        reason, path=path, next_step="The file is damaged or crafted; get it again from its author."
    )
