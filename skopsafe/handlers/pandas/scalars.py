"""`Timestamp`, `Timedelta`, `Period`, `Interval`, and the two marks for what is missing."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import integer, require
from skopsafe.handlers.pandas.common import UNITS, Names, form, leaf, own_offset, pandas
from skopsafe.handlers.pandas.periods import require_sane_ordinals


def _moment(context: Context, number: object, kind: str, where: str) -> Any:
    found = leaf(context, number, where, kinds=kind, ndim=0)
    unit, step = np.datetime_data(found.dtype)
    require(unit in UNITS and step == 1, f"dtype {found.dtype} is not allowed", where)
    require(not np.isnat(found), "is missing", where)
    return found[()]


def _get_timestamp(obj: Any) -> Parts:
    fold = obj.fold if obj.tzinfo is None else 0  # a time zone decides it
    return Parts(("value", "tz", "fold"), [Leaf(np.asarray(obj.asm8)), obj.tzinfo, fold])


def _load_timestamp(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("value", "tz", "fold"), "Timestamp")
    value = _moment(context, values[0], "M", "Timestamp.value")
    zone, fold = values[1], integer(values[2], "Timestamp.fold", 0, 1)
    out = pd.Timestamp(value)
    require(out.asm8 == value and out.unit == np.datetime_data(value.dtype)[0], "malformed", "Timestamp")
    if zone is not None:
        require(isinstance(zone, tzinfo), "not a time zone", "Timestamp.tz")
        return out.tz_localize("UTC").tz_convert(zone)
    return out.replace(fold=1) if fold else out


def _load_timedelta(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("value",), "Timedelta")
    return pd.Timedelta(_moment(context, values[0], "m", "Timedelta.value"))


def _load_period(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("ordinal", "freq"), "Period")
    ordinal = integer(values[0], "Period.ordinal", -(2**63) + 1, 2**63 - 1)
    require(isinstance(values[1], pd.offsets.BaseOffset), "not an offset", "Period.freq")
    require_sane_ordinals(np.array([ordinal]), pd.PeriodDtype(values[1]).freq, "Period.ordinal")
    return pd.Period(ordinal=ordinal, freq=values[1])


def _load_interval(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("left", "right", "closed"), "Interval")
    left, right, closed = values
    for side in (left, right):
        known = isinstance(side, (int, float, np.integer, np.floating, pd.Timestamp, pd.Timedelta))
        require(known and type(side) is not bool, "not a number or time", "Interval")
    require(closed in ("left", "right", "both", "neither"), "unknown", "Interval.closed")
    return pd.Interval(left, right, closed)


def _missing(name: str) -> Handler:
    def load(names: Names, values: list[Any], context: Context) -> Any:
        require(not values, "has parts", name)
        return getattr(pandas(context), name)

    return Handler(f"pandas.api.typing:{name}Type", lambda _: Parts(None, []), load)


HANDLERS = (
    Handler("pandas:Timestamp", _get_timestamp, _load_timestamp, is_light=True),
    Handler(
        "pandas:Timedelta",
        lambda obj: Parts(("value",), [Leaf(np.asarray(obj.asm8))]),
        _load_timedelta,
        is_light=True,
    ),
    Handler(
        "pandas:Period",
        lambda obj: Parts(("ordinal", "freq"), [obj.ordinal, own_offset(obj.freq)]),
        _load_period,
    ),
    Handler(
        "pandas:Interval",
        lambda obj: Parts(("left", "right", "closed"), [obj.left, obj.right, obj.closed]),
        _load_interval,
    ),
    _missing("NaT"),
    _missing("NA"),
)
