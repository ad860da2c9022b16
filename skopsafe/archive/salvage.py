"""Every member of a zip that any reader may show, also of one that is damaged or crafted.

A zip tells each member twice: in a local header in front of its data, and in the directory at its end.
Readers believe one or the other, and some look past flags and checksums. So a file is gone through in both
ways, and where they differ a member comes out as each of them has it. Checksums are not looked at.

Format: PKWARE APPNOTE 6.3.10.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from skopsafe.archive.compression import LZMA, STORED
from skopsafe.archive.readable import Budget, Part, Readable
from skopsafe.archive.unpack import unpack_member
from skopsafe.archive.zip_records import (
    ENCRYPTED,
    END,
    END64,
    END64_MAGIC,
    END_MAGIC,
    ENTRY,
    ENTRY_MAGIC,
    FULL32,
    LOCAL,
    LOCAL_MAGIC,
    LOCATOR,
    LOCATOR_MAGIC,
    SIZES_BEHIND,
    ZIP64_FIELD,
)
from skopsafe.errors import LimitError, MissingTypeError

SEARCHED = 2**26
"""Bytes of a file in which headers are searched where none is expected."""
_TAIL = 2**16 + END.size + LOCATOR.size + END64.size
_ENDS = 8
_BEHIND_MAGIC = b"PK\7\x08"
_WINDOW = 2**18


@dataclass(slots=True)
class Member:
    """A member of a zip as one of its headers has it, or as both.

    Attributes
    ----------
    name : str
        As the directory has it, or else the local header.
    start, packed : int
        Where its data begin, and how many bytes they have.
    size : int
        Bytes that it has when it is decompressed, as a header says.
    method : int
        How it is compressed.
    is_encrypted : bool
        Whether a header says so.
    notes : list of str
        What is odd about it.
    """

    name: str
    start: int
    packed: int
    size: int
    method: int
    is_encrypted: bool
    notes: list[str] = field(default_factory=list)


def is_zip(source: Readable) -> bool:
    """Tell whether any reader would take a file for a zip."""
    if source.read(0, 4) == LOCAL_MAGIC:
        return True
    tail = source.read(max(0, source.size - _TAIL), _TAIL)
    return END_MAGIC in tail


def members(source: Readable, budget: Budget) -> Iterator[Member]:
    """Go through the members that the directory shows, and through those that local headers show.

    Raises
    ------
    LimitError
        There are more than the limits allow.
    """
    found: dict[tuple[int, int], Member] = {}
    walk = _Walk(source, budget)
    for member in walk.directories():
        _merge(found, member, "", budget)
    has_directory = bool(found)
    note = "the directory does not show it" if has_directory else "the zip has no directory"
    for member in walk.locals():
        _merge(found, member, note, budget)
    yield from found.values()


def _merge(found: dict[tuple[int, int], Member], member: Member, note: str, budget: Budget) -> None:
    """Put a member to what is known, unless it says nothing new."""
    known = found.get((member.start, member.method))
    if known is None:
        budget.take_member()
        if note:
            member.notes.append(note)
        found[member.start, member.method] = member
        return
    if member.name != known.name:
        _note(known, f"another header calls it {member.name[:200]!r}")
    if member.is_encrypted != known.is_encrypted:
        _note(known, "its headers differ about encryption")
        known.is_encrypted = True
    if member.packed != known.packed:
        _note(known, "its headers differ about its size")
    known.packed = max(known.packed, member.packed)
    known.size = max(known.size, member.size)


def _note(member: Member, text: str) -> None:
    if text not in member.notes and len(member.notes) < 10:
        member.notes.append(text)


def content(source: Readable, member: Member, budget: Budget) -> Readable | None:
    """Return what a member holds, or None where it cannot be told; its notes say why.

    Flags of encryption are passed over: some readers do so. What is really encrypted comes out as noise.

    Raises
    ------
    LimitError
        More comes out of it than the budget has.
    """
    if member.method == STORED:
        return Part(source, member.start, max(member.packed, member.size))
    try:
        found = unpack_member(member.method, member.size, source, member.start, budget)
    except MissingTypeError as error:
        _note(member, error.reason)
        return None
    if found is None:
        _note(member, f"compression {member.method} is unknown")
        return None
    if found.problem and not (member.method == LZMA and found.size == member.size):
        _note(member, found.problem)
    return found if found.size or not found.problem else None


class _Walk:
    """Goes through the records of a zip."""

    def __init__(self, source: Readable, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._search = SEARCHED
        self._entries = 0
        self._window = b""
        self._base = 0

    def _read(self, place: int, size: int) -> bytes:
        """Read small records through a window."""
        at = place - self._base
        if at < 0 or at + size > len(self._window):
            self._base, self._window, at = place, self._source.read(place, max(size, 2**12)), 0
        return self._window[at : at + size]

    # The directory.

    def directories(self) -> Iterator[Member]:
        """Go through every directory to which an end record in the tail may lead."""
        source = self._source
        base = max(0, source.size - _TAIL)
        tail = source.read(base, _TAIL)
        at, seen = len(tail), set()
        first = 0
        for _ in range(_ENDS):
            at = tail.rfind(END_MAGIC, 0, at)
            # One in front of a directory belongs to a zip within this one.
            if at < 0 or base + at < first:
                break
            for start, shift in self._starts(tail, base, at):
                if 0 <= start < source.size and start not in seen:
                    seen.add(start)
                    for member in self._directory(start, shift):
                        first = max(first, start)
                        yield member

    def _starts(self, tail: bytes, base: int, at: int) -> Iterator[tuple[int, int]]:
        """Yield where the directory may begin, and how far all places are off."""
        if at + END.size > len(tail):
            return
        *_, size, place, _ = END.unpack_from(tail, at)
        end = base + at
        if at >= LOCATOR.size and tail[at - LOCATOR.size :].startswith(LOCATOR_MAGIC):
            _, _, there, _ = LOCATOR.unpack_from(tail, at - LOCATOR.size)
            for where in (there, end - LOCATOR.size - END64.size):
                record = self._source.read(where, END64.size) if 0 <= where < self._source.size else b""
                if len(record) == END64.size and record.startswith(END64_MAGIC):
                    *_, size64, place64 = END64.unpack(record)
                    yield where - size64, where - size64 - place64
                    yield place64, 0
        yield end - size, end - size - place
        yield place, 0

    def _directory(self, place: int, shift: int) -> Iterator[Member]:
        limit = self._budget.limits.directory_bytes
        while True:
            record = self._read(place, ENTRY.size)
            if len(record) < ENTRY.size or not record.startswith(ENTRY_MAGIC):
                return
            fields = ENTRY.unpack(record)
            flags, method, packed, size = fields[3], fields[4], fields[8], fields[9]
            name_size, extra_size, comment_size, local = fields[10], fields[11], fields[12], fields[16]
            name = self._read(place + ENTRY.size, name_size)
            extra = self._read(place + ENTRY.size + name_size, extra_size)
            size, packed, local = _wide(extra, size, packed, local)
            yield self._entry(_text(name), flags, method, packed, size, local, shift)
            length = ENTRY.size + name_size + extra_size + comment_size
            place += length
            self._entries += length
            if self._entries > limit:
                raise LimitError(
                    f"the directories of a zip have more than {limit} bytes",
                    next_step="Pass limits=Limits(directory_bytes=...) if you know the file.",
                )

    def _entry(
        self, name: str, flags: int, method: int, packed: int, size: int, local: int, shift: int
    ) -> Member:
        """Return a member as the directory has it; where its data are only its local header tells."""
        notes = []
        for place in dict.fromkeys((local + shift, local)):
            header = self._read(place, LOCAL.size) if 0 <= place < self._source.size else b""
            if len(header) == LOCAL.size and header.startswith(LOCAL_MAGIC):
                break
        else:
            place = local + shift
            header = self._read(place, LOCAL.size) if 0 <= place < self._source.size else b""
            notes.append("its local header is damaged")
        start = place + LOCAL.size
        if len(header) == LOCAL.size:
            *_, name_size, extra_size = LOCAL.unpack(header)
            start += name_size + extra_size
        return Member(name, max(start, 0), packed, size, method, bool(flags & ENCRYPTED), notes)

    # Local headers.

    def locals(self) -> Iterator[Member]:
        """Go from each local header to the next, and search for one where there is none."""
        place = 0
        while place < self._source.size:
            header = self._read(place, LOCAL.size)
            if len(header) < LOCAL.size or not header.startswith(LOCAL_MAGIC):
                found = self._next(place + 1, LOCAL_MAGIC) if header[:4] != LOCAL_MAGIC else -1
                if found < 0:
                    return
                place = found
                continue
            _, _, flags, method, _, _, _, packed, size, name_size, extra_size = LOCAL.unpack(header)
            name = self._read(place + LOCAL.size, name_size)
            extra = self._read(place + LOCAL.size + name_size, extra_size)
            size, packed, _ = _wide(extra, size, packed, 0)
            start = place + LOCAL.size + name_size + extra_size
            is_unknown = bool(flags & SIZES_BEHIND) and not packed
            # A size that leads nowhere is not believed: then, the next header is searched.
            end = start + packed
            if is_unknown or end > self._source.size:
                end = self._next(start, LOCAL_MAGIC, ENTRY_MAGIC, _BEHIND_MAGIC)
                packed = (end if end >= 0 else self._source.size) - start
            yield Member(_text(name), start, packed, size, method, bool(flags & ENCRYPTED))
            if end < 0:
                return
            place = end

    def _next(self, place: int, *magics: bytes) -> int:
        """Return where a header follows, or -1; no more is searched than a part of a large file."""
        window = 2**12
        while place < self._source.size and self._search > 0:
            data = self._source.read(place, window)
            places = [at for at in map(data.find, magics) if at >= 0]
            if places:
                at = min(places)
                self._search -= at
                return place + at
            self._search -= len(data)
            if len(data) < window:
                break
            place += len(data) - 3
            window = min(2 * window, _WINDOW)
        return -1


def _text(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("cp437")


def _wide(extra: bytes, size: int, packed: int, place: int) -> tuple[int, int, int]:
    """Return sizes and a place with what the zip64 field has of them."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == ZIP64_FIELD:
            field = extra[at + 4 : at + 4 + length]
            numbers = iter([int.from_bytes(field[i : i + 8], "little") for i in range(0, len(field) - 7, 8)])
            values = [next(numbers, value) if value == FULL32 else value for value in (size, packed, place)]
            return values[0], values[1], values[2]
        at += 4 + length
    return size, packed, place
