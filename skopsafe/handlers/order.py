"""The order of the items of a set in a file: the same whatever their hashes and addresses are.

Items are put in order by what they hold, and that may be shared: one that holds another twice, which holds a
third one twice, and so on, has ways without end. So no more is looked at than makes real items differ.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import islice
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_MOST, _MORE = 2**12, 16
"""Parts that are looked at in all, and for each item."""
_DEEPEST = 50
_LONG = 4096
"""Bits of a number that Python writes in decimal digits at once."""


def canonical(found: Collection[Any]) -> list[Any]:
    """Order the items of a set so that the order depends neither on hashes nor on addresses."""
    kinds = set(map(type, found))
    if kinds <= {str} or kinds <= {int}:
        return sorted(found)
    most = _MORE + _MOST // len(found)
    return sorted(found, key=lambda item: _key(item, [most], 0))


def _key(item: Any, left: list[int], depth: int) -> tuple[str, ...]:
    """Return texts that say what an item is: its class, and what it holds, as far as anything is left."""
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        return ()
    kind = type(item)
    name = f"{kind.__module__}.{kind.__qualname__}"
    in_order = getattr(kind, "in_order", None)
    if in_order is not None:  # it stands for an object of another class
        name, item = in_order(item)
        kind = tuple
    if kind is dict:
        item, kind = [part for pair in islice(item.items(), left[0]) for part in pair], list
    if kind is tuple or kind is list:
        return name, *_joined(_keys(item, left, depth))
    if kind is set or kind is frozenset:
        kinds = set(map(type, islice(item, left[0])))
        if len(item) <= left[0] and (kinds <= {str} or kinds <= {int}):
            left[0] -= len(item)
            return name, *_joined([(str(part),) for part in sorted(item)])
        return name, str(len(item)), *_joined(sorted(_keys(item, left, depth)))
    if callable(item):
        return name, str(getattr(item, "__module__", "")), str(getattr(item, "__qualname__", ""))
    return name, hex(item) if kind is int and item.bit_length() > _LONG else _ADDRESS.sub("", repr(item))


def _keys(items: Collection[Any], left: list[int], depth: int) -> list[tuple[str, ...]]:
    return [_key(item, left, depth + 1) for item in islice(items, max(left[0], 0) + 1)]


def _joined(keys: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple([text for key in keys for text in ("", *key)])
