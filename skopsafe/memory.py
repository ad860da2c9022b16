"""A lack of memory as an error of ours."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from skopsafe.errors import OutOfMemoryError

P = ParamSpec("P")
T = TypeVar("T")


def within_memory(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function raise `OutOfMemoryError` in the place of what Python, numpy and others raise."""

    @functools.wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except OutOfMemoryError:
            raise
        except MemoryError as error:
            raise OutOfMemoryError(
                f"there is not enough memory ({error or 'the system gives no more'})",
                next_step="Free some, or map large arrays: load(path, mmap_mode='r').",
            ) from error

    return inner
