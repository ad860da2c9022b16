"""Puts parts of one object into another, and saves that."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

import skopsafe


class DumpError(Exception):
    """A dump failed with an error that is none of skopsafe's."""


_DEPTH = 6
_JOBS = ("n_jobs",)
"""Where a number starts processes, as it is meant to; the threat model tells of it."""
_ITEMS = 40

Slot = tuple[Any, Any, Any]
"""An owner, the attribute (text), key or index of a part, and the part."""


def slots(obj: Any) -> Iterator[Slot]:
    """Go through what can be exchanged in an object: attributes, and items of lists, dicts and arrays."""
    seen: set[int] = set()
    todo = [(obj, 0)]
    while todo:
        owner, depth = todo.pop()
        if id(owner) in seen or depth > _DEPTH:
            continue
        seen.add(id(owner))
        for key, part in _parts(owner):
            yield owner, key, part
            todo.append((part, depth + 1))


def _parts(owner: Any) -> list[tuple[Any, Any]]:
    if isinstance(owner, dict):
        return list(owner.items())[:_ITEMS]
    if isinstance(owner, list):
        return list(enumerate(owner))[:_ITEMS]
    if isinstance(owner, tuple):
        # Its items cannot be exchanged, but what is in them can.
        return [(None, part) for part in owner[:_ITEMS]]
    if isinstance(owner, np.ndarray) and owner.dtype.hasobject and owner.ndim:
        return list(enumerate(owner.reshape(-1)))[:_ITEMS]
    if isinstance(owner, type) or not hasattr(owner, "__dict__"):
        return []
    # A handle of a library is a place in memory, and what holds another ends the process that saves it.
    return [
        (name, part)
        for name, part in vars(owner).items()
        if isinstance(name, str) and name not in _JOBS and not isinstance(part, ctypes._SimpleCData)
    ]


def _set(owner: Any, key: Any, part: Any) -> None:
    if isinstance(owner, dict | list):
        owner[key] = part
    elif isinstance(key, int):
        owner.reshape(-1)[key] = part
    else:
        vars(owner)[key] = part


def grafted(model: Any, data: bytes, donors: list[Any], rng: random.Random) -> bytes | None:
    """Return the file of a model with parts of others in place of its own, or None where that is none."""
    untrusted = skopsafe.get_untrusted_types(data=data)
    copy = skopsafe.loads(data, untrusted)
    own = [slot for slot in slots(copy) if slot[1] is not None]
    if not own:
        return None
    for _ in range(rng.choice((1, 1, 2))):
        owner, key, old = rng.choice(own)
        source = rng.choice([*donors, model, model])
        found = [part for _, _, part in slots(source)]
        alike = [part for part in found if type(part) is type(old)]
        choices = alike if alike and rng.random() < 0.6 else found
        if not choices:
            return None
        _set(owner, key, rng.choice(choices))
    try:
        return skopsafe.dumps(copy)
    except skopsafe.SkopsafeError:  # a part that cannot be saved there
        return None
    except Exception as error:
        raise DumpError(f"{type(error).__name__}: {error}") from error
