"""Mutants of a zip whose checksums and sizes are true again, so that the change is met by its reader."""

from __future__ import annotations

import io
import lzma
import random
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from typing import Any

from skopsafe.archive import zip_records as records
from skopsafe.archive.compression import FLAGS, STORED
from tests.archive.zips import Crafted, craft
from tests.fuzz.archives import METHODS, packed
from tests.fuzz.mutants import npy_mutant
from tests.fuzz.noise import INTEGERS, bytes_mutant
from tests.fuzz.schema_mutants import schema_mutant
from tests.fuzz.words import WORDS

_SCHEMA = b"schema.json"
_LARGEST = 1 << 20
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True)
class Member:
    """A member with its content uncompressed."""

    name: bytes
    content: bytes
    method: int
    extra: bytes = b""


def members(data: bytes) -> list[Member]:
    """Take a zip apart that `zipfile` can read; none where it cannot."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            infos = zipped.infolist()
            if sum(info.file_size for info in infos) > _LARGEST:
                return []
            return [Member(info.filename.encode(), zipped.read(info), info.compress_type) for info in infos]
    except _UNREADABLE:
        return []


def crafted(member: Member) -> Crafted:
    """Return a member as it is put into a zip, with all that its headers say of it true."""
    method = member.method
    data = member.content if method == STORED else packed(method, member.content)
    flags = FLAGS[method] | (0 if member.name.isascii() else records.UTF8)
    fields = {"method": method, "flags": flags}
    return Crafted(
        member.name,
        data,
        fields,
        dict(fields),
        member.extra,
        b"",
        len(member.content),
        zlib.crc32(member.content),
    )


def zip_mutant(data: bytes, rng: random.Random) -> bytes:
    """Change members and put them together again; or one field of a header; or bytes, as they come."""
    found = members(data)
    if not found or rng.random() < 0.1:
        return bytes_mutant(data, rng, WORDS["container"])
    how = rng.random()
    at = rng.randrange(len(found))
    schema = next((place for place, member in enumerate(found) if member.name == _SCHEMA), at)
    if how < 0.45:
        found[schema] = replace(found[schema], content=schema_mutant(found[schema].content, rng))
    elif how < 0.6:
        content = found[at].content
        is_array = content.startswith(b"\x93NUMPY")
        changed = npy_mutant(content, rng) if is_array else bytes_mutant(content, rng, WORDS["schema"])
        found[at] = replace(found[at], content=changed)
    elif how < 0.7:
        found[at] = replace(found[at], method=rng.choice((STORED, *METHODS)))
    elif how < 0.8:
        _rearrange(found, at, rng)
    made = [crafted(member) for member in found]
    before = b""
    end: dict[str, Any] = {}
    if how > 0.8 and made:
        before, end = _fault(made, rng)
    return craft(*made, before=before, **end)


def _rearrange(found: list[Member], at: int, rng: random.Random) -> None:
    """Drop, repeat, rename or move a member, or give it an extra field."""
    how = rng.randrange(6)
    if how == 0 and len(found) > 1:
        del found[at]
    elif how == 1:
        found.insert(rng.randrange(len(found)), found[at])
    elif how == 2:
        found[at] = replace(
            found[at], name=rng.choice((found[at].name + b"x", b"pool/0.npy", b"\xc3\xa9", b""))
        )
    elif how == 3:
        rng.shuffle(found)
    elif how == 4:
        found.append(Member(b"arrays/%d.npy" % rng.randrange(9), b"\x93NUMPY" + rng.randbytes(20), STORED))
    else:
        size = rng.randrange(70)
        found[at] = replace(found[at], extra=struct.pack("<HH", records.ALIGN_FIELD, size) + bytes(size))


_LOCAL = ("magic", "version", "flags", "method", "checksum", "packed", "size", "name_size", "extra_size")
_ENTRY = (*_LOCAL, "comment", "disk", "place", "writer")
_END = ("magic", "disk", "start_disk", "here", "count", "length", "place", "comment")
_WIDTHS = {"checksum": 32, "packed": 32, "size": 32, "place": 32, "length": 32}


def _fault(made: list[Crafted], rng: random.Random) -> tuple[bytes, dict[str, Any]]:
    """Let headers say something else than they should, or the same in 64 bits."""
    member = rng.choice(made)
    how = rng.randrange(8)
    if how == 0:  # sizes behind the data
        for fields in (member.local, member.entry):
            fields["flags"] = fields["flags"] | records.SIZES_BEHIND
        member.local.update(dict.fromkeys(("checksum", "packed", "size"), rng.choice((0, 0, 1))))
    elif how == 1:  # sizes in 64 bits
        member.entry.update(packed=records.FULL32, size=records.FULL32)
        member.entry_extra = struct.pack("<HHQQ", 1, 16, member.size or 0, len(member.data))
        if rng.randrange(2):
            member.local.update(packed=records.FULL32, size=records.FULL32)
            member.extra = member.entry_extra
    elif how == 2:  # an end in 64 bits
        return _wide_end(made, rng)
    elif how == 3:
        member.data = bytes_mutant(member.data, rng)
    elif how == 4:
        target = rng.choice((member.local, member.entry))
        field = rng.choice(_LOCAL if target is member.local else _ENTRY)
        target[field] = _number(field, rng)
    elif how == 5:
        field = rng.choice(_LOCAL)
        member.local[field] = member.entry[field] = _number(field, rng)
    elif how == 6:
        field = rng.choice(("extra", "entry_extra"))
        setattr(member, field, bytes_mutant(struct.pack("<HHQ", 1, 8, 5), rng))
    else:
        field = rng.choice(_END)
        return b"", {field: _number(field, rng)}
    return b"", {}


def _number(field: str, rng: random.Random) -> Any:
    if field == "magic":
        return rng.choice((b"PK\1\2", b"PK\3\4", b"PK\5\6", rng.randbytes(4)))
    return rng.choice(INTEGERS) % 2 ** _WIDTHS.get(field, 16)


def _wide_end(made: list[Crafted], rng: random.Random) -> tuple[bytes, dict[str, Any]]:
    whole = craft(*made)
    _, _, _, _, count, length, place, _ = records.END.unpack_from(whole, len(whole) - records.END.size)
    fields = [records.END64_MAGIC, records.END64.size - 12, 0, 45, 0, 0, count, count, length, place]
    if rng.randrange(2):
        at = rng.randrange(1, len(fields))
        fields[at] = rng.choice((*INTEGERS[:8], fields[at] + 1)) % 2**16
    locator = [records.LOCATOR_MAGIC, 0, place + length, 1]
    if not rng.randrange(4):
        locator[rng.randrange(1, 4)] = rng.choice(INTEGERS) % 2**32
    end = {
        name: value
        for name, value in (("count", records.FULL16), ("here", records.FULL16))
        if rng.randrange(2)
    }
    return records.END64.pack(*fields) + records.LOCATOR.pack(*locator), end
