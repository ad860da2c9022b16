"""Mutants of bytes and of JSON values; `rng` decides everything, so that a mutant can be made again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

Mutate = Callable[[bytes, random.Random], bytes]

_INTEGERS = (
    0,
    1,
    2,
    3,
    7,
    8,
    15,
    16,
    31,
    32,
    63,
    64,
    127,
    128,
    255,
    256,
    1023,
    1024,
    1025,
    4095,
    65535,
    65536,
)
_LARGE = (
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32,
    2**53,
    2**53 - 1,
    2**63 - 1,
    2**63,
    2**64 - 1,
    10**6,
    10**9,
    10**20,
)
INTEGERS = (*_INTEGERS, *_LARGE, *(-number for number in (1, 2, 128, 2**31, 2**63)))
ATOMS: tuple[Any, ...] = (
    None,
    True,
    False,
    0.0,
    -0.0,
    1.5,
    1e308,
    5e-324,
    "",
    "x",
    "\x1b[31m",
    "\u202e",
    [],
    {},
)


def bytes_mutant(data: bytes, rng: random.Random, words: Sequence[bytes] = ()) -> bytes:
    """Change some bytes: flip, set, insert, drop, repeat, copy elsewhere, or put a word in."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(out) + 1)
        length = rng.choice((1, 1, 2, 4, 8, rng.randrange(1, 64)))
        how = rng.randrange(8 if words else 7)
        if how == 0 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif how == 1 and at < len(out):
            out[at] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        elif how == 2:
            out[at:at] = rng.randbytes(length)
        elif how == 3:
            del out[at : at + length]
        elif how == 4:
            out[at:at] = out[at : at + length]
        elif how == 5:
            number, size = rng.choice(INTEGERS), rng.choice((1, 2, 4, 8))
            word = (number % 2 ** (8 * size)).to_bytes(size, rng.choice(("little", "big")))
            out[at : at + rng.choice((0, size))] = word
        elif how == 6 and out:
            start = rng.randrange(len(out))
            piece = out[start : start + length]
            out[at : at + rng.choice((0, len(piece)))] = piece
        elif words:
            word = rng.choice(words)
            out[at : at + rng.choice((0, len(word)))] = word
    return bytes(out)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a JSON value: what holds it, and its key there."""
    found: list[tuple[Any, Any]] = []
    todo = [value]
    while todo:
        holder = todo.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                todo.append(holder[key])
    return found


def json_mutant(value: Any, rng: random.Random, grafts: Sequence[Any] = ()) -> Any:
    """Change a JSON value in one to four places; `grafts` are values that mean something there."""
    root = [json.loads(json.dumps(value))]
    for _ in range(rng.choice((1, 1, 2, 2, 3, 4))):
        every = places(root)
        holder, key = rng.choice(every)
        old = holder[key]
        how = rng.randrange(10)
        if how <= 2 and type(old) is int:
            holder[key] = rng.choice((old + 1, old - 1, 2 * old, -old, rng.choice(INTEGERS)))
        elif how <= 4 and grafts:
            holder[key] = json.loads(json.dumps(rng.choice(grafts)))
        elif how == 5:
            other, place = rng.choice(every)
            holder[key] = json.loads(json.dumps(other[place]))
        elif how == 6 and holder is not root:
            del holder[key]
        elif how == 7 and isinstance(holder, list) and holder is not root:
            holder[key:key] = [json.loads(json.dumps(old))] * rng.choice((1, 1, 2, 40))
        elif how == 8:
            holder[key] = rng.choice(([old], rng.choice(ATOMS), rng.choice(INTEGERS)))
        elif isinstance(old, list) and len(old) > 1:
            rng.shuffle(old)
        elif isinstance(old, str):
            holder[key] = rng.choice((old + "x", old[1:], old[::-1], old.upper(), f"{old}\x07"))
        else:
            holder[key] = rng.choice((*ATOMS, *INTEGERS[:8]))
    return root[0]
