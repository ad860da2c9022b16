"""Looks into pickles: what loading would do, with a verdict. Nothing is unpickled and nothing imported."""

from __future__ import annotations

import functools
import itertools
import os

from skopsafe.api import tables_in_use
from skopsafe.beside import is_plain, opened_beside
from skopsafe.collecting import without_collections
from skopsafe.errors import FileError, FormatError, LimitError, escape
from skopsafe.foreign.pickles.files import Stream, read, streams
from skopsafe.foreign.pickles.values import Stored
from skopsafe.handlers.aliases import ALIASES
from skopsafe.judge.judging import Judged, judge
from skopsafe.judge.levels import Finding, worst
from skopsafe.judge.naming import Names
from skopsafe.judge.reports import PickleReport, Seen, report
from skopsafe.limits import DEFAULT_LIMITS, Limits
from skopsafe.memory import within_memory
from skopsafe.streams import File, opened
from skopsafe.trust.tables import Tables

_BESIDE = "file beside"
_SHOWN = 200


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
    seen: list[Seen] = []
    with opened(file, limits) as content:
        for stream in streams(content, limits):
            # Files beside are those of a pickle that is a file, and no member of one.
            folder = os.path.dirname(path) if path and not stream.path else None
            seen += _look(stream, limits, known, folder)
    if all(each.kind == "other" for each in seen):
        raise FormatError("there is no pickle in the file", path=path, next_step="Check the path.")
    return report(path, seen)


def _look(stream: Stream, limits: Limits, known: Names, folder: str | None) -> list[Seen]:
    """Judge all readings of a stream, and what is in files of its folder that it reads arrays from."""
    found = read(stream, limits)
    beside: dict[str, Finding] = {}
    seen: list[Seen] = []
    if folder is not None:
        # One file may be named as bytes and as an array: the second is what numpy may unpickle.
        named = {(record.file, record.is_packed): record for each in found for record in each.beside}
        for record in itertools.islice(named.values(), limits.members):
            said, inner = _look_beside(record, folder, limits, known)
            beside[record.file] = worst([said], beside.get(record.file, said))
            seen += inner
    # Where joblib reads it, what others make of the bytes of its arrays is chance, but for what attacks.
    usual = {"joblib"} if any(pickle.reader == "joblib" for pickle in found) else {"pickle"}
    judged: list[Judged] = [
        judge(pickle, known, stream.source, is_usual=pickle.reader in usual, beside=beside)
        for pickle in found
    ]
    return [Seen(stream.path, stream.kind, stream.notes, judged), *seen]


def _look_beside(record: Stored, folder: str, limits: Limits, known: Names) -> tuple[Finding, list[Seen]]:
    """Judge a file that joblib reads an array from: an ``.npy``, or whatever else numpy would unpickle."""
    name = escape(repr(record.file[:_SHOWN]))
    if not record.file:
        return Finding("unknown", _BESIDE, "reads an array from a file whose name is no text"), []
    if not is_plain(record.file):
        return Finding("suspicious", _BESIDE, f"reads an array from {name}, which is no file beside it"), []
    try:
        with opened_beside(folder, record.file) as file:
            if record.is_packed:  # whose content is no more than the bytes of an array
                return Finding("safe", _BESIDE, f"reads the bytes of an array from {name}"), []
            seen = [
                each
                for stream in streams(file, limits, record.file)
                for each in _look(stream, limits, known, None)
            ]
    except FileError as error:
        return Finding("unknown", _BESIDE, f"an array is in the file {name}: {error.reason}"), []
    except LimitError:
        raise
    except FormatError as error:
        return Finding("suspicious", _BESIDE, f"an array is in the file {name}: {error.reason}"), []
    if any(each.kind == "other" for each in seen):
        return Finding("unknown", _BESIDE, f"reads an array from {name}, which is no .npy"), []
    return Finding("safe", _BESIDE, f"reads an array from {name}, which was looked at too"), seen
