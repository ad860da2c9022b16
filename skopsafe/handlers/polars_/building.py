"""Layouts to series of polars: checked, and then made by public functions that check too.

polars itself does not look again at what it is handed as Arrow memory, or reads from its own format. Here it
gets numpy arrays of numbers, `bytes`, and indices, which it copies.
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.graph.parts import Context
from skopsafe.handlers.checks import array, in_range, integer, require
from skopsafe.handlers.content import Content
from skopsafe.handlers.polars_.layouts import LONG, NUMBERS, storage_of

_LONGEST = 2**31 - 1
"""Items of a series: what polars counts with."""
_DAY = 86_400 * 10**9


class Maker:
    """Makes the chunks of one series."""

    def __init__(self, context: Context, content: Content) -> None:
        self._context = context
        self._content = content
        self._categories: dict[tuple[int, int], Any] = {}
        self._seen: set[int] = set()

    def make(self, dtype: Any, layout: object, where: str) -> Any:
        """Return the series of a data type that a layout describes."""
        import polars as pl

        require(isinstance(layout, tuple) and len(layout) > 0, "malformed", where)
        assert isinstance(layout, tuple)
        if type(dtype).__name__ == "Map":
            return self.make(storage_of(dtype), layout, where).cast(dtype)
        require(id(layout) not in self._seen, "a part of it stands twice", where)
        self._seen.add(id(layout))
        length = integer(layout[0], f"{where}.length", 0, _LONGEST)
        name = type(dtype).__name__
        is_empty = name == "Struct" and not dtype.fields
        if name == "Null" or is_empty or (name == "Array" and not dtype.size):
            self._content.free += length
            if name != "Null":  # each of these is made, nulls are not
                self._content.require_full(f"{where}.length")
        if name == "Null":
            require(len(layout) == 1, "malformed", where)
            one = pl.Series([None], dtype=pl.Null)
            return one.new_from_index(0, length) if length else one.clear()
        varies = name in ("String", "Binary", "Categorical", "List")
        parts = 2 + len(dtype.fields) if name == "Struct" else 4 if varies else 3
        require(len(layout) == parts, "malformed", where)
        valid, count = None, length
        if layout[1] is not None:
            bits = self._array(layout[1], "|u1", ((length + 7) // 8,), f"{where}.validity")
            valid = np.unpackbits(bits, bitorder="little", count=length).view(np.bool_)
            count = int(np.count_nonzero(valid))
        if is_empty:
            shown: list[Any] = (
                [{}] * length if valid is None else [{} if bit else None for bit in valid.tolist()]
            )
            made = pl.Series(shown, dtype=dtype)
        elif name in ("Enum", "Categorical", "List", "Array", "Struct"):
            made = self._nested(dtype, name, count, layout, where)
            made = made if valid is None else _with_nulls(made, valid)
        else:
            made = self._flat(dtype, name, length, layout, where)
            if valid is not None:
                frame = pl.DataFrame({"items": made, "valid": valid})
                made = frame.select(pl.when("valid").then("items")).to_series()
        require(made.dtype == dtype and len(made) == length, "of another type or length", where)
        return made

    def _array(self, number: object, dtype: str, shape: tuple[int | None, ...], where: str) -> NDArray[Any]:
        found = array(self._context.array(number), where, shape=shape)
        require(found.dtype == np.dtype(dtype), f"dtype {found.dtype} is not {dtype}", where)
        self._content.full += found.size
        return np.ascontiguousarray(found)

    def _flat(self, dtype: Any, name: str, length: int, layout: tuple[Any, ...], where: str) -> Any:
        import polars as pl

        place = f"{where}.values"
        if name == "Boolean":
            bits = self._array(layout[2], "|u1", ((length + 7) // 8,), place)
            return pl.Series(np.unpackbits(bits, bitorder="little", count=length).view(np.bool_))
        if name in NUMBERS:
            values = self._array(layout[2], NUMBERS[name], (length,), place)
            if name == "Time":
                in_range(values, place, 0, _DAY)
            made = pl.Series(values)
            return made if made.dtype == dtype else made.cast(dtype)
        if name in LONG:
            rows = self._array(layout[2], "|u1", (length, 16), place)
            return _long(dtype, name, rows, place)
        items = self._texts(layout[2], layout[3], length, where)
        made = pl.Series(items, dtype=pl.Binary)
        return made if name == "Binary" else made.cast(pl.String)  # which looks whether it is UTF-8

    def _texts(self, offsets: object, data: object, length: int, where: str) -> list[bytes]:
        ends = self._offsets(offsets, length, where)
        content = self._array(data, "|u1", (int(ends[-1]),), f"{where}.data").tobytes()
        places = ends.tolist()
        return [content[a:b] for a, b in itertools.pairwise(places)]

    def _offsets(self, number: object, length: int, where: str) -> NDArray[Any]:
        ends = self._array(number, "<i8", (length + 1,), f"{where}.offsets")
        require(ends[0] == 0, "does not begin with 0", f"{where}.offsets")
        require(bool((ends[1:] >= ends[:-1]).all()), "decreases", f"{where}.offsets")
        return ends

    def _nested(self, dtype: Any, name: str, count: int, layout: tuple[Any, ...], where: str) -> Any:
        """Return the series of the items that are not null."""
        import polars as pl

        if name in ("Enum", "Categorical"):
            codes = self._array(layout[2], "<u4", (count,), f"{where}.codes")
            known = dtype.categories.cast(dtype) if name == "Enum" else self._known(dtype, layout[3], where)
            in_range(codes, f"{where}.codes", 0, len(known))
            return known.gather(pl.Series(codes)) if count else known.clear()
        if name == "List":
            ends = self._offsets(layout[2], count, where)
            items = self._items(dtype.inner, layout[3], int(ends[-1]), where)
            return _lists(items, np.diff(ends), dtype)
        if name == "Array":
            size = dtype.size
            items = self._items(dtype.inner, layout[2], count * size, where)
            if not count or not size:
                one = pl.Series([[]], dtype=dtype) if count else pl.Series([], dtype=dtype)
                return one.new_from_index(0, count) if count else one
            if type(dtype.inner).__name__ in NUMBERS:
                return items.reshape((count, size)).cast(dtype)
            # Of anything else, reshape counts what is innermost.
            return _lists(items, np.full(count, size), pl.List(dtype.inner)).list.to_array(size)
        fields = [
            self._items(field.dtype, part, count, where, f"children[{number}]").alias(field.name)
            for number, (field, part) in enumerate(zip(dtype.fields, layout[2:], strict=True))
        ]
        return pl.DataFrame(fields).to_struct("")

    def _items(self, dtype: Any, layout: object, length: int, where: str, part: str = "items") -> Any:
        made = self.make(dtype, layout, f"{where}.{part}")
        require(len(made) == length, f"{len(made)} items instead of {length}", f"{where}.{part}")
        return made

    def _known(self, dtype: Any, layout: object, where: str) -> Any:
        import polars as pl

        key = (id(layout), id(dtype))
        found = self._categories.get(key)
        if found is None:
            texts = self.make(pl.String(), layout, f"{where}.categories")
            require(not texts.null_count(), "is null", f"{where}.categories")
            found = self._categories[key] = texts.cast(dtype)
        return found


def _with_nulls(items: Any, valid: NDArray[np.bool_]) -> Any:
    """Return the items at the places that are valid, and null at the others."""
    import polars as pl

    source = items.append(pl.Series(items.name, [None], dtype=items.dtype))
    places = np.where(valid, np.cumsum(valid) - 1, len(source) - 1)
    return source.gather(pl.Series(places.astype(np.uint32)))


def _lists(items: Any, sizes: NDArray[Any], dtype: Any) -> Any:
    """Cut a series into lists of these sizes."""
    import polars as pl

    full = np.flatnonzero(sizes)
    empty = pl.Series([[]], dtype=dtype)
    if not full.size:
        return empty.new_from_index(0, len(sizes)) if len(sizes) else empty.clear()
    rows = pl.Series(np.repeat(np.arange(len(full), dtype=np.uint32), sizes[full]))
    frame = pl.DataFrame({"row": rows, "items": items})
    made = frame.group_by("row", maintain_order=True).agg("items").get_column("items")
    if len(full) == len(sizes):
        return made
    places = np.full(len(sizes), len(full), np.uint32)
    places[full] = np.arange(len(full))
    return made.append(empty.alias(made.name)).gather(pl.Series(places))


def _long(dtype: Any, name: str, rows: NDArray[Any], where: str) -> Any:
    import polars as pl

    content = rows.tobytes()
    signed = name != "UInt128"
    items: list[Any] = [
        int.from_bytes(content[i : i + 16], "little", signed=signed) for i in range(0, len(content), 16)
    ]
    if name == "Decimal":
        most = 10 ** (dtype.precision or 38)
        require(all(-most < item < most for item in items), "has too many digits", where)
        items = [Decimal((int(item < 0), tuple(map(int, str(abs(item)))), -dtype.scale)) for item in items]
    return pl.Series(items, dtype=dtype)
