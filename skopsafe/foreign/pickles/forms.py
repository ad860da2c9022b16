"""How values and operations look in Python. See `script`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skopsafe.foreign.pickles.expressions import Expression
from skopsafe.foreign.pickles.literals import Literals
from skopsafe.foreign.pickles.values import (
    Call,
    Computed,
    Dict,
    FrozenSet,
    Global,
    List,
    Set,
    Stored,
    Value,
)

_OUTSIDE = {
    "persistent": "_persistent_load",
    "extension": "_extension",
    "buffer": "_next_buffer",
    "file": "_from_file",
}
_METHODS = {"append": ("append", "extend"), "add": ("add", "update")}


@dataclass(frozen=True, slots=True)
class Puts:
    """An operation that changes something: its kind, what it changes, and what it sets or puts into it.

    Of kind ``result``, it gives a name of the script to what comes out.
    """

    kind: str
    target: Value
    content: tuple[Any, ...]


def pieces(value: Value, size: Callable[[Any], int], is_alone: Callable[[Value], bool]) -> Iterator[Value]:
    """Go through what an expression of a value is put together from, in the order of its text."""
    match value:
        case tuple():
            yield from value
        case List() | Set():
            yield from value.items[: size(value)]
        case FrozenSet():
            yield from value.items
        case Dict():
            for pair in value.pairs[: size(value)]:
                yield from pair
        case Computed() | Global():
            yield value.module
            yield value.name
        case Stored():
            yield value.wrapper
            if value.objects is not None:
                yield value.objects
        case Puts(kind="result"):
            yield from value.content
        case Puts(kind="setitem"):
            yield value.target
            for pair in value.content:
                yield from pair
        case Puts():
            yield value.target
            yield from value.content
        case Call():
            if value.way not in _OUTSIDE:
                yield value.function
            if is_alone(value.args):
                yield from value.args
            else:
                yield value.args
            if value.kwargs is not None:
                yield value.kwargs


def assemble(
    value: Value, out: list[Expression], is_alone: Callable[[Value], bool], literals: Literals
) -> Expression:
    """Return the expression of a value from those of its pieces."""
    match value:
        case tuple():
            return Expression("(", out, ",)" if len(out) == 1 else ")")
        case List():
            return Expression("[", out, "]")
        case Set():
            return Expression("{", out, "}") if out else Expression("set()")
        case FrozenSet():
            return _call(literals.helper("frozenset"), [Expression("[", out, "]")] if out else [])
        case Dict():
            return Expression("{", _pairs(out), "}")
        case Computed() | Global():
            return _call(literals.helper("_find"), out)
        case Stored():
            content = out[1:] or [literals.stored(value)]
            return _call(literals.helper("_stored"), [out[0], *content])
        case Puts():
            return _puts(value, out, literals)
        case Call():
            return _called(value, out, is_alone(value.args), literals)
    return literals.of(value)


def _pairs(out: Sequence[Expression]) -> list[Expression]:
    return [Expression("", pair, separator=": ") for pair in zip(out[::2], out[1::2], strict=True)]


def _call(function: Expression, args: Sequence[Expression]) -> Expression:
    if function.items or function.first >= 0:
        return Expression("", [function, Expression("(", args, ")")], separator="")
    return Expression(f"{function.open}(", args, ")")


def _called(call: Call, out: list[Expression], is_spread: bool, literals: Literals) -> Expression:
    if call.kwargs is not None:
        out[-1] = Expression("**", [out[-1]])
    if call.way in _OUTSIDE:
        return _call(literals.helper(_OUTSIDE[call.way]), out)
    if not is_spread:
        out[1] = Expression("*", [out[1]])
    if call.way == "new":
        return _call(literals.helper("_new"), out)
    if call.way == "instantiate" and len(out) == 1:
        return _call(literals.helper("_instantiate"), out)
    return _call(out[0], out[1:])


def _puts(puts: Puts, out: list[Expression], literals: Literals) -> Expression:
    if puts.kind == "result":
        return Expression(f"{puts.target} = ", out)
    target, *content = out
    if puts.kind == "build":
        return _call(literals.helper("_build"), out)
    if puts.kind == "setitem":
        if len(content) == 2:
            key, item = content
            place = Expression(
                "", [target, Expression("[", [key], "]", "")], separator="", order=(target, key)
            )
            return Expression("", [place, item], separator=" = ", order=(item, place))
        pairs = [Expression("(", pair, ")") for pair in zip(content[::2], content[1::2], strict=True)]
        return _call(literals.helper("_setitems"), [target, Expression("[", pairs, "]")])
    if isinstance(puts.target, List | Set) and target.open.isidentifier():
        one, many = _METHODS[puts.kind]
        if len(content) == 1:
            return Expression(f"{target.open}.{one}(", content, ")")
        return Expression(f"{target.open}.{many}([", content, "])")
    return _call(literals.helper(f"_{puts.kind}"), [target, Expression("[", content, "]")])
