"""Target: headers of ``.npy``, and dtypes as a schema describes them."""

from __future__ import annotations

import io
import json
import warnings
from typing import Any

import numpy as np
from numpy.lib import format as npy

from skopsafe.archive.npy import LONGEST, dtype_of, header, is_plain, parse
from skopsafe.archive.source import npy_descr
from skopsafe.errors import SkopsafeError
from tests.fuzz.stages import reach

_SMALL = 1 << 16


def npy_header(data: bytes) -> None:
    """Read a header, or JSON as the description of a dtype; numpy has to see the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of numpy, on what earlier releases wrote
        if data.startswith(b"\x93"):
            _header(data)
        else:
            _description(data)


def _header(data: bytes) -> None:
    try:
        start, dtype, shape, fortran = parse(data[:LONGEST], "x.npy")
    except SkopsafeError:
        return
    reach("header")
    assert is_plain(dtype)
    assert not dtype.hasobject
    assert all(type(size) is int and size >= 0 for size in shape)
    _require_known(dtype)
    _compare(data, start, dtype, shape, fortran)
    # What was read is what is written for it.
    again = header(npy_descr(dtype), shape, fortran)
    assert parse(again, "x.npy") == (len(again), dtype, shape, fortran)


def _compare(data: bytes, start: int, dtype: Any, shape: tuple[int, ...], fortran: bool) -> None:
    """Let numpy read an array behind the header."""
    stream = io.BytesIO(data)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[npy.read_magic(stream)]
    assert read(stream, max_header_size=LONGEST) == (shape, fortran, dtype)
    assert stream.tell() == start
    items = int(np.prod(shape, dtype=object)) if shape else 1
    if not 0 < items * max(dtype.itemsize, 1) <= _SMALL or dtype.subdtype or not dtype.itemsize:
        return
    found = npy.read_array(io.BytesIO(data[:start] + bytes(items * dtype.itemsize)), max_header_size=LONGEST)
    assert (found.dtype, found.shape) == (dtype, shape)
    assert found.flags.f_contiguous if fortran else found.flags.c_contiguous
    reach("array")


def _description(data: bytes) -> None:
    try:
        descr = json.loads(data)
    except (ValueError, RecursionError):
        return
    reach("JSON")
    try:
        dtype = dtype_of(descr, 0)
    except SkopsafeError:
        return
    reach("dtype")
    assert isinstance(dtype, np.dtype)
    assert is_plain(dtype)
    assert not dtype.hasobject
    _require_known(dtype)


def _require_known(dtype: np.dtype[Any]) -> None:
    """What is accepted can be described again, and means the same."""
    try:
        again = npy.descr_to_dtype(npy_descr(dtype))
    except RecursionError:
        return
    assert again.itemsize == dtype.itemsize
