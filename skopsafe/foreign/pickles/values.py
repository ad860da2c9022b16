"""What a pickle would make, as inert records: nothing here was imported, called or built.

Constants stand for themselves: None, bools, ints, floats, texts and bytes are those of Python, and a tuple
is a Python tuple of such values. Everything else is one of the records below. Records are compared by
identity, as the objects would be that they stand for, so that what is shared or holds itself stays so.
"""

from __future__ import annotations

from typing import Any, Literal, TypeGuard

import msgspec

Value = Any
"""A constant, a tuple of values, or one of the records of this module."""

Way = Literal["reduce", "new", "instantiate", "persistent", "extension", "buffer", "file"]
"""How an object is made: by opcodes REDUCE, NEWOBJ or NEWOBJ_EX, INST or OBJ; or outside of the stream."""
OUTSIDE: tuple[Way, ...] = ("persistent", "extension", "buffer", "file")
"""Ways that are outside of the stream: nothing in it is called."""


class Global(msgspec.Struct, eq=False, gc=False):
    """A name that is imported.

    Attributes
    ----------
    module, name : str
        As today's Python reads them: names of Python 2 in pickles of protocols 0 to 2 are translated.
    offset : int
        Of the opcode, in bytes.
    old : (str, str), optional
        The module and the name as they stand in the stream, if those differ.
    """

    module: str
    name: str
    offset: int
    old: tuple[str, str] | None = None

    # Put together when they are asked for: a stream may name the same long texts any number of times.

    @property
    def written(self) -> str:
        """``module:name`` as it stands in the stream."""
        return self.spelled if self.old is None else ":".join(self.old)

    @property
    def spelled(self) -> str:
        """``module:name``."""
        return f"{self.module}:{self.name}"


class Computed(msgspec.Struct, eq=False):
    """A name that the stream computes, by calls or from outside: it could be any."""

    module: Value
    name: Value
    offset: int


class Call(msgspec.Struct, eq=False):
    """An object that comes from calling something, or from outside of the stream.

    Attributes
    ----------
    way : str
        See `Way`.
    function : Value
        What is called; the class for ``new``. For what comes from outside: None.
    args : Value
        A tuple, or what takes its place; the persistent id, the code of the extension.
    kwargs : Value
        Of NEWOBJ_EX; else None.
    offset : int
        Of the opcode, in bytes.
    items, pairs, states : list
        What is appended or added, set under keys, and built into it afterwards.
    """

    way: Way
    function: Value
    args: Value
    offset: int
    kwargs: Value = None
    items: list[Value] = msgspec.field(default_factory=list)
    pairs: list[tuple[Value, Value]] = msgspec.field(default_factory=list)
    states: list[Value] = msgspec.field(default_factory=list)


class List(msgspec.Struct, eq=False):
    """A list. See `filled` for what it held when."""

    items: list[Value]
    offset: int
    last: int = 0
    before: list[tuple[int, int]] | None = None


class Set(msgspec.Struct, eq=False):
    """A set, with its items in the order of the stream. See `filled` for what it held when."""

    items: list[Value]
    offset: int
    last: int = 0
    before: list[tuple[int, int]] | None = None


class FrozenSet(msgspec.Struct, eq=False):
    """A frozenset, with its items in the order of the stream."""

    items: list[Value]
    offset: int


class Dict(msgspec.Struct, eq=False):
    """A dict, as pairs in the order of the stream; a key may stand there more than once.

    See `filled` for what it held when.
    """

    pairs: list[tuple[Value, Value]]
    offset: int
    last: int = 0
    before: list[tuple[int, int]] | None = None


class Span(msgspec.Struct, eq=False, gc=False):
    """A long text or bytes that were not read.

    Attributes
    ----------
    kind : str
        ``str``, ``bytes`` or ``bytearray``.
    offset, size : int
        Where they are in the stream, in bytes.
    """

    kind: Literal["str", "bytes", "bytearray"]
    offset: int
    size: int


class ByteArray(msgspec.Struct, eq=False, gc=False):
    """A short bytearray."""

    content: bytes
    offset: int


class Stored(msgspec.Struct, eq=False):
    """An array of joblib, whose bytes stand between two opcodes, or in a file beside.

    Attributes
    ----------
    wrapper : Call
        The object that describes it.
    dtype : numpy.dtype or None
        Its dtype; None for an array in a file beside, which says itself what it is.
    shape : tuple of int
        Its shape; empty for an array in a file beside.
    order : str
        ``C`` or ``F``.
    offset, size : int
        Where its bytes are in the stream; 0 and 0 for an array of objects.
    objects : Value
        For an array of objects: what a pickle in the place of the bytes makes.
    file : str
        For an array in a file beside: its name, as the stream has it; empty if that is no text.
    attributes : dict of str to Value or None
        For an array in a file beside: what its instance says of it.
    """

    wrapper: Call
    dtype: Any
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    offset: int
    size: int
    objects: Value = None
    file: str = ""
    attributes: dict[str, Value] | None = None

    @property
    def is_beside(self) -> bool:
        """Whether it is in a file beside."""
        return self.attributes is not None

    @property
    def is_packed(self) -> bool:
        """Whether that file has nothing but its bytes, compressed, and the instance says the rest."""
        return self.attributes is not None and "filename" in self.attributes and "state" in self.attributes


Record = Global | Computed | Call | List | Set | FrozenSet | Dict | Span | ByteArray | Stored

_RECORDS = (Global, Computed, Call, List, Set, FrozenSet, Dict, Span, ByteArray, Stored)


def filled(value: List | Set | Dict) -> list[tuple[int, int]]:
    """Tell what a container held when: pairs of an offset and how much was in it from there on.

    There is one pair for all that was put in without an operation in between.
    """
    size = len(value.pairs if isinstance(value, Dict) else value.items)
    return [*(value.before or ()), (value.last or value.offset, size)]


def is_record(value: Value) -> TypeGuard[Record]:
    """Tell whether a value is one of the records of this module."""
    return isinstance(value, _RECORDS)
