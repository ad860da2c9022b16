"""What a dtype that is given as a text may say."""

from __future__ import annotations

import re

from skopsafe.handlers.checks import require


def require_plain_dtype(value: object, where: str) -> None:
    """Refuse texts that pandas would make more of than a dtype.

    ``DataFrame.astype("datetime64[ns, dateutil//path]")`` opens the file of that path to find a time zone in
    it (``pandas/_libs/tslibs/timezones.pyx``, ``maybe_get_tz``), and ``"S1000000000"`` makes each item as
    long as it says. Dtypes that are objects have loaders, which see to themselves.
    """
    if isinstance(value, str):
        plain = len(value) < 200 and "dateutil" not in value and not re.search(r"\d{6}", value)
        require(plain, "not a plain dtype", where)
