"""Imports of a script: above its statements, or between them. See `script`."""

from __future__ import annotations

from skopsafe.foreign.pickles.expressions import Expression
from skopsafe.foreign.pickles.naming import Names, is_builtin, is_importable, is_plain
from skopsafe.foreign.pickles.values import Global

_LONGEST = 200


class Imports:
    """Collects the imports of one pickle.

    They stand above all else up to the first operation that could change what a later import finds, or
    keep it from happening; behind one, each stands where the pickle has it, and finds its name anew.

    Parameters
    ----------
    names : Names
        Gives out names.

    Attributes
    ----------
    lines : list of str
        Those that stand above.
    """

    __slots__ = ("_aliases", "_disturbed", "_names", "_of", "lines")

    def __init__(self, names: Names) -> None:
        self.lines: list[str] = []
        self._names = names
        self._aliases: dict[tuple[str, str], str] = {}
        self._of: dict[int, str] = {}
        self._disturbed = False

    def disturb(self) -> None:
        """Note that something was done that may change what names mean."""
        self._disturbed = True
        self._aliases.clear()

    def add(self, found: Global) -> str | None:
        """Import a name, and return the statement that does it; empty if none is needed here.

        None for a name that no import can spell.
        """
        if (found.module, found.name) in self._aliases:
            self._of[id(found)] = self._aliases[found.module, found.name]
            return ""
        if not self._disturbed and is_builtin(found):
            self._of[id(found)] = found.name
            return ""
        if not is_importable(found.module) or len(found.name) > _LONGEST:
            return None
        first, *rest = found.name.split(".")
        if not all(map(is_plain, (first, *rest))):
            return None
        alias = self._names.fresh(first)
        renamed = "" if alias == first else f" as {alias}"
        statement = f"from {found.module} import {first}{renamed}"
        if rest:
            name = self._names.fresh(rest[-1])
            statement += f"\n{name} = {'.'.join((alias, *rest))}"
            alias = name
        self._aliases[found.module, found.name] = alias
        self._of[id(found)] = alias
        if self._disturbed:
            return statement
        self.lines.append(statement)
        return ""

    def name_of(self, found: Global) -> Expression | None:
        """Return the name in the script, if there is one."""
        name = self._of.get(id(found))
        return None if name is None else Expression(name)
