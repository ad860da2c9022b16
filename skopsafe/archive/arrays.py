"""Arrays of plain dtypes to ``.npy`` members: large ones alone, small ones pooled by dtype.

A forest has tens of thousands of small arrays; as zip members of their own they would cost more
than their content. `Source` is the way back.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from itertools import accumulate
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from skopsafe.archive.container import Writer
from skopsafe.archive.npy import header

POOLED_BELOW = 1 << 16
"""Arrays of fewer bytes than this are pooled."""
POOL = 1 << 20
"""Bytes of arrays after which a new pool begins: what is put together, or read and taken apart, at a time.

So little that it stays in the caches of a core, and that the memory of one pool serves the next.
"""
_X87_MANTISSA, _X87_BYTES = 63, 10

Size = Annotated[int, msgspec.Meta(ge=0)]


class ArrayRun(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Arrays of one dtype, order and number of dimensions that lie side by side in a member.

    Attributes
    ----------
    dtype, member : int
        Rows of their tables.
    fortran : int
        1 for Fortran order, 0 for C order.
    count : int
        How many arrays they are.
    shape : list
        For each dimension, a size that all share, or a list with the size of each.
    """

    dtype: Size
    member: Size
    fortran: Literal[0, 1]
    count: Annotated[int, msgspec.Meta(ge=1)]
    shape: list[Size | list[Size]]


Key = tuple[int, int, Literal[0, 1], int]
"""What arrays of a run have in common: dtype, member, order and dimensions."""


class _Kind:
    """A dtype of the file, and its pool that is not full."""

    __slots__ = ("dtype", "exports", "member", "number", "pool", "size", "unused")

    def __init__(self, number: int, dtype: np.dtype[Any]) -> None:
        self.number = number
        self.dtype = dtype
        self.unused = _unused(dtype)
        self.exports = _exports(dtype)
        self.member = -1
        self.size = POOL + 1
        self.pool: list[NDArray[Any]] = []


class Collector:
    """Gathers the arrays of a graph and writes them as members.

    Attributes
    ----------
    dtypes : list
        Descriptions of dtypes, as ``numpy.lib.format.dtype_to_descr`` gives them.
    members : list of str
        Names of the members.
    count : int
        How many arrays there are.
    """

    def __init__(self) -> None:
        self.dtypes: list[Any] = []
        self.members: list[str] = []
        self.count = 0
        self._kinds: dict[int, _Kind] = {}
        self._equal: dict[Any, _Kind] = {}
        self._content: list[tuple[_Kind, list[NDArray[Any]], bool | None]] = []
        self._runs: list[tuple[Key, list[tuple[int, ...]]]] = []
        self._key: Key | None = None

    def add(self, array: NDArray[Any]) -> int:
        """Take an array of a plain dtype and return its number."""
        kind = self._kinds.get(id(array.dtype)) or self._kind(array.dtype)
        flags = array.flags
        fortran = False
        if not flags.c_contiguous:
            fortran = flags.f_contiguous
            if not fortran:
                array = np.ascontiguousarray(array)
        size = array.nbytes
        stored = array.T if fortran else array
        if size < POOLED_BELOW:
            member = self._pooled(kind, [stored], size)
        else:
            member = self._member("arrays", kind, [stored], fortran)
        self._note(kind, member, fortran, [array.shape])
        return self.count - 1

    def add_all(self, arrays: list[NDArray[Any]]) -> int:
        """Take arrays, whose numbers follow each other; return the first."""
        first, start = self.count, 0
        kind = self._kinds.get(id(arrays[0].dtype)) or self._kind(arrays[0].dtype)
        dtype, dimensions = kind.dtype, arrays[0].ndim
        sizes = [array.nbytes for array in arrays]
        is_alike = all(a.dtype is dtype and a.ndim == dimensions and a.flags.c_contiguous for a in arrays)
        if is_alike and max(sizes) < POOLED_BELOW:
            ends = list(accumulate(sizes, initial=0))
            shapes = [array.shape for array in arrays]
            while start < len(arrays):
                room = POOL - kind.size if kind.size <= POOL else POOL
                end = bisect_right(ends, ends[start] + room) - 1
                if end <= start:
                    break
                member = self._pooled(kind, arrays[start:end], ends[end] - ends[start])
                self._note(kind, member, False, shapes[start:end])
                start = end
        for array in arrays[start:]:
            self.add(array)
        return first

    def _pooled(self, kind: _Kind, arrays: list[NDArray[Any]], size: int) -> int:
        """Put arrays into the pool of their dtype, or into a new one; return its member."""
        if kind.size + size > POOL:
            kind.pool, kind.size = [], 0
            kind.member = self._member("pool", kind, kind.pool, None)
        kind.size += size
        kind.pool += arrays
        return kind.member

    def _note(self, kind: _Kind, member: int, fortran: bool, shapes: list[tuple[int, ...]]) -> None:
        """Write down where arrays of as many dimensions are."""
        key: Key = (kind.number, member, 1 if fortran else 0, len(shapes[0]))
        if key != self._key:
            self._key = key
            self._runs.append((key, []))
        self._runs[-1][1].extend(shapes)
        self.count += len(shapes)

    def _member(self, folder: str, kind: _Kind, arrays: list[NDArray[Any]], fortran: bool | None) -> int:
        self._content.append((kind, arrays, fortran))
        self.members.append(f"{folder}/{len(self.members)}.npy")
        return len(self.members) - 1

    def _kind(self, dtype: np.dtype[Any]) -> _Kind:
        kind = self._equal.get(dtype)
        if kind is None:
            kind = self._equal[dtype] = _Kind(len(self.dtypes), dtype)
            self.dtypes.append(npy.dtype_to_descr(dtype))
        if dtype is kind.dtype:  # which lives as long as this does, so that no other has its id
            self._kinds[id(dtype)] = kind
        return kind

    @property
    def runs(self) -> list[ArrayRun]:
        """The arrays in the order of their numbers."""
        return [
            ArrayRun(
                dtype, member, fortran, len(shapes), [_shared(sizes) for sizes in zip(*shapes, strict=True)]
            )
            for (dtype, member, fortran, _), shapes in self._runs
        ]

    def write(self, writer: Writer) -> None:
        """Write all members."""
        for name, (kind, arrays, fortran) in zip(self.members, self._content, strict=True):
            descr = self.dtypes[kind.number]
            if fortran is None:
                head = header(descr, (sum(array.size for array in arrays),), False)
                found = arrays if kind.exports else [array.tobytes() for array in arrays]
                # Joining turns tens of thousands of small writes into a few.
                if kind.unused:
                    joined = bytearray().join([head, *found])
                    _clear(np.frombuffer(joined, np.uint8, offset=len(head)), kind)
                    writer.add(name, joined)
                else:
                    writer.add(name, b"".join([head, *found]))
            else:
                (array,) = arrays
                head = header(descr, array.shape[::-1] if fortran else array.shape, fortran)
                flat = array.reshape(-1).view(np.uint8)
                if kind.unused:
                    flat = flat.copy()
                    _clear(flat, kind)
                writer.add(name, head, flat)


def _shared(sizes: tuple[int, ...]) -> int | list[int]:
    return sizes[0] if sizes.count(sizes[0]) == len(sizes) else list(sizes)


@functools.lru_cache(maxsize=256)
def _exports(dtype: np.dtype[Any]) -> bool:
    """Tell whether arrays of a dtype can be joined as they are: those of dates cannot."""
    try:
        memoryview(np.empty(0, dtype))  # type: ignore[arg-type]
    except (ValueError, BufferError):
        return False
    return True


@functools.lru_cache(maxsize=256)
def _unused(dtype: np.dtype[Any]) -> tuple[tuple[int, int], ...]:
    """Return the spans of bytes of an item that no value uses.

    They hold whatever was in memory: it would differ from dump to dump, and leak into the file.
    """
    used = np.zeros(dtype.itemsize, bool)
    _use(dtype, used)
    edges = np.flatnonzero(np.diff(np.concatenate(([True], used, [True])).astype(np.int8)))
    return tuple(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _use(dtype: np.dtype[Any], used: NDArray[np.bool_]) -> None:
    if dtype.names is not None:
        for name in dtype.names:
            inner, offset = dtype.fields[name][:2]  # type: ignore[index]
            _use(inner, used[offset : offset + inner.itemsize])
    elif dtype.subdtype is not None:
        base = dtype.subdtype[0]
        for start in range(0, len(used), base.itemsize or 1):
            _use(base, used[start : start + base.itemsize])
    elif dtype.char in "gG" and np.finfo(dtype).nmant == _X87_MANTISSA:
        for start in range(0, len(used), len(used) // (1 + (dtype.char == "G"))):
            used[start : start + _X87_BYTES] = True
    else:
        used[:] = True


def _clear(flat: NDArray[np.uint8], kind: _Kind) -> None:
    """Set what no value uses to zero."""
    if flat.size:
        items = flat.reshape(-1, kind.dtype.itemsize)
        for start, end in kind.unused:
            items[:, start:end] = 0
