"""Arrays that joblib before 0.10 wrote to files beside the pickle: ``.npy``, or bytes that are compressed.

Sources: ``joblib/numpy_pickle_compat.py`` (``NDArrayWrapper``, ``ZNDArrayWrapper``, ``read_zfile``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from skopsafe.archive import npy
from skopsafe.archive.readable import Budget, Readable, Whole
from skopsafe.archive.unpack import compression_of, unpack
from skopsafe.beside import opened_beside
from skopsafe.conversion.numpy_rules import of_bytes, shape_of
from skopsafe.conversion.rules import Case, Misfit, require, settled
from skopsafe.errors import LimitError, UnsupportedTypeError
from skopsafe.foreign.pickles.dtypes import dtype_of
from skopsafe.foreign.pickles.formats import behind_arrays
from skopsafe.foreign.pickles.values import Global, Stored, Value
from skopsafe.limits import Limits

_CLASSES = ("numpy:ndarray", "numpy:memmap", "numpy._core.memmap:memmap")
_MATRIX = "numpy:matrix"
_PREFIX, _LENGTH = 2, 21
"""Of a compressed file: where the number of bytes that come out begins, and where it ends."""


class Beside:
    """Reads arrays from the files that a pickle names.

    Parameters
    ----------
    folder : str or None
        The folder of the pickle; None where that is not known, and nothing is read.
    limits : Limits
        Upper bounds for each file, and for all of them.
    objects : callable
        ``objects(file)`` returns the array of objects that an open ``.npy`` holds as a pickle.
    """

    def __init__(self, folder: str | None, limits: Limits, objects: Callable[[BinaryIO], Any]) -> None:
        self._folder = folder
        self._limits = limits
        self._objects = objects
        self._left = limits.total_bytes
        self._seen: set[str] = set()

    def __call__(self, record: Stored, case: Case) -> Any:
        """Return an array that is in a file.

        Raises
        ------
        Misfit
            The file is not in its form.
        SkopsafeError
            It is not there, or not where it may be, or larger than allowed.
        """
        name, said = record.file, record.attributes or {}
        require(name, "the name of a file is no text")
        if self._folder is None:
            raise UnsupportedTypeError(
                "an array is in another file, which lies beside the pickle",
                path=name[:1000],
                next_step="Pass the path of the pickle, with that file in the same folder.",
            )
        # As every file is read once, what is read is no more than what lies in the folder.
        require(name not in self._seen, "two arrays are in one file")
        self._seen.add(name)
        if len(self._seen) > self._limits.members:
            raise self._refused(name, "arrays are in too many files", "members")
        with opened_beside(self._folder, name) as file:
            if record.is_packed:
                return self._packed(Whole(file), name, said, case)
            source = Whole(file)
            if behind_arrays(source, 0, 1)[1]:
                made = self._objects(file)
                require(isinstance(made, np.ndarray), f"{name!r} holds no array")
                return made
            return _of_class(self._array(source, name), said.get("subclass"))

    def _array(self, source: Readable, name: str) -> np.ndarray[Any, Any]:
        head = source.read(0, npy.LONGEST + 12)
        require(head.startswith(b"\x93NUMPY"), f"{name!r} is no .npy file")
        start, dtype, shape, fortran = npy.parse(head, name)
        size = math.prod(shape) * dtype.itemsize
        self._take(name, size)
        require(source.size - start == size, f"{name!r} has not as many bytes as its header says")
        return of_bytes(source.read(start, size), dtype, shape, "F" if fortran else "C")

    def _packed(self, source: Readable, name: str, said: dict[str, Value], case: Case) -> Any:
        args, state = said.get("init_args"), said.get("state")
        require(isinstance(args, tuple) and args, "the class of an array is not told")
        require(isinstance(state, tuple) and len(state) == 4, "the state of an array has another length")
        assert isinstance(args, tuple)
        assert isinstance(state, tuple)
        _, shape, described, is_fortran = state
        dtype = dtype_of(described)
        require(not dtype.hasobject, "an array of objects is in a file of bytes")
        size = math.prod(shape_of(shape)) * dtype.itemsize
        self._take(name, size)
        head = source.read(0, 64)
        found = compression_of(head) if head.startswith(b"ZF") else None
        require(found is not None, f"{name!r} is no compressed file of joblib")
        assert found is not None
        require(int(head[_PREFIX:_LENGTH], 16) == size, f"{name!r} says another size than its array has")
        content = unpack(found[0], source, found[1], Budget(self._limits, source.size))
        require(not content.problem, f"in {name!r}, {content.problem}")
        require(content.size == size, f"{name!r} has not as many bytes as its array")
        data = content.read(0, size)
        return _of_class(of_bytes(data, dtype, shape, "F" if is_fortran else "C"), args[0])

    def _take(self, name: str, size: int) -> None:
        if size > self._limits.array_bytes:
            raise self._refused(
                name, f"an array has more than {self._limits.array_bytes} bytes", "array_bytes"
            )
        self._left -= size
        if self._left < 0:
            raise self._refused(
                name, f"arrays have more than {self._limits.total_bytes} bytes together", "total_bytes"
            )

    @staticmethod
    def _refused(name: str, reason: str, limit: str) -> LimitError:
        return LimitError(
            reason, path=name, next_step=f"Pass limits=Limits({limit}=...) if you expect so much."
        )


def _of_class(made: np.ndarray[Any, Any], cls: Value) -> np.ndarray[Any, Any]:
    """Return an array as one of the class that it had when it was written."""
    name = settled(cls) if isinstance(cls, Global) else ""
    if name == _MATRIX:
        require(made.ndim == 2, "a matrix has two dimensions")
        return made.view(np.matrix)
    if name not in _CLASSES:
        raise Misfit("it is of a class of arrays that is not known")
    return made
