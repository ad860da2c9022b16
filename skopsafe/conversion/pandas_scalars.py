"""Rules for scalars of pandas and for offsets.

Sources: the functions of ``pandas/_libs/tslibs`` that pickles name, and ``offsets.pyx`` (``__reduce__``).
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from skopsafe.conversion.pandas_common import NA_TYPE, own_offset
from skopsafe.conversion.rules import Case, Rules, named, require
from skopsafe.conversion.stands import Stand
from skopsafe.foreign.pickles.values import Call, Value
from skopsafe.graph.parts import Leaf, Parts
from skopsafe.handlers.pandas import offsets
from skopsafe.handlers.pandas.offsets import OFFSETS

_UNITS = {7: "s", 8: "ms", 9: "us", 10: "ns"}
"""By the number that numpy has for it. Pickles before pandas 2 have none: all are nanoseconds."""
_NAT_TYPE = "pandas.api.typing:NaTType"


def _moment(value: Any, unit: Any, kind: Any) -> Leaf:
    require(type(value) is int and -(2**63) <= value < 2**63, "its value is no integer of 64 bits")
    require(type(unit) is int and unit in _UNITS, "its unit is unknown")
    return Leaf(np.asarray(kind(value, _UNITS[unit])))


def _timestamp(case: Case) -> Any:
    args = case.args
    require(len(args) in (3, 4), "it has not three or four arguments")
    value, _, zone, unit = [*args, 10][:4]
    return Stand(
        "pandas:Timestamp", Parts(("value", "tz", "fold"), [_moment(value, unit, np.datetime64), zone, 0])
    )


def _timedelta(case: Case) -> Any:
    args = case.args
    require(len(args) == 2, "it has not two arguments")
    return Stand("pandas:Timedelta", Parts(("value",), [_moment(args[0], args[1], np.timedelta64)]))


def _period(case: Case) -> Any:
    args = case.args
    require(len(args) == 3 and args[0] is None and type(args[2]) is int, "it is of an unknown form")
    return Stand("pandas:Period", Parts(("ordinal", "freq"), [args[2], own_offset(args[1], case.budget)]))


def _interval(case: Case) -> Any:
    args = case.args
    require(len(args) == 3, "it has not three arguments")
    return Stand("pandas:Interval", Parts(("left", "right", "closed"), args))


def _nat(_: Case) -> Any:
    return Stand(_NAT_TYPE, Parts(None, []))


def _na() -> Any:
    return Stand(NA_TYPE, Parts(None, []))


_CUSTOM = ("weekmask", "holidays", "calendar")
_POSITIONS: dict[str, tuple[str, ...]] = {
    **{name: tuple(rules) for name, rules in offsets.RULES.items() if len(rules) < 2},
    "BusinessHour": ("start", "end", "offset"),
    **{f"CustomBusiness{kind}": (*_CUSTOM, "offset") for kind in ("Day", "MonthBegin", "MonthEnd")},
    "CustomBusinessHour": (*_CUSTOM, "start", "end", "offset"),
    "WeekOfMonth": ("week", "weekday"),
    "FY5253": ("weekday", "startingMonth", "variation"),
    "FY5253Quarter": ("weekday", "startingMonth", "qtr_with_extra_week", "variation"),
}
"""By class: its arguments behind the number and whether to move to midnight."""


def _offset(case: Case) -> Any:
    args = case.args
    names = _POSITIONS[case.name.rpartition(":")[2]]
    require(len(args) <= 2 + len(names), "it has too many arguments")
    require(not case.call.states, "it has a state")
    n = args[0] if args else 1
    normalize = args[1] if len(args) > 1 else False
    return _made(case.name, n, normalize, dict(zip(names, args[2:], strict=False)))


def _made(name: str, n: Any, normalize: Any, keywords: dict[str, Any]) -> Stand:
    require(isinstance(n, int | np.integer) and isinstance(normalize, bool | np.bool_), "it has no number")
    found = {key: value for key, value in keywords.items() if value is not None}
    if "holidays" in found:
        days = found["holidays"]
        fits = isinstance(days, tuple) and all(type(day) is np.datetime64 for day in days)
        require(fits, "a holiday is no day")
    return Stand(name, offsets.parts_of(int(n), bool(normalize), found))


def _relative(case: Case) -> Any:
    """A `DateOffset` has its keywords as attributes, and a dateutil offset that is made of them."""
    state: dict[str, Value] = dict(named(case.state))
    known = {"n", "normalize", "_offset", "_use_relativedelta", "weekday", "_cache", *offsets.RELATIVE}
    require(state.keys() <= known, "it has attributes that are not known")
    keywords = {name: case.get(state[name]) for name in offsets.RELATIVE if name in state}
    if state.get("weekday") is not None:
        keywords["weekday"] = _weekday(state["weekday"])
    return _made(case.name, case.get(state.get("n", 1)), case.get(state.get("normalize", False)), keywords)


def _weekday(value: Value) -> Any:
    """Return a day of the week: a number, or what has those of dateutil's class."""
    if not isinstance(value, Call):
        require(type(value) is int, "its weekday is unknown")
        return value
    state = value.states[0] if len(value.states) == 1 else None
    if isinstance(state, tuple) and len(state) == 2:
        state = state[1]
    found = dict(named(state)) if state is not None else {}
    numbers = found.get("weekday"), found.get("n")
    fits = type(numbers[0]) is int and (numbers[1] is None or type(numbers[1]) is int)
    require(fits, "its weekday is unknown")
    return SimpleNamespace(weekday=numbers[0], n=numbers[1])


_RELATIVE = f"{OFFSETS}:DateOffset"

RULES = Rules(
    calls={
        "pandas._libs.tslibs.timestamps:_unpickle_timestamp": _timestamp,
        "pandas._libs.tslibs.timedeltas:_timedelta_unpickle": _timedelta,
        "pandas._libs.tslibs.nattype:_nat_unpickle": _nat,
        "pandas._libs.tslibs.nattype:__nat_unpickle": _nat,
        "pandas:Period": _period,
        "pandas:Interval": _interval,
        **{f"{OFFSETS}:{name}": _offset for name in _POSITIONS},
        _RELATIVE: _relative,
    },
    classes={_RELATIVE: _relative},
    values={"pandas:NA": _na, "pandas._libs.missing:NA": _na},
)
