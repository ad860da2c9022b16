"""Objects without a handler: taken apart by the object protocol that pickle and copy use too.

Attribute names in a file are identifiers. The parts that are no attributes have names that no
attribute can have: ``()args``, ``()kwargs``, ``()state``, ``()list``, ``()dict`` and ``()member``.
"""

from __future__ import annotations

import copyreg
import enum
import functools
from collections.abc import Hashable, Mapping, Sequence
from types import MemberDescriptorType
from typing import Any, cast

from skopsafe.graph.document import CALL
from skopsafe.graph.parts import NameOf, Parts
from skopsafe.handlers.checks import require

_BASE = "sklearn.base"


def take_apart(obj: Any) -> Parts | NameOf:
    """Return the parts of an object, with the name of its type or of the callable that makes it.

    Raises
    ------
    TypeError
        The object has no way to be written.
    """
    cls: Any = type(obj)  # Any, for mypy does not take a type as hashable
    if isinstance(obj, enum.Enum):
        if obj.name not in cls.__members__:
            raise TypeError("a combination of flags without a name of its own")
        return Parts(("()member",), [obj.name])
    registered = copyreg.dispatch_table.get(cls)
    if registered is None and _is_plain(cls):
        return _attributes(obj)
    reduced = registered(obj) if registered is not None else obj.__reduce_ex__(4)
    if isinstance(reduced, str):
        return NameOf(obj, "value", f"{cls.__module__}:{reduced}")
    func, args, state, items, pairs, setter = (*reduced, None, None, None, None)[:6]
    if setter is not None:
        raise TypeError("its __reduce__ gives a state setter")
    kwargs = None
    names: list[str] = []
    values: list[Any] = []
    made_by_new = func is copyreg.__newobj__ or func is copyreg.__newobj_ex__  # type: ignore[attr-defined]
    if made_by_new:
        if args[0] is not cls:
            raise TypeError("its __reduce__ makes another class")
        args, kwargs = (args[1], args[2]) if func is copyreg.__newobj_ex__ else (args[1:], None)  # type: ignore[attr-defined]
    for name, value in (
        ("()args", tuple(args) if args or not made_by_new else None),
        ("()kwargs", kwargs or None),
        ("()state", state),
        ("()list", None if items is None else list(items)),
        ("()dict", None if pairs is None else dict(pairs)),
    ):
        if value is not None:
            names.append(name)
            values.append(value)
    if made_by_new:
        if names and names[-1] == "()dict" and not values[-1]:
            names.pop(), values.pop()
        return Parts(tuple(names), values)
    return Parts(tuple(names), values, type=NameOf(func, CALL), role=CALL)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=4096)
def _is_plain(cls: Hashable) -> bool:
    """Tell whether the attributes of an instance are all that there is."""
    for method in ("__reduce_ex__", "__reduce__"):
        if getattr(cls, method) is not getattr(object, method):
            return False
    if hasattr(cls, "__getnewargs__") or hasattr(cls, "__getnewargs_ex__"):
        return False
    for method in ("__getstate__", "__setstate__"):
        found = getattr(cls, method, None)
        if found is not None and found is not getattr(object, method, None) and found.__module__ != _BASE:
            return False
    # A base implemented in C other than object may hold state that no attribute shows.
    return all(base.__flags__ & (1 << 9) for base in cast("type", cls).__mro__[:-1])


@functools.lru_cache(maxsize=4096)
def slots(cls: Hashable) -> Mapping[str, MemberDescriptorType]:
    """Return the slots of a class by attribute name."""
    return {
        name: value
        for base in reversed(cast("type", cls).__mro__)
        for name, value in vars(base).items()
        if isinstance(value, MemberDescriptorType)
    }


def _attributes(obj: Any) -> Parts:
    state = getattr(obj, "__dict__", None)
    names = [] if state is None else list(state)
    values = [] if state is None else list(state.values())
    for name, slot in slots(cast("Any", type(obj))).items():
        try:
            values.append(slot.__get__(obj))
        except AttributeError:
            continue
        names.append(name)
    if not all(type(name) is str and name.isidentifier() for name in names):
        # Odd attribute names go through the state, where they are ordinary keys.
        return Parts(("()state",), [dict(zip(names, values, strict=True))])
    return Parts(tuple(names), values)


@functools.lru_cache(maxsize=4096)
def slots_to_set(cls: Hashable, attributes: tuple[str, ...]) -> Mapping[str, MemberDescriptorType]:
    """Check that instance attributes hide nothing of the class; return its slots.

    An instance attribute named like a method would be called in its place.
    """
    owner = cast("type", cls)
    found = slots(cls)
    for name in attributes:
        where = f"{owner.__qualname__}.{name}"
        require(
            isinstance(name, str) and not name.startswith("()"), "an attribute's name is malformed", where
        )
        if name in found:
            continue
        for base in owner.__mro__:
            hidden = vars(base).get(name)
            require(
                (hidden is None or not hasattr(type(hidden), "__get__"))
                and name not in ("__class__", "__dict__"),
                "an attribute would hide a method of its class",
                where,
            )
    return found


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
    if "()state" not in given:
        return
    state = given["()state"]
    cls: Any = type(obj)  # Any, for mypy does not take a type as hashable
    setstate = getattr(cls, "__setstate__", None)
    if setstate is not None:
        if isinstance(state, dict) and is_reviewed:
            slots_to_set(cls, tuple(state))
        setstate(obj, state)
        return
    in_dict, in_slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    for part in (in_dict, in_slots):
        if part is not None:
            require(isinstance(part, dict), "a state is no dict", cls.__qualname__)
            set_attributes(obj, tuple(part), list(part.values()))
