"""Reads the UBJSON that xgboost writes, and nothing else that UBJSON allows.

xgboost's own reader (``src/common/json.cc``, class ``UBJReader``) believes the lengths that it is told and
keeps the first of two equal keys. This one accepts only what ``UBJWriter`` emits, so that both always
see the same document: keys in ascending order, lengths of eight bytes, arrays with their count, typed
arrays where the writer has them. Trees, of which there are thousands, are left to `nodes`.

Forms, with big-endian numbers: ``{`` (``L`` length key value)* ``}``; ``[#L`` count value*; ``[$`` type
``#L`` count items; ``S L`` length bytes; ``i``/``I``/``l``/``L`` integers of 1 to 8 bytes; ``d`` float32;
``T``, ``F``.
"""

from __future__ import annotations

import struct
from typing import Any, NoReturn

import numpy as np

from skopsafe.handlers.checks import require
from skopsafe.handlers.xgboost.nodes import TreeReader

WHERE = "Booster.content"
DEEPEST = 16
DTYPES: dict[bytes, np.dtype[Any]] = {
    b"d": np.dtype(">f4"),
    b"i": np.dtype(">i1"),
    b"U": np.dtype(">u1"),
    b"I": np.dtype(">i2"),
    b"l": np.dtype(">i4"),
    b"L": np.dtype(">i8"),
}
INTEGERS = {ord("i"): 1, ord("I"): 2, ord("l"): 4, ord("L"): 8}


class Reader:
    """Reads one document.

    Parameters
    ----------
    data : bytes
        The document.

    Attributes
    ----------
    spans : dict of str to (int, int)
        Where the values of the outermost object stand.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.spans: dict[str, tuple[int, int]] = {}

    def read(self) -> dict[str, Any]:
        """Return the document, which must be an object and fill all bytes.

        Returns
        -------
        dict
            Objects as dicts, arrays as lists, typed arrays as ndarrays over the bytes, strings as str with
            surrogates for what is no UTF-8, and the trees of a model as `nodes.Trees`.
        """
        require(self.data[:1] == b"{", "does not start with an object", WHERE)
        document = self._value(0)
        require(self.at == len(self.data), "bytes stand behind the end", WHERE)
        assert isinstance(document, dict)
        return document

    def _fail(self, what: str) -> NoReturn:
        require(False, f"{what} at byte {self.at}", WHERE)
        raise AssertionError

    def _length(self, smallest: int) -> int:
        """Read ``L`` and a count of items that take at least `smallest` bytes each."""
        at = self.at
        if self.data[at : at + 1] != b"L" or at + 9 > len(self.data):
            self._fail("no length")
        (count,) = struct.unpack_from(">q", self.data, at + 1)
        self.at = at + 9
        if not 0 <= count <= (len(self.data) - self.at) // smallest:
            self._fail("a length that is negative or goes behind the end")
        return int(count)

    def _bytes(self) -> bytes:
        count = self._length(1)
        self.at += count
        return self.data[self.at - count : self.at]

    def _value(self, depth: int) -> Any:
        data, at = self.data, self.at
        if depth > DEEPEST:
            self._fail("nested too deeply")
        mark = data[at] if at < len(data) else 0
        self.at = at + 1
        if mark in INTEGERS:
            size = INTEGERS[mark]
            self.at += size
            if self.at > len(data):
                self._fail("ends too early")
            return int.from_bytes(data[at + 1 : self.at], "big", signed=True)
        if mark == ord("S"):
            return self._bytes().decode("utf-8", "surrogateescape")
        if mark == ord("{"):
            return self._object(depth + 1)
        if mark == ord("["):
            return self._array(depth + 1)
        if mark == ord("d"):
            self.at += 4
            if self.at > len(data):
                self._fail("ends too early")
            return float(struct.unpack_from(">f", data, at + 1)[0])
        if mark not in b"TF":
            self.at = at
            self._fail("no value")
        return mark == ord("T")

    def _object(self, depth: int) -> dict[str, Any]:
        data = self.data
        out: dict[str, Any] = {}
        last = None
        while data[self.at : self.at + 1] != b"}":
            key = self._bytes()
            if last is not None and key <= last:
                self._fail("keys that are not in ascending order")
            last = key
            start = self.at
            if key == b"trees" and data[start : start + 3] == b"[#L":
                self.at += 2
                value: Any = TreeReader(data, self._length(64), self.at)
                self.at = value.end
            else:
                value = self._value(depth)
            out[key.decode("utf-8", "surrogateescape")] = value
            if depth == 1:
                self.spans[key.decode("utf-8", "surrogateescape")] = (start, self.at)
        self.at += 1
        return out

    def _array(self, depth: int) -> Any:
        data, at = self.data, self.at
        if data[at : at + 1] == b"$":
            dtype = DTYPES.get(data[at + 1 : at + 2])
            if dtype is None or data[at + 2 : at + 3] != b"#":
                self._fail("an array of an unknown type")
            self.at = at + 3
            count = self._length(dtype.itemsize)
            start = self.at
            self.at += count * dtype.itemsize
            return np.frombuffer(data, dtype, count, start)
        if data[at : at + 1] != b"#":
            self._fail("an array without a count")
        self.at = at + 1
        return [self._value(depth) for _ in range(self._length(1))]
