"""Values of a pickle as short texts that can be shown: escaped, and bounded however large the value is."""

from __future__ import annotations

from skopsafe.errors import escape
from skopsafe.foreign.pickles.values import (
    OUTSIDE,
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
    is_record,
)

_TEXT = 80
_ITEMS = 4
_LEVELS = 3


def show(value: Value, levels: int = _LEVELS) -> str:
    """Return a value as a short text, with what it holds for some `levels`."""
    match value:
        case Global():
            return clip(escape(value.spelled), 2 * _TEXT)
        case Computed():
            return f"<name computed from {show(value.module, levels - 1)} and {show(value.name, levels - 1)}>"
        case Call():
            return _call(value, levels)
        case Span():
            return f"<{value.size} bytes of {value.kind} at {value.offset}>"
        case ByteArray():
            return f"bytearray({_constant(value.content)})"
        case Stored(is_beside=True):
            return f"<array in the file {_constant(value.file)}>"
        case Stored():
            return f"<array of shape {value.shape!s:.60}>"
        case tuple():
            inner = _several(value, levels)
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        case List():
            return f"[{_several(value.items, levels)}]"
        case Set():
            return f"{{{_several(value.items, levels)}}}"
        case FrozenSet():
            return f"frozenset({{{_several(value.items, levels)}}})"
        case Dict():
            return f"{{{_pairs(value.pairs, levels)}}}"
    return _constant(value)


def _constant(value: Value) -> str:
    if is_record(value):
        return f"<{type(value).__name__.lower()}>"
    if isinstance(value, str | bytes):
        # No more is spelled than is shown: an escaped text can be many times as long.
        text = escape(repr(value[:_TEXT]))
        return text if len(value) <= _TEXT else f"{text}... ({len(value)})"
    if isinstance(value, int) and value.bit_length() > 200:
        return f"<number of {value.bit_length()} bits>"
    return escape(repr(value))


def _several(items: list[Value] | tuple[Value, ...], levels: int) -> str:
    if not items:
        return ""
    if levels <= 0:
        return "..."
    found = [show(item, levels - 1) for item in items[:_ITEMS]]
    if len(items) > _ITEMS:
        found.append(f"... {len(items) - _ITEMS} more")
    return ", ".join(found)


def _pairs(pairs: list[tuple[Value, Value]], levels: int) -> str:
    if not pairs:
        return ""
    if levels <= 0:
        return "..."
    found = [f"{show(key, levels - 1)}: {show(item, levels - 1)}" for key, item in pairs[:_ITEMS]]
    if len(pairs) > _ITEMS:
        found.append(f"... {len(pairs) - _ITEMS} more")
    return ", ".join(found)


def _call(value: Call, levels: int) -> str:
    if levels <= 0:
        return "..."
    args = (
        _several(value.args, levels) if isinstance(value.args, tuple) else f"*{show(value.args, levels - 1)}"
    )
    if value.kwargs is not None:
        args = f"{args}{', ' if args else ''}**{show(value.kwargs, levels - 1)}"
    if value.way in OUTSIDE:
        return f"<{value.way} {args}>"
    if value.way == "new":
        return f"{show(value.function, levels - 1)}.__new__({args})"
    return f"{show(value.function, levels - 1)}({args})"


def clip(text: str, most: int) -> str:
    """Return a text, or its beginning with its length behind it."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text)})"
