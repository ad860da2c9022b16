"""The binary form of a model, ``.cbm``: what stands where in it, and one order of its metadata.

``CBM1``, the size of the core, the core (a FlatBuffer, ``TModelCore``), and then the parts that the core
names, one after the other. Source: ``catboost/libs/model/model.cpp`` (``TFullModel::Save`` and ``Load``) and
``flatbuffers/model.fbs``, in CatBoost 1.2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from skopsafe.errors import ValidationError
from skopsafe.handlers.catboost.flat import Buffer, Column, Kind, refuse
from skopsafe.handlers.checks import require

MAGIC = b"CBM1"
FORMAT = b"FlabuffersModel_v1"
_WHERE = "CatBoost.model"
CTRS, TEXTS, EMBEDDINGS = b"static_provider_v1", b"text_process_v2\0", b"embed_process_1\0"
PARTS = (CTRS, TEXTS, EMBEDDINGS)
"""What may stand behind the core, in the order in which the library writes it."""
_CORE = Kind("FormatVersion:text ModelTrees:table InfoMap:4 ModelPartIds:4")
_ENTRY = Kind("Key:text Value:text")


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
    info: dict[bytes, bytes] = {}
    for (name, length), (value, size), _ in pairs:
        if not (name and value):
            refuse("is missing", where)
        core.spend(length + size, where)
        info[data[name : name + length]] = data[value : value + size]
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
    start = min(model.trees, model.trees - struct.unpack_from("<i", core.data, model.trees)[0])
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
    entries = []
    behind = 12 + 4 * len(model.info)  # how far behind their table of fields the next entry begins
    for name, value in sorted(model.info.items()):
        spelled = _text(name)
        entry = struct.pack("<iII", behind, 8, 4 + len(spelled)) + spelled + _text(value)
        entries.append(entry)
        behind += len(entry)
    # A table of fields, of four offsets, stands before the root; one of two stands before the entries.
    root, head = 16, 36
    out = bytearray(_text(FORMAT))
    info = parts = 0
    if entries:
        out += struct.pack("<4H", 8, 12, 4, 8)
        info = head + len(out) - (root + 12)
        out += _vector(entries)
    if model.parts:
        parts = head + len(out) - (root + 16)
        out += _vector([_text(part) for part in model.parts])
    out += bytes((shift - head - len(out)) % 8)
    fields = 12, 20, 4, 8, 12 if info else 0, 16 if parts else 0
    links = head - (root + 4), head + len(out) + into - (root + 8), info, parts
    return struct.pack("<I6Hi4I", root, *fields, root - 4, *links) + out


def _vector(items: list[bytes]) -> bytes:
    """Return a vector of offsets, and behind it what they lead to."""
    count = len(items)
    starts = accumulate(map(len, items), initial=4 * count)
    offsets = [start - place for start, place in zip(starts, range(0, 4 * count, 4), strict=False)]
    return struct.pack(f"<{1 + count}I", count, *offsets) + b"".join(items)


def _text(text: bytes) -> bytes:
    padding = 4 - len(text) % 4  # one byte at least: the end mark
    return struct.pack("<I", len(text)) + text + bytes(padding)
