"""polars: frames, series and data types come back as they were, chunk by chunk."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import skopsafe
from tests.handlers.coming_back import back as again

pl = pytest.importorskip("polars", minversion="1.32")
testing = pytest.importorskip("polars.testing")
parametric = pytest.importorskip("polars.testing.parametric")

# Extension types are classes of users, and series of objects are objects.
EXCLUDED = [getattr(pl, name) for name in ("Object", "BaseExtension", "Extension") if hasattr(pl, name)]
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
DAY, MOMENT, STEP = datetime.date(2020, 1, 1), datetime.datetime(2020, 7, 1), datetime.timedelta(1)


def made() -> dict[str, Any]:
    """Return a series of each data type that the installed polars has."""
    found: dict[str, Any] = {}

    def add(values: list[Any], dtype: Any) -> None:
        found[str(dtype)] = pl.Series("name", values, dtype=dtype)

    for bits in (8, 16, 32, 64, 128):
        for sign in ("", "U"):
            if hasattr(pl, f"{sign}Int{bits}"):
                most = 2 ** (bits - (not sign)) - 1
                add([most, None, 0 if sign else -most - 1], getattr(pl, f"{sign}Int{bits}"))
    for bits in (16, 32, 64):
        if hasattr(pl, f"Float{bits}"):
            add([1.5, float("nan"), None, -0.0], getattr(pl, f"Float{bits}"))
    add([True, False, None], pl.Boolean)
    add(["a", "é" * 20, None, ""], pl.String)
    add([b"a", b"\xff" * 20, None, b""], pl.Binary)
    add([DAY, None, datetime.date(1, 1, 1)], pl.Date)
    add([datetime.time(1, 2, 3), None, datetime.time(0)], pl.Time)
    for unit in ("ms", "us", "ns"):
        add([MOMENT, None], pl.Datetime(unit))
        add([STEP, None, -STEP], pl.Duration(unit))
    zone = found["Datetime(time_unit='us', time_zone=None)"].dt.replace_time_zone("Europe/Lisbon")
    found["zone"] = zone
    add([Decimal("1.25"), None, Decimal("-0.05"), Decimal(0)], pl.Decimal(10, 2))
    add([Decimal("1" * 38), None, Decimal("-" + "9" * 38)], pl.Decimal(38, 0))
    add(["b", "a", None, "b"], pl.Categorical)
    add(["b", None], pl.Categorical(pl.Categories("skopsafe", "tests", pl.UInt8)))
    add(["a", "b", None, "a"], pl.Enum(["b", "a", "c"]))
    add([None], pl.Enum([]))
    add([None] * 3, pl.Null)
    add([[1, None], None, [], [3]], pl.List(pl.Int8))
    add([[["a"], []], None, [], [None, ["b"]]], pl.List(pl.List(pl.String)))
    add([["a", "b"], None, [], ["a"]], pl.List(pl.Categorical))
    add([["a", "b"], None, [], ["a"]], pl.List(pl.Enum(["b", "a"])))
    add([[Decimal("1.25"), None], None, []], pl.List(pl.Decimal(10, 2)))
    add([[None, None], None, []], pl.List(pl.Null))
    add([[{"a": 1}], None, [], [None]], pl.List(pl.Struct({"a": pl.Int8})))
    add([[MOMENT], None], pl.List(pl.Datetime("ms")))
    add([[True, None], None], pl.List(pl.Boolean))
    add([[1, 2], None, [3, None]], pl.Array(pl.Int8, 2))
    add([[[1, 2], [3, 4]], None], pl.Array(pl.Int8, (2, 2)))
    add([[], None, []], pl.Array(pl.Int8, 0))
    add([["a", "b"], None], pl.Array(pl.String, 2))
    add([[[1, 2]], None, []], pl.List(pl.Array(pl.Int8, 2)))
    add([[[1], []], None], pl.Array(pl.List(pl.Int8), 2))
    add([{"a": 1, "b": "x"}, None, {"a": None, "b": None}], pl.Struct({"a": pl.Int8, "b": pl.String}))
    add([{"a": {"b": [1]}}, None], pl.Struct({"a": pl.Struct({"b": pl.List(pl.Int8)})}))
    add([{}, None], pl.Struct([]))
    add([{"a": "x", "b": "y"}], pl.Struct({"a": pl.Categorical, "b": pl.Categorical}))
    if hasattr(pl, "Map"):
        add([{"a": 1, "b": None}, None, {}], pl.Map(pl.String, pl.Int8))
        add([{"a": {"x": MOMENT}}, None], pl.Map(pl.Enum(["a"]), pl.Map(pl.String, pl.Datetime("us"))))
    return found


SERIES = made()


def assert_series_comes_back(series: Any) -> None:
    found = again(series)
    assert found.dtype == series.dtype
    assert found.chunk_lengths() == series.chunk_lengths()
    testing.assert_series_equal(found, series, check_exact=True)


@pytest.mark.parametrize("name", SERIES)
def test_a_series_comes_back(name: str) -> None:
    series = SERIES[name]
    for part in (series, series[1:], series[:0], series.drop_nulls()):
        assert_series_comes_back(part)
    assert_series_comes_back(pl.concat([series, series[1:], series], rechunk=False))


@pytest.mark.parametrize("name", SERIES)
def test_a_data_type_comes_back(name: str) -> None:
    dtype = SERIES[name].dtype
    assert again(dtype) == dtype
    assert again(pl.Field("name", dtype)) == pl.Field("name", dtype)
    cls = dtype if isinstance(dtype, type) else type(dtype)
    assert again(cls) is cls


def test_a_frame_comes_back() -> None:
    columns = [s.alias(name) for name, s in SERIES.items() if len(s) == 3]
    frame = pl.concat([pl.DataFrame(columns), pl.DataFrame(columns)[1:]], rechunk=False)
    found = again(frame)
    testing.assert_frame_equal(found, frame, check_exact=True)
    assert found.n_chunks("all") == frame.n_chunks("all")
    assert again(frame.schema) == frame.schema
    assert again(pl.DataFrame()).shape == (0, 0)
    assert again(pl.DataFrame({"a": [1, 2]}).drop("a")).shape == pl.DataFrame({"a": [1, 2]}).drop("a").shape


def test_what_is_hidden_is_not_written() -> None:
    secret = pl.Series(["visible", "secret" * 10, "visible"])
    for part in (
        secret[:1],
        secret.filter(secret == "visible"),
        pl.select(pl.when(secret == "visible").then(secret)),
    ):
        assert b"secret" not in skopsafe.dumps(part)


@SETTINGS
@given(parametric.series(allow_chunks=True, max_size=6, excluded_dtypes=EXCLUDED))
def test_any_series_comes_back(series: Any) -> None:
    assert_series_comes_back(series)


@SETTINGS
@given(parametric.dataframes(allow_chunks=True, max_size=5, max_cols=4, excluded_dtypes=EXCLUDED))
def test_any_frame_comes_back(frame: Any) -> None:
    testing.assert_frame_equal(again(frame), frame, check_exact=True)


@pytest.mark.parametrize(
    ("obj", "match"),
    [
        (pl.LazyFrame({"a": [1]}), "plan"),
        (pl.col("a") + 1, "plan"),
        (pl.Series([object()]), "Object"),
        (pl.DataFrame({"a": [object()]}), "Object"),
    ],
)
def test_what_cannot_be_loaded_cannot_be_saved(obj: Any, match: str) -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match=match):
        skopsafe.dumps({"key": obj})
