"""Shows what loading a pickle would do as a Python script, or opcode by opcode. Nothing of it is run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from skopsafe.archive.access import read_some
from skopsafe.collecting import without_collections
from skopsafe.errors import FormatError
from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.sections import Found, script
from skopsafe.foreign.pickles.trace import lines, trace
from skopsafe.limits import DEFAULT_LIMITS, Limits
from skopsafe.memory import within_memory
from skopsafe.streams import File, opened

_OPCODES = 10**7
_MOST = 100
"""Pickles of one stream that are shown: each one reads a window of it anew."""


class _Stream:
    """An open file as a source.

    Parameters
    ----------
    file : binary file object
        It can be read at any place.
    """

    __slots__ = ("_file", "size")

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on, or as many as there are."""
        self._file.seek(offset)
        return read_some(self._file, size)


def _streams(file: BinaryIO) -> list[Found]:
    """Read the pickles of a file."""
    source = _Stream(file)
    found = [Machine(source, 0, _OPCODES).run()]
    if found[0].error and not found[0].operations:
        raise FormatError(
            f"this is no pickle, or a damaged one ({found[0].error})",
            path=f"byte {found[0].end}",
            next_step="Get the file again from its author.",
        )
    left = _OPCODES - found[0].opcodes
    while not found[-1].error and found[-1].end < source.size and len(found) < _MOST:
        further = Machine(source, found[-1].end, left).run()
        left -= further.opcodes
        if further.error and not further.operations:
            break
        found.append(further)
    return [Found("", source, found)]


@within_memory
@without_collections
def decompile(file: File, *, complete: bool = False, limits: Limits | None = None) -> str:
    """Return a Python script that does what loading a pickle would do, in the same order.

    Nothing is unpickled, imported or called. Running the script is as dangerous as loading the pickle.

    Parameters
    ----------
    file : str, os.PathLike or binary file object
        The pickle.
    complete : bool
        Leave nothing out, so that the script runs and makes the same object. Otherwise long texts, bytes and
        arrays are described by a call of ``_left_out``.
    limits : Limits, optional
        Upper bounds for what is read.

    Returns
    -------
    str
        The script: imports, helper functions that do what an opcode does, and the statements.

    Raises
    ------
    FormatError
        The file is no pickle.
    LimitError
        There are more opcodes than are allowed, or more content than a complete script may have.
    """
    with opened(file, limits or DEFAULT_LIMITS) as stream:
        return script(_streams(stream), complete=complete)


def trace_lines(file: File, limits: Limits | None = None) -> Iterator[str]:
    """Go through the opcodes of the first pickle of a file, as lines of text.

    Parameters
    ----------
    file : str, os.PathLike or binary file object
        The pickle.
    limits : Limits, optional
        Upper bounds for what is read.

    Raises
    ------
    LimitError
        There are more opcodes than are allowed.
    """
    with opened(file, limits or DEFAULT_LIMITS) as stream:
        yield from lines(trace(_Stream(stream), 0, _OPCODES))
