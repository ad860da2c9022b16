"""Opcodes that make containers, and put items into what there is. See `opcodes`."""

from __future__ import annotations

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
    Value,
)

if TYPE_CHECKING:
    from skopsafe.foreign.pickles.machine import Machine


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
    m.stack.append(List(items, m.offset))


def _tuple(m: Machine) -> None:
    items = m.marked()
    m.stack.append(tuple(items))


def _tuple_of(count: int) -> Opcode:
    def push(m: Machine) -> None:
        stack = m.stack
        if len(stack) < count:
            raise IndexError
        stack[-count:] = [tuple(stack[-count:])]

    return push


def _dict(m: Machine) -> None:
    items = m.marked()
    m.stack.append(Dict(_pairs(items), m.offset))


def _pairs(items: list[Value]) -> list[tuple[Value, Value]]:
    if len(items) % 2:
        raise Broken("a key has no value")
    return list(zip(items[::2], items[1::2], strict=True))


def _frozenset(m: Machine) -> None:
    items = m.marked()
    m.stack.append(FrozenSet(items, m.offset))


def _append(m: Machine) -> None:
    item = m.stack.pop()
    _extend(m, [item])


def _appends(m: Machine) -> None:
    items = m.marked()
    _extend(m, items)


def _extend(m: Machine, items: list[Value]) -> None:
    target = m.stack[-1]
    if isinstance(target, List):
        target.items += items
    elif items:
        if isinstance(target, Call):
            target.items += items
        m.do("append", _may_be_any(m, target), items)


def _setitem(m: Machine) -> None:
    value = m.stack.pop()
    key = m.stack.pop()
    _set(m, [(key, value)])


def _setitems(m: Machine) -> None:
    items = m.marked()
    _set(m, _pairs(items))


def _set(m: Machine, pairs: list[tuple[Value, Value]]) -> None:
    target = m.stack[-1]
    if isinstance(target, Dict):
        target.pairs += pairs
    elif pairs:
        if isinstance(target, Call):
            target.pairs += pairs
        elif isinstance(target, List):
            m.do("setitem", target, pairs)
            return
        m.do("setitem", _may_be_any(m, target), pairs)


def _additems(m: Machine) -> None:
    items = m.marked()
    target = m.stack[-1]
    if isinstance(target, Set):
        target.items += items
    elif items:
        if isinstance(target, Call):
            target.items += items
        m.do("add", _may_be_any(m, target), items)


def _may_be_any(m: Machine, target: Value) -> Value:
    """Return what the opcode is about, if it can have methods that the stream does not know."""
    if isinstance(target, Call | Global | Computed):
        return target
    if isinstance(target, ByteArray) or (isinstance(target, Span) and target.kind == "bytearray"):
        return target  # only bytes can be put into it: nothing of the file is called
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
