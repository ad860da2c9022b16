"""Objects without a handler: taken apart by the object protocol that pickle and copy use too.

Attribute names in a file are identifiers. The parts that are no attributes have names that no
attribute can have: ``()args``, ``()kwargs``, ``()state``, ``()list``, ``()dict`` and ``()member``.
"""

from __future__ import annotations

import copyreg
import enum
from types import MemberDescriptorType, MethodType
from typing import Any

from skopsafe.graph.document import CALL
from skopsafe.graph.parts import NameOf, Parts

_BASE = "sklearn.base"


def take_apart(obj: Any) -> Parts | NameOf:
    """Return the parts of an object, with the name of its type or of the callable that makes it.

    Raises
    ------
    TypeError
        The object has no way to be written.
    """
    cls = type(obj)
    if isinstance(obj, enum.Enum):
        if obj.name not in cls.__members__:
            raise TypeError("a combination of flags without a name of its own")
        return Parts(("()member",), [obj.name])
    if _is_plain(cls):
        return _attributes(obj)
    reduced = copyreg.dispatch_table[cls](obj) if cls in copyreg.dispatch_table else obj.__reduce_ex__(4)
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


def _is_plain(cls: type) -> bool:
    """Tell whether the attributes of an instance are all that there is."""
    for method in ("__reduce_ex__", "__reduce__"):
        if getattr(cls, method) is not getattr(object, method):
            return False
    if cls in copyreg.dispatch_table or hasattr(cls, "__getnewargs__") or hasattr(cls, "__getnewargs_ex__"):
        return False
    for method in ("__getstate__", "__setstate__"):
        found = getattr(cls, method, None)
        if found is not None and found is not getattr(object, method, None) and found.__module__ != _BASE:
            return False
    # A base implemented in C other than object may hold state that no attribute shows.
    return all(base.__flags__ & (1 << 9) for base in cls.__mro__[:-1])


def slots(cls: type) -> dict[str, MemberDescriptorType]:
    """Return the slots of a class by attribute name."""
    return {
        name: value
        for base in reversed(cls.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, MemberDescriptorType)
    }


def _is_own_method(obj: Any, name: str, value: Any) -> bool:
    """Tell whether an attribute hides a method behind that method: it is there without the attribute.

    Code that patches a method and puts the old one back leaves such attributes behind, as early stopping
    of histogram gradient boosting does.
    """
    return (
        type(value) is MethodType
        and value.__self__ is obj
        and value.__func__ is getattr(type(obj), name, None)
    )


def _attributes(obj: Any) -> Parts:
    state = getattr(obj, "__dict__", None)
    names = [] if state is None else list(state)
    values = [] if state is None else list(state.values())
    for name, slot in slots(type(obj)).items():
        try:
            values.append(slot.__get__(obj))
        except AttributeError:
            continue
        names.append(name)
    if MethodType in map(type, values):
        kept = [pair for pair in zip(names, values, strict=True) if not _is_own_method(obj, *pair)]
        names, values = [name for name, _ in kept], [value for _, value in kept]
    if not all(type(name) is str and name.isidentifier() for name in names):
        # Odd attribute names go through the state, where they are ordinary keys.
        return Parts(("()state",), [dict(zip(names, values, strict=True))])
    return Parts(tuple(names), values)
