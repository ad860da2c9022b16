"""What the bytes of plain arrays must be: numpy and Python trust bools and texts without looking."""

from __future__ import annotations

import functools
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_DIMENSIONS = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32
"""As many as an array of the installed numpy has."""


@functools.lru_cache(maxsize=256)
def has_rules(dtype: np.dtype[Any]) -> bool:
    """Tell whether there are bytes that no item of a plain dtype may have."""
    if not dtype.itemsize:
        return False
    if dtype.subdtype is not None:
        return has_rules(dtype.subdtype[0])
    if dtype.names is not None:
        return bool(_ruled(dtype))
    return dtype.kind in "bU"


@functools.lru_cache(maxsize=256)
def _ruled(dtype: np.dtype[Any]) -> tuple[str, ...]:
    """Return the fields of a structure that are to be looked at; each of them has bytes."""
    return tuple(name for name in dtype.names or () if has_rules(dtype.fields[name][0]))  # type: ignore[index]


def unsound(array: NDArray[Any]) -> str | None:
    """Return what is wrong with the bytes of an array of a plain dtype, or None.

    numpy's boolean indexing counts with the bytes of a bool, and Python with the code points of a text.
    """
    dtype = array.dtype
    if not array.size or not dtype.itemsize:
        return None
    if dtype.names is not None:
        return next((found for name in _ruled(dtype) if (found := unsound(array[name]))), None)
    if dtype.kind == "b" and array.view(np.uint8).max() > 1:
        return "a bool is neither 0 nor 1"
    if dtype.kind == "U":
        letters = array.ravel(order="K").view(np.dtype("u4").newbyteorder(dtype.byteorder))
        if letters.max() > sys.maxunicode:
            return "a text has letters that do not exist"
    return None
