"""The binary form of a model, ``.cbm``: what stands where in it, and one order of its metadata.

``CBM1``, the size of the core, the core (a FlatBuffer, ``TModelCore``), and then the parts that the core
names, one after the other. Source: ``catboost/libs/model/model.cpp`` (``TFullModel::Save`` and ``Load``) and
``flatbuffers/model.fbs``, in CatBoost 1.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skopsafe.errors import ValidationError
from skopsafe.handlers.catboost.flat import Buffer, Column, Kind, present, refuse
from skopsafe.handlers.checks import require

MAGIC = b"CBM1"
FORMAT = b"FlabuffersModel_v1"
_WHERE = "CatBoost.model"
CTRS, TEXTS, EMBEDDINGS = b"static_provider_v1", b"text_process_v2\0", b"embed_process_1\0"
PARTS = (CTRS, TEXTS, EMBEDDINGS)
"""What may stand behind the core, in the order in which the library writes it."""
_CORE = Kind("FormatVersion:text ModelTrees:table InfoMap:4 ModelPartIds:4")
_ENTRY = Kind("Key:text Value:text")
_TREES = Kind("ApproxDimension:i")


class Reader:
    """Reads what lies behind the core, a piece at a time.

    Parameters
    ----------
    data : bytes
        The whole model.
    place : int
        Where to begin.
    end : int or None
        Where to end; None is the end of the model.
    """

    def __init__(self, data: bytes, place: int = 0, end: int | None = None) -> None:
        self.data = data
        self.place = place
        self.end = len(data) if end is None else end

    def skip(self, size: int, where: str) -> int:
        """Return where the next `size` bytes begin."""
        start = self.place
        if not 0 <= size <= self.end - start:
            refuse(f"{size} bytes are announced and {self.end - start} are there", where)
        self.place = start + size
        return start

    def take(self, size: int, where: str) -> bytes:
        """Return the next `size` bytes."""
        start = self.skip(size, where)
        return self.data[start : self.place]

    def number(self, size: int, where: str) -> int:
        """Return an unsigned number of `size` bytes."""
        start = self.skip(size, where)
        return int.from_bytes(self.data[start : self.place], "little")

    def size(self, where: str) -> int:
        """Return a size as ``util/ysaveload.h`` writes it: 32 bits, or a mark and 64 bits."""
        short = self.number(4, where)
        return short if short != 0xFFFFFFFF else self.number(8, where)

    def items(self, count: int, dtype: npt.DTypeLike, where: str) -> Column:
        """Return the next `count` items."""
        kind = np.dtype(dtype)
        return np.frombuffer(self.data, kind, count, self.skip(count * kind.itemsize, where))

    def part(self, where: str) -> Reader:
        """Return a reader of a piece that is announced by its size."""
        start = self.skip(self.size(where), where)
        return Reader(self.data, start, self.place)

    def buffer(self, where: str) -> Buffer:
        """Return a FlatBuffer that is announced by its size, in 64 bits."""
        start = self.skip(self.number(8, where), where)
        return Buffer(self.data, start, self.place, where)

    def magic(self, text: bytes, where: str) -> None:
        """Skip the mark that a piece begins with, and what fills it up to a multiple of 16 bytes."""
        require(self.take(len(text), where) == text, f"does not begin with {text!r}", where)
        self.skip(-len(text) % 16, where)


@dataclass(frozen=True, slots=True)
class Model:
    """A model taken apart as far as its frame goes.

    Attributes
    ----------
    core : Buffer
        Holds the trees.
    trees : int
        Where the one table ``TModelTrees`` begins.
    info : dict of bytes to bytes
        The metadata.
    parts : list of bytes
        What stands behind the core.
    behind : Reader
        Stands at the first of them.
    """

    core: Buffer
    trees: int
    info: dict[bytes, bytes]
    parts: list[bytes]
    behind: Reader


def parse(data: bytes) -> Model:
    """Take a model apart, checking its frame.

    Raises
    ------
    ValidationError
        It is no model, one of a newer format, or one that was cut off.
    """
    reader = Reader(data)
    magic = reader.take(4, f"{_WHERE} (header)")
    require(magic == MAGIC, f"begins with {magic!r}, so it is no model of CatBoost", f"{_WHERE} (header)")
    size = reader.size(f"{_WHERE} (core)")
    start = reader.skip(size, f"{_WHERE} (core)")
    require(size % 4 == 0, f"{size} bytes are not whole words", f"{_WHERE} (core)")
    core = Buffer(data, start, reader.place, _WHERE)
    version, trees, entries, ids, _ = core.root(_CORE)
    version = core.text(version, f"{_WHERE}.FormatVersion")
    if version != FORMAT:
        raise ValidationError(
            f"it has the format {version!r}, and {FORMAT!r} is the one that can be checked",
            path=f"{_WHERE}.FormatVersion",
            next_step="Upgrade skopsafe, or write the model with CatBoost 1.2.",
        )
    where = f"{_WHERE}.InfoMap"
    pairs = core.rows(_ENTRY, entries, where)
    info = {
        core.text(present(name, where), where): core.text(present(value, where), where)
        for name, value, _ in pairs
    }
    require(len(info) == len(pairs), "a name is there twice", where)
    where = f"{_WHERE}.ModelPartIds"
    parts = core.texts(ids, where)
    if parts and parts != [part for part in PARTS if part in parts]:
        refuse(f"{parts} is not a list of parts that CatBoost writes", where)
    if not trees:
        refuse("is missing", f"{_WHERE}.ModelTrees")
    return Model(core, trees, info, parts, reader)


def ordered(model: Model) -> bytes:
    """Return the model with its metadata in order of their names.

    The library keeps them in a hash table: each load and save may change their order, and nothing else. Its
    writer puts the trees at the end of the core and what is small before them; that front is written anew.
    """
    core = model.core
    # What the trees lead to lies behind them; only a table of fields may lie before its table.
    (trees,) = core.tables(_TREES, [model.trees], _WHERE)
    start = min(model.trees, model.trees - trees[-1])
    front = _front(model, (start - core.low) % 8, model.trees - start)
    size = len(front) + core.high - start
    header = struct.pack("<I", size) if size < 0xFFFFFFFF else struct.pack("<IQ", 0xFFFFFFFF, size)
    return b"".join((MAGIC, header, front, memoryview(core.data)[start:]))


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
    info = sorted(model.info.items())
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
