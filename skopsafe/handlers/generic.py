"""Objects without a handler: taken apart by the object protocol that pickle and copy use too.

Attribute names in a file are identifiers. The parts that are no attributes have names that no
attribute can have: ``()args``, ``()kwargs``, ``()state``, ``()list``, ``()dict`` and ``()member``.
"""

from __future__ import annotations

import copyreg
import enum
import functools
import inspect
import itertools
import struct
from collections.abc import Hashable, Mapping
from types import FunctionType, MemberDescriptorType, MethodType
from typing import Any, cast

from skopsafe.graph.document import CALL, LONGEST_NAME
from skopsafe.graph.parts import Columns, NameOf, Parts
from skopsafe.handlers.own import replaces
from skopsafe.handlers.protocols import refuse_protocol

_BASE = "sklearn.base"
_HEAP = 1 << 9  # Py_TPFLAGS_HEAPTYPE
_MANAGED_DICT = 1 << 4  # Py_TPFLAGS_MANAGED_DICT
_POINTER = struct.calcsize("P")


def take_apart(obj: Any) -> Parts | NameOf:
    """Return the parts of an object, with the name of its type or of the callable that makes it.

    Raises
    ------
    TypeError
        The object has no way to be written.
    """
    cls: Any = type(obj)  # Any, for mypy does not take a type as hashable
    if isinstance(obj, enum.Enum):
        if obj.name not in cls.__members__:  # a combination of flags
            return Parts(("()args",), [(obj.value,)], type=NameOf(cls, CALL), role=CALL)
        return Parts(("()member",), [obj.name])
    if cls not in copyreg.dispatch_table and _is_plain(cls):
        _require_new(cls, (), {})
        return _attributes(obj)
    if cls.__module__ in ("builtins", "itertools") and hasattr(cls, "__next__"):
        raise TypeError("an iterator is used up by reading it; save a list instead")
    reduced = _reduce(obj)
    if isinstance(reduced, str):
        if not callable(obj):
            raise TypeError("its __reduce__ gives a name, and only classes and functions are found by name")
        return NameOf(obj, "value", f"{obj.__module__}:{reduced}")
    func, args, state, items, pairs, setter = (*reduced, None, None, None, None)[:6]
    if setter is not None:
        raise TypeError("its __reduce__ gives a state setter")
    if type(state) is dict and not state and type(getattr(cls, "__setstate__", None)) is not FunctionType:
        state = None  # an exception has one only after somebody looked at its __dict__
    kwargs = None
    names: list[str] = []
    values: list[Any] = []
    made_by_new = func is copyreg.__newobj__ or func is copyreg.__newobj_ex__  # type: ignore[attr-defined]
    if made_by_new:
        if args[0] is not cls:
            raise TypeError("its __reduce__ makes another class")
        args, kwargs = (args[1], args[2]) if func is copyreg.__newobj_ex__ else (args[1:], None)  # type: ignore[attr-defined]
        _require_new(cls, args, kwargs or {})
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
    return Parts(tuple(names), values, type=NameOf(func, CALL), role=CALL)


def _reduce(obj: Any) -> Any:
    cls: Any = type(obj)
    if cls in copyreg.dispatch_table:
        return copyreg.dispatch_table[cls](obj)
    try:
        return obj.__reduce_ex__(4)
    except TypeError as error:
        if not str(error).startswith("cannot pickle"):
            raise
        raise TypeError(
            f"a {cls.__module__}.{cls.__qualname__} has no state that could be written"
        ) from error


def _require_new(cls: type, args: Any, kwargs: Any) -> None:
    """Raise for a class whose ``__new__`` will not take what the file has for it."""
    maker = cls.__new__
    if type(maker) is not FunctionType:
        return
    try:
        inspect.signature(maker).bind(cls, *args, **kwargs)
    except TypeError as error:
        raise TypeError(
            f"{cls.__qualname__}.__new__ could not be called again ({error}); give it a __getnewargs_ex__"
        ) from error


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
        if (
            found is not None
            and found is not getattr(object, method, None)
            and getattr(found, "__module__", None) != _BASE
        ):
            return False
    return not _has_hidden_state(cast("type", cls))


def _has_hidden_state(cls: type) -> bool:
    """Tell whether a base implemented in C may hold state that no attribute shows.

    Instances of a class in Python are as large as their dict, weak references and slots.
    """
    if not all(base.__flags__ & _HEAP for base in cls.__mro__[:-1]):
        return True
    pointers = len(copyreg._slotnames(cls))  # type: ignore[attr-defined]
    pointers += cls.__dictoffset__ != 0 and not cls.__flags__ & _MANAGED_DICT
    pointers += cls.__weakrefoffset__ > 0
    return cls.__itemsize__ != 0 or cls.__basicsize__ > object.__basicsize__ + pointers * _POINTER


@functools.lru_cache(maxsize=4096)
def slots(cls: Hashable) -> Mapping[str, MemberDescriptorType]:
    """Return the slots of a class by attribute name."""
    return {
        name: value
        for base in reversed(cast("type", cls).__mro__)
        for name, value in vars(base).items()
        if isinstance(value, MemberDescriptorType)
    }


def _is_own_method(obj: Any, name: str, value: Any) -> bool:
    """Tell whether an attribute is what it would be without being set: the method of that name."""
    if type(value) is not MethodType or value.__self__ is not obj:
        return False
    found = next((vars(base)[name] for base in type(obj).__mro__ if name in vars(base)), None)
    return found is value.__func__


@functools.lru_cache(maxsize=4096)
def hides(cls: Any, attributes: tuple[str, ...]) -> str | None:
    """Return an attribute that would hide something of the class, such as a method, or None.

    Descriptors that can be set win over an instance's attribute of their name, and a cached property
    keeps its value in it: these hide nothing.
    """
    known = slots(cls)
    for name in attributes:
        if name in known:
            continue
        if name in ("__class__", "__dict__"):
            return name
        for base in cls.__mro__:
            found = vars(base).get(name)
            if found is not None:
                kind = type(found)
                harmless = hasattr(kind, "__set__") or kind is functools.cached_property
                if hasattr(kind, "__get__") and not harmless:
                    return name
                break
    return None


def take_together(objs: list[Any]) -> Columns | None:
    """Return the attributes of objects of one class by column, or None if that is not all there is to them.

    Raises
    ------
    TypeError
        The objects could not be loaded again.
    """
    cls: Any = type(objs[0])
    if issubclass(cls, enum.Enum) or cls in copyreg.dispatch_table or not _is_plain(cls) or slots(cls):
        return None
    _require_new(cls, (), {})
    states = [obj.__dict__ for obj in objs]
    forms = set(map(tuple, states))
    if len(forms) > 1 or not _are_attributes(cls, *forms):
        return None
    names = forms.pop()
    values = list(itertools.chain.from_iterable(map(dict.values, states)))
    columns = [values[place :: len(names)] for place in range(len(names))]
    if any(MethodType in set(map(type, column)) for column in columns):
        return None
    return Columns(names, columns)


def _attributes(obj: Any) -> Parts:
    state = getattr(obj, "__dict__", None)
    if state and MethodType in set(map(type, state.values())):
        # scikit-learn patches methods and puts them back; as attributes they would hide themselves.
        state = {name: value for name, value in state.items() if not _is_own_method(obj, name, value)}
    cls: Any = type(obj)
    values = [] if state is None else list(state.values())
    attributes = () if state is None else tuple(state)
    for name, slot in slots(cls).items():
        try:
            values.append(slot.__get__(obj))
        except AttributeError:
            continue
        attributes = (*attributes, name)
    if _are_attributes(cls, attributes):
        return Parts(attributes, values)
    # Odd attribute names go through the state, where they are ordinary keys.
    return Parts(("()state",), [dict(zip(attributes, values, strict=True))])


@functools.lru_cache(maxsize=4096)
def _are_attributes(cls: Any, names: tuple[Any, ...]) -> bool:
    """Tell whether all names are spelled as attributes are.

    Raises
    ------
    TypeError
        They could not be set again.
    """
    is_spelled = all(
        type(name) is str and name.isidentifier() and len(name) <= LONGEST_NAME for name in names
    )
    if not is_spelled and any(type(name) is not str or name.startswith("()") for name in names):
        raise TypeError("the name of one of its attributes could not be read again")
    refuse_protocol(names)
    hidden = hides(cls, names)
    if hidden is not None:
        raise TypeError(f"its attribute {hidden!r} hides a method of its class, and would not be loaded")
    replaced = replaces(cls, names)
    if replaced is not None:
        raise TypeError(f"its attribute {replaced!r} is for its class to say, and would not be loaded")
    return is_spelled
