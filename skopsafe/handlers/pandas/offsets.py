"""Offsets, which are also the freq of an index: a closed list of classes, made by their constructors.

No text is parsed to find out which offset is meant.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import array, integer, require
from skopsafe.handlers.pandas.common import Names, form, pandas

OFFSETS = "pandas._libs.tslibs.offsets"
_FORM = ("n", "normalize", "keywords")

_TICKS = ("Hour", "Minute", "Second", "Milli", "Micro", "Nano")
_MOST = 100_000
"""Steps that an offset takes one by one, each a date that Python computes."""
_STEPS_A_HOLIDAY = 64
"""To make one costs as much as making so many values."""

Rule = Callable[[Any, str], Any]


def _between(low: int, high: int) -> Rule:
    return lambda value, where: integer(value, where, low, high)


def _number(value: Any, where: str) -> Any:
    real = type(value) in (int, float) and abs(value) <= 2**53
    require(real, "not a number", where)
    return value


def _one_of(*allowed: Any) -> Rule:
    def check(value: Any, where: str) -> Any:
        require(type(value) is str and value in allowed, "unknown", where)
        return value

    return check


def _delta(value: Any, where: str) -> Any:
    require(type(value) is datetime.timedelta, "not a timedelta", where)
    return value


def _times(value: Any, where: str) -> Any:
    good = type(value) is tuple and 1 <= len(value) <= 24 and {type(v) for v in value} == {datetime.time}
    require(good, "not times", where)
    require(all(v.tzinfo is None for v in value), "with a time zone", where)
    return value


def _weekmask(value: Any, where: str) -> Any:
    if type(value) is str:
        require(len(value) <= 64 and value.isascii(), "malformed", where)
        return value
    if type(value) in (list, tuple):
        days = len(value) == 7 and {type(day) for day in value} <= {int, bool}
        require(days, "not seven days", where)
        return type(value)(value)
    return array(value, where, kinds="bi", shape=(7,))


def _holidays(value: Any, where: str) -> Any:
    found = array(value, where, kinds="M", ndim=1)
    require(found.dtype == np.dtype("M8[D]") and not np.isnat(found).any(), "not days", where)
    return list(found)


def _weekday(value: Any, where: str) -> Any:
    """Return a day of the week: a number, or one of dateutil's, such as the second Monday."""
    if type(value) is int:
        return integer(value, where, 0, 6)
    require(type(value) is tuple and len(value) == 2, "malformed", where)
    from dateutil.relativedelta import weekday

    n = None if value[1] is None else integer(value[1], where, -60, 60)
    return weekday(integer(value[0], where, 0, 6), n)


_DAY, _MONTH = _between(0, 6), _between(1, 12)
_CUSTOM: dict[str, Rule] = {"weekmask": _weekmask, "holidays": _holidays, "offset": _delta}
_HOURS: dict[str, Rule] = {"start": _times, "end": _times, "offset": _delta}
_FISCAL: dict[str, Rule] = {
    "weekday": _DAY,
    "startingMonth": _MONTH,
    "variation": _one_of("nearest", "last"),
}
RELATIVE = (
    *("years", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds"),
    *("nanoseconds", "year", "month", "day", "hour", "minute", "second", "millisecond", "microsecond"),
    "nanosecond",
)

RULES: dict[str, dict[str, Rule]] = {
    **{name: {} for name in (*_TICKS, "Day", "MonthBegin", "MonthEnd")},
    **{name: {} for name in ("BusinessMonthBegin", "BusinessMonthEnd")},
    "DateOffset": {**dict.fromkeys(RELATIVE, _number), "weekday": _weekday},
    "BusinessDay": {"offset": _delta},
    "BusinessHour": _HOURS,
    **{f"CustomBusiness{name}": _CUSTOM for name in ("Day", "MonthBegin", "MonthEnd")},
    "CustomBusinessHour": {**_CUSTOM, **_HOURS},
    "Week": {"weekday": _DAY},
    "WeekOfMonth": {"week": _between(0, 3), "weekday": _DAY},
    "LastWeekOfMonth": {"weekday": _DAY},
    **{f"SemiMonth{end}": {"day_of_month": _between(1, 31)} for end in ("Begin", "End")},
    **{
        f"{kind}{end}": {"startingMonth": _MONTH}
        for kind in ("Quarter", "BQuarter", "HalfYear", "BHalfYear")
        for end in ("Begin", "End")
    },
    **{f"{kind}{end}": {"month": _MONTH} for kind in ("Year", "BYear") for end in ("Begin", "End")},
    "FY5253": _FISCAL,
    "FY5253Quarter": {**_FISCAL, "qtr_with_extra_week": _between(1, 4)},
    "Easter": {"method": _between(1, 3)},
}
"""By class: its keywords, and what each may be."""


def parts_of(n: int, normalize: bool, keywords: dict[str, Any]) -> Parts:
    """Return the parts of an offset: its number, whether it moves to midnight, and its keywords."""
    keywords = dict(sorted(keywords.items()))
    keywords.pop("calendar", None)  # weekmask and holidays are all that is in it
    if "holidays" in keywords:
        keywords["holidays"] = np.array(keywords["holidays"], "M8[D]")
    if keywords.get("method") == 3:
        del keywords["method"]  # the Easter that every release knows
    weekday = keywords.get("weekday")
    if weekday is not None and type(weekday) is not int:
        keywords["weekday"] = (weekday.weekday, weekday.n)
    return Parts(_FORM, [int(n), bool(normalize), keywords or None])


def _handler(name: str) -> Handler:
    rules = RULES[name]

    def load(names: Names, values: list[Any], context: Context) -> Any:
        pandas(context)
        form(names, values, _FORM, name)
        n, normalize, keywords = values
        many = 2**63 - 1 if name in _TICKS else _MOST
        n = integer(n, f"{name}.n", -many, many)
        require(type(normalize) is bool, "not a bool", f"{name}.normalize")
        require(keywords is None or type(keywords) is dict, "no dict", f"{name}.keywords")
        given = keywords or {}
        if given and not context.account.is_new("holidays", given.get("holidays")):
            context.account.spend(_STEPS_A_HOLIDAY * np.size(given.get("holidays", ())), name)
        require(given.keys() <= rules.keys(), "unknown keyword", f"{name}.keywords")
        checked = {key: rules[key](value, f"{name}.{key}") for key, value in given.items()}
        return context.resolve()(n, normalize, **checked)

    return Handler(f"{OFFSETS}:{name}", lambda obj: parts_of(obj.n, obj.normalize, obj.kwds), load)


HANDLERS = tuple(_handler(name) for name in RULES)
