"""Which values stand in the schema as they are, and which are nodes of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from skopsafe.graph.parts import Leaf

_SAFE_INTEGER = 2**53
_ALWAYS = frozenset({type(None), bool, Leaf})
_SCALARS = _ALWAYS | {int, float, str}
_SHORT = 32
"""Values that are looked at one by one sooner than all at once."""


def is_scalar(value: Any) -> bool:
    """Tell whether a value is one that JSON keeps as it is, or a `Leaf`."""
    kind = type(value)
    if kind is str:
        return value.isascii() or _is_spelled(value)
    if kind is int:
        return -_SAFE_INTEGER < value < _SAFE_INTEGER  # type: ignore[no-any-return]
    if kind is float:
        return math.isfinite(value)
    return kind in _ALWAYS


def _is_spelled(text: str) -> bool:
    """Tell whether UTF-8 can spell a text: it has no surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def objects_in(values: list[Any]) -> Sequence[int]:
    """Return the places of the values that are nodes of their own."""
    if len(values) < _SHORT:
        return [place for place, value in enumerate(values) if not is_scalar(value)]
    kinds = set(map(type, values))
    if kinds.isdisjoint(_SCALARS):
        return range(len(values))
    simple = {kind for kind in kinds & _SCALARS if _are_simple(kind, kinds, values)}
    if kinds == simple:
        return ()
    if simple == kinds & _SCALARS:
        return [place for place, kind in enumerate(map(type, values)) if kind not in simple]
    return [place for place, value in enumerate(values) if type(value) not in simple and not is_scalar(value)]


def _are_simple(kind: type, kinds: set[type], values: list[Any]) -> bool:
    """Tell whether all values of a type are scalars."""
    if kind in _ALWAYS:
        return True
    some: list[Any] = values if len(kinds) == 1 else [value for value in values if type(value) is kind]
    if kind is str:
        joined = "".join(some)
        return joined.isascii() or _is_spelled(joined)
    if kind is int:
        return bool(min(some) > -_SAFE_INTEGER and max(some) < _SAFE_INTEGER)
    return all(map(math.isfinite, some))
