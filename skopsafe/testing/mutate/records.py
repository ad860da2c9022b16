"""Changes the bytes of a file, and the records of its zip."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib

from skopsafe.archive import zip_records
from skopsafe.testing.crafted import members_of, schema_of, zipped

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_NAMES = ("schema.json", "Schema.json", "../schema.json", "/etc/x", "pool/0.npy", "arrays/0.npy", "x\0y", "")
_RECORDS = (
    (zip_records.LOCAL_MAGIC, zip_records.LOCAL),
    (zip_records.ENTRY_MAGIC, zip_records.ENTRY),
    (zip_records.END_MAGIC, zip_records.END),
)


def raw(data: bytes, donors: list[bytes], rng: random.Random) -> bytes:
    """Flip, cut out, insert, double, or overwrite bytes anywhere."""
    out = bytearray(data)
    at, end = sorted(rng.randrange(len(out)) for _ in range(2))
    how = rng.randrange(7)
    if how == 0:
        for _ in range(rng.choice((1, 2, 8))):
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    elif how == 1:
        del out[at : min(end, at + rng.choice((1, 4, 64, 10**6)))]
    elif how == 2:
        out[at:at] = rng.randbytes(rng.choice((1, 4, 64)))
    elif how == 3:
        out[at:at] = out[at:end]
    elif how == 4:
        del out[at:]
    elif how == 5:
        other = rng.choice(donors or [data])
        start = rng.randrange(len(other))
        out[at : at + 100] = other[start : start + rng.choice((10, 100, 1000))]
    else:
        # The tail is where a reader begins.
        place = len(out) - 1 - rng.randrange(min(len(out), 200))
        out[place] = rng.randrange(256)
    return bytes(out)


def changed(data: bytes, rng: random.Random) -> bytes:
    """Change fields of records, or which members there are and how they are packed."""
    how = rng.randrange(5)
    if how < 2:
        out = bytearray(data)
        for _ in range(rng.choice((1, 1, 2))):
            _field(out, rng)
        return bytes(out)
    if how == 2:
        return _repacked(data, rng)
    if how == 3:
        return _compressed(data, rng)
    return _forced(data, rng)


def _field(out: bytearray, rng: random.Random) -> None:
    """Give a field of a record another value, often one that stands elsewhere in the file."""
    magic, form = rng.choice(_RECORDS)
    places = []
    at = out.find(magic)
    while at >= 0 and at + form.size <= len(out):
        places.append(at)
        at = out.find(magic, at + 1)
    if not places:
        return
    at = rng.choice(places)
    values = list(form.unpack_from(out, at))
    number = rng.randrange(1, len(values))
    values[number] = rng.choice(
        (
            0,
            1,
            8,
            0xFFFF,
            0xFFFFFFFF,
            values[number] + 1,
            values[number] ^ 8,
            len(out),
            rng.choice(values[1:]),
        )
    )
    try:
        form.pack_into(out, at, *values)
    except struct.error:  # too large for its bits
        values[number] = 0xFFFF
        form.pack_into(out, at, *values)


def _repacked(data: bytes, rng: random.Random) -> bytes:
    """Leave out, double, rename or reorder members."""
    members = list(members_of(data).items())
    schema = schema_of(data)
    how = rng.randrange(4)
    if how == 0 and members:
        members.pop(rng.randrange(len(members)))
    elif how == 1:
        members.append((rng.choice(_NAMES), rng.choice(members)[1] if members else b"{}"))
    elif how == 2 and members:
        at = rng.randrange(len(members))
        members[at] = (rng.choice(_NAMES), members[at][1])
    else:
        rng.shuffle(members)
        if members:
            members.insert(0, rng.choice(members))
    out = io.BytesIO()
    whole = io.BytesIO(zipped(schema, {}))
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(out, "w") as new:
        for name, content in members:
            # `zipfile` cuts a name at its NUL and warns of one that stands twice: both are what is wanted.
            new.writestr(zipfile.ZipInfo(name or "x"), content)
        new.writestr("schema.json", old.read("schema.json"))
    return out.getvalue()


def _compressed(data: bytes, rng: random.Random) -> bytes:
    """Compress all members, and perhaps change a byte of what is compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", rng.choice(_METHODS)) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    packed = bytearray(out.getvalue())
    if rng.random() < 0.7:
        at = rng.randrange(len(packed))
        packed[at] ^= 1 << rng.randrange(8)
    return bytes(packed)


def _forced(data: bytes, rng: random.Random) -> bytes:
    """Change bytes of a stored member and put its CRC right in both headers."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        infos = old.infolist()
        directory = old.start_dir
    info = rng.choice(infos)
    out = bytearray(data)
    name, extra = struct.unpack_from("<2H", out, info.header_offset + 26)
    start = info.header_offset + zip_records.LOCAL.size + name + extra
    end = start + info.compress_size
    for _ in range(rng.choice((1, 2, 8))):
        if end > start:
            out[rng.randrange(start, end)] ^= 1 << rng.randrange(8)
    checksum = struct.pack("<I", zlib.crc32(out[start:end]))
    out[info.header_offset + 14 : info.header_offset + 18] = checksum
    at = directory
    for each in infos:
        if each is info:
            out[at + 16 : at + 20] = checksum
        sizes = struct.unpack_from("<3H", out, at + 28)
        at += zip_records.ENTRY.size + sum(sizes)
    return bytes(out)
