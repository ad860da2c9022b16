"""A file that takes the place of another when it is complete."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from typing import IO

from skopsafe.errors import FileError, SkopsafeError, file_error

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_TRIES = 100


class Replacement(io.FileIO):
    """A new file, unbuffered."""


@contextlib.contextmanager
def replacing(path: str) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path` that replaces it when all went well, atomically.

    A pipe or a device is written to and never replaced.

    Raises
    ------
    FileError
        The file cannot be written.
    """
    try:
        final, mode = _target(path)
    except (OSError, ValueError) as error:
        raise file_error(error, "the file cannot be written", path) from error
    if stat.S_ISDIR(mode) or not path or path.endswith((os.sep, os.altsep or os.sep)):
        raise FileError("a folder cannot be written as a file", path=path, next_step="Name a file in it.")
    try:
        if not mode or stat.S_ISREG(mode):
            yield from _through_temporary(final, stat.S_IMODE(mode) if mode else None)
        else:
            with open(final, "wb") as file:
                yield file
    except SkopsafeError:
        raise
    except OSError as error:
        raise file_error(error, "the file cannot be written", path) from error


def _target(path: str) -> tuple[str, int]:
    """Return the file that is to be written and its mode, 0 if there is none yet. Links are followed."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return path, 0
    if not stat.S_ISLNK(mode):
        return path, mode
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = 0
    # What a link to a pipe leads to may have no path of its own.
    return (path if mode and not stat.S_ISREG(mode) else os.path.realpath(path)), mode


def _through_temporary(final: str, mode: int | None) -> Iterator[IO[bytes]]:
    descriptor, temporary = _create(final, 0o666 if mode is None else mode)
    try:
        with Replacement(descriptor, "wb") as file:
            yield file
            if mode is not None:  # the umask, which a new file obeys, has taken some away
                os.chmod(descriptor if os.chmod in os.supports_fd else temporary, mode)
        os.replace(temporary, final)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _create(final: str, mode: int) -> tuple[int, str]:
    """Create a file beside `final` that nobody may do more with than `mode` says; return it and its path."""
    folder, base = os.path.split(final)
    for _ in range(_TRIES):
        # The name of the file itself may be as long as names can be.
        temporary = os.path.join(folder, f".{base[:50]}.{os.urandom(6).hex()}.tmp")
        try:
            return os.open(temporary, _FLAGS, mode), temporary
        except FileExistsError:
            continue
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
