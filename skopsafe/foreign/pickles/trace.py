"""A pickle opcode by opcode: what each does to the stack and the memo, as records and as text."""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from skopsafe.errors import escape
from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.reading import Broken, Source, Stop, Truncated
from skopsafe.foreign.pickles.values import (
    ByteArray,
    Call,
    Computed,
    Dict,
    FrozenSet,
    Global,
    List,
    Set,
    Span,
    Stored,
    Value,
)
from skopsafe.limits import DEFAULT_LIMITS

_LONGEST = 4096
"""Bytes of an argument that are looked at."""
_SHOWN = 60
_OPCODES = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
_MEMO = frozenset(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"))


@dataclass(frozen=True, slots=True)
class Step:
    """One opcode that was run.

    Attributes
    ----------
    offset : int
        Where it stands, in bytes.
    name : str
        In `pickletools`; empty for the place where the pickle breaks off.
    argument : str
        What follows it, as text without control characters, and cut short.
    depth, marks : int
        Values on the stack above the last mark, and marks, after it.
    top : str
        The value on top of the stack after it, in a few words; empty if there is none.
    memo : int
        The place of the memo that it wrote; -1 for none.
    error : str
        Why the pickle breaks off here; else empty.
    """

    offset: int
    name: str
    argument: str
    depth: int
    marks: int
    top: str
    memo: int = -1
    error: str = ""


def trace(
    source: Source,
    start: int = 0,
    limit: int = DEFAULT_LIMITS.opcodes,
    built: Callable[[Machine, Call | Global], None] | None = None,
) -> Iterator[Step]:
    """Go through the opcodes of a pickle; the parameters are those of `Machine`.

    Parameters
    ----------
    source : Source
        The stream.
    start, limit : int
        Where the pickle begins, and how many opcodes there may be.
    built : callable, optional
        Called after each BUILD.

    Raises
    ------
    LimitError
        There are more opcodes than are allowed.
    """
    machine = Machine(source, start, limit, built)
    error = ""
    while not error:
        offset, size = machine.place, len(machine.memo)
        last = False
        try:
            machine.step()
        except Stop:
            last = True
        except (Broken, Truncated) as broken:
            error = str(broken)
        code = source.read(offset, 1)
        opcode = _OPCODES.get(code[0]) if code else None
        name = opcode.name if opcode is not None else ""
        place = -1
        if name in _MEMO and not error:
            place = size if name == "MEMOIZE" else _number(opcode, source, offset + 1, machine.place)
        yield Step(
            offset,
            name,
            ""
            if opcode is None or opcode.arg is None
            else _argument(opcode, source, offset + 1, machine.place),
            len(machine.stack),
            len(machine.marks),
            shortly(machine.found.root) if last else shortly(machine.stack[-1]) if machine.stack else "",
            place,
            error,
        )
        if last:
            return


def _number(opcode: pickletools.OpcodeInfo | None, source: Source, start: int, end: int) -> int:
    try:
        return int(opcode.arg.reader(io.BytesIO(source.read(start, end - start))))  # type: ignore[union-attr]
    except ValueError:
        return -1


def _argument(opcode: pickletools.OpcodeInfo | None, source: Source, start: int, end: int) -> str:
    """Return the argument of an opcode as text."""
    size = end - start
    data = source.read(start, min(size, _LONGEST))
    if size <= _LONGEST and opcode is not None and opcode.arg is not None:
        try:
            value = opcode.arg.reader(io.BytesIO(data))
        except (ValueError, OverflowError):
            pass
        else:
            if opcode.name in ("GLOBAL", "INST"):
                return _cut(escape(str(value)))
            return _cut(hex(value) if type(value) is int and value.bit_length() > 160 else repr(value))
    return f"{size:,} bytes that begin with {data[:20]!r}"


def shortly(value: Value) -> str:
    """Say in a few words what a value is, without a look at what it holds."""
    match value:
        case tuple():
            return f"tuple of {len(value)}"
        case List() | Set() | FrozenSet():
            return f"{type(value).__name__.lower()} of {len(value.items)}"
        case Dict():
            return f"dict of {len(value.pairs)}"
        case Global():
            return _name(value)
        case Computed():
            return "a name that is computed"
        case Call(function=Global()):
            return _cut(f"{value.way} {_name(value.function)}")
        case Call():
            return f"{value.way}, made at byte {value.offset}"
        case Span():
            return f"{value.kind} of {value.size:,} bytes"
        case ByteArray():
            return f"bytearray of {len(value.content):,} bytes"
        case Stored(is_beside=True):
            return _cut(f"array in the file {value.file[:_SHOWN]!r}")
        case Stored():
            return f"array of {value.size:,} bytes at byte {value.offset}"
        case int() if value.bit_length() > 160:
            return f"int of {value.bit_length():,} bits"
        case str() | bytes():
            return _cut(repr(value[:_SHOWN]))
    return repr(value)


def _name(found: Global) -> str:
    return _cut(f"{found.module[:_SHOWN]}:{found.name[:_SHOWN]}")


def _cut(text: str) -> str:
    text = escape(text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def lines(steps: Iterator[Step]) -> Iterator[str]:
    """Write steps as lines: offset, opcode and argument; then depth, marks, top of the stack, memo."""
    for step in steps:
        if step.error:
            yield f"{step.offset:>10}  {step.name:<16} breaks off: {escape(step.error)}"
            return
        memo = "" if step.memo < 0 else f"  memo[{step.memo}]"
        what = f"{step.name:<16} {step.argument}".rstrip()
        yield f"{step.offset:>10}  {what:<50} | {step.depth}:{step.marks} {step.top}{memo}".rstrip()
