"""Files of skops to Documents: read without skops, understood by rules, and put into tables as any object is.

Nothing that the file names is imported. What comes out is audited, approved, validated and built like a file
of skopsafe.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import BinaryIO

from skopsafe.archive.container import Reader
from skopsafe.archive.held import Holder
from skopsafe.conversion.known import OF_SKOPS
from skopsafe.conversion.objects import Maker
from skopsafe.conversion.stands import StandTaker
from skopsafe.errors import SkopsafeError, UnsupportedTypeError
from skopsafe.foreign.skops import schema
from skopsafe.foreign.skops.members import Members
from skopsafe.foreign.skops.tree import Tree
from skopsafe.graph.check import check
from skopsafe.graph.document import Document, Value
from skopsafe.handlers.registry import default
from skopsafe.limits import Limits
from skopsafe.save import Saver
from skopsafe.trust.tables import Tables

_VERBOSE = 8
"""How many times as many bytes as in a pickle, at least, a file of skops has for the same object."""
_COPIES, _MORE = 4, 2**20
"""How many bytes all arrays may have, for each that was read, and how many more."""
_NEXT = "Load it with skops.io where you trust it, and save the object with skopsafe.dump."


@dataclass(frozen=True, slots=True)
class Found:
    """What a file of skops holds.

    Attributes
    ----------
    saver : Saver
        Its tables.
    root : Value
        The object that was saved.
    versions : dict of str to str
        Of skops, and of libraries as states tell them.
    document : Document
        The same, to look at and to build.
    """

    saver: Saver
    root: Value
    versions: dict[str, str]
    document: Document


class _Size:
    """Says how much there is to read, by which work is bounded; the records have no bytes to read."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, offset: int, size: int) -> bytes:
        raise AssertionError(offset, size)


def read(stream: BinaryIO, limits: Limits, tables: Tables, *, whole: bool) -> Found:
    """Read a file of skops.

    Parameters
    ----------
    stream : binary file object
        The file.
    limits : Limits
        Upper bounds.
    tables : Tables
        Reviewed names.
    whole : bool
        Whether all arrays are read; else zeros stand for the large ones, unless what an object is depends on
        them.

    Raises
    ------
    FormatError
        The file is damaged, or contradicts itself.
    LimitError
        It asks for more than the limits allow.
    UnsupportedTypeError
        Something in it is not understood, and could not be approved either.
    """
    if not whole:
        with contextlib.suppress(SkopsafeError):
            return _read(stream, limits, tables, whole=False)
    return _read(stream, limits, tables, whole=True)


def _read(stream: BinaryIO, limits: Limits, tables: Tables, *, whole: bool) -> Found:
    reader = Reader(stream, limits)
    found = schema.read(reader, limits)
    members = Members(reader, limits, whole=whole)
    tree = Tree(found.root, members, limits)
    registry = default()  # without plugins: a name of the file would choose what is imported
    size = (found.size + members.size) // _VERBOSE
    maker = Maker(_Size(size), OF_SKOPS, registry, tables)
    arrays = Holder(_COPIES * (found.size + members.size) + _MORE)
    saver = Saver(registry, StandTaker, arrays)
    try:
        root = saver.save(maker.make(tree.root))
    except UnsupportedTypeError as error:
        raise _placed(error, tree) from error
    versions = {"skops": found.version} | maker.versions
    document = Document(
        types=saver.types,
        shapes=saver.shapes,
        runs=saver.runs,
        array_count=arrays.count,
        root=root,
        writer=versions,
        arrays=arrays.joined,
        steps=limits.steps(reader.length + found.size),
        extent=arrays.extent,
    )
    check(document, limits)
    return Found(saver, root, versions, document)


def _placed(error: UnsupportedTypeError, tree: Tree) -> UnsupportedTypeError:
    """Return an error with the place in the file of skops in place of that in a pickle."""
    kind, _, number = error.path.partition(" ")
    path = tree.path(int(number)) if kind == "byte" and number.isdigit() else error.path
    reason = re.sub(r"\bpickle\b", "file", re.sub(r"\bpickled\b", "saved", error.reason))
    return UnsupportedTypeError(reason, path=path, next_step=_NEXT)
