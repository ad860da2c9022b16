"""Looks into pickles: what loading would do, with a verdict. Nothing is unpickled and nothing imported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from skopsafe.api import tables_in_use
from skopsafe.collecting import without_collections
from skopsafe.errors import FormatError
from skopsafe.foreign.pickles.machine import Machine, Pickle
from skopsafe.foreign.pickles.reading import Source
from skopsafe.handlers.aliases import ALIASES
from skopsafe.judge.judging import BEHIND, judge
from skopsafe.judge.naming import Names
from skopsafe.judge.reports import PickleReport, report
from skopsafe.memory import within_memory
from skopsafe.streams import File, opened


class _File:
    """A file as a source.

    Parameters
    ----------
    file : binary file object
        Opened, at any place.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on, or as many as there are."""
        self._file.seek(offset)
        return self._file.read(size)


def pickles(file: BinaryIO) -> Iterator[tuple[str, Source, Pickle]]:
    """Yield the pickles of a file: the path in the container, the stream, and what was read."""
    source = _File(file)
    found = Machine(source).run()
    while not found.error and found.end < source.size:
        more = Machine(source, found.end).run()
        if more.error and not more.operations:
            found.notes.append((found.end, BEHIND))
            break
        yield "", source, found
        found = more
    yield "", source, found


def names() -> Names:
    """Return what judges names: keep it, to look at many files."""
    return Names(tables_in_use(), ALIASES)


@within_memory
@without_collections
def inspect_pickle(file: File, *, known: Names | None = None) -> PickleReport:
    """Say what loading a pickle would do, without loading it.

    Parameters
    ----------
    file : str, os.PathLike or binary file object
        The pickle.
    known : Names, optional
        From `names`: what was found out about names in other files.

    Returns
    -------
    PickleReport
        The verdict, and everything that loading would import, call and change.

    Raises
    ------
    FormatError
        The file is no pickle.
    LimitError
        It has more opcodes than are allowed.
    """
    known = names() if known is None else known
    path = os.fsdecode(file) if isinstance(file, (str, os.PathLike)) else ""
    with opened(file) as stream:
        judged = [(where, judge(found, known, source)) for where, source, found in pickles(stream)]
    first = judged[0][1].pickle
    if first.error and not first.operations:
        raise FormatError(
            f"this is no pickle, or a damaged one ({first.error})",
            path=path,
            next_step="Get the file again from its author.",
        )
    return report(path, judged)
