"""UBJSON as xgboost writes it, read and written without looking at what it says."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

_DTYPES = {b"d": ">f4", b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8"}
_DEEPEST = 32


@dataclass
class Typed:
    """An array of one type."""

    kind: bytes
    items: list[Any]


@dataclass
class Alone:
    """A number that stands alone."""

    kind: bytes
    value: Any


Pairs = list[tuple[bytes, Any]]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        found = self.data[self.at : self.at + size]
        if len(found) < size or size < 0:
            raise ValueError("ends too early")
        self.at += size
        return found

    def count(self) -> int:
        if self.take(1) != b"L":
            raise ValueError("no length")
        return int.from_bytes(self.take(8), "big", signed=True)

    def value(self, depth: int = 0) -> Any:
        if depth > _DEEPEST:
            raise ValueError("too deep")
        mark = self.take(1)
        if mark == b"{":
            pairs: Pairs = []
            while self.data[self.at : self.at + 1] != b"}":
                key = self.take(self.count())
                pairs.append((key, self.value(depth + 1)))
            self.at += 1
            return dict(pairs) if len(dict(pairs)) == len(pairs) else pairs
        if mark == b"[":
            if self.data[self.at : self.at + 1] != b"$":
                self.take(1)
                return [self.value(depth + 1) for _ in range(self.count())]
            kind = self.take(3)[1:2]
            dtype = np.dtype(_DTYPES[kind])
            return Typed(kind, np.frombuffer(self.take(self.count() * dtype.itemsize), dtype).tolist())
        if mark == b"S":
            return self.take(self.count())
        if mark in (b"T", b"F"):
            return mark == b"T"
        dtype = np.dtype(_DTYPES[mark])
        return Alone(mark, np.frombuffer(self.take(dtype.itemsize), dtype)[0].item())


def read(data: bytes) -> Any:
    """Return a document: dicts by bytes, lists, bytes, bools, `Typed` and `Alone`.

    Raises
    ------
    ValueError, KeyError
        It is none.
    """
    reader = _Reader(data)
    found = reader.value()
    if reader.at != len(data):
        raise ValueError("bytes stand behind the end")
    return found


def write(value: Any) -> bytes:
    """Write what `read` returns."""
    if isinstance(value, dict):
        value = sorted(value.items())
        return b"{" + b"".join(_length(key) + key + write(item) for key, item in value) + b"}"
    if isinstance(value, bool):
        return b"T" if value else b"F"
    if isinstance(value, bytes):
        return b"S" + _length(value) + value
    if isinstance(value, Typed):
        return b"[$" + value.kind + b"#" + _length(value.items) + _packed(value.kind, value.items)
    if isinstance(value, Alone):
        return value.kind + _packed(value.kind, [value.value])
    return b"[#" + _length(value) + b"".join(map(write, value))


def _length(items: Any) -> bytes:
    return b"L" + struct.pack(">q", len(items))


def _packed(kind: bytes, items: list[Any]) -> bytes:
    dtype = np.dtype(_DTYPES[kind])
    with np.errstate(all="ignore"):
        if kind == b"d":
            return np.array(items, np.float64).astype(dtype).tobytes()
        bits = 8 * dtype.itemsize
        return b"".join((int(item) % 2**bits).to_bytes(dtype.itemsize, "big") for item in items)
