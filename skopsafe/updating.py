"""Old files to files of today: those of skops, and those of earlier protocols of skopsafe."""

from __future__ import annotations

from typing import IO, BinaryIO

from skopsafe import api, from_skops
from skopsafe.archive import container, schema
from skopsafe.archive.access import called, read_some
from skopsafe.collecting import without_collections
from skopsafe.errors import DeniedTypeError, SkopsafeError
from skopsafe.limits import DEFAULT_LIMITS, Limits
from skopsafe.memory import within_memory
from skopsafe.skew import versions
from skopsafe.streams import File, fill, opened
from skopsafe.trust.audit import Audit

_PIECE = 1 << 20


@within_memory
@without_collections
def update(
    src: File,
    dst: File,
    *,
    compression: str | int = 0,
    compresslevel: int | None = None,
    limits: Limits | None = None,
) -> Audit:
    """Bring a file of skops, or of an earlier protocol of skopsafe, to the protocol of today.

    Nothing is imported, built or called, and skops need not be installed. A file of today's protocol is
    copied as it is.

    Parameters
    ----------
    src : str, os.PathLike or binary file object
        The file.
    dst : str, os.PathLike or binary file object
        The new file. A path is replaced once all is written, and may be that of `src`.
    compression, compresslevel
        As for `dump`.
    limits : Limits, optional
        Upper bounds for the file.

    Returns
    -------
    Audit
        Of the new file. What needed approval needs it still: an update grants no trust.

    Raises
    ------
    FormatError
        The file is damaged, contradicts itself, or is no file of skops or skopsafe.
    UnsupportedTypeError
        It is of skops and holds something that no rule covers, with the place in the file.
    DeniedTypeError
        It leads to something that can never be approved.
    """
    method = container.check_compression(compression, compresslevel)
    return updated(src, dst, method, compresslevel, limits or DEFAULT_LIMITS)[0]


def updated(
    src: File, dst: File | None, method: int, compresslevel: int | None, limits: Limits
) -> tuple[Audit, str]:
    """Update a file, or only look where there is no `dst`; return its audit, and what wrote it.

    The latter is empty for a file of today's protocol.
    """
    with opened(src, limits) as stream:
        try:
            audit = api.audit_of(schema.read(stream, limits))
        except schema.OfSkops:
            return update_skops(stream, dst, method, compresslevel, limits)
        _require_none_denied(audit)
        if dst is not None:
            called(stream, "seek", 0)
            fill(dst, lambda out: _copy(stream, out))
        return audit, ""


def update_skops(
    stream: BinaryIO, dst: File | None, method: int, compresslevel: int | None, limits: Limits
) -> tuple[Audit, str]:
    """Update a file of skops, as `updated` does."""
    found = from_skops.read(stream, limits, api.tables_in_use(), whole=dst is not None)
    audit = api.audit_of(found.document)
    _require_none_denied(audit)
    if dst is not None:
        writer = versions([], str) | found.versions
        api.write(dst, found.saver, found.root, writer, method, compresslevel)
    return audit, f"skops {found.versions['skops']}".rstrip()


def _require_none_denied(audit: Audit) -> None:
    if audit.denied:
        raise DeniedTypeError(audit.denied, "`skopsafe audit` shows where they stand")


def _copy(stream: BinaryIO, out: IO[bytes]) -> None:
    while piece := read_some(stream, _PIECE):
        out.write(piece)


def is_of_skops(stream: BinaryIO, limits: Limits) -> bool:
    """Tell whether a file is one of skops, and leave it where it is."""
    place = called(stream, "tell")
    try:
        schema.read(stream, limits)
    except schema.OfSkops:
        return True
    except SkopsafeError:
        return False  # a pickle, most likely
    finally:
        called(stream, "seek", place)
    return False
