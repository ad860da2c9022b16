"""How deep objects may be nested where Python's own C code recurses without looking at the stack.

Lists, dicts, sets and instances may be nested to any depth: Python frees them step by step. Hashing a tuple
and freeing the types below recurse instead, and a chain of a few hundred thousand of them kills the process.
They are all built from what they hold, children first, so that each can look down when it is made.

Tuples and aliases do not keep their hash either: one that holds another twice, which holds a third one twice,
and so on, is short in a file, and hashing it takes time for each way down. A frozenset keeps its hash, but
two that are equal are compared along each way.
"""

from __future__ import annotations

import collections
import functools
import types
import typing
from collections.abc import Collection
from typing import Any

import numpy as np

from skopsafe.graph.account import Account
from skopsafe.handlers.checks import require

MOST_PLACES, MOST_WAYS = 2**17, 16
"""Places in the keys of a dict or the items of a set to which hashing may go, as often as a way leads there:
so many in all, or so many times those that there are."""
_STEPS_A_PLACE = 8
"""To go to one costs as much as making so many values."""
_SHORT = 16
_PLAIN = frozenset((str, bytes, int, float, bool, type(None)))
DEEPEST = 200
"""No model is nested so deep; a thread with a small stack recurses ten times deeper."""

_FRAGILE: dict[str, tuple[type, Any]] = {
    "builtins:tuple": (tuple, lambda obj: obj),
    "builtins:slice": (slice, lambda obj: (obj.start, obj.stop, obj.step)),
    "types:GenericAlias": (types.GenericAlias, lambda obj: obj.__args__),
    "types:UnionType": (types.UnionType, lambda obj: obj.__args__),
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
_ALIAS: type = type(typing.List[int])  # noqa: UP006 - that of the module, which the built-in has not
_HASHED = (tuple, frozenset, slice, types.GenericAlias, types.UnionType, _ALIAS)


def require_shallow(parts: Collection[Any], where: str, account: Account) -> None:
    """Raise `ValidationError` if chains of such objects among `parts` are too long.

    Parameters
    ----------
    parts : collection
        What an object of one of these types is about to hold.
    where : str
        The type that holds it, for the error.
    account : Account
        Remembers the chains of what is shared.
    """
    if _KINDS.isdisjoint(map(type, parts)):
        return
    for part in parts:
        if type(part) in _KINDS and not _is_flat(part):
            if id(part) not in account.chains:
                _measure(part, where, account.chains)
            require(account.chains[id(part)][1] < DEEPEST, f"nested more than {DEEPEST} deep", where)


def _is_flat(part: Any) -> bool:
    """Tell whether a part is a tuple of few plain values: that is looked at again in no time."""
    return type(part) is tuple and len(part) <= _SHORT and _PLAIN.issuperset(map(type, part))


def _measure(obj: Any, where: str, chains: dict[int, tuple[Any, int]]) -> None:
    """Find out how long the chain is that an object begins, and those of what it holds.

    Mostly these are known, for each object was made after what it holds.
    """
    stack: list[tuple[Any, list[Any] | None]] = [(obj, None)]
    opened: set[int] = set()
    while stack:
        present, inside = stack.pop()
        if inside is None:
            if id(present) in chains:
                continue
            require(id(present) not in opened, f"nested more than {DEEPEST} deep", where)  # without end
            opened.add(id(present))
            inside = [part for part in _INSIDE[type(present)](present) if type(part) in _KINDS]
            stack.append((present, inside))
            stack += [(part, None) for part in inside if id(part) not in chains and not _is_flat(part)]
            continue
        chains[id(present)] = present, 1 + max([_chain(part, chains) for part in inside], default=0)


def _chain(part: Any, chains: dict[int, tuple[Any, int]]) -> int:
    found = chains.get(id(part))
    return 1 if found is None else found[1]


def require_light(parts: Collection[Any], where: str, account: Account) -> None:
    """Raise `ValidationError` if hashing objects would take far longer than making them took.

    Parameters
    ----------
    parts : collection
        What is about to be hashed; nothing in it is nested too deeply.
    where : str
        What they are for, for the error.
    account : Account
        Pays for each place, since what is shared is hashed anew for each that holds it.

    Raises
    ------
    LimitError
        The same objects have been hashed too often.
    """
    if not any(issubclass(kind, _HASHED) for kind in set(map(type, parts))):
        return
    level = {id(part): (part, 1) for part in parts if not _is_flat(part)}
    ways = places = 0
    while level:
        below: dict[int, tuple[Any, int]] = {}
        before_level = places
        for outer, times in level.values():
            for inner in _hashed_with(outer):
                _, before = below.get(id(inner), (None, 0))
                below[id(inner)] = inner, before + times
                places += 1
        ways += sum([times for _, times in below.values()])
        require(ways <= max(MOST_PLACES, MOST_WAYS * places), "takes too long to be hashed", where)
        account.spend(_STEPS_A_PLACE * (places - before_level), where)
        level = below


def _hashed_with(obj: Any) -> Collection[Any]:
    """Return what the hash of an object is made of, anew each time; or what a comparison goes into."""
    if type(obj) is frozenset:
        return obj
    if type(obj) in _INSIDE and isinstance(obj, _HASHED):
        return _INSIDE[type(obj)](obj)  # type: ignore[no-any-return]
    return getattr(obj, "__args__", ()) if isinstance(obj, _ALIAS) else ()
