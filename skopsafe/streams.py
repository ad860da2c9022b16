"""What callers pass as a file: a path, or an open binary file object."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from typing import IO, Any, BinaryIO

from skopsafe.archive.access import called, read_some
from skopsafe.archive.container import replace
from skopsafe.errors import ArgumentError, LimitError, SkopsafeError, file_error
from skopsafe.limits import Limits

File = str | os.PathLike[str] | IO[bytes]

_PIECE = 1 << 20


@contextlib.contextmanager
def opened(file: File, limits: Limits | None = None, *, buffered: bool = True) -> Iterator[BinaryIO]:
    """Open a path, or take a file object as it is; what cannot be read at any place is read to its end.

    Parameters
    ----------
    file : str, os.PathLike or binary file object
        What to open.
    limits : Limits, optional
        Say how much there may be to its end.
    buffered : bool
        Whether a path is opened with a buffer.
    """
    path = ""
    try:
        if isinstance(file, (str, os.PathLike)):
            path = path_of(file)
            try:
                stream: Any = open(path, "rb", -1 if buffered else 0)  # noqa: SIM115 - closed below
            except (OSError, ValueError) as error:
                raise file_error(error, "the file cannot be opened", path) from error
            with stream:
                yield stream if stream.seekable() else _read_all(stream, limits)
            return
        check_stream(file, "read", "rb")
        seekable = hasattr(file, "seekable") and called(file, "seekable")
        yield file if seekable else _read_all(file, limits)  # type: ignore[misc]
    except SkopsafeError:
        raise
    except OSError as error:
        raise file_error(error, "the file cannot be read", path) from error


def fill(file: File, write: Callable[[IO[bytes]], None]) -> None:
    """Let `write` fill a file: a path is replaced when that has come to its end."""
    if isinstance(file, (str, os.PathLike)):
        replace(path_of(file), write)
        return
    try:
        write(file)
    except SkopsafeError:
        raise
    except OSError as error:
        raise file_error(error, "the file object cannot be written to") from error


def path_of(file: str | os.PathLike[str]) -> str:
    """Return a path as text.

    Raises
    ------
    ArgumentError
        It is none.
    """
    try:
        return os.fsdecode(file)
    except TypeError as error:
        raise ArgumentError(f"file is no path ({error})", next_step="Pass a path.") from error


def _read_all(file: IO[bytes], limits: Limits | None) -> BinaryIO:
    """Read what has no known size, such as a pipe: no more of it than a file could have that is loaded."""
    out = io.BytesIO()
    while piece := read_some(file, _PIECE):
        out.write(piece)
        if limits is not None and out.tell() > _most(limits):
            raise LimitError(
                f"the stream has more than {_most(limits)} bytes",
                next_step="Pass limits=Limits(total_bytes=...) if you expect so much.",
            )
    out.seek(0)
    return out


def _most(limits: Limits) -> int:
    """Return how large a file can be that keeps within limits.

    Compression can make a member somewhat larger. Headers, and what aligns members, take less than four times
    what the directory has for them.
    """
    return limits.total_bytes + limits.total_bytes // 16 + 4 * limits.directory_bytes + _PIECE


def bytes_stream(data: Any) -> BinaryIO:
    """Return the content of a file as a file."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ArgumentError(
            f"the content of a file is bytes, not {type(data).__name__}", next_step="Call load for a path."
        )
    return io.BytesIO(data)


def check_stream(file: Any, method: str, mode: str) -> None:
    """Raise unless `file` is an open binary file object that has `method`."""
    if isinstance(file, (bytes, bytearray, memoryview)):
        raise ArgumentError("file is bytes and no path", next_step="Call loads for the content of a file.")
    if not hasattr(file, method):
        raise ArgumentError(
            f"file is neither a path nor a binary file object but {type(file).__name__}",
            next_step="Pass a path.",
        )
    if getattr(file, "closed", False) is True:
        raise ArgumentError("the file object is closed", next_step="Pass a path.")
    if isinstance(file, io.TextIOBase):
        raise ArgumentError("the file object is open for text", next_step=f"Open it with {mode!r}.")
