"""Extension arrays: nullable numbers, times, periods, intervals, sparse and Arrow arrays."""

from __future__ import annotations

import inspect
from datetime import tzinfo
from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import in_range, integer, require
from skopsafe.handlers.pandas.common import UNITS, Names, form, leaf, own, own_offset, pandas
from skopsafe.handlers.pandas.objects import missing_of, string_dtype
from skopsafe.handlers.pandas.periods import require_sane_ordinals

MASKED = {"IntegerArray": "iu", "FloatingArray": "f", "BooleanArray": "b"}


def _get_masked(obj: Any) -> Parts:
    return Parts(("values", "mask"), [Leaf(obj._data), Leaf(obj._mask)])


def _masked(name: str) -> Handler:
    def load(names: Names, values: list[Any], context: Context) -> Any:
        pd = pandas(context)
        form(names, values, ("values", "mask"), name)
        data = leaf(context, values[0], f"{name}.values", kinds=MASKED[name], ndim=1)
        mask = leaf(context, values[1], f"{name}.mask", kinds="b", shape=data.shape)
        return getattr(pd.arrays, name)(data, mask)

    return Handler(f"pandas.arrays:{name}", _get_masked, load)


def _times(context: Context, number: object, kind: str, where: str) -> Any:
    found = leaf(context, number, where, kinds=kind)
    require(found.ndim in (1, 2), "not one or two dimensions", where)
    unit, step = np.datetime_data(found.dtype)
    require(unit in UNITS and step == 1, f"dtype {found.dtype} is not allowed", where)
    return found


def _get_datetime(obj: Any) -> Parts:
    return Parts(
        ("values", "tz", "freq"), [Leaf(obj._ndarray), obj.tz, own_offset(getattr(obj, "freq", None))]
    )


def _load_datetime(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("values", "tz", "freq"), "DatetimeArray")
    found, tz = _times(context, values[0], "M", "DatetimeArray.values"), values[1]
    dtype: Any = found.dtype
    if tz is not None:
        require(isinstance(tz, tzinfo), "not a time zone", "DatetimeArray.tz")
        dtype = pd.DatetimeTZDtype(np.datetime_data(dtype)[0], tz)
    made = pd.DatetimeIndex([], dtype=dtype).array._from_backing_data(found)
    return _with_freq(pd.DatetimeIndex, made, values[2])


def _get_timedelta(obj: Any) -> Parts:
    return Parts(("values", "freq"), [Leaf(obj._ndarray), own_offset(getattr(obj, "freq", None))])


def _load_timedelta(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("values", "freq"), "TimedeltaArray")
    found = _times(context, values[0], "m", "TimedeltaArray.values")
    made = pd.TimedeltaIndex([], dtype=found.dtype).array._from_backing_data(found)
    return _with_freq(pd.TimedeltaIndex, made, values[1])


def _with_freq(cls: Any, made: Any, freq: Any) -> Any:
    """Before pandas 3.1 an array may have a freq; it must be true, as that of an index."""
    return made if freq is None else with_freq(cls, made, None, freq).array


def with_freq(cls: Any, made: Any, name: Any, freq: Any) -> Any:
    """Return an index over an array of times that has a freq.

    A fixed step must be true of the times: pandas computes a range from it in place of looking at them.
    """
    import pandas as pd

    out = cls(made, name=name, copy=False)
    require(type(out) is cls, "another index", cls.__name__)
    if freq is None:
        return out
    require(isinstance(freq, pd.offsets.BaseOffset), "not an offset", f"{cls.__name__}.freq")
    try:
        out.freq = freq  # pandas generates the times from the first one and compares
    except ValueError:
        # Those of the calendar need not be true, and after slicing sometimes are not.
        calendar = cls is pd.DatetimeIndex and not isinstance(freq, (pd.offsets.Tick, pd.offsets.Day))
        near = calendar and not out.hasnans and _spans(out, freq)
        require(near, "is not the step between the times", f"{cls.__name__}.freq")
        holder = out._data if hasattr(out._data, "_freq") else out  # the index itself since pandas 3.1
        holder._freq = freq
    return out


def _spans(index: Any, freq: Any) -> bool:
    """Tell whether about as many steps lead from the first time to the last as there are times.

    Shifting the index takes them one by one.
    """
    time, last = index[0], index[-1]
    for _ in range(2 * len(index) + 16):
        time += freq
        if time > last if freq.n >= 0 else time < last:
            return True
    return False


def _load_period(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("ordinals", "freq"), "PeriodArray")
    require(isinstance(values[1], pd.offsets.BaseOffset), "not an offset", "PeriodArray.freq")
    dtype = pd.PeriodDtype(values[1])
    found = leaf(context, values[0], "PeriodArray.ordinals", kinds="i")
    require(found.dtype == np.int64 and found.ndim in (1, 2), "malformed", "PeriodArray.ordinals")
    require_sane_ordinals(found, dtype.freq, "PeriodArray.ordinals")
    return pd.PeriodIndex([], dtype=dtype).array._from_backing_data(found)


def _get_interval(obj: Any) -> Parts:
    return Parts(("left", "right", "closed"), [_side(obj.left), _side(obj.right), obj.closed])


def _side(index: Any) -> Any:
    """Return the values of an end, which is an index, as an array without a freq."""
    return own(index._values if index.dtype.kind not in "mM" else index.array)


def _load_interval(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("left", "right", "closed"), "IntervalArray")
    left, right, closed = values
    for side, name in ((left, "left"), (right, "right")):
        known = (pd.arrays.NumpyExtensionArray, pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray)
        fits = type(side) in known and side.ndim == 1 and len(side) == len(left)
        require(fits, "not an array of ends", f"IntervalArray.{name}")
        require(side.dtype == left.dtype and side.dtype.kind in "iufmM", "dtype", f"IntervalArray.{name}")
    require(closed in ("left", "right", "both", "neither"), "unknown", "IntervalArray.closed")
    left, right = (side.to_numpy() if side.dtype.kind in "iuf" else side for side in (left, right))
    return pd.arrays.IntervalArray.from_arrays(left, right, closed)


def _get_sparse(obj: Any) -> Parts:
    index = obj.sp_index
    blocks = hasattr(index, "blocs")
    places = Leaf(np.asarray(index.to_int_index().indices, np.int32))
    return Parts(
        ("values", "places", "length", "blocks", "fill_value"),
        [own(obj.sp_values), places, index.length, blocks, obj.fill_value],
    )


def _load_sparse(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("values", "places", "length", "blocks", "fill_value"), "SparseArray")
    data, _, length, blocks, fill_value = values
    known = type(data) is pd.arrays.NumpyExtensionArray and data.ndim == 1
    require(known, "not an array of one dimension", "SparseArray.values")
    require(pd.api.types.is_scalar(fill_value), "not a scalar", "SparseArray.fill_value")
    length = integer(length, "SparseArray.length", 0, 2**31 - 1)
    places = leaf(context, values[1], "SparseArray.places", kinds="i", shape=(len(data),))
    require(places.dtype == np.int32, "not 32-bit integers", "SparseArray.places")
    in_range(places, "SparseArray.places", 0, length)
    require(bool((places[1:] > places[:-1]).all()), "are not sorted", "SparseArray.places")
    from pandas._libs.sparse import IntIndex

    index = IntIndex(length, np.array(places))  # it keeps and checks them
    return pd.arrays.SparseArray._simple_new(
        data._ndarray,
        index.to_block_index() if blocks is True else index,
        pd.SparseDtype(data._ndarray.dtype, fill_value),
    )


def _chunked(value: Any, where: str) -> Any:
    """Return a chunked array of pyarrow, which its own loader has checked."""
    kind = type(value)
    is_chunked = (kind.__module__, kind.__qualname__) == ("pyarrow.lib", "ChunkedArray")
    require(is_chunked, "not a chunked array of pyarrow", where)
    return value


def _load_arrow(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("data",), "ArrowExtensionArray")
    return pd.arrays.ArrowExtensionArray(_chunked(values[0], "ArrowExtensionArray.data"))


def _load_arrow_string(names: Names, values: list[Any], context: Context) -> Any:
    pandas(context)
    form(names, values, ("data", "missing"), "ArrowStringArray")
    data = _chunked(values[0], "ArrowStringArray.data")
    dtype = string_dtype("pyarrow", values[1], "ArrowStringArray")
    import pyarrow as pa

    is_text = pa.types.is_string(data.type) or pa.types.is_large_string(data.type)
    require(is_text, "not texts", "ArrowStringArray.data")
    cls = dtype.construct_array_type()
    return cls(data, dtype=dtype) if "dtype" in inspect.signature(cls).parameters else cls(data)


HANDLERS = (
    *(_masked(name) for name in MASKED),
    Handler("pandas.arrays:DatetimeArray", _get_datetime, _load_datetime),
    Handler("pandas.arrays:TimedeltaArray", _get_timedelta, _load_timedelta),
    Handler(
        "pandas.arrays:PeriodArray",
        lambda obj: Parts(("ordinals", "freq"), [Leaf(obj._ndarray), own_offset(obj.dtype.freq)]),
        _load_period,
    ),
    Handler("pandas.arrays:IntervalArray", _get_interval, _load_interval),
    Handler("pandas.arrays:SparseArray", _get_sparse, _load_sparse),
    Handler("pandas.arrays:ArrowExtensionArray", lambda obj: Parts(("data",), [obj._pa_array]), _load_arrow),
    Handler(
        "pandas.arrays:ArrowStringArray",
        lambda obj: Parts(("data", "missing"), [obj._pa_array, missing_of(obj.dtype)]),
        _load_arrow_string,
    ),
)
