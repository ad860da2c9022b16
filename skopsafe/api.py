"""The way through, readable top to bottom: dump, load, audit."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import platform
import sys
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Any, BinaryIO, Literal

from skopsafe import names
from skopsafe.archive import container, schema
from skopsafe.archive.arrays import Mapping
from skopsafe.build import Builder
from skopsafe.errors import (
    ArgumentError,
    FormatError,
    MissingTypeError,
    PolicyError,
    SkopsafeError,
    UnsupportedTypeError,
    file_error,
)
from skopsafe.graph.document import Document, Value
from skopsafe.graph.paths import path_to
from skopsafe.handlers.registry import Registry, default
from skopsafe.limits import DEFAULT_LIMITS, Limits
from skopsafe.save import Saver
from skopsafe.skew import differences, warn_about
from skopsafe.trust import audit as trust
from skopsafe.trust.audit import Audit
from skopsafe.trust.tables import Tables

File = str | os.PathLike[str] | IO[bytes]
MapMode = Literal["r", "c"] | None


@functools.cache
def _registry() -> Registry:
    return default()


@functools.cache
def _tables() -> Tables:
    return Tables(_registry().types)


def dump(
    obj: Any, file: File, *, compression: int = zipfile.ZIP_STORED, compresslevel: int | None = None
) -> None:
    """Save an object to a file.

    Parameters
    ----------
    obj : object
        What to save: an estimator, or any graph of supported objects.
    file : str, os.PathLike or binary file object
        Where to. A path is replaced atomically: a failed dump leaves the old file as it was.
    compression : int
        As in `zipfile.ZipFile`; stored by default, which is fastest and can be mapped.
    compresslevel : int, optional
        As in `zipfile.ZipFile`.

    Raises
    ------
    UnsupportedTypeError
        Something in `obj` could not be loaded again.
    """
    _check_compression(compression, compresslevel)
    if not isinstance(file, (str, os.PathLike)):
        _check_stream(file, "write", "wb")
    saver = Saver(_registry())
    root = saver.save(obj)
    _refuse_denied(saver, root)
    writer = _writer(saver)

    def write(out: IO[bytes]) -> None:
        schema.write(
            out,
            saver.arrays,
            saver.types,
            saver.shapes,
            saver.nodes,
            root,
            writer,
            compression,
            compresslevel,
        )

    if isinstance(file, (str, os.PathLike)):
        with container.replacing(os.fsdecode(file)) as out:
            write(out)
        return
    try:
        write(file)
    except OSError as error:
        raise file_error(error, "the file object cannot be written to") from error


def dumps(obj: Any, *, compression: int = zipfile.ZIP_STORED, compresslevel: int | None = None) -> bytes:
    """Save an object to bytes; see `dump`."""
    out = io.BytesIO()
    dump(obj, out, compression=compression, compresslevel=compresslevel)
    return out.getvalue()


def load(
    file: File,
    trusted: Sequence[str | type] | None = None,
    *,
    mmap_mode: MapMode = None,
    verify: bool = False,
    limits: Limits | None = None,
) -> Any:
    """Load an object from a file, building approved types only.

    Parameters
    ----------
    file : str, os.PathLike or binary file object
        What to load.
    trusted : sequence of str or type, optional
        Names, or classes, that you approve beyond the reviewed ones.
    mmap_mode : {None, "r", "c"}
        Map large arrays from the file in place: read-only, or copy-on-write. Needs a path.
    verify : bool
        Compare mapped arrays with their checksums too, which reads them once. All else is always
        compared.
    limits : Limits, optional
        Upper bounds for the file; those of `DEFAULT_LIMITS` unless given.

    Returns
    -------
    object
        What was saved.

    Raises
    ------
    UntrustedTypesFoundException
        Names need approval; nothing was imported and nothing built.
    DeniedTypeError
        The file names something that no approval unlocks.
    FormatError
        The file is damaged or would build an object that is not safe to use.
    """
    if limits is None:
        limits = DEFAULT_LIMITS
    if not isinstance(limits, Limits):
        raise ArgumentError("limits is no Limits", next_step="Write limits=skopsafe.Limits(nodes=...).")
    if mmap_mode not in (None, "r", "c"):
        raise PolicyError(f"mmap_mode {mmap_mode!r} is unknown", next_step="Use None, 'r' or 'c'.")
    if mmap_mode is not None and not isinstance(file, (str, os.PathLike)):
        raise PolicyError("only a path can be mapped", next_step="Pass a path, or leave out mmap_mode.")
    mapping = Mapping(mmap_mode, verify) if mmap_mode is not None else None
    with described(file, limits, mapping) as document:
        return _build(document, trusted)


def loads(data: bytes, trusted: Sequence[str | type] | None = None, *, limits: Limits | None = None) -> Any:
    """Load an object from bytes; see `load`."""
    return load(_bytes(data), trusted, limits=limits)


def audit(file: Any, *, limits: Limits = DEFAULT_LIMITS) -> Audit:
    """Say what a file, or an object before it is saved, asks of those who load it.

    Parameters
    ----------
    file : str, os.PathLike, bytes, binary file object, or any other object
        A file, or an object: then the answer is for the file that `dump` would write.
    limits : Limits
        Upper bounds for the file.

    Returns
    -------
    Audit
        Every name with its tier and reason. Nothing is imported and no array is read.
    """
    if isinstance(file, bytes):
        file = io.BytesIO(file)
    if isinstance(file, (str, os.PathLike)) or hasattr(file, "read"):
        with described(file, limits) as document:
            return audit_of(document)
    saver = Saver(_registry())
    root = saver.save(file)
    rows = len(saver.arrays.rows)
    return audit_of(Document(saver.types, saver.shapes, saver.nodes, rows, root, _writer(saver), _no_array))


def audit_of(document: Document) -> Audit:
    """Return the audit of a Document."""
    return trust.audit(document, _tables())


def get_untrusted_types(file: Any = None, *, data: bytes | None = None) -> list[str]:
    """Return the names that a file needs approved, sorted.

    Parameters
    ----------
    file : str, os.PathLike or binary file object
        The file to look at.
    data : bytes
        Its content, instead of `file`.

    Returns
    -------
    list of str
        For ``load(file, trusted=...)``, after a review. Empty: the file loads as it is.
    """
    if (file is None) == (data is None):
        raise PolicyError("give exactly one of file and data", next_step="Call get_untrusted_types(file).")
    if data is not None:
        return audit(_bytes(data)).untrusted
    if not isinstance(file, (str, os.PathLike, bytes)):
        _check_stream(file, "read", "rb")
    return audit(file).untrusted


def _build(document: Document, trusted: Any) -> Any:
    from skopsafe.handlers.sklearn import checks_of

    approved = trust.approve(document, _tables(), trusted)
    skew = differences(document.writer)
    if skew:
        warn_about(skew)
    try:
        return Builder(approved, _registry(), checks_of, _tables()).build()
    except (FormatError, MissingTypeError) as error:
        if not skew:
            raise
        # What another version writes can look like damage.
        step = f"The file was written under {skew}: load it there, or treat it as damaged."
        raise type(error)(error.reason, path=error.path, next_step=step) from error


def _no_array(index: int) -> Any:
    raise AssertionError(f"array {index} was asked for during an audit")


@contextlib.contextmanager
def described(
    file: File, limits: Limits = DEFAULT_LIMITS, mapping: Mapping | None = None
) -> Iterator[Document]:
    """Open a file as a Document, whose arrays can be read while the context lasts."""
    with _opened(file) as stream, schema.opened(stream, limits, mapping) as document:
        yield document


@contextlib.contextmanager
def _opened(file: File) -> Iterator[BinaryIO]:
    if isinstance(file, (str, os.PathLike)):
        path = os.fsdecode(file)
        try:
            stream = open(path, "rb")  # noqa: SIM115 - closed below
        except (OSError, ValueError) as error:
            raise file_error(error, "the file cannot be opened", str(path)) from error
        with stream:
            yield stream if stream.seekable() else _read_all(stream)
        return
    _check_stream(file, "read", "rb")
    try:
        seekable = hasattr(file, "seekable") and file.seekable()
        yield file if seekable else _read_all(file)  # type: ignore[misc]
    except SkopsafeError:
        raise
    except OSError as error:
        raise file_error(error, "the file object cannot be read") from error


def _read_all(file: IO[bytes]) -> BinaryIO:
    return _bytes(file.read())


def _bytes(data: Any) -> BinaryIO:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ArgumentError(
            f"the content of a file is bytes, not {type(data).__name__}", next_step="Call load for a path."
        )
    return io.BytesIO(data)


def _check_stream(file: Any, method: str, mode: str) -> None:
    """Raise unless `file` is an open binary file object that has `method`."""
    if isinstance(file, (bytes, bytearray, memoryview)):
        raise ArgumentError("file is bytes and no path", next_step="Call loads for the content of a file.")
    if not hasattr(file, method):
        raise ArgumentError(
            f"file is neither a path nor a binary file object but {type(file).__name__}",
            next_step="Pass a path.",
        )
    if getattr(file, "closed", False) is True:
        raise ArgumentError("the file object is closed", next_step="Pass a path.")
    if isinstance(file, io.TextIOBase):
        raise ArgumentError("the file object is open for text", next_step=f"Open it with {mode!r}.")


_LEVELS = {
    zipfile.ZIP_STORED: (-1, 9),
    zipfile.ZIP_DEFLATED: (-1, 9),
    zipfile.ZIP_BZIP2: (1, 9),
    zipfile.ZIP_LZMA: (-1, 9),
}


def _check_compression(compression: Any, level: Any) -> None:
    if not isinstance(compression, int) or compression not in _LEVELS:
        raise ArgumentError(
            f"compression {compression!r} is unknown",
            next_step="Use zipfile.ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2 or ZIP_LZMA.",
        )
    low, high = _LEVELS[compression]
    if level is not None and not (type(level) is int and low <= level <= high):
        raise ArgumentError(
            f"compresslevel {level!r} is unknown", next_step=f"Use an integer from {low} to {high}."
        )


def _refuse_denied(saver: Saver, root: Value) -> None:
    """Raise for what no approval would let anyone load again."""
    tables = _tables()
    for number, row in enumerate(saver.types):
        reason = trust.floor(row, tables)
        if reason is None:
            continue
        shapes = saver.shapes
        index = next(i for i, node in enumerate(saver.nodes) if shapes[node[0]].type == number)
        raise UnsupportedTypeError(
            f"{names.spell(row.name)} can never be approved, so the file could not be loaded: {reason}",
            path=path_to(index, saver.types, shapes, saver.nodes, root),
            next_step="Remove it from the object before saving, or use a function of your own instead.",
        )


def _writer(saver: Saver) -> dict[str, str]:
    """Return the versions of what wrote the file: skopsafe, Python and the libraries in it."""
    from skopsafe import __version__

    tops = {names.parse(row.name).module.partition(".")[0] for row in saver.types}
    versions = {"skopsafe": __version__, "python": platform.python_version()}
    for top in sorted(tops):
        version = getattr(sys.modules.get(top), "__version__", None)
        if isinstance(version, str):
            versions[_tables().distribution(top)] = version
    return versions
