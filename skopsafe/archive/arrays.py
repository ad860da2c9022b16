"""Arrays of plain dtypes to ``.npy`` members: large ones alone, small ones in pools.

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
from skopsafe.errors import UnsupportedTypeError

POOLED_BELOW = 1 << 16
"""Arrays of fewer bytes than this are pooled."""
POOL = 1 << 19
"""Bytes of arrays after which a new pool begins: what is put together, or read and taken apart, at a time.

So little that it stays in the caches of a core, and that the memory of one pool serves the next: from a
megabyte on, malloc gives it back to the system, and every page of the next pool is a fault.
"""
ALIGNMENT = 16
"""Arrays in a pool begin at multiples of so many bytes, as they do where ``malloc`` gives memory for each.

The dot products of some BLAS add up in another order where an array begins at another place, and a
prediction would come out with other bits.
"""
_GAPS = [b"\0" * (-size % ALIGNMENT) for size in range(ALIGNMENT)]
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
    """A dtype of the file."""

    __slots__ = ("dtype", "exports", "number", "unused")

    def __init__(self, number: int, dtype: np.dtype[Any]) -> None:
        self.number = number
        self.dtype = dtype
        self.unused = _unused(dtype)
        self.exports = _exports(dtype)


class _Pool:
    """Small arrays that make one member.

    `unused` are the spans, start and size, of items that have unused bytes.
    """

    __slots__ = ("member", "pieces", "size", "unused")

    def __init__(self, member: int) -> None:
        self.member = member
        self.size = 0
        self.pieces: list[Any] = []
        self.unused: list[tuple[int, int, _Kind]] = []

    def add(self, kind: _Kind, arrays: list[NDArray[Any]], sizes: list[int], total: int) -> None:
        """Take C-contiguous arrays of so many bytes each, and of `total` bytes with the gaps behind them."""
        found: list[Any] = arrays if kind.exports else [array.tobytes() for array in arrays]
        has_gaps = sum(sizes) != total
        if has_gaps:
            gaps = [_GAPS[size % ALIGNMENT] for size in sizes]
            found = [piece for pair in zip(found, gaps, strict=True) for piece in pair]
        if kind.unused:
            at = self.size
            for size in sizes if has_gaps else [total]:
                self.unused.append((at, size, kind))
                at += padded(size)
        self.pieces += found
        self.size += total

    def content(self) -> bytes | bytearray:
        """Return the bytes of the member."""
        head = header("|u1", (self.size,), False)
        # Joining turns tens of thousands of small writes into a few.
        if not self.unused:
            return b"".join([head, *self.pieces])
        joined = bytearray().join([head, *self.pieces])
        for start, size, kind in self.unused:
            _clear(np.frombuffer(joined, np.uint8, size, len(head) + start), kind)
        return joined


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
        self._content: list[_Pool | tuple[_Kind, NDArray[Any], bool]] = []
        self._pool: _Pool | None = None
        self._runs: list[tuple[Key, list[tuple[int, ...]]]] = []
        self._key: Key | None = None
        self._starts: list[int] = []

    def add(self, array: NDArray[Any]) -> int:
        """Take an array of a plain dtype and return its number."""
        kind = self._kinds.get(id(array.dtype)) or self._kind(array.dtype)
        flags = array.flags
        fortran = False
        if not flags.c_contiguous:
            fortran = flags.f_contiguous
            if not fortran and kind.dtype.itemsize:
                array = np.ascontiguousarray(array)
            elif not fortran:  # no copy of a text of no letters is one
                array = np.ndarray(array.shape, kind.dtype, b"")
        size = array.nbytes
        stored = array.T if fortran else array
        if size < POOLED_BELOW:
            total = padded(size)
            pool = self._room(total)
            pool.add(kind, [stored], [size], total)
            member = pool.member
        else:
            member = self._member("arrays")
            self._content.append((kind, stored, fortran))
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
            ends = list(accumulate(map(padded, sizes), initial=0))
            shapes = [array.shape for array in arrays]
            while start < len(arrays):
                pool = self._room(ends[start + 1] - ends[start])
                end = bisect_right(ends, ends[start] + POOL - pool.size) - 1
                pool.add(kind, arrays[start:end], sizes[start:end], ends[end] - ends[start])
                self._note(kind, pool.member, False, shapes[start:end])
                start = end
        for array in arrays[start:]:
            self.add(array)
        return first

    def _room(self, size: int) -> _Pool:
        """Return a pool in which there is room for so many bytes."""
        if self._pool is None or self._pool.size + size > POOL:
            self._pool = _Pool(self._member("pool"))
            self._content.append(self._pool)
        return self._pool

    def _note(self, kind: _Kind, member: int, fortran: bool, shapes: list[tuple[int, ...]]) -> None:
        """Write down where arrays of as many dimensions are."""
        key: Key = (kind.number, member, 1 if fortran else 0, len(shapes[0]))
        if key != self._key:
            self._key = key
            self._runs.append((key, []))
        self._runs[-1][1].extend(shapes)
        self.count += len(shapes)

    def _member(self, folder: str) -> int:
        self.members.append(f"{folder}/{len(self.members)}.npy")
        return len(self.members) - 1

    def _kind(self, dtype: np.dtype[Any]) -> _Kind:
        kind = self._equal.get(dtype)
        if kind is None:
            kind = self._equal[dtype] = _Kind(len(self.dtypes), dtype)
            self.dtypes.append(_described(dtype))
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

    def extent(self, number: int) -> tuple[int, ...] | None:
        """Return the shape of an array, by its number."""
        if len(self._starts) != len(self._runs):
            self._starts = list(accumulate((len(shapes) for _, shapes in self._runs[:-1]), initial=0))
        if not 0 <= number < self.count:
            return None
        index = bisect_right(self._starts, number) - 1
        return self._runs[index][1][number - self._starts[index]]

    def write(self, writer: Writer) -> None:
        """Write all members."""
        for name, content in zip(self.members, self._content, strict=True):
            if isinstance(content, _Pool):
                writer.add(name, content.content())
                continue
            kind, array, fortran = content
            shape = array.shape[::-1] if fortran else array.shape
            flat = array.reshape(-1).view(np.uint8)
            if kind.unused:
                flat = flat.copy()
                _clear(flat, kind)
            writer.add(name, header(self.dtypes[kind.number], shape, fortran), flat)


@functools.lru_cache(maxsize=256)
def _described(dtype: np.dtype[Any]) -> Any:
    """Return what a header says of a dtype.

    Raises
    ------
    UnsupportedTypeError
        It cannot say it: fields share bytes, are not in the order of their bytes, or have no proper names.
    """
    try:
        found = npy.dtype_to_descr(dtype)
        if dtype.names is None:
            return found
        if npy.descr_to_dtype(found) == dtype:
            msgspec.json.encode(found)
            return found
    except UnicodeEncodeError as error:
        raise UnsupportedTypeError(
            "the name of a field of an array has half of a character",
            next_step="Rename the field: numpy.lib.recfunctions.rename_fields.",
        ) from error
    except ValueError:
        pass
    raise UnsupportedTypeError(
        "the fields of an array overlap, or are not in the order of their bytes",
        next_step="Copy it to an array whose dtype is packed: numpy.lib.recfunctions.repack_fields.",
    )


def padded(size: int) -> int:
    """Return how many bytes an array of `size` bytes fills in a pool, with the gap behind it."""
    return size + ALIGNMENT - 1 & -ALIGNMENT


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
