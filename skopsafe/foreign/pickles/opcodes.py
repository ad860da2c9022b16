"""The opcodes of pickle, each as what it does to the machine: one entry of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skopsafe.foreign.pickles.constants import CONSTANTS, Opcode, place
from skopsafe.foreign.pickles.containers import CONTAINERS
from skopsafe.foreign.pickles.reading import Broken, Stop
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

NEWEST = 5
"""Protocol that the newest unpickler knows."""
_FAR = 2**20
"""Places behind the end of the memo that no pickler leaves empty: C allocates them all."""


_CALLED = (Global, Call, Computed)
_BUILT = (Call, Global, Computed, Stored)
_MANY = (tuple, str, bytes, List, Set, FrozenSet, Dict, Span, ByteArray, Call, Computed, Global, Stored)
"""What can be the arguments of a call: a tuple in C, and what has items in the unpickler in Python."""


def _unknown(m: Machine) -> None:
    m.at -= 1
    raise Broken(f"there is no opcode {m.buffer[m.at]:#04x}")


# What the stream is about.


def _proto(m: Machine) -> None:
    protocol = m.buffer[m.at]
    m.at += 1
    if protocol > NEWEST:
        raise Broken(f"there is no protocol {protocol}")
    m.protocol = protocol


def _frame(m: Machine) -> None:
    size = m.number(8)
    if m.offset < m.frame:
        m.note("a frame begins within another, and unpicklers read different things")
    m.frame = m.place + size
    if m.place + size > m.source.size:
        m.note("a frame is longer than the stream, where some unpicklers stop")


def _stop(m: Machine) -> None:
    m.found.root = m.stack.pop()
    if m.stack or m.marks:
        m.found.drops = True
    raise Stop


# The stack and the memo.


def _pop(m: Machine) -> None:
    if m.stack:
        m.stack.pop()
        m.found.drops = True
    elif m.marks:
        m.stack = m.marks.pop()
    else:
        raise IndexError


def _pop_mark(m: Machine) -> None:
    m.marked()
    m.found.drops = True


def _dup(m: Machine) -> None:
    m.stack.append(m.stack[-1])


def _remember(m: Machine, number: int) -> None:
    if number < 0:
        raise Broken("a place of the memo is negative")
    if number > 2 * len(m.memo) + _FAR:
        m.note(f"place {number} of the memo lies far behind its end: unpicklers make room for all before it")
    m.memo[number] = m.stack[-1]


def _recall(m: Machine, number: int) -> None:
    try:
        m.stack.append(m.memo[number])
    except KeyError:
        raise Broken(f"there is nothing at place {number} of the memo") from None


def _place_in_line(m: Machine) -> int:
    return place(m.line())


def _memoize(m: Machine) -> None:
    m.memo[len(m.memo)] = m.stack[-1]


def _put(m: Machine) -> None:
    _remember(m, _place_in_line(m))


def _binput(m: Machine) -> None:
    m.memo[m.buffer[m.at]] = m.stack[-1]
    m.at += 1


def _long_binput(m: Machine) -> None:
    _remember(m, m.number(4))


def _get(m: Machine) -> None:
    _recall(m, _place_in_line(m))


def _binget(m: Machine) -> None:
    number = m.buffer[m.at]
    m.at += 1
    _recall(m, number)


def _long_binget(m: Machine) -> None:
    _recall(m, m.number(4))


# Names, calls and states.


def _name_of(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Broken("a name is not UTF-8") from None


def _global(m: Machine) -> None:
    module, name = _name_of(m.line()), _name_of(m.line())
    m.stack.append(m.name(module, name))


def _stack_global(m: Machine) -> None:
    name = m.stack.pop()
    module = m.stack.pop()
    if type(module) is str and type(name) is str:
        m.stack.append(m.name(module, name))
        return
    for part in (module, name):
        if not isinstance(part, str | Span | Call | Computed):
            raise Broken("a name is no text")
    found = Computed(module, name, m.offset)
    m.do("import", found)
    m.stack.append(found)


def _callable(function: Value) -> Value:
    if not isinstance(function, _CALLED):
        raise Broken(f"a {type(function).__name__.lower()} cannot be called")
    return function


def _reduce(m: Machine) -> None:
    stack = m.stack
    args = stack.pop()
    function = stack.pop()
    if not isinstance(args, _MANY):
        raise Broken("the arguments of a call are no tuple")
    stack.append(m.call("reduce", _callable(function), args))


def _newobj(m: Machine) -> None:
    args = m.stack.pop()
    cls = m.stack.pop()
    if not isinstance(args, _MANY):
        raise Broken("the arguments of a class are no tuple")
    m.stack.append(m.call("new", _callable(cls), args))


def _newobj_ex(m: Machine) -> None:
    kwargs = m.stack.pop()
    args = m.stack.pop()
    cls = m.stack.pop()
    if not isinstance(args, _MANY) or not isinstance(kwargs, Dict | Call | Computed):
        raise Broken("the arguments of a class are no tuple and dict")
    m.stack.append(m.call("new", _callable(cls), args, kwargs))


def _inst(m: Machine) -> None:
    module, name = _name_of(m.line()), _name_of(m.line())
    # The unpickler in Python imports before it looks for the mark.
    found = m.name(module, name)
    args = tuple(m.marked())
    m.stack.append(m.call("instantiate", found, args))


def _obj(m: Machine) -> None:
    items = m.marked()
    if not items:
        raise IndexError
    m.stack.append(m.call("instantiate", _callable(items[0]), tuple(items[1:])))


def _build(m: Machine) -> None:
    state = m.stack.pop()
    target = m.stack[-1]
    if isinstance(target, _BUILT):
        if type(target) is Call:
            target.states.append(state)
        m.do("build", target, state)
        if m.built is not None and isinstance(target, (Call, Global)):
            m.built(m, target)
    elif not _is_empty(state):
        raise Broken(f"a {type(target).__name__.lower()} has no state")
    else:
        m.found.drops = True


def _is_empty(state: Value) -> bool:
    """Tell whether a state may change nothing, at an object without `__setstate__`."""
    match state:
        case tuple():
            # In two parts, each of them may be empty.
            return not state or (len(state) == 2 and all(map(_is_empty, state)))
        case List() | Set() | FrozenSet():
            return not state.items
        case Dict():
            return not state.pairs
        case ByteArray() | Span() | Stored():
            return isinstance(state, ByteArray) and not state.content
        case Call() | Global() | Computed():
            return True  # of any kind, also one that counts as false
        case _:
            return not state


# From outside of the stream.


def _persid(m: Machine) -> None:
    try:
        found = m.line().decode("ascii")
    except UnicodeDecodeError:
        raise Broken("a persistent id of protocol 0 is not ASCII") from None
    m.stack.append(m.call("persistent", None, (found,)))


def _binpersid(m: Machine) -> None:
    m.stack.append(m.call("persistent", None, (m.stack.pop(),)))


def _ext(width: int) -> Opcode:
    def push(m: Machine) -> None:
        code = m.number(width)
        if code <= 0:
            raise Broken("the code of an extension is not positive")
        m.stack.append(m.call("extension", None, (code,)))

    return push


def _next_buffer(m: Machine) -> None:
    m.stack.append(m.call("buffer", None, ()))


def _readonly_buffer(m: Machine) -> None:
    _ = m.stack[-1]


_TABLE: dict[bytes, Opcode] = (
    CONSTANTS
    | CONTAINERS
    | {
        b"\x80": _proto,
        b"\x95": _frame,
        b".": _stop,
        b"0": _pop,
        b"1": _pop_mark,
        b"2": _dup,
        b"\x94": _memoize,
        b"p": _put,
        b"q": _binput,
        b"r": _long_binput,
        b"g": _get,
        b"h": _binget,
        b"j": _long_binget,
        b"c": _global,
        b"\x93": _stack_global,
        b"R": _reduce,
        b"\x81": _newobj,
        b"\x92": _newobj_ex,
        b"i": _inst,
        b"o": _obj,
        b"b": _build,
        b"P": _persid,
        b"Q": _binpersid,
        b"\x82": _ext(1),
        b"\x83": _ext(2),
        b"\x84": _ext(4),
        b"\x97": _next_buffer,
        b"\x98": _readonly_buffer,
    }
)

TABLE: list[Opcode] = [_TABLE.get(bytes([code]), _unknown) for code in range(256)]
"""By the byte of an opcode: what it does."""
