"""A file that takes the place of another when it is complete."""

from __future__ import annotations

import errno
import functools
import io
import os
import stat
from collections.abc import Callable
from typing import IO, Any

from skopsafe.archive.permissions import resemble
from skopsafe.errors import SkopsafeError, file_error

_TRIES = 100
_UNWRITABLE = "the file cannot be written"

Write = Callable[[IO[bytes]], object]


class Replacement(io.FileIO):
    """A new file, unbuffered."""


def replace(path: str, write: Write) -> None:
    """Let `write` fill a temporary file beside `path`, which it then replaces, atomically.

    A pipe or a device is written to and never replaced.

    This is a function that takes a function, and no context manager: those are left unfinished where an
    interrupt comes between them and their block.

    Raises
    ------
    FileError
        The file cannot be written.
    """
    try:
        final, old = _target(path)
    except (OSError, ValueError) as error:
        raise file_error(error, _UNWRITABLE, path) from error
    try:
        if stat.S_ISDIR(old.st_mode if old else 0) or path.endswith((os.sep, os.altsep or os.sep)):
            raise IsADirectoryError(errno.EISDIR, "a folder cannot be written as a file")
        if not path:
            raise FileNotFoundError(errno.ENOENT, "the path is empty")
        if final is not None and (old is None or stat.S_ISREG(old.st_mode)):
            _through_temporary(final, old, write)
        else:
            # Unbuffered: to close it is nothing that could wait for a reader.
            with open(path, "wb", 0) as file:
                write(file)
    except SkopsafeError:
        raise
    except OSError as error:
        raise file_error(error, _UNWRITABLE, path) from error


def _target(path: str) -> tuple[str | None, os.stat_result | None]:
    """Return the file that is to be written, if it has a path, and what it is if it exists. Follows links."""
    final: str | None = path
    try:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            final = None if _is_open_file(path) else os.path.realpath(path)
            found = os.stat(path)
    except FileNotFoundError:
        return final, None
    return final, found


def _is_open_file(path: str) -> bool:
    """Tell whether a link, such as ``/dev/stdout``, leads to an open file: that may have no path any more."""
    for _ in range(_TRIES):
        folder = os.path.realpath(os.path.dirname(path))
        if folder.startswith("/proc/") and os.path.basename(folder) == "fd":
            return True
        path = os.path.join(folder, os.path.basename(path))
        if not os.path.islink(path):
            return False
        path = os.path.join(folder, os.readlink(path))
    return False  # to ask for more about it is an error


def _through_temporary(final: str, old: os.stat_result | None, write: Write) -> None:
    # Nobody may ever do more with it than with the file whose place it takes.
    mode = 0o666 if old is None else stat.S_IMODE(old.st_mode) & 0o777
    folder, base = os.path.split(final)
    for _ in range(_TRIES):
        # The name of the file itself may be as long as names can be.
        temporary = os.path.join(folder, f".{base[:50]}.{os.urandom(6).hex()}.tmp")
        if _replaced_by(temporary, final, mode, old, write):
            return
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def _replaced_by(temporary: str, final: str, mode: int, old: os.stat_result | None, write: Write) -> bool:
    """Return False, having done nothing, if there is a file of the temporary name."""
    try:
        try:
            # Both are functions of C, so that no interrupt comes between the new file and this block.
            file: Any = Replacement(temporary, "xb", opener=functools.partial(os.open, mode=mode))
        except FileExistsError:
            return False
        with file:
            write(file)
            if old is not None:
                resemble(file.fileno(), temporary, final, old)
        os.replace(temporary, final)
    except BaseException:
        try:  # noqa: SIM105 - suppress() is a function of Python's, before which an interrupt could come
            os.unlink(temporary)
        except OSError:  # gone already, or the disk is: the first error says more
            pass
        raise
    return True
