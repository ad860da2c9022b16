"""The table of what is understood: by the name of a class or a callable, what makes the object.

A rule is a function of a `Case`. It looks at arguments and states, and gives a plain object or a `Stand`.
What has no rule is an object of its attributes, or a call that needs approval; see `objects`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from skopsafe.errors import FormatError, UnsupportedTypeError
from skopsafe.foreign.pickles.reading import Source
from skopsafe.foreign.pickles.values import ByteArray, Call, Dict, Global, List, Span, Stored, Value

Get = Callable[[Value], Any]


class Misfit(Exception):
    """What a pickle has is not what the library writes."""


@dataclass(frozen=True, slots=True)
class Case:
    """A call, and what its parts have become.

    Attributes
    ----------
    call : Call
        The record.
    name : str
        The name of the class or callable, as today's release has it.
    get : callable
        ``get(value)`` returns what a value has become.
    source : Source
        The bytes of the stream.
    """

    call: Call
    name: str
    get: Get
    source: Source

    @property
    def args(self) -> list[Any]:
        """What the arguments have become."""
        return [self.get(value) for value in _tuple(self.call.args)]

    def cls(self, place: int = 0) -> str:
        """Return the name of the class that is an argument."""
        args = _tuple(self.call.args)
        if place >= len(args) or not isinstance(args[place], Global):
            raise Misfit("an argument is no class")
        return settled(args[place])

    @property
    def state(self) -> Value:
        """The one state, as a record; None where there is none."""
        states = self.call.states
        if len(states) > 1:
            raise Misfit("it has more than one state")
        return states[0] if states else None

    def state_items(self, *lengths: int) -> list[Any]:
        """Return what the items of a state have become that is a tuple of one of these lengths."""
        state = self.state
        if not isinstance(state, tuple) or len(state) not in lengths:
            raise Misfit("its state is no tuple of the length that is known")
        return [self.get(value) for value in state]

    def attributes(self, state: Value = None) -> dict[str, Any]:
        """Return what the values of a state have become that is a dict with texts as keys."""
        return {name: self.get(value) for name, value in named(self.state if state is None else state)}

    def read(self, value: Value) -> bytes:
        """Return bytes that a record holds, however they are written."""
        if isinstance(value, Span) and value.kind != "str":
            return self.source.read(value.offset, value.size)
        if isinstance(value, ByteArray):
            return value.content
        made = self.get(value)
        if isinstance(made, str):  # of Python 2, whose texts are bytes
            try:
                return made.encode("latin-1")
            except UnicodeEncodeError:
                raise Misfit("a text stands in place of bytes") from None
        if not isinstance(made, bytes | bytearray):
            raise Misfit("no bytes")
        return bytes(made)


def _tuple(value: Value) -> tuple[Value, ...]:
    if not isinstance(value, tuple):
        raise Misfit("its arguments are computed")
    return value


def named(state: Value) -> list[tuple[str, Value]]:
    """Return the pairs of a state that is a dict with texts as keys; of a key that stands twice, the last.

    Raises
    ------
    Misfit
        It is none.
    """
    if not isinstance(state, Dict):
        raise Misfit("its state is no dict")
    found: dict[str, Value] = {}
    for key, value in state.pairs:
        if type(key) is not str:
            raise Misfit("a key of its state is no text")
        found[key] = value
    return list(found.items())


def require(condition: object, what: str) -> None:
    """Raise `Misfit` unless `condition` holds."""
    if not condition:
        raise Misfit(what)


Rule = Callable[[Case], Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules by name.

    Attributes
    ----------
    calls : mapping of str to callable
        By the callable of a REDUCE.
    classes : mapping of str to callable
        By the class of an instance that is made by ``__new__``.
    needs : mapping of str to callable
        By class, where it is not all: what must be there before the rule can look at a call.
    """

    calls: Mapping[str, Rule] = field(default_factory=dict)
    classes: Mapping[str, Rule] = field(default_factory=dict)
    needs: Mapping[str, Callable[[Call], list[Value]]] = field(default_factory=dict)


def merged(all_of: Iterable[Rules]) -> Rules:
    """Return the rules of several tables as one."""
    calls: dict[str, Rule] = {}
    classes: dict[str, Rule] = {}
    needs: dict[str, Callable[[Call], list[Value]]] = {}
    for rules in all_of:
        calls |= rules.calls
        classes |= rules.classes
        needs |= rules.needs
    return Rules(calls, classes, needs)


_UNIVERSAL = {"numpy._core._multiarray_umath": "numpy", "scipy.special._ufuncs": "scipy.special"}
"""Where universal functions say that they are, and where files have them."""
_MOVED = (("numpy.core.", "numpy._core."), ("numpy.core", "numpy._core"))


def settled(found: Global) -> str:
    """Return the name of a global as files and rules know it: modules that moved have their new place."""
    from skopsafe.handlers.aliases import ALIASES

    module = found.module
    for old, new in _MOVED:
        if module == old.rstrip(".") or (old.endswith(".") and module.startswith(old)):
            module = new.rstrip(".") + module[len(old.rstrip(".")) :]
            break
    if module in _UNIVERSAL:
        module = _UNIVERSAL[module]
    name = f"{module}:{found.name}"
    return ALIASES.get(name, name)


def dependencies(call: Call) -> list[Value]:
    """Return what must be there before a rule can look at a call: arguments, and what states hold."""
    found: list[Value] = []
    for part in (call.args, call.kwargs, *call.states):
        found += _within(part, 3)
    found += call.items
    for pair in call.pairs:
        found += pair
    return found


def _within(value: Value, depth: int) -> list[Value]:
    """Return what a container holds, and what is in containers in it."""
    if isinstance(value, tuple):
        parts: list[Value] = list(value)
    elif isinstance(value, List):
        parts = value.items
    elif isinstance(value, Dict):
        parts = [part for pair in value.pairs for part in pair]
    else:
        return [value]
    if depth:
        parts = [*parts, *(item for part in parts if is_container(part) for item in _within(part, depth - 1))]
    return parts


def is_container(value: Value) -> bool:
    """Tell whether a value is a tuple, or the record of a list or dict."""
    return isinstance(value, tuple | List | Dict)


def refuse(reason: str, offset: int, next_step: str = "") -> NoReturn:
    """Raise for something that cannot be converted, with its place in the pickle."""
    step = next_step or "Load the pickle where you trust it, and save the object with skopsafe.dump."
    raise UnsupportedTypeError(reason, path=f"byte {offset}", next_step=step)


__all__ = [
    "Case",
    "FormatError",
    "Misfit",
    "Rule",
    "Rules",
    "Stored",
    "dependencies",
    "merged",
    "named",
    "refuse",
    "require",
    "settled",
]
