"""Reads the trees of a model: where the arrays of each stand, for all trees at once.

The trees of a model have the same members in the same order, and what stands between the arrays is the same
in each of them. So the places of the arrays follow from a few lengths, and what stands there is compared
for all trees as a whole.
"""

from __future__ import annotations

import re
import struct
from typing import Any, NoReturn

import numpy as np

from skopsafe.handlers.checks import require

Array = np.ndarray[Any, np.dtype[Any]]

WHERE = "Booster.content.trees"

_SCALAR = {
    "base_weights": "d",
    "categories": "l",
    "categories_nodes": "l",
    "categories_segments": "L",
    "categories_sizes": "L",
    "default_left": "U",
    "id": "",
    "left_children": "l",
    "loss_changes": "d",
    "parents": "l",
    "right_children": "l",
    "split_conditions": "d",
    "split_indices": "l",
    "split_type": "U",
    "sum_hessian": "d",
}
_STATISTICS = ("loss_changes", "sum_hessian")

FORMS = (
    _SCALAR,
    dict(sorted({**_SCALAR, "leaf_weights": "d"}.items())),  # vectors in the leaves, since 3.2
    {name: kind for name, kind in _SCALAR.items() if name not in _STATISTICS},  # the same, before 3.2
)
"""Names of the members of a tree in the order of the file, and the types of the arrays."""

_SIZES = {"d": 4, "l": 4, "L": 8, "U": 1}
_DTYPES = {"d": ">f4", "l": ">i4", "L": ">i8", "U": ">u1"}
_WIDTHS = np.zeros(256, np.int64)
_WIDTHS[list(b"iIl")] = 1, 2, 4
"""Bytes of an integer, by what stands before it."""


def _key(name: str) -> bytes:
    return b"L" + struct.pack(">q", len(name)) + name.encode()


def _head(name: str, kind: str) -> bytes:
    return _key(name) + (f"[${kind}#L".encode() if kind else b"")


_HEADS = tuple({name: _head(name, kind) for name, kind in form.items()} for form in FORMS)
"""What stands before the lengths of the arrays, and before the id."""
_ID = _HEADS[0]["id"]
_LENGTHS = ("base_weights", "leaf_weights", *(name for name in _SCALAR if name.startswith("categories")))
"""Arrays of lengths of their own; the others have an item for each node."""
_LAST = min(len(head) for head in _HEADS[0].values() if head != _ID)
_BEFORE = max(map(len, _HEADS[1].values())) - _LAST
"""The last and the first bytes of a head, which together are all of each."""

_START = b"{" + _head("base_weights", "d")
_FIRST = struct.Struct(f">{len(_START)}xQ")
_LEAST = tuple(sum(map(len, heads.values())) + 8 * len(heads) for heads in _HEADS)
"""Bytes that a tree has at least, by form."""
_PER_NODE = (sum(_SIZES[kind] for name, kind in _SCALAR.items() if kind and "categories" not in name), 4, 4)
"""Bytes that it has besides for each of its weights: those of all nodes where it has one for each."""
_END = _key("tree_param")
_TEXTS = ("num_deleted", "num_feature", "num_nodes", "size_leaf_vector")
_TAIL = re.compile(
    re.escape(_END + b"{")
    + b"".join(re.escape(_key(name) + b"SL" + bytes(7)) + rb"(.)(0|[1-9][0-9]{0,9})" for name in _TEXTS)
    + b"}}",
    re.DOTALL,
)


class TreeReader:
    """The trees of a model.

    Parameters
    ----------
    data : bytes
        The document.
    count : int
        How many trees are announced.
    at : int
        Where the first one starts.
    whole : bool
        Whether to compare what stands between the arrays of all trees. Otherwise those of the first are
        enough, which is for documents that xgboost has just written: it writes all trees alike.

    Attributes
    ----------
    form : int
        Which of `FORMS` the trees have.
    end : int
        Where the last tree ends.
    counts : dict of str to ndarray of shape (n_trees,)
        The lengths of the arrays.
    sizes : ndarray of shape (n_trees,)
        The numbers of nodes.
    params : ndarray of shape (n_trees or 1, 4)
        ``num_deleted``, ``num_feature``, ``num_nodes``, ``size_leaf_vector`` of the trees that were compared.
    ids : ndarray of shape (n_trees or 1,)
        The ``id`` of each of them.
    """

    def __init__(self, data: bytes, count: int, at: int, whole: bool) -> None:
        self._data = data
        self._places: dict[str, Array] = {}
        self.count: int = count
        self.form = 0
        self.end = at
        self.counts: dict[str, Array] = {}
        self.sizes = self.ids = np.zeros(0, np.int64)
        self.params = np.zeros((0, 4), np.int64)
        if not count:
            return
        stop = data.find(_END, at)
        if data.find(_HEADS[1]["leaf_weights"], at, stop) >= 0:
            self.form = 1
        elif data.find(_HEADS[0]["loss_changes"], at, stop) < 0:
            self.form = 2
        starts = self._starts(at)
        ids, ends = self._lay_out(starts)
        compared = count if whole or self.form else 1
        self._compare(compared)
        self._read_ids(ids[:compared])
        self._read_ends(starts, ends.tolist(), compared)

    def _fail(self, what: str, at: int) -> NoReturn:
        require(False, f"{what} at byte {at}", WHERE)
        raise AssertionError

    def _everywhere(self, kind: str) -> Array:
        """Return what the bytes are from each place on."""
        dtype = np.dtype(kind)
        return np.ndarray((len(self._data) - dtype.itemsize + 1,), dtype, self._data, 0, (1,))

    def _starts(self, at: int) -> list[int]:
        """Return where the trees start: the next one soon behind what a tree has at least."""
        data, find, first = self._data, self._data.find, _FIRST.unpack_from
        least, each = _LEAST[self.form], _PER_NODE[self.form]
        if not data.startswith(_START, at):
            self._fail("no tree", at)
        out = [at]
        for _ in range(self.count - 1):
            if at + least > len(data):
                break
            (weights,) = first(data, at)
            near = at + least + weights * each
            # Close to it, since that is where it is, and a search of the whole takes time to prepare.
            at = find(_START, near, near + 1000)
            if at < 0:
                at = find(_START, near)
                if at < 0:
                    self._fail("no tree behind that", out[-1])
            out.append(at)
        if at + least > len(data):
            self._fail("ends too early", at)
        return out

    def _lay_out(self, starts: list[int]) -> tuple[Array, Array]:
        """Find where the arrays stand, and return where the ids and the ends of the trees do."""
        numbers, total = self._everywhere(">i8"), len(self._data)
        at = np.array(starts, np.int64) + 1
        ids, size = at, self.sizes
        try:
            for name, head in _HEADS[self.form].items():
                at = at + len(head)
                if name == "id":
                    ids = at
                    width = _WIDTHS[np.frombuffer(self._data, np.uint8)[at]]
                    at = at + (1 + width)
                    continue
                if name == "default_left":
                    size = length = self.sizes = numbers[at].astype(np.int64)
                else:
                    length = numbers[at].astype(np.int64) if name in _LENGTHS else size
                at = at + 8
                self._places[name], self.counts[name] = at, length
                at = at + length * _SIZES[FORMS[self.form][name]]
        except IndexError:
            self._fail("a length goes behind the end", starts[0])
        # Where a length was no length, places are none either; but by then what stands there was read.
        lengths = np.array([self.counts[name] for name in ("default_left", *_LENGTHS) if name in self.counts])
        ends = np.array([*starts[1:], total])
        bad = (lengths < 0).any(0) | (lengths > total).any(0) | (width == 0) | (at >= ends)
        if bad.any():
            self._fail("a tree that does not end before the next, after that", starts[int(bad.argmax())])
        return ids, at

    def _compare(self, count: int) -> None:
        """Check what stands before the arrays of the first `count` trees: a head, and the length."""
        heads = {name: head for name, head in _HEADS[self.form].items() if head != _ID}
        places = np.array([self._places[name][:count] for name in heads]) - (_LAST + 8)
        found = self._everywhere(f"V{_LAST + 8}")[places].view([("head", f"V{_LAST}"), ("length", ">i8")])
        sizes = np.array([len(head) - _LAST for head in heads.values()])
        before = self._everywhere(f"V{_BEFORE}")[places - sizes[:, None]]
        if (
            before.tobytes() == b"".join([head[:_BEFORE] * count for head in heads.values()])
            and found["head"].tobytes() == b"".join([head[-_LAST:] * count for head in heads.values()])
            and (found["length"] == np.array([self.counts[name][:count] for name in heads])).all()
        ):
            return
        for name, head in heads.items():
            for place, length in zip(self._places[name].tolist(), self.counts[name].tolist(), strict=True):
                at = place - 8 - len(head)
                if self._data[at : place - 8] != head:
                    self._fail("not the next member of a tree", at)
                if self._data[place - 8 : place] != struct.pack(">q", length):
                    require(False, "not one item for each node", f"{WHERE}.{name}")

    def _read_ids(self, at: Array) -> None:
        heads = self._everywhere(f"V{len(_ID)}")[at - len(_ID)].tobytes()
        if heads != _ID * len(at):
            self._fail("no id in a tree", int(at[0]))
        found = self._everywhere("V5")[at].view([("mark", "u1"), ("number", ">i4")])
        self.ids = found["number"] >> (32 - 8 * _WIDTHS[found["mark"]])

    def _read_ends(self, starts: list[int], at: list[int], count: int) -> None:
        """Read what stands behind the arrays, where few trees differ."""
        data = self._data
        last = _TAIL.match(data, at[-1])
        self.end = last.end() if last else at[-1]
        texts = [data[a:b] for a, b in zip(at[:count], [*starts[1:], self.end][:count], strict=True)]
        rows: dict[bytes, int] = {}
        order = [rows.setdefault(text, len(rows)) for text in texts]
        table = []
        for text in rows:
            found = _TAIL.fullmatch(text)
            parts = found.groups() if found else ()
            if not parts or [part[0] for part in parts[::2]] != [len(part) for part in parts[1::2]]:
                self._fail("not the end of a tree", at[texts.index(text)])
            table.append([int(part) for part in parts[1::2]])
        self.params = np.array(table)[order]

    def largest(self, *names: str) -> list[int]:
        """Return the largest item of arrays of bytes, in the order of the file."""
        ends = [edge for name in names for edge in (self._places[name], self._places[name] + self.sizes)]
        found = np.maximum.reduceat(np.frombuffer(self._data, np.uint8), np.array(ends).T.ravel())
        return [int(found[2 * i :: 2 * len(names)].max()) for i in range(len(names))]

    def joined(self, name: str) -> Array:
        """Return the array of that name of all trees, one behind the other."""
        data, kind = self._data, FORMS[self.form][name]
        start, count = self._places[name], self.counts[name]
        ends = start + count * _SIZES[kind]
        joined = b"".join([data[a:b] for a, b in zip(start.tolist(), ends.tolist(), strict=True)])
        found = np.frombuffer(joined, _DTYPES[kind])
        return found.astype(found.dtype.newbyteorder("="))
