"""Objects without a loader put together again: by ``__new__``, attributes and states."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from types import MemberDescriptorType
from typing import Any, cast

from skopsafe.handlers.checks import require
from skopsafe.handlers.generic import hides, slots
from skopsafe.handlers.own import replaces
from skopsafe.handlers.protocols import require_no_address, require_no_protocol


@functools.lru_cache(maxsize=4096)
def slots_to_set(cls: Any, attributes: tuple[str, ...]) -> Mapping[str, MemberDescriptorType]:
    """Check that instance attributes hide nothing of the class; return its slots.

    An instance attribute named like a method would be called in its place.
    """
    for name in attributes:
        require(
            isinstance(name, str) and not name.startswith("()"),
            "an attribute's name is malformed",
            cls.__qualname__,
        )
    require_no_protocol(attributes, cls.__qualname__)
    hidden = hides(cls, attributes)
    require(hidden is None, "an attribute would hide a method of its class", f"{cls.__qualname__}.{hidden}")
    replaced = replaces(cls, attributes)
    require(replaced is None, "is for its class to say, not for a file", f"{cls.__qualname__}.{replaced}")
    return slots(cls)


def set_attributes(obj: Any, attributes: tuple[str, ...], values: Sequence[Any]) -> None:
    """Set attributes without running code of the class."""
    found = slots_to_set(cast("Any", type(obj)), attributes)
    if not found:
        if attributes:
            obj.__dict__.update(zip(attributes, values, strict=True))
        return
    for name, value in zip(attributes, values, strict=True):
        if name in found:
            found[name].__set__(obj, value)
        else:
            obj.__dict__[name] = value


def new(cls: Any, args: Any = (), kwargs: Any = None) -> Any:
    """Make an instance by ``cls.__new__`` alone."""
    require(isinstance(args, tuple), "the arguments of __new__ are no tuple", cls.__qualname__)
    return cls.__new__(cls, *args, **(kwargs or {}))


def give_parts(obj: Any, given: Mapping[str, Any], is_reviewed: bool) -> None:
    """Give an object the parts that are no attributes: items, and a state.

    Parameters
    ----------
    obj : object
        What ``__new__`` or a call made.
    given : mapping
        The parts by their names, such as ``()state``.
    is_reviewed : bool
        Whether the class is a reviewed one: then a state may not hide its methods.
    """
    for item in given.get("()list", ()):
        obj.append(item)
    for key, value in given.get("()dict", {}).items():
        obj[key] = value
    if isinstance(obj, dict):
        require_no_address(obj, type(obj).__qualname__)
    if "()state" not in given:
        return
    state = given["()state"]
    cls = type(obj)
    setstate = getattr(cls, "__setstate__", None)
    if setstate is not None:
        if isinstance(state, dict) and is_reviewed:
            slots_to_set(cast("Any", cls), tuple(state))
            version = state.get("_sklearn_version", "")  # scikit-learn repeats it in a warning
            plain = isinstance(version, str) and version.isprintable()
            require(plain, "not a version", f"{cls.__qualname__}._sklearn_version")
        setstate(obj, state)
        return
    in_dict, in_slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    for part in (in_dict, in_slots):
        if part is not None:
            require(isinstance(part, dict), "a state is no dict", cls.__qualname__)
            set_attributes(obj, tuple(part), list(part.values()))
