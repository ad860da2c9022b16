"""Keys that collide in hash tables, and the tables of CPython in plain Python, which count slots."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

MODULUS = sys.hash_info.modulus
_WORD = 2**sys.hash_info.width - 1
RUN = 9


def dict_slots(hashes: list[int], size: int) -> int:
    """Return how many slots a dict of one size looks at."""
    table, mask, count = [False] * size, size - 1, 0
    for value in hashes:
        rest, place = value & _WORD, value & mask
        count += 1
        while table[place]:
            rest >>= 5
            place = (5 * place + rest + 1) & mask
            count += 1
        table[place] = True
    return count


def dict_sizes(count: int) -> list[tuple[int, int]]:
    """Return the sizes that a dict goes through, and how many keys it has at most in each."""
    sizes, size = [], 8
    while True:
        sizes.append((size, min(2 * size // 3, count)))
        if sizes[-1][1] == count:
            return sizes
        size *= 2


class Set:
    """A set of CPython: `table` has numbers of keys, `counts` the slots looked at in each size."""

    def __init__(self, hashes: Iterable[int]) -> None:
        self.hashes = list(hashes)
        self.table: list[int | None] = [None] * 8
        self.counts: list[tuple[int, int]] = []
        count = 0
        for number in range(len(self.hashes)):
            count += self._put(number)
            used = number + 1
            if 5 * used >= 3 * (len(self.table) - 1):
                self.counts.append((count, used))
                size, wanted = 8, used * (2 if used > 50_000 else 4)
                while size <= wanted:
                    size *= 2
                old, self.table = self.table, [None] * size
                count = sum(self._put(other) for other in old if other is not None)
        self.counts.append((count, len(self.hashes)))

    def _put(self, number: int) -> int:
        table, mask, count = self.table, len(self.table) - 1, 0
        rest, place = self.hashes[number] & _WORD, self.hashes[number] & mask
        while True:
            for slot in range(place, place + (RUN if place + RUN <= mask else 0) + 1):
                count += 1
                if table[slot] is None:
                    table[slot] = number
                    return count
            rest >>= 5
            place = (5 * place + rest + 1) & mask


def one_hash(count: int) -> list[int]:
    """Return integers whose hash is 0."""
    return [MODULUS * number for number in range(1, count + 1)]


def full_slots(size: int, count: int, *, is_set: bool) -> list[int]:
    """Return integers of different hashes, the last of which try slots that the others have taken.

    When the bits of a hash are used up, the slots that are tried are the same for all keys: each is five
    times the one before it, and one more. The first keys take slots in this order; of a set also a quarter
    of the table, so that runs of it are full. The others are chosen bit by bit, so that they come by full
    runs to the beginning of the order.
    """
    run, bits, place = (RUN, size.bit_length() - 1, size // 2) if is_set else (0, size.bit_length() - 1, 1)
    steps, taken = [], np.zeros(size + run, bool)
    taken[: size // 4 if is_set else 0] = True
    while taken.sum() < (0.42 * size if is_set else count // 2):
        steps.append(place)
        taken[place : place + run + 1] = True
        place = (5 * place + 1) % size
    taken = taken[:size]
    whole = taken.copy()
    for further in range(1, run + 1):
        whole[: size - run] &= taken[further : size - run + further]
    begins = np.zeros(size, bool)
    begins[steps[: len(steps) // 2]] = True
    first, wanted = np.flatnonzero(taken).tolist(), count - int(taken.sum())
    hashes = places = np.flatnonzero(whole)
    for step in (1, 2, 3):
        hashes, places = _chosen(hashes, places, bits, step, range(32), whole)
        order = np.random.default_rng(0).permutation(len(hashes))[:800_000]
        hashes, places = hashes[order], places[order]
    last: list[int] = []
    for choice in range(32):
        some, at = _chosen(hashes, places, bits, 4, [choice], whole)
        for step in range(5, bits // 5 + 6):
            at = (5 * at + (some >> 5 * step) + 1) % size
            some, at = some[whole[at]], at[whole[at]]
        last += some[begins[at] & (some >= size)].tolist()
        if len(last) >= wanted:
            break
    return first + last[:wanted]


def _chosen(
    hashes: Any, places: Any, bits: int, step: int, choices: Iterable[int], whole: Any
) -> tuple[Any, Any]:
    """Put five more bits into hashes, and keep those that come to a full run."""
    kept = []
    for choice in choices:
        found = hashes | choice << bits + 5 * (step - 1)
        at = (5 * places + (found >> 5 * step) + 1) % len(whole)
        kept.append((found[whole[at]], at[whole[at]]))
    return np.concatenate([found for found, _ in kept]), np.concatenate([at for _, at in kept])


def tables_of(keys: list[Any], *, is_set: bool) -> float:
    """Return the slots for each key, in the last table that a dict or set of `keys` grows to."""
    hashes = list(map(hash, keys))
    if is_set:
        count, used = Set(hashes).counts[-1]
        return count / used
    size, used = dict_sizes(len(keys))[-1]
    return dict_slots(hashes, size) / used
