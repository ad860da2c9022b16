"""Arrays read back from the members of a file, where the array runs of a schema say that they are."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from skopsafe.archive.arrays import ALIGNMENT, ArrayRun, padded
from skopsafe.archive.container import Reader
from skopsafe.archive.npy import LONGEST, dtype_of, header, parse
from skopsafe.errors import FormatError, LimitError, ValidationError, file_error
from skopsafe.graph.plain import MOST_DIMENSIONS, has_rules, unsound
from skopsafe.limits import Limits

_DAMAGED = "The file is damaged or crafted; get it again from its author."

Joined = tuple[NDArray[Any] | None, list[NDArray[Any]]]
"""Arrays that lie side by side: all their items, where there are no gaps between them, and each of them."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """How large arrays are mapped from the file in place."""

    mode: Literal["r", "c"]
    verify: bool


class _Place:
    """Where the arrays of a run are in their pool."""

    __slots__ = ("dtype", "ends", "has_gaps", "is_alike", "items", "run", "start", "total")

    def __init__(self, run: ArrayRun, dtype: np.dtype[Any], index: int) -> None:
        self.run = run
        self.dtype = dtype
        self.start = 0
        width = dtype.itemsize
        counts = _counts(run, index)
        self.is_alike = isinstance(counts, int)
        if isinstance(counts, int):
            self.items = counts * run.count
            step = padded(counts * width)
            self.total = step * run.count
            self.ends: Sequence[int] = range(0, self.total + 1, step) if step else ()
        else:
            self.items = sum(counts)
            self.ends = list(accumulate([padded(count * width) for count in counts], initial=0))
            self.total = self.ends[-1]
        self.has_gaps = self.total != self.items * width

    def shape(self, row: int) -> tuple[int, ...]:
        return tuple([size if isinstance(size, int) else size[row] for size in self.run.shape])

    def take(self, pool: NDArray[np.uint8], first: int, last: int) -> Joined:
        """Return arrays as views of their pool, and the span of it that they fill without gaps."""
        dtype, shape = self.dtype, self.run.shape
        order: Any = "F" if self.run.fortran else "C"
        is_alike = self.is_alike and order == "C" and 0 < len(shape) < MOST_DIMENSIONS
        if not self.total:
            # numpy multiplies all sizes but zeros, and refuses a product of more than 63 bits.
            if is_alike and math.prod([size or 1 for size in self.shape(0)]) < 2**31:
                return None, list(_without_bytes((last - first, *self.shape(0)), dtype))
            return None, [_without_bytes(self.shape(row), dtype) for row in range(first, last)]
        ends = self.ends[first : last + 1]
        content = pool[self.start + ends[0] : self.start + ends[-1]]
        flat = None if self.has_gaps else content.view(dtype)
        if is_alike and flat is not None:
            return flat, list(flat.reshape(last - first, *shape))
        rows = zip(map(self.shape, range(first, last)), ends[:-1], strict=True)
        return flat, [np.ndarray(sizes, dtype, content, end - ends[0], None, order) for sizes, end in rows]


def _without_bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array that takes no memory. numpy gives a text of no letters one letter where it can."""
    return np.zeros(shape, dtype) if dtype.itemsize else np.ndarray(shape, dtype, bytearray(1))


def _counts(run: ArrayRun, index: int) -> int | list[int]:
    """Return how many items each array has, or the number that all have."""
    if list not in map(type, run.shape):
        return math.prod(run.shape)
    same, others = 1, []
    for sizes in run.shape:
        if isinstance(sizes, int):
            same *= sizes
        elif len(sizes) != run.count:
            raise _wrong("a run of arrays has not one size for each", index)
        else:
            others.append(sizes)
    counts = others[0]
    for sizes in others[1:]:
        counts = list(map(mul, counts, sizes))
    return counts if same == 1 else [count * same for count in counts]


def _wrong(reason: str, index: int) -> FormatError:
    return FormatError(reason, path=_run_path(index), next_step=_DAMAGED)


def _run_path(index: int) -> str:
    return f"schema.json arrays[{index}]"


class Source:
    """Reads the arrays that the array runs of a schema describe.

    Raises
    ------
    FormatError
        A run contradicts its member, or an array is asked for twice.
    LimitError
        An array is larger than `limits` allows.
    """

    def __init__(
        self,
        reader: Reader,
        dtypes: list[Any],
        members: list[str],
        runs: list[ArrayRun],
        limits: Limits,
        mapping: Mapping | None,
    ) -> None:
        self._reader = reader
        self._dtypes = dtypes
        self._members = members
        self._runs = runs
        self._limits = limits
        self._mapping = mapping
        self._starts = list(accumulate((run.count for run in runs), initial=0))
        self.count = self._starts[-1]
        self._places: list[_Place] = []
        self._taken = bytearray()
        self._pools: dict[int, NDArray[Any]] = {}
        self._left: dict[int, int] = {}
        self._fill: dict[int, int] = {}

    def extent(self, number: int) -> tuple[int, ...] | None:
        """Return the shape that an array will have, without reading it; None where it cannot be made."""
        if not 0 <= number < self.count:
            return None
        index = bisect_right(self._starts, number) - 1
        row, sizes = number - self._starts[index], self._runs[index].shape
        if any(isinstance(size, list) and len(size) <= row for size in sizes):
            return None
        return tuple([size if isinstance(size, int) else size[row] for size in sizes])

    def joined(self, numbers: Sequence[int]) -> Iterator[Joined]:
        """Yield arrays, each of which can be had once, in groups that lie side by side."""
        if not self._places:
            self._prepare()
        for first, last in _spans(numbers):
            while first < last:
                index = bisect_right(self._starts, first) - 1
                start, end = self._starts[index], min(last, self._starts[index + 1])
                if self._taken.find(1, first, end) != -1:
                    raise FormatError("an array is used twice", path=_path(first), next_step=_DAMAGED)
                self._taken[first:end] = b"\1" * (end - first)
                yield self._group(index, first - start, end - start)
                first = end

    def _prepare(self) -> None:
        """Find out where each array is; all arrays of a pool fill it."""
        dtypes = [dtype_of(descr, index) for index, descr in enumerate(self._dtypes)]
        fill, left = self._fill, self._left
        free, most = 0, 8 * self._limits.steps(self._reader.length)
        for index, run in enumerate(self._runs):
            member = run.member
            if run.dtype >= len(dtypes) or member >= len(self._members):
                raise _wrong("an array refers to no dtype or member", index)
            if len(run.shape) > min(self._limits.dimensions, MOST_DIMENSIONS):
                raise LimitError(
                    f"an array has {len(run.shape)} dimensions",
                    path=_run_path(index),
                    next_step="Pass limits=Limits(dimensions=...) if you expect so many.",
                )
            place = _Place(run, dtypes[run.dtype], index)
            if max(place.items, place.total) > self._limits.array_bytes:
                what = "an array has" if run.count == 1 else "arrays side by side have"
                items = place.items if place.items < 2**63 else "more than 2**63"
                raise LimitError(
                    f"{what} {items} items of {place.dtype.itemsize} bytes",
                    path=_run_path(index),
                    next_step="Pass limits=Limits(array_bytes=...) if you expect so large an array.",
                )
            free += 0 if place.dtype.itemsize else place.items
            if free > most:
                raise LimitError(
                    f"arrays have {free} items of no bytes",
                    path=_run_path(index),
                    next_step="Pass limits=Limits(work=...) if you know the file and expect so many.",
                )
            if (run.count != 1 or member in fill) and not self._members[member].startswith("pool/"):
                raise _wrong("a member does not hold such arrays", index)
            place.start = fill.get(member, 0)
            fill[member] = place.start + place.total
            left[member] = left.get(member, 0) + run.count
            self._places.append(place)
        self._taken = bytearray(self.count)

    def _group(self, index: int, first: int, last: int) -> Joined:
        """Return the arrays of a run from one row to another."""
        place = self._places[index]
        run, dtype = place.run, place.dtype
        name = self._members[run.member]
        if not name.startswith("pool/"):
            alone = _sound(self._alone(name, dtype, place.shape(0), bool(run.fortran)), name)
            return alone.reshape(-1, order="A"), [alone]
        pool = self._pools.get(run.member)
        if pool is None:
            pool = self._pools[run.member] = self._pool(name, self._fill[run.member])
        self._left[run.member] -= last - first
        if not self._left[run.member]:  # nobody else needs it
            del self._pools[run.member]
        flat, views = place.take(pool, first, last)
        if has_rules(dtype):
            for array in views if flat is None else (flat,):
                _sound(array, name)
        return flat, views

    def _pool(self, name: str, size: int) -> NDArray[np.uint8]:
        expected = header("|u1", (size,), False)
        data = self._reader.read_array(name)
        start = len(expected)
        if data[:start].tobytes() != expected:  # numpy pads its headers in another way
            start, *found = parse(data[:LONGEST].tobytes(), name)
            if found != [np.dtype("u1"), (size,), False]:
                raise FormatError("the member's header contradicts the schema", path=name, next_step=_DAMAGED)
        if start + size != len(data):
            raise FormatError("the member's size contradicts the schema", path=name, next_step=_DAMAGED)
        content = data[start:]
        return content.copy() if start % ALIGNMENT else content

    def _alone(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool) -> NDArray[Any]:
        expected = header(npy_descr(dtype), shape, fortran)
        start = len(expected)
        head = self._reader.head(name, start)
        agrees = head == expected
        if not agrees:
            head = self._reader.head(name, LONGEST)
            start, *found = parse(head, name)
            agrees = found == [dtype, shape, fortran]
        size = math.prod(shape) * dtype.itemsize
        if not agrees or start + size != self._reader.size(name):
            raise FormatError("the member's header contradicts the schema", path=name, next_step=_DAMAGED)
        order: Any = "F" if fortran else "C"
        if self._mapping is not None and size and self._reader.is_stored(name):
            if self._mapping.verify:
                self._reader.check(name)
            place = self._reader.offset(name) + start
            # The open file is mapped and not its path, which may have come to mean another file.
            try:
                return np.memmap(self._reader.file, dtype, self._mapping.mode, place, shape, order)
            except OSError as error:
                raise file_error(error, "the file cannot be mapped") from error
            return np.memmap(self._reader.file, dtype, self._mapping.mode, place, shape, order)
        if not dtype.itemsize:
            self._reader.check(name)
            return _without_bytes(shape, dtype)
        out: NDArray[Any] = np.empty(shape, dtype, order=order)
        flat = out.reshape(-1, order="A").view(np.uint8)
        self._reader.read_into(name, start, flat, head[:start])
        return out


def npy_descr(dtype: np.dtype[Any]) -> Any:
    """Return the description of a dtype in a header."""
    return np.lib.format.dtype_to_descr(dtype) if dtype.names is not None else dtype.str


def _spans(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Put numbers that follow each other together."""
    if isinstance(numbers, range) and numbers.step == 1:
        if numbers:
            yield numbers.start, numbers.stop
        return
    first = last = -1
    for number in numbers:
        if number != last:
            if first >= 0:
                yield first, last
            first = number
        last = number + 1
    if first >= 0:
        yield first, last


def _path(number: int) -> str:
    return f"schema.json array {number}"


def _sound(array: NDArray[Any], path: str) -> NDArray[Any]:
    reason = unsound(array)
    if reason is not None:
        raise ValidationError(reason, path=path, next_step=_DAMAGED)
    return array
