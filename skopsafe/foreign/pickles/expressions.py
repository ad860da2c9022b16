"""Pieces of Python source: what they are made of, which calls they hold, and how they are laid out."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

DEEPEST = 20
"""Levels of one expression; Python's parser takes 200 brackets."""
WIDTH = 100
_INDENT = "    "


class Flush(Exception):
    """Calls would happen in another order than in the pickle: those that wait must come first."""


class Expression:
    """A piece of source: an opening, items with separators, a closing.

    Parameters
    ----------
    open, items, close, separator
        Its text.
    order : sequence of Expression, optional
        The items in the order in which Python evaluates them, if it is another.

    Attributes
    ----------
    size, depth : int
        Of its text on one line, in characters; levels.
    first, last : int
        The calls that wait and stand in it: a run of their numbers; -1 for none.
    """

    __slots__ = ("close", "depth", "first", "items", "last", "open", "separator", "size")

    def __init__(
        self,
        open: str,
        items: Sequence[Expression] = (),
        close: str = "",
        separator: str = ", ",
        order: Sequence[Expression] | None = None,
    ) -> None:
        self.open, self.items, self.close, self.separator = open, items, close, separator
        if not items:
            self.open, self.close = open + close, ""
        self.size = len(open) + len(close) + len(separator) * max(len(items) - 1, 0)
        self.depth = 0
        for item in items:
            self.size += item.size
            self.depth = max(self.depth, item.depth + 1)
        self.first = self.last = -1
        for item in items if order is None else order:
            if item.first < 0:
                continue
            if self.first < 0:
                self.first = item.first
            elif item.first != self.last + 1:
                raise Flush
            self.last = item.last

    def numbered(self, number: int) -> Expression:
        """Return the same as the call with this number."""
        same = Expression(self.open, self.items, self.close, self.separator, order=())
        same.first = same.last = number
        return same

    def flat(self) -> str:
        """Return it on one line."""
        return f"{self.open}{self.separator.join([item.flat() for item in self.items])}{self.close}"

    def layout(self, indent: str = "", used: int = 0) -> str:
        """Return it on as many lines as it takes, the first of which has `used` characters already."""
        if not self.items or len(indent) + used + self.size <= WIDTH:
            return self.flat()
        if not self.open or self.open[-1] not in "([{":
            *firsts, last = self.items
            head = self.open + "".join(f"{item.layout(indent)}{self.separator}" for item in firsts)
            return f"{head}{last.layout(indent, used + len(head.rpartition(chr(10))[2]))}{self.close}"
        inner = indent + _INDENT
        comma = self.separator.rstrip()  # behind the one item of a subscript it would make a tuple
        lines = [f"{inner}{item.layout(inner, 1)}{comma}\n" for item in self.items]
        return f"{self.open}\n{''.join(lines)}{indent}{self.close.removeprefix(',')}"


def constant(value: object) -> str:
    """Return a number, text, bytes, bool or None as a literal that nothing in it can leave.

    Only characters that can be printed and are read from left to right stay as they are.
    """
    if isinstance(value, str):
        return repr(value) if _is_calm(value) else ascii(value)
    if type(value) is int and value.bit_length() > 160:
        return hex(value)  # of decimal digits Python reads no more than 4300
    if isinstance(value, float) and not math.isfinite(value):
        sign = "-" if math.copysign(1, value) < 0 else ""
        return f"float('{sign}{'nan' if math.isnan(value) else 'inf'}')"
    return repr(value)


def _is_calm(text: str) -> bool:
    return text.isascii() or not any(
        unicodedata.bidirectional(char) in ("R", "AL", "AN", "NSM") or unicodedata.combining(char)
        for char in text
    )
