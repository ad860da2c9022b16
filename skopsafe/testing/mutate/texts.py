"""Changes the text of a schema: what a JSON parser meets."""

from __future__ import annotations

import json
import random
import re
from typing import Any

_NUMBER = re.compile(rb"-?\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b")
_NUMBERS = (
    b"-1",
    b"1e400",
    b"-0",
    b"1.0",
    b"NaN",
    b"Infinity",
    b"0x10",
    b"01",
    b"9" * 400,
    b"9" * 5000,
    b"1e-9999",
    b"18446744073709551616",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"null",
    b"[]",
    b"{}",
    b'""',
)
_TEXTS = (b"\\ud800", b"\\u0000", b"\\u001b[31m", b"\xff", b"\\x", "\u202e".encode(), b"\\n", b"")
_FIELDS = ("format", "protocol", "types", "shapes", "dtypes", "members", "arrays", "runs", "root", "writer")


def changed(schema: dict[str, Any], rng: random.Random) -> bytes:
    """Return the text of a schema with one change."""
    text = json.dumps(schema).encode()
    how = rng.randrange(8)
    if how == 0:
        return _replaced(text, list(_NUMBER.finditer(text)), rng.choice(_NUMBERS), rng)
    if how == 1:
        return _replaced(text, list(re.finditer(rb'(?<=")[^"\\]+(?=")', text)), rng.choice(_TEXTS), rng)
    if how == 2:
        # A field twice: which of them counts?
        field = rng.choice(_FIELDS)
        value = json.dumps(rng.choice((schema[field], schema[rng.choice(_FIELDS)], None, [], 0)))
        return text[:-1] + f', "{field}": {value}}}'.encode()
    if how == 3:
        depth = rng.choice((10, 1000, 100_000, 1_000_000))
        deep = rng.choice((b"[" * depth + b"]" * depth, b'{"x":' * depth + b"0" + b"}" * depth))
        return _replaced(text, list(_NUMBER.finditer(text)), deep, rng)
    if how == 4:
        return text[: rng.randrange(len(text))]
    if how == 5:
        field = rng.choice(_FIELDS)
        return json.dumps({**schema, field: rng.choice((None, [], {}, "x", 0, -1, [[]], [None]))}).encode()
    if how == 6:
        field = rng.choice(_FIELDS)
        return json.dumps({name: value for name, value in schema.items() if name != field}).encode()
    more = rng.choice(("__loader__", "trusted", "loader", "x", "\u202e"))
    return json.dumps({**schema, more: rng.choice(("builtins.eval", ["builtins.eval"], True))}).encode()


def _replaced(text: bytes, found: list[re.Match[bytes]], new: bytes, rng: random.Random) -> bytes:
    if not found:
        return text + new
    place = rng.choice(found)
    return text[: place.start()] + new + text[place.end() :]
