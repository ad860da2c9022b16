"""An object taken apart: by its getter, as a name, or by the protocol that pickle and copy use too."""

from __future__ import annotations

import sys
import types
from typing import Any

from skopsafe import names
from skopsafe.errors import UnsupportedTypeError
from skopsafe.graph.document import CLASS, VALUE
from skopsafe.graph.parts import Columns, NameOf, Parts
from skopsafe.handlers import generic
from skopsafe.handlers.aliases import ALIASES
from skopsafe.handlers.registry import Registry

_FUNCTIONS = (type, types.FunctionType, types.BuiltinFunctionType)

_TOP_LEVEL = "Define it at the top level of a module that can be imported where the file is loaded."

Taken = tuple[Parts, str, bool]
"""The parts, the name of the type, and whether a cycle may lead to such an object."""


class Taker:
    """Takes objects apart, and finds the names under which their types can be found again."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._named: dict[int, tuple[str, Any]] = {}

    def take(self, obj: Any) -> Taken:
        """Take one object apart.

        Raises
        ------
        TypeError, UnsupportedTypeError
            It could not be loaded again.
        """
        cls = type(obj)
        handler = self._registry.by_type(cls)
        if handler is not None:
            return handler.get(obj), handler.type, handler.shell is not None
        if isinstance(obj, _FUNCTIONS) or _is_ufunc(obj):
            obj = NameOf(obj, VALUE)
        elif cls is not NameOf:
            taken = generic.take_apart(obj)
            if isinstance(taken, Parts):
                maker = taken.type if isinstance(taken.type, NameOf) else NameOf(cls, CLASS)
                shellable = not {"()args", "()kwargs"} & set(taken.attributes or ())
                return taken, self._name(maker), shellable
            obj = taken
        return Parts((), (), role=obj.role), self._name(obj), True

    def take_together(self, objs: list[Any]) -> Columns | list[Taken]:
        """Take objects of one type apart: by column where they have one shape, else one by one."""
        cls = type(objs[0])
        handler = self._registry.by_type(cls)
        found: Columns | None = None
        if handler is None:
            found = generic.take_together(objs)
        elif handler.get_run is not None:
            found = handler.get_run(objs)
        return [self.take(obj) for obj in objs] if found is None else found

    def name_of(self, cls: type) -> str:
        """Return the name of the type of instances of a class."""
        handler = self._registry.by_type(cls)
        return self._name(NameOf(cls, CLASS)) if handler is None else handler.type

    def _name(self, named: NameOf) -> str:
        target = named.target
        known = self._named.get(id(target))
        if known is not None and named.name is None:
            return known[0]
        name = named.name or _ufunc_name(target) or names.of(target)
        alias = ALIASES.get(name or "")
        if alias is not None and _look_up(alias) is target:
            name = alias
        if name is None or not names.is_name(name):
            raise UnsupportedTypeError(
                f"{_describe(target)} has no name by which it could be found again",
                next_step=_TOP_LEVEL,
            )
        if _look_up(name) is not target:
            raise UnsupportedTypeError(
                f"{_describe(target)} is not what {names.spell(name)} means",
                next_step="Define it at the top level of a module, under its own name.",
            )
        if named.name is None:
            self._named[id(target)] = name, target  # which keeps it, and so its id, alive
        return name


def _is_ufunc(obj: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(obj) in (numpy.ufunc, type(numpy.mean))


def _ufunc_name(target: Any) -> str | None:
    numpy: Any = sys.modules["numpy"]
    if type(target) is not numpy.ufunc:
        return None
    name: str = target.__name__
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), name, None) is target:
            return f"{module}:{name}"
    return None


def _look_up(name: str) -> Any:
    """Find what `name` means in the modules that are loaded already."""
    module, qualname = names.parse(name)
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        try:
            found = vars(found)[part]
        except (KeyError, TypeError):
            return names.standin(module, qualname)
    return getattr(found, "__func__", found)


def _describe(target: Any) -> str:
    kind = "the class" if isinstance(target, type) else "the function"
    return f"{kind} {getattr(target, '__qualname__', None) or type(target).__name__!r}"
