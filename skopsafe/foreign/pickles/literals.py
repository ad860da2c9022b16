"""Constants in a script, and what is left out of it. See `script`."""

from __future__ import annotations

from skopsafe.foreign.pickles.expressions import Expression, constant
from skopsafe.foreign.pickles.labels import label_of
from skopsafe.foreign.pickles.reading import Source
from skopsafe.foreign.pickles.values import ByteArray, Span, Stored, Value

_LONGEST_TEXT = 2000
_LONGEST_BYTES = 100
_LONGEST_NUMBER = 4000
"""Bits."""


class Literals:
    """Writes constants of one stream.

    Parameters
    ----------
    source : Source
        The stream.
    complete : bool
        Whether nothing is left out.

    Attributes
    ----------
    helpers : set of str
        The helper functions that are used.
    arrays : dict of int to str
        By the `id` of bytes: of what array they are.
    """

    __slots__ = ("_complete", "_source", "arrays", "helpers")

    def __init__(self, source: Source, complete: bool) -> None:
        self._source = source
        self._complete = complete
        self.helpers: set[str] = set()
        self.arrays: dict[int, str] = {}

    def helper(self, name: str) -> Expression:
        """Return the name of a helper function, which the script will have."""
        self.helpers.add(name)
        return Expression(name)

    def of(self, value: Value) -> Expression:
        """Return a constant as source."""
        kind = type(value)
        if kind is Span:
            return self._span(value)
        if kind is ByteArray:
            if not self._complete and len(value.content) > _LONGEST_BYTES:
                return self._left_out(label_of(bytearray(value.content), self.arrays.get(id(value), "")))
            return Expression(f"bytearray({constant(value.content)})")
        if not self._complete and self._is_long(value):
            return self._left_out(label_of(value, self.arrays.get(id(value), "")))
        return Expression(constant(value))

    def _is_long(self, value: Value) -> bool:
        if isinstance(value, str):
            return len(value) > _LONGEST_TEXT
        if isinstance(value, bytes):
            return len(value) > _LONGEST_BYTES
        return type(value) is int and value.bit_length() > _LONGEST_NUMBER

    def _left_out(self, what: str) -> Expression:
        self.helpers.add("_left_out")
        return Expression(f"_left_out({constant(what)})")

    def _span(self, span: Span) -> Expression:
        if not self._complete:
            return self._left_out(label_of(span, self.arrays.get(id(span), "")))
        data = self._source.read(span.offset, span.size)
        if span.kind == "str":
            return Expression(constant(data.decode("utf-8", "surrogatepass")))
        if span.kind == "bytearray":
            return Expression(f"bytearray({constant(data)})")
        return Expression(constant(data))

    def stored(self, value: Stored) -> Expression:
        """Return the bytes of an array of joblib, which stand between two opcodes, or in another file."""
        if not self._complete or not value.offset:
            return self._left_out(label_of(value, ""))
        return Expression(constant(self._source.read(value.offset, value.size)))
