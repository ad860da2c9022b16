"""Mutants of the binary form of a model of CatBoost."""

from __future__ import annotations

import random
import struct

_INTERESTING = (0, 1, 2, 3, 7, 8, 16, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE)


def _word(blob: bytearray, rng: random.Random, low: int, high: int) -> None:
    """Change a number of 32 bits: offsets, lengths, indices, sizes all are such."""
    place = low + 4 * rng.randrange(max(1, (high - low - 4) // 4))
    (old,) = struct.unpack_from("<I", blob, place)
    new = rng.choice(
        [
            rng.choice(_INTERESTING),
            old + 1,
            old - 1,
            old + 4,
            old - 4,
            2 * old,
            ~old,
            old ^ 1 << rng.randrange(32),
        ]
    )
    struct.pack_into("<I", blob, place, new & 0xFFFFFFFF)


def _number(blob: bytearray, rng: random.Random, low: int, high: int) -> None:
    place = low + 4 * rng.randrange(max(1, (high - low - 8) // 4))
    value = rng.choice([float("nan"), float("inf"), -float("inf"), -0.0, 1e300, -1e300])
    if rng.random() < 0.5:
        struct.pack_into("<d", blob, place, value)
    else:
        struct.pack_into("<f", blob, place, value if abs(value) != 1e300 else 1e38)


def _half(blob: bytearray, rng: random.Random, low: int, high: int) -> None:
    place = low + 2 * rng.randrange(max(1, (high - low - 2) // 2))
    struct.pack_into("<H", blob, place, rng.choice([0, 1, 2, 4, 8, 0xFFFF, 0x7FFF, rng.randrange(65536)]))


def _flip(blob: bytearray, rng: random.Random, low: int, high: int) -> None:
    for _ in range(rng.choice([1, 1, 2, 8])):
        blob[rng.randrange(low, high)] ^= 1 << rng.randrange(8)


def _copy(blob: bytearray, rng: random.Random, low: int, high: int) -> None:
    """Put a word of the same stretch in another place: an index of something else, an offset elsewhere."""
    words = max(1, (high - low - 4) // 4)
    there, here = low + 4 * rng.randrange(words), low + 4 * rng.randrange(words)
    blob[here : here + 4] = blob[there : there + 4]


def mutate(blob: bytes, rng: random.Random) -> bytes:
    """Return a mutant of a model: near its fields in the core, behind it, in its metadata, or cut off."""
    out = bytearray(blob)
    (core,) = struct.unpack_from("<I", out, 4)
    end = min(8 + core, len(out))
    text = max(out.find(b"params"), out.find(b"training"))
    trees = max(8, out.rfind(b"}", 0, end))  # what stands behind the metadata
    stretches = [(8, min(80, end)), (trees - trees % 4, end), (trees - trees % 4, end), (0, len(out))]
    if end + 8 < len(out):
        stretches += [(end, len(out))] * 3
    if text > 0:
        stretches.append((text, end))
    changes = [_word, _word, _word, _number, _half, _flip, _copy]
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        low, high = rng.choice(stretches)
        if high - low > 16:
            rng.choice(changes)(out, rng, low + rng.choice([0, 0, 0, 2]), high - 8)
    if rng.random() < 0.03:
        out = out[: rng.randrange(len(out))]
    return bytes(out)
