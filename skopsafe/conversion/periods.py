"""The offset that the name of a dtype of periods means: the frequencies that pandas has for periods.

Source: ``pandas/_libs/tslibs/dtypes.pyx``, ``_period_code_map``.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from skopsafe.conversion.rules import require
from skopsafe.conversion.stands import Stand
from skopsafe.handlers.pandas.offsets import OFFSETS, parts_of

_DTYPE = re.compile(r"[Pp]eriod\[(\d{0,18})([A-Za-z]{1,3})(?:-([A-Z]{3}))?\]", re.ASCII)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")

_ANCHORED: dict[str, tuple[str, str, tuple[str, ...], int]] = {
    **dict.fromkeys(("A", "Y", "YE"), ("YearEnd", "month", _MONTHS, 1)),
    **dict.fromkeys(("Q", "QE"), ("QuarterEnd", "startingMonth", _MONTHS, 1)),
    "W": ("Week", "weekday", _DAYS, 0),
}
"""By name: the class, its keyword, what the anchor may be, and the first number. The last is implied."""
_PLAIN = {
    **dict.fromkeys(("M", "ME"), "MonthEnd"),
    "B": "BusinessDay",
    "D": "Day",
    **dict.fromkeys(("H", "h"), "Hour"),
    **dict.fromkeys(("T", "min"), "Minute"),
    **dict.fromkeys(("S", "s"), "Second"),
    **dict.fromkeys(("L", "ms"), "Milli"),
    **dict.fromkeys(("U", "us"), "Micro"),
    **dict.fromkeys(("N", "ns"), "Nano"),
}


def offset_of(name: str) -> Stand:
    """Return the offset of ``period[...]``.

    Raises
    ------
    Misfit
        It is no name of a dtype of periods.
    """
    match = _DTYPE.fullmatch(name)
    require(match is not None, "its freq is spelled in an unknown way")
    assert match is not None
    count, base, anchor = match.groups()
    keywords: dict[str, Any] = {}
    if base in _ANCHORED:
        cls, keyword, anchors, first = _ANCHORED[base]
        anchor = anchor or anchors[-1]
        require(anchor in anchors, "its freq ends at an unknown day or month")
        keywords = {keyword: anchors.index(anchor) + first}
    else:
        require(base in _PLAIN and anchor is None, "its freq is unknown")
        cls = _PLAIN[base]
        if cls == "BusinessDay":
            keywords = {"offset": datetime.timedelta()}
    return Stand(f"{OFFSETS}:{cls}", parts_of(int(count or 1), False, keywords))
