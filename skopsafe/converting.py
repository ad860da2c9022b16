"""Pickles to files of skopsafe, without unpickling: read, understood by rules, audited and written.

Files of skops go their own way, which is `updating`.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO

from skopsafe import api
from skopsafe.archive import container
from skopsafe.collecting import without_collections
from skopsafe.conversion.beside import Beside
from skopsafe.conversion.known import RULES
from skopsafe.conversion.objects import Maker
from skopsafe.conversion.stands import StandTaker
from skopsafe.errors import ArgumentError, DeniedTypeError, FormatError, SkopsafeError
from skopsafe.foreign.pickles.files import read, streams
from skopsafe.foreign.pickles.machine import Pickle
from skopsafe.foreign.pickles.reading import Source
from skopsafe.handlers.registry import default
from skopsafe.limits import DEFAULT_LIMITS, Limits
from skopsafe.memory import within_memory
from skopsafe.save import Saver
from skopsafe.skew import versions
from skopsafe.streams import File, opened, path_of
from skopsafe.trust.audit import Audit
from skopsafe.updating import is_of_skops, update_skops

_OF_JOBLIB = re.compile(r"_\d{2,9}\.npy(\.z)?\Z")
"""How the names of files end in which joblib before 0.10 kept the arrays of a pickle."""


def convert(
    src: File,
    dst: File,
    *,
    compression: str | int = 0,
    compresslevel: int | None = None,
    limits: Limits | None = None,
) -> Audit:
    """Convert a pickle, or a file of joblib or skops, to a file of skopsafe.

    Nothing is unpickled, imported or called.

    Parameters
    ----------
    src : str, os.PathLike or binary file object
        The pickle.
    dst : str, os.PathLike or binary file object
        The new file. A path is replaced once all is written.
    compression, compresslevel
        As for `dump`.
    limits : Limits, optional
        Upper bounds for the pickle.

    Returns
    -------
    Audit
        Of the new file. What the pickle would call and nobody reviewed stands in it for approval: a
        conversion grants no trust.

    Raises
    ------
    FormatError
        The file is no pickle, breaks off, or is not in the form in which its libraries write.
    UnsupportedTypeError
        It holds something that no rule covers, with the place in the pickle.
    DeniedTypeError
        It leads to something that can never be approved.
    """
    return _convert(src, dst, compression, compresslevel, limits or DEFAULT_LIMITS, set())


@within_memory
@without_collections
def _convert(
    src: File, dst: File, compression: str | int, level: int | None, limits: Limits, beside: set[str]
) -> Audit:
    """Convert a pickle as `convert` does, and add the names of the files that its arrays are in to a set."""
    method = container.check_compression(compression, level)
    with opened(src, limits) as stream:
        if is_of_skops(stream, limits):
            return update_skops(stream, dst, method, level, limits)[0]
        maker, made = _read(stream, src, limits, beside)
    saver = Saver(default(), StandTaker)
    root = saver.save(made)
    writer = versions([], str) | maker.versions
    audit = api.audit_of(api._document(saver, root, writer))
    if audit.denied:
        raise DeniedTypeError(audit.denied, "`skopsafe inspect` shows what loading the pickle would do")
    api.write(dst, saver, root, writer, method, level)
    return audit


def _read(stream: BinaryIO, src: File, limits: Limits, beside: set[str]) -> tuple[Maker, Any]:
    """Return the object that a pickle would make, and what made it."""
    registry = default()  # without plugins: a name of the pickle would choose what is imported
    with one_pickle(stream, limits, src) as (found, source, folder):
        beside |= {record.file for record in found.beside}

        def objects(file: BinaryIO) -> Any:
            with one_pickle(file, limits) as (inner, content, _):
                return Maker(content, RULES, registry, api.tables_in_use()).make(inner.root)

        arrays = Beside(folder, limits, objects)
        maker = Maker(source, RULES, registry, api.tables_in_use(), arrays)
        made = maker.make(found.root)
    return maker, made


@contextlib.contextmanager
def one_pickle(
    src: File, limits: Limits, named: File | None = None
) -> Iterator[tuple[Pickle, Source, str | None]]:
    """Open a file as the one pickle that it holds, and read what it would make, as its own library does.

    With it comes the folder of files that it names: that of a path, if the pickle is the file and no member.
    `named` is the path of a file that is open already.
    """
    with opened(src, limits) as file:
        readings = [
            (found, stream)
            for stream in streams(file, limits)
            for found in read(stream, limits)
            if stream.kind in (found.reader, "npy")
        ]
        if len(readings) != 1:
            raise FormatError(
                f"the file holds {len(readings)} pickles" if readings else "the file holds no pickle",
                next_step="`skopsafe inspect` shows what is in it; only a file with one pickle is converted.",
            )
        ((found, stream),) = readings
        if found.error:
            raise FormatError(
                f"the pickle breaks off: {found.error}",
                path=f"byte {found.end}",
                next_step="Get the file again from its author.",
            )
        folder = None
        path = src if named is None else named
        if isinstance(path, (str, os.PathLike)) and not stream.path:
            folder = os.path.dirname(path_of(path))
        yield found, stream.source, folder


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of one file of a folder.

    Attributes
    ----------
    source : str
        Its path.
    target : str
        The new file; empty where there is none.
    untrusted : tuple of str
        Names that need approval before the new file is loaded.
    error : str
        Why it was not converted.
    denied : bool
        Whether that is because it leads to what can never be approved.
    beside : frozenset of str
        Names of files in its folder that hold arrays of it.
    part_of : str
        For a file that is no pickle of its own: the path of the pickle that it holds an array of.
    """

    source: str
    target: str = ""
    untrusted: tuple[str, ...] = ()
    error: str = ""
    denied: bool = False
    beside: frozenset[str] = frozenset()
    part_of: str = ""


def convert_folder(
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    *,
    jobs: int = 1,
    compression: str | int = 0,
    limits: Limits | None = None,
) -> Iterator[Converted]:
    """Convert all pickles in a folder, and in those within it, to another folder.

    Parameters
    ----------
    src, dst : str or os.PathLike
        The folders. Names stay, and end in ``.skops``; where two files would have one name, they keep what
        they ended in as well.
    jobs : int
        Processes that work at the same time.
    compression, limits
        As for `convert`.

    Yields
    ------
    Converted
        For each file, in the order of their paths; last those that hold arrays of a pickle, or are named as
        if they did.
    """
    if jobs < 1:
        raise ArgumentError("jobs is less than 1", next_step="Write jobs=2 for two processes.")
    root, target = Path(path_of(src)), Path(path_of(dst))
    all_pairs = [(str(path), str(target / name)) for path, name in _targets(root)]
    last = [pair for pair in all_pairs if _OF_JOBLIB.search(pair[0])]
    first = [pair for pair in all_pairs if not _OF_JOBLIB.search(pair[0])]
    owners: dict[str, str] = {}
    for result in _all_of(first, jobs, compression, limits):
        folder = os.path.dirname(result.source)
        owners |= {os.path.join(folder, name): result.source for name in result.beside}
        yield result
    for source, new in last:
        if source in owners:
            yield Converted(source, part_of=owners[source])
        else:
            yield convert_file(source, new, compression, limits)


def _all_of(
    pairs: list[tuple[str, str]], jobs: int, compression: str | int, limits: Limits | None
) -> Iterator[Converted]:
    """Convert files to others, in processes where there are to be some."""
    if jobs == 1:
        for pair in pairs:
            yield convert_file(*pair, compression, limits)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        sources, targets = zip(*pairs, strict=True) if pairs else ((), ())
        count = len(pairs)
        yield from pool.map(convert_file, sources, targets, [compression] * count, [limits] * count)


def _targets(root: Path) -> list[tuple[Path, Path]]:
    """Return the files of a folder, and the names of those that they become."""
    found = sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".skops")
    names = [path.relative_to(root) for path in found]
    short = [name.with_suffix(".skops") for name in names]
    counts = Counter(short)
    return [
        (path, to if counts[to] == 1 else name.with_name(name.name + ".skops"))
        for path, name, to in zip(found, names, short, strict=True)
    ]


def convert_file(
    source: str, target: str, compression: str | int = 0, limits: Limits | None = None
) -> Converted:
    """Convert one file to another, and return what became of it: an error is no exception here."""
    beside: set[str] = set()
    try:
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        audit = _convert(source, target, compression, None, limits or DEFAULT_LIMITS, beside)
    except SkopsafeError as error:
        is_denied = isinstance(error, DeniedTypeError)
        return Converted(source, error=str(error), denied=is_denied, beside=frozenset(beside))
    except OSError as error:
        return Converted(source, error=f"the folder of the new file cannot be made ({error.strerror})")
    return Converted(source, target, tuple(audit.untrusted), beside=frozenset(beside))
