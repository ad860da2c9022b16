"""Finds the handler of an object at dump and of a type's name at load, library by library.

A registry is a value. The first match wins: the exact type of the object, then the few families
whose members share one loader. The reader looks up by the name in the type table; nothing in a
file can point to a loader. The support for a library is only read when one of its names comes up.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping

from skopsafe import names
from skopsafe.graph.parts import Handler
from skopsafe.handlers.aliases import ALIASES
from skopsafe.handlers.library import Check, Library

_FAMILIES = ("numpy:generic", "numpy:dtype")


class Registry:
    """Handlers and checks by the name of a type.

    Parameters
    ----------
    handlers : iterable of Handler
        The first handler of a name wins, and all of these come before those of the libraries.
    libraries : mapping of str to callable
        By the top-level module of a library: what returns its support.
    """

    def __init__(
        self, handlers: Iterable[Handler] = (), libraries: Mapping[str, Callable[[], Library]] | None = None
    ) -> None:
        self._by_name: dict[str, Handler] = {}
        self._checks: dict[str, Check] = {}
        self._waiting = dict(libraries or {})
        self._by_type: dict[type, Handler | None] = {}
        self._checks_of: dict[type, tuple[Check, ...]] = {}
        self._add(Library(tuple(handlers)))

    def _add(self, library: Library) -> None:
        for handler in library.handlers:
            self._by_name.setdefault(handler.type, handler)
        self._checks |= library.checks

    def _read(self, name: str) -> None:
        """Read the support for the library of a name, if that has not been done."""
        top = names.parse(name).module.partition(".")[0]
        if top in self._waiting:
            library = self._waiting[top]()
            self._add(library)
            # Only now: another thread that came in between reads it once more, and not too early.
            self._waiting.pop(top, None)

    @property
    def types(self) -> frozenset[str]:
        """Names of all types that have a handler."""
        for top in tuple(self._waiting):
            self._read(f"{top}:")
        return frozenset(self._by_name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.by_name(name) is not None

    def by_name(self, name: str) -> Handler | None:
        """Return the handler of the type that a file names, or None."""
        found = self._by_name.get(name)
        if found is None:
            self._read(name)
            found = self._by_name.get(name)
        return found

    def by_type(self, cls: type) -> Handler | None:
        """Return the handler for instances of exactly `cls`, or of its family, or None."""
        try:
            return self._by_type[cls]
        except KeyError:
            found = self._by_type[cls] = self._find(cls)
            return found

    def checks_of(self, cls: type) -> tuple[Check, ...]:
        """Return the checks for instances of `cls`: its own and those of its bases."""
        try:
            return self._checks_of[cls]
        except KeyError:
            found = self._checks_of[cls] = tuple(self._find_checks(cls))
            return found

    def _find_checks(self, cls: type) -> Iterable[Check]:
        for base in cls.__mro__:
            name = names.of(base)
            if name is not None:
                self._read(name)
                if name in self._checks:
                    yield self._checks[name]

    def _find(self, cls: type) -> Handler | None:
        name = names.of(cls)
        # A class that only claims a name of ours must not reach our getter.
        if name is not None:
            handler = self.by_name(ALIASES.get(name, name))
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


def _sklearn() -> Library:
    from skopsafe.handlers import sklearn

    return sklearn.LIBRARY


def _scipy() -> Library:
    from skopsafe.handlers import scipy_, scipy_stats

    return Library((*scipy_.HANDLERS, *scipy_stats.HANDLERS))


def _xgboost() -> Library:
    from skopsafe.handlers import xgboost

    return xgboost.LIBRARY


LIBRARIES: dict[str, Callable[[], Library]] = {"scipy": _scipy, "sklearn": _sklearn, "xgboost": _xgboost}
"""By top-level module: what returns the support that comes with this package."""


def default() -> Registry:
    """Return a registry of all handlers that come with this package."""
    from skopsafe.handlers import builtins, numpy_, stdlib

    return Registry((*builtins.HANDLERS, *numpy_.HANDLERS, *stdlib.HANDLERS), LIBRARIES)
