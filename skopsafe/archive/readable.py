"""What is only looked at: bytes that can be read at any place, and what looking may cost."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from skopsafe.archive.access import access, size_of, truncated
from skopsafe.errors import LimitError
from skopsafe.limits import Limits

_HEAD = 2**16
"""Bytes at the beginning of a file that are kept: what it is, is told by them again and again."""
HELD = 2**28
"""Decompressed bytes of one file that are kept in memory; what is beyond is decompressed again."""


class Readable(Protocol):
    """Bytes of known number that can be read at any place."""

    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on, or as many as there are."""


class Budget:
    """What looking at one file may cost, in all its layers together.

    Parameters
    ----------
    limits : Limits
        The limits.
    size : int
        Bytes of the file.

    Attributes
    ----------
    held : int
        Bytes that may yet be kept in memory.
    opcodes : int
        Opcodes that may yet be run.
    members : int
        Members of archives that may yet be looked at.
    """

    def __init__(self, limits: Limits, size: int) -> None:
        self.limits = limits
        self.held = HELD
        self.opcodes = limits.opcodes
        self.members = limits.members
        self._size = size
        self._out = 0
        self._numbers = 0
        self._spent: dict[int, int] = {}

    def take(self, count: int) -> None:
        """Count decompressed bytes.

        Raises
        ------
        LimitError
            There are more than a file of this size may have.
        """
        self._out += count
        if self._out > self.limits.total_bytes:
            raise _too_much(f"there are more than {self.limits.total_bytes} bytes in the file", "total_bytes")
        most = max(self.limits.expansion_floor, self.limits.expansion * self._size)
        if self._out > most:
            raise _too_much(
                f"what is compressed in the file has more than {self.limits.expansion} times its size",
                "expansion",
            )

    def number(self) -> int:
        """Return a number for a stream, for which opcodes are counted once, however often it is read."""
        self._numbers += 1
        return self._numbers

    def opcodes_for(self, number: int) -> int:
        """Return how many opcodes a stream may have."""
        return max(self.opcodes + self._spent.get(number, 0), 0)

    def spend(self, number: int, count: int) -> None:
        """Count the opcodes of a stream."""
        known = self._spent.get(number, 0)
        if count > known:
            self._spent[number] = count
            self.opcodes -= count - known

    def take_member(self) -> None:
        """Count a member of an archive.

        Raises
        ------
        LimitError
            There are too many.
        """
        self.members -= 1
        if self.members < 0:
            raise _too_much(f"there are more than {self.limits.members} members in the file", "members")


def _too_much(reason: str, name: str) -> LimitError:
    return LimitError(
        reason, next_step=f"Pass limits=Limits({name}=...) if you know the file and expect so much."
    )


class Whole:
    """An open file.

    Parameters
    ----------
    file : binary file object
        It can be read at any place, and stays open.
    """

    __slots__ = ("_access", "_head", "size")

    def __init__(self, file: BinaryIO) -> None:
        self.size = size_of(file)
        self._access = access(file)
        self._head = b""

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on, or as many as there are."""
        size = min(size, self.size - offset)
        if size <= 0:
            return b""
        if offset + size > _HEAD:
            return self._read(offset, size)
        if not self._head:
            self._head = self._read(0, min(self.size, _HEAD))
        return self._head[offset : offset + size]

    def _read(self, offset: int, size: int) -> bytes:
        data = self._access.read(offset, size)
        if len(data) < size:
            raise truncated()
        return data


class Part:
    """A part of something that can be read.

    Parameters
    ----------
    source : Readable
        The whole.
    start, size : int
        Where the part is; it ends where the whole does.
    """

    __slots__ = ("_source", "_start", "size")

    def __init__(self, source: Readable, start: int, size: int) -> None:
        self._source = source
        self._start = start
        self.size = max(0, min(size, source.size - start))

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on, or as many as there are."""
        size = min(size, self.size - offset)
        return self._source.read(self._start + offset, size) if size > 0 else b""
