"""Finds the handler of an object at dump and of a type's name at load.

A registry is a value. The first match wins: the exact type of the object, then the few families
whose members share one loader. The reader looks up by the name in the type table; nothing in a
file can point to a loader.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from skopsafe import names
from skopsafe.graph.parts import Handler
from skopsafe.handlers.aliases import ALIASES

_FAMILIES = ("numpy:generic", "numpy:dtype")


class Registry:
    """Handlers by type name.

    Parameters
    ----------
    handlers : iterable of Handler
        The first handler of a name wins.
    """

    def __init__(self, handlers: Iterable[Handler]) -> None:
        self._by_name: dict[str, Handler] = {}
        for handler in handlers:
            self._by_name.setdefault(handler.type, handler)
        self._by_type: dict[type, Handler | None] = {}

    @property
    def types(self) -> frozenset[str]:
        """Names of all types that have a handler."""
        return frozenset(self._by_name)

    def by_name(self, name: str) -> Handler | None:
        """Return the handler of the type that a file names, or None."""
        return self._by_name.get(name)

    def by_type(self, cls: type) -> Handler | None:
        """Return the handler for instances of exactly `cls`, or of its family, or None."""
        try:
            return self._by_type[cls]
        except KeyError:
            found = self._by_type[cls] = self._find(cls)
            return found

    def _find(self, cls: type) -> Handler | None:
        name = names.of(cls)
        # A class that only claims a name of ours must not reach our getter.
        if name is not None:
            handler = self._by_name.get(ALIASES.get(name, name))
            if handler is not None and _is_genuine(cls):
                return handler
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            for family in _FAMILIES:
                if issubclass(cls, getattr(numpy, family.partition(":")[2])):
                    return self._by_name.get(family)
        return None


def _is_genuine(cls: type) -> bool:
    """Tell whether the module that `cls` claims really has it under its name."""
    found: object = sys.modules.get(cls.__module__)
    if cls.__module__ == "builtins" or cls.__flags__ & (1 << 8):  # immutable: a type of an extension
        return True
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls


def default() -> Registry:
    """Return a registry of all handlers that come with this package."""
    from skopsafe.handlers import builtins, numpy_, scipy_, scipy_stats, sklearn, stdlib

    return Registry(
        (
            *builtins.HANDLERS,
            *numpy_.HANDLERS,
            *stdlib.HANDLERS,
            *scipy_.HANDLERS,
            *scipy_stats.HANDLERS,
            *sklearn.HANDLERS,
        )
    )
