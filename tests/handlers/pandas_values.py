"""Values of pandas of every kind, each by a name, for tests to save and load; made anew each time."""

from __future__ import annotations

import datetime
import warnings
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

PANDAS = tuple(map(int, pd.__version__.split(".")[:2]))
RNG = np.random.default_rng(0)


def indexes() -> dict[str, Any]:
    found = {
        "objects": pd.Index(["a", 1, None, 2.5], dtype=object, name="mixed"),
        "texts": pd.Index(["b", "a"], name="n"),
        "range": pd.RangeIndex(2, 11, 3, name=("t", 1)),
        "empty": pd.Index([]),
        "categories": pd.CategoricalIndex(
            ["a", None, "b"], categories=["b", "a", "z"], ordered=True, name="c"
        ),
        "intervals": pd.interval_range(0, 3, closed="both", name="i"),
        "intervals_of_times": pd.interval_range(pd.Timestamp("2020", tz="UTC"), periods=3),
        "intervals_with_gaps": pd.IntervalIndex.from_arrays([0.0, np.nan], [1.0, np.nan], closed="left"),
        "periods": pd.period_range("2020Q1", periods=3, freq="Q-FEB", name="q"),
        "periods_of_minutes": pd.PeriodIndex(["2020-01-01 00:15", None], freq="15min"),
        "times_without_freq": pd.DatetimeIndex(["2020", "2022-02-01", None]),
        "times_of_no_length": pd.date_range("2020", periods=0),
        "times_across_a_change_of_clocks": pd.date_range("2020-03-20", periods=15, tz="Europe/Berlin"),
        "hours_across_a_change_of_clocks": pd.date_range(
            "2020-10-24", periods=40, freq="h", tz="Europe/Berlin"
        ),
        "times_at_an_offset": pd.date_range(
            "2020", periods=3, tz=datetime.timezone(datetime.timedelta(hours=2))
        ),
        "times_in_zoneinfo": pd.date_range("2020", periods=3, tz=zoneinfo.ZoneInfo("Asia/Tokyo")),
        "deltas": pd.timedelta_range(0, periods=4, freq="3h", name="d"),
        "deltas_without_freq": pd.TimedeltaIndex([1, None]),
        "tuples": pd.Index([("a", 1), ("b",)], tupleize_cols=False),
        "levels": pd.MultiIndex.from_tuples([("a", 1), ("b", None), (None, 2)], names=["x", "x"]),
        "levels_of_times": pd.MultiIndex.from_product(
            [pd.date_range("2020", periods=2, tz="UTC"), pd.CategoricalIndex(["u", "v"])], names=[None, "k"]
        ),
        "levels_unused": pd.MultiIndex.from_product([["a", "b"], [1, 2, 3]])[4:],
        "levels_sorted": pd.MultiIndex.from_product([[1, 2], ["a", "b"]], sortorder=2),
        "nullable": pd.Index([1, None], dtype="Int64"),
        "string": pd.Index(["a", None], dtype=pd.StringDtype("python")),
    }
    for kind in ("i1", "u2", "i8", "f4", "f8", "c16", "?"):
        found[f"numbers_{kind.replace('?', 'b')}"] = pd.Index(np.array([0, 1, 1]), dtype=kind)
    for freq in ("D", "B", "2h", "MS", "W-TUE", "15min", "BMS", "QS-FEB", "7ns", "C", "SMS", "-1D"):
        found[f"times_each_{freq}"] = pd.date_range("2020", periods=5, freq=freq)
    for unit in ("s", "ms", "us"):
        found[f"times_in_{unit}"] = pd.date_range("2020", periods=3, unit=unit)
    return found


def columns() -> dict[str, Any]:
    """Return arrays of three items."""
    found = {
        "bools": np.array([True, False, True]),
        "floats": np.array([1.5, np.nan, -0.0]),
        "halves": np.array([1.5, np.nan, 2], np.float16),
        "complex": np.array([1j, 2, 3]),
        "bytes": np.array([1, 2, 3], np.uint8),
        "objects": np.array([1, "x", None], dtype=object),
        "dates": np.array([datetime.date(2020, 1, 1), None, pd.NaT], dtype=object),
        "arrays": pd.Series([np.arange(2), [1], {"a": {1}}]).to_numpy(),
        "scalars": pd.Series(
            [np.datetime64("2020"), pd.Timestamp("2020", tz="UTC"), pd.Interval(1, 2)], dtype=object
        ).to_numpy(),
        "times": pd.array(["2020-01-01", None, "2021-02-03"], dtype="datetime64[ns]"),
        "times_in_seconds": pd.array(["2020-01-01", None, "2021-02-03"], dtype="datetime64[s]"),
        "times_in_berlin": pd.DatetimeIndex(["2020-01-01", None, "2021"], tz="Europe/Berlin").array,
        "deltas": pd.array([1, None, 3], dtype="timedelta64[ns]"),
        "periods": pd.PeriodIndex(["2020", None, "2021"], freq="M").array,
        "intervals": pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3]),
        "categories": pd.Categorical(["v", None, "u"], categories=["v", "u", "w"]),
        "ordered": pd.Categorical([3, 1, 3], ordered=True),
        "categories_of_times": pd.Categorical(pd.to_datetime(["2020", "2021", "2020"])),
        "no_categories": pd.Categorical([None, None, None]),
        "sparse": pd.arrays.SparseArray([0.0, 1.0, 0.0], fill_value=0.0),
        "sparse_blocks": pd.arrays.SparseArray([0, 1, 1], kind="block"),
        "sparse_bools": pd.arrays.SparseArray([True, False, False]),
        "sparse_objects": pd.arrays.SparseArray(np.array(["a", None, None], object), fill_value=None),
        "string": pd.array(["a", None, "ä"], dtype=pd.StringDtype("python")),
        "boolean": pd.array([True, None, False], dtype="boolean"),
        "backwards": np.array([1.0, 2.0, 3.0])[::-1],
        "big_endian": np.array([1.0, 2.0, 3.0], ">f8"),
    }
    for kind in ("Int8", "Int64", "UInt16", "Float32", "Float64"):
        found[kind] = pd.array([1, None, 3], dtype=kind)
    if PANDAS >= (2, 3):
        found["str"] = pd.array(["a", None, "ä"], dtype=pd.StringDtype("python", na_value=np.nan))
    return found


def frames() -> dict[str, Any]:
    square = RNG.random((4, 4))
    found = {
        "floats": pd.DataFrame(RNG.random((5, 3)), columns=list("abc")),
        "fortran": pd.DataFrame(np.asfortranarray(RNG.random((5, 3)))),
        "rows_left_out": pd.DataFrame(RNG.random((9, 3)))[::2],
        "nothing": pd.DataFrame(),
        "no_rows": pd.DataFrame({"a": np.empty(0), "b": np.empty(0, object)}),
        "no_columns": pd.DataFrame(index=range(3)),
        "same_names": pd.DataFrame([[1, 2, "x"], [3, 4, "y"]], columns=["a", "a", "b"]),
        "numbered": pd.DataFrame(np.eye(2), columns=pd.Index([10, 20], dtype="int16", name="number")),
        "levels": pd.DataFrame(
            square,
            index=pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", None]),
            columns=pd.MultiIndex.from_product([["a", "b"], pd.to_datetime(["2020", "2021"])]),
        ),
        "mixed": pd.DataFrame(columns()),
        "unique": pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
        "times_of_two_dimensions": pd.DataFrame(
            pd.date_range("2020", periods=4, tz="UTC").array.reshape(2, 2)
        ),
        "many_texts": pd.DataFrame(
            {
                "repeated": [f"text {i % 7} \N{SNOWMAN}" for i in range(200)],
                "different": pd.Series([f"text {i}" for i in range(200)], dtype=object),
                "missing": pd.Series(([None, np.nan, pd.NA, "x", ""] * 40), dtype=object),
                "surrogates": pd.Series(["\ud800", "b"] * 100, dtype=object),
            }
        ),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grown = pd.DataFrame({"a": [1.0, 2.0]})
        grown["b"], grown["c"], grown["d"] = [3.0, 4.0], [1, 2], [5.0, 6.0]
    found["grown"] = grown
    described = pd.DataFrame({"a": [1]})
    described.attrs["source"] = {"rows": 1, "array": [1, 2]}
    found["described"] = described
    return found


def scalars() -> list[Any]:
    offsets = pd.offsets
    return [
        pd.Timestamp("2020-01-01 10:00:00.123456789", tz="Europe/Berlin"),
        pd.Timestamp("2020-10-25 02:30", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Timestamp("2020"),
        pd.Timestamp(0, unit="s").as_unit("ms"),
        pd.Timestamp("2020").replace(fold=1),
        pd.Timestamp.min,
        pd.Timestamp.max,
        pd.Timestamp("2020", tz=datetime.timezone(datetime.timedelta(hours=2))),
        pd.Timedelta("1 day 3ns"),
        pd.Timedelta(3, unit="s").as_unit("s"),
        pd.Timedelta.min,
        pd.Period("2020-03", "M"),
        pd.Period("2020-03-04 10:00", "15min"),
        pd.Period("2020", "Y-MAR"),
        pd.Period("9999", "Y"),
        pd.Interval(1, 2),
        pd.Interval(0.5, np.float32(2), "neither"),
        pd.Interval(pd.Timestamp("2020"), pd.Timestamp("2021"), "both"),
        pd.CategoricalDtype(["a"], True),
        pd.CategoricalDtype(),
        pd.DatetimeTZDtype("ns", "UTC"),
        pd.DatetimeTZDtype("s", "Europe/Berlin"),
        pd.PeriodDtype("M"),
        pd.IntervalDtype("int64", "left"),
        pd.IntervalDtype(),
        pd.IntervalDtype(pd.DatetimeTZDtype("ns", "UTC"), "both"),
        pd.SparseDtype(float, 0.0),
        pd.StringDtype("python"),
        pd.Int64Dtype(),
        pd.UInt8Dtype(),
        pd.Float32Dtype(),
        pd.BooleanDtype(),
        pd.arrays.NumpyExtensionArray(np.arange(2)).dtype,
        offsets.Day(3),
        offsets.Hour(-2),
        offsets.Nano(10**18),
        offsets.MonthEnd(2, normalize=True),
        offsets.DateOffset(months=1, weekday=2, hour=3),
        offsets.CustomBusinessDay(2, holidays=["2020-01-01"], weekmask="Mon Wed"),
        offsets.CustomBusinessHour(start="10:00", holidays=["2020-01-01"]),
        offsets.CBMonthEnd(),
        offsets.BDay(offset=datetime.timedelta(1)),
        offsets.BusinessHour(start=["09:00", "14:00"], end=["12:00", "18:00"]),
        offsets.FY5253(weekday=1, startingMonth=2, variation="last"),
        offsets.FY5253Quarter(weekday=1, startingMonth=2, variation="nearest", qtr_with_extra_week=3),
        offsets.Easter(),
        offsets.Week(weekday=2),
        offsets.Week(),
        offsets.LastWeekOfMonth(weekday=2),
        offsets.WeekOfMonth(week=1, weekday=3),
        offsets.SemiMonthEnd(day_of_month=12),
        offsets.YearEnd(month=3),
        offsets.BQuarterEnd(startingMonth=2),
    ]


MAKERS: dict[str, Callable[[], dict[str, Any]]] = {"frames": frames, "indexes": indexes, "columns": columns}
