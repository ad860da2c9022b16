"""Reads the trees of a model: where the arrays of each stand, without making them one by one.

All trees of a model have the same keys in the same order, so that what stands between the arrays can be
compared as a whole; counts and places go into columns, and the arrays of all trees are joined.
"""

from __future__ import annotations

import struct
from typing import Any, NoReturn

import numpy as np

from skopsafe.errors import ValidationError
from skopsafe.handlers.checks import require

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
_INTEGERS = {ord("i"): 1, ord("I"): 2, ord("l"): 4}


def _key(name: str) -> bytes:
    return b"L" + struct.pack(">q", len(name)) + name.encode()


_PARAMS = tuple(
    (b"{" if place == 0 else b"") + _key(name) + b"SL" + bytes(7)
    for place, name in enumerate(("num_deleted", "num_feature", "num_nodes", "size_leaf_vector"))
)
_BEGIN = _key("tree_param")


def _heads(form: dict[str, str]) -> tuple[tuple[str, bytes, int], ...]:
    """Return for each member of a tree: its name, the bytes before its count, the size of an item."""
    return tuple(
        (name, _key(name) + (f"[${kind}#L".encode() if kind else b""), _SIZES.get(kind, 0))
        for name, kind in form.items()
    )


def _empty(heads: tuple[tuple[str, bytes, int], ...]) -> dict[str, list[int]]:
    return {name: [] for name, _, size in heads if size}


def _columns(
    heads: tuple[tuple[str, bytes, int], ...], starts: dict[str, list[int]], counts: dict[str, list[int]]
) -> list[Any]:
    """Return for each member: the bytes before its count, their number, and where its numbers go."""
    return [
        (head, len(head), size, starts[name].append, counts[name].append)
        if size
        else (head, len(head), 0, None, None)
        for name, head, size in heads
    ]


_HEADS = tuple(map(_heads, FORMS))
_DTYPES = {"d": ">f4", "l": ">i4", "L": ">i8", "U": ">u1"}


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

    Attributes
    ----------
    form : int
        Which of `FORMS` the trees have.
    end : int
        Where the last tree ends.
    counts : dict of str to ndarray of shape (n_trees,)
        The lengths of the arrays.
    params : ndarray of shape (n_trees, 4)
        ``num_deleted``, ``num_feature``, ``num_nodes``, ``size_leaf_vector``.
    ids : list of int
        The ``id`` of each tree.
    """

    def __init__(self, data: bytes, count: int, at: int) -> None:
        self._data = data
        self.count: int = count
        self.form = 0
        self._starts: dict[str, list[int]] = {}
        counts: dict[str, list[int]] = {}
        self.ids: list[int] = []
        params: list[int] = []
        if count:
            self.form = self._form(at)
            heads = _HEADS[self.form]
            self._starts, counts = _empty(heads), _empty(heads)
            columns = _columns(heads, self._starts, counts)
            for _ in range(count):
                at = self._tree(at, columns, params)
        self.end = at
        self.counts = {name: np.array(column, np.int64) for name, column in counts.items()}
        self.params = np.array(params, np.int64).reshape(count, 4)

    def _fail(self, what: str, at: int) -> NoReturn:
        require(False, f"{what} at byte {at}", WHERE)
        raise AssertionError

    def _form(self, at: int) -> int:
        """Tell by the first tree which form all have."""
        for form, heads in enumerate(_HEADS):
            try:
                self._tree(at, _columns(heads, _empty(heads), _empty(heads)), [])
            except ValidationError:
                continue
            finally:
                self.ids.clear()
            return form
        return 0  # and this fails once more, with the place

    def _tree(self, at: int, columns: list[Any], params: list[int]) -> int:
        """Read one tree and return where it ends."""
        data, total = self._data, len(self._data)
        unpack = struct.unpack_from
        if data[at : at + 1] != b"{":
            self._fail("no tree", at)
        at += 1
        for head, length, size, add_start, add_count in columns:
            if data[at : at + length] != head:
                self._fail("not the next member of a tree", at)
            at += length
            if not size:
                at = self._id(at)
                continue
            if at + 8 > total:
                self._fail("ends too early", at)
            (count,) = unpack(">q", data, at)
            at += 8
            if not 0 <= count <= (total - at) // size:
                self._fail("a length that is negative or goes behind the end", at)
            add_start(at)
            add_count(count)
            at += count * size
        if data[at : at + len(_BEGIN)] != _BEGIN:
            self._fail("no tree_param", at)
        at += len(_BEGIN)
        for head in _PARAMS:
            if data[at : at + len(head)] != head or at + len(head) >= total:
                self._fail("not the next member of tree_param", at)
            at += len(head) + 1
            text = data[at : at + data[at - 1]]
            if not (text.isdigit() and len(text) <= 10) or (text[:1] == b"0" and text != b"0"):
                self._fail("not a number", at)
            at += len(text)
            params.append(int(text))
        if data[at : at + 2] != b"}}":
            self._fail("a tree has further members", at)
        return at + 2

    def _id(self, at: int) -> int:
        size = _INTEGERS.get(self._data[at] if at < len(self._data) else 0)
        if size is None or at + 1 + size > len(self._data):
            self._fail("no id", at)
        self.ids.append(int.from_bytes(self._data[at + 1 : at + 1 + size], "big", signed=True))
        return at + 1 + size

    def joined(self, name: str) -> np.ndarray[Any, np.dtype[Any]]:
        """Return the array of that name of all trees, one behind the other."""
        kind = FORMS[self.form][name]
        size, view = _SIZES[kind], memoryview(self._data)
        lengths = (self.counts[name] * size).tolist()
        parts = [
            view[start : start + length] for start, length in zip(self._starts[name], lengths, strict=True)
        ]
        joined = np.frombuffer(b"".join(parts), _DTYPES[kind])
        return joined.astype(joined.dtype.newbyteorder("="))
