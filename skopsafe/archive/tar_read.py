"""Members of a tar, to be looked at. Format: POSIX ustar, with the long names of GNU and of pax."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from skopsafe.archive.readable import Budget, Readable

_BLOCK = 512
_LONGEST = 2**16
_BAD = 1000
"""Blocks that are no header and are passed over in search of one; readers stop at the first or second."""
_GNU_NAME, _GNU_LINK, _PAX, _PAX_ALL = b"L", b"K", b"x", b"g"
_FILES = (b"0", b"\0", b"7", b"S")
_PAX_RECORD = re.compile(rb"\d+ (path|size)=([^\n]*)\n")


@dataclass(frozen=True, slots=True)
class TarMember:
    """A member of a tar.

    Attributes
    ----------
    name : str
        Its name.
    start, size : int
        Where it is.
    note : str
        What is odd about it; empty where nothing is.
    """

    name: str
    start: int
    size: int
    note: str = ""


def is_tar(source: Readable) -> bool:
    """Tell whether a file begins as a tar does, with a header that has the sum of its bytes."""
    return _has_sum(source.read(0, _BLOCK))


def _has_sum(block: bytes) -> bool:
    if len(block) < _BLOCK or not block.strip(b"\0"):
        return False
    told = _number(block[148:156])
    return told is not None and told == sum(block) - sum(block[148:156]) + 8 * ord(" ")


def _number(data: bytes) -> int | None:
    if data[:1] in (b"\x80", b"\xff"):
        return int.from_bytes(data[1:], "big")
    text = data.strip(b" \0")
    return int(text, 8) if re.fullmatch(rb"[0-7]+", text) else 0 if not text else None


def tar_members(source: Readable, budget: Budget) -> Iterator[TarMember]:
    """Go through the members of a tar, also behind a damaged header or an end.

    Raises
    ------
    LimitError
        There are more than the limits allow.
    """
    place, name, told = 0, "", -1
    damaged = 0
    while place + _BLOCK <= source.size:
        block = source.read(place, _BLOCK)
        place += _BLOCK
        if not _has_sum(block):
            damaged += 1
            if damaged > _BAD:
                return
            continue
        budget.take_member()
        size = _number(block[124:136]) or 0
        kind = block[156:157]
        if kind in (_PAX, _PAX_ALL, _GNU_NAME):
            data = source.read(place, min(size, _LONGEST))
            if kind == _GNU_NAME:
                name = _text(data)
            else:
                for key, value in _PAX_RECORD.findall(data):
                    if key == b"path":
                        name = _text(value)
                    elif value.isdigit() and len(value) < 20:
                        told = int(value)
        else:
            size = told if told >= 0 else size
            own = _text(block[:100])
            prefix = _text(block[345:500]) if block[257:262] == b"ustar" else ""
            if kind in _FILES:
                note = "it is a sparse file" if kind == b"S" else ""
                note = note or ("readers may stop before it, at what is no header" if damaged else "")
                yield TarMember(name or (f"{prefix}/{own}" if prefix else own), place, size, note)
            if kind != _GNU_LINK:
                name, told = "", -1
        place += -(-size // _BLOCK) * _BLOCK


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "replace")
