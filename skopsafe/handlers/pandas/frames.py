"""`DataFrame` and `Series`: axes, and arrays in the layout in which pandas holds them.

A frame holds columns of one dtype as the rows of one array, a block. Blocks come back as they were, and with
them the memory order of ``frame.to_numpy()``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import require
from skopsafe.handlers.pandas.common import Names, form, label, leaf, own, pandas
from skopsafe.handlers.protocols import refuse_protocol, require_no_protocol

FRAME = ("columns", "index", "blocks", "places", "attrs", "unique_labels")
SERIES = ("values", "index", "name", "attrs", "unique_labels")


def _names(labels: Any) -> Any:
    """Return labels that are attributes of a series, or of a row of a frame: what stands under them."""
    return labels if labels.dtype.kind == "O" else ()


def _require_names(labels: Any, context: Context, where: str) -> None:
    if context.account.is_new("labels", labels):  # any number of series have them
        require_no_protocol(_names(labels), where)


def _rest(obj: Any) -> list[Any]:
    return [dict(obj.attrs) or None, not obj.flags.allows_duplicate_labels]


def joined(places: list[Any]) -> Leaf:
    """Return which columns the blocks of a frame are, one behind the other."""
    return Leaf(np.concatenate([*places, np.empty(0, np.int64)]))


def _get_frame(obj: Any) -> Parts:
    blocks = obj._mgr.blocks
    if any(block.dtype.kind == "O" for block in blocks):
        refuse_protocol(_names(obj.columns))
        refuse_protocol(_names(obj.index))
    places = [np.asarray(block.mgr_locs.as_array, np.int64) for block in blocks]
    return Parts(
        FRAME,
        [
            obj.columns,
            obj.index,
            [own(block.values) for block in blocks],
            joined(places),
            *_rest(obj),
        ],
    )


def _get_series(obj: Any) -> Parts:
    if obj.dtype.kind == "O":
        refuse_protocol(_names(obj.index))
    return Parts(SERIES, [own(obj._mgr.blocks[0].values), obj.index, obj.name, *_rest(obj)])


def _load_frame(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, FRAME, "DataFrame")
    columns, index, blocks = values[:3]
    for axis, name in ((columns, "columns"), (index, "index")):
        require(isinstance(axis, pd.Index), "not an index", f"DataFrame.{name}")
    places = leaf(context, values[3], "DataFrame.places", kinds="i", shape=(len(columns),))
    require(places.dtype == np.int64, "not 64-bit integers", "DataFrame.places")
    require(
        bool((np.sort(places) == np.arange(len(columns))).all()),
        "not one for each column",
        "DataFrame.places",
    )
    require(type(blocks) is list, "no list of arrays", "DataFrame.blocks")
    from pandas._libs.internals import BlockPlacement
    from pandas.core.internals.blocks import new_block
    from pandas.core.internals.managers import BlockManager

    made, start = [], 0
    for block in blocks:
        data = _content(block, len(index), 2, "DataFrame.blocks")
        end = start + (len(data) if data.ndim == 2 else 1)
        require(end <= len(places), "more columns than labels", "DataFrame.blocks")
        made.append(new_block(data, BlockPlacement(_placement(places[start:end])), ndim=2))
        start = end
    require(start == len(places), "fewer columns than labels", "DataFrame.blocks")
    if any(block.dtype.kind == "O" for block in made):
        _require_names(columns, context, "DataFrame.columns")
        _require_names(index, context, "DataFrame.index")
    manager = BlockManager(tuple(made), [columns, index], verify_integrity=True)
    return _finish(pd.DataFrame._from_mgr(manager, axes=manager.axes), *values[4:])


def _placement(places: Any) -> Any:
    """Return the places of a block, as a slice where they follow each other."""
    first, count = (int(places[0]) if len(places) else 0), len(places)
    if bool((places == np.arange(first, first + count)).all()):
        return slice(first, first + count, 1)
    return np.array(places)


def _load_series(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, SERIES, "Series")
    index = values[1]
    require(isinstance(index, pd.Index), "not an index", "Series.index")
    data = _content(values[0], len(index), 1, "Series.values")
    if data.dtype.kind == "O":
        _require_names(index, context, "Series.index")
    from pandas.core.internals.managers import SingleBlockManager

    manager = SingleBlockManager.from_array(data, index)
    out = pd.Series._from_mgr(manager, axes=manager.axes)
    out.name = label(context, values[2], "Series")
    return _finish(out, *values[3:])


def _content(found: Any, rows: int, ndim: int, where: str) -> Any:
    """Return what a block of `rows` rows holds: an array of numpy, or an extension array of its own."""
    import pandas as pd

    require(isinstance(found, pd.api.extensions.ExtensionArray), "not an array", where)
    data = own(found)
    numpy = type(data) is pd.arrays.NumpyExtensionArray
    if numpy:
        data = data._ndarray
        require(data.dtype.kind in "biufcOV", f"dtype {data.dtype} is not allowed", where)
    times = (pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray, pd.arrays.PeriodArray)
    require(
        data.ndim == (ndim if numpy or type(data) in times else 1),
        "another number of dimensions",
        where,
    )
    require(data.shape[-1] == rows, f"{data.shape[-1]} rows for {rows} labels", where)
    return data


def _finish(out: Any, attrs: Any, unique_labels: Any) -> Any:
    where = type(out).__name__
    require(attrs is None or type(attrs) is dict, "no dict", f"{where}.attrs")
    require(type(unique_labels) is bool, "not a bool", f"{where}.unique_labels")
    if attrs:
        out.attrs = attrs
    if unique_labels:
        out.flags.allows_duplicate_labels = False
    return out


HANDLERS = (
    Handler("pandas:DataFrame", _get_frame, _load_frame),
    Handler("pandas:Series", _get_series, _load_series),
)
