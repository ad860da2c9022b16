"""Opcodes that make containers, and put items into what there is. See `opcodes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skopsafe.foreign.pickles.constants import Opcode
from skopsafe.foreign.pickles.reading import Broken
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

if TYPE_CHECKING:
    from skopsafe.foreign.pickles.machine import Machine

_HASHED = frozenset((Call, Computed, Stored, FrozenSet, tuple, List, Dict, Set, ByteArray, Span))
"""Keys whose hash may be made by a method of a class, or that have none, which is an error."""


def _mark(m: Machine) -> None:
    m.marks.append(m.stack)
    m.stack = []


def _empty_list(m: Machine) -> None:
    m.stack.append(List([], m.offset))


def _empty_dict(m: Machine) -> None:
    m.stack.append(Dict([], m.offset))


def _empty_set(m: Machine) -> None:
    m.stack.append(Set([], m.offset))


def _list(m: Machine) -> None:
    items = m.marked()
    made = List(items, m.offset)
    m.stack.append(made)
    _hold(m, made, items)


def _hold(m: Machine, made: Value, items: Sequence[Value]) -> None:
    """Write down what holds imported names."""
    if Global in map(type, items):
        m.found.holders.append(made)


def _tuple(m: Machine) -> None:
    made = tuple(m.marked())
    m.stack.append(made)
    _hold(m, made, made)


def _tuple_of(count: int) -> Opcode:
    def push(m: Machine) -> None:
        stack = m.stack
        if len(stack) < count:
            raise IndexError
        made = tuple(stack[-count:])
        stack[-count:] = [made]
        _hold(m, made, made)

    return push


def _dict(m: Machine) -> None:
    items = m.marked()
    made = Dict(_pairs(items), m.offset)
    m.stack.append(made)
    _hash(m, made, items[::2])
    _hold(m, made, items)


def _pairs(items: list[Value]) -> list[tuple[Value, Value]]:
    if len(items) % 2:
        raise Broken("a key has no value")
    return list(zip(items[::2], items[1::2], strict=True))


def _frozenset(m: Machine) -> None:
    items = m.marked()
    made = FrozenSet(items, m.offset)
    m.stack.append(made)
    _hash(m, made, items)
    _hold(m, made, items)


def _hash(m: Machine, made: Set | FrozenSet | Dict, keys: list[Value]) -> None:
    """Write down what may call methods of its keys, when they are put into it."""
    if not _HASHED.isdisjoint(map(type, keys)):
        m.found.hashing.append(made)


def _put(m: Machine, target: List | Set | Dict, size: int) -> None:
    """Write down when something is put into a container that holds `size` things so far."""
    if size:
        last = target.last or target.offset
        operations = m.found.operations
        if operations and operations[-1].offset > last:
            if target.before is None:
                target.before = []
            target.before.append((last, size))
    target.last = m.offset


def _append(m: Machine) -> None:
    item = m.stack.pop()
    _extend(m, [item])


def _appends(m: Machine) -> None:
    items = m.marked()
    _extend(m, items)


def _extend(m: Machine, items: list[Value]) -> None:
    target = m.stack[-1]
    if not items:
        return  # the C unpickler looks at nothing then
    if type(target) is List:
        _put(m, target, len(target.items))
        target.items += items
        _hold(m, target, items)
    else:
        if isinstance(target, Call):
            target.items += items
        m.do("append", _may_be_any(m, target), items)


def _setitem(m: Machine) -> None:
    value = m.stack.pop()
    key = m.stack.pop()
    _set(m, [(key, value)], [key, value])


def _setitems(m: Machine) -> None:
    items = m.marked()
    _set(m, _pairs(items), items)


def _set(m: Machine, pairs: list[tuple[Value, Value]], items: list[Value]) -> None:
    target = m.stack[-1]
    if not pairs:
        return
    if type(target) is Dict:
        _put(m, target, len(target.pairs))
        target.pairs += pairs
        _hash(m, target, items[::2])
        _hold(m, target, items)
    else:
        if isinstance(target, Call):
            target.pairs += pairs
        elif isinstance(target, List):
            m.do("setitem", target, pairs)
            return
        m.do("setitem", _may_be_any(m, target), pairs)


def _additems(m: Machine) -> None:
    items = m.marked()
    target = m.stack[-1]
    if not items:
        return
    if isinstance(target, Set):
        _put(m, target, len(target.items))
        target.items += items
        _hash(m, target, items)
        _hold(m, target, items)
    else:
        if isinstance(target, Call):
            target.items += items
        m.do("add", _may_be_any(m, target), items)


def _may_be_any(m: Machine, target: Value) -> Value:
    """Return what the opcode is about, if it can have methods that the stream does not know."""
    if isinstance(target, Call | Global | Computed | Stored | ByteArray):
        return target
    if isinstance(target, Span) and target.kind == "bytearray":
        return target
    raise Broken(f"nothing can be put into this {type(target).__name__.lower()}")


CONTAINERS: dict[bytes, Opcode] = {
    b"(": _mark,
    b"]": _empty_list,
    b"}": _empty_dict,
    b"\x8f": _empty_set,
    b"l": _list,
    b"t": _tuple,
    b"\x85": _tuple_of(1),
    b"\x86": _tuple_of(2),
    b"\x87": _tuple_of(3),
    b"d": _dict,
    b"\x91": _frozenset,
    b"a": _append,
    b"e": _appends,
    b"s": _setitem,
    b"u": _setitems,
    b"\x90": _additems,
}
"""By the byte of an opcode: what it does."""
