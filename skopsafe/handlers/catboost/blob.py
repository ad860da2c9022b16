"""The binary form of a model, ``.cbm``: what stands where in it, and one order of its metadata.

``CBM1``, the size of the core, the core (a FlatBuffer, ``TModelCore``), and then the parts that the core
names, one after the other. Source: ``catboost/libs/model/model.cpp`` (``TFullModel::Save`` and ``Load``) and
``flatbuffers/model.fbs``, in CatBoost 1.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from skopsafe.errors import ValidationError
from skopsafe.handlers.catboost.flat import Buffer, Tables
from skopsafe.handlers.checks import require

MAGIC = b"CBM1"
FORMAT = b"FlabuffersModel_v1"
_WHERE = "CatBoost.model"
CTRS, TEXTS, EMBEDDINGS = b"static_provider_v1", b"text_process_v2\0", b"embed_process_1\0"
PARTS = (CTRS, TEXTS, EMBEDDINGS)
"""What may stand behind the core, in the order in which the library writes it."""


class Reader:
    """Reads what lies behind the core, a piece at a time.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
        The whole model.
    place : int
        Where to begin.
    """

    def __init__(self, data: NDArray[np.uint8], place: int = 0) -> None:
        self.data = data
        self.place = place

    def take(self, size: int, where: str) -> NDArray[np.uint8]:
        """Return the next `size` bytes."""
        left = len(self.data) - self.place
        require(0 <= size <= left, f"{size} bytes are announced and {left} are there", where)
        self.place += size
        return self.data[self.place - size : self.place]

    def number(self, size: int, where: str) -> int:
        """Return an unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size, where).tobytes(), "little")

    def size(self, where: str) -> int:
        """Return a size as ``util/ysaveload.h`` writes it: 32 bits, or a mark and 64 bits."""
        short = self.number(4, where)
        return short if short != 0xFFFFFFFF else self.number(8, where)

    def items(self, count: int, dtype: npt.DTypeLike, where: str) -> NDArray[Any]:
        """Return the next `count` items."""
        return self.take(count * np.dtype(dtype).itemsize, where).view(dtype)

    def buffer(self, where: str) -> Tables:
        """Return the root of a FlatBuffer that is announced by its size, in 64 bits."""
        return Buffer(self.take(self.number(8, where), where), where).root()

    def magic(self, text: bytes, where: str) -> None:
        """Skip the mark that a piece begins with, and what fills it up to a multiple of 16 bytes."""
        require(self.take(len(text), where).tobytes() == text, f"does not begin with {text!r}", where)
        self.take(-len(text) % 16, where)


@dataclass(frozen=True, slots=True)
class Model:
    """A model taken apart as far as its frame goes.

    Attributes
    ----------
    trees : Tables
        The one table ``TModelTrees``.
    info : list of (bytes, bytes)
        The metadata: names and values, in the order of the model.
    parts : list of bytes
        What stands behind the core.
    behind : Reader
        Stands at the first of them.
    """

    core: Tables
    trees: Tables
    info: list[tuple[bytes, bytes]]
    parts: list[bytes]
    behind: Reader


def parse(data: NDArray[np.uint8]) -> Model:
    """Take a model apart, checking its frame.

    Raises
    ------
    ValidationError
        It is no model, one of a newer format, or one that was cut off.
    """
    reader = Reader(data)
    magic = reader.take(4, f"{_WHERE} (header)").tobytes()
    require(magic == MAGIC, f"begins with {magic!r}, so it is no model of CatBoost", f"{_WHERE} (header)")
    buffer = Buffer(reader.take(reader.size(f"{_WHERE} (core)"), f"{_WHERE} (core)"), _WHERE, 16)
    core = buffer.root()
    (version,) = core.strings(0, "FormatVersion")
    if version != FORMAT:
        raise ValidationError(
            f"it has the format {version!r}, and {FORMAT!r} is the one that can be checked",
            path=f"{_WHERE}.FormatVersion",
            next_step="Upgrade skopsafe, or write the model with CatBoost 1.2.",
        )
    entries, _ = core.lists(2, "InfoMap")
    names, values = entries.strings(0, "Key"), entries.strings(1, "Value")
    info = [
        (name, value)
        for name, value in zip(names, values, strict=True)
        if name is not None and value is not None
    ]
    require(
        len(info) == len(names) == len(set(names)), "a name is missing or there twice", f"{_WHERE}.InfoMap"
    )
    parts, _ = core.texts(3, "ModelPartIds")
    known = [part for part in PARTS if part in parts]
    require(parts == known, f"{parts} is not a list of parts that CatBoost writes", f"{_WHERE}.ModelPartIds")
    return Model(core, core.tables(1, "ModelTrees"), info, parts, reader)


def ordered(data: bytes) -> bytes:
    """Return the model with its metadata in order of their names.

    The library keeps them in a hash table: each load and save may change their order, and nothing else. Its
    writer puts the trees at the end of the core and what is small before them; that front is written anew.
    """
    whole = np.frombuffer(data, np.uint8)
    model = parse(whole)
    buffer = model.core.buffer
    end = model.behind.place
    # What the trees lead to lies behind them; only a table of fields may lie before its table.
    trees = Buffer(buffer.data, _WHERE)
    root = Tables(trees, model.trees.places, _WHERE)
    start = min(int(root.places[0]), int(root.fields[0]))
    front = _front(model, start % 8, int(root.places[0]) - start)
    core = front + buffer.data[start:].tobytes()
    size = (
        struct.pack("<I", len(core)) if len(core) < 0xFFFFFFFF else struct.pack("<IQ", 0xFFFFFFFF, len(core))
    )
    return b"".join((MAGIC, size, core, data[end:]))


def _front(model: Model, shift: int, into: int) -> bytes:
    """Return the front of a core: the root table and all that it holds but the trees.

    Parameters
    ----------
    model : Model
        What it holds.
    shift : int
        Where, counted from a multiple of eight, it ends: numbers of eight bytes stay aligned so.
    into : int
        How far behind the front the table of the trees begins.
    """
    info = sorted(model.info)
    # Tables of fields first: of the root (four offsets), and of a name with its value (two).
    out = bytearray(struct.pack("<I6H", 16, 12, 20, 4, 8, 12, 16))
    root = len(out)
    out += struct.pack("<i4I", root - 4, 0, 0, 0, 0)
    _link(out, root + 4)
    out += _text(FORMAT)
    pair = 0
    if info:
        pair = len(out)
        out += struct.pack("<4H", 8, 12, 4, 8)
        _link(out, root + 12)
        rows = len(out) + 4
        out += struct.pack("<I", len(info)) + bytes(4 * len(info))
        for number, (name, value) in enumerate(info):
            _link(out, rows + 4 * number)
            here = len(out)
            out += struct.pack("<iII", here - pair, 0, 0)
            _link(out, here + 4)
            out += _text(name)
            _link(out, here + 8)
            out += _text(value)
    if model.parts:
        _link(out, root + 16)
        rows = len(out) + 4
        out += struct.pack("<I", len(model.parts)) + bytes(4 * len(model.parts))
        for number, part in enumerate(model.parts):
            _link(out, rows + 4 * number)
            out += _text(part)
    if not info:
        out[4 + 8 : 4 + 10] = bytes(2)
    if not model.parts:
        out[4 + 10 : 4 + 12] = bytes(2)
    out += bytes((shift - len(out)) % 8)
    struct.pack_into("<I", out, root + 8, len(out) + into - (root + 8))
    return bytes(out)


def _text(text: bytes) -> bytes:
    padding = 4 - len(text) % 4  # one byte at least: the end mark
    return struct.pack("<I", len(text)) + text + bytes(padding)


def _link(out: bytearray, place: int) -> None:
    """Let the offset at `place` lead to the end of `out`."""
    struct.pack_into("<I", out, place, len(out) - place)
