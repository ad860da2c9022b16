"""Reading any place of an open file."""

from __future__ import annotations

import errno
import io
import os
from typing import Any, BinaryIO, Protocol

from skopsafe.errors import FileError, FormatError, SkopsafeError, file_error

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
        self._reads_into = hasattr(file, "readinto")

    def read(self, place: int, size: int) -> bytes:
        called(self._file, "seek", place)
        pieces = []
        while size and (piece := read_some(self._file, size)):
            pieces.append(piece)
            size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def fill(self, view: memoryview, place: int) -> None:
        called(self._file, "seek", place)
        while view:
            count = self._some_into(view)
            if not count:
                raise truncated()
            view = view[count:]

    def _some_into(self, view: memoryview) -> int:
        if not self._reads_into:
            piece = read_some(self._file, len(view))
            view[: len(piece)] = piece
            return len(piece)
        count = called(self._file, "readinto", view)
        if count is None:
            raise _waiting()
        if not isinstance(count, int) or not 0 <= count <= len(view):
            raise _odd(f"readinto() gave {count!r:.100}")
        return count


def read_some(file: Any, size: int) -> bytes:
    """Read from a file object, which may give less; nothing at its end."""
    piece = called(file, "read", size)
    if piece is None:
        raise _waiting()
    if not isinstance(piece, (bytes, bytearray, memoryview)):
        raise _odd(f"read() gave {type(piece).__name__} and no bytes")
    if len(piece) > size:
        raise _odd(f"read() gave {len(piece)} bytes where {size} were asked for")
    return bytes(piece)


def size_of(file: Any) -> int:
    """Return how many bytes a file object has; it stands at its end then."""
    size = called(file, "seek", 0, os.SEEK_END)
    if size is None:  # some say nothing
        size = called(file, "tell")
    if not isinstance(size, int) or size < 0:
        raise _odd(f"its size is {size!r:.100}")
    return size


def called(file: Any, method: str, *arguments: Any) -> Any:
    """Call a method of a file object of others, which may raise whatever it likes, such as `zlib.error`."""
    try:
        return getattr(file, method)(*arguments)
    except (MemoryError, SkopsafeError):
        raise
    except Exception as error:
        raise file_error(error, _UNREADABLE) from error


def _odd(what: str) -> FileError:
    return file_error(OSError(errno.EIO, what), _UNREADABLE)


def _waiting() -> FileError:
    return file_error(BlockingIOError(errno.EAGAIN, "it has nothing yet and does not wait"), _UNREADABLE)


def truncated() -> FormatError:
    return FormatError("the file is truncated", next_step=AGAIN)
