"""Mutants that keep the structure of an input: checksums, sizes and lengths are made true again."""

from __future__ import annotations

import contextlib
import copy
import json
import pickletools
import random
import re
import struct
from typing import Any

from tests.fuzz import ubjson
from tests.fuzz.archives import METHODS, RECIPE, packed
from tests.fuzz.noise import INTEGERS, bytes_mutant, json_mutant
from tests.fuzz.words import DTYPES, WORDS

_HEADER = re.compile(rb"[^'\":,(){}\[\]\s]+|['\":,(){}\[\]]|\s+")


def npy_mutant(data: bytes, rng: random.Random) -> bytes:
    """Change words of a header and make its length true again; or a description in JSON."""
    if not data.startswith(b"\x93"):
        try:
            value = json_mutant([json.loads(data)], rng, DTYPES)
            return json.dumps(value[0] if isinstance(value, list) and value else value).encode()
        except (ValueError, RecursionError):
            return bytes_mutant(data, rng, WORDS["npy"])
    if rng.random() < 0.3:
        return _header(rng)
    if len(data) < 12 or rng.random() < 0.2:
        return bytes_mutant(data, rng, WORDS["npy"])
    form = "<I" if data[6] == 2 else "<H"
    start = 8 + struct.calcsize(form)
    if start > len(data):
        return bytes_mutant(data, rng, WORDS["npy"])
    (size,) = struct.unpack_from(form, data, 8)
    tokens = _HEADER.findall(data[start : start + size])
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(tokens) + 1)
        how = rng.randrange(4)
        if how == 0:
            del tokens[at : at + 1]
        elif how == 1 and tokens:
            tokens.insert(at, rng.choice(tokens))
        elif how == 2:
            tokens[at : at + 1] = [rng.choice(WORDS["npy"])]
        else:
            tokens.insert(at, rng.choice(WORDS["npy"]))
    text = b"".join(tokens)
    if struct.calcsize(form) == 2:
        text = text[:65535]
    return data[:8] + struct.pack(form, len(text)) + text + data[start + size :]


_SHAPES = (
    "()",
    "(3,)",
    "(0,)",
    "(2, 3)",
    "(1, 2, 3)",
    "(-1,)",
    "(True,)",
    "(2L,)",
    "[3]",
    "(2**40,)",
    "(1099511627776,)",
)


def _header(rng: random.Random) -> bytes:
    """Return a header of parts that fit together more often than not."""
    descr = repr(_tuples(rng.choice(DTYPES)))
    order = rng.choice(("True", "False", "False", "0", "None"))
    parts = [f"'descr': {descr}", f"'fortran_order': {order}", f"'shape': {rng.choice(_SHAPES)}"]
    if not rng.randrange(4):
        rng.shuffle(parts)
    text = (
        "{"
        + ", ".join(parts)
        + rng.choice((", }", "}", ",}"))
        + " " * rng.randrange(70)
        + rng.choice(("\n", ""))
    )
    version = rng.choice((1, 1, 2, 3))
    return b"\x93NUMPY%c\0" % version + struct.pack("<H" if version == 1 else "<I", len(text)) + text.encode()


def _tuples(descr: Any) -> Any:
    if not isinstance(descr, list):
        return descr
    return [tuple(tuple(part) if isinstance(part, list) else part for part in field) for field in descr]


def policy_mutant(data: bytes, rng: random.Random) -> bytes:
    """Return a policy of words, most of which are TOML; or change bytes of one."""
    if rng.random() < 0.5:
        return bytes_mutant(data, rng, WORDS["policy"])
    values = (
        b'"a.b.C"',
        b'"pkg.*"',
        b'"a:b.C"',
        b'"A.b:c"',
        b'"\\u001b"',
        b"5",
        b'"*"',
        b'"x.*.y"',
        b"[]",
        b"1.5",
        b"{a = 1}",
    )
    lines = []
    for key in rng.sample((b"trusted", b"plugins", b"other"), rng.choice((1, 2, 2, 3))):
        few = [rng.choice(values[: rng.choice((2, 5, len(values)))]) for _ in range(rng.randrange(4))]
        lines.append(key + b" = [" + b", ".join(few) + b"]\n")
    return b"".join(lines)


def pickle_mutant(data: bytes, rng: random.Random) -> bytes:
    """Drop, repeat, move or put in whole opcodes."""
    starts = []
    with contextlib.suppress(Exception):  # whatever it raises: the rest is one piece
        starts += [place or 0 for _, _, place in pickletools.genops(data)]
    if len(starts) < 2 or rng.random() < 0.2:
        return bytes_mutant(data, rng, WORDS["pickles"])
    ends = [*starts[1:], len(data)]
    pieces = [data[start:end] for start, end in zip(starts, ends, strict=True)]
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        at = rng.randrange(len(pieces))
        how = rng.randrange(5)
        if how == 0 and len(pieces) > 1:
            del pieces[at]
        elif how == 1:
            pieces.insert(at, rng.choice(pieces))
        elif how == 2:
            pieces.insert(at, rng.choice(WORDS["pickles"]))
        elif how == 3:
            pieces[at] = pieces[at][:1] + bytes_mutant(pieces[at][1:], rng)
        else:
            other = rng.randrange(len(pieces))
            pieces[at], pieces[other] = pieces[other], pieces[at]
    return b"".join(pieces)


def stream_mutant(data: bytes, rng: random.Random) -> bytes:
    """Change the opcodes of a pickle, or bytes of what it is wrapped in."""
    if data[:1] in (b"\x80", b"c", b"(", b"]", b"}"):
        return pickle_mutant(data, rng)
    return bytes_mutant(data, rng, WORDS["streams"])


def recipe_mutant(data: bytes, rng: random.Random) -> bytes:
    """Change what is packed or how; the size is made true in half of the cases."""
    if len(data) <= RECIPE.size:
        return bytes_mutant(data, rng)
    number, flags, pieces, size = RECIPE.unpack_from(data)
    content = data[RECIPE.size :]
    how = rng.randrange(5)
    if how == 0:
        size = rng.choice(
            (
                min(size + 1, 2**32 - 1),
                max(size - 1, 0),
                0,
                1 << 18,
                (1 << 18) + 1,
                rng.choice(INTEGERS) % 2**32,
            )
        )
    elif how == 1:
        number, pieces, flags = rng.randrange(4), rng.randrange(8), rng.choice((0, 2))
    elif how == 2:
        number = rng.randrange(4)
        plain = rng.choice((b"", rng.randbytes(rng.randrange(200)), b"ab" * rng.randrange(1 << 18)))
        content, size = packed(METHODS[number], plain), len(plain)
    else:
        content = bytes_mutant(content, rng)
    return RECIPE.pack(number, flags, pieces, size) + content


def xgboost_mutant(data: bytes, rng: random.Random) -> bytes:
    """Change values of a document, with the lengths true again; or bytes, as they come."""
    try:
        document = ubjson.read(data)
    except (ValueError, KeyError, OverflowError):
        document = None
    if not isinstance(document, dict) or rng.random() < 0.2:
        return bytes_mutant(data, rng, WORDS["xgboost"])
    for _ in range(rng.choice((1, 1, 2, 3))):
        found = _held(document)
        if found:
            _change(*rng.choice(found), rng, found)
    try:
        return ubjson.write(document)
    except (TypeError, ValueError, AttributeError, RecursionError, KeyError, OverflowError):
        return bytes_mutant(data, rng, WORDS["xgboost"])  # a value that cannot stand there


def _held(document: Any) -> list[tuple[Any, Any]]:
    """Return every place in a document: what holds it, and its key there."""
    found: list[tuple[Any, Any]] = []
    todo: list[Any] = [document]
    while todo:
        holder = todo.pop()
        if isinstance(holder, ubjson.Typed):
            holder = holder.items
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            found.append((holder, key))
            if isinstance(holder[key], dict | list | ubjson.Typed):
                todo.append(holder[key])
    return found


def _change(holder: Any, key: Any, rng: random.Random, found: list[tuple[Any, Any]]) -> None:
    old = holder[key]
    how = rng.randrange(8)
    if how == 0:
        del holder[key]
    elif how == 1 and isinstance(holder, list):
        holder.insert(key, old)
    elif how == 2:
        other, place = rng.choice(found)
        holder[key] = copy.deepcopy(other[place]) if type(other) is type(holder) else old
    elif isinstance(old, bytes):
        holder[key] = rng.choice((*WORDS["xgboost"], bytes_mutant(old, rng)))
    elif isinstance(old, bool):
        holder[key] = not old
    elif isinstance(old, float):
        holder[key] = rng.choice((old + 1, -old, float("nan"), float("inf")))
    elif isinstance(old, int):
        holder[key] = rng.choice((old + 1, old - 1, rng.choice(INTEGERS)))
    elif isinstance(old, ubjson.Alone):
        value = rng.choice((old.value + 1, old.value - 1, 0, 1))
        holder[key] = ubjson.Alone(rng.choice((old.kind, b"i", b"I", b"l", b"L", b"d")), value)
    else:
        holder[key] = rng.choice(
            (b"x", True, ubjson.Alone(b"i", 1), ubjson.Typed(b"l", [1, 2]), ubjson.Typed(b"d", [0.5]), [], {})
        )


def lightgbm_mutant(data: bytes, rng: random.Random) -> bytes:
    """Change numbers, words and lines; sizes of trees are true again in half of the cases."""
    from tests.lightgbm_models import mutate

    if not data or rng.random() < 0.1:
        return bytes_mutant(data, rng, WORDS["lightgbm"])
    return mutate(data, rng)


def catboost_mutant(data: bytes, rng: random.Random) -> bytes:
    """Change words, numbers and bytes near the fields of a model; its offsets stay what they are."""
    from tests.catboost_mutate import mutate

    if len(data) < 64 or rng.random() < 0.1:
        return bytes_mutant(data, rng, WORDS["catboost"])
    return mutate(data, rng)


def text_mutant(words: tuple[bytes, ...]) -> Any:
    """Return a mutator that puts words in."""

    def mutate(data: bytes, rng: random.Random) -> bytes:
        return bytes_mutant(data, rng, words)

    return mutate
