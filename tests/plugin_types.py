"""Types of a program that brings their handlers along itself, and the handlers."""

from __future__ import annotations

from typing import Any

from skopsafe.plugin import Context, Handler, Parts, integer, require


class Dial:
    """A number between 0 and 9, behind slots that only its loader knows how to fill."""

    __slots__ = ("_value",)

    def __init__(self, value: int) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dial) and self._value == other._value

    __hash__ = None  # type: ignore[assignment]


class Holder:
    """A plain class that a table can review."""

    def __init__(self, dial: Any, note: Any = None) -> None:
        self.dial = dial
        self.note = note


def _get(dial: Any) -> Parts:
    return Parts(("value",), [dial._value])


def _load(names: tuple[str, ...] | None, values: list[Any], context: Context) -> Dial:
    require(names == ("value",), "unknown form", "Dial")
    return Dial(integer(values[0], "Dial.value", 0, 9))


DIAL = Handler("tests.plugin_types:Dial", _get, _load)
TABLE = """
[[reviewed]]
module = "tests.plugin_types"
reason = "holds what it is given"
classes = ["Holder"]

[[rule]]
classes = ["tests.plugin_types:Holder"]
attribute = "note"
allowed = ["<none>"]
reason = "a note is shown to people"
"""


def check_holder(holder: Any) -> None:
    """What the table cannot say."""
    require(type(holder.dial) is Dial, "not a Dial", "Holder.dial")
