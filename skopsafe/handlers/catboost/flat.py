"""A bounded reader of FlatBuffers.

Every offset, table of fields, vector and string is checked against the buffer before it is read, as the C++
``flatbuffers::Verifier`` does. The library runs that one over the core of a model only, and not over what
lies behind it. Format: https://flatbuffers.dev/internals (FlatBuffers 24, ``verifier.h``).

Most tables of a kind have the same table of fields, or one of the same bytes, so what that says is worked out
once, as a `struct` that reads all numbers of such a table in one call.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from skopsafe.handlers.checks import require

Column = NDArray[Any]
Vector = tuple[int, int]
"""Where the items of a vector or string begin, and how many there are; two zeros where it is missing."""

LARGEST = 2**31 - 1
"""Offsets have 32 bits, and the library's own writer stops here."""

_UINT, _INT = struct.Struct("<I").unpack_from, struct.Struct("<i").unpack_from
_SHORT = struct.Struct("<H").unpack_from
_ALLOWANCE, _ROW = 16, 128
"""How many bytes may be read in all, in multiples of the buffer's length, and what a table counts for: tables
may share their parts, and what has been written once would be read many times."""
_KEPT = 64
"""How many tables of fields of a kind are kept with what they say."""
_TABLE, _STRING = "table", "text"


def refuse(what: str, where: str) -> NoReturn:
    """Raise `ValidationError`."""
    require(False, what, where)
    raise AssertionError


def holds(conditions: Column) -> bool:
    """Return whether all hold: without reductions of numpy, which take long where they are called once."""
    return b"\0" not in conditions.tobytes()


class Kind:
    """The fields of a kind of table.

    Parameters
    ----------
    text : str
        For each field its name and what it is: a number or bytes as `struct` spells them, ``table``,
        ``text``, a number: a vector of items of so many bytes, or ``x``: nothing that is read.
    defaults : int
        What a number is where it is missing, by its name; zero where it is not said.
    """

    def __init__(self, text: str, **defaults: float | None) -> None:
        fields = [field.split(":") for field in text.split()]
        self.names = [name for name, _ in fields]
        self.links: dict[int, tuple[int, int]] = {}
        self.forms = []
        missing: list[Any] = []
        for column, (name, form) in enumerate(fields):
            link = form in (_TABLE, _STRING) or form.isdigit()
            if link:
                mark = int(form == _STRING)
                self.links[column] = (int(form) if form.isdigit() else mark), mark
            self.forms.append("I" if link else form)
            missing.append((0, 0) if link and form != _TABLE else defaults.get(name, 0))
        self.missing = tuple(missing)
        self.widths = [struct.calcsize(f"<{form}") for form in self.forms]
        self.read = [column for column, form in enumerate(self.forms) if form != "x"]
        self.size = 4 + 2 * len(fields)
        self.shapes: dict[bytes, Shape] = {}

    def shape(self, fields: bytes, where: str) -> Shape:
        """Return what the bytes of a table of fields say, and keep it for the next that has the same."""
        try:
            found = Shape(self, fields)
        except ValueError as error:
            refuse(str(error), where)
        if len(self.shapes) >= _KEPT:
            self.shapes.clear()
        self.shapes[fields] = found
        return found


class Shape:
    """Tables of a kind that have the same table of fields.

    Attributes
    ----------
    length : int
        Of each table.
    read : callable
        Reads the numbers of a table.
    pick : callable
        Brings them, and what stands for missing ones, in the order of the kind.
    links : list of (int, int, int, int)
        Column, offset in the table, bytes of an item and of an end mark, of each vector, text and table.
    """

    __slots__ = ("length", "links", "pick", "read")

    def __init__(self, kind: Kind, fields: bytes) -> None:
        if len(fields) < 4 or len(fields) & 1:
            raise ValueError("a table of fields ends outside")
        size, self.length, *offsets = struct.unpack(f"<{len(fields) // 2}H", fields)
        if size & 1 or self.length < 4:
            raise ValueError("a table ends outside")
        there = [column for column in kind.read if column < len(offsets) and offsets[column]]
        found = sorted((offsets[column], column) for column in there)
        form, end = "<i", 4
        columns = [1 + len(found) + column for column in range(len(kind.names))]
        for number, (offset, column) in enumerate(found):
            width = kind.widths[column]
            if offset < end or offset + width > self.length or offset % min(width, 4):
                raise ValueError(f"{kind.names[column]} leads outside its table, or over another field")
            form += f"{offset - end}x{kind.forms[column]}"
            end = offset + width
            columns[column] = 1 + number
        self.read: Callable[[bytes, int], tuple[Any, ...]] = struct.Struct(form).unpack_from
        self.pick: Callable[[tuple[Any, ...]], tuple[Any, ...]] = itemgetter(*columns, 0)
        self.links = [
            (column, offset, *kind.links[column]) for offset, column in found if column in kind.links
        ]


class Buffer:
    """Bytes that hold a FlatBuffer, or more than one.

    Parameters
    ----------
    data : bytes
        A whole model.
    low, high : int
        Where the FlatBuffer begins and ends.
    where : str
        What stands there, for the error.
    """

    def __init__(self, data: bytes, low: int, high: int, where: str) -> None:
        self.data, self.low, self.high, self.where = data, low, high, where
        self._left = _ALLOWANCE * (high - low)

    def spend(self, size: int, where: str) -> None:
        """Count what is read."""
        self._left -= size
        if self._left < 0:
            refuse("its parts lie over one another", where)

    def root(self, kind: Kind) -> list[Any]:
        """Return the table that the FlatBuffer begins with."""
        if not 4 <= self.high - self.low <= LARGEST:
            refuse(f"{self.high - self.low} bytes are no FlatBuffer", self.where)
        return self.table(kind, self.low + _UINT(self.data, self.low)[0], self.where)

    def table(self, kind: Kind, place: int, where: str) -> list[Any]:
        """Return the fields of the table at a place, in the order of the kind."""
        return self.tables(kind, [place], where)[0]

    def rows(self, kind: Kind, vector: Vector, where: str) -> list[list[Any]]:
        """Return the tables of a vector."""
        return self.tables(kind, self.places(vector), where) if vector[1] else []

    def tables(self, kind: Kind, places: list[int], where: str) -> list[list[Any]]:
        """Return the fields of tables at places, in the order of the kind.

        Instead of its offset, a vector or text is where its items begin and how many there are, and a table
        is where it begins. Last of all is where the table of fields is, counted from the table.
        """
        data, low, high, last = self.data, self.low, self.high, self.high - 4
        missing, most, shapes = kind.missing, kind.size, kind.shapes
        self.spend(_ROW * len(places), where)
        rows = []
        for place in places:
            if place < low or place > last or (place - low) & 3:
                refuse("an offset leads outside" if place else "is missing", where)
            fields = place - _INT(data, place)[0]
            if fields < low or fields > last or (fields - low) & 1:
                refuse("a table of fields lies outside", where)
            size = _SHORT(data, fields)[0]
            # Fields of a later version are not read; and tables of fields may lie over one another.
            spelled = data[fields : fields + (size if size < most else most)]
            shape = shapes.get(spelled) or kind.shape(spelled, where)
            if fields + size > high or place + shape.length > high:
                refuse("a table ends outside", where)
            row = list(shape.pick(shape.read(data, place) + missing))
            for column, offset, width, mark in shape.links:
                target = place + offset + row[column]
                if target > last or (target - low) & 3:
                    refuse("an offset leads outside", f"{where}.{kind.names[column]}")
                if not width:
                    row[column] = target
                    continue
                count = _UINT(data, target)[0]
                end = target + 4 + count * width
                if end + mark > high:
                    refuse("a vector ends outside", f"{where}.{kind.names[column]}")
                # The library takes a text up to its end mark in places, so it must have one.
                if mark and data[end]:
                    refuse("a text has no end", f"{where}.{kind.names[column]}")
                row[column] = target + 4, count
            rows.append(row)
        return rows

    def places(self, vector: Vector) -> list[int]:
        """Return where the offsets of a vector lead."""
        start, count = vector
        offsets = struct.unpack_from(f"<{count}I", self.data, start)
        return list(map(int.__add__, range(start, start + 4 * count, 4), offsets))

    def text(self, vector: Vector, where: str) -> bytes:
        """Return a text."""
        start, count = vector
        self.spend(count, where)
        return self.data[start : start + count]

    def texts(self, vector: Vector, where: str) -> list[bytes]:
        """Return the texts of a vector."""
        found = []
        self.spend(4 * vector[1], where)
        for place in self.places(vector):
            if place > self.high - 4 or (place - self.low) & 3:
                refuse("an offset leads outside", where)
            count = _UINT(self.data, place)[0]
            if place + 4 + count >= self.high or self.data[place + 4 + count]:
                refuse("a text has no end", where)
            found.append(self.text((place + 4, count), where))
        return found

    def items(self, vector: Vector, kind: npt.DTypeLike) -> Column:
        """Return the items of a vector."""
        start, count = vector
        return np.frombuffer(self.data, kind, count, start)

    def singles(self, vectors: Sequence[Vector], form: str) -> list[Any]:
        """Return the items of the vectors that have only one."""
        read = struct.Struct(f"<{form}").unpack_from
        return [read(self.data, start)[0] for start, count in vectors if count == 1]

    def chain(self, vectors: Sequence[Vector], kind: str, where: str) -> Column:
        """Return the items of vectors, one after the other."""
        data, dtype = self.data, np.dtype(kind)
        size = dtype.itemsize
        self.spend(size * sum([count for _, count in vectors]), where)
        pieces = [data[start : start + size * count] for start, count in vectors]
        return np.frombuffer(b"".join(pieces), dtype)


def present(vector: Vector, where: str) -> Vector:
    """Return a vector that must be there."""
    if not vector[0]:
        refuse("is missing", where)
    return vector
