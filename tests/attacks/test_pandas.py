"""Crafted frames, arrays and indexes, whose numbers compiled code of pandas would follow outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

import skopsafe  # noqa: E402
from skopsafe.testing.crafted import forged, schema_of, with_schema  # noqa: E402
from tests.attacks.crashes import Case, assert_most_kill  # noqa: E402

FAR = 10**8
OFFSETS = "pandas._libs.tslibs.offsets"
Change = Callable[[Any], Any]


def categories() -> Any:
    return pd.Categorical(["a", "b", "c"] * 50)


def levels() -> Any:
    return pd.MultiIndex.from_product([["a", "b"], range(100)])


def put(value: Any, dtype: Any = None) -> Change:
    """Replace the first item of an array."""

    def change(old: Any) -> Any:
        new = np.array(old, dtype or old.dtype)
        new.flat[0] = value
        return new

    return change


def to(value: Any) -> Change:
    return lambda _: value


def array(values: Any) -> Any:
    return pd.arrays.NumpyExtensionArray(np.asarray(values))


def texts() -> Any:
    return pd.Series([f"text {i % 9}" for i in range(90)] + [None], dtype=object).array


def frame() -> Any:
    return pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [1, 2]})


NUMPY = "pandas.arrays:NumpyExtensionArray"
CASES: dict[str, tuple[Callable[[], Any], str, dict[str, Change], str]] = {
    "codes_far": (categories, "pandas:Categorical", {"codes": put(FAR, "i4")}, r"Categorical\.codes"),
    "codes_one_too_far": (categories, "pandas:Categorical", {"codes": put(3)}, r"Categorical\.codes"),
    "codes_negative": (categories, "pandas:Categorical", {"codes": put(-2)}, r"Categorical\.codes"),
    "codes_of_floats": (
        categories,
        "pandas:Categorical",
        {"codes": lambda old: old.astype(float)},
        r"Categorical\.codes",
    ),
    "codes_of_two_dimensions": (
        categories,
        "pandas:Categorical",
        {"codes": lambda old: old.reshape(50, 3)},
        r"Categorical\.codes",
    ),
    "codes_in_another_byte_order": (
        categories,
        "pandas:Categorical",
        {"codes": lambda old: old.astype(">i4")},
        r"Categorical\.codes",
    ),
    "categories_twice": (
        categories,
        "pandas:Categorical",
        {"categories": to(pd.Index(["a", "a", "b"]))},
        r"Categorical\.categories",
    ),
    "categories_missing": (
        categories,
        "pandas:Categorical",
        {"categories": to(pd.Index(["a", None, "b"], dtype=object))},
        r"Categorical\.categories",
    ),
    "categories_in_levels": (
        categories,
        "pandas:Categorical",
        {"categories": to(levels())},
        r"Categorical\.categories",
    ),
    "no_categories": (
        categories,
        "pandas:Categorical",
        {"categories": to(["a", "b", "c"])},
        r"Categorical\.categories",
    ),
    "level_codes_far": (levels, "pandas:MultiIndex", {"codes": put(FAR, "i4")}, r"MultiIndex\.codes"),
    "level_codes_negative": (levels, "pandas:MultiIndex", {"codes": put(-2)}, r"MultiIndex\.codes"),
    "fewer_codes": (levels, "pandas:MultiIndex", {"codes": lambda old: old[:1]}, r"MultiIndex\.codes"),
    "level_twice": (
        levels,
        "pandas:MultiIndex",
        {"levels": lambda old: [pd.Index(["a", "a"]), old[1]]},
        r"MultiIndex\.levels",
    ),
    "no_levels": (levels, "pandas:MultiIndex", {"levels": to([])}, r"MultiIndex\.levels"),
    "fewer_names": (levels, "pandas:MultiIndex", {"names": to(["x"])}, r"MultiIndex\.names"),
    "sorted_by_word_alone": (
        lambda: levels()[::-1],
        "pandas:MultiIndex",
        {"sortorder": to(2)},
        "sortorder",
    ),
    "mask_shorter": (
        lambda: pd.array([1, None, 3]),
        "pandas.arrays:IntegerArray",
        {"mask": lambda old: old[:1]},
        r"IntegerArray\.mask",
    ),
    "mask_of_numbers": (
        lambda: pd.array([1, None, 3]),
        "pandas.arrays:IntegerArray",
        {"mask": lambda old: old.astype(np.int8)},
        r"IntegerArray\.mask",
    ),
    "masked_floats_as_integers": (
        lambda: pd.array([1, None, 3]),
        "pandas.arrays:IntegerArray",
        {"values": lambda old: old.astype(float)},
        r"IntegerArray\.values",
    ),
    "times_in_years": (
        lambda: pd.array(["2020"], dtype="datetime64[ns]"),
        "pandas.arrays:DatetimeArray",
        {"values": lambda old: old.astype("M8[Y]")},
        r"DatetimeArray\.values",
    ),
    "times_in_steps": (
        lambda: pd.array(["2020"], dtype="datetime64[ns]"),
        "pandas.arrays:DatetimeArray",
        {"values": lambda old: old.view("M8[7ns]")},
        r"DatetimeArray\.values",
    ),
    "times_in_no_zone": (
        lambda: pd.array(["2020"], dtype="datetime64[ns]"),
        "pandas.arrays:DatetimeArray",
        {"tz": to("Europe/../../etc/passwd")},
        r"DatetimeArray\.tz",
    ),
    "deltas_that_are_times": (
        lambda: pd.array([1], dtype="timedelta64[ns]"),
        "pandas.arrays:TimedeltaArray",
        {"values": lambda old: old.astype(np.int64).view("M8[ns]")},
        r"TimedeltaArray\.values",
    ),
    "freq_that_is_not_true": (
        lambda: pd.date_range("2020", periods=5),
        "pandas:DatetimeIndex",
        {"freq": to(pd.offsets.Hour(1))},
        r"DatetimeIndex\.freq",
    ),
    "freq_of_far_too_many_steps": (
        lambda: pd.date_range("2020", periods=5, freq="W-TUE"),
        "pandas:DatetimeIndex",
        {
            "values": lambda old: pd.DatetimeIndex(["1700-01-01", *pd.DatetimeIndex(old)[1:]]).array,
        },
        r"DatetimeIndex\.freq",
    ),
    "freq_of_text": (
        lambda: pd.date_range("2020", periods=5),
        "pandas:DatetimeIndex",
        {"freq": to("D")},
        r"DatetimeIndex\.freq",
    ),
    "index_of_other_values": (
        lambda: pd.date_range("2020", periods=5),
        "pandas:DatetimeIndex",
        {"values": to(array([1, 2]))},
        r"DatetimeIndex\.values",
    ),
    "periods_far": (
        lambda: pd.array(pd.period_range("2020", periods=3, freq="Y")),
        "pandas.arrays:PeriodArray",
        {"ordinals": put(2**62)},
        r"PeriodArray\.ordinals",
    ),
    "period_far": (
        lambda: pd.Period("2020", "M"),
        "pandas:Period",
        {"ordinal": to(2**62)},
        r"Period\.ordinal",
    ),
    "periods_of_32_bits": (
        lambda: pd.array(pd.period_range("2020", periods=3, freq="Y")),
        "pandas.arrays:PeriodArray",
        {"ordinals": lambda old: old.astype("i4")},
        r"PeriodArray\.ordinals",
    ),
    "sides_of_other_lengths": (
        lambda: pd.arrays.IntervalArray.from_breaks([0, 1, 2]),
        "pandas.arrays:IntervalArray",
        {"right": to(array([1, 2, 3]))},
        r"IntervalArray\.right",
    ),
    "sides_of_other_dtypes": (
        lambda: pd.arrays.IntervalArray.from_breaks([0, 1, 2]),
        "pandas.arrays:IntervalArray",
        {"right": to(array([1.0, 2.0]))},
        r"IntervalArray\.right",
    ),
    "sides_of_objects": (
        lambda: pd.arrays.IntervalArray.from_breaks([0, 1, 2]),
        "pandas.arrays:IntervalArray",
        {"left": to(array(np.array(["a", None], object)))},
        r"IntervalArray\.left",
    ),
    "sparse_far": (
        lambda: pd.arrays.SparseArray([0.0, 1.0, 2.0]),
        "pandas.arrays:SparseArray",
        {"places": put(FAR)},
        r"SparseArray\.places",
    ),
    "sparse_negative": (
        lambda: pd.arrays.SparseArray([0.0, 1.0, 2.0]),
        "pandas.arrays:SparseArray",
        {"places": put(-1)},
        r"SparseArray\.places",
    ),
    "sparse_not_sorted": (
        lambda: pd.arrays.SparseArray([1.0, 1.0, 2.0], fill_value=0.0),
        "pandas.arrays:SparseArray",
        {"places": lambda old: old[::-1].copy()},
        r"SparseArray\.places",
    ),
    "sparse_with_fewer_values": (
        lambda: pd.arrays.SparseArray([1.0, 1.0, 2.0], fill_value=0.0),
        "pandas.arrays:SparseArray",
        {"values": to(array([1.0]))},
        r"SparseArray\.places",
    ),
    "sparse_of_absurd_length": (
        lambda: pd.arrays.SparseArray([0.0, 1.0]),
        "pandas.arrays:SparseArray",
        {"length": to(2**40)},
        r"SparseArray\.length",
    ),
    "texts_longer_than_there_are": (texts, NUMPY, {"lengths": put(200)}, r"NumpyExtensionArray\.lengths"),
    "texts_that_leave_some_over": (texts, NUMPY, {"lengths": put(1)}, r"NumpyExtensionArray\.lengths"),
    "texts_of_no_letters": (texts, NUMPY, {"letters": put(255)}, r"NumpyExtensionArray\.letters"),
    "texts_at_places_far": (texts, NUMPY, {"places": put(9)}, r"NumpyExtensionArray\.places"),
    "texts_at_places_negative": (texts, NUMPY, {"places": put(-4)}, r"NumpyExtensionArray\.places"),
    "texts_of_another_shape": (texts, NUMPY, {"shape": to((7,))}, "NumpyExtensionArray"),
    "texts_of_many_dimensions": (texts, NUMPY, {"shape": to((91, 1, 1))}, "NumpyExtensionArray"),
    "rows_fewer": (frame, "pandas:DataFrame", {"index": to(pd.RangeIndex(1))}, r"DataFrame\.blocks"),
    "rows_more": (frame, "pandas:DataFrame", {"index": to(pd.RangeIndex(10**6))}, r"DataFrame\.blocks"),
    "columns_fewer": (frame, "pandas:DataFrame", {"columns": to(pd.RangeIndex(1))}, r"DataFrame\.places"),
    "columns_twice": (frame, "pandas:DataFrame", {"places": put(1)}, r"DataFrame\.places"),
    "columns_far": (frame, "pandas:DataFrame", {"places": put(FAR)}, r"DataFrame\.places"),
    "columns_in_32_bits": (
        frame,
        "pandas:DataFrame",
        {"places": lambda old: old.astype("i4")},
        r"DataFrame\.places",
    ),
    "blocks_fewer": (frame, "pandas:DataFrame", {"blocks": lambda old: old[:1]}, r"DataFrame\.blocks"),
    "blocks_more": (frame, "pandas:DataFrame", {"blocks": lambda old: old * 2}, r"DataFrame\.blocks"),
    "blocks_of_one_dimension": (
        frame,
        "pandas:DataFrame",
        {"blocks": lambda old: [array([1.0, 2.0]), *old[1:]]},
        r"DataFrame\.blocks",
    ),
    "blocks_of_bare_times": (
        frame,
        "pandas:DataFrame",
        {"blocks": lambda old: [array(np.zeros((2, 2), "M8[ns]")), *old[1:]]},
        r"DataFrame\.blocks",
    ),
    "blocks_of_times_of_one_dimension": (
        lambda: pd.DataFrame({"a": pd.to_datetime(["2020", "2021"])}),
        "pandas:DataFrame",
        {"blocks": lambda old: [old[0].ravel()]},
        r"DataFrame\.blocks",
    ),
    "blocks_that_are_none": (
        frame,
        "pandas:DataFrame",
        {"blocks": to([[1.0, 2.0], [3.0]])},
        r"DataFrame\.blocks",
    ),
    "no_index": (frame, "pandas:DataFrame", {"index": to(range(2))}, r"DataFrame\.index"),
    "series_of_other_length": (
        lambda: pd.Series([1.0, 2.0]),
        "pandas:Series",
        {"values": to(array([1.0]))},
        r"Series\.values",
    ),
    "series_of_two_dimensions": (
        lambda: pd.Series([1.0, 2.0]),
        "pandas:Series",
        {"values": to(array(np.zeros((2, 2))))},
        r"Series\.values",
    ),
    "attrs_of_another_class": (frame, "pandas:DataFrame", {"attrs": to([1])}, r"DataFrame\.attrs"),
    "index_of_times": (
        lambda: pd.Index([1, 2]),
        "pandas:Index",
        {"values": to(pd.array(["2020"], dtype="datetime64[ns]"))},
        r"Index\.values",
    ),
    "step_of_nothing": (lambda: pd.RangeIndex(5), "pandas:RangeIndex", {"step": to(0)}, r"RangeIndex\.step"),
    "range_of_absurd_length": (
        lambda: pd.RangeIndex(5),
        "pandas:RangeIndex",
        {"stop": to(2**70)},
        "RangeIndex",
    ),
    "interval_of_texts": (lambda: pd.Interval(1, 2), "pandas:Interval", {"left": to("a")}, "Interval"),
    "time_of_years": (
        lambda: pd.Timestamp("2020"),
        "pandas:Timestamp",
        {"value": lambda old: old.astype("M8[Y]")},
        r"Timestamp\.value",
    ),
    "time_that_is_missing": (
        lambda: pd.Timestamp("2020"),
        "pandas:Timestamp",
        {"value": to(np.array("NaT", "M8[ns]"))},
        r"Timestamp\.value",
    ),
    "offset_of_absurd_steps": (
        lambda: pd.offsets.BusinessHour(1),
        f"{OFFSETS}:BusinessHour",
        {"n": to(10**12)},
        r"BusinessHour\.n",
    ),
    "offset_with_other_keywords": (
        lambda: pd.offsets.Week(weekday=1),
        f"{OFFSETS}:Week",
        {"keywords": to({"calendar": 1})},
        r"Week\.keywords",
    ),
    "offset_of_another_day": (
        lambda: pd.offsets.Week(weekday=1),
        f"{OFFSETS}:Week",
        {"keywords": to({"weekday": 2**40})},
        r"Week\.weekday",
    ),
    "offset_of_other_months": (
        lambda: pd.offsets.YearEnd(month=1),
        f"{OFFSETS}:YearEnd",
        {"keywords": to({"month": 13})},
        r"YearEnd\.month",
    ),
    "offset_of_holidays_in_seconds": (
        lambda: pd.offsets.CDay(holidays=["2020-01-01"]),
        f"{OFFSETS}:CustomBusinessDay",
        {"keywords": lambda old: old | {"holidays": np.array(["2020"], "M8[s]")}},
        r"CustomBusinessDay\.holidays",
    ),
    "dtype_of_no_zone": (
        lambda: pd.DatetimeTZDtype("ns", "UTC"),
        "pandas:DatetimeTZDtype",
        {"tz": to("UTC")},
        r"DatetimeTZDtype\.tz",
    ),
    "dtype_of_another_storage": (
        lambda: pd.StringDtype("python"),
        "pandas:StringDtype",
        {"storage": to("os")},
        r"StringDtype\.storage",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_does_not_fit_is_refused(name: str) -> None:
    make, type_name, changes, where = CASES[name]
    assert isinstance(skopsafe.loads(skopsafe.dumps(make())), type(make()))
    data = forged(make(), type_name, **changes)
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.SkopsafeError, match=where):
        skopsafe.loads(data)


def test_codes_are_not_shared_with_another_array() -> None:
    values = [categories(), np.zeros(150, np.uint8)]
    data = skopsafe.dumps(values)
    schema = schema_of(data)
    dtypes = [schema["dtypes"][run[0]] for run in schema["arrays"] for _ in range(run[3])]
    (array,) = (run for run in schema["runs"] if schema["shapes"][run[0]][1] == ["array"])
    assert dtypes[array[2][0]] == "|u1"
    array[2] = [dtypes.index("|i1")]
    with pytest.raises(skopsafe.FormatError, match="used twice"):
        skopsafe.loads(with_schema(data, schema))


@pytest.mark.parametrize("module", ["pytz", "dateutil.tz"])
def test_a_zone_is_no_path(module: str) -> None:
    library = pytest.importorskip(module)
    zone = library.timezone("Europe/Berlin") if module == "pytz" else library.gettz("Europe/Berlin")
    data = skopsafe.dumps([zone])
    assert skopsafe.get_untrusted_types(data=data) == []
    for key in ("../../etc/passwd", "/etc/passwd", "Europe/./Berlin", "a" * 300, "UTC\0", ""):
        schema = schema_of(data)
        schema["runs"][0][2] = [[key]]
        with pytest.raises(skopsafe.ValidationError, match="not a time zone key"):
            skopsafe.loads(with_schema(data, schema))


def unchecked(codes: Any) -> Any:
    """Return a Categorical with such codes, as a pickle could have it."""
    from pandas._libs.arrays import NDArrayBacked

    made = categories()
    NDArrayBacked.__init__(made, np.asarray(codes, np.int32), made.dtype)
    return made


CRASHING = {
    "categories_as_objects": Case(lambda: (unchecked([FAR] * 150), "astype", (object,)), ""),
    "categories_renamed": Case(lambda: (unchecked([FAR] * 150), "set_categories", (["c", "a"],)), ""),
    "a_column_of_them": Case(lambda: (pd.Series(unchecked([-FAR] * 150)), "astype", (object,)), ""),
}


def test_what_is_refused_crashes_pandas(tmp_path: Path) -> None:
    assert_most_kill(CRASHING, tmp_path)
