"""The order of the items of a set in a file: the same whatever their hashes and addresses are.

Items are put in order by a digest of what they hold. That may be shared: one that holds another twice, which
holds a third one twice, and so on, is short and has ways without end. So a digest is made of each object
once, out of those of its parts, as in a Merkle tree.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from hashlib import blake2b
from itertools import chain
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_DEEPEST = 50
"""Levels that count: Python would recurse too deep."""
_LONG = 4096
"""Bits of a number that Python writes in decimal digits at once."""
_PLAIN = frozenset((str, int, float, bool, type(None)))
_UNORDERED = frozenset((set, frozenset))
_CONTAINERS = _UNORDERED | {tuple, list}


class Ordered:
    """What stands for an object of another class, and is put in order as that would be."""

    __slots__ = ()

    def in_order(self) -> tuple[str, tuple[Any, ...]]:
        """Return the name of the class, and what the object holds."""
        raise NotImplementedError


def canonical(found: Collection[Any]) -> list[Any]:
    """Order the items of a set so that the order depends neither on hashes nor on addresses."""
    kinds = set(map(type, found))
    if kinds <= {str} or kinds <= {int}:
        return sorted(found)
    known: dict[int, bytes] = {}
    return sorted(found, key=lambda item: _digest(item, known, 0))


def _digest(item: Any, known: dict[int, bytes], depth: int) -> bytes:
    """Return what tells an item from others: a short text of a plain one, a digest of what another holds."""
    kind = type(item)
    if kind in _PLAIN:
        long = kind is int and item.bit_length() > _LONG
        return f"{kind.__name__} {hex(item) if long else repr(item)}".encode()
    digest = known.get(id(item))
    if digest is None:
        parts = _parts(item, known, depth)
        sizes = " ".join([str(len(part)) for part in parts])
        digest = known[id(item)] = blake2b(b"".join([sizes.encode(), b":", *parts]), digest_size=16).digest()
    return digest


def _parts(item: Any, known: dict[int, bytes], depth: int) -> list[bytes]:
    kind = type(item)
    inside: Iterable[Any] = ()
    texts = [f"{kind.__module__}.{kind.__qualname__}"]
    if issubclass(kind, Ordered):
        texts[0], inside = item.in_order()
    elif kind is dict:
        inside = chain.from_iterable(item.items())
    elif kind in _CONTAINERS:
        inside = item
    elif callable(item) and hasattr(item, "__qualname__"):
        texts += [str(getattr(item, "__module__", "")), str(item.__qualname__)]
    else:
        texts.append(_ADDRESS.sub("", repr(item)))
    found = [_digest(part, known, depth + 1) for part in inside] if depth < _DEEPEST else []
    if kind in _UNORDERED:
        found.sort()
    return [*(text.encode("utf-8", "surrogatepass") for text in texts), *found]
