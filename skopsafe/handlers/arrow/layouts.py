"""Arrays of Arrow taken apart: what is visible of them, as tuples of plain arrays.

A layout is a tuple that begins with the length; what follows depends on the type (the table in
``docs/format.md``). Slices start at their own first item, what stands under a null is zero or
empty, and bits behind the last are zero, so that equal arrays give equal bytes and nothing of the memory
around them gets into a file. Source: the Arrow columnar format, "Physical Memory Layout".
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.graph.parts import Leaf

DTYPES: dict[str, str] = {
    **{f"int{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
    **dict.fromkeys(("date32", "time32"), "<i4"),
    **dict.fromkeys(("date64", "time64", "timestamp", "duration"), "<i8"),
}
"""Types whose items are numbers, and the dtype of these."""

WIDTHS = {"decimal32": 4, "decimal64": 8, "decimal128": 16, "decimal256": 32, "month_day_nano_interval": 16}
"""Types whose items are a number of bytes, beside ``fixed_size_binary``."""

OFFSETS = {
    **dict.fromkeys(("string", "binary", "list", "map", "list_view"), "<i4"),
    **dict.fromkeys(("large_string", "large_binary", "large_list", "large_list_view"), "<i8"),
    **dict.fromkeys(("string_view", "binary_view"), "<i8"),
}
"""Types whose items have different lengths, and the dtype of the offsets."""

Layout = tuple[Any, ...]


def pack(bits: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return bits as bytes, the least significant first."""
    return np.packbits(bits, bitorder="little")


def unpack(buffer: Any, offset: int, length: int) -> NDArray[np.bool_]:
    first = offset // 8
    found = np.frombuffer(buffer, np.uint8)[first : (offset + length + 7) // 8]
    bits = np.unpackbits(found, bitorder="little", count=offset - 8 * first + length)
    return bits[offset - 8 * first :].view(np.bool_)


def numbers(buffer: Any, dtype: Any, offset: int, length: int) -> NDArray[Any]:
    """Return the items of a buffer that an array shows; an array without items may have no buffer."""
    if not length:
        return np.zeros(0, dtype)
    size = np.dtype(dtype).itemsize
    return np.frombuffer(buffer, np.uint8)[offset * size : (offset + length) * size].view(dtype)


def _clean(values: NDArray[Any], valid: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return the values with zeros where they are null."""
    if valid is None or not values.size:
        return values
    empty = values[~valid]
    if not empty.view(np.uint8).any():
        return values
    values = values.copy()
    values[~valid] = 0
    return values


class Taker:
    """Takes arrays apart. Equal dictionaries of chunks are written once.

    Dictionaries are what the chunks of one array share; each chunk points to its own, though they are equal.
    """

    def __init__(self) -> None:
        self._dictionaries: dict[str, list[tuple[Any, Layout]]] = {}

    def take(self, array: Any, described: Any, place: str = "") -> Layout:
        """Return the layout of an array.

        Parameters
        ----------
        array : pyarrow.Array
            Must be valid.
        described : str or tuple
            The description of its type.
        place : str
            Where in the type this is.
        """
        name = described if isinstance(described, str) else described[0]
        length, offset = len(array), array.offset
        if name.startswith("arrow."):
            return self.take(array.storage, storage_of(name, described), f"{place}.storage")
        if name == "null":
            return (length,)
        if name == "run_end_encoded":
            return self._runs(array, described, place)
        if name in ("dense_union", "sparse_union"):
            return self._union(array, described, place)
        buffers = array.buffers()
        valid = None
        if array.null_count and buffers[0] is not None:
            valid = unpack(buffers[0], offset, length)
        if name == "dictionary" and length and not len(array.dictionary):
            # pyarrow gives items of null records the index 0, which an empty dictionary does not have.
            valid = np.zeros(length, np.bool_)
        head = (length, None if valid is None else Leaf(pack(valid)))
        if name == "struct":
            fields = enumerate(described[1:])
            return (
                *head,
                *(self.take(array.field(i), field[1], f"{place}.{i}") for i, field in fields),
            )
        if name == "bool":
            bits = unpack(buffers[1], offset, length) if length else np.zeros(0, np.bool_)
            return (*head, Leaf(pack(bits if valid is None else bits & valid)))
        if name in DTYPES:
            return (*head, Leaf(_clean(numbers(buffers[1], DTYPES[name], offset, length), valid)))
        if name in WIDTHS or name == "fixed_size_binary":
            width = WIDTHS.get(name) or described[1]
            found = numbers(buffers[1], np.uint8, offset * width, length * width)
            return (*head, Leaf(_clean(found.reshape(length, width), valid)))
        if name == "dictionary":
            indices = numbers(buffers[1], DTYPES[described[1]], offset, length)
            return (*head, Leaf(_clean(indices, valid)), self._dictionary(array, described, place))
        if name == "fixed_size_list":
            size = described[2]
            child = array.values.slice(offset * size, length * size)
            return (*head, self.take(child, described[1][1], f"{place}.items"))
        if name in ("string_view", "binary_view"):
            return self.take(self._without_views(array, name), f"large_{name.partition('_')[0]}", place)
        starts, sizes = self._extents(name, array, buffers, valid)
        ends = np.zeros(length + 1, OFFSETS[name])
        np.cumsum(sizes, out=ends[1:])
        if name in ("string", "binary", "large_string", "large_binary"):
            return (*head, Leaf(ends), Leaf(_content(buffers[2], starts, sizes)))
        if name == "map":
            children = [(array.keys, described[1]), (array.items, described[2])]
        else:
            children = [(array.values, described[1])]
        return (
            *head,
            Leaf(ends),
            *(
                self.take(self._gather(child, starts, sizes), field[1], f"{place}.{i}")
                for i, (child, field) in enumerate(children)
            ),
        )

    def _without_views(self, array: Any, name: str) -> Any:
        import pyarrow as pa

        return array.cast(pa.large_string() if name == "string_view" else pa.large_binary())

    def _gather(self, child: Any, starts: NDArray[Any], sizes: NDArray[Any]) -> Any:
        import pyarrow as pa

        pieces = [child.slice(begin, end - begin) for begin, end in runs_of(starts, sizes)]
        if not pieces:
            return child.slice(0, 0)
        return pieces[0] if len(pieces) == 1 else pa.concat_arrays(pieces)

    @staticmethod
    def _extents(
        name: str, array: Any, buffers: list[Any], valid: NDArray[np.bool_] | None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return where each item begins and how long it is; nulls have no length."""
        length, offset, dtype = len(array), array.offset, OFFSETS[name]
        if name.endswith("list_view"):
            starts, sizes = (numbers(buffer, dtype, offset, length) for buffer in buffers[1:3])
        elif length:
            found = numbers(buffers[1], dtype, offset, length + 1)
            starts, sizes = found[:-1], np.diff(found)
        else:
            starts = sizes = np.zeros(0, dtype)
        return starts, sizes if valid is None else np.where(valid, sizes, 0)

    def _dictionary(self, array: Any, described: Any, place: str) -> Layout:
        known = self._dictionaries.setdefault(place, [])
        found = array.dictionary
        for other, layout in known:
            if other.equals(found):
                return layout
        layout = self.take(found, described[2], f"{place}.dictionary")
        known.append((found, layout))
        return layout

    def _runs(self, array: Any, described: Any, place: str) -> Layout:
        length, offset = len(array), array.offset
        first, count = array.find_physical_offset(), array.find_physical_length()
        ends = array.run_ends.slice(first, count)
        found = numbers(ends.buffers()[1], DTYPES[described[1]], ends.offset, count)
        found = np.minimum(found.astype(np.int64) - offset, length).astype(DTYPES[described[1]])
        values = self.take(array.values.slice(first, count), described[2], f"{place}.values")
        return (length, Leaf(found), values)

    def _union(self, array: Any, described: Any, place: str) -> Layout:
        name, codes, *fields = described
        length, offset, buffers = len(array), array.offset, array.buffers()
        kinds = numbers(buffers[1], "<i1", offset, length)
        children = [array.field(number) for number in range(len(fields))]
        starts = np.zeros(length, "<i4")
        if name == "dense_union":
            found = numbers(buffers[2], "<i4", offset, length)
            for number, code in enumerate(codes):
                mine = kinds == code
                indices = found[mine]
                children[number] = self._gather(children[number], indices, np.ones(len(indices), np.int64))
                starts[mine] = np.arange(len(indices))
        layouts = [
            self.take(child, field[1], f"{place}.{i}")
            for i, (child, field) in enumerate(zip(children, fields, strict=True))
        ]
        return (length, Leaf(kinds), *([Leaf(starts)] if name == "dense_union" else []), *layouts)


def storage_of(name: str, described: Any) -> Any:
    if name == "arrow.uuid":
        return ("fixed_size_binary", 16)
    if name == "arrow.bool8":
        return "int8"
    if name == "arrow.fixed_shape_tensor":
        size = 1
        for length in described[2]:
            size *= length
        return ("fixed_size_list", ("item", described[1], True, None), size)
    return described[1]


def runs_of(starts: NDArray[Any], sizes: NDArray[Any]) -> list[tuple[int, int]]:
    """Return the stretches that items cover in their order: where each begins and ends."""
    shown = sizes > 0
    first = starts[shown].astype(np.int64)
    last = first + sizes[shown]
    if not first.size:
        return []
    breaks = np.flatnonzero(first[1:] != last[:-1])
    begins = first[np.concatenate([[0], breaks + 1])]
    ends = last[np.concatenate([breaks, [-1]])]
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def _content(buffer: Any, starts: NDArray[Any], sizes: NDArray[Any]) -> NDArray[np.uint8]:
    if buffer is None:
        return np.zeros(0, np.uint8)
    found = np.frombuffer(buffer, np.uint8)
    pieces = [found[begin:end] for begin, end in runs_of(starts, sizes)]
    return pieces[0] if len(pieces) == 1 else np.concatenate([found[:0], *pieces])
