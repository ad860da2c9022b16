"""The table of what is understood: by the name of a class or a callable, what makes the object.

A rule is a function of a `Case`. It looks at arguments and states, and gives a plain object or a `Stand`.
What has no rule is an object of its attributes, or a call that needs approval; see `objects`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from skopsafe.errors import SkopsafeError, UnsupportedTypeError
from skopsafe.foreign.pickles.moved import moved
from skopsafe.foreign.pickles.reading import Source
from skopsafe.foreign.pickles.values import (
    ByteArray,
    Call,
    Dict,
    Global,
    List,
    Span,
    Value,
)
from skopsafe.graph.account import Account
from skopsafe.handlers.spread import require_spread
from skopsafe.limits import DEFAULT_LIMITS

Get = Callable[[Value], Any]


class Misfit(Exception):
    """What a pickle has is not what the library writes."""


class Budget:
    """How much a conversion may do: so much for each byte of the pickle, and some more.

    What stands once in a pickle can be part of any number of objects there. Each rule that copies or counts
    it pays for that.

    Parameters
    ----------
    size : int
        Of the pickle, in bytes.

    Attributes
    ----------
    account : Account
        For checks that are those of a load.
    """

    __slots__ = ("_left", "account")

    def __init__(self, size: int) -> None:
        self.account = Account(DEFAULT_LIMITS.steps(size))
        self._left = _PER_BYTE * size + _MORE

    def spend(self, count: int) -> None:
        """Take so many bytes or items from what is left, or raise `Misfit`."""
        self._left -= count
        require(self._left >= 0, "what is in it would be copied more often than in any pickle of this size")


_PER_BYTE, _MORE = 64, 2**20


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
    budget : Budget
        What the conversion may still do.
    versions : dict of str to str
        Versions of libraries that states tell, by distribution.
    """

    call: Call
    name: str
    get: Get
    source: Source
    budget: Budget
    versions: dict[str, str]

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
            self.budget.spend(value.size)
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
        self.budget.spend(len(made))
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


@contextlib.contextmanager
def misfits(*errors: type[Exception], why: str = "") -> Iterator[None]:
    """Raise `Misfit` for errors of what makes an object, which say why unless that is given."""
    try:
        yield
    except errors as error:
        raise Misfit(why or str(error)) from error


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
        By class or callable, where it is not all: what must be there before the rule can look at a call.
    values : mapping of str to callable
        By the name of a value that is not a class or function: what makes it.
    older : mapping of str to callable
        By class, for objects of their attributes: what makes these those of today, where an older release of
        the library wrote others. What it finds may be anything.
    """

    calls: Mapping[str, Rule] = field(default_factory=dict)
    classes: Mapping[str, Rule] = field(default_factory=dict)
    needs: Mapping[str, Callable[[Call], list[Value]]] = field(default_factory=dict)
    values: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    older: Mapping[str, Callable[[dict[str, Any]], None]] = field(default_factory=dict)


def merged(all_of: Iterable[Rules]) -> Rules:
    """Return the rules of several tables as one."""
    calls: dict[str, Rule] = {}
    classes: dict[str, Rule] = {}
    values: dict[str, Callable[[], Any]] = {}
    needs: dict[str, Callable[[Call], list[Value]]] = {}
    older: dict[str, Callable[[dict[str, Any]], None]] = {}
    for rules in all_of:
        calls |= rules.calls
        classes |= rules.classes
        needs |= rules.needs
        values |= rules.values
        older |= rules.older
    return Rules(calls, classes, needs, values, older)


_UNIVERSAL = {
    "numpy._core._multiarray_umath": "numpy",
    "scipy.special._ufuncs": "scipy.special",
    "scipy.special._special_ufuncs": "scipy.special",
}
"""Where universal functions say that they are, and where files have them."""


def settled(found: Global, *, is_value: bool = False) -> str:
    """Return the name of a global as files and rules know it: modules that moved have their new place.

    A class as a value is that class, although its instances may be kept as those of another one.
    """
    from skopsafe.handlers.aliases import ALIASES, RENAMED

    module = moved(found.module)
    name = f"{_UNIVERSAL.get(module, module)}:{found.name}"
    return (RENAMED if is_value else ALIASES).get(name, name)


_NEAR, _DEEP = 4, 2**10


def dependencies(call: Call, *, deep: bool = False) -> list[Value]:
    """Return what must be there before a rule can look at a call: arguments, and what states hold.

    Containers in these are looked into a few levels deep, or at any depth; each of them once.
    """
    found = put_into(call)
    level: list[Value] = [call.args, call.kwargs, *call.states]
    seen: set[int] = set()
    for depth in range(_DEEP if deep else _NEAR):
        below: list[Value] = []
        for value in level:
            if not is_container(value):
                found.append(value)  # constants, too: what is found is what looking at it costs
            elif id(value) not in seen:
                seen.add(id(value))
                if depth:
                    found.append(value)
                below += _inside(value)
        level = below
        if not level:
            break
    return found + level


def put_into(call: Call) -> list[Value]:
    """Return the items, keys and values that are put into what a call makes."""
    return [*call.items, *(part for pair in call.pairs for part in pair)]


def deep_dependencies(call: Call) -> list[Value]:
    """Return what must be there before a rule can look at all containers, at any depth."""
    return dependencies(call, deep=True)


def _inside(value: Value) -> Sequence[Value]:
    if isinstance(value, tuple):
        return value
    if isinstance(value, List):
        return value.items
    return [part for pair in value.pairs for part in pair]


def is_container(value: Value) -> bool:
    """Tell whether a value is a tuple, or the record of a list or dict."""
    return isinstance(value, tuple | List | Dict)


def place_of(value: Value) -> int:
    """Return where a value stands in the pickle; 0 where that is not known."""
    return getattr(value, "offset", 0)


def refuse(reason: str, offset: int, next_step: str = "") -> NoReturn:
    """Raise for something that cannot be converted, with its place in the pickle."""
    step = next_step or "Load the pickle where you trust it, and save the object with skopsafe.dump."
    raise UnsupportedTypeError(reason, path=f"byte {offset}", next_step=step)


def require_keys(keys: list[Any], offset: int, budget: Budget) -> None:
    """Raise unless a dict or set can be made of keys."""
    try:
        require_spread(keys, "keys", budget.account)
        for key in keys:
            hash(key)
    except (TypeError, RecursionError):
        refuse("a key of a dict or an item of a set has no hash", offset)
    except SkopsafeError as error:
        refuse(error.reason, offset)
