"""Indexes, but for `MultiIndex`, which stands with its codes in `categorical`."""

from __future__ import annotations

from typing import Any

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import integer, require
from skopsafe.handlers.pandas.arrays import with_freq
from skopsafe.handlers.pandas.common import Names, form, label, own, own_offset, pandas
from skopsafe.handlers.spread import require_spread_items

_LIMIT = 2**62


def _get(obj: Any) -> Parts:
    return Parts(("values", "name"), [own(obj._values), obj.name])


def _load(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("values", "name"), "Index")
    data = values[0]
    require(isinstance(data, pd.api.extensions.ExtensionArray), "not an array", "Index.values")
    require(data.ndim == 1, "not one dimension", "Index.values")
    if type(data) is pd.arrays.NumpyExtensionArray:
        data = data._ndarray
        require(data.dtype.kind in "biufcO", f"dtype {data.dtype} is not allowed", "Index.values")
        if data.dtype.kind == "O":
            require_spread_items(data, "Index.values", context.account)
    name = label(context, values[1], "Index")
    out = pd.Index(data, dtype=data.dtype, name=name, copy=False, tupleize_cols=False)
    require(type(out) is pd.Index, f"values of a {type(out).__name__}", "Index.values")
    return out


def _get_range(obj: Any) -> Parts:
    return Parts(("start", "stop", "step", "name"), [obj.start, obj.stop, obj.step, obj.name])


def _load_range(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("start", "stop", "step", "name"), "RangeIndex")
    start, stop, step = (integer(v, "RangeIndex", -_LIMIT, _LIMIT) for v in values[:3])
    require(step != 0, "is 0", "RangeIndex.step")
    return pd.RangeIndex(start, stop, step, name=label(context, values[3], "RangeIndex"))


def _over(name: str, array: str) -> Handler:
    """Return the handler of an index that is an extension array and a name."""

    def load(names: Names, values: list[Any], context: Context) -> Any:
        pd = pandas(context)
        form(names, values, ("values", "name"), name)
        fits = type(values[0]) is (getattr(pd.arrays, array, None) or getattr(pd, array))
        require(fits and values[0].ndim == 1, f"not a {array}", f"{name}.values")
        return getattr(pd, name)(values[0], name=label(context, values[1], name), copy=False)

    return Handler(f"pandas:{name}", _get, load)


def _over_times(name: str, array: str) -> Handler:
    """Return the handler of an index that is an array of times, a freq and a name."""

    def get(obj: Any) -> Parts:
        return Parts(("values", "freq", "name"), [own(obj._data), own_offset(obj.freq), obj.name])

    def load(names: Names, values: list[Any], context: Context) -> Any:
        pd = pandas(context)
        form(names, values, ("values", "freq", "name"), name)
        fits = type(values[0]) is getattr(pd.arrays, array) and values[0].ndim == 1
        require(fits, f"not a {array}", f"{name}.values")
        return with_freq(getattr(pd, name), own(values[0]), label(context, values[2], name), values[1])

    return Handler(f"pandas:{name}", get, load)


def _load_frozen(names: Names, values: list[Any], context: Context) -> Any:
    require(names is None, "unknown form", "FrozenList")
    return context.resolve()(values)


HANDLERS = (
    Handler("pandas:Index", _get, _load),
    Handler("pandas:RangeIndex", _get_range, _load_range),
    _over("CategoricalIndex", "Categorical"),
    _over("IntervalIndex", "IntervalArray"),
    _over("PeriodIndex", "PeriodArray"),
    _over_times("DatetimeIndex", "DatetimeArray"),
    _over_times("TimedeltaIndex", "TimedeltaArray"),
    Handler("pandas.core.indexes.frozen:FrozenList", lambda obj: Parts(None, list(obj)), _load_frozen),
)
