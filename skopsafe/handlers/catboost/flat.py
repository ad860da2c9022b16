"""A bounded reader of FlatBuffers: one table by plain numbers, many tables of one kind as columns.

Every offset, table of fields, vector and string is checked against the buffer before it is read, as the C++
``flatbuffers::Verifier`` does. The library runs that one over the core of a model only, and not over what
lies behind it. Format: https://flatbuffers.dev/internals (FlatBuffers 24, ``verifier.h``).
"""

from __future__ import annotations

import struct
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from skopsafe.errors import ValidationError
from skopsafe.handlers.checks import require

Column = NDArray[Any]
Positions = NDArray[np.int64]

LARGEST = 2**31 - 1
"""Offsets have 32 bits, and the library's own writer stops here."""

_UINT, _INT = struct.Struct("<I").unpack_from, struct.Struct("<i").unpack_from
_PAIR = struct.Struct("<HH").unpack_from
_NUMBERS = {kind: struct.Struct(f"<{kind}") for kind in "bBiIqQfd"}
_ITEM = {"s": 1, "t": 0}
_MOST_FIELDS = 32
_NOWHERE = np.zeros(0, np.int64)


def refuse(what: str, where: str) -> NoReturn:
    """Raise `ValidationError`."""
    require(False, what, where)
    raise AssertionError


class Layout:
    """The fields of a kind of table.

    Parameters
    ----------
    text : str
        For each field its name and what it is: ``b`` a byte, ``i`` a number of four bytes, ``g`` an id of
        sixteen, ``s`` a string, ``t`` a table, and a number: a vector of items of so many bytes.
    defaults : int
        What a number is where it is missing, by its name.
    """

    def __init__(self, text: str, **defaults: int) -> None:
        fields = [field.split(":") for field in text.split()]
        kinds = [kind for _, kind in fields]
        self.column = {name: number for number, (name, _) in enumerate(fields)}
        self.words = np.arange(2 + len(fields))
        self.entries = 4 + 2 * np.arange(len(fields))
        self.widths = np.array([{"b": 1, "g": 16}.get(kind, 4) for kind in kinds])
        self.unaligned = np.array([0 if kind == "b" else 3 for kind in kinds])
        self.masks = np.array([0xFF if kind == "b" else 0xFFFFFFFF for kind in kinds], np.uint32)
        found = [defaults.get(name, 0) & 0xFFFFFFFF for name, _ in fields]
        self.defaults = np.array(found, np.uint32)
        links = [number for number, kind in enumerate(kinds) if kind not in "big"]
        self.links = np.array(links, np.intp)
        self.link = {fields[number][0]: place for place, number in enumerate(links)}
        kinds = [kinds[number] for number in links]
        self.sizes = np.array([_ITEM[kind] if kind in _ITEM else int(kind) for kind in kinds], np.int64)
        # The library takes a string up to its end mark in places, so it must have one.
        self.marks = np.array([kind == "s" for kind in kinds], np.int64)
        self.strings = np.flatnonzero(self.marks)
        shape = 0, len(links)
        self.nothing = np.zeros((0, len(fields)), np.uint32), np.zeros(shape, np.int64)


class Buffer:
    """Bytes that hold FlatBuffers.

    Parameters
    ----------
    data : bytes
        A whole model.
    low, high : int
        Where the FlatBuffer that is read begins and ends.
    where : str
        What stands there, for the error.
    allowance : int
        How many bytes may be read in all, in multiples of the buffer's length: tables may share their parts,
        and what has been written once would be read many times.
    """

    def __init__(self, data: bytes, low: int, high: int, where: str, allowance: int = 4) -> None:
        self.data, self.low, self.high, self.where = data, low, high, where
        self.words: Column = np.frombuffer(data, "<u4", len(data) >> 2)
        self.left = allowance * (high - low)
        self._fields: dict[int, tuple[int, tuple[int, ...]]] = {}

    def spend(self, size: int, where: str) -> None:
        """Count what is read."""
        self.left -= size
        if self.left < 0:
            refuse("its parts lie over one another", where)

    def root(self) -> Table:
        """Return the table that the buffer begins with."""
        if not 4 <= self.high - self.low <= LARGEST:
            refuse(f"{self.high - self.low} bytes are no FlatBuffer", self.where)
        return Table(self, self.follow(self.low, self.where), self.where)

    def follow(self, place: int, where: str) -> int:
        """Return where the offset at a place, which is inside, leads: to at least four bytes inside."""
        target: int = place + _UINT(self.data, place)[0]
        if target > self.high - 4 or (target - self.low) & 3:
            refuse("an offset leads outside", where)
        return target

    def vector(self, place: int, size: int, where: str) -> tuple[int, int]:
        """Return where the items of the vector at a place begin, and how many there are."""
        count: int = _UINT(self.data, place)[0]
        if place + 4 + count * size > self.high:
            refuse("a vector ends outside", where)
        return place + 4, count

    def text(self, place: int, where: str) -> bytes:
        """Return the string that the offset at a place leads to."""
        start, count = self.vector(self.follow(place, where), 1, where)
        end = start + count
        if end >= self.high or self.data[end]:
            refuse("a string has no end", where)
        self.spend(count, where)
        return self.data[start:end]

    def fields(self, place: int, where: str) -> tuple[int, tuple[int, ...]]:
        """Return how long the tables are that have their table of fields at a place, and where each field is."""
        found = self._fields.get(place)
        if found is None:
            if place < self.low or place > self.high - 4 or (place - self.low) & 1:
                refuse("a table of fields lies outside", where)
            size, length = _PAIR(self.data, place)
            if size < 4 or size & 1 or place + size > self.high or length < 4:
                refuse("a table ends outside", where)
            # Tables of fields may lie over one another; no table that is read has more fields than these.
            offsets = struct.unpack_from(f"<{min(size // 2 - 2, _MOST_FIELDS)}H", self.data, place + 4)
            self._fields[place] = found = length, offsets
        return found


class Table:
    """One table.

    Parameters
    ----------
    buffer : Buffer
        Where it stands.
    place : int
        Where it begins: at least four bytes are inside.
    where : str
        What it is, for the error.
    """

    __slots__ = ("_length", "_offsets", "buffer", "fields", "place", "where")

    def __init__(self, buffer: Buffer, place: int, where: str) -> None:
        self.buffer, self.place, self.where = buffer, place, where
        self.fields = place - _INT(buffer.data, place)[0]
        self._length, self._offsets = buffer.fields(self.fields, where)
        if place + self._length > buffer.high:
            refuse("a table ends outside", where)

    def at(self, field: int, size: int, align: int = 4) -> int:
        """Return where the value of a field stands, or zero where the table does not have it."""
        offset = self._offsets[field] if field < len(self._offsets) else 0
        if not offset:
            return 0
        place = self.place + offset
        if offset < 4 or offset + size > self._length or (place - self.buffer.low) % align:
            refuse(f"field {field} leads outside its table", self.where)
        return place

    def number(self, field: int, kind: str = "i", default: float = 0) -> Any:
        """Return the number of a field, of a kind that `struct` knows."""
        form = _NUMBERS[kind]
        place = self.at(field, form.size, form.size)
        return form.unpack_from(self.buffer.data, place)[0] if place else default

    def fixed(self, field: int, size: int) -> bytes | None:
        """Return the bytes of a struct."""
        place = self.at(field, size)
        return self.buffer.data[place : place + size] if place else None

    def vector(self, field: int, size: int, name: str, *, required: bool = False) -> tuple[int, int]:
        """Return where the vector of a field begins, and how many items of `size` bytes it has."""
        place = self.at(field, 4)
        if not place:
            if required:
                refuse("is missing", f"{self.where}.{name}")
            return 0, 0
        where = f"{self.where}.{name}"
        return self.buffer.vector(self.buffer.follow(place, where), size, where)

    def items(self, field: int, kind: str, name: str, *, required: bool = False) -> Column:
        """Return the items of the vector of a field."""
        dtype = np.dtype(kind)
        start, count = self.vector(field, dtype.itemsize, name, required=required)
        return np.frombuffer(self.buffer.data, dtype, count, start)

    def text(self, field: int, name: str, *, required: bool = False) -> bytes:
        """Return the string of a field."""
        place = self.at(field, 4)
        if not place:
            if required:
                refuse("is missing", f"{self.where}.{name}")
            return b""
        return self.buffer.text(place, f"{self.where}.{name}")

    def texts(self, field: int, name: str) -> list[bytes]:
        """Return the strings of the vector of a field."""
        start, count = self.vector(field, 4, name)
        where = f"{self.where}.{name}"
        return [self.buffer.text(place, where) for place in range(start, start + 4 * count, 4)]

    def table(self, field: int, name: str) -> Table:
        """Return the table of a field, which must be there."""
        where = f"{self.where}.{name}"
        place = self.at(field, 4)
        if not place:
            refuse("is missing", where)
        return Table(self.buffer, self.buffer.follow(place, where), where)

    def tables(self, field: int, name: str, *, required: bool = False) -> list[Table]:
        """Return the tables of the vector of a field, one by one."""
        start, count = self.vector(field, 4, name, required=required)
        where, buffer = f"{self.where}.{name}", self.buffer
        return [
            Table(buffer, buffer.follow(place, where), where) for place in range(start, start + 4 * count, 4)
        ]

    def rows(self, field: int, layout: Layout, name: str) -> Rows:
        """Return the tables of the vector of a field, all at once."""
        buffer, where = self.buffer, f"{self.where}.{name}"
        start, count = self.vector(field, 4, name)
        places = _NOWHERE
        if count:
            places = np.arange(start, start + 4 * count, 4) + np.frombuffer(buffer.data, "<u4", count, start)
        return Rows(buffer, places, buffer.low, buffer.high, layout, where)


class Rows:
    """Many tables of one kind.

    Parameters
    ----------
    buffer : Buffer
        Counts what is read.
    places : ndarray of shape (n_rows,), int64
        Where each begins, if it is inside.
    low, high : int, or ndarray of shape (n_rows, 1)
        Where the FlatBuffer of each begins and ends: multiples of four.
    layout : Layout
        Their fields.
    where : str
        What they are, for the error.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_fields), uint32
        The numbers.
    starts, counts : ndarray of shape (n_rows, n_links), int64
        Where strings and vectors begin, and how many items they have; where a table begins.
    """

    def __init__(
        self, buffer: Buffer, places: Positions, low: Any, high: Any, layout: Layout, where: str
    ) -> None:
        self.buffer, self.low, self.high, self.layout, self.where = buffer, low, high, layout, where
        self._count = len(places)
        if not self._count:
            self.values, self.starts = layout.nothing
            self.present, self._at, self.counts = self.values, self.values, self.starts
            return
        words, halves = buffer.words, buffer.words.view(np.uint16)
        places = places[:, None]
        # What lies outside is read as something else first, and refused then: so all is refused at once.
        fields = places - words.take(places >> 2, mode="clip").view(np.int32)
        entries = halves.take((fields >> 1) + layout.words, mode="clip").astype(np.int64)
        sizes, lengths = entries[:, :1], entries[:, 1:2]
        bad = (places > high - 4) | (places & 3) | (fields < low) | (fields > high - 4) | (sizes < 4)
        bad |= ((fields | sizes) & 1) | (fields + sizes > high) | (lengths < 4) | (places + lengths > high)
        if bad.any():
            refuse("a table, or its table of fields, lies outside", where)
        offsets = entries[:, 2:] * (layout.entries < sizes)
        at = places + offsets
        self.present = present = offsets != 0
        bad = (offsets < 4) | (offsets + layout.widths > lengths) | (at & layout.unaligned).astype(np.bool_)
        if (bad & present).any():
            refuse("a field leads outside its table", where)
        found = words.take(at >> 2) >> ((at & 3) << 3).astype(np.uint32) & layout.masks
        self.values = np.where(present, found, layout.defaults)
        self._at = at
        links = layout.links
        if not len(links):
            return
        there = present[:, links]
        targets = at[:, links] + self.values[:, links]
        counts = words.take(targets >> 2, mode="clip") * there
        self.starts, self.counts = targets + 4, counts.astype(np.int64)
        ends = self.starts + self.counts * layout.sizes
        bad = (ends + layout.marks > high) | (targets & 3).astype(np.bool_)
        if (bad & there).any():
            refuse("a vector ends outside", where)
        if len(layout.strings):
            marks = np.frombuffer(buffer.data, np.uint8).take(ends[:, layout.strings], mode="clip")
            if (marks * there[:, layout.strings]).any():
                refuse("a string has no end", where)

    def __len__(self) -> int:
        return self._count

    def column(self, name: str) -> Column:
        """Return the numbers of a field."""
        return self.values[:, self.layout.column[name]]

    def integers(self, name: str) -> Column:
        """Return the numbers of a field, which are signed."""
        return self.column(name).view(np.int32)

    def lengths(self, name: str) -> Positions:
        """Return how many items each vector of a field has."""
        return self.counts[:, self.layout.link[name]]

    def require(self, *names: str) -> None:
        """Require that all rows have a field."""
        for name in names:
            if not self.present[:, self.layout.column[name]].all():
                refuse("is missing", f"{self.where}.{name}")

    def ids(self, name: str) -> list[bytes]:
        """Return the ids of a field, which all rows have."""
        self.require(name)
        data = self.buffer.data
        return [data[place : place + 16] for place in self._at[:, self.layout.column[name]].tolist()]

    def items(self, name: str) -> Column:
        """Return the vectors of a field, of items of whole words, one after the other as words."""
        link = self.layout.link[name]
        starts, counts = self.starts[:, link], self.counts[:, link] * int(self.layout.sizes[link])
        self.buffer.spend(int(counts.sum()), f"{self.where}.{name}")
        return self.gather(starts, counts)

    def gather(self, starts: Positions, sizes: Positions) -> Column:
        """Return what stands at places that are known to be inside, one after the other as words."""
        words = self.buffer.words
        ends = (starts + sizes) >> 2
        pieces = [
            words[start:end] for start, end in zip((starts >> 2).tolist(), ends.tolist(), strict=True)
        ]
        return np.concatenate(pieces) if pieces else words[:0]

    def check_texts(self, name: str) -> None:
        """Check the strings of the vectors of a field."""
        link, where = self.layout.link[name], f"{self.where}.{name}"
        starts, counts = self.starts[:, link].tolist(), self.counts[:, link].tolist()
        self.buffer.spend(4 * sum(counts), where)
        for start, count in zip(starts, counts, strict=True):
            for place in range(start, start + 4 * count, 4):
                self.buffer.text(place, where)

    def follow(self, name: str, layout: Layout) -> Rows:
        """Return the tables that a field of each leads to; each must have it."""
        self.require(name)
        places = self.starts[:, self.layout.link[name]] - 4
        return Rows(self.buffer, places, self.low, self.high, layout, f"{self.where}.{name}")
