"""Pickles within pickles: texts and bytes that are streams of opcodes themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from skopsafe.errors import LimitError
from skopsafe.foreign.pickles.constants import BYTES_BEGINNINGS
from skopsafe.foreign.pickles.machine import Machine, Pickle
from skopsafe.foreign.pickles.reading import Memory, Part, Source
from skopsafe.foreign.pickles.values import ByteArray, Span, Value

LEVELS = 4
"""Pickles within pickles that are looked at."""
_OPCODES = 2_000_000


def pickles(held: Iterable[Value], source: Source) -> Iterator[tuple[int, Source, Pickle]]:
    """Yield the pickles among values, each with where it is, if that is known."""
    for value in held:
        part = _content(value, source)
        if part is None or not _may_be_one(part[1]):
            continue
        offset, content = part
        machine = Machine(content, 0, _OPCODES)
        try:
            found = machine.run()
        except LimitError:
            found = machine.found
            found.notes.append((0, "a pickle within it was not read to its end"))
        if found.operations or not found.error:
            yield offset, content, found


def _content(value: Value, source: Source) -> tuple[int, Source] | None:
    if isinstance(value, bytes):
        return 0, Memory(value)
    if isinstance(value, ByteArray):
        return value.offset, Memory(value.content)
    if isinstance(value, Span):
        return value.offset, Part(source, value.offset, value.size)
    if isinstance(value, str) and len(value) > 4 and (value[0] == "\x80" or _has_import(value[:1024])):
        try:
            return 0, Memory(value.encode("latin-1"))
        except UnicodeEncodeError:
            return None
    return None


def _may_be_one(content: Source) -> bool:
    """Tell whether bytes begin as a pickle does that calls something."""
    first = content.read(0, 2)
    if len(first) < 2 or first[0] not in BYTES_BEGINNINGS:
        return False
    if first[0] == 0x80:
        return first[1] <= 5
    # Other beginnings are bytes as others are: look for an opcode that imports by lines.
    return _has_import(content.read(0, 1024).decode("latin-1"))


def _has_import(head: str) -> bool:
    return "\n" in head or "\x93" in head
