"""No search for garbage cycles while objects are made by the million and none of them is garbage."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def without_collections(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function run while Python does not look for garbage cycles.

    Python looks whenever some hundred more containers have been made than freed, and again and again through
    all that the process holds. Of a load of many objects that was two thirds of the time.

    Whoever finds collections on switches them on again, so that calls may be nested, or run in several
    threads.
    """

    @functools.wraps(function)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> T:
        was_on = gc.isenabled()
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            if was_on:
                gc.enable()

    return quiet
