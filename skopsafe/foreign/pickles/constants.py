"""Opcodes that push a constant: numbers, texts and bytes. See `opcodes`."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from skopsafe.foreign.pickles.reading import Broken, Lost
from skopsafe.foreign.pickles.values import ByteArray, Span, Value

if TYPE_CHECKING:
    from skopsafe.foreign.pickles.machine import Machine

Opcode = Callable[["Machine"], None]

BYTES_BEGINNINGS = frozenset(b"(c]}iS)VI\x80\x8c")
"""First bytes of pickles that call something, but for what begins with a text."""
_TEXTS = tuple("\x80c(")
TEXT_BEGINNINGS = frozenset("".join(_TEXTS).encode())
"""First bytes of texts that may be pickles, as UTF-8 has them: those of PROTO, GLOBAL and MARK."""
_BYTES = frozenset(bytes([first]) for first in BYTES_BEGINNINGS)
_LONGEST_NUMBER = 4300
"""Digits of a decimal integer that Python reads."""


def _constant(value: Value) -> Opcode:
    def push(m: Machine) -> None:
        m.stack.append(value)

    return push


def _c_text(data: bytes) -> bytes:
    """Return what C sees of a line: to the first zero byte, where there is one."""
    return data.partition(b"\0")[0]


def place(data: bytes) -> int:
    """Return the place of the memo that a line names: digits, and whatever else Python reads there."""
    text = _c_text(data)
    if len(text) > _LONGEST_NUMBER:
        raise Lost(f"a place of the memo has more than {_LONGEST_NUMBER} digits")
    try:
        return int(text)
    except ValueError:
        raise Broken(f"{text[:20]!r} is no place of the memo") from None


def _number(m: Machine, data: bytes) -> int:
    """Return the number in a line, in whatever base the text says, as any unpickler reads it."""
    text = _c_text(data)
    # In bases that are powers of two, Python reads numbers of any length, and in linear time.
    if len(text) > _LONGEST_NUMBER and text.strip().lstrip(b"+-").replace(b"_", b"").isdigit():
        m.note(f"a number has more than {_LONGEST_NUMBER} digits, which some unpicklers read")
        return 0
    with suppress(ValueError):
        return int(text, 0)
    try:
        return int(text, 8)  # with a zero before it, for C
    except ValueError:
        raise Broken(f"{text[:20]!r} is no number") from None


def _int(m: Machine) -> None:
    data = m.line()
    if data[:1] == b"\0":
        data = b"0"  # for C, which looks only at what stands behind the digits
    m.stack.append(data == b"01" if data in (b"00", b"01") else _number(m, data))


def _long(m: Machine) -> None:
    m.stack.append(_number(m, m.line().removesuffix(b"L")))


def _binint(m: Machine) -> None:
    at = m.at
    if at + 4 > len(m.buffer):
        raise IndexError
    m.stack.append(int.from_bytes(m.buffer[at : at + 4], "little", signed=True))
    m.at = at + 4


def _binint1(m: Machine) -> None:
    m.stack.append(m.buffer[m.at])
    m.at += 1


def _binint2(m: Machine) -> None:
    m.stack.append(int.from_bytes(m.take(2), "little"))


def _long1(m: Machine) -> None:
    m.stack.append(int.from_bytes(m.take(m.number(1)), "little", signed=True))


def _long4(m: Machine) -> None:
    size = _positive(m)
    m.stack.append(int.from_bytes(m.take(size), "little", signed=True))


def _positive(m: Machine) -> int:
    size = int.from_bytes(m.take(4), "little", signed=True)
    if size < 0:
        raise Broken("a length is negative")
    return size


def _float(m: Machine) -> None:
    data = m.line()
    try:
        m.stack.append(float(_c_text(data)))
    except ValueError:
        raise Broken(f"{data[:20]!r} is no number") from None


DOUBLE = struct.Struct(">d").unpack_from


def _binfloat(m: Machine) -> None:
    at = m.at
    if at + 8 > len(m.buffer):
        raise IndexError
    m.stack.append(DOUBLE(m.buffer, at)[0])
    m.at = at + 8


def _string(m: Machine) -> None:
    data = m.line()
    if len(data) < 2 or data[:1] != data[-1:] or data[:1] not in (b"'", b'"'):
        raise Broken("a text of protocol 0 is not in quotes")
    try:
        # The codec is in C and takes the time of its input.
        content: bytes = codecs.escape_decode(data[1:-1])[0]
    except ValueError:
        raise Broken("a text of protocol 0 has a wrong escape") from None
    _old_text(m, content)


def _old_text(m: Machine, content: bytes) -> None:
    # ASCII if nothing else is asked for; whoever loads old files asks for Latin-1, which is the same there.
    _push(m, content.decode("latin-1"))


def _push(m: Machine, found: Value) -> None:
    """Push a text or bytes, and write down if it may be a pickle."""
    m.stack.append(found)
    if isinstance(found, bytes):
        may_be_one = found[:1] in _BYTES
    else:
        may_be_one = not isinstance(found, str) or found[:1] in _TEXTS
    if may_be_one:
        m.found.texts.append(found)


def _binstring(m: Machine) -> None:
    size = _positive(m)
    found = m.text("bytes", size)
    _push_old(m, found)


def _short_binstring(m: Machine) -> None:
    _old_text(m, m.take(m.number(1)))


def _push_old(m: Machine, found: Value) -> None:
    if isinstance(found, Span):
        _push(m, Span("str", found.offset, found.size))
    else:
        _old_text(m, found)


def _unicode(m: Machine) -> None:
    try:
        _push(m, m.line().decode("raw-unicode-escape"))
    except UnicodeDecodeError:
        raise Broken("a text has a wrong escape") from None


def _sized(kind: str, width: int) -> Opcode:
    def push(m: Machine) -> None:
        try:
            _push(m, m.text(kind, m.number(width)))
        except UnicodeDecodeError:
            raise Broken("a text is not UTF-8") from None

    return push


def _short_unicode(m: Machine) -> None:
    start = m.at + 1
    end = start + m.buffer[m.at]
    if end > len(m.buffer):
        _long_unicode(m)
        return
    m.at = end
    try:
        _push(m, str(m.buffer[start:end], "utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        raise Broken("a text is not UTF-8") from None


_long_unicode = _sized("str", 1)


def _bytearray8(m: Machine) -> None:
    found = m.text("bytearray", m.number(8))
    _push(m, ByteArray(found, m.offset) if isinstance(found, bytes) else found)


CONSTANTS: dict[bytes, Opcode] = {
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"I": _int,
    b"L": _long,
    b"J": _binint,
    b"K": _binint1,
    b"M": _binint2,
    b"\x8a": _long1,
    b"\x8b": _long4,
    b"F": _float,
    b"G": _binfloat,
    b"S": _string,
    b"T": _binstring,
    b"U": _short_binstring,
    b"V": _unicode,
    b"X": _sized("str", 4),
    b"\x8c": _short_unicode,
    b"\x8d": _sized("str", 8),
    b"B": _sized("bytes", 4),
    b"C": _sized("bytes", 1),
    b"\x8e": _sized("bytes", 8),
    b"\x96": _bytearray8,
    b")": _constant(()),
}
"""By the byte of an opcode that pushes a constant: what it does."""
