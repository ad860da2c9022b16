"""Rules for time zones of the standard library, of pytz and of dateutil: by their keys.

Sources: ``zoneinfo/_zoneinfo.py`` (``__reduce__``), ``pytz/__init__.py`` and ``pytz/tzinfo.py``, and
``dateutil/tz``. No time zone is looked up: that is done at load.
"""

from __future__ import annotations

import datetime
from typing import Any

from skopsafe.conversion.rules import Case, Rules, require
from skopsafe.conversion.stands import Stand
from skopsafe.graph.parts import Parts
from skopsafe.handlers.timezones import key_of

_PYTZ = "pytz.tzinfo:BaseTzInfo"


def _zone(case: Case) -> Any:
    args = case.args
    require(len(args) in (1, 2) and isinstance(args[0], str), "its key is no text")
    return Stand("zoneinfo:ZoneInfo", Parts(None, args[:1]))


def _pytz(case: Case) -> Any:
    """A zone alone, or a zone with one of its offsets, summer times and names."""
    args = case.args
    require(len(args) in (1, 4) and isinstance(args[0], str), "its key is no text")
    if len(args) == 4:
        fits = all(type(number) is int for number in args[1:3]) and isinstance(args[3], str)
        require(fits, "its offset is malformed")
    return Stand(_PYTZ, Parts(None, args))


def _pytz_utc(case: Case) -> Any:
    require(not case.args, "it has an argument")
    return Stand(_PYTZ, Parts(None, ["UTC"]))


def _pytz_offset(case: Case) -> Any:
    args = case.args
    require(len(args) == 1 and type(args[0]) is int, "its offset is no number")
    if not args[0]:
        return Stand(_PYTZ, Parts(None, ["UTC"]))
    return Stand("pytz:_FixedOffset", Parts(None, args))


def _dateutil_utc(case: Case) -> Any:
    require(not case.args, "it has an argument")
    return Stand(case.name, Parts(None, []))


def _dateutil_offset(case: Case) -> Any:
    args = case.args
    require(len(args) == 2 and (args[0] is None or isinstance(args[0], str)), "its name is no text")
    seconds = args[1].total_seconds() if isinstance(args[1], datetime.timedelta) else args[1]
    require(isinstance(seconds, int | float) and seconds == int(seconds), "its offset is no number")
    return Stand(case.name, Parts(None, [args[0], int(seconds)]))


def _dateutil_file(case: Case) -> Any:
    """A file of the time zone database, which is known by where it lies in that."""
    args = case.args
    names = [arg for arg in args[:3] if isinstance(arg, str)]
    keys = [key for key in map(key_of, names) if key is not None]
    require(keys, "it was not read from the time zone database of the system")
    return Stand("dateutil.tz:tzfile", Parts(None, [keys[0]]))


RULES = Rules(
    calls={
        "zoneinfo:ZoneInfo._unpickle": _zone,
        "pytz:_p": _pytz,
        "pytz:_UTC": _pytz_utc,
        "pytz:FixedOffset": _pytz_offset,
        "dateutil.tz.tz:tzutc": _dateutil_utc,
        "dateutil.tz.tz:tzoffset": _dateutil_offset,
        "dateutil.tz:tzfile": _dateutil_file,
        "dateutil.tz._tzfile:_unpickle": _dateutil_file,
    },
)
