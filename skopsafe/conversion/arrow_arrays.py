"""Arrays of pyarrow as a pickle has them: buffers, children and a dictionary, and the sizes that it claims.

`Raw` has of the interface of ``pyarrow.Array`` what `layouts.Taker` asks for: the same code takes both apart.
Nothing here is believed: that offsets increase and lie within what they point into, and that buffers
and children are as long as they are said to be, is settled when a `Raw` is made.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.conversion import views as views_of
from skopsafe.conversion.rules import Budget, Misfit, require
from skopsafe.graph.parts import Leaf
from skopsafe.handlers.arrow.datatypes import DEEPEST
from skopsafe.handlers.arrow.layouts import (
    DTYPES,
    OFFSETS,
    WIDTHS,
    Layout,
    Taker,
    pack,
    runs_of,
    storage_of,
    unpack,
)


class Raw:
    """An array of a described type.

    Attributes
    ----------
    described : str or tuple
        The description of its type.
    offset : int
        Where it begins in its buffers and children.
    """

    __slots__ = ("_buffers", "_children", "_length", "described", "dictionary", "offset")

    def __init__(
        self,
        described: Any,
        length: int,
        offset: int,
        buffers: list[Any],
        children: list[Raw],
        dictionary: Raw | None,
    ) -> None:
        self.described = described
        self._length = length
        self.offset = offset
        self._buffers = buffers
        self._children = children
        self.dictionary = dictionary

    def __len__(self) -> int:
        return self._length

    @property
    def null_count(self) -> int:
        """How many items are null."""
        if self._buffers[0] is None:
            return 0
        return self._length - int(np.count_nonzero(unpack(self._buffers[0], self.offset, self._length)))

    @property
    def nbytes(self) -> int:
        """How many bytes it has, with those of its children."""
        below = [*self._children, *([self.dictionary] if self.dictionary else [])]
        own = sum(len(buffer) for buffer in self._buffers if buffer is not None)
        return own + sum(child.nbytes for child in below)

    @property
    def storage(self) -> Raw:
        """What an extension array is stored as."""
        described = storage_of(_name(self.described), self.described)
        return self._as(described, self._length, self.offset)

    @property
    def values(self) -> Raw:
        """The items of lists, or the values of runs."""
        return self._children[-1]

    @property
    def run_ends(self) -> Raw:
        """Where each run ends."""
        return self._children[0]

    @property
    def keys(self) -> Raw:
        """The keys of maps."""
        return self._children[0]._children[0]

    @property
    def items(self) -> Raw:
        """The values of maps."""
        return self._children[0]._children[1]

    def buffers(self) -> list[Any]:
        """Return the buffers of the array itself."""
        return self._buffers

    def field(self, number: int) -> Raw:
        """Return the items of a field of records, or of a type of a union."""
        child = self._children[number]
        return child if _name(self.described) == "dense_union" else child.slice(self.offset, self._length)

    def slice(self, start: int, length: int) -> Raw:
        """Return a part of the array."""
        require(start >= 0 and length >= 0 and start + length <= self._length, "an array is too short")
        return self._as(self.described, length, self.offset + start)

    def _as(self, described: Any, length: int, offset: int) -> Raw:
        return Raw(described, length, offset, self._buffers, self._children, self.dictionary)

    def _runs(self) -> tuple[int, int]:
        if not self._length:
            return 0, 0
        ends = _ends(self)
        first, last = np.searchsorted(ends, [self.offset, self.offset + self._length - 1], "right").tolist()
        return first, last - first + 1

    def find_physical_offset(self) -> int:
        """Return the number of the first run."""
        return self._runs()[0]

    def find_physical_length(self) -> int:
        """Return the number of runs."""
        return self._runs()[1]


def _name(described: Any) -> str:
    return str(described if isinstance(described, str) else described[0])


def _ends(array: Raw) -> NDArray[Any]:
    ends = array.run_ends
    dtype = np.dtype(DTYPES[_name(ends.described)])
    return _items(ends.buffers()[1], dtype, ends.offset, len(ends))


def _items(buffer: Any, dtype: np.dtype[Any], offset: int, length: int) -> NDArray[Any]:
    if not length:
        return np.zeros(0, dtype)
    size = dtype.itemsize
    require(buffer is not None and (offset + length) * size <= len(buffer), "a buffer is too short")
    return np.frombuffer(buffer, np.uint8)[offset * size : (offset + length) * size].view(dtype)


def checked(array: Raw, depth: int = 0) -> Raw:
    """Return an array whose buffers and children are as long as it says, and whose offsets are sound.

    Raises
    ------
    Misfit
        They are not.
    """
    require(depth <= DEEPEST, "an array is nested too deep")
    name, described = _name(array.described), array.described
    if name.startswith("arrow."):
        checked(array.storage, depth + 1)
        return array
    length, offset, buffers, children = len(array), array.offset, array._buffers, array._children
    end = offset + length
    for child in children:
        checked(child, depth + 1)
    if name == "null":
        return array
    if name == "run_end_encoded":
        _check_runs(array)
        return array
    if name in ("dense_union", "sparse_union"):
        _check_count(children, len(described) - 2)
        _check_count(buffers, 2, 3)
        _items(buffers[1], np.dtype("<i1"), offset, length)
        if name == "dense_union":
            _check_count(buffers, 3)
            _items(buffers[2], np.dtype("<i4"), offset, length)
        else:
            _check_lengths(children, end)
        return array
    require(len(buffers) > 0, "it has no buffers")
    if buffers[0] is not None:
        require((end + 7) // 8 <= len(buffers[0]), "a buffer is too short")
    if name == "struct":
        _check_count(children, len(described) - 1)
        _check_lengths(children, end)
    elif name == "fixed_size_list":
        _check_count(children, 1)
        require(type(described[2]) is int and 0 <= described[2] < 2**31, "its size is malformed")
        _check_lengths(children, end * described[2])
    elif name == "bool":
        _check_count(buffers, 2)
        size = 0 if buffers[1] is None else len(buffers[1])
        require(not length or size >= (end + 7) // 8, "a buffer is too short")
    elif name in DTYPES:
        _check_count(buffers, 2)
        _items(buffers[1], np.dtype(DTYPES[name]), offset, length)
    elif name in WIDTHS or name == "fixed_size_binary":
        _check_count(buffers, 2)
        width = WIDTHS.get(name) or described[1]
        require(0 <= width < 2**31 and (width or not length), "its width is malformed")
        _items(buffers[1], np.dtype("u1"), offset * width, length * width)
    elif name == "dictionary":
        _check_count(buffers, 2)
        require(array.dictionary is not None, "it has no dictionary")
        assert array.dictionary is not None
        checked(array.dictionary, depth + 1)
        require(_name(described[1]) in DTYPES, "its indices are no integers")
        _items(buffers[1], np.dtype(DTYPES[_name(described[1])]), offset, length)
    elif name in ("string_view", "binary_view"):
        require(len(buffers) >= 2, "it has no views")
        _items(buffers[1], np.dtype("u1"), 16 * offset, 16 * length)
    else:
        _check_varying(array, name)
    return array


def _check_count(found: list[Any], *counts: int) -> None:
    require(len(found) in counts, "it has another number of buffers or children")


def _check_lengths(children: list[Raw], length: int) -> None:
    require(all(len(child) >= length for child in children), "a child is too short")


def _check_runs(array: Raw) -> None:
    _check_count(array._children, 2)
    require(array.described[1] in ("int16", "int32", "int64"), "its runs end at no integers")
    require(array.run_ends._buffers[0] is None, "the end of a run is missing")
    ends = _ends(array)
    require(not len(ends) or ends[0] > 0, "the ends of its runs do not increase")
    require(bool((ends[1:] > ends[:-1]).all()), "the ends of its runs do not increase")
    last = int(ends[-1]) if len(ends) else 0
    require(array.offset + len(array) <= last or not len(array), "its runs end too early")
    _check_lengths([array.values], len(ends))


def _check_varying(array: Raw, name: str) -> None:
    require(name in OFFSETS, "its type is not known")
    length, offset, buffers, children = len(array), array.offset, array._buffers, array._children
    dtype = np.dtype(OFFSETS[name])
    if name in ("string", "binary", "large_string", "large_binary"):
        _check_count(buffers, 3)
        below = 0 if buffers[2] is None else len(buffers[2])
    else:
        _check_count(children, 1)
        below = len(children[0])
    if name == "map":
        pairs = children[0]
        require(_name(pairs.described) == "struct" and not pairs.offset, "its pairs are malformed")
    if name.endswith("list_view"):
        _check_count(buffers, 3)
        starts, sizes = (_items(buffer, dtype, offset, length) for buffer in buffers[1:])
        require(bool((starts >= 0).all() and (starts <= below).all()), "an item begins outside")
        require(bool((sizes >= 0).all() and (sizes <= below - starts).all()), "an item ends outside")
        return
    require(len(buffers) >= 2, "it has no offsets")
    found = _items(buffers[1], dtype, offset, length + 1 if length else 0)
    if length:
        require(found[0] >= 0 and found[-1] <= below, "an offset lies outside")
        require(bool((found[1:] >= found[:-1]).all()), "its offsets decrease")


class RawTaker(Taker):
    """Takes `Raw` arrays apart.

    Parameters
    ----------
    budget : Budget
        What may still be copied.
    """

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self._budget = budget
        self._known: dict[tuple[str, bytes], Layout] = {}

    def _dictionary(self, array: Any, described: Any, place: str) -> Layout:
        layout = self.take(array.dictionary, described[2], f"{place}.dictionary")
        digest = hashlib.blake2b()
        _feed(digest, layout)
        return self._known.setdefault((place, digest.digest()), layout)

    def _gather(self, child: Any, starts: NDArray[Any], sizes: NDArray[Any]) -> Any:
        pieces = runs_of(starts, sizes)
        if not pieces:
            return child.slice(0, 0)
        if len(pieces) > 1:
            raise Misfit("its items are not in their order, or nulls hide some of them")
        begin, end = pieces[0]
        return child.slice(begin, end - begin)

    def _without_views(self, array: Any, name: str) -> Any:
        """Return texts or bytes one behind the other, of views into several buffers."""
        length, offset, buffers = len(array), array.offset, array.buffers()
        views = _items(buffers[1], np.dtype("u1"), 16 * offset, 16 * length).reshape(length, 16)
        bits = None if buffers[0] is None else unpack(buffers[0], offset, length)
        ends, data = views_of.joined(views, bits, buffers[2:], self._budget)
        valid = None if bits is None else pack(bits)
        found = [valid, ends.view(np.uint8), data]
        return Raw(f"large_{name.partition('_')[0]}", length, 0, found, [], None)


def _feed(digest: Any, layout: Any) -> None:
    """Give a digest the content of a layout."""
    if isinstance(layout, tuple):
        digest.update(b"(%d" % len(layout))
        for part in layout:
            _feed(digest, part)
    elif isinstance(layout, Leaf):
        digest.update(b"[%d" % layout.array.nbytes)
        digest.update(np.ascontiguousarray(layout.array).view(np.uint8).data if layout.array.nbytes else b"")
    else:
        digest.update(repr(layout).encode())
