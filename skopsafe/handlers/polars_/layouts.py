"""Series of polars taken apart: one tuple of plain arrays for each chunk.

A layout begins with the number of items; what follows depends on the type (the table in ``docs/format.md``).
Only the public methods of a series are used, so that nothing hidden behind nulls or slices gets into a file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.graph.parts import Leaf

NUMBERS = {
    **{f"Int{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UInt{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"Float{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    "Date": "<i4",
    **dict.fromkeys(("Time", "Datetime", "Duration"), "<i8"),
}
"""Types whose items are numbers, and the dtype of these."""
LONG = ("Int128", "UInt128", "Decimal")
"""Types whose items are integers of 128 bits."""
NESTED = ("List", "Array", "Struct")

Layout = tuple[Any, ...]


def storage_of(dtype: Any) -> Any:
    """Return the type of the lists of pairs that a map is."""
    import polars as pl

    return pl.List(pl.Struct({"key": dtype.key, "value": dtype.value}))


class Taker:
    """Takes the chunks of a series apart. Equal categories of chunks are written once."""

    def __init__(self) -> None:
        self._categories: dict[str, list[tuple[Any, Layout]]] = {}

    def take(self, series: Any, described: Any, place: str = "") -> Layout:
        """Return the layout of a series of one chunk, whose type has the description."""
        name = described if isinstance(described, str) else described[0]
        length = len(series)
        if name == "Null":
            return (length,)
        if name == "Map":
            _, key, value = described
            pairs = ("List", ("Struct", ("key", key), ("value", value)))
            return self.take(series.cast(storage_of(series.dtype)), pairs, place)
        valid = series.is_not_null().to_numpy() if series.null_count() else None
        head = (length, None if valid is None else Leaf(np.packbits(valid, bitorder="little")))
        shown = series if valid is None else series.filter(series.is_not_null())
        if name == "Boolean":
            return (*head, Leaf(np.packbits(series.fill_null(False).to_numpy(), bitorder="little")))
        if name in NUMBERS:
            plain = series.to_physical() if name in ("Date", "Time", "Datetime", "Duration") else series
            found = (plain if valid is None else plain.fill_null(0)).to_numpy()
            return (*head, Leaf(found.astype(NUMBERS[name], copy=False)))
        if name in LONG:
            return (*head, Leaf(_long(series, name)))
        if name in ("String", "Binary"):
            return (*head, *_texts(series))
        if name == "Enum":
            return (*head, Leaf(_numbers(shown.to_physical(), "<u4")))
        if name == "Categorical":
            return (*head, *self._categorical(shown, place))
        if name == "List":
            sizes = shown.list.len()
            ends = np.zeros(len(shown) + 1, "<i8")
            np.cumsum(sizes.to_numpy(), out=ends[1:])
            items = shown.filter(sizes > 0).explode() if ends[-1] else _none(shown.dtype.inner)
            return (*head, Leaf(ends), self.take(items, described[1], f"{place}.items"))
        if name == "Array":
            items = shown.explode() if len(shown) and described[2] else _none(shown.dtype.inner)
            return (*head, self.take(items, described[1], f"{place}.items"))
        fields = [shown.struct.field(field.name) for field in shown.dtype.fields]
        return (
            *head,
            *(
                self.take(field.rechunk(), inner[1], f"{place}.{i}")
                for i, (field, inner) in enumerate(zip(fields, described[1:], strict=True))
            ),
        )

    def _categorical(self, shown: Any, place: str) -> tuple[Any, ...]:
        import polars as pl

        texts = shown.cast(pl.String)
        found = texts.unique(maintain_order=True)
        known = self._categories.setdefault(place, [])
        layout = next((layout for other, layout in known if other.equals(found)), None)
        if layout is None:
            layout = self.take(found.rechunk(), "String")
            known.append((found, layout))
        codes = texts.cast(pl.Enum(found)).to_physical()
        return Leaf(_numbers(codes, "<u4")), layout


def _none(dtype: Any) -> Any:
    import polars as pl

    return pl.Series([], dtype=dtype)


def _numbers(series: Any, dtype: str) -> NDArray[Any]:
    found: NDArray[Any] = series.to_numpy().astype(dtype, copy=False)
    return found


def _texts(series: Any) -> tuple[Leaf, Leaf]:
    import polars as pl

    items = series.cast(pl.Binary).fill_null(b"").to_list()
    ends = np.zeros(len(items) + 1, "<i8")
    np.cumsum(np.fromiter(map(len, items), np.int64, len(items)), out=ends[1:])
    return Leaf(ends), Leaf(np.frombuffer(b"".join(items), np.uint8))


def _long(series: Any, name: str) -> NDArray[np.uint8]:
    items = series.to_list()
    if name == "Decimal":
        items = [None if item is None else _unscaled(item, series.dtype.scale) for item in items]
    content = b"".join((item or 0).to_bytes(16, "little", signed=name != "UInt128") for item in items)
    return np.frombuffer(content, np.uint8).reshape(len(items), 16)


def _unscaled(item: Any, scale: int) -> int:
    sign, digits, exponent = item.as_tuple()
    number = int("".join(map(str, digits)) or "0") * 10 ** (exponent + scale)
    return -number if sign else int(number)
