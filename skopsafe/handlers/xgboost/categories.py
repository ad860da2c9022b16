"""The categories that a data frame had at training (``src/data/cat_container.cc``), since xgboost 3.1.

They are searched by ``sorted_idx``, in the columns that ``feature_segments`` cuts, and texts by ``offsets``
(``src/encoder/ordinal.h``); nothing there is compared with the lengths.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.handlers.checks import require
from skopsafe.handlers.xgboost.params import members

Array = np.ndarray[Any, np.dtype[Any]]

_KINDS = {9: ">i1", 10: ">u1", 11: ">i2", 13: ">i4", 15: ">i8"}
"""The numbers of the types that the writer has arrays for (``Value::ValueKind``)."""
_UNSIGNED = {12: ">i2", 14: ">i4", 16: ">i8"}
"""The same since 3.4, which writes wide unsigned numbers as signed ones of their bits."""


def _array(value: Any, dtype: str, where: str) -> Array:
    fits = isinstance(value, np.ndarray) and value.dtype == dtype
    require(fits, f"not an array of {np.dtype(dtype).name}", where)
    assert isinstance(value, np.ndarray)
    return value


def check(value: Any, n_features: int, version: tuple[int, int, int], where: str) -> None:
    """Check the categories of all columns."""
    cats = members(value, {"enc", "feature_segments", "sorted_idx"}, where)
    columns = cats["enc"]
    require(
        isinstance(columns, list) and len(columns) in (0, n_features),
        "not one for each feature",
        f"{where}.enc",
    )
    kinds = _KINDS | (_UNSIGNED if version >= (3, 4) else {})
    sizes = [_size(column, kinds, f"{where}.enc") for column in columns]
    segments = _array(cats["feature_segments"], ">i4", f"{where}.feature_segments")
    order = _array(cats["sorted_idx"], ">i4", f"{where}.sorted_idx")
    if not len(segments):
        fits = sum(sizes) == 0 and not len(order)
        require(fits, "no segments", f"{where}.feature_segments")
        return
    expected = np.cumsum([0, *sizes])
    fits = len(segments) == len(expected) and bool((segments == expected).all())
    require(fits, "not the numbers of categories", f"{where}.feature_segments")
    bound = np.repeat(sizes, sizes)
    fits = len(order) == len(bound) and bool(((order >= 0) & (order < bound)).all())
    require(fits, "not numbers of categories", f"{where}.sorted_idx")


def _size(column: Any, kinds: dict[int, str], where: str) -> int:
    """Return how many categories a column has."""
    require(type(column) is dict, "not an object", where)
    if "offsets" not in column:
        found = members(column, {"type", "values"}, where)
        kind = found["type"]
        require(type(kind) is int and kind in kinds, "unknown type", f"{where}.type")
        return len(_array(found["values"], kinds[kind], f"{where}.values"))
    found = members(column, {"offsets", "values"}, where)
    offsets = _array(found["offsets"], ">i4", f"{where}.offsets")
    values = _array(found["values"], ">i1", f"{where}.values")
    if not len(offsets):
        require(not len(values), "texts without offsets", f"{where}.values")
        return 0
    fits = offsets[0] == 0 and offsets[-1] == len(values) and bool((offsets[1:] >= offsets[:-1]).all())
    require(fits, "not the ends of texts", f"{where}.offsets")
    return len(offsets) - 1
