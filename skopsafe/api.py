"""The way through, readable top to bottom: dump, load, audit."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from typing import IO, Any, Literal

from skopsafe.archive import container, schema
from skopsafe.archive.source import Mapping
from skopsafe.build import Builder
from skopsafe.collecting import without_collections
from skopsafe.errors import (
    ArgumentError,
    FormatError,
    MissingTypeError,
    PolicyError,
    UnsupportedTypeError,
)
from skopsafe.graph.document import Document, Value
from skopsafe.graph.parts import Handler
from skopsafe.graph.paths import path_to
from skopsafe.handlers.aliases import SPELLED
from skopsafe.handlers.library import Check
from skopsafe.handlers.registry import Registry, default
from skopsafe.limits import DEFAULT_LIMITS, Limits
from skopsafe.memory import within_memory
from skopsafe.plugins import Plugins, from_code
from skopsafe.save import Saver
from skopsafe.skew import audited, today, versions, warn_about
from skopsafe.streams import File, bytes_stream, check_stream, fill, opened
from skopsafe.trust import audit as trust
from skopsafe.trust.audit import Audit
from skopsafe.trust.policy import Policy, policy_of
from skopsafe.trust.tables import Tables
from skopsafe.trust.verdicts import verdict

MapMode = Literal["r", "c"] | None


_PLUGINS = Plugins()


# Threads that come first at the same time may make several of these, all of which answer alike.
@functools.cache
def _registry() -> Registry:
    return default(_PLUGINS.library)


@functools.cache
def _tables() -> Tables:
    # What an audit asks must import no plugin: a registry without any, and their tables.
    return Tables(default(), _PLUGINS.table)


def register(*handlers: Handler, table: str = "", checks: MappingOf[str, Check] | None = None) -> None:
    """Make the types of your own package known to this process: how they are taken apart, built and checked.

    A package that others install has an entry point instead; see the guide on plugins.

    Parameters
    ----------
    *handlers : Handler
        Getter/loader pairs, all for types of one top-level module, which has the functions too.
    table : str
        TOML in the form of a plugin's ``skopsafe.toml``: classes and functions of the module that were
        reviewed, each with its reason, and rules for their attributes.
    checks : mapping of str to callable
        ``check(obj)`` by ``module:qualname`` of a class of the module.

    Raises
    ------
    PluginError
        The types are of another package than the functions, or are known to skopsafe itself; or the table
        is malformed, or names something of another module.
    """
    _PLUGINS.register(from_code(handlers, table, checks or {}))
    _registry.cache_clear()
    _tables.cache_clear()


@within_memory
@without_collections
def dump(obj: Any, file: File, *, compression: str | int = 0, compresslevel: int | None = None) -> None:
    """Save an object to a file.

    Parameters
    ----------
    obj : object
        What to save: an estimator, or any graph of supported objects.
    file : str, os.PathLike or binary file object
        Where to. A path is replaced atomically: a failed dump leaves the old file as it was.
    compression : {"stored", "deflate", "bzip2", "lzma", "zstd"} or int
        How, by name or as a constant of `zipfile`; stored by default, which is fastest and can be mapped.
        Before Python 3.14, "zstd" needs the extra ``skopsafe[zstd]``.
    compresslevel : int, optional
        -1 to 9 for "deflate", 1 to 9 for "bzip2", up to 22 for "zstd".

    Raises
    ------
    UnsupportedTypeError
        Something in `obj` could not be loaded again.

    Notes
    -----
    While it runs, Python does not look for garbage cycles (`gc.disable`), nor in `load` and `audit`.
    """
    method = container.check_compression(compression, compresslevel)
    if not isinstance(file, (str, os.PathLike)):
        check_stream(file, "write", "wb")
    saver = Saver(_registry())
    root = saver.save(obj)
    _refuse_denied(saver, root)
    writer = versions([row.name for row in saver.types], _tables().distribution)
    write(file, saver, root, writer, method, compresslevel)


def write(
    file: File, saver: Saver, root: Value, writer: dict[str, str], method: int, level: int | None
) -> None:
    """Write what a saver holds to a file."""

    def write_to(out: IO[bytes]) -> None:
        schema.write(out, saver.arrays, saver.types, saver.shapes, saver.runs, root, writer, method, level)

    fill(file, write_to)


@within_memory
def dumps(obj: Any, *, compression: str | int = 0, compresslevel: int | None = None) -> bytes:
    """Save an object to bytes; see `dump`."""
    out = io.BytesIO()
    dump(obj, out, compression=compression, compresslevel=compresslevel)
    return out.getvalue()


@within_memory
@without_collections
def load(
    file: File,
    trusted: Sequence[str | type] | None = None,
    *,
    mmap_mode: MapMode = None,
    verify: bool = False,
    policy: str | os.PathLike[str] | None = None,
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
    policy : str or os.PathLike, optional
        A TOML file with more names that you approve: ``trusted = ["mypkg.models.Model", "mypkg.steps.*"]``.
        Keep it under review, and never beside the models.
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
    approved = policy_of(trusted, policy, SPELLED)
    mapping = Mapping(mmap_mode, verify) if mmap_mode is not None else None
    with described(file, limits, mapping, whole=True) as document:
        return _build(document, approved)


@within_memory
def loads(
    data: bytes,
    trusted: Sequence[str | type] | None = None,
    *,
    policy: str | os.PathLike[str] | None = None,
    limits: Limits | None = None,
) -> Any:
    """Load an object from bytes; see `load`."""
    return load(bytes_stream(data), trusted, policy=policy, limits=limits)


@within_memory
@without_collections
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
    return audit_of(_document(saver, saver.save(file)))


def audit_of(document: Document) -> Audit:
    """Return the audit of a Document: of what the installed libraries would make of it."""
    return audited(document, _tables())


def tables_in_use() -> Tables:
    """Return the reviewed and denied names, of skopsafe and of the plugins."""
    return _tables()


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
        return audit(bytes_stream(data)).untrusted
    if not isinstance(file, (str, os.PathLike, bytes)):
        check_stream(file, "read", "rb")
    return audit(file).untrusted


def _build(document: Document, policy: Policy) -> Any:
    tables = _tables()
    document, skew, is_kept, _ = today(document)
    approved = trust.approve(document, tables, policy)
    if not is_kept:
        warn_about(skew)
    try:
        return Builder(approved, _registry(), tables).build()
    except (FormatError, MissingTypeError) as error:
        absent = isinstance(error.__cause__, ModuleNotFoundError) and "." not in str(error.__cause__.name)
        if absent or not skew:
            raise
        # What another version writes can look like damage.
        step = f"The file was written under {skew}: load it there, or treat it as damaged."
        raise type(error)(error.reason, path=error.path, next_step=step) from error


def _document(saver: Saver, root: Value, writer: dict[str, str] | None = None) -> Document:
    """Return what `saver` wrote, for a look at it; its versions are those of this process unless given."""
    if writer is None:
        writer = versions([row.name for row in saver.types], _tables().distribution)
    tables, arrays = (saver.types, saver.shapes, saver.runs), saver.arrays
    return Document(*tables, arrays.count, root, writer, _no_arrays, extent=arrays.extent)


def _no_arrays(numbers: Sequence[int]) -> Any:
    raise AssertionError(f"arrays {numbers} were asked for during an audit")


@contextlib.contextmanager
def described(
    file: File, limits: Limits = DEFAULT_LIMITS, mapping: Mapping | None = None, *, whole: bool = False
) -> Iterator[Document]:
    """Open a file as a Document, whose arrays can be read while the context lasts.

    Parameters
    ----------
    file : str, os.PathLike or binary file object
        A file of skopsafe or of skops.
    limits : Limits
        Upper bounds.
    mapping : Mapping, optional
        How arrays are mapped.
    whole : bool
        Whether arrays will be asked for: those of a file of skops are read with all else.
    """
    with opened(file, limits, buffered=False) as stream:
        # What has to be read to its end, such as a pipe, cannot be mapped.
        can_be_mapped = isinstance(stream, io.FileIO)
        try:
            document = schema.read(stream, limits, mapping if can_be_mapped else None)
        except schema.OfSkops:
            from skopsafe import from_skops

            document = from_skops.read(stream, limits, _tables(), whole=whole).document
        yield document


def _refuse_denied(saver: Saver, root: Value) -> None:
    """Raise for what no approval would let anyone load again."""
    tables = _tables()
    for number, row in enumerate(saver.types):
        judged = verdict(row.name, row.role, tables)
        if judged.tier != "denied":
            continue
        nodes = list(_document(saver, root).each())
        index = next(i for i, node in enumerate(nodes) if saver.shapes[node[0]].type == number)
        raise UnsupportedTypeError(
            f"{judged.name} can never be approved, so the file could not be loaded: {judged.reason}",
            path=path_to(index, saver.types, saver.shapes, nodes, root),
            next_step="Remove it from the object before saving, or use a function of your own instead.",
        )
