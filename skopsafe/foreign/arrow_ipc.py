"""Streams of Arrow's IPC format: schemas and batches out of bytes, with nothing believed and nothing copied.

Format: "Arrow Columnar Format", section on serialization, with ``Message.fbs`` and ``Schema.fbs``; the
internals of FlatBuffers. Offsets are checked where they are used, and fields are gone through in a loop.
Parts of a message may share their bytes: what is read of it counts, and is at most `_WORK` for each byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from skopsafe.errors import FormatError

_MOST = 2**16
"""Items of a list of a message, and fields of a schema with those within them."""
_DEEPEST = 64
_WORK, _MORE = 16, 2**12
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3
_NEXT = "Get the file again from its author."


class Table:
    """A table of a FlatBuffers message.

    Parameters
    ----------
    data : bytes
        The message.
    place : int
        Where the table begins.
    left : list of int
        How much may yet be read of the message: one number, which all its tables share.
    """

    __slots__ = ("_data", "_fields", "_left", "_place", "_size")

    def __init__(self, data: bytes, place: int, left: list[int]) -> None:
        self._data = data
        self._left = left
        self._spend(1)
        self._place = place
        self._fields = place - _unpack("<i", data, place)
        self._size = _unpack("<H", data, self._fields)

    def _spend(self, count: int) -> None:
        self._left[0] -= count
        if self._left[0] < 0:
            raise _damaged("parts of a message stand in it too often")

    def _at(self, number: int) -> int:
        """Return where a field is; 0 where it is left out."""
        entry = 4 + 2 * number
        if entry + 2 > self._size:
            return 0
        offset = _unpack("<H", self._data, self._fields + entry)
        return self._place + offset if offset else 0

    def number(self, number: int, form: str, default: int = 0) -> int:
        """Return a field that is a number."""
        at = self._at(number)
        return _unpack(f"<{form}", self._data, at) if at else default

    def table(self, number: int) -> Table | None:
        """Return a field that is a table."""
        at = self._at(number)
        return Table(self._data, at + _unpack("<I", self._data, at), self._left) if at else None

    def text(self, number: int) -> str | None:
        """Return a field that is a text."""
        at = self._at(number)
        if not at:
            return None
        start = at + _unpack("<I", self._data, at)
        size = _unpack("<I", self._data, start)
        self._spend(size)
        content = self._data[start + 4 : start + 4 + size]
        if len(content) != size:
            raise _damaged("a text ends outside")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise _damaged("a text is not UTF-8") from None

    def _items(self, number: int, width: int) -> tuple[int, int]:
        """Return where the items of a field that is a list begin, and how many there are."""
        at = self._at(number)
        if not at:
            return 0, 0
        start = at + _unpack("<I", self._data, at)
        count = _unpack("<I", self._data, start)
        if count > _MOST or start + 4 + count * width > len(self._data):
            raise _damaged("a list is too long")
        self._spend(count)
        return start + 4, count

    def tables(self, number: int) -> list[Table]:
        """Return a field that is a list of tables."""
        start, count = self._items(number, 4)
        places = [start + 4 * i for i in range(count)]
        return [Table(self._data, place + _unpack("<I", self._data, place), self._left) for place in places]

    def pairs(self, number: int) -> list[tuple[int, int]]:
        """Return a field that is a list of pairs of numbers."""
        start, count = self._items(number, 16)
        return [struct.unpack_from("<qq", self._data, start + 16 * i) for i in range(count)]

    def numbers(self, number: int) -> list[int]:
        """Return a field that is a list of numbers."""
        start, count = self._items(number, 8)
        return list(struct.unpack_from(f"<{count}q", self._data, start))


def _unpack(form: str, data: bytes, place: int) -> int:
    if not 0 <= place <= len(data) - struct.calcsize(form):
        raise _damaged("something lies outside of its message")
    (found,) = struct.unpack_from(form, data, place)
    return int(found)


def _damaged(reason: str) -> FormatError:
    return FormatError(f"the Arrow stream is damaged: {reason}", next_step=_NEXT)


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or what is in one.

    Attributes
    ----------
    name : str
        Its name.
    kind : int
        The number of its type in the union ``Type`` of ``Schema.fbs``.
    type : Table
        The parameters of the type.
    children : list of Field
        What is in it.
    metadata : dict of str to str
        What else is said of it.
    dictionary : int or None
        The number of the dictionary whose items its items are numbers of.
    index : Table or None
        The type of these numbers.
    """

    name: str
    kind: int
    type: Table
    children: list[Field] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    dictionary: int | None = None
    index: Table | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a stream, or items of a dictionary.

    Attributes
    ----------
    length : int
        How many.
    nodes : list of (int, int)
        Lengths and numbers of nulls, a field after the other, those within behind it.
    buffers : list of memoryview
        The buffers of the fields in that order.
    variadic : list of int
        For each field of views, how many buffers these lead into.
    dictionary : int or None
        Of which dictionary; None for rows.
    """

    length: int
    nodes: list[tuple[int, int]]
    buffers: list[memoryview]
    variadic: list[int]
    dictionary: int | None = None


def read(data: bytes) -> tuple[list[Field], list[Batch]]:
    """Return the fields and the batches of a stream.

    Raises
    ------
    FormatError
        It is damaged, compressed, or of a form that is not read.
    """
    fields: list[Field] | None = None
    batches: list[Batch] = []
    for message, body in _messages(data):
        kind, header = message.number(1, "B"), message.table(2)
        if header is None:
            raise _damaged("a message is empty")
        if fields is None:
            if kind != _SCHEMA:
                raise _damaged("it does not begin with a schema")
            if header.number(0, "h"):
                raise _damaged("its numbers have their highest byte first")
            fields = _fields(header)
        elif kind == _BATCH:
            batches.append(_batch(header, body, None))
        elif kind == _DICTIONARY:
            inner = header.table(1)
            if inner is None or header.number(2, "B"):
                raise _damaged("a dictionary is empty, or goes on where another ended")
            batches.append(_batch(inner, body, header.number(0, "q")))
        else:
            raise _damaged("a message is of an unknown kind")
        if len(batches) > _MOST:
            raise _damaged("it has too many batches")
    if fields is None:
        raise _damaged("it has no schema")
    return fields, batches


def _messages(data: bytes) -> Iterator[tuple[Table, memoryview]]:
    view, place = memoryview(data), 0
    while place < len(data):
        if _unpack("<I", data, place) != 0xFFFFFFFF:
            raise _damaged("a message does not begin as one")
        size = _unpack("<I", data, place + 4)
        place += 8
        if not size:
            if place != len(data):
                raise _damaged("something follows its end")
            return
        head = data[place : place + size]
        if len(head) != size:
            raise _damaged("it ends within a message")
        place += size
        message = Table(head, _unpack("<I", head, 0), [_WORK * size + _MORE])
        length = message.number(3, "q")
        if not 0 <= length <= len(data) - place:
            raise _damaged("it ends within a body")
        yield message, view[place : place + length]
        place += length
    raise _damaged("it breaks off")


def _fields(schema: Table) -> list[Field]:
    found: list[Field] = []
    todo = [(table, found, 0) for table in reversed(schema.tables(1))]
    count = 0
    while todo:
        table, into, depth = todo.pop()
        count += 1
        if count > _MOST or depth > _DEEPEST:
            raise _damaged("it has too many fields, or they are too deep in each other")
        kind, type_, encoding = table.number(2, "B"), table.table(3), table.table(4)
        if type_ is None:
            raise _damaged("a field has no type")
        pairs = [(pair.text(0) or "", pair.text(1) or "") for pair in table.tables(6)]
        made = Field(table.text(0) or "", kind, type_, metadata=dict(pairs))
        if encoding is not None:
            made = Field(
                made.name, kind, type_, [], made.metadata, encoding.number(0, "q"), encoding.table(1)
            )
        into.append(made)
        todo += [(child, made.children, depth + 1) for child in reversed(table.tables(5))]
    return found


def _batch(table: Table, body: memoryview, dictionary: int | None) -> Batch:
    if table.table(3) is not None:
        raise FormatError(
            "the Arrow stream is compressed",
            next_step="Write it anew, without compression, and convert that.",
        )
    buffers = []
    for start, size in table.pairs(2):
        if not (0 <= start <= len(body) and 0 <= size <= len(body) - start):
            raise _damaged("a buffer lies outside")
        buffers.append(body[start : start + size])
    length, nodes = table.number(0, "q"), table.pairs(1)
    if not 0 <= length < 2**48 or any(not 0 <= size < 2**48 for size, _ in nodes):
        raise _damaged("a length is malformed")
    return Batch(length, nodes, buffers, table.numbers(4), dictionary)
