"""Objects that stand for those of other libraries, with the parts that a getter would give for them."""

from __future__ import annotations

from typing import Any

from skopsafe import names
from skopsafe.errors import UnsupportedTypeError
from skopsafe.graph.document import CALL, VALUE
from skopsafe.graph.parts import Columns, Parts
from skopsafe.handlers.order import Ordered
from skopsafe.taking import Taken, Taker


class Stand(Ordered):
    """Stands for an object of which the name of its class, and its parts, are known.

    Attributes
    ----------
    name : str
        ``module:qualname`` of the class, or of what is called.
    parts : Parts or None
        What a getter would give; None until it is filled.
    can_close : bool
        Whether a cycle may lead to it: it is there before its parts are.
    origin : object
        What its parts were made of, where those that it is a part of need it.
    """

    __slots__ = ("can_close", "name", "origin", "parts")

    def __init__(
        self, name: str, parts: Parts | None = None, *, can_close: bool = False, origin: Any = None
    ) -> None:
        self.name = name
        self.parts = parts
        self.can_close = can_close
        self.origin = origin

    def in_order(self) -> tuple[str, tuple[Any, ...]]:
        """Return what puts it in order among the items of a set."""
        return self.name, () if self.parts is None or self.can_close else tuple(self.parts.values)


class Naming(Ordered):
    """Stands for a class or function as a value."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def in_order(self) -> tuple[str, tuple[Any, ...]]:
        """Return what puts it in order among the items of a set."""
        return self.name, ()


class Inner:
    """Stands for an object that other objects have, and that no file can hold alone.

    Attributes
    ----------
    name : str
        ``module:qualname`` of its class.
    content : object
        What those that have it need to know of it.
    """

    __slots__ = ("content", "name")

    def __init__(self, name: str, content: Any) -> None:
        self.name = name
        self.content = content


def called(name: str, attributes: tuple[str, ...], values: list[Any]) -> Stand:
    """Return what stands for the result of a call that the loader makes, if that is approved."""
    return Stand(name, Parts(attributes, values, role=CALL))


class StandTaker(Taker):
    """Takes apart stands as well as objects."""

    def take(self, obj: Any) -> Taken:
        """Take one object apart; see `Taker.take`."""
        if type(obj) is Stand:
            assert obj.parts is not None
            return obj.parts, obj.name, obj.can_close
        if type(obj) is Naming:
            return Parts((), (), role=VALUE), obj.name, True
        if type(obj) is Inner:
            raise UnsupportedTypeError(
                f"a {names.spell(obj.name)} can only be saved as a part of what it belongs to",
                next_step="Save the object that it is a part of.",
            )
        return super().take(obj)

    def take_together(self, objs: list[Any]) -> Columns | list[Taken]:
        """Take objects of one type apart; see `Taker.take_together`."""
        if type(objs[0]) in (Stand, Naming, Inner):
            return [self.take(obj) for obj in objs]
        return super().take_together(objs)
