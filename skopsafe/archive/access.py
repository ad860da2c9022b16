"""Reading any place of an open file."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO, Protocol

from skopsafe.errors import FormatError, file_error

AGAIN = "Get the file again from its author, or save the model again."
_UNREADABLE = "the file cannot be read"


class Access(Protocol):
    """Reads that do not depend on what was read before.

    Attributes
    ----------
    is_shared : bool
        Whether several threads can read at once.
    """

    is_shared: bool

    def read(self, place: int, size: int) -> bytes:
        """Return the bytes at a place, fewer at the end of the file."""

    def fill(self, view: memoryview, place: int) -> None:
        """Fill memory from a place on; raise FormatError at the end of the file."""


def access(file: BinaryIO) -> Access:
    """Return the fastest way to read from a file.

    Only files of Python's own are read by their descriptor: those that decompress have one too.
    """
    raw = file.raw if type(file) in (io.BufferedReader, io.BufferedRandom) else file  # type: ignore[attr-defined]
    if type(raw) is not io.FileIO or not hasattr(os, "preadv"):
        return _Seeking(file)
    if type(file) is io.BufferedRandom:
        file.flush()
    return _Descriptor(raw.fileno())


class _Descriptor:
    is_shared = True

    def __init__(self, number: int) -> None:
        self._number = number

    def read(self, place: int, size: int) -> bytes:
        try:
            data = os.pread(self._number, size, place)
            # The system reads 2 GB at most in one go.
            while len(data) < size and (more := os.pread(self._number, size - len(data), place + len(data))):
                data += more
        except OSError as error:
            raise file_error(error, _UNREADABLE) from error
        return data

    def fill(self, view: memoryview, place: int) -> None:
        while view:
            try:
                count = os.preadv(self._number, (view,), place)
            except OSError as error:
                raise file_error(error, _UNREADABLE) from error
            if not count:
                raise truncated()
            view, place = view[count:], place + count


class _Seeking:
    is_shared = False

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, place: int, size: int) -> bytes:
        try:
            self._file.seek(place)
            data = self._file.read(size)
            while len(data) < size and (more := self._file.read(size - len(data))):
                data += more
        except OSError as error:
            raise file_error(error, _UNREADABLE) from error
        return bytes(data)

    def fill(self, view: memoryview, place: int) -> None:
        try:
            self._file.seek(place)
            while view:
                count = self._some(view)
                if not count:
                    raise truncated()
                view = view[count:]
        except OSError as error:
            raise file_error(error, _UNREADABLE) from error

    def _some(self, view: memoryview) -> int:
        if hasattr(self._file, "readinto"):
            return int(self._file.readinto(view) or 0)
        data = self._file.read(len(view))
        view[: len(data)] = data
        return len(data)


def truncated() -> FormatError:
    return FormatError("the file is truncated", next_step=AGAIN)
