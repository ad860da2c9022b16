"""Looks into pickles: what loading would do, with a verdict. Nothing is unpickled and nothing imported."""

from __future__ import annotations

import functools
import os

from skopsafe.api import tables_in_use
from skopsafe.collecting import without_collections
from skopsafe.errors import FormatError
from skopsafe.foreign.pickles.files import Stream, read, streams
from skopsafe.handlers.aliases import ALIASES
from skopsafe.judge.judging import Judged, judge
from skopsafe.judge.naming import Names
from skopsafe.judge.reports import PickleReport, Seen, report
from skopsafe.limits import DEFAULT_LIMITS, Limits
from skopsafe.memory import within_memory
from skopsafe.streams import File, opened
from skopsafe.trust.tables import Tables


@functools.lru_cache(maxsize=1)
def _names_of(tables: Tables) -> Names:
    """Return what judges names, which keeps what it found."""
    return Names(tables, ALIASES)


@within_memory
@without_collections
def inspect_pickle(file: File, *, limits: Limits = DEFAULT_LIMITS) -> PickleReport:
    """Say what loading a pickle would do, without loading it.

    Parameters
    ----------
    file : str, os.PathLike or binary file object
        A pickle, a file of joblib, or an archive or compressed file with such files in it.
    limits : Limits
        Upper bounds for the file.

    Returns
    -------
    PickleReport
        The verdict, and everything that loading would import, call and change.

    Raises
    ------
    FormatError
        There is no pickle in the file, and nothing that could hold one.
    LimitError
        It is larger, or has more opcodes, than is allowed.
    """
    known = _names_of(tables_in_use())
    path = os.fsdecode(file) if isinstance(file, (str, os.PathLike)) else ""
    with opened(file, limits) as content:
        seen = [_look(stream, limits, known) for stream in streams(content, limits)]
    if all(each.kind == "other" for each in seen):
        raise FormatError("there is no pickle in the file", path=path, next_step="Check the path.")
    return report(path, seen)


def _look(stream: Stream, limits: Limits, known: Names) -> Seen:
    """Judge all readings of a stream."""
    found = read(stream, limits)
    # Where joblib reads it, what others make of the bytes of its arrays is chance, but for what attacks.
    usual = {"joblib"} if any(pickle.reader == "joblib" for pickle in found) else {"pickle"}
    judged: list[Judged] = [
        judge(pickle, known, stream.source, is_usual=pickle.reader in usual) for pickle in found
    ]
    return Seen(stream.path, stream.kind, stream.notes, judged)
