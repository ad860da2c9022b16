"""Arguments that a file gives to functions of the reviewed libraries, to be called later with X.

The functions are harmless with any X. With any other arguments some are not, and what they give is the X of
the next step of a pipeline.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from skopsafe.handlers.checks import require
from skopsafe.handlers.dtypes import require_plain_dtype

_NUMPY = ("numpy", "scipy")
_OPTIONS = frozenset(
    {"casting", "dtype", "interpolation", "kind", "method", "mode", "order", "sig", "signature"}
)
"""Keywords of numpy whose texts choose among ways to compute."""
_DEPTH = 4


def innermost(function: Any) -> Any:
    """Return the function or class in a `partial`, a method or an alias such as ``list[int]``."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType):
            function = function.__func__
        elif isinstance(function, types.GenericAlias):
            function = function.__origin__
        else:
            return function


def is_foreign(function: Any) -> bool:
    """Tell whether this is a function in Python of none of the reviewed libraries: its user approved it."""
    return isinstance(function, types.FunctionType) and _library(function) not in (*_NUMPY, "sklearn")


def _library(function: Any) -> str:
    return str(getattr(function, "__module__", "")).partition(".")[0]


def require_harmless(function: Any, args: Iterable[Any], keywords: Mapping[str, Any], where: str) -> None:
    """Refuse arguments that make a function of numpy, or one that takes arrays to it, do more than compute.

    A universal function leaves the items that ``where`` excludes as they were: as memory of before. A
    ``dtype`` that is a text reaches pandas if X comes from there (`require_plain_dtype`). And with a text or
    an object from the file, some give it out.

    Parameters
    ----------
    function : callable
        What is called: a function, or a `partial` or method of one.
    args, keywords : iterable of object, mapping of str to object
        What it is called with.
    where : str
        Where they stand.
    """
    function = innermost(function)
    is_numpy = isinstance(function, np.ufunc) or _library(function) in _NUMPY
    if not is_numpy and _library(function) != "sklearn":
        return
    mask = keywords.get("where", True)
    is_all = isinstance(mask, (bool, np.bool_)) and bool(mask)
    require(is_all, "what it leaves out would be memory of before", f"{where}['where']")
    dtype = keywords.get("dtype")
    for text in dtype if isinstance(dtype, (list, tuple)) else (dtype,):
        require_plain_dtype(text, f"{where}['dtype']")
    if is_numpy:
        bound = [*args, *(value for name, value in keywords.items() if name not in _OPTIONS)]
        require(_are_numbers(bound), "not numbers", where)


def _are_numbers(values: Iterable[Any], depth: int = _DEPTH) -> bool:
    return all(_is_number(value, depth) for value in values)


def _is_number(value: Any, depth: int) -> bool:
    """Tell whether this is a number, an array of them, a slice, or a class that names a dtype."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "biufcmM"
    if isinstance(value, (list, tuple)):
        return depth > 0 and _are_numbers(value, depth - 1)
    return (
        value is None or value is Ellipsis or isinstance(value, (int, float, complex, slice, type, np.dtype))
    )


def require_no_text(function: Any, where: str) -> None:
    """Refuse a class of texts where what it gives is an X: XGBoost takes a text for the path of a file."""
    function = innermost(function)
    is_text = isinstance(function, type) and issubclass(function, (str, bytes, bytearray))
    require(not is_text, "makes a text, which the next step may take for a path", where)
