"""How deep objects may be nested where Python's own C code recurses without looking at the stack.

Lists, dicts, sets and instances may be nested to any depth: Python frees them step by step. Hashing a tuple
and freeing the types below recurse instead, and a chain of a few hundred thousand of them kills the process.
They are all built from what they hold, children first, so that each can look down when it is made.
"""

from __future__ import annotations

import collections
import functools
import types
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from skopsafe.handlers.checks import require

DEEPEST = 200
"""No model is nested so deep; a thread with a small stack recurses ten times deeper."""

_FRAGILE: dict[str, tuple[type, Any]] = {
    "builtins:tuple": (tuple, lambda obj: obj),
    "builtins:slice": (slice, lambda obj: (obj.start, obj.stop, obj.step)),
    "builtins:method": (types.MethodType, lambda obj: (obj.__self__,)),
    "builtins:builtin_function_or_method": (types.BuiltinMethodType, lambda obj: (obj.__self__,)),
    "functools:partial": (
        functools.partial,
        lambda obj: (obj.func, *obj.args, *obj.keywords.values(), *obj.__dict__.values()),
    ),
    "collections:deque": (collections.deque, lambda obj: obj),
    "collections:defaultdict": (
        collections.defaultdict,
        lambda obj: (obj.default_factory, *obj, *obj.values()),
    ),
    "numpy:ndarray": (np.ndarray, lambda obj: obj.ravel().tolist() if obj.dtype.hasobject else ()),
}
"""What such an object holds: by the name of its type in a file, the type and a function of the object."""

NAMES = frozenset(_FRAGILE)
_INSIDE: dict[type, Any] = dict(_FRAGILE.values())
_KINDS = frozenset(_INSIDE)


def require_shallow(parts: Collection[Any], where: str) -> None:
    """Raise `ValidationError` if chains of such objects among `parts` are too long.

    Parameters
    ----------
    parts : collection
        What an object of one of these types is about to hold.
    where : str
        The type that holds it, for the error.
    """
    level: Iterable[Any] = parts
    for _ in range(DEEPEST):
        if _KINDS.isdisjoint(map(type, level)):
            return
        # By identity: one object that stands at many places counts once.
        level = {
            id(inner): inner
            for outer in level
            if type(outer) in _INSIDE
            for inner in _INSIDE[type(outer)](outer)
        }.values()
    require(False, f"nested more than {DEEPEST} deep", where)
