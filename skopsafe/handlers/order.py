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
    """Return a digest of the class of an item and of what it holds."""
    digest = known.get(id(item))
    if digest is None:
        parts = [
            part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
            for part in _parts(item, known, depth)
        ]
        sizes = " ".join(str(len(part)) for part in parts)
        digest = known[id(item)] = blake2b(b"".join([sizes.encode(), b":", *parts]), digest_size=16).digest()
    return digest


def _parts(item: Any, known: dict[int, bytes], depth: int) -> Iterable[str | bytes]:
    kind = type(item)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if depth > _DEEPEST:
        return (name,)
    if issubclass(kind, Ordered):
        name, inside = item.in_order()
        return name, *_digests(inside, known, depth)
    if kind is dict:
        return name, *_digests(chain.from_iterable(item.items()), known, depth)
    if kind is tuple or kind is list:
        return name, *_digests(item, known, depth)
    if kind is set or kind is frozenset:
        return name, *sorted(_digests(item, known, depth))
    if callable(item) and hasattr(item, "__qualname__"):
        return name, str(getattr(item, "__module__", "")), str(item.__qualname__)
    return name, hex(item) if kind is int and item.bit_length() > _LONG else _ADDRESS.sub("", repr(item))


def _digests(items: Iterable[Any], known: dict[int, bytes], depth: int) -> list[bytes]:
    return [_digest(item, known, depth + 1) for item in items]
