"""Time zones of pytz, which pandas makes before 3.0, and of dateutil: by the key of the time zone database.

The key picks a file that the library reads, so it must be a plain relative one, as that of a `ZoneInfo`.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import integer, require
from skopsafe.handlers.library import Library

Names = tuple[str, ...] | None

_KEY = r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+){0,3}"
_DAY = 86_400
_FOLDERS = ("/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/usr/share/lib/zoneinfo/", "/etc/zoneinfo/")
"""Where dateutil looks for the time zone database."""


def _key(value: object, where: str) -> str:
    good = isinstance(value, str) and len(value) < 256 and re.fullmatch(_KEY, value)
    require(good, "not a time zone key", where)
    return str(value)


def _get_pytz(obj: Any) -> Parts:
    import pytz

    base = pytz.timezone(obj.zone) if obj.zone else None
    if base is None:
        raise TypeError("a time zone of pytz without a name")
    if obj is base:
        return Parts(None, [obj.zone])
    variant = next((key for key, tz in getattr(base, "_tzinfos", {}).items() if tz is obj), None)
    if variant is None:
        raise TypeError(f"not what pytz has under the name {obj.zone}")
    offset, dst, name = variant
    return Parts(None, [obj.zone, int(offset.total_seconds()), int(dst.total_seconds()), name])


def _load_pytz(_: Names, values: list[Any], context: Context) -> Any:
    context.resolve()
    import pytz

    require(len(values) in (1, 4), "malformed", "pytz")
    try:
        base = pytz.timezone(_key(values[0], "pytz"))
    except pytz.UnknownTimeZoneError:
        require(False, f"pytz has no time zone {values[0]}", "pytz")
        raise
    if len(values) == 1:
        return base
    offset, dst = (datetime.timedelta(seconds=integer(v, "pytz", -_DAY, _DAY)) for v in values[1:3])
    require(isinstance(values[3], str), "malformed", "pytz")
    found = getattr(base, "_tzinfos", {}).get((offset, dst, values[3]))
    require(found is not None, f"{values[0]} has no such offset", "pytz")
    return found


def _load_fixed(_: Names, values: list[Any], context: Context) -> Any:
    context.resolve()
    import pytz

    require(len(values) == 1, "malformed", "pytz.FixedOffset")
    return pytz.FixedOffset(integer(values[0], "pytz.FixedOffset", -1439, 1439))


def key_of(path: str) -> str | None:
    """Return the key of a file of the time zone database of the system, by its path; None for others."""
    for folder in _FOLDERS:
        key = path.removeprefix(folder)
        if key != path and re.fullmatch(_KEY, key):
            return key
    return None


def _get_dateutil_file(obj: Any) -> Parts:
    from dateutil import tz

    key = key_of(str(obj._filename or ""))
    if key is not None and tz.gettz(key) == obj:
        return Parts(None, [key])
    raise TypeError("a time zone of dateutil that was not read from the time zone database of the system")


def _load_dateutil_file(_: Names, values: list[Any], context: Context) -> Any:
    cls = context.resolve()
    from dateutil import tz

    require(len(values) == 1, "malformed", "dateutil.tz")
    found = tz.gettz(_key(values[0], "dateutil.tz"))
    require(type(found) is cls, "not in the time zone database of this system", "dateutil.tz")
    return found


def _load_dateutil_utc(_: Names, values: list[Any], context: Context) -> Any:
    require(not values, "has parts", "dateutil.tz.tzutc")
    return context.resolve()()


def _get_dateutil_offset(obj: Any) -> Parts:
    return Parts(None, [obj._name, int(obj._offset.total_seconds())])


def _load_dateutil_offset(_: Names, values: list[Any], context: Context) -> Any:
    require(len(values) == 2, "malformed", "dateutil.tz.tzoffset")
    name, seconds = values
    require(name is None or isinstance(name, str), "malformed", "dateutil.tz.tzoffset")
    return context.resolve()(name, integer(seconds, "dateutil.tz.tzoffset", -_DAY + 1, _DAY - 1))


PYTZ = Library(
    (
        Handler("pytz.tzinfo:BaseTzInfo", _get_pytz, _load_pytz),
        Handler("pytz:_FixedOffset", lambda obj: Parts(None, [obj._minutes]), _load_fixed),
    )
)
DATEUTIL = Library(
    (
        Handler("dateutil.tz:tzfile", _get_dateutil_file, _load_dateutil_file),
        Handler("dateutil.tz.tz:tzutc", lambda _: Parts(None, []), _load_dateutil_utc),
        Handler("dateutil.tz.tz:tzoffset", _get_dateutil_offset, _load_dateutil_offset),
    )
)
