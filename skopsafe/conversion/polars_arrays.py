"""Columns of polars out of the batches of an Arrow stream, and their layouts: see ``polars_/layouts.py``.

Nothing of a batch is believed: lengths, offsets and views are checked when a column is read, and what is
hidden behind nulls gets into no layout.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.conversion import views as views_of
from skopsafe.conversion.rules import Budget, require
from skopsafe.foreign.arrow_ipc import Batch, Field
from skopsafe.graph.parts import Leaf
from skopsafe.handlers.arrow.layouts import pack, unpack
from skopsafe.handlers.polars_.layouts import LONG, NUMBERS, Layout

Bits = NDArray[np.bool_]
Rows = NDArray[np.int64]
_ROW = 4
"""What a number of a row counts as: a column of bits has eight rows for a byte."""


@dataclass(slots=True)
class Column:
    """Items of one type, as they stand in a batch.

    Attributes
    ----------
    described : str or tuple
        The description of the type.
    length : int
        How many.
    valid : NDArray[bool] or None
        Which are no null; None where none is.
    items : NDArray or None
        Numbers, truth values, views, offsets of lists or numbers of categories.
    data : list of memoryview
        What views lead into.
    children : list of Column
        What it is made of.
    categories : Column or None
        The texts that its items are numbers of.
    """

    described: Any
    length: int
    valid: Bits | None
    items: NDArray[Any] | None = None
    data: list[memoryview] = field(default_factory=list)
    children: list[Column] = field(default_factory=list)
    categories: Column | None = None


class Reader:
    """Reads the columns of one batch, a field after the other.

    Parameters
    ----------
    batch : Batch
        The batch.
    dictionaries : dict of int to Column
        The categories of the stream.
    """

    def __init__(self, batch: Batch, dictionaries: dict[int, Column]) -> None:
        self._nodes = iter(batch.nodes)
        self._buffers = iter(batch.buffers)
        self._variadic = iter(batch.variadic)
        self._dictionaries = dictionaries

    def column(self, kind: Field, described: Any, length: int | None) -> Column:
        """Read a field, which has to be of a length if that is known."""
        name = described if isinstance(described, str) else described[0]
        node = next(self._nodes, None)
        require(node is not None, "a column is missing")
        assert node is not None
        size, nulls = node
        require(length is None or size == length, "a column is of another length")
        if name == "Null":
            return Column(described, size, None)
        made = Column(described, size, self._valid(size, nulls))
        if name in ("Categorical", "Enum"):
            made.items = self._items("<u4" if name == "Categorical" else _index(kind), size)
            made.categories = self._dictionaries.get(-1 if kind.dictionary is None else kind.dictionary)
            require(made.categories is not None, "its categories are missing")
        elif name == "Boolean":
            made.items = _bits(self._next(), size)
        elif name in LONG:
            made.items = self._items("u1", 16 * size).reshape(size, 16)
        elif name in NUMBERS:
            made.items = self._items(NUMBERS[name], size)
        elif name in ("String", "Binary"):
            made.items = self._items("u1", 16 * size).reshape(size, 16)
            count = next(self._variadic, -1)
            require(0 <= count < 2**16, "the number of its buffers is missing")
            made.data = [self._next() for _ in range(count)]
        elif name == "List":
            made.items = self._items("<i8", size + 1 if size else 0)
            child = self.column(kind.children[0], described[1], None)
            ends = made.items
            if size:
                require(ends[0] >= 0 and ends[-1] <= child.length, "an offset lies outside")
                require(bool((ends[1:] >= ends[:-1]).all()), "its offsets decrease")
            made.children = [child]
        elif name == "Array":
            require(0 <= described[2] < 2**31 and size * described[2] < 2**48, "its width is malformed")
            made.children = [self.column(kind.children[0], described[1], size * described[2])]
        else:
            fields = zip(kind.children, described[1:], strict=True)
            made.children = [self.column(child, inner[1], size) for child, inner in fields]
        return made

    def require_end(self) -> None:
        """Require that the batch has nothing that no field takes."""
        left = [next(each, None) for each in (self._nodes, self._buffers, self._variadic)]
        require(left == [None] * 3, "there is more in a batch than in its columns")

    def _next(self) -> memoryview:
        found = next(self._buffers, None)
        require(found is not None, "a buffer is missing")
        assert found is not None
        return found

    def _items(self, dtype: str, count: int) -> NDArray[Any]:
        buffer, size = self._next(), np.dtype(dtype).itemsize
        require(len(buffer) >= count * size, "a buffer is too short")
        return np.frombuffer(buffer[: count * size], np.uint8).view(dtype)

    def _valid(self, count: int, nulls: int) -> Bits | None:
        buffer = self._next()
        return _bits(buffer, count) if nulls or len(buffer) else None


def _index(kind: Field) -> str:
    """Return the dtype of the numbers of categories."""
    bits = 32 if kind.index is None else kind.index.number(0, "i")
    require(bits in (8, 16, 32), "its categories have numbers of another size")
    return f"<u{bits // 8}"


def _bits(buffer: memoryview, count: int) -> Bits:
    require(len(buffer) * 8 >= count, "a buffer is too short")
    return unpack(buffer, 0, count)


class Taker:
    """Takes columns apart.

    Parameters
    ----------
    budget : Budget
        What may still be copied.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._categories: dict[tuple[str, bytes], Layout] = {}

    def take(self, column: Column, rows: Rows | None = None, place: str = "") -> Layout:
        """Return the layout of some rows of a column, or of all."""
        described, length = column.described, column.length if rows is None else len(rows)
        name = described if isinstance(described, str) else described[0]
        if name == "Null":
            return (length,)
        valid = None if column.valid is None else self._pick(column.valid, rows)
        if valid is not None and valid.all():
            valid = None
        head = (length, None if valid is None else Leaf(pack(valid)))
        shown = rows
        if valid is not None:
            self._budget.spend(_ROW * length)
            shown = np.flatnonzero(valid) if rows is None else rows[valid]
        if name == "Array":
            below = self._spread(shown, described[2])
            return (*head, self.take(column.children[0], below, f"{place}.items"))
        if name == "Struct":
            parts = enumerate(column.children)
            return (*head, *(self.take(child, shown, f"{place}.{i}") for i, child in parts))
        items = column.items
        assert items is not None
        if name == "List":
            return (*head, *self._list(column, items, shown, place))
        if name == "Enum":
            codes = self._pick(items, shown).astype("<u4")
            require(not len(codes) or codes.max() < len(described[1]), "an item is no category")
            return (*head, Leaf(codes))
        if name == "Categorical":
            return (*head, *self._categorical(column, self._pick(items, shown), place))
        if name in ("String", "Binary"):
            return (*head, *self._texts(column, self._pick(items, rows), valid))
        found = self._pick(items, rows)
        if valid is not None:
            found = found.copy()
            found[~valid] = 0
        return (*head, Leaf(pack(found)) if name == "Boolean" else Leaf(found))

    def _pick(self, items: NDArray[Any], rows: Rows | None) -> NDArray[Any]:
        if rows is None:
            return items
        self._budget.spend(len(rows) * (items.nbytes // max(len(items), 1)))
        return items[rows]

    def _spread(self, rows: Rows | None, width: int) -> Rows | None:
        if rows is None:
            return None
        self._budget.spend(_ROW * len(rows) * width)
        return (rows[:, None] * width + np.arange(width)).reshape(-1)

    def _list(self, column: Column, items: NDArray[Any], shown: Rows | None, place: str) -> tuple[Any, ...]:
        if not column.length:
            items = np.zeros(1, "<i8")
        starts = self._pick(items[:-1], shown)
        sizes = self._pick(items[1:], shown) - starts
        ends = np.zeros(len(sizes) + 1, "<i8")
        np.cumsum(sizes, out=ends[1:])
        child = column.children[0]
        if ends[-1] == child.length:  # all of its items, as offsets do not decrease
            return Leaf(ends), self.take(child, None, f"{place}.items")
        self._budget.spend(_ROW * int(ends[-1]))
        rows = np.repeat(starts - ends[:-1], sizes) + np.arange(ends[-1])
        return Leaf(ends), self.take(child, rows, f"{place}.items")

    def _categorical(self, column: Column, codes: NDArray[Any], place: str) -> tuple[Any, ...]:
        texts = column.categories
        assert texts is not None
        require(not len(codes) or codes.max() < texts.length, "an item is no category")
        used, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        order = np.argsort(first, kind="stable")  # categories stand in the order in which they come up
        new = np.empty(len(used), "<u4")
        new[order] = np.arange(len(used))
        found = used[order].astype(np.int64)
        key = place, found.tobytes()
        if key not in self._categories:
            self._categories[key] = self.take(texts, found)
        return Leaf(new[inverse]), self._categories[key]

    def _texts(self, column: Column, views: NDArray[Any], valid: Bits | None) -> tuple[Leaf, Leaf]:
        ends, data = views_of.joined(views, valid, column.data, self._budget)
        return Leaf(ends), Leaf(data)

    def texts(self, column: Column) -> list[str]:
        """Return the texts of a column without nulls."""
        head = self.take(column)
        require(head[1] is None, "a category is missing")
        ends, data = head[2].array.tolist(), head[3].array.tobytes()
        try:
            return [data[a:b].decode() for a, b in itertools.pairwise(ends)]
        except UnicodeDecodeError:
            require(False, "a category is not UTF-8")
            raise
