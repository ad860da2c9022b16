"""Changes the opcodes of a pickle, what follows them, or bytes of it."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from skopsafe.errors import LimitError
from skopsafe.foreign.pickles.joblib import Arrays
from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.reading import Broken, Memory, Stop, Truncated
from tests.fuzz.noise import bytes_mutant
from tests.fuzz.words import WORDS

Pieces = list[bytes]

_FRAME, _STOP = b"\x95", b"."
_PUSHING = frozenset(b"NKMJGIFLXTUVSBC]}){\x88\x89\x8a\x8c\x8d\x8e\x8f\x96hjg")
"""Opcodes that push one thing, whatever is on the stack."""
_ALONE: Pieces = [
    *(
        b"N",
        b"\x88",
        b"\x89",
        b"]",
        b"}",
        b")",
        b"\x8f",
        b"K\0",
        b"K\1",
        b"J\xff\xff\xff\xff",
        b"C\0",
        b"C\1a",
    ),
    *(b"X\0\0\0\0", b"X\1\0\0\0a", b"G\x7f\xf8\0\0\0\0\0\0", b"\x8a\x09" + b"\xff" * 8 + b"\0"),
    b"\x8a\x05" + bytes(4) + b"\1",
]
_WORKING: Pieces = [b"%c" % code for code in b"01(2Rb\x81aesut\x85\x86\x87\x94\x90\x91dlo\x93"]
_NUMBERS = (0, 1, 2, 3, -1, 7, 255, 256, 2**15, 2**31 - 1, 2**31, -(2**31), 2**40, 2**63 - 1, 2**63, 2**70)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e308, 5e-324, float("inf"), float("-inf"), float("nan"), 2.0**53)
_TEXTS = (
    *("", "a", "<f8", "|O", ">i4", "O", "S", "U", "M8[ns]", "<", "|", "C", "F", "numpy", "ndarray"),
    *("builtins", "getattr", "os", "system", "sklearn.svm._classes", "SVC", "\x1b[31m", "\ud800", "a.b"),
    *("_sklearn_version", "rbf", "precomputed", "auto", "memory", "__class__", "__dict__", "\0", "x" * 300),
)
_GLOBALS: Pieces = [
    b"c%s\n" % name.replace(":", "\n").encode()
    for name in (
        *(
            "numpy:dtype",
            "numpy:ndarray",
            "numpy:float64",
            "builtins:dict",
            "builtins:set",
            "builtins:object",
        ),
        *("os:system", "collections:OrderedDict", "collections:defaultdict", "functools:partial"),
        *("sklearn.tree._tree:Tree", "sklearn.pipeline:Pipeline", "stranger:Class", "builtins:bytearray"),
        *("numpy._core.multiarray:_reconstruct", "numpy._core.multiarray:scalar", "copyreg:_reconstructor"),
        *("pandas.core.frame:DataFrame", "joblib.numpy_pickle:NumpyArrayWrapper"),
    )
]
_SELDOM = (b"q", b"r", b"p", b"\x80")
"""Opcodes with arguments that mean little: places in the memo that are written, and the protocol."""
_MEMO = (b"\x94", b"q", b"r", b"p")
_INTEGERS = b"KMJIL\x8a"
_WORDS = b"XTUVS\x8c\x8d"
_BYTES = b"BC\x8e\x96"
_GETS = b"hjg"


def split(data: bytes) -> Pieces:
    """Return a pickle, or a stream of joblib, as its opcodes; the bytes of an array belong to the one before.

    What follows its end, or cannot be read, is the last piece.
    """
    machine = Machine(Memory(data), 0, 10**6, Arrays(10**6))
    places = [0]
    try:
        while True:
            machine.step()
            places.append(machine.place)
    except Stop:
        places.append(machine.place)
    except (Broken, Truncated, LimitError):
        pass
    ends = dict.fromkeys((*places[1:], len(data)))
    starts = [0, *ends][:-1]
    return [data[start:end] for start, end in zip(starts, ends, strict=True) if start < end]


def _integer(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K%c" % value
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    size = value.bit_length() // 8 + 1
    return b"\x8a%c" % size + value.to_bytes(size, "little", signed=True)


def _text(value: str) -> bytes:
    content = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(content)) + content


_HEADS = {b"B": 5, b"C": 2, b"\x8e": 9, b"\x96": 9, b"X": 5, b"T": 5, b"U": 2, b"\x8c": 2, b"\x8d": 9}
"""By opcode with a length: where its content begins."""


def _with_content(code: bytes, content: bytes) -> bytes:
    """Return an opcode with other content and the length of that."""
    size = _HEADS[code] - 1
    if size == 1 and len(content) > 255:
        code, size = (b"B", 4) if code == b"C" else (b"X", 4)
    return code + len(content).to_bytes(size, "little") + content


def _words_of(content: bytes, rng: random.Random) -> bytes:
    """Change items of an array, or how many there are."""
    if not content:
        return rng.randbytes(rng.choice((1, 8)))
    out = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        width = rng.choice((1, 4, 4, 8, 8, 8))
        place = rng.randrange(max(len(out) // width, 1)) * width
        number = rng.choice(_NUMBERS).to_bytes(16, "little", signed=True)[:width]
        value = rng.choice((number, struct.pack("<d", rng.choice(_FLOATS))[-width:], rng.randbytes(width)))
        out[place : place + width] = value
    how = rng.random()
    if how < 0.08:
        del out[-rng.choice((1, 8)) :]
    elif how < 0.16:
        out += rng.randbytes(rng.choice((1, 8)))
    return bytes(out)


def arguments(pieces: Pieces, rng: random.Random) -> None:
    """Change what follows an opcode: numbers, texts, names, places of the memo, contents of arrays."""
    places = [at for at, piece in enumerate(pieces) if len(piece) > 1 and piece[:1] not in _SELDOM]
    if rng.random() < 0.05:
        places = [at for at, piece in enumerate(pieces) if len(piece) > 1]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not places:
            return
        at = rng.choice(places)
        code, piece = pieces[at][:1], pieces[at]
        if code in _INTEGERS:
            now = int.from_bytes(piece[1:9], "little") if code in b"KM" else rng.choice(_NUMBERS)
            pieces[at] = _integer(rng.choice((now + 1, now - 1, now * 2, rng.choice(_NUMBERS))))
        elif code == b"G":
            pieces[at] = code + struct.pack(">d", rng.choice(_FLOATS))
        elif code in b"ci":
            others = [other for other in pieces if other[:1] == b"c"] or _GLOBALS
            pieces[at] = rng.choice((rng.choice(others), rng.choice(_GLOBALS)))
        elif code in _WORDS:
            others = [other for other in pieces[:400] if other[:1] in _WORDS]
            pieces[at] = rng.choice((rng.choice(others or _ALONE), _text(rng.choice(_TEXTS))))
        elif code in _BYTES:
            pieces[at] = _with_content(code, _words_of(piece[_HEADS[code] :], rng))
        elif code == b"h":
            pieces[at] = b"h%c" % rng.choice(
                (piece[1] ^ 1, max(piece[1] - 1, 0), rng.randrange(piece[1] + 1))
            )
        elif code == b"j":
            number = struct.unpack("<I", piece[1:])[0]
            pieces[at] = b"j" + struct.pack("<I", rng.choice((rng.randrange(number + 1), 2**31)))
        elif code == b"b":  # behind it is an array of joblib
            pieces[at] = code + _words_of(piece[1:], rng)
        else:
            pieces[at] = code + bytes_mutant(piece[1:], rng)


def opcodes(pieces: Pieces, rng: random.Random) -> None:
    """Drop, repeat, move, put in or exchange whole opcodes."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at, how = rng.randrange(len(pieces)), rng.randrange(6)
        if how == 0 and len(pieces) > 1:
            del pieces[at]
        elif how == 1:
            pieces.insert(at, rng.choice(pieces))
        elif how == 2:
            pieces.insert(at, rng.choice(rng.choice((_WORKING, _ALONE, _GLOBALS))))
        elif how == 3:
            pieces[at] = rng.choice(_WORKING)
        elif how == 4:
            other = rng.randrange(len(pieces))
            pieces[at], pieces[other] = pieces[other], pieces[at]
        else:
            pieces[at : at + 2] = pieces[at : at + 2][::-1]


def _pushing(pieces: Pieces) -> list[int]:
    return [at for at, piece in enumerate(pieces) if piece[0] in _PUSHING]


def swaps(pieces: Pieces, rng: random.Random) -> None:
    """Put something that was there before, or something small, in the place of what is pushed."""
    places = _pushing(pieces)
    for _ in range(rng.choice((1, 1, 2))):
        if places:
            at = rng.choice(places)
            number = rng.randrange(max(sum(piece[:1] in _MEMO for piece in pieces[:at]), 1))
            get = b"h%c" % number if number < 256 else b"j" + struct.pack("<I", number)
            pieces[at] = rng.choice((get, get, rng.choice(_ALONE), rng.choice(_GLOBALS)))


def _graft(donors: Pieces) -> Callable[[Pieces, random.Random], None]:
    def grafts(pieces: Pieces, rng: random.Random) -> None:
        """Put another object in the place of what is pushed."""
        places = _pushing(pieces)
        if places:
            pieces[rng.choice(places)] = rng.choice(donors)

    return grafts


LAYERS = ("raw", "opcodes", "arguments", "swaps", "grafts")
_WEIGHTS = (12, 18, 40, 15, 15)


def mutant(pieces: Pieces, donors: Pieces, rng: random.Random) -> tuple[str, bytes]:
    """Return at which layer a pickle was changed, and what came of it.

    Parameters
    ----------
    pieces : list of bytes
        The pickle, as `split` gives it.
    donors : list of bytes
        Opcodes that push another object, without those that use the memo.
    rng : random.Random
        Decides.
    """
    (layer,) = rng.choices(LAYERS, _WEIGHTS)
    if layer == "raw":
        return layer, bytes_mutant(b"".join(pieces), rng, WORDS["pickles"])
    # The frames of a pickle whose length changes would end elsewhere.
    changed = [piece for piece in pieces if piece[:1] != _FRAME]
    change = {"opcodes": opcodes, "arguments": arguments, "swaps": swaps, "grafts": _graft(donors)}[layer]
    change(changed, rng)
    return layer, b"".join(changed)
