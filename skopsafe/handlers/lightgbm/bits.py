"""Which characters of a text are of a kind, one bit for each: 64 of them are looked at in one step.

The bit of a character is that of its place, counted from the lowest of the first word. Whatever holds of
neighbours is a shift and an ``&`` away, for as many bytes as an eighth of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Words = np.ndarray[Any, np.dtype[np.uint64]]
Kind = Callable[[Array, Array], Any]
"""Writes into a second array whether each character of a first one is of a kind."""

_WORD, _BITS = np.dtype("<u8"), 64
_AT_ONCE = 2**18  # characters that are compared again and again while they are in a cache of the processor
_NUMPY_COUNTS = hasattr(np, "bitwise_count")  # since numpy 2.0
_ZERO, _ONE, _LAST = np.uint64(0), np.uint64(1), np.uint64(_BITS - 1)
_LOWER = (_ONE << np.arange(_BITS, dtype=np.uint64)) - _ONE  # all bits below that of each number


def find(text: Array, kinds: Sequence[Kind]) -> list[Words]:
    """Return the bits of the characters of each kind, and at last those of none.

    Parameters
    ----------
    text : array of uint8
        The characters.
    kinds : sequence of Kind
        The kinds.
    """
    found = np.empty((len(kinds) + 1, -(-len(text) // _BITS) * _WORD.itemsize), np.uint8)
    found[:, -_WORD.itemsize :] = 0
    are_such = np.empty(min(_AT_ONCE, len(text)), bool)
    for start in range(0, len(text), _AT_ONCE):
        piece = text[start : start + _AT_ONCE]
        here, place = are_such[: len(piece)], start // 8
        for row, kind in zip(found, kinds, strict=False):
            kind(piece, here)
            packed = np.packbits(here, bitorder="little")
            row[place : place + len(packed)] = packed
    words: Words = found.view(_WORD)
    np.bitwise_or.reduce(words[:-1], out=words[-1])
    np.invert(words[-1], out=words[-1])
    words[-1, -1] &= ~_ZERO >> np.uint64(-len(text) % _BITS)
    return list(words)


def after(bits: Words) -> Words:
    """Return the bits of the characters behind these."""
    found: Words = bits << _ONE
    found[1:] |= bits[:-1] >> _LAST
    return found


def before(bits: Words, count: int = 1) -> Words:
    """Return the bits of the characters so many places in front of these."""
    found: Words = bits >> np.uint64(count)
    found[:-1] |= bits[1:] << np.uint64(_BITS - count)
    return found


def behind_runs(runs: Words, starts: Words) -> Words:
    """Return bits without the runs of them that begin at `starts`, and with the bit behind each of these.

    The carry of an addition goes through a run. Where one is longer than a word, more is left of it.
    """
    found: Words = runs + starts
    found[1:] += found[:-1] < starts[:-1]
    return found


def places(bits: Words) -> Array:
    """Return the places of bits."""
    octets = bits.view(np.uint8)
    given = (octets != 0).nonzero()[0]
    found = np.unpackbits(octets[given], bitorder="little").view(bool).nonzero()[0]
    result: Array = given[found >> 3] * 8 + (found & 7)
    return result


def count(bits: Words) -> int:
    """Return how many bits there are."""
    return int(_in_each(bits).sum())


def ranks(bits: Words, at: Array) -> Array:
    """Return how many bits there are in front of each place."""
    total = np.zeros(len(bits) + 1, np.int64)
    np.cumsum(_in_each(bits), out=total[1:])
    words = at >> 6
    result: Array = total[words] + _in_each(bits[words] & _LOWER[at & 63]).astype(np.int64)
    return result


def _in_each(words: Words) -> Words:
    """Count the bits of each word: in pairs, in fours, in bytes, and the bytes by a multiplication."""
    if _NUMPY_COUNTS:
        return np.bitwise_count(words)
    pairs = words - ((words >> np.uint64(1)) & np.uint64(0x5555555555555555))
    low = np.uint64(0x3333333333333333)
    fours = (pairs & low) + ((pairs >> np.uint64(2)) & low)
    octets = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    result: Words = (octets * np.uint64(0x0101010101010101)) >> np.uint64(56)
    return result
