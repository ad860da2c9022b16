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
from skopsafe.handlers.xgboost.layout import Octets
from skopsafe.handlers.xgboost.nodes import TreeReader
from skopsafe.handlers.xgboost.written import WrittenTrees

WHERE = "Booster.content"
DEEPEST = 16
_DTYPES = {
    ord(kind): np.dtype(dtype)
    for kind, dtype in {"d": ">f4", "i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8"}.items()
}
"""Types of arrays."""
_NUMBERS = {
    kind: np.dtype([("mark", "u1"), ("number", dtype)]) for kind, dtype in _DTYPES.items() if kind != ord("U")
}
"""Numbers that stand alone, by what stands before them."""
_TEXT, _OBJECT, _CLOSE, _ARRAY, _LONG = b"S{}[L"
_HEAD = struct.Struct(">BQ")
"""What stands before a key or text: a mark and a length."""
_RUN = 256
"""Items that are looked at together; most integers have as many bytes as the one before."""


class Reader:
    """Reads one document.

    Parameters
    ----------
    data : bytes or bytearray
        The document.
    read_trees : callable
        Is given the document, the number of trees and where they start, and returns what has an ``end``.

    Attributes
    ----------
    spans : dict of str to (int, int)
        Where the values of the outermost object stand.
    """

    def __init__(self, data: Octets, read_trees: type[TreeReader | WrittenTrees] = TreeReader) -> None:
        self.data = data
        self._read_trees = read_trees
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
        data, at = self.data, self.at
        end = at + 9
        if end > len(data) or data[at] != _LONG:
            self._fail("no length")
        self.at = end
        count = int.from_bytes(data[at + 1 : end], "big", signed=True)
        if not 0 <= count * smallest <= len(data) - end:
            self._fail("a length that is negative or goes behind the end")
        return count

    def _value(self, depth: int) -> Any:
        data, at = self.data, self.at
        mark = data[at] if at < len(data) else 0
        if mark == _TEXT:
            self.at = at + 1
            length = self._length(1)
            self.at = at + 10 + length
            return data[at + 10 : self.at].decode("utf-8", "surrogateescape")
        if mark in (_OBJECT, _ARRAY):
            if depth >= DEEPEST:
                self._fail("nested too deeply")
            self.at = at + 1
            return self._object(depth + 1) if mark == _OBJECT else self._array(depth + 1)
        if mark in b"TF":
            self.at = at + 1
            return mark == ord("T")
        dtype = _NUMBERS.get(mark)
        if dtype is None:
            self._fail("no value")
        self.at = at + dtype.itemsize
        if self.at > len(data):
            self._fail("ends too early")
        return np.frombuffer(data, dtype, 1, at)["number"].item()

    def _object(self, depth: int) -> dict[str, Any]:
        """Read keys and values, most of which are texts: those take no call."""
        data, head, at = self.data, _HEAD.unpack_from, self.at
        out: dict[str, Any] = {}
        last: Octets = b""
        try:
            while data[at] != _CLOSE:
                self.at = at
                mark, length = head(data, at)
                if mark != _LONG:
                    self._fail("no length")
                start = at + 9 + length
                key = data[at + 9 : start]
                if key <= last and out:
                    self._fail("keys that are not in ascending order")
                last = key
                value: Any
                if data[start] == _TEXT:
                    mark, length = head(data, start + 1)
                    if mark != _LONG:
                        self._fail("no length")
                    at = start + 10 + length
                    value = data[start + 10 : at].decode("utf-8", "surrogateescape")
                else:
                    self.at = start
                    value = self._trees() if key == b"trees" else self._value(depth)
                    at = self.at
                name = key.decode("utf-8", "surrogateescape")
                out[name] = value
                if depth == 1:
                    self.spans[name] = (start, at)
        except (IndexError, struct.error):
            self._fail("ends too early, or a length goes behind the end,")
        self.at = at + 1
        return out

    def _trees(self) -> TreeReader | WrittenTrees:
        if not self.data.startswith(b"[#L", self.at):
            self._fail("no trees")
        self.at += 2
        trees = self._read_trees(self.data, self._length(64), self.at)
        self.at = trees.end
        return trees

    def _array(self, depth: int) -> Any:
        data, at = self.data, self.at
        if data[at : at + 1] == b"$":
            dtype = _DTYPES.get(data[at + 1])
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
        left = self._length(1)
        out: list[Any] = []
        while left:
            found = self._run(min(left, _RUN)) or [self._value(depth)]
            out += found
            left -= len(found)
        return out

    def _run(self, most: int) -> list[Any]:
        """Read the numbers that stand next and are of one type."""
        data, at = self.data, self.at
        dtype = _NUMBERS.get(data[at] if at < len(data) else 0)
        if dtype is None:
            return []
        most = min(most, (len(data) - at) // dtype.itemsize)
        marks = data[at : at + most * dtype.itemsize : dtype.itemsize]
        count = most - len(marks.lstrip(marks[:1]))
        self.at = at + count * dtype.itemsize
        return np.frombuffer(data, dtype, count, at)["number"].tolist()  # type: ignore[no-any-return]
