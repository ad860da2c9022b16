"""Classes whose pickles have every part that there can be."""

from __future__ import annotations

import enum
from typing import Any


class Plain:
    """Attributes alone."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


class WithState(Plain):
    """Says itself what its state is, and takes it."""

    def __getstate__(self) -> Any:
        return [("a", self.a), ("me", self)]

    def __setstate__(self, state: Any) -> None:
        self.taken = [len(state), type(state[1][1])]
        self.a = dict(state)["a"]


class Slots:
    """Attributes in slots and others."""

    __slots__ = ("__dict__", "first", "second")


class BareSlots:
    """Attributes in slots alone."""

    __slots__ = ("first", "second")


class Arguments:
    """Is made with arguments and keywords."""

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Arguments:
        self = super().__new__(cls)
        self.given = (args, kwargs)
        return self

    def __getnewargs_ex__(self) -> Any:
        return self.given


class Bag(list[Any]):
    """A list with attributes."""


class Table(dict[Any, Any]):
    """A dict with attributes."""


class Group(set[Any]):
    """A set with attributes."""


class Colour(enum.Enum):
    RED = 1
    GREEN = "g"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Everything:
    """All six parts of what ``__reduce__`` may return."""

    def __init__(self, number: int) -> None:
        self.log: list[Any] = [number]

    def extend(self, items: Any) -> None:
        self.log.append(list(items))

    def append(self, item: Any) -> None:
        self.log.append(item)

    def __setitem__(self, key: Any, item: Any) -> None:
        self.log.append((key, item))

    def __reduce__(self) -> Any:
        number = self.log[0]
        return Everything, (number,), {"state": [number]}, iter([1, 2]), iter([("a", self), ("b", 1)]), put


def put(obj: Any, state: Any) -> None:
    obj.log.append(("put", sorted(state)))


class Hashed:
    """Has a hash that needs its state; refers to what holds it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __hash__(self) -> int:
        return hash(getattr(self, "name", "none yet"))

    def __repr__(self) -> str:
        return f"Hashed({vars(self).get('name')})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hashed) and vars(other).get("name") == vars(self).get("name")


class Outer:
    """A class with one inside."""

    class Inner(Plain):
        pass
