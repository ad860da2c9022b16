"""Zips made by hand, each field as a test wants it, and the compressions that there are."""

from __future__ import annotations

import dataclasses
import io
import zlib
from typing import Any

import pytest

from skopsafe.archive import zip_records as records
from skopsafe.archive.compression import BZIP2, DEFLATED, LZMA, ZSTANDARD, zstd
from skopsafe.archive.zip_read import Reader
from skopsafe.errors import MissingTypeError
from skopsafe.limits import Limits


def _has_zstd() -> bool:
    try:
        return bool(zstd())
    except MissingTypeError:
        return False


needs_zstd = pytest.mark.skipif(not _has_zstd(), reason="the extra zstd is not installed")
METHODS: list[Any] = [DEFLATED, BZIP2, LZMA, pytest.param(ZSTANDARD, marks=needs_zstd)]
"""All that compress."""


@dataclasses.dataclass
class Crafted:
    """A member, and what its headers say otherwise than they should.

    `local` and `entry` replace fields by name; `extra` and `entry_extra` are bytes of extra fields.
    """

    name: bytes = b"schema.json"
    data: bytes = b"content of the member"
    local: dict[str, Any] = dataclasses.field(default_factory=dict)
    entry: dict[str, Any] = dataclasses.field(default_factory=dict)
    extra: bytes = b""
    entry_extra: bytes = b""
    size: int | None = None
    checksum: int | None = None


def craft(*members: Crafted, before: bytes = b"", behind: bytes = b"", **end: Any) -> bytes:
    """Return a zip of members. `before` stands before the end record, and `end` replaces its fields."""
    out, directory = bytearray(), bytearray()
    for member in members:
        size = len(member.data) if member.size is None else member.size
        checksum = zlib.crc32(member.data) if member.checksum is None else member.checksum
        common: dict[str, Any] = {
            "version": 20,
            "flags": 0,
            "method": 0,
            "time": 0,
            "date": 33,
            "checksum": checksum,
            "packed": len(member.data),
            "size": size,
            "name_size": len(member.name),
        }
        local = {"magic": b"PK\3\4", **common, "extra_size": len(member.extra), **member.local}
        entry = {
            "magic": b"PK\1\2",
            "writer": 0,
            **common,
            "extra_size": len(member.entry_extra),
            "comment": 0,
            "disk": 0,
            "attributes": 0,
            "more": 0,
            "place": len(out),
            **member.entry,
        }
        out += records.LOCAL.pack(*local.values()) + member.name + member.extra + member.data
        directory += records.ENTRY.pack(*entry.values()) + member.name + member.entry_extra
    fields = {
        "magic": b"PK\5\6",
        "disk": 0,
        "start_disk": 0,
        "here": len(members),
        "count": len(members),
        "length": len(directory),
        "place": len(out),
        "comment": 0,
        **end,
    }
    return bytes(out + directory + before + records.END.pack(*fields.values()) + behind)


def opened(data: bytes, limits: Limits = Limits()) -> Reader:  # noqa: B008 - it is frozen
    return Reader(io.BytesIO(data), limits)
