"""Reads the source of trusted classes and functions for what a stranger could turn to account.

What an instance holds comes from the file. So each attribute that is read through ``self`` is followed,
through variables, calls of other functions of the same library and results, to where it would be more than
a number: a name that is looked up, a function that is called, a path, a pattern, code, a template. Each
such place is a `Hit`, and ``reviewed.toml`` says of each why it does no harm.

This reads source, and knows no types. It sees no compiled code, and no way through a container that another
method fills, but that is an attribute again. What it finds is compared with what was found before, so that a
new release brings nothing unseen.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from tests.gadgets.flow import Function, Summary, held


@dataclass(frozen=True, order=True)
class Hit:
    """A place where a value from the file may be more than a number.

    Attributes
    ----------
    kind : str
        ``name``, ``call``, ``file``, ``process``, ``import``, ``code``, ``pattern`` or ``format``.
    place : str
        ``module:qualname`` of the function where it stands.
    attribute : str
        Which attribute feeds it; for a trusted function, which parameter.
    text : str
        The line, to be read. Not compared.
    """

    kind: str
    place: str
    attribute: str
    text: str = field(compare=False)


class Reader:
    """Reads functions, each once.

    Parameters
    ----------
    libraries : iterable of str
        The top-level modules whose source is read.
    """

    def __init__(self, libraries: Iterable[str]) -> None:
        self._libraries = frozenset(libraries)
        self._known: dict[FunctionType, list[tuple[dict[str, Any], Summary]]] = {}
        self._reading: dict[tuple[FunctionType, type | None], Summary] = {}

    def _is_read(self, found: Any) -> bool:
        return getattr(found, "__module__", "").partition(".")[0] in self._libraries

    def function(self, found: Any) -> FunctionType | None:
        """Return the function behind what a class or module has, if its source is to be read."""
        if isinstance(found, staticmethod | classmethod):
            found = found.__func__
        if type(found).__name__ == "_AvailableIfDescriptor":
            found = found.fn
        if callable(found) and hasattr(found, "__wrapped__"):
            found = inspect.unwrap(found)
        return found if isinstance(found, FunctionType) and self._is_read(found) else None

    def summary(self, func: FunctionType, owner: type | None, caller: Function | None = None) -> Summary:
        """Return what a function does; of one that calls itself, what is known so far.

        A method is read again for another class only if it asks the class for something else.
        """
        if (func, owner) in self._reading:
            return self._reading[func, owner]
        for lookups, summary in self._known.get(func, ()):
            if all(held(owner, name) is found for name, found in lookups.items()):
                return self._tell(caller, owner, lookups, summary)
        function = Function(self, func, owner)
        self._reading[func, owner] = function.summary
        function.read()
        del self._reading[func, owner]
        self._known.setdefault(func, []).append((function.lookups, function.summary))
        return self._tell(caller, owner, function.lookups, function.summary)

    def _tell(
        self, caller: Function | None, owner: Any, lookups: dict[str, Any], summary: Summary
    ) -> Summary:
        """Tell a caller of the same class what was asked of it."""
        if caller is not None and caller.owner is owner:
            caller.lookups |= lookups
        return summary

    def of(self, trusted: Any) -> Iterator[Hit]:
        """Read a trusted class with its bases, or a function all of whose arguments may come from a file."""
        if not isinstance(trusted, type):
            func = self.function(trusted)
            found = self.summary(func, None).sinks if func is not None else ()
            yield from (Hit(kind, place, name, text) for kind, place, text, (name, _) in found)
            return
        for base in filter(self._is_read, trusted.__mro__):
            for part in vars(base).values():
                cached = getattr(part, "func", None)
                whole = (
                    (part.fget, part.fset) if isinstance(part, property) else (cached, self.function(part))
                )
                if not isinstance(part, staticmethod | classmethod):
                    for func in (func for func in whole if isinstance(func, FunctionType)):
                        yield from self._of_method(func, trusted)

    def _of_method(self, func: FunctionType, cls: type) -> Iterator[Hit]:
        first = func.__code__.co_varnames[:1]
        for kind, place, text, (name, attribute) in self.summary(func, cls).sinks:
            if (name,) == first and attribute:
                yield Hit(kind, place, attribute, text)
