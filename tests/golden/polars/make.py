"""Writes the file of this folder, with the oldest release of polars that is supported.

::

    python make.py    # polars 1.32.0

It is never made anew: it is what that release wrote.
"""

import datetime
import decimal
import os
import pickle

import polars as pl

assert pl.__version__ == "1.32.0", pl.__version__
day, moment = datetime.date(2020, 1, 1), datetime.datetime(2020, 7, 1)
frame = pl.DataFrame(
    {
        "integers": pl.Series([1, None, -3], dtype=pl.Int16),
        "numbers": [1.5, None, float("inf")],
        "texts": ["a", "longer than what stands in a view", None],
        "truth": [True, None, False],
        "days": [day, None, day],
        "moments": pl.Series([moment, None, moment]).dt.replace_time_zone("UTC"),
        "lists": [[["a"], None], None, []],
        "records": [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}],
        "categories": pl.Series(["u", None, "v"], dtype=pl.Categorical),
        "enumeration": pl.Series(["u", None, "v"], dtype=pl.Enum(["v", "u"])),
        "arrays": pl.Series([[1, 2], None, [3, 4]], dtype=pl.Array(pl.Int8, 2)),
        "decimals": pl.Series([decimal.Decimal("1.25"), None, decimal.Decimal(-2)], dtype=pl.Decimal(10, 2)),
    }
)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "1.32.0.pkl"), "xb") as file:
    pickle.dump(frame, file, 4)
