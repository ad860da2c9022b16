"""Layouts to arrays of Arrow: everything is checked before Arrow looks at it.

``Array.from_buffers`` looks at the sizes of buffers and at the ends of offsets, and believes the rest; the
documents of Arrow ask for ``validate(full=True)`` for what comes from strangers ("Security Considerations").
That would look at a dictionary once for each chunk that shares it. So the length and dtype of every buffer
is settled here first, then what points from one into another; and Arrow itself checks in full what has no
children: UTF-8, and the ranges of times and decimals.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.graph.parts import Context
from skopsafe.handlers.arrow.datatypes import Spec
from skopsafe.handlers.arrow.layouts import DTYPES, OFFSETS, WIDTHS
from skopsafe.handlers.checks import array, in_range, integer, require
from skopsafe.handlers.content import Content

_LONGEST = 2**40
"""Items of an array; runs can say so in a few bytes."""
_MOST_NULLS = 2**31 - 1
_SIZED = ("fixed_size_list", "fixed_size_binary")
_WINDOW = 2**30
_INLINE = 12


class Maker:
    """Makes the arrays of one table, column or array."""

    def __init__(self, context: Context, content: Content | None = None) -> None:
        self._context = context
        self.content = Content() if content is None else content
        self._dictionaries: dict[tuple[int, int], Any] = {}
        self._seen: set[int] = set()

    def make(self, spec: Spec, layout: object, where: str) -> Any:
        """Return the array of a type that a layout describes; `content` counts its items."""
        require(isinstance(layout, tuple) and layout, "malformed", where)
        assert isinstance(layout, tuple)
        require(id(layout) not in self._seen, "a part of it stands twice", where)
        self._seen.add(id(layout))
        made = self._make(spec, layout, where)
        require(made.type.equals(spec.type, check_metadata=True), "of another type", where)
        return made

    def _make(self, spec: Spec, layout: tuple[Any, ...], where: str) -> Any:
        import pyarrow as pa

        name = spec.name
        if name.startswith("arrow."):
            self._seen.discard(id(layout))
            return pa.ExtensionArray.from_storage(spec.type, self.make(spec.inner[0], layout, where))
        length = integer(layout[0], f"{where}.length", 0, _LONGEST)
        if name == "null" or (name == "struct" and not spec.inner) or (name in _SIZED and not spec.size):
            require(length <= _MOST_NULLS, "too long", f"{where}.length")
            self.content.free += length
        if name == "null":
            require(len(layout) == 1, "malformed", where)
            return pa.Array.from_buffers(spec.type, length, [None])
        if name == "run_end_encoded":
            return self._runs(spec, length, layout, where)
        if name in ("dense_union", "sparse_union"):
            return self._union(spec, length, layout, where)
        require(len(layout) == _parts(spec), "malformed", where)
        valid = None
        if layout[1] is not None:
            valid = self._buffer(layout[1], "|u1", ((length + 7) // 8,), f"{where}.validity")
        if name in ("struct", "fixed_size_list"):
            size = length * (spec.size if name == "fixed_size_list" else 1)
            require(size <= _LONGEST, "too long", where)
            children = [
                self._child(inner, part, size, f"{where}.children[{number}]")
                for number, (inner, part) in enumerate(zip(spec.inner, layout[2:], strict=True))
            ]
            return pa.Array.from_buffers(spec.type, length, [_wrap(valid)], children=children)
        if name == "dictionary":
            return self._dictionary(spec, length, valid, layout, where)
        if name in OFFSETS:
            return self._varying(spec, length, valid, layout, where)
        if name == "bool":
            values = self._buffer(layout[2], "|u1", ((length + 7) // 8,), f"{where}.values")
        elif name in DTYPES:
            values = self._buffer(layout[2], DTYPES[name], (length,), f"{where}.values")
        else:
            width = WIDTHS.get(name, spec.size)
            values = self._buffer(layout[2], "|u1", (length, width), f"{where}.values")
        return _validated(spec, length, [valid, values], where)

    def _buffer(self, number: object, dtype: str, shape: tuple[int | None, ...], where: str) -> NDArray[Any]:
        found = self._context.array(number)
        array(found, where, shape=shape)
        require(found.dtype == np.dtype(dtype), f"dtype {found.dtype} is not {dtype}", where)
        if not found.flags.c_contiguous or found.ctypes.data % 8:
            # A crafted file can place a mapped array anywhere; Arrow expects items where the machine does.
            found = np.array(found, order="C", copy=True)
        found.flags.writeable = False
        self.content.full += found.size
        return found

    def _child(self, spec: Spec, layout: object, length: int, where: str) -> Any:
        made = self.make(spec, layout, where)
        require(len(made) == length, f"{len(made)} items instead of {length}", where)
        return made

    def _varying(
        self, spec: Spec, length: int, valid: NDArray[Any] | None, layout: tuple[Any, ...], where: str
    ) -> Any:
        import pyarrow as pa

        name = spec.name
        offsets = self._buffer(layout[2], OFFSETS[name], (length + 1,), f"{where}.offsets")
        require(offsets[0] == 0, "does not begin with 0", f"{where}.offsets")
        require(bool((offsets[1:] >= offsets[:-1]).all()), "decreases", f"{where}.offsets")
        size = int(offsets[-1])
        if not spec.inner:
            data = self._buffer(layout[3], "|u1", (size,), f"{where}.data")
            if name.endswith("_view"):
                return _validated(spec, length, [valid, *_views(offsets, data, where)], where)
            return _validated(spec, length, [valid, offsets, data], where)
        children = [
            self._child(inner, part, size, f"{where}.children[{number}]")
            for number, (inner, part) in enumerate(zip(spec.inner, layout[3:], strict=True))
        ]
        buffers = [valid, offsets]
        if name == "map":
            require(not children[0].null_count, "is null", f"{where}.children[0]")
            fields = [spec.type.key_field, spec.type.item_field]
            children = [pa.Array.from_buffers(pa.struct(fields), size, [None], children=children)]
        elif name.endswith("_view"):
            buffers = [valid, offsets[:-1], np.diff(offsets)]
        return pa.Array.from_buffers(spec.type, length, list(map(_wrap, buffers)), children=children)

    def _dictionary(
        self, spec: Spec, length: int, valid: NDArray[Any] | None, layout: tuple[Any, ...], where: str
    ) -> Any:
        import pyarrow as pa

        index, value = spec.inner
        indices = self._buffer(layout[2], DTYPES[index.name], (length,), f"{where}.indices")
        key = (id(layout[3]), id(value))
        values = self._dictionaries.get(key)
        if values is None:
            values = self._dictionaries[key] = self.make(value, layout[3], f"{where}.dictionary")
        # Nulls are zero, also where the dictionary is empty.
        shown = indices
        if valid is not None:
            shown = indices[np.unpackbits(valid, bitorder="little", count=length).view(np.bool_)]
            in_range(indices, f"{where}.indices", 0, max(len(values), 1))
        in_range(shown, f"{where}.indices", 0, len(values))
        wrapped = pa.Array.from_buffers(index.type, length, [_wrap(valid), _wrap(indices)])
        return pa.DictionaryArray.from_arrays(wrapped, values, ordered=spec.type.ordered, safe=False)

    def _runs(self, spec: Spec, length: int, layout: tuple[Any, ...], where: str) -> Any:
        import pyarrow as pa

        require(len(layout) == 3, "malformed", where)
        index, value = spec.inner
        ends = self._buffer(layout[1], DTYPES[index.name], (None,), f"{where}.run_ends")
        require((ends[-1] if len(ends) else 0) == length, "is not the length", f"{where}.run_ends")
        require(not len(ends) or ends[0] > 0, "does not increase", f"{where}.run_ends")
        require(bool((ends[1:] > ends[:-1]).all()), "does not increase", f"{where}.run_ends")
        values = self._child(value, layout[2], len(ends), f"{where}.values")
        wrapped = pa.Array.from_buffers(index.type, len(ends), [None, _wrap(ends)])
        return pa.RunEndEncodedArray.from_buffers(spec.type, length, [None], 0, 0, [wrapped, values])

    def _union(self, spec: Spec, length: int, layout: tuple[Any, ...], where: str) -> Any:
        import pyarrow as pa

        dense = spec.name == "dense_union"
        require(len(layout) == 2 + dense + len(spec.inner), "malformed", where)
        kinds = self._buffer(layout[1], "|i1", (length,), f"{where}.types")
        require(bool(np.isin(kinds, spec.codes).all()), "is no type of the union", f"{where}.types")
        offsets = self._buffer(layout[2], "<i4", (length,), f"{where}.offsets") if dense else None
        children = []
        for number, (inner, part) in enumerate(zip(spec.inner, layout[2 + dense :], strict=True)):
            place = f"{where}.children[{number}]"
            mine = kinds == spec.codes[number]
            count = int(np.count_nonzero(mine)) if dense else length
            children.append(self._child(inner, part, count, place))
            if offsets is not None:
                fits = np.array_equal(offsets[mine], np.arange(count))
                require(fits, "does not count the items of each type", f"{where}.offsets")
        buffers = [None, _wrap(kinds)] if offsets is None else [None, _wrap(kinds), _wrap(offsets)]
        return pa.Array.from_buffers(spec.type, length, buffers, null_count=0, children=children)


def _parts(spec: Spec) -> int:
    """Return how many parts the layout of a type has whose arrays can be null."""
    if spec.name == "dictionary":
        return 4
    varies = spec.name in OFFSETS
    is_leaf = not spec.inner and spec.name != "struct"
    return 2 + varies + is_leaf + len(spec.inner)


def _wrap(found: NDArray[Any] | None) -> Any:
    import pyarrow as pa

    return None if found is None else pa.py_buffer(found)


def _validated(spec: Spec, length: int, buffers: list[NDArray[Any] | None], where: str) -> Any:
    import pyarrow as pa

    made = pa.Array.from_buffers(spec.type, length, list(map(_wrap, buffers)))
    try:
        made.validate(full=True)
    except pa.ArrowException as error:
        require(False, f"not valid: {error}", where)
    return made


def _views(offsets: NDArray[Any], data: NDArray[Any], where: str) -> list[NDArray[Any]]:
    """Return the views into texts that stand one behind the other, and the buffers they point into.

    A view is the length, then either the text, if it has up to twelve bytes, or its first four bytes, the
    number of a buffer and an offset of 32 bits. The buffers are windows of the data, each of which begins a
    gigabyte behind the one before.
    """
    starts, sizes = offsets[:-1], np.diff(offsets)
    require(not sizes.size or sizes.max() < _WINDOW, "an item is too long", f"{where}.offsets")
    views = np.zeros((len(sizes), 16), np.uint8)
    views[:, :4] = sizes.astype("<i4")[:, None].view(np.uint8)
    short = sizes <= _INLINE
    for place in range(_INLINE):
        reach = np.flatnonzero(short & (sizes > place)) if place >= 4 else np.flatnonzero(sizes > place)
        views[reach, 4 + place] = data[starts[reach] + place]
    far = np.flatnonzero(~short)
    views[far, 8:12] = (starts[far] // _WINDOW).astype("<i4")[:, None].view(np.uint8)
    views[far, 12:] = (starts[far] % _WINDOW).astype("<i4")[:, None].view(np.uint8)
    windows = math.ceil(len(data) / _WINDOW) if far.size else 0
    return [views, *(data[place * _WINDOW : (place + 2) * _WINDOW] for place in range(windows))]
