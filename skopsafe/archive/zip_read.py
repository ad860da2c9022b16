"""The members of a zip, opened strictly and read by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from skopsafe.archive import crc
from skopsafe.archive import zip_records as records
from skopsafe.archive.access import AGAIN, access, size_of, truncated
from skopsafe.archive.compression import STORED
from skopsafe.archive.decompression import DamagedError, decompressed
from skopsafe.archive.directory import Member, extra_fields, read_directory
from skopsafe.errors import FormatError
from skopsafe.limits import Limits

_CHUNK = 1 << 18
_EXTRA = 96  # read along with a local header: more than the extra fields of our own files take


class Reader:
    """The members of a zip.

    Every read of a whole member compares its CRC.

    Attributes
    ----------
    file : binary file object
        What was opened. It stays open.
    length : int
        Its size in bytes.

    Raises
    ------
    FormatError
        The file is not a zip, is truncated, has members that overlap or stand twice.
    LimitError
        A limit of `limits` is passed.
    """

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self.file = file
        self.length = size_of(file)
        self._access = access(file)
        self._members, self._tail_place, self._tail = read_directory(self._access, self.length, limits)

    def close(self) -> None:
        """Let go of what was read ahead; the file stays open."""
        self._tail = b""

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """Return the uncompressed size of a member in bytes."""
        return self._member(name).size

    def is_stored(self, name: str) -> bool:
        """Tell whether the member's bytes stand in the file as they are."""
        return self._member(name).method == STORED

    def offset(self, name: str) -> int:
        """Return where in the file the data of a stored member begins, in bytes."""
        member = self._member(name)
        if member.start < 0:
            self._open(name, member, 0)
        return member.start

    def head(self, name: str, size: int) -> bytes:
        """Return the first `size` bytes of a member, unchecked."""
        member = self._member(name)
        size = min(size, member.size)
        if member.method == STORED:
            return self._open(name, member, size)
        out = b""
        for piece in self._decompressed(name, member):
            out += piece
            if len(out) >= size:
                break
        return out[:size]

    def read(self, name: str) -> bytes:
        """Return a whole member."""
        member = self._member(name)
        if member.method != STORED:
            data = b"".join(self._decompressed(name, member))
        elif member.size <= _CHUNK:
            data = self._open(name, member, member.size)
        else:  # apart from its header, of which it would have to be cut off by a copy
            data = self._at(self.offset(name), member.size)
            if len(data) < member.size:
                raise truncated()
        if crc.crc32(data) != member.checksum:
            raise _differs(name)
        return data

    def read_array(self, name: str) -> NDArray[np.uint8]:
        """Return a whole member as a new array of its bytes."""
        out = np.empty(self._member(name).size, np.uint8)
        self.read_into(name, 0, out, b"")
        return out

    def read_into(self, name: str, skip: int, target: NDArray[np.uint8], head: bytes) -> None:
        """Fill `target` with the member's bytes after the first `skip`.

        `head` holds those first bytes, which the caller has read already.
        """
        member = self._member(name)
        if skip + len(target) != member.size or len(head) != skip:
            raise AssertionError(f"{name} has {member.size} bytes, of which {len(target)} were asked for")
        view = memoryview(cast("Any", target))
        if member.method == STORED:
            start = self.offset(name) + skip
            checksum = crc.filled(
                view,
                lambda piece, at: self._fill(piece, start + at),
                crc.crc32(head),
                beside=self._access.is_shared,
            )
        else:
            checksum, place = crc.crc32(head), -skip
            for piece in self._decompressed(name, member):
                part = piece[max(-place, 0) :]
                checksum = crc.crc32(part, checksum)
                at = max(place, 0)
                view[at : at + len(part)] = part
                place += len(piece)
        if checksum != member.checksum:
            raise _differs(name)

    def check(self, name: str) -> None:
        """Read a member in pieces and compare its CRC."""
        member = self._member(name)
        if member.method == STORED:
            start = self.offset(name)
            checksum = crc.passed(
                member.size, lambda piece, at: self._fill(piece, start + at), beside=self._access.is_shared
            )
        else:
            checksum = crc.of_chunks(self._decompressed(name, member))
        if checksum != member.checksum:
            raise _differs(name)

    def _member(self, name: str) -> Member:
        try:
            return self._members[name]
        except KeyError:
            raise FormatError(f"the member {name} is missing", next_step=AGAIN) from None

    def _at(self, place: int, size: int) -> bytes:
        """Return bytes of the file, from its end if that was read already."""
        start = place - self._tail_place
        if start >= 0 and start + size <= len(self._tail):
            return self._tail[start : start + size]
        return self._access.read(place, size)

    def _fill(self, view: memoryview, place: int) -> None:
        start = place - self._tail_place
        if start >= 0 and start + len(view) <= len(self._tail):
            view[:] = self._tail[start : start + len(view)]
        else:
            self._access.fill(view, place)

    def _open(self, name: str, member: Member, size: int) -> bytes:
        """Compare the local header with the directory, and return the first bytes of the data behind it."""
        if member.start >= 0:
            data = self._at(member.start, size)
        else:
            fixed = records.LOCAL.size + len(member.spelled)
            ahead = min(fixed + _EXTRA + size, member.room - member.header)
            found = self._at(member.header, ahead)
            start = self._compare(name, member, found)
            member.start = member.header + start
            data = found[start : start + size]
            if len(data) < size:
                data = self._at(member.start, size)
        if len(data) < size:
            raise truncated()
        return data

    def _compare(self, name: str, member: Member, found: bytes) -> int:
        """Return how long the local header is."""
        if len(found) < records.LOCAL.size + len(member.spelled):
            raise truncated()
        magic, _, flags, method, _, _, checksum, packed, size, name_size, extra_size = (
            records.LOCAL.unpack_from(found)
        )
        at = records.LOCAL.size + name_size
        said = (checksum, packed, size)
        start = at + extra_size
        if start > len(found):
            found = self._at(member.header, start)
        extra = extra_fields(found[at:start], name)
        if packed == size == records.FULL32:
            wide = extra.get(records.ZIP64_FIELD, b"")
            said = (checksum, int.from_bytes(wide[8:], "little"), int.from_bytes(wide[:8], "little"))
        known = (member.checksum, member.packed, member.size)
        if (
            magic != records.LOCAL_MAGIC
            or found[records.LOCAL.size : at] != member.spelled
            or flags != member.flags
            or method != member.method
            or not (said == known or (flags & records.SIZES_BEHIND and said == (0, 0, 0)))
        ):
            raise FormatError("a member's header contradicts the directory", path=name, next_step=AGAIN)
        if member.header + start + member.packed > member.room:
            raise FormatError("members of the zip overlap or lie outside it", path=name, next_step=AGAIN)
        return int(start)

    def _packed(self, name: str, member: Member) -> Iterator[bytes]:
        """Yield the bytes of a member as they stand in the file."""
        place = self.offset(name)
        end = place + member.packed
        while place < end:
            data = self._at(place, min(_CHUNK, end - place))
            if not data:
                raise truncated()
            yield data
            place += len(data)

    def _decompressed(self, name: str, member: Member) -> Iterator[bytes]:
        try:
            yield from decompressed(member.method, member.flags, member.size, self._packed(name, member))
        except DamagedError as error:
            raise FormatError(f"the member is damaged ({error})", path=name, next_step=AGAIN) from error


def _differs(name: str) -> FormatError:
    return FormatError("the member is damaged (its CRC differs)", path=name, next_step=AGAIN)
