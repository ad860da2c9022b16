"""Files beside a pickle, in which joblib before 0.10 kept arrays: opened where they should be, or not."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from skopsafe.errors import FormatError, file_error

_LONGEST = 255
_NOT_IN_NAMES = frozenset("/\\:\0")
_FLAGS = sum(getattr(os, f"O_{name}", 0) for name in ("RDONLY", "BINARY", "CLOEXEC", "NOFOLLOW", "NONBLOCK"))
_AGAIN = "Put the file itself into the folder of the pickle, if you trust where it comes from."


def is_plain(name: str) -> bool:
    """Tell whether a name is one of a file in the very folder, whichever system reads it."""
    return 0 < len(name) <= _LONGEST and name not in (".", "..") and not _NOT_IN_NAMES & set(name)


@contextlib.contextmanager
def opened_beside(folder: str, name: str) -> Iterator[BinaryIO]:
    """Open a file that a pickle names, in the folder of the pickle.

    Parameters
    ----------
    folder : str
        The folder.
    name : str
        As the pickle has it: it may be crafted.

    Raises
    ------
    FormatError
        The name leads elsewhere, or what has it is a link or no file.
    FileError
        There is no such file, or it cannot be opened.
    """
    if not is_plain(name):
        raise FormatError(
            "the file that an array is in is not in the folder of the pickle",
            path=name[:1000],
            next_step=_AGAIN,
        )
    path = os.path.join(folder, name)
    try:
        before = os.lstat(path)
        # Nothing but a file is opened: to open a pipe waits, and to open a device may do anything.
        if not stat.S_ISREG(before.st_mode):
            raise FormatError(
                "the file that an array is in is a link, or no file", path=path[:1000], next_step=_AGAIN
            )
        number = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise file_error(error, f"the file {name!r}, which an array is in, cannot be opened", path) from error
    with os.fdopen(number, "rb") as file:
        after = os.fstat(number)
        if (after.st_dev, after.st_ino) != (before.st_dev, before.st_ino):
            raise FormatError("the file changes while it is opened", path=path[:1000], next_step=_AGAIN)
        yield file
