"""Time zones come out of a pickle by their keys, and none is looked up for that."""

from __future__ import annotations

import datetime
import pickle
import zoneinfo
from typing import Any

import pytest

import skopsafe
from skopsafe.errors import SkopsafeError
from tests.convert.converting import converted

NOON = datetime.datetime(2020, 7, 1, 12)


def through(obj: Any) -> Any:
    """Convert the pickles of an object and load them."""
    found = None
    for protocol in range(2, 6):
        data = converted(pickle.dumps(obj, protocol))
        assert skopsafe.get_untrusted_types(data=data) == []
        found = skopsafe.loads(data)
    return found


def test_zones_of_the_standard_library_are_converted() -> None:
    zone = zoneinfo.ZoneInfo("Asia/Tokyo")
    assert through(zone) is zone
    assert through(NOON.replace(tzinfo=zone)) == NOON.replace(tzinfo=zone)
    fresh = through(zoneinfo.ZoneInfo.no_cache("Asia/Tokyo"))
    assert fresh.key == "Asia/Tokyo"


def test_zones_of_dateutil_are_converted() -> None:
    tz = pytest.importorskip("dateutil.tz")
    for zone in (tz.tzutc(), tz.tzoffset("x", 3600), tz.tzoffset(None, -60)):
        assert through(zone) == zone
    berlin = tz.gettz("Europe/Berlin")
    if berlin is not None:
        assert through(berlin) == berlin


def test_a_file_of_dateutil_from_elsewhere_is_refused() -> None:
    crafted = b"\x80\x02cdateutil.tz.tz\ntzfile\n(NX\x0b\x00\x00\x00/etc/passwdtR."
    with pytest.raises(SkopsafeError, match="not read from the time zone database"):
        converted(crafted)


def test_zones_of_pytz_are_converted() -> None:
    pytz = pytest.importorskip("pytz")
    berlin = pytz.timezone("Europe/Berlin")
    for zone in (berlin, pytz.utc, pytz.FixedOffset(60), pytz.FixedOffset(0), pytz.timezone("Etc/GMT+3")):
        assert through(zone) is zone
    summer = berlin.localize(NOON)
    found = through(summer)
    assert found == summer
    assert found.tzinfo is summer.tzinfo


def test_another_method_that_a_pickle_binds_is_refused() -> None:
    crafted = b"\x80\x04cbuiltins\ngetattr\n(czoneinfo\nZoneInfo\n\x8c\tfrom_filetR(\x8c\x01xtR."
    with pytest.raises(SkopsafeError, match="could be anything"):
        converted(crafted)
