"""The directory of a zip, read strictly: what it says must have one meaning for every reader."""

from __future__ import annotations

import msgspec

from skopsafe.archive import zip_records as records
from skopsafe.archive.access import AGAIN, Access, truncated
from skopsafe.archive.compression import STORED, VERSIONS
from skopsafe.archive.recognize import recognize
from skopsafe.errors import FormatError, LimitError
from skopsafe.limits import SCHEMA_FLOOR, SCHEMA_WEIGHT, Limits

TAIL = 1 << 16
"""Bytes of the end that are read at once: the directory is in them, and the schema of a small file."""
_ENDS64 = records.END64.size + records.LOCATOR.size
_NEWEST = 63


class Member(msgspec.Struct):
    """What the directory says of a member.

    Attributes
    ----------
    header : int
        Where its local header begins.
    room : int
        Where the next member begins, or the directory.
    start : int
        Where its data begins; -1 until its local header was read.
    """

    spelled: bytes
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    header: int
    room: int = 0
    start: int = -1


def read_directory(file: Access, size: int, limits: Limits) -> tuple[dict[str, Member], int, bytes]:
    """Return the members by name, and the end of a file of `size` bytes: its place and content.

    Raises
    ------
    FormatError
        It is no zip, is truncated, has members that overlap or stand twice, or is ambiguous.
    LimitError
        A limit is passed.
    """
    at = max(size - TAIL, 0)
    tail = file.read(at, size - at)
    if len(tail) < size - at:  # somebody has cut it since its size was asked for
        raise truncated()
    head = file.read(0, 64) if at else tail[:64]
    if size < records.END.size or not head.startswith(records.LOCAL_MAGIC):
        raise FormatError(recognize(head, tail[-1:]), next_step="Save the model with skopsafe.dump.")
    count, place, length = _end(tail, size)
    if count > limits.members:
        raise too_much("members", count, "members", limits.members)
    if length > limits.directory_bytes:
        raise too_much("bytes of zip directory", length, "directory_bytes", limits.directory_bytes)
    data = tail[place - at : place - at + length] if place >= at else file.read(place, length)
    members = _entries(data, count)
    _compare(members, place, size, limits)
    return members, at, tail


def _end(tail: bytes, size: int) -> tuple[int, int, int]:
    """Return the number of members, and place and length of the directory."""
    at = len(tail) - records.END.size
    magic, disk, disk2, here, count, length, place, comment = records.END.unpack_from(tail, at)
    if magic != records.END_MAGIC or comment:
        raise FormatError(
            "the zip does not end with its directory: it is truncated or has bytes behind it",
            next_step=AGAIN,
        )
    end = size - records.END.size
    has_locator = tail[max(at - records.LOCATOR.size, 0) :].startswith(records.LOCATOR_MAGIC)
    if has_locator or records.FULL16 in (disk, disk2, here, count) or records.FULL32 in (length, place):
        end -= _ENDS64
        found = (disk, disk2, here, count, length, place)
        disk, disk2, here, count, length, place = _end64(tail, at - _ENDS64, end, found)
    if disk or disk2 or here != count:
        raise FormatError("the zip has several parts", next_step=AGAIN)
    if place + length != end:
        raise FormatError("the zip directory is not where its end says", next_step=AGAIN)
    return count, place, length


def _end64(tail: bytes, at: int, place: int, found: tuple[int, ...]) -> tuple[int, ...]:
    """Return what the zip64 end says in place of the fields of the usual one, with which it must agree."""
    if at >= 0:
        magic, length, _, version, *fields = records.END64.unpack_from(tail, at)
        locator = records.LOCATOR.unpack_from(tail, at + records.END64.size)
        limits = (records.FULL16,) * 4 + (records.FULL32,) * 2
        if (
            magic == records.END64_MAGIC
            and length == records.END64.size - 12
            and version <= _NEWEST
            and locator == (records.LOCATOR_MAGIC, 0, place, 1)
            and all(old in (new, full) for old, new, full in zip(found, fields, limits, strict=True))
        ):
            return tuple(fields)
    raise FormatError("the end of the zip64 directory is damaged", next_step=AGAIN)


def _entries(data: bytes, count: int) -> dict[str, Member]:
    members: dict[str, Member] = {}
    at, size = 0, records.ENTRY.size
    for _ in range(count):
        if at + size > len(data):
            raise _damaged("it ends early")
        (
            magic,
            _,
            version,
            flags,
            method,
            _,
            _,
            checksum,
            packed,
            full,
            name_size,
            extra_size,
            comment,
            disk,
            _,
            _,
            place,
        ) = records.ENTRY.unpack_from(data, at)
        at += size + name_size
        spelled = data[at - name_size : at]
        extra = data[at : at + extra_size]
        at += extra_size
        if magic != records.ENTRY_MAGIC or at > len(data):
            raise _damaged("an entry is malformed")
        name = _name(spelled, flags)
        if extra or records.FULL32 in (full, packed, place):
            full, packed, place = _wide(extra, full, packed, place, name)
        if comment or disk:
            raise _refused("a member has a comment, or is in another part of the zip", name)
        if flags & records.ENCRYPTED:
            raise _refused("a member is encrypted", name)
        if flags & ~records.KNOWN_FLAGS:
            raise _refused("a member has an unknown flag", name)
        if method not in VERSIONS or version > _NEWEST:
            raise _refused(f"a member's compression {method} is unknown", name)
        if method == STORED and full != packed:
            raise _refused("a stored member has two sizes", name)
        if name in members:
            raise _refused("a member stands twice", name)
        members[name] = Member(spelled, flags, method, checksum, packed, full, place)
    if at != len(data):
        raise _damaged("bytes follow its last entry")
    return members


def _name(spelled: bytes, flags: int) -> str:
    try:
        name = spelled.decode("utf-8" if flags & records.UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise _damaged("a name is neither ASCII nor marked as UTF-8") from error
    if "\0" in name:
        raise _refused("a member's name has a NUL", name)
    return name


def extra_fields(extra: bytes, name: str) -> dict[int, bytes]:
    """Take the extra fields of a header apart."""
    fields = {}
    at = 0
    while at < len(extra):
        number, size = int.from_bytes(extra[at : at + 2], "little"), extra[at + 2 : at + 4]
        at += 4 + int.from_bytes(size, "little")
        content = extra[at - int.from_bytes(size, "little") : at]
        if len(size) < 2 or at > len(extra) or number in fields or number == records.NAME_FIELD:
            raise _refused("a member's extra fields are damaged, or give it another name", name)
        fields[number] = content
    return fields


def _wide(extra: bytes, *narrow_and_name: int | str) -> tuple[int, int, int]:
    """Return sizes and place, those from the zip64 field that are too large for their own."""
    *narrow, name = narrow_and_name
    field = extra_fields(extra, str(name)).get(records.ZIP64_FIELD, b"")
    values = []
    at = 0
    for value in narrow:
        if value == records.FULL32:
            value = int.from_bytes(field[at : at + 8], "little")
            at += 8
        values.append(int(value))
    if at != len(field):
        raise _refused("a member's zip64 field is damaged", str(name))
    full, packed, place = values
    return full, packed, place


def _compare(members: dict[str, Member], place: int, size: int, limits: Limits) -> None:
    """Refuse members that overlap, and more bytes than the limits allow."""
    total = end = 0
    before: Member | None = None
    for member in sorted(members.values(), key=lambda member: member.header):
        total += member.size
        if member.header < end:
            raise FormatError("members of the zip overlap or lie outside it", next_step=AGAIN)
        if before is None:
            if member.header:
                raise FormatError("bytes stand before the first member", next_step=AGAIN)
        else:
            before.room = member.header
        end = member.header + records.LOCAL.size + len(member.spelled) + member.packed
        before = member
    if end > place:
        raise FormatError("members of the zip overlap or lie outside it", next_step=AGAIN)
    if before is not None:
        before.room = place
    if total > limits.total_bytes:
        raise too_much("bytes in all members", total, "total_bytes", limits.total_bytes)
    # Parsed, the schema takes many times its bytes.
    schema = members[records.SCHEMA].size if records.SCHEMA in members else 0
    total += schema * (SCHEMA_WEIGHT - 1) if schema > SCHEMA_FLOOR else 0
    if total > limits.expansion_floor and total > limits.expansion * size:
        what = f"times its own size when expanded (a byte of a large schema counts as {SCHEMA_WEIGHT})"
        raise too_much(what, total // size, "expansion", limits.expansion)


def _damaged(reason: str) -> FormatError:
    return FormatError(f"the zip directory is damaged ({reason})", next_step=AGAIN)


def _refused(reason: str, name: str) -> FormatError:
    return FormatError(reason, path=repr(name[:1000]), next_step=AGAIN)


def too_much(what: str, count: int, limit: str, allowed: int) -> LimitError:
    return LimitError(
        f"the file has {count} {what}, more than the limit of {allowed}",
        next_step=f"Pass limits=Limits({limit}=...) if you know the file and expect so much.",
    )
