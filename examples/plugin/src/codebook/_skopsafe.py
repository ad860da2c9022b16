"""How skopsafe takes a codebook apart, and builds one from a file that may be hostile."""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.plugin import Context, Handler, Leaf, Library, Parts, array, require

_PARTS = ("settings", "buffer", "offsets", "labels")


def _get(book: Any) -> Parts:
    if not hasattr(book, "_buffer"):
        return Parts(("settings",), [book.settings])
    arrays = [Leaf(np.ascontiguousarray(found)) for found in (book._buffer, book._offsets, book._labels)]
    return Parts(_PARTS, [book.settings, *arrays])


def _load(names: tuple[str, ...] | None, values: list[Any], context: Context) -> Any:
    cls = context.resolve()  # the approved class; imports codebook
    from codebook import Settings

    require(names in (_PARTS, _PARTS[:1]), "unknown form", "Codebook")
    require(type(values[0]) is Settings, "not a Settings", "Codebook.settings")
    book = cls(values[0])
    if names == _PARTS:
        buffer, offsets, labels = (context.array(number) for number in values[1:])
        array(buffer, "Codebook.buffer", kinds="f", ndim=1)
        array(offsets, "Codebook.offsets", kinds="i", ndim=1)
        array(labels, "Codebook.labels", kinds="i", shape=(len(offsets) - 1,))
        require(buffer.dtype == np.float64 and len(offsets) > 1, "malformed", "Codebook.buffer")
        width = int(offsets[1])
        expected = np.arange(len(offsets)) * width
        require(width > 0 and np.array_equal(offsets, expected), "not evenly spaced", "Codebook.offsets")
        require(len(buffer) == offsets[-1], "not as long as the offsets say", "Codebook.buffer")
        book._buffer, book._offsets, book._labels = buffer, offsets, labels
    return book


LIBRARY = Library(handlers=(Handler("codebook:Codebook", _get, _load),))
