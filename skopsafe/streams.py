"""What callers pass as a file: a path, or an open binary file object."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from typing import IO, Any, BinaryIO

from skopsafe.errors import ArgumentError, SkopsafeError, file_error

File = str | os.PathLike[str] | IO[bytes]


@contextlib.contextmanager
def opened(file: File, *, buffered: bool = True) -> Iterator[BinaryIO]:
    """Open a path, or take a file object as it is; what cannot be read at any place is read to its end."""
    if isinstance(file, (str, os.PathLike)):
        path = os.fsdecode(file)
        try:
            stream: Any = open(path, "rb", -1 if buffered else 0)  # noqa: SIM115 - closed below
        except (OSError, ValueError) as error:
            raise file_error(error, "the file cannot be opened", str(path)) from error
        with stream:
            yield stream if stream.seekable() else read_all(stream)
        return
    check_stream(file, "read", "rb")
    try:
        seekable = hasattr(file, "seekable") and file.seekable()
        yield file if seekable else read_all(file)  # type: ignore[misc]
    except SkopsafeError:
        raise
    except OSError as error:
        raise file_error(error, "the file object cannot be read") from error


def read_all(file: IO[bytes]) -> BinaryIO:
    return bytes_stream(file.read())


def bytes_stream(data: Any) -> BinaryIO:
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
