"""A bounded reader of FlatBuffers: many tables of one kind at a time, as columns.

Every offset, table of fields, vector and string is checked against the buffer before it is read, as the C++
``flatbuffers::Verifier`` does. The library runs that one over the core of a model only, and not over what
lies behind it. Format: https://flatbuffers.dev/internals (FlatBuffers 24, ``verifier.h``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.handlers.checks import require

Column = NDArray[Any]
Positions = NDArray[np.int64]

LARGEST = 2**31 - 1
"""Offsets have 32 bits, and the library's own writer stops here."""

_UINT, _INT, _USHORT = np.dtype("<u4"), np.dtype("<i4"), np.dtype("<u2")


@dataclass(frozen=True, slots=True)
class Vectors:
    """One vector of each of many tables; where a table has none, an empty one.

    Attributes
    ----------
    starts, counts : ndarray of shape (n_tables,), int64
        Where the items begin in the buffer, and how many there are.
    """

    buffer: Buffer
    starts: Positions
    counts: Positions
    where: str

    def items(self, dtype: str) -> Column:
        """Return the items of all vectors, one vector after the other.

        They may lie over one another in the buffer: what has been written once is read many times. No
        writer does that with what belongs to one table only, so all of them together fit in the buffer.
        """
        kind = np.dtype(dtype)
        total = int(self.counts.sum()) * kind.itemsize
        self.buffer.spend(total, self.where)
        if len(self.starts) == 1:
            start = int(self.starts[0])
            return self.buffer.data[start : start + total].view(kind)
        if not total:
            return np.zeros(0, kind)
        size = kind.itemsize
        ends = np.cumsum(self.counts)
        inside = np.arange(int(ends[-1])) - np.repeat(ends - self.counts, self.counts)
        places = np.repeat(self.starts, self.counts) + inside * size
        return self.buffer.gather(places, kind)


class Buffer:
    """One FlatBuffer.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
        The buffer and nothing else.
    where : str
        What stands there, for the error.
    allowance : int
        How many bytes may be read in all, in multiples of the buffer's length.
    """

    def __init__(self, data: NDArray[np.uint8], where: str, allowance: int = 4) -> None:
        require(4 <= len(data) <= LARGEST, f"{len(data)} bytes are no FlatBuffer", where)
        self.data = data
        self.where = where
        self._left = allowance * len(data)
        whole = len(data) & ~3
        self._words = data[:whole].view(_UINT)
        self._halves = data[:whole].view(_USHORT)
        self.lowest = len(data)

    def spend(self, size: int, where: str) -> None:
        """Count what is read, so that tables which share their parts cannot multiply them."""
        self._left -= size
        require(self._left >= 0, "its parts lie over one another", where)

    def gather(self, places: Positions, kind: np.dtype[Any]) -> Column:
        """Return the values at places that are known to be inside."""
        if kind.itemsize == 4:
            words: Column = self._words[places >> 2].view(kind)
            return words
        if kind.itemsize == 1:
            return self.data[places].view(kind)
        bytes_ = self.data[places[:, None] + np.arange(kind.itemsize)]
        return np.ascontiguousarray(bytes_).view(kind)[:, 0]

    def words(self, places: Positions, where: str) -> Positions:
        """Return the unsigned 32-bit numbers at places, which are checked here."""
        if len(places) == 1:  # the same, without the overhead of arrays
            (place,) = places.tolist()
            require(0 <= place <= len(self.data) - 4, "an offset leads outside", where)
            require(not place & 3, "an offset is not aligned", where)
            single: Positions = self._words[place >> 2 : (place >> 2) + 1].astype(np.int64)
            return single
        require(
            not places.size or (places.min() >= 0 and places.max() <= len(self.data) - 4),
            "an offset leads outside",
            where,
        )
        require(not np.any(places & 3), "an offset is not aligned", where)
        found: Positions = self._words[places >> 2].astype(np.int64)
        return found

    def root(self) -> Tables:
        """Return the table that the buffer begins with."""
        places = self.words(np.zeros(1, np.int64), self.where)
        return Tables(self, places, self.where)

    def vectors(self, places: Positions, present: NDArray[np.bool_], size: int, where: str) -> Vectors:
        """Return the vectors at places, of items of `size` bytes; where not present, empty ones."""
        starts, counts = np.zeros(len(places), np.int64), np.zeros(len(places), np.int64)
        found = places[present]
        lengths = self.words(found, where)
        require(
            not found.size or bool((found + 4 + lengths * size <= len(self.data)).all()),
            "a vector ends outside",
            where,
        )
        starts[present], counts[present] = found + 4, lengths
        return Vectors(self, starts, counts, where)


class Tables:
    """Many tables of one kind.

    Parameters
    ----------
    buffer : Buffer
        Where they stand.
    places : ndarray of shape (n_tables,), int64
        Where each begins.
    where : str
        What they are, for the error.
    """

    def __init__(self, buffer: Buffer, places: Positions, where: str) -> None:
        self.buffer = buffer
        self.where = where
        self.places = places
        back = buffer.words(places, where).astype(np.uint32).view(np.int32).astype(np.int64)
        self.fields = places - back
        self._sizes, self._lengths = self._halves(self.fields), self._halves(self.fields + 2)
        size = len(buffer.data)
        require(
            bool(((self._sizes >= 4) & (self._sizes & 1 == 0) & (self.fields + self._sizes <= size)).all())
            and bool(((self._lengths >= 4) & (places + self._lengths <= size)).all()),
            "a table ends outside",
            where,
        )
        if len(places):
            buffer.lowest = min(buffer.lowest, int(places.min()), int(self.fields.min()))

    def __len__(self) -> int:
        return len(self.places)

    def _halves(self, places: Positions) -> Positions:
        halves = self.buffer._halves
        if len(places) == 1:
            (place,) = places.tolist()
            fits = 0 <= place <= 2 * len(halves) - 2 and not place & 1
            require(fits, "a table of fields lies outside", self.where)
            single: Positions = halves[place >> 1 : (place >> 1) + 1].astype(np.int64)
            return single
        outside = places.size and (places.min() < 0 or places.max() > 2 * len(halves) - 2)
        require(not outside and not np.any(places & 1), "a table of fields lies outside", self.where)
        found: Positions = halves[places >> 1].astype(np.int64)
        return found

    def at(self, field: int, size: int, align: int = 4) -> tuple[Positions, NDArray[np.bool_]]:
        """Return where the values of a field stand, and which tables have it."""
        entry = 4 + 2 * field
        has = self._sizes >= entry + 2
        offsets = np.zeros(len(self), np.int64)
        offsets[has] = self._halves(self.fields[has] + entry)
        present = offsets != 0
        fits = (offsets >= 4) & (offsets + size <= self._lengths) & ((self.places + offsets) % align == 0)
        require(bool(fits[present].all()), f"field {field} leads outside its table", self.where)
        return self.places + offsets, present

    def scalars(self, field: int, dtype: str, default: float = 0) -> Column:
        """Return the numbers of a field."""
        kind = np.dtype(dtype)
        places, present = self.at(field, kind.itemsize, kind.itemsize)
        result = np.full(len(self), default, kind)
        if present.any():
            result[present] = self.buffer.gather(places[present], kind)
        return result

    def structs(self, field: int, size: int) -> tuple[Column, NDArray[np.bool_]]:
        """Return the bytes of a struct of each table, and which tables have it."""
        places, present = self.at(field, size)
        result = np.zeros((len(self), size), np.uint8)
        result[present] = self.buffer.data[places[present][:, None] + np.arange(size)]
        return result, present

    def _targets(self, field: int, where: str) -> tuple[Positions, NDArray[np.bool_]]:
        places, present = self.at(field, 4)
        targets = np.zeros(len(self), np.int64)
        targets[present] = places[present] + self.buffer.words(places[present], where)
        return targets, present

    def vectors(self, field: int, size: int, name: str, *, required: bool = False) -> Vectors:
        """Return the vector of a field of each table, of items of `size` bytes."""
        where = f"{self.where}.{name}"
        targets, present = self._targets(field, where)
        require(not required or bool(present.all()), "is missing", where)
        return self.buffer.vectors(targets, present, size, where)

    def vector(self, field: int, dtype: str, name: str, *, required: bool = False) -> Column:
        """Return the items of the vectors of a field, one after the other."""
        return self.vectors(field, np.dtype(dtype).itemsize, name, required=required).items(dtype)

    def strings(self, field: int, name: str) -> list[bytes | None]:
        """Return the string of a field of each table."""
        where = f"{self.where}.{name}"
        targets, present = self._targets(field, where)
        found = self.buffer.vectors(targets, present, 1, where)
        return _texts(found, present)

    def tables(self, field: int, name: str) -> Tables:
        """Return the table that a field of each table leads to; each must have it."""
        where = f"{self.where}.{name}"
        targets, present = self._targets(field, where)
        require(bool(present.all()), "is missing", where)
        return Tables(self.buffer, targets, where)

    def lists(self, field: int, name: str, *, required: bool = False) -> tuple[Tables, Positions]:
        """Return the tables of the vectors of a field, one after the other, and how many each has."""
        where = f"{self.where}.{name}"
        found = self.vectors(field, 4, name, required=required)
        return Tables(self.buffer, _follow(found), where), found.counts

    def texts(self, field: int, name: str) -> tuple[list[bytes], Positions]:
        """Return the strings of the vectors of a field, one after the other, and how many each has."""
        found = self.vectors(field, 4, name)
        targets = _follow(found)
        strings = self.buffer.vectors(targets, np.ones(len(targets), np.bool_), 1, found.where)
        return [text or b"" for text in _texts(strings, np.ones(len(targets), np.bool_))], found.counts


def _follow(found: Vectors) -> Positions:
    """Return where the offsets of vectors lead: each counts from its own place."""
    offsets = found.items("<u4").astype(np.int64)
    ends = np.cumsum(found.counts)
    inside = np.arange(len(offsets)) - np.repeat(ends - found.counts, found.counts)
    places: Positions = np.repeat(found.starts, found.counts) + 4 * inside
    targets: Positions = places + offsets
    return targets


def _texts(found: Vectors, present: NDArray[np.bool_]) -> list[bytes | None]:
    data = found.buffer.data
    # The library takes a string up to its end mark in places, so it must have one.
    ends = found.starts + found.counts
    inside = bool((ends[present] < len(data)).all())
    require(inside and not np.any(data[ends[present]]), "a string has no end", found.where)
    found.buffer.spend(int(found.counts.sum()), found.where)
    return [
        data[start:end].tobytes() if there else None
        for start, end, there in zip(found.starts.tolist(), ends.tolist(), present.tolist(), strict=True)
    ]
