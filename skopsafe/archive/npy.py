"""The header of a ``.npy`` member. Format: NumPy Enhancement Proposal 1."""

from __future__ import annotations

import functools
import io
import struct
from typing import Any

import numpy as np
from numpy.lib import format as npy

from skopsafe.errors import FormatError, shown

LONGEST = 1 << 16
_MAGIC = b"\x93NUMPY\x01\x00"
_LENGTH = struct.Struct("<H")
_ALIGNMENT = 64
_SHORT = 32
_FAILURES = (
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    SyntaxError,
    OverflowError,
    MemoryError,
    RecursionError,
    Warning,  # where warnings are errors
)
"""What numpy raises for descriptions that make no sense, and a hash of those that it takes."""
_LONGEST_NAME = 64
"""Letters of a dtype that is no structure, as numpy spells it: a longer text is a list of dtypes, or none."""
MOST_FIELDS = 1 << 16
"""Fields of one structure."""
_DAMAGED = "The file is damaged or crafted; get it again from its author."


@functools.lru_cache(maxsize=256)
def is_plain(dtype: np.dtype[Any]) -> bool:
    """Tell whether the bytes of a dtype are its values, so that ``.npy`` can hold them."""
    if dtype.subdtype is not None:
        return is_plain(dtype.subdtype[0])
    if dtype.names is not None:
        return all(is_plain(dtype.fields[name][0]) for name in dtype.names)  # type: ignore[index]
    return dtype.kind in "biufcSUVmM" and not dtype.hasobject


def _is_of_arrays(dtype: np.dtype[Any]) -> bool:
    """Tell whether an array in a file may have a dtype: a subarray turns into dimensions, and is of none."""
    return dtype.subdtype is None and is_plain(dtype)


def header(descr: Any, shape: tuple[int, ...], fortran: bool) -> bytes:
    """Return the header of an array.

    Parameters
    ----------
    descr : str or list
        The dtype, as ``numpy.lib.format.dtype_to_descr`` describes it.
    shape : tuple of int
        Its shape.
    fortran : bool
        Whether it is in Fortran order.

    Returns
    -------
    bytes
        Magic, version, length and dict, padded to a multiple of 64 bytes.
    """
    text = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape!r}, }}"
    try:
        data = text.encode("latin1")
    except UnicodeEncodeError:
        raise ValueError("a field of a dtype has a name that .npy cannot spell") from None
    padding = -(len(_MAGIC) + _LENGTH.size + len(data) + 1) % _ALIGNMENT
    length = len(data) + padding + 1
    if length >= LONGEST:
        out = io.BytesIO()
        npy.write_array_header_2_0(out, {"descr": descr, "fortran_order": fortran, "shape": shape})
        return out.getvalue()
    return b"%b%b%b%b\n" % (_MAGIC, _LENGTH.pack(length), data, b" " * padding)


def parse(head: bytes, name: str) -> tuple[int, np.dtype[Any], tuple[int, ...], bool]:
    """Read a header; return where data starts, dtype, shape and Fortran order.

    Raises
    ------
    FormatError
        It is damaged, or the dtype holds objects.
    """
    import tokenize

    stream = io.BytesIO(head)
    try:
        version = npy.read_magic(stream)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, fortran, dtype = read(stream, max_header_size=LONGEST)
        if any(type(size) is not int or size < 0 for size in shape):
            raise ValueError("a shape is of numbers from 0 up")
        plain = _is_of_arrays(dtype)
    except (*_FAILURES, tokenize.TokenError) as error:
        raise FormatError("the .npy header is damaged", path=name, next_step=_DAMAGED) from shown(error)
    if not plain:
        raise FormatError("the member's dtype holds objects", path=name, next_step=_DAMAGED)
    return stream.tell(), dtype, shape, bool(fortran)


def dtype_of(descr: Any, index: int) -> np.dtype[Any]:
    """Return the dtype that a schema describes.

    Raises
    ------
    FormatError
        It cannot be understood, or holds objects.
    """
    path = f"schema.json dtypes[{index}]"
    try:
        is_short = type(descr) is str and len(descr) < _SHORT
        dtype = _of_text(descr) if is_short else npy.descr_to_dtype(_tuples(descr))
        plain = _is_of_arrays(dtype)
    except _FAILURES as error:
        raise FormatError("a dtype cannot be understood", path=path, next_step=_DAMAGED) from shown(error)
    if not plain:
        raise FormatError("a dtype holds objects", path=path, next_step=_DAMAGED)
    return dtype


@functools.lru_cache(maxsize=256)
def _of_text(descr: Any) -> Any:
    return npy.descr_to_dtype(descr)


def _tuples(descr: Any) -> Any:
    """Undo JSON: descriptions of structured dtypes are lists of tuples."""
    if isinstance(descr, str):
        if len(descr) > _LONGEST_NAME:
            raise TypeError("a dtype is spelled at too great length")
        return descr
    if not isinstance(descr, list):
        raise TypeError("a dtype is a string or a list")
    if len(descr) > MOST_FIELDS:
        raise TypeError("a dtype has too many fields")
    fields = []
    for field in descr:
        if len(field) not in (2, 3):
            raise TypeError("a field has a name, a dtype and perhaps a shape")
        title = tuple(field[0]) if isinstance(field[0], list) else field[0]
        fields.append((title, _tuples(field[1]), *(tuple(shape) for shape in field[2:])))
    return fields
