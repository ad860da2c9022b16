"""Changes arrays: dtypes, shapes and orders, headers, and items by their dtype."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np

_DTYPES = (
    "<f8",
    "<f4",
    ">f8",
    "<i8",
    "<i4",
    "<u4",
    "|u1",
    "|b1",
    "<f2",
    "<c16",
    "<U2",
    "|S8",
    "<M8[ns]",
    "<m8[D]",
    "|V8",
    "|O",
    "<f16",
    [["x", "<f8"]],
    "|S0",
)
_INTEGERS = (2**31 - 1, 255, 10**6)
_FLOATS = (np.nan, np.inf, -np.inf, -1.0, 0.0, -0.0, 1e300, -1e300, 5e-324, 2.0**31, 2.0**53, 1e6)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the items of an array are.

    Attributes
    ----------
    member : str
        The member of the zip.
    start : int
        The first byte of its items in the member.
    dtype : numpy.dtype
        Its dtype.
    size : int
        Its items.
    """

    member: str
    start: int
    dtype: np.dtype[Any]
    size: int


def places(schema: dict[str, Any], members: dict[str, bytes]) -> list[Place]:
    """Return where the arrays of a sound file are, in order of their numbers."""
    found: list[Place] = []
    ends: dict[str, int] = {}
    for kind, member, _, count, shape in schema["arrays"]:
        name = schema["members"][member]
        dtype = np.lib.format.descr_to_dtype(_tuples(schema["dtypes"][kind]))
        for row in range(count):
            size = math.prod(sizes[row] if isinstance(sizes, list) else sizes for sizes in shape)
            start = ends.get(name, data_start(members[name]))
            found.append(Place(name, start, dtype, size))
            end = start + size * dtype.itemsize
            first = data_start(members[name])
            ends[name] = first + -(-(end - first) // 16) * 16
    return found


def _tuples(descr: Any) -> Any:
    if isinstance(descr, str):
        return descr
    return [tuple(_field(part) for part in field) for field in descr]


def _field(part: Any) -> Any:
    """JSON has no tuples: a title and name, a shape, or the fields of a structure in a structure."""
    if isinstance(part, list):
        return _tuples(part) if part and isinstance(part[0], list) else tuple(part)
    return part


def data_start(content: bytes) -> int:
    """Return where the items of an ``.npy`` file begin, in bytes."""
    wide = content[6] >= 2
    return (12 if wide else 10) + int.from_bytes(content[8 : 12 if wide else 10], "little")


def change_items(members: dict[str, bytes], place: Place, rng: random.Random) -> None:
    """Change items of one array: a few of them, or their order."""
    out = bytearray(members[place.member])
    end = place.start + place.size * place.dtype.itemsize
    array = np.frombuffer(out, np.uint8)[place.start : end].view(place.dtype)
    if array.dtype.names and rng.random() < 0.9:
        array = array[rng.choice([name for name in array.dtype.names])]  # noqa: C416 - a sequence
    array = array.reshape(-1)
    if array.dtype.kind not in "iufc":
        # As bytes: texts with code points that do not exist cannot be read, to be moved elsewhere.
        array = array.view(np.dtype((np.void, array.dtype.itemsize)))
    if not array.size:
        return
    how = rng.randrange(10)
    if how < 6:
        for _ in range(rng.choice((1, 1, 2, 5))):
            at = rng.choice((0, len(array) - 1, rng.randrange(len(array))))
            _set(array, at, rng)
    elif how == 6:
        array[:] = array[rng.sample(range(len(array)), len(array))]
    elif how == 7:
        array[:] = array[::-1].copy()
    elif how == 8:
        _set(array, 0, rng)
        array[:] = array[0]
    else:
        array[:] = np.roll(array, rng.choice((1, -1, 2, len(array) // 2)))
    members[place.member] = bytes(out)


def _set(array: Any, at: int, rng: random.Random) -> None:
    """Give an item a value that its dtype admits and its meaning perhaps does not."""
    kind, old = array.dtype.kind, array[at]
    if kind in "iu":
        info, size = np.iinfo(array.dtype), len(array)
        near = (int(old) + 1, int(old) - 1, -int(old), int(rng.choice(array)))
        number = rng.choice((-1, 0, 1, 2, size, size - 1, size + 1, *near, info.max, info.min, *_INTEGERS))
        array[at] = min(max(number, info.min), info.max)
    elif kind == "f":
        with np.errstate(all="ignore"):
            value, other = float(old), float(rng.choice(array))
            array[at] = rng.choice((*_FLOATS, value + 1, -value, value * 1e9, other, float(len(array))))
    else:
        # Booleans of 2, texts beyond the last code point, dates that are none.
        item = array[at : at + 1].copy().view(np.uint8)
        if item.size:
            item[rng.randrange(item.size)] = rng.choice((0, 1, 2, 127, 128, 255))
            array[at : at + 1] = item.view(array.dtype)


def change_header(schema: dict[str, Any], members: dict[str, bytes], rng: random.Random) -> None:
    """Change what schema or member say of an array, its bytes staying what they are."""
    how = rng.randrange(10)
    if how < 2:
        schema["dtypes"][rng.randrange(len(schema["dtypes"]))] = rng.choice(_DTYPES)
    elif how < 4:
        name = rng.choice(sorted(members))
        members[name] = _other_header(members[name], rng)
    elif how == 4:
        _place(schema["arrays"], rng)
    else:
        _shape(schema["arrays"], rng)


def _other_header(content: bytes, rng: random.Random) -> bytes:
    start = data_start(content)
    head = content[:start]
    old, new = rng.choice(
        (
            (b"|u1", rng.choice((b"<f8", b"|O", b"|b1", b"|i1", b"|S1"))),
            (b"<f8", rng.choice((b">f8", b"<i8", b"|O8", b"<c8", b"|V8"))),
            (b"<i8", rng.choice((b"<f8", b"|O8", b"<u8"))),
            (b"False", b"True "),
            (b"(", b"(-"),
            (b"descr", b"descX"),
            (b"}", b" "),
            (b"{", b"__import__('os').system('x') or {"),
        )
    )
    if rng.random() < 0.5:
        out = bytearray(head)
        for _ in range(rng.choice((1, 2))):
            out[rng.randrange(len(out))] = rng.choice((0, 10, 32, 49, 57, 255, rng.randrange(256)))
        return bytes(out) + content[start:]
    # The header keeps its length where it can: padding makes room.
    text = head.replace(old, new, 1)
    grown = len(text) - len(head)
    return text[: len(text) - grown - 1].ljust(len(head) - 1) + b"\n" + content[start:]


def _place(runs: list[Any], rng: random.Random) -> None:
    run = rng.choice(runs)
    at = rng.randrange(4)
    run[at] = rng.choice((run[at] + 1, 0, -1, max(run[at] - 1, 0), rng.choice(runs)[at], 10**9))


def _shape(runs: list[Any], rng: random.Random) -> None:
    """Give arrays another shape within their bytes, another order, or the place of others."""
    if rng.random() < 0.3:
        i, j = rng.randrange(len(runs)), rng.randrange(len(runs))
        runs[i], runs[j] = runs[j], runs[i]
        return
    run = rng.choice(runs)
    _, _, fortran, count, dims = run
    if not rng.randrange(4):
        run[2:4] = rng.choice(([1 - fortran, count], [fortran, count + 1], [fortran, max(count - 1, 0)]))
        return
    several = [place for place, size in enumerate(dims) if isinstance(size, list)]
    if several and rng.randrange(3):
        # As many items as before, in other arrays of the run.
        sizes = dims[rng.choice(several)]
        i, j = rng.randrange(len(sizes)), rng.randrange(len(sizes))
        sizes[i], sizes[j] = rng.choice(((sizes[j], sizes[i]), (sizes[i] + 1, sizes[j] - 1), (0, sizes[j])))
        return
    size = math.prod(dim for dim in dims if isinstance(dim, int))
    run[4] = rng.choice(
        (
            [size],
            [1, size],
            [size, 1],
            [max(size - 1, 0)],
            dims[::-1],
            [0],
            [0, *dims[1:]],
            dims[:-1],
            [size // 2, 2],
            [2, size // 2],
            [size, *[1] * 63],
            [2**62, 0],
            [2**32, 2**32],
        )
    )


def swap(
    schema: dict[str, Any],
    members: dict[str, bytes],
    others: list[tuple[dict[str, Any], dict[str, bytes]]],
    rng: random.Random,
) -> None:
    """Put members or the items of arrays of another file, or of another place, in place of some here."""
    other_schema, other_members = rng.choice(others)
    own, foreign = places(schema, members), places(other_schema, other_members)
    if not rng.randrange(4) or not own or not foreign:
        name = rng.choice(sorted(members))
        members[name] = other_members[rng.choice(sorted(other_members))] if other_members else b""
        return
    target = rng.choice(own)
    alike = [place for place in foreign if place.dtype == target.dtype] or foreign
    source = rng.choice(alike)
    size = min(target.size * target.dtype.itemsize, source.size * source.dtype.itemsize)
    content = other_members[source.member][source.start : source.start + size]
    old = members[target.member]
    members[target.member] = old[: target.start] + content + old[target.start + size :]
