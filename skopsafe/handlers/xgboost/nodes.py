"""Reads the trees of a model: where the arrays of each stand, for all trees at once.

The trees of a model have the same members in the same order, and what stands between the arrays is the same
in each of them. So the places of the arrays follow from a few lengths, and what stands there is compared
for all trees as a whole.
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import NoReturn

import numpy as np

from skopsafe.handlers.checks import require
from skopsafe.handlers.xgboost.layout import BEFORE, LAYOUTS, SIZES, START, TEXTS, Array, Octets, form_of

WHERE = "Booster.content.trees"

_DTYPES = {"d": ">f4", "l": ">i4", "L": ">i8", "U": ">u1"}
_WIDTHS = np.zeros(256, np.int64)
_WIDTHS[list(b"iIl")] = 1, 2, 4
"""Bytes of an integer, by what stands before it."""
_FIRST = struct.Struct(f">{len(START)}sQ")
_DIGITS = 10
"""The most that a number has which is a text."""
_POWERS = np.array([[10 ** (n - 1 - i) if i < n else 0 for n in range(_DIGITS + 1)] for i in range(_DIGITS)])
"""What each digit counts, by how many there are."""
_LEAST = np.array([1, 0, *(10**n for n in range(1, _DIGITS))])
"""The least number of so many digits, of which there is none without digits."""
_CELL, _SHORT = 16, 48
"""Items that are copied at a time where arrays have few, and how many that is."""


class Numbering:
    """The items of arrays that are joined.

    Parameters
    ----------
    counts : ndarray of shape (n_arrays,)
        The lengths.

    Attributes
    ----------
    starts : ndarray of shape (n_arrays,)
        Where each array starts when they are joined.
    first, own : ndarray of shape (n_items,)
        Where the array of an item starts, and the number of the item in it.
    """

    def __init__(self, counts: Array) -> None:
        self._counts = counts
        self.starts = np.cumsum(counts) - counts
        self.first = np.repeat(self.starts, counts)
        self.own = np.arange(len(self.first)) - self.first

    @cached_property
    def _cells(self) -> tuple[Array, Array, Array]:
        """How many cells arrays have, the number of each cell in its array, and where items are in cells."""
        counts = -(-self._counts // _CELL)
        firsts = np.cumsum(counts) - counts
        numbers = np.arange(counts.sum()) - np.repeat(firsts, counts)
        return counts, numbers, self.own + np.repeat(_CELL * firsts, self._counts)

    def joined(self, data: Octets, places: Array, kind: str) -> Array:
        """Return the arrays that start at such places; those of a row, one behind the other."""
        dtype = np.dtype(_DTYPES[kind])
        if len(self.own) > _SHORT * len(self._counts):
            ends = places + self._counts * dtype.itemsize
            edges = zip(places.ravel().tolist(), ends.ravel().tolist(), strict=True)
            found = np.frombuffer(b"".join([data[a:b] for a, b in edges]), dtype).reshape(len(places), -1)
        else:
            # A cell goes behind the end of an array, but not of a tree, which ends with parameters.
            counts, numbers, items = self._cells
            size = _CELL * dtype.itemsize
            cells = _everywhere(data, f"V{size}")[np.repeat(places, counts, axis=1) + size * numbers]
            found = cells.view(dtype).reshape(len(places), -1).take(items, axis=1)
        return found.astype(dtype.newbyteorder("="), copy=False)


def _everywhere(data: Octets, kind: str) -> Array:
    """Return what the bytes are from each place on."""
    dtype = np.dtype(kind)
    return np.ndarray((len(data) - dtype.itemsize + 1,), dtype, data, 0, (1,))


class TreeReader:
    """The trees of a model.

    Parameters
    ----------
    data : bytes or bytearray
        The document.
    count : int
        How many trees are announced.
    at : int
        Where the first one starts.

    Attributes
    ----------
    form : int
        Which of `skopsafe.handlers.xgboost.layout.FORMS` the trees have.
    end : int
        Where the last tree ends.
    counts : dict of str to ndarray of shape (n_trees,)
        The lengths of the arrays that may have other items than one for each node.
    sizes : ndarray of shape (n_trees,)
        The numbers of nodes.
    params : dict of str to ndarray of shape (n_trees,)
        ``num_deleted``, ``num_feature``, ``num_nodes``, ``size_leaf_vector``.
    ids : ndarray of shape (n_trees,)
        The ``id`` of each tree.
    """

    def __init__(self, data: Octets, count: int, at: int) -> None:
        self._data = data
        self._octets = np.frombuffer(data, np.uint8)
        self._places: dict[str, Array] = {}
        self.count: int = count
        self.form = 0
        self.end = at
        self.counts: dict[str, Array] = {}
        self.params: dict[str, Array] = {}
        self.sizes = self.ids = np.zeros(0, np.int64)
        if not count:
            return
        self.form = form_of(data, at)
        self._layout = LAYOUTS[self.form]
        starts = np.array(self._starts(at))
        try:
            ends = self._find_texts(self._lay_out(starts))
            self._compare()
            self._read_texts()
        except IndexError:
            self._fail("a length goes behind the end", at)
        bad = ends[:-1] != starts[1:]
        if bad.any():
            self._fail("not the end of a tree", int(ends[bad.argmax()]))
        self.end = int(ends[-1])
        self.numbering = Numbering(self.sizes)

    def _fail(self, what: str, at: int) -> NoReturn:
        require(False, f"{what} at byte {at}", WHERE)
        raise AssertionError

    def _starts(self, at: int) -> list[int]:
        """Return where the trees start: the next one soon behind what a tree has at least."""
        data, least, each = self._data, self._layout.least, self._layout.each
        last = len(data) - _FIRST.size
        if at > last or not data.startswith(START, at):
            self._fail("no tree", at)
        (_, weights), read, out = _FIRST.unpack_from(data, at), _FIRST.unpack_from, [at]
        steps: dict[int, int] = {}
        for _ in range(self.count - 1):
            # As far as behind the last tree of that size, mostly; looking there is cheaper than a search.
            near = at + steps.get(weights, last)
            mark, following = read(data, near) if near <= last else (b"", 0)
            if mark != START:
                behind = at + least + weights * each
                near = data.find(
                    START, behind, behind + 10_000
                )  # a search of the whole takes time to prepare
                if near < 0:
                    near = data.find(START, behind)
                if not 0 <= near <= last:
                    self._fail("no tree behind that", at)
                if near < behind + least:  # no tree has room between, which the next time would be left out
                    steps[weights] = near - at
                _, following = read(data, near)
            at, weights = near, following
            out.append(at)
        return out

    def _lay_out(self, starts: Array) -> Array:
        """Find where the arrays stand, and return where the last ones end."""
        data, layout, total = self._data, self._layout, len(self._data)
        numbers = _everywhere(data, ">i8")
        at = width = starts
        for name in layout.own:
            at = self._places[name] = at + len(layout.heads[name])
            if name == "id":
                width = _WIDTHS[self._octets[at]]
                self.ids = _everywhere(data, ">i4")[at + 1] >> (32 - 8 * width)
                at = at + (1 + width)
            else:
                length = self.counts[name] = numbers[at].astype(np.int64)
                at = at + (8 + length * SIZES[layout.kinds[name]])
        self.sizes = self.counts["default_left"]
        *found, ends = at + (layout.steps + layout.widths * self.sizes)
        self._places.update(zip(layout.rest, found, strict=True))
        # Where a length was no length, places are none either; but by then what stands there was read.
        lengths = np.array(list(self.counts.values()))
        bad = ((lengths < 0) | (lengths > total)).any(0) | (width == 0)
        bad |= ends >= np.append(starts[1:], total)
        if bad.any():
            self._fail("a tree that does not end before the next, after that", int(starts[bad.argmax()]))
        return np.asarray(ends)

    def _find_texts(self, at: Array) -> Array:
        """Find the texts behind the arrays, and return where the trees end."""
        heads, places, octets = self._layout.heads, self._places, self._octets
        at = places["tree_param"] = at + len(heads["tree_param"])
        for name in TEXTS:
            at = places[name] = at + len(heads[name])
            at = at + 8 + octets[at + 7]
        at = places["end"] = at + len(heads["end"])
        return at

    def _compare(self) -> None:
        """Check what stands before the arrays and texts: a head, and the length."""
        layout, words = self._layout, BEFORE // 8 + 1
        places = np.array(list(self._places.values())).T.copy()
        found = _everywhere(self._data, f"V{8 * words}")[places - BEFORE].view(np.uint64)
        own, both = len(layout.own), len(layout.own) + len(layout.rest)
        lengths = found.view(">i8")[:, words * own + words - 1 : words * both : words] != self.sizes[:, None]
        found &= layout.mask
        heads = found != layout.expected
        if not (heads.any() or lengths.any()):
            return
        wrong = heads.reshape(*places.shape, words).any(2)
        either = wrong.copy()
        either[:, own:both] |= lengths
        tree, row = divmod(int(either.argmax()), either.shape[1])
        name, head = list(layout.heads.items())[row]
        if wrong[tree, row]:
            self._fail("not the next member of a tree", int(places[tree, row]) - len(head))
        require(False, "not one item for each node", f"{WHERE}.{name}")

    def _read_texts(self) -> None:
        """Read the texts, which are numbers of decimal digits without zeros before them."""
        at = np.array([self._places[name] for name in TEXTS]) + 7
        lengths = self._octets[at]
        longest = min(int(lengths.max()), _DIGITS)
        digits = self._octets[at + np.arange(1, longest + 1)[:, None, None]] - ord("0")
        powers = _POWERS[:longest].take(lengths, axis=1)
        values = (digits * powers).sum(0)
        bad = ((digits > 9) & (powers > 0)).any(0) | (values < _LEAST[lengths])
        if bad.any():
            self._fail("not the end of a tree", int(at[0][bad.any(0).argmax()]))
        self.params = dict(zip(TEXTS, values, strict=True))

    def nodes(self, *names: str) -> Array:
        """Return arrays that have an item for each node and are of one type: all trees of each in a row."""
        (kind,) = {self._layout.kinds[name] for name in names}
        return self.numbering.joined(self._data, np.array([self._places[name] for name in names]) + 8, kind)

    def joined(self, name: str) -> Array:
        """Return an array of lengths of its own, of all trees."""
        places = self._places[name][None] + 8
        return Numbering(self.counts[name]).joined(self._data, places, self._layout.kinds[name])[0, :]
