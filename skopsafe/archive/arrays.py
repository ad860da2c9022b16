"""Arrays of plain dtypes as ``.npy`` members: large ones alone, small ones pooled by dtype.

A forest has tens of thousands of small arrays; as zip members of their own they would cost more
than their content. Format of the members: NumPy Enhancement Proposal 1.
"""

from __future__ import annotations

import io
import math
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from skopsafe.archive.container import Reader, Writer
from skopsafe.errors import FormatError, LimitError, ValidationError
from skopsafe.graph.plain import unsound
from skopsafe.limits import Limits

POOLED_BELOW = 1 << 16
"""Arrays of fewer bytes than this are pooled."""
_POOL_BLOCK = 1 << 22
_HEADER = 1 << 16
_X87_MANTISSA = 63
_DIMENSIONS = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32
_DAMAGED = "The file is damaged or crafted; get it again from its author."


def is_plain(dtype: np.dtype[Any]) -> bool:
    """Tell whether the bytes of a dtype are its values, so that ``.npy`` can hold them."""
    if dtype.subdtype is not None:
        return is_plain(dtype.subdtype[0])
    if dtype.names is not None:
        return all(is_plain(dtype.fields[name][0]) for name in dtype.names)  # type: ignore[index]
    return dtype.kind in "biufcSUVmM" and not dtype.hasobject


class Collector:
    """Gathers the arrays of a graph and writes them as members.

    Attributes
    ----------
    dtypes : list
        Descriptions of dtypes, as ``numpy.lib.format.dtype_to_descr`` gives them.
    members : list of str
        Names of the members.
    rows : list of list of int
        ``[dtype, member, offset in items, 1 for Fortran order, *shape]`` for each array.
    """

    def __init__(self) -> None:
        self.dtypes: list[Any] = []
        self.members: list[str] = []
        self.rows: list[list[int]] = []
        self._numbers: dict[Any, int] = {}
        self._pools: dict[int, tuple[int, list[NDArray[Any]]]] = {}
        self._filled: dict[int, int] = {}
        self._large: list[tuple[str, NDArray[Any], bool]] = []

    def add(self, array: NDArray[Any]) -> int:
        """Take an array of a plain dtype and return its number."""
        dtype = array.dtype
        flags = array.flags
        fortran = flags.f_contiguous and not flags.c_contiguous
        if not (fortran or flags.c_contiguous):
            array = np.ascontiguousarray(array)
        if dtype.names is not None:
            array = _without_garbage(array)
        elif dtype.char in "gG" and np.finfo(dtype).nmant == _X87_MANTISSA:
            # Ten bytes of sixteen are the number; the others hold whatever was in memory.
            array = array.copy(order="K")
            array.reshape(-1, order="A").view("u1").reshape(-1, 16)[:, 10:] = 0
        number = self._numbers.get(dtype)
        if number is None:
            number = self._numbers[dtype] = len(self.dtypes)
            self.dtypes.append(npy.dtype_to_descr(dtype))
        if array.nbytes < POOLED_BELOW:
            pool = self._pools.get(number)
            if pool is None:
                pool = self._pools[number] = (len(self.members), [])
                self._filled[number] = 0
                self.members.append(f"pool/{number}.npy")
            member, offset = pool[0], self._filled[number]
            pool[1].append(array)
            self._filled[number] = offset + array.size
        else:
            member, offset = len(self.members), 0
            name = f"arrays/{len(self.rows)}.npy"
            self.members.append(name)
            self._large.append((name, array, fortran))
        self.rows.append([number, member, offset, int(fortran), *array.shape])
        return len(self.rows) - 1

    def write(self, writer: Writer) -> None:
        """Write all members, the large ones first."""
        for name, array, fortran in self._large:
            flat = array.reshape(-1, order="F" if fortran else "C")
            writer.add(name, _header(array.dtype, array.shape, fortran), flat.view(np.uint8))
        for number, (member, arrays) in self._pools.items():
            dtype = arrays[0].dtype
            head = _header(dtype, (self._filled[number],), False)
            # Joining turns tens of thousands of small writes into a few.
            writer.add(self.members[member], b"".join([head, *(array.tobytes("A") for array in arrays)]))


def _without_garbage(array: NDArray[Any]) -> NDArray[Any]:
    """Copy a structured array so that the padding between its fields is zero.

    Padding holds whatever was in memory: it would differ from dump to dump, and leak into the file.
    """
    fields = array.dtype.fields
    used = sum(field[0].itemsize for field in fields.values()) if fields else 0
    if used == array.dtype.itemsize or not array.size:
        return array
    order: Any = "C" if array.flags.c_contiguous else "F"
    out: NDArray[Any] = np.zeros(array.nbytes, np.uint8).view(array.dtype).reshape(array.shape, order=order)
    for name in array.dtype.names or ():
        out[name] = array[name]
    return out


def _header(dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool) -> bytes:
    out = io.BytesIO()
    fields = {"descr": npy.dtype_to_descr(dtype), "fortran_order": fortran, "shape": shape}
    _write(out, fields)
    return out.getvalue()


def _write(out: io.BytesIO, fields: dict[str, Any]) -> None:
    try:
        npy.write_array_header_1_0(out, fields)
    except ValueError:
        npy.write_array_header_2_0(out, fields)


@dataclass(frozen=True, slots=True)
class Mapping:
    """How large arrays are mapped from the file in place."""

    mode: Literal["r", "c"]
    verify: bool


class Source:
    """Reads the arrays that the rows of a schema describe.

    Raises
    ------
    FormatError
        A row contradicts its member, or points outside it.
    LimitError
        An array is larger than `limits` allows.
    """

    def __init__(
        self,
        reader: Reader,
        dtypes: list[Any],
        members: list[str],
        rows: list[list[int]],
        limits: Limits,
        mapping: Mapping | None,
    ) -> None:
        self._reader = reader
        self._members = members
        self._rows = rows
        self._limits = limits
        self._mapping = mapping
        self._pools: dict[int, NDArray[Any]] = {}
        self._pool_dtypes: dict[int, int] = {}
        self._taken: dict[int, int] = {}
        self._dtypes = [_dtype(descr, i) for i, descr in enumerate(dtypes)]

    def arrays(self, numbers: Sequence[int], copy: bool) -> list[NDArray[Any]]:
        """Return arrays as new arrays, or as maps of the file; without `copy` as views of their pools."""
        out = []
        for number in numbers:
            row = self._rows[number]
            pool = self._pools.get(row[1])
            if pool is not None and len(row) == 5 and row[0] == self._pool_dtypes[row[1]]:
                # The way of thousands of small arrays of one dimension: in a pool that is open already.
                _, member, offset, fortran, size = row
                end = offset + size
                if end > len(pool) or fortran:
                    raise FormatError(
                        "an array lies outside its pool", path=_path(number), next_step=_DAMAGED
                    )
                self._take(member, size, len(pool), number)
                found = pool[offset:end]
                out.append(found.copy() if copy else found)
            else:
                out.append(self._array(number, copy))
        return out

    def _take(self, member: int, size: int, available: int, number: int) -> None:
        """Count what was read of a member, so that overlapping arrays cannot fill the memory."""
        taken = self._taken[member] = self._taken.get(member, 0) + size
        if taken > available:
            raise FormatError("arrays of a member overlap", path=_path(number), next_step=_DAMAGED)

    def _array(self, index: int, copy: bool) -> NDArray[Any]:
        path = _path(index)
        row = self._rows[index]
        number, member, offset, fortran = row[:4]
        shape = tuple(row[4:])
        if not (number < len(self._dtypes) and member < len(self._members)) or fortran > 1:
            raise FormatError("an array's row refers to no dtype or member", path=path, next_step=_DAMAGED)
        if len(shape) > min(self._limits.dimensions, _DIMENSIONS):
            raise LimitError(
                f"an array has {len(shape)} dimensions",
                path=path,
                next_step="Pass limits=Limits(dimensions=...) if you expect so many.",
            )
        dtype = self._dtypes[number]
        count = math.prod(shape)
        if count * max(dtype.itemsize, 1) > self._limits.array_bytes or max(shape, default=0) > 2**62:
            raise LimitError(
                f"an array has {count} items of {dtype.itemsize} bytes",
                path=path,
                next_step="Pass limits=Limits(array_bytes=...) if you expect so large an array.",
            )
        name = self._members[member]
        order = "F" if fortran else "C"
        if name.startswith("pool/"):
            pool = self._pools.get(member)
            if pool is None:
                pool = self._pools[member] = self._pool(name, dtype)
                self._pool_dtypes[member] = number
            if pool.dtype != dtype or offset + count > pool.size:
                raise FormatError("an array lies outside its pool", path=path, next_step=_DAMAGED)
            self._take(member, count, pool.size, index)
            out = pool[offset : offset + count]
            return (out.copy() if copy else out).reshape(shape, order=order)  # type: ignore[call-overload,no-any-return]
        if offset:
            raise FormatError("an array lies outside its member", path=path, next_step=_DAMAGED)
        self._take(member, 1, 1, index)
        return _sound(self._alone(name, dtype, shape, bool(fortran)), path)

    def _pool(self, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        data = self._reader.read(name)
        start, found, shape, _ = _parse(data[:_HEADER], name)
        if found != dtype or len(shape) != 1 or start + shape[0] * dtype.itemsize != len(data):
            raise FormatError("the member's header contradicts the schema", path=name, next_step=_DAMAGED)
        if dtype.itemsize == 0:
            return np.zeros(shape, dtype)
        return _sound(np.frombuffer(data, dtype, offset=start), name)

    def _alone(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], fortran: bool) -> NDArray[Any]:
        head = self._reader.head(name, _HEADER)
        expected = _header(dtype, shape, fortran)
        start, agrees = len(expected), head.startswith(expected)
        if not agrees:  # another numpy pads its headers in another way
            start, *found = _parse(head, name)
            agrees = found == [dtype, shape, fortran]
        size = math.prod(shape) * dtype.itemsize
        if not agrees or start + size != self._reader.size(name):
            raise FormatError("the member's header contradicts the schema", path=name, next_step=_DAMAGED)
        if self._mapping is not None and size and self._reader.is_stored(name):
            if self._mapping.verify:
                self._reader.check(name)
            place = self._reader.offset(name) + start
            order: Any = "F" if fortran else "C"
            # The open file is mapped and not its path, which may have come to mean another file.
            return np.memmap(self._reader.file, dtype, self._mapping.mode, place, shape, order)
        out: NDArray[Any] = np.empty(shape, dtype, order="F" if fortran else "C")
        flat = out.reshape(-1, order="A").view(np.uint8)
        self._reader.read_into(name, start, flat, head[:start])
        return out


def _path(number: int) -> str:
    return f"schema.json arrays[{number}]"


def _sound(array: NDArray[Any], path: str) -> NDArray[Any]:
    reason = unsound(array)
    if reason is not None:
        raise ValidationError(reason, path=path, next_step=_DAMAGED)
    return array


def _dtype(descr: Any, index: int) -> np.dtype[Any]:
    path = f"schema.json dtypes[{index}]"
    try:
        dtype = npy.descr_to_dtype(_tuples(descr))
    except (
        TypeError,
        ValueError,
        KeyError,
        IndexError,
        SyntaxError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        raise FormatError("a dtype cannot be understood", path=path, next_step=_DAMAGED) from error
    if not isinstance(dtype, np.dtype) or not is_plain(dtype):
        raise FormatError("a dtype holds objects", path=path, next_step=_DAMAGED)
    return dtype


def _tuples(descr: Any) -> Any:
    """Undo JSON: descriptions of structured dtypes are lists of tuples."""
    if isinstance(descr, str):
        return descr
    if not isinstance(descr, list):
        raise TypeError("a dtype is a string or a list")
    fields = []
    for field in descr:
        if len(field) not in (2, 3):
            raise TypeError("a field has a name, a dtype and perhaps a shape")
        title = tuple(field[0]) if isinstance(field[0], list) else field[0]
        fields.append((title, _tuples(field[1]), *(tuple(shape) for shape in field[2:])))
    return fields


def _parse(head: bytes, name: str) -> tuple[int, np.dtype[Any], tuple[int, ...], bool]:
    """Read a ``.npy`` header; return where data starts, dtype, shape and Fortran order."""
    stream = io.BytesIO(head)
    try:
        version = npy.read_magic(stream)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, fortran, dtype = read(stream, max_header_size=_HEADER)
    except (
        ValueError,
        KeyError,
        TypeError,
        SyntaxError,
        MemoryError,
        RecursionError,
        tokenize.TokenError,
    ) as error:
        raise FormatError("the .npy header is damaged", path=name, next_step=_DAMAGED) from error
    if not is_plain(dtype):
        raise FormatError("the member's dtype holds objects", path=name, next_step=_DAMAGED)
    return stream.tell(), dtype, shape, bool(fortran)
