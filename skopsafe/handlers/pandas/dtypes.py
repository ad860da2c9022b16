"""Dtypes as values: of a column that is described, of an estimator's parameter, of an empty table."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import require
from skopsafe.handlers.pandas.categorical import require_categories
from skopsafe.handlers.pandas.common import UNITS, Names, form, pandas
from skopsafe.handlers.pandas.objects import missing_of, string_dtype

SIMPLE = (
    *(f"{sign}Int{bits}Dtype" for sign in ("", "U") for bits in (8, 16, 32, 64)),
    "Float32Dtype",
    "Float64Dtype",
    "BooleanDtype",
)


def _load_simple(names: Names, values: list[Any], context: Context) -> Any:
    require(not names and not values, "has parts", "dtype")
    return context.resolve()()


def _load_categorical(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("categories", "ordered"), "CategoricalDtype")
    categories, ordered = values
    require(ordered is None or type(ordered) is bool, "not a bool", "CategoricalDtype.ordered")
    if categories is not None:
        require_categories(categories, "CategoricalDtype.categories")
    return pd.CategoricalDtype(categories, ordered)


def _load_datetime(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("unit", "tz"), "DatetimeTZDtype")
    require(values[0] in UNITS, "unknown", "DatetimeTZDtype.unit")
    require(isinstance(values[1], tzinfo), "not a time zone", "DatetimeTZDtype.tz")
    return pd.DatetimeTZDtype(*values)


def _load_period(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("freq",), "PeriodDtype")
    require(isinstance(values[0], pd.offsets.BaseOffset), "not an offset", "PeriodDtype.freq")
    return pd.PeriodDtype(values[0])


def _load_interval(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("subtype", "closed"), "IntervalDtype")
    subtype, closed = values
    known = subtype is None or isinstance(subtype, np.dtype) or type(subtype) is pd.DatetimeTZDtype
    require(known, "not a dtype of ends", "IntervalDtype.subtype")
    require(closed in (None, "left", "right", "both", "neither"), "unknown", "IntervalDtype.closed")
    return pd.IntervalDtype(subtype, closed)


def _load_sparse(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("subtype", "fill_value"), "SparseDtype")
    require(isinstance(values[0], np.dtype), "not a dtype of numpy", "SparseDtype.subtype")
    require(pd.api.types.is_scalar(values[1]), "not a scalar", "SparseDtype.fill_value")
    return pd.SparseDtype(*values)


def _get_string(obj: Any) -> Parts:
    # pandas 2.2 knows Arrow texts with NaN by a storage of its own.
    storage = "pyarrow" if obj.storage == "pyarrow_numpy" else obj.storage
    return Parts(("storage", "missing"), [storage, missing_of(obj)])


def _load_string(names: Names, values: list[Any], context: Context) -> Any:
    pandas(context)
    form(names, values, ("storage", "missing"), "StringDtype")
    return string_dtype(values[0], values[1], "StringDtype")


def _load_arrow(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("pyarrow_dtype",), "ArrowDtype")
    module = type(values[0]).__module__
    require(module == "pyarrow.lib", "not a type of pyarrow", "ArrowDtype.pyarrow_dtype")
    return pd.ArrowDtype(values[0])


def _load_numpy(names: Names, values: list[Any], context: Context) -> Any:
    cls = context.resolve()
    form(names, values, ("dtype",), "NumpyEADtype")
    require(isinstance(values[0], np.dtype), "not a dtype of numpy", "NumpyEADtype.dtype")
    return cls(values[0])


def _handler(name: str, attributes: tuple[str, ...], load: Any) -> Handler:
    def get(obj: Any) -> Parts:
        return Parts(attributes, [getattr(obj, attribute) for attribute in attributes])

    return Handler(name, get, load)


HANDLERS = (
    *(Handler(f"pandas:{name}", lambda _: Parts((), ()), _load_simple) for name in SIMPLE),
    _handler("pandas:CategoricalDtype", ("categories", "ordered"), _load_categorical),
    _handler("pandas:DatetimeTZDtype", ("unit", "tz"), _load_datetime),
    _handler("pandas:PeriodDtype", ("freq",), _load_period),
    _handler("pandas:IntervalDtype", ("subtype", "closed"), _load_interval),
    _handler("pandas:SparseDtype", ("subtype", "fill_value"), _load_sparse),
    Handler("pandas:StringDtype", _get_string, _load_string),
    _handler("pandas:ArrowDtype", ("pyarrow_dtype",), _load_arrow),
    Handler(
        "pandas.core.dtypes.dtypes:NumpyEADtype", lambda o: Parts(("dtype",), [o.numpy_dtype]), _load_numpy
    ),
)
