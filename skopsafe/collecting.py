"""No search for garbage cycles while objects are made by the million and none of them is garbage."""

from __future__ import annotations

import functools
import gc
import os
from _thread import get_ident
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_OFF: set[int] = set()
"""Threads that have switched the search off, and will switch it on again."""


def without_collections(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function run while Python does not look for garbage cycles.

    Python looks whenever some hundred more containers have been made than freed, and again and again through
    all that the process holds. Of a load of many objects that was two thirds of the time.

    Who finds the search on switches it off, and on again; who finds it off leaves it alone. So the last that
    happens, however many threads there are, is that it is switched on.
    """

    @functools.wraps(function)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> T:
        was_on = gc.isenabled()
        try:
            if was_on:
                _OFF.add(get_ident())
                gc.disable()
            return function(*args, **kwargs)
        finally:
            if was_on:
                gc.enable()
                _OFF.discard(get_ident())

    return quiet


def _begin_child() -> None:
    """Switch the search on in a new process, which has not the threads that would have done it."""
    absent = _OFF - {get_ident()}
    if absent:
        _OFF.difference_update(absent)
        gc.enable()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_child)
