"""The members of a file of skops: arrays, bytes and sparse matrices, each read once and within limits."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.archive.container import Reader
from skopsafe.archive.npy import LONGEST, parse
from skopsafe.archive.zip_records import SCHEMA as MEMBER
from skopsafe.errors import FormatError, LimitError, ValidationError
from skopsafe.foreign.skops.schema import AGAIN
from skopsafe.graph.plain import MOST_DIMENSIONS, unsound
from skopsafe.limits import Limits

READ_BELOW = 1 << 16
"""Arrays of fewer bytes are read although only a look is taken: what an object is can depend on them."""
_SPARSE = ("format", "shape", "data", "indices", "indptr", "offsets", "row", "col", "coords", "_is_array")
"""What ``scipy.sparse.save_npz`` writes."""


class Members:
    """Reads what nodes name.

    Parameters
    ----------
    reader : Reader
        The zip.
    limits : Limits
        Upper bounds.
    whole : bool
        Whether large arrays are read; else zeros, of which the system has no memory, stand for them.

    Attributes
    ----------
    size : int
        Bytes of all that was read.
    """

    def __init__(self, reader: Reader, limits: Limits, *, whole: bool) -> None:
        self._reader = reader
        self._limits = limits
        self._whole = whole
        self._known: dict[tuple[str, str], Any] = {}
        self._nested = 0
        self._free = 0
        self.size = 0

    def array(self, name: Any) -> NDArray[Any]:
        """Return the array of a ``.npy`` member."""
        found: NDArray[Any] = self._once("npy", name, self._array)
        return found

    def content(self, name: Any) -> bytes:
        """Return the bytes of a member, which one node has alone: nodes may make copies of them."""
        if isinstance(name, str) and ("bin", name) in self._known:
            raise FormatError("two objects have their bytes in one member", path=name, next_step=AGAIN)
        found: bytes = self._once("bin", name, self._content)
        return found

    def sparse(self, name: Any) -> dict[str, NDArray[Any]]:
        """Return the arrays of a ``.npz`` member, by their names in it."""
        found: dict[str, NDArray[Any]] = self._once("npz", name, self._sparse)
        return found

    def _once(self, kind: str, name: Any, read: Any) -> Any:
        if not isinstance(name, str) or not name or name == MEMBER or "/" in name or "\\" in name:
            raise FormatError("a node names no member", path=MEMBER, next_step=AGAIN)
        if name not in self._reader:
            raise FormatError("a member is missing", path=name, next_step=AGAIN)
        key = kind, name
        if key not in self._known:
            self._known[key] = read(name)
        return self._known[key]

    def _content(self, name: str) -> bytes:
        self._count(self._reader.size(name), name)
        return self._reader.read(name)

    def _array(self, name: str) -> NDArray[Any]:
        return self._read(self._reader, name, name)

    def _sparse(self, name: str) -> dict[str, NDArray[Any]]:
        zipped = Reader(io.BytesIO(self._content(name)), self._limits)
        found: dict[str, NDArray[Any]] = {}
        for part in _SPARSE:
            member = f"{part}.npy"
            if member in zipped:
                # What is compressed twice counts against the file, as if it were compressed once.
                self._nested += zipped.size(member)
                most = max(self._limits.expansion * self._reader.length, self._limits.expansion_floor)
                if self._nested > most:
                    raise LimitError(
                        f"sparse matrices expand to more than {most} bytes",
                        path=f"{name}/{member}",
                        next_step="Pass limits=Limits(expansion=...) if you know the file.",
                    )
                found[part] = self._read(zipped, member, f"{name}/{member}")
        return found

    def _count(self, size: int, path: str) -> None:
        if size > self._limits.array_bytes:
            raise LimitError(
                f"the member has {size} bytes",
                path=path,
                next_step="Pass limits=Limits(array_bytes=...) if you expect so large an array.",
            )
        self.size += size

    def _read(self, reader: Reader, name: str, path: str) -> NDArray[Any]:
        size = reader.size(name)
        self._count(size, path)
        head = reader.head(name, LONGEST)
        start, dtype, shape, fortran = parse(head, path)
        if len(shape) > min(self._limits.dimensions, MOST_DIMENSIONS):
            raise LimitError(
                f"an array has {len(shape)} dimensions",
                path=path,
                next_step="Pass limits=Limits(dimensions=...) if you expect so many.",
            )
        items = math.prod(shape)
        if start + items * dtype.itemsize != size:
            raise FormatError("the member's size contradicts its header", path=path, next_step=AGAIN)
        order: Any = "F" if fortran else "C"
        if not dtype.itemsize:
            return self._without_bytes(reader, name, path, shape, dtype)
        if math.prod(length or 1 for length in shape) >= 2**62:
            raise FormatError("an array has an impossible shape", path=path, next_step=AGAIN)
        if not self._whole and size >= READ_BELOW:
            return np.zeros(shape, dtype, order)
        out: NDArray[Any] = np.empty(shape, dtype, order)
        reader.read_into(name, start, out.reshape(-1, order="A").view(np.uint8), head[:start])
        reason = unsound(out)
        if reason is not None:
            raise ValidationError(reason, path=path, next_step=AGAIN)
        return out

    def _without_bytes(
        self, reader: Reader, name: str, path: str, shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        reader.check(name)
        self._free += math.prod(length or 1 for length in shape)
        if self._free > 8 * self._limits.steps(self._reader.length):
            raise LimitError(
                f"arrays have {self._free} items of no bytes",
                path=path,
                next_step="Pass limits=Limits(work=...) if you know the file and expect so many.",
            )
        return np.ndarray(shape, dtype, bytearray(1))
