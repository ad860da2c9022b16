"""Pickles to files of skopsafe, without unpickling: read, understood by rules, audited and written.

Files of skops go their own way, which is `updating`.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import IO, BinaryIO

from skopsafe import api
from skopsafe.archive import container, schema
from skopsafe.collecting import without_collections
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
from skopsafe.streams import File, fill, opened, path_of
from skopsafe.trust.audit import Audit
from skopsafe.updating import is_of_skops, updated


@within_memory
@without_collections
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
        The pickle, or the file of skops.
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
    method = container.check_compression(compression, compresslevel)
    limits = limits or DEFAULT_LIMITS
    with opened(src, limits) as stream:
        if is_of_skops(stream, limits):
            return updated(stream, dst, method, compresslevel, limits)[0]
        return _convert(stream, dst, method, compresslevel, limits)


def _convert(stream: BinaryIO, dst: File, method: int, compresslevel: int | None, limits: Limits) -> Audit:
    """Convert a pickle."""
    with one_pickle(stream, limits) as (found, source):
        registry = default()  # without plugins: a name of the pickle would choose what is imported
        maker = Maker(source, RULES, registry, api.tables_in_use())
        made = maker.make(found.root)
    saver = Saver(registry, StandTaker)
    root = saver.save(made)
    writer = versions([], str) | maker.versions
    audit = api.audit_of(api._document(saver, root))
    if audit.denied:
        raise DeniedTypeError(audit.denied, "`skopsafe inspect` shows what loading the pickle would do")

    def write(out: IO[bytes]) -> None:
        schema.write(
            out, saver.arrays, saver.types, saver.shapes, saver.runs, root, writer, method, compresslevel
        )

    fill(dst, write)
    return audit


@contextlib.contextmanager
def one_pickle(src: File, limits: Limits) -> Iterator[tuple[Pickle, Source]]:
    """Open a file as the one pickle that it holds, and read what it would make, as its own library does."""
    with opened(src, limits) as file:
        readings = [
            (found, stream.source)
            for stream in streams(file, limits)
            for found in read(stream, limits)
            if stream.kind in (found.reader, "npy")
        ]
        if len(readings) != 1:
            raise FormatError(
                f"the file holds {len(readings)} pickles" if readings else "the file holds no pickle",
                next_step="`skopsafe inspect` shows what is in it; only a file with one pickle is converted.",
            )
        ((found, source),) = readings
        if found.error:
            raise FormatError(
                f"the pickle breaks off: {found.error}",
                path=f"byte {found.end}",
                next_step="Get the file again from its author.",
            )
        yield found, source


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
    """

    source: str
    target: str = ""
    untrusted: tuple[str, ...] = ()
    error: str = ""
    denied: bool = False


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
        For each file, in the order of their paths.
    """
    if jobs < 1:
        raise ArgumentError("jobs is less than 1", next_step="Write jobs=2 for two processes.")
    root, target = Path(path_of(src)), Path(path_of(dst))
    pairs = [(str(path), str(target / name)) for path, name in _targets(root)]
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
    try:
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
        audit = convert(source, target, compression=compression, limits=limits)
    except SkopsafeError as error:
        return Converted(source, error=str(error), denied=isinstance(error, DeniedTypeError))
    except OSError as error:
        return Converted(source, error=f"the folder of the new file cannot be made ({error.strerror})")
    return Converted(source, target, tuple(audit.untrusted))
