"""Shows what loading a pickle would do as a Python script, or opcode by opcode. Nothing of it is run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import BinaryIO

from skopsafe.collecting import without_collections
from skopsafe.errors import FormatError
from skopsafe.foreign.pickles.files import Stream, read, streams
from skopsafe.foreign.pickles.joblib import Arrays
from skopsafe.foreign.pickles.sections import Found, script
from skopsafe.foreign.pickles.trace import lines, trace
from skopsafe.limits import DEFAULT_LIMITS, Limits
from skopsafe.memory import within_memory
from skopsafe.streams import File, opened


def _streams(file: BinaryIO, limits: Limits) -> Iterator[Stream]:
    """Find the streams of a file that hold pickles."""
    there_is_one = False
    for stream in streams(file, limits):
        if stream.kind not in ("unreadable", "other"):
            there_is_one = True
            yield stream
    if not there_is_one:
        raise FormatError(
            "the file holds no pickle that can be read",
            next_step="`skopsafe inspect` says what is in it.",
        )


def _found(file: BinaryIO, limits: Limits) -> Iterator[Found]:
    """Read the pickles of a file, each in all ways in which loaders read it."""
    for stream in _streams(file, limits):
        readings = itertools.groupby(read(stream, limits), lambda pickle: pickle.reader)
        for number, (reader, pickles) in enumerate(readings):
            name = stream.path if number == 0 else f"{stream.path or 'the same'}, as {reader} reads it"
            yield Found(name, stream.source, list(pickles))


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
    limits = limits or DEFAULT_LIMITS
    with opened(file, limits) as stream:
        return script(list(_found(stream, limits)), complete=complete)


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
    limits = limits or DEFAULT_LIMITS
    with opened(file, limits) as opened_file:
        stream = next(_streams(opened_file, limits))
        arrays = Arrays(limits.opcodes) if stream.kind == "joblib" else None
        yield from lines(trace(stream.source, stream.start, limits.opcodes, arrays))
