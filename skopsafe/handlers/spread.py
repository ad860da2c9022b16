"""How many slots of a hash table Python looks at while it puts keys in, found without putting them in.

A hash table is fast because few keys want the same slot. The hashes of numbers, and of tuples of them, are
the same in each process, so that whoever writes a file can choose keys that all want the same slots: then
each key goes past all those before it, and a hundred thousand of them take minutes. Equal hashes are only
one way to that. Keys with different hashes, too, can be chosen so that the slots that they try are taken.

So the slots are worked out here, as CPython would look at them, many keys at a time. Each key takes the first
slot of its own sequence that no earlier key has. The same comes out when all keys ask at once: each asks for
its first slot, each slot keeps the earliest key that asks, and those that are sent away, or put out by an
earlier key, ask for their next one. This is deferred acceptance (Gale and Shapley, 1962). Its outcome does
not depend on who asks when, and a key asks for just those slots that it looks at when keys are put in one by
one. How often they ask is counted, and the count stops at a bound.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.graph.account import Account
from skopsafe.handlers.checks import require
from skopsafe.handlers.depth import require_light

Hashes = NDArray[np.uintp]
Numbers = NDArray[np.int32]

MOST_OF_DICT, MOST_OF_SET = 128, 256
"""Slots for each key. The worst of many kinds of real keys are powers of two for a dict, with 72, and
multiples of small powers of two for a set, with 96; it looks at slots side by side too, which is quick."""
FEWEST = 2 * MOST_OF_DICT
"""Keys from which on they are looked at: of fewer, each has half as many before it, on average."""
_SHIFT = 5
"""Bits of the hash that each further place of a sequence takes in."""
_RUN = 9
"""Slots of a set that are looked at behind each place of the sequence, if all of them are in the table."""
_SMALLEST = 8
_MODULUS = sys.hash_info.modulus
_FEW = 64
"""Keys that still ask, from which on they go one by one: an array operation would do less than it costs."""
_BITS = 32
"""Of a number for a place and a key, those for the key."""


def require_spread(keys: Collection[Any], where: str, account: Account, *, is_set: bool = False) -> None:
    """Raise `ValidationError` if putting keys into a dict or a set would take quadratic time, or worse.

    Parameters
    ----------
    keys : collection
        Different keys, in the order in which they are put in.
    where : str
        What they are put into, for the error.
    account : Account
        Pays for going into them.
    is_set : bool
        Whether that is a set, which looks for a slot in another way than a dict.
    """
    if _is_seeded(keys):
        return
    require_light(keys, where, account)
    crowded = len(keys) >= FEWEST and _is_crowded(_hashes(keys), is_set=is_set)
    require(not crowded, "its keys collide too often", where)


def require_spread_items(values: NDArray[Any], where: str, account: Account) -> None:
    """Raise `ValidationError` if looking up items of an array in a dict, or a set of them, takes so long.

    They may stand in it more than once.
    """
    if values.size < FEWEST and values.dtype.kind == "O":
        require_light(values.ravel().tolist(), where, account)
    if values.size < FEWEST or not account.is_new("spread", values):
        return
    hashes = _hashes_of_integers(values.ravel())
    if hashes is None:
        keys = values.ravel().tolist()
        if _is_seeded(keys):
            return
        require_light(keys, where, account)
        kept = _distinct(keys)
        hashes = None if kept is None else _hashes(kept)
    crowded = hashes is None or _is_crowded(hashes, is_set=False) or _is_crowded(hashes, is_set=True)
    require(not crowded, "its items collide too often", where)


def _hashes_of_integers(values: NDArray[Any]) -> Hashes | None:
    """Return the hashes of different integers, in the order of the first of each; of others, None.

    Python's hash of an integer is the integer, but for very large ones and for -1.
    """
    if values.dtype.kind not in "iu" or int(values.max()) >= _MODULUS or int(values.min()) <= -_MODULUS:
        return None
    if not (values[1:] > values[:-1]).all():
        _, first = np.unique(values, return_index=True)
        values = values[np.sort(first)]
    hashes = values.astype(np.int64)
    hashes[hashes == -1] = -2
    return hashes.view(np.uintp)


def _distinct(keys: list[Any]) -> list[Any] | None:
    """Return the first of equal keys each, or None if it takes too many comparisons to find them."""
    hashes = _hashes(keys)
    order = np.argsort(hashes, kind="stable")
    ends = np.flatnonzero(np.diff(hashes[order])) + 1
    kept, compared = [], 0
    for start, end in zip([0, *ends.tolist()], [*ends.tolist(), len(keys)], strict=True):
        unlike: list[Any] = []
        for place in order[start:end].tolist():
            key = keys[place]
            if not any(key is other or key == other for other in unlike):
                unlike.append(key)
                kept.append(place)
            compared += len(unlike)
            if compared > MOST_OF_DICT * len(keys):
                return None
    return [keys[place] for place in sorted(kept)]


def refuse_crowded(keys: Collection[Any], *, is_set: bool = False) -> None:
    """Raise `TypeError` for keys that would not be loaded again."""
    if len(keys) >= FEWEST and not _is_seeded(keys) and _is_crowded(_hashes(keys), is_set=is_set):
        raise TypeError("the hashes of its keys collide too often, and it would not be loaded")


def _is_seeded(keys: Collection[Any]) -> bool:
    """Tell whether all hashes depend on a seed that differs from process to process."""
    return bool(sys.flags.hash_randomization) and set(map(type, keys)) <= {str, bytes}


def _hashes(keys: Collection[Any]) -> Hashes:
    return np.fromiter(map(hash, keys), np.intp, len(keys)).view(np.uintp)


def _is_crowded(hashes: Hashes, *, is_set: bool) -> bool:
    if len(hashes) < FEWEST:
        return False
    if bool((np.diff(hashes) == 1).all()):
        return False  # such as those of a range: each has a slot of its own in every table
    if is_set:
        return set_probes(hashes, MOST_OF_SET) > MOST_OF_SET
    return dict_probes(hashes, MOST_OF_DICT) > MOST_OF_DICT


def dict_probes(hashes: Hashes, most: int) -> float:
    """Return the slots that a dict looks at for each key, in the worst table of those that it grows through.

    Parameters
    ----------
    hashes : ndarray of uintp, shape (n,)
        Of different keys, in the order in which they are put in.
    most : int
        Counting stops when there are more for each key.
    """
    worst, size = 0.0, _SMALLEST
    while 2 * size // 3 < min(FEWEST, len(hashes)):
        size *= 2
    while True:
        held = min(2 * size // 3, len(hashes))  # a dict keeps a third of its slots free, and then doubles
        count, _ = _placed(hashes[:held], size, 0, most * held)
        worst = max(worst, count / max(held, 1))
        if worst > most or held == len(hashes):
            return worst
        size *= 2


def set_probes(hashes: Hashes, most: int) -> float:
    """Return the slots that a set looks at for each item, as `dict_probes` does for a dict."""
    worst, size = 0.0, _SMALLEST
    ordered = hashes
    while True:
        # It grows when three fifths are full, and moves its items in the order in which they lie.
        full = -(-3 * (size - 1) // 5)
        held = min(full, len(ordered))
        count, table = _placed(ordered[:held], size, _RUN, most * held)
        worst = max(worst, count / max(held, 1))
        if worst > most or held < full:
            return worst
        moved = table[table < held]
        ordered = np.concatenate([ordered[:held][moved], ordered[held:]])
        wanted = held * (2 if held > 50_000 else 4)
        while size <= wanted:
            size *= 2


@dataclass(slots=True)
class _Table:
    """A table, and where in its sequence each key is."""

    slots: Hashes
    rest: Hashes
    behind: Numbers
    holders: Numbers
    mask: int
    run: int

    def ask(self, asking: Numbers) -> Numbers:
        """Let keys, in order, ask for their slots; return those that are sent away or put out."""
        none = len(self.slots)
        wanted = self.slots[asking]
        if self.run:
            wanted += self.behind[asking].view(np.uint32)
        held = self.holders[wanted]
        is_earlier = asking < held
        earlier, places, put_out = asking[is_earlier], wanted[is_earlier], held[is_earlier]
        self.holders[places[::-1]] = earlier[::-1]  # of several, the last that is written stays: the earliest
        is_last = self.holders[places] == earlier
        put_out = put_out[is_last]
        away = [asking[~is_earlier], earlier[~is_last], put_out[put_out < none]]
        return np.concatenate(away)

    def go_on(self, keys: Numbers) -> tuple[Numbers, Numbers]:
        """Move keys to their next slot; return those that stay in a run, and those at the next place."""
        if not self.run:
            self._next(keys)
            return keys, keys[:0]
        before = self.behind[keys]
        has_more = (before < self.run) & self._has_run(keys)
        staying, leaving = keys[has_more], keys[~has_more]
        self.behind[staying] = before[has_more] + 1
        self._next(leaving)
        return staying, leaving

    def arrive(self, keys: Numbers) -> tuple[int, Numbers, Numbers]:
        """Let keys pass slots of a run, one for each earlier key that begins this run with them.

        Each of those gets one of the slots, or finds it with a key that is earlier still.

        Returns
        -------
        passed : int
            Slots that they look at in passing.
        ready : ndarray of int32
            Keys that have a slot to ask for.
        leaving : ndarray of int32
            Keys that passed the whole run, and are at their next place.
        """
        ordered = self.slots[keys].astype(np.uint64) << np.uint64(_BITS) | keys.view(np.uint32)
        ordered.sort()
        keys = (ordered & np.uint64(2**_BITS - 1)).astype(np.int32)
        places = ordered >> np.uint64(_BITS)
        numbers = np.arange(len(keys), dtype=np.int32)
        is_first = np.ones(len(keys), bool)
        is_first[1:] = places[1:] != places[:-1]
        rank = numbers - np.maximum.accumulate(np.where(is_first, numbers, 0))
        width = np.where(self._has_run(keys), self.run + 1, 1)
        is_ready = rank < width
        ready, leaving = keys[is_ready], keys[~is_ready]
        self.behind[ready] = rank[is_ready]
        self._next(leaving)
        return int(np.minimum(rank, width).sum()), ready, leaving

    def _has_run(self, keys: Numbers) -> NDArray[np.bool_]:
        return self.slots[keys] + np.uintp(self.run) <= self.mask

    def _next(self, keys: Numbers) -> None:
        if self.run:
            self.behind[keys] = 0
        left = self.rest[keys] >> np.uintp(_SHIFT)
        self.rest[keys] = left
        self.slots[keys] = (self.slots[keys] * np.uintp(5) + left + np.uintp(1)) & np.uintp(self.mask)


def _placed(hashes: Hashes, size: int, run: int, most: int) -> tuple[int, Numbers]:
    """Return how many slots are looked at, and which key each slot has (none: the number of keys)."""
    none = len(hashes)
    table = _Table(
        hashes & np.uintp(size - 1),
        hashes.copy(),
        np.zeros(none if run else 0, np.int32),
        np.full(size, none, np.int32),
        size - 1,
        run,
    )
    asking, count = np.arange(none, dtype=np.int32), 0
    arrived, asking = (asking, asking[:0]) if run else (asking[:0], asking)
    while len(asking) + len(arrived) > _FEW and count <= most:
        if len(arrived):
            passed, ready, arrived = table.arrive(arrived)
            asking = np.concatenate([asking, ready])
            count += passed
        asking.sort()
        count += len(asking)
        asking, leaving = table.go_on(table.ask(asking))
        arrived = np.concatenate([arrived, leaving])
    asking = np.concatenate([asking, arrived])
    return count + _one_by_one(asking.tolist(), table, most - count), table.holders


def _one_by_one(asking: list[int], table: _Table, most: int) -> int:
    """Let the last keys ask one by one, and return how often they do."""
    mask, none, run = table.mask, len(table.slots), table.run
    slots, rest, behind, holders = table.slots.data, table.rest.data, table.behind.data, table.holders.data
    count = 0
    for key in asking:
        while key < none and count <= most:
            count += 1
            slot = slots[key] + (behind[key] if run else 0)
            if key < holders[slot]:
                holders[slot], key = key, holders[slot]
                if key == none:
                    break
            if run and slots[key] + run <= mask and behind[key] < run:
                behind[key] += 1
                continue
            if run:
                behind[key] = 0
            rest[key] >>= _SHIFT
            slots[key] = (slots[key] * 5 + rest[key] + 1) & mask
    return count
