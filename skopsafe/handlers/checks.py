"""Small checks that loaders share. Each raises `ValidationError` naming the attribute."""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.errors import ValidationError

MOST_THREADS = 1024
"""A pool starts as many as it is told to, at once; OpenMP ends the process when it cannot."""

_NEXT = "The file is damaged or crafted; do not load it."


def require(condition: object, what: str, attribute: str = "") -> None:
    """Raise `ValidationError` unless `condition` holds.

    Parameters
    ----------
    condition : object
        Anything with a truth value.
    what : str
        What is wrong when it does not hold.
    attribute : str
        Which attribute of which type.
    """
    if not condition:
        raise ValidationError(what, path=attribute, next_step=_NEXT)


def integer(value: object, attribute: str, low: int, high: int) -> int:
    """Return `value` as an int of ``low <= value <= high``."""
    require(isinstance(value, (int, np.integer)) and not isinstance(value, bool), "not an integer", attribute)
    number = int(value)  # type: ignore[call-overload]
    require(low <= number <= high, f"{number} is not in [{low}, {high}]", attribute)
    return int(number)


def array(
    value: object,
    attribute: str,
    *,
    kinds: str = "",
    ndim: int | None = None,
    shape: tuple[int | None, ...] | None = None,
) -> np.ndarray[Any, np.dtype[Any]]:
    """Return `value` if it is an ndarray of such dtype kinds, dimensions and shape."""
    # No subclass: a masked array hides items from a check that compiled code then reads.
    require(type(value) in (np.ndarray, np.memmap), "not an array", attribute)
    assert isinstance(value, np.ndarray)
    # What is wrong is spelled out only then: the text of a structured dtype takes longer than the checks.
    if kinds and value.dtype.kind not in kinds:
        require(False, f"dtype {value.dtype} is not allowed", attribute)
    if ndim is not None and value.ndim != ndim:
        require(False, f"{value.ndim} dimensions instead of {ndim}", attribute)
    if shape is not None:
        fits = len(shape) == value.ndim and all(
            w is None or w == g for w, g in zip(shape, value.shape, strict=True)
        )
        if not fits:
            require(False, f"shape {value.shape} instead of {shape}", attribute)
    return value


def in_range(values: np.ndarray[Any, np.dtype[Any]], attribute: str, low: int, high: int) -> None:
    """Require every item of an integer array to be in ``[low, high)``."""
    if values.size:
        smallest, largest = values.min(), values.max()
        require(low <= smallest and largest < high, f"holds values outside [{low}, {high})", attribute)
