"""Finds the handler of an object at dump and of a type's name at load, library by library.

A registry is a value. The first match wins: the exact type of the object, then the few families
whose members share one loader. The reader looks up by the name in the type table; nothing in a
file can point to a loader. The support for a library is only read when one of its names comes up.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from skopsafe import names
from skopsafe.graph.parts import Handler
from skopsafe.handlers.aliases import ALIASES
from skopsafe.handlers.library import Check, Library

Key = TypeVar("Key")
Answer = TypeVar("Answer")

_FAMILIES = {
    "numpy": ("generic", "dtype"),
    "pytz": ("_FixedOffset",),
    "pytz.tzinfo": ("BaseTzInfo",),  # each time zone is a class, made when it is asked for
    "polars.datatypes.classes": ("DataType",),
    "pyarrow.lib": ("Array", "DataType", "Scalar"),
}
"""By module, once it is loaded: classes whose subclasses all have the handler of the class."""

_MOST = 4096
"""Names and classes whose handler, or that they have none, is kept: those of files may be any."""


class Registry:
    """Handlers and checks by the name of a type.

    Parameters
    ----------
    handlers : iterable of Handler
        The first handler of a name wins, and all of these come before those of the libraries.
    libraries : mapping of str to callable
        By the top-level module of a library: what returns its support.
    plugin : callable, optional
        Returns the support that a plugin has for another top-level module, or None.
    """

    def __init__(
        self,
        handlers: Iterable[Handler] = (),
        libraries: Mapping[str, Callable[[], Library]] | None = None,
        plugin: Callable[[str], Library | None] | None = None,
    ) -> None:
        self._plugin = plugin
        self._plugged: set[str] = set()
        self._by_name: dict[str, Handler] = {}
        self._answers: dict[str, Handler | None] = {}
        self._checks: dict[str, Check] = {}
        self._waiting = dict(libraries or {})
        self._by_type: dict[type, Handler | None] = {}
        self._checks_of: dict[type, tuple[Check, ...]] = {}
        self._add(Library(tuple(handlers)))

    def _add(self, library: Library) -> None:
        for handler in library.handlers:
            self._by_name.setdefault(handler.type, handler)
        self._checks |= library.checks
        self._answers.clear()

    def _read(self, name: str) -> None:
        """Read the support for the library of a name, if that has not been done."""
        top = names.parse(name).module.partition(".")[0]
        if top in self._waiting:
            library = self._waiting[top]()
            self._add(library)
            # Only now: another thread that came in between reads it once more, and not too early.
            self._waiting.pop(top, None)
        elif self._plugin is not None and top not in self._plugged and top not in LIBRARIES:
            plugged = self._plugin(top)
            if plugged is not None:
                self._add(plugged)
                self._plugged.add(top)

    @property
    def types(self) -> frozenset[str]:
        """Names of all types that have a handler."""
        for top in tuple(self._waiting):
            self._read(f"{top}:")
        return frozenset(self._by_name)

    @property
    def checked(self) -> frozenset[str]:
        """Names of all classes that have a check."""
        return frozenset(self._checks) if self.types else frozenset()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.by_name(name) is not None

    def by_name(self, name: str) -> Handler | None:
        """Return the handler of the type that a file names, or None."""
        try:
            return self._answers[name]
        except KeyError:
            self._read(name)
            found = self._by_name.get(name)
            _keep(self._answers, name, found)
            return found

    def by_type(self, cls: type) -> Handler | None:
        """Return the handler for instances of exactly `cls`, or of its family, or None."""
        try:
            return self._by_type[cls]
        except KeyError:
            found = self._find(cls)
            _keep(self._by_type, cls, found)
            return found

    def checks_of(self, cls: type) -> tuple[Check, ...]:
        """Return the checks for instances of `cls`: its own and those of its bases."""
        try:
            return self._checks_of[cls]
        except KeyError:
            found = tuple(self._find_checks(cls))
            _keep(self._checks_of, cls, found)
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
        for module, families in _FAMILIES.items():
            loaded = sys.modules.get(module)
            for family in families if loaded is not None else ():
                # A module that another thread imports just now does not have it yet.
                if issubclass(cls, getattr(loaded, family, ())):
                    return self.by_name(f"{module}:{family}")
        return None


def _keep(answers: dict[Key, Answer], key: Key, answer: Answer) -> None:
    if len(answers) >= _MOST:
        answers.clear()
    answers[key] = answer


def _is_genuine(cls: type) -> bool:
    """Tell whether the module that `cls` claims really has it under its name."""
    found: object = sys.modules.get(cls.__module__)
    if cls.__module__ == "builtins" or cls.__flags__ & (1 << 8):  # immutable: a type of an extension
        return True
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is cls


_TOPS = (
    "catboost",
    "category_encoders",
    "dateutil",
    "feature_engine",
    "lightgbm",
    "pandas",
    "polars",
    "pyarrow",
    "pytz",
    "quantile_forest",
    "scipy",
    "sklearn",
    "xgboost",
)


def _support(top: str) -> Library:
    """Import the support for a library, which imports nothing of the library itself."""
    match top:
        case "catboost":
            from skopsafe.handlers.catboost import LIBRARY
        case "category_encoders":
            from skopsafe.handlers.category_encoders_ import LIBRARY
        case "dateutil":
            from skopsafe.handlers.timezones import DATEUTIL as LIBRARY
        case "feature_engine":
            from skopsafe.handlers.feature_engine_ import LIBRARY
        case "lightgbm":
            from skopsafe.handlers.lightgbm import LIBRARY
        case "pandas":
            from skopsafe.handlers.pandas import LIBRARY
        case "polars":
            from skopsafe.handlers.polars_ import LIBRARY
        case "pyarrow":
            from skopsafe.handlers.arrow import LIBRARY
        case "pytz":
            from skopsafe.handlers.timezones import PYTZ as LIBRARY
        case "quantile_forest":
            from skopsafe.handlers.quantile_forest_ import LIBRARY
        case "scipy":
            from skopsafe.handlers import scipy_, scipy_interpolate, scipy_stats

            LIBRARY = Library((*scipy_.HANDLERS, *scipy_interpolate.HANDLERS, *scipy_stats.HANDLERS))
        case "sklearn":
            from skopsafe.handlers.sklearn import LIBRARY
        case "xgboost":
            from skopsafe.handlers.xgboost import LIBRARY
        case _:
            raise AssertionError(f"there is no support for {top}")
    return LIBRARY


LIBRARIES: dict[str, Callable[[], Library]] = {top: partial(_support, top) for top in _TOPS}
"""By top-level module: what returns the support that comes with this package."""


def default(plugin: Callable[[str], Library | None] | None = None) -> Registry:
    """Return a registry of all handlers of this package, and of the plugins that `plugin` finds."""
    from skopsafe.handlers import builtins, numpy_, operators, stdlib

    return Registry(
        (*builtins.HANDLERS, *numpy_.HANDLERS, *stdlib.HANDLERS, *operators.HANDLERS), LIBRARIES, plugin
    )
