"""pandas comes back equal, in its layout, without approval, and as the same bytes when saved again."""

from __future__ import annotations

import datetime
import io
import subprocess
import sys
import zoneinfo
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

import hypothesis.extra.pandas as tables  # noqa: E402
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler  # noqa: E402

import skopsafe  # noqa: E402
from skopsafe.testing.crafted import forged, schema_of  # noqa: E402
from tests.handlers.pandas_values import MAKERS, PANDAS, columns, frames, indexes, scalars  # noqa: E402

SETTINGS = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))


def back(obj: Any) -> Any:
    """Save and load, and require the same bytes of the object again and of what was loaded."""
    data = skopsafe.dumps(obj)
    assert skopsafe.get_untrusted_types(data=data) == []
    found = skopsafe.loads(data)
    assert skopsafe.dumps(found) == data
    assert skopsafe.dumps(obj) == data
    return found


def assert_same(found: Any, obj: Any) -> None:
    """Compare as strictly as pandas can."""
    assert type(found) is type(obj)
    if isinstance(obj, pd.DataFrame):
        pd.testing.assert_frame_equal(
            found, obj, check_exact=True, check_index_type="exact", check_column_type="exact"
        )
        assert_same(found.columns, obj.columns)
        assert_same(found.index, obj.index)
        blocks = found._mgr.blocks, obj._mgr.blocks
        assert [b.mgr_locs.as_array.tolist() for b in blocks[0]] == [
            b.mgr_locs.as_array.tolist() for b in blocks[1]
        ]
        for one, other in zip(*blocks, strict=True):
            assert type(one) is type(other)
            assert_same_values(one.values, other.values)
    elif isinstance(obj, pd.Series):
        pd.testing.assert_series_equal(found, obj, check_exact=True, check_index_type="exact")
        assert_same(found.index, obj.index)
        assert_same_values(found._mgr.blocks[0].values, obj._mgr.blocks[0].values)
    elif isinstance(obj, pd.Index):
        pd.testing.assert_index_equal(found, obj, exact=True)
        assert getattr(found, "freq", None) == getattr(obj, "freq", None)
        assert found.names == obj.names
        if isinstance(obj, pd.MultiIndex):
            assert found.sortorder == obj.sortorder
            assert [c.tolist() for c in found.codes] == [c.tolist() for c in obj.codes]
            assert [c.dtype for c in found.codes] == [c.dtype for c in obj.codes]
            for one, other in zip(found.levels, obj.levels, strict=True):
                assert_same(one, other)
    if isinstance(obj, (pd.DataFrame, pd.Series)):
        assert found.attrs == obj.attrs
        assert found.flags.allows_duplicate_labels == obj.flags.allows_duplicate_labels


def assert_same_values(found: Any, values: Any) -> None:
    assert type(found) is type(values)
    assert found.shape == values.shape
    assert found.dtype == values.dtype
    if isinstance(values, np.ndarray):
        both = values.flags.c_contiguous or values.flags.f_contiguous
        assert not both or found.flags.f_contiguous == values.flags.f_contiguous
        assert not both or found.flags.c_contiguous == values.flags.c_contiguous
        if values.dtype.kind != "O":
            assert found.tobytes() == values.tobytes()
    else:
        assert repr(found) == repr(values)


@pytest.mark.parametrize("name", frames())
def test_a_frame_comes_back(name: str) -> None:
    frame = frames()[name]
    assert_same(back(frame), frame)


@pytest.mark.parametrize("name", indexes())
def test_an_index_comes_back(name: str) -> None:
    index = indexes()[name]
    assert_same(back(index), index)
    of_frame = pd.DataFrame({"x": np.arange(len(index))}, index=index)
    assert_same(back(of_frame), of_frame)
    if name != "levels_sorted":  # a frame with one row drops the order
        as_labels = pd.DataFrame(np.zeros((1, len(index))), columns=index)
        assert_same(back(as_labels), as_labels)


@pytest.mark.parametrize("name", columns())
def test_a_column_comes_back(name: str) -> None:
    values = columns()[name]
    series = pd.Series(values, name=("s", 1), index=pd.Index([1, 2, 5]), copy=False)
    assert_same(back(series), series)
    assert_same(back(series[1:]), series[1:])
    if name != "big_endian":  # pandas cannot take items of these
        frame = pd.DataFrame({"a": series, "b": series.iloc[::-1]})
        assert_same(back(frame), frame)
    if not isinstance(values, np.ndarray):
        found = back(values)
        assert type(found) is type(values)
        assert repr(found) == repr(values)
        assert found.dtype == values.dtype


@pytest.mark.parametrize("value", scalars(), ids=repr)
def test_a_scalar_dtype_or_offset_comes_back(value: Any) -> None:
    first, second = back([value, value])
    assert first is second
    assert type(first) is type(value)
    assert first == value
    assert repr(first) == repr(value)
    if isinstance(value, pd.Timestamp):
        assert (first.unit, first.fold, first.nanosecond) == (value.unit, value.fold, value.nanosecond)
        assert first.tzinfo == value.tzinfo
    if isinstance(value, pd.tseries.offsets.BaseOffset):
        times = pd.Timestamp("2020-02-29 10:00")
        assert times + first == times + value


def test_marks_of_missing_values_are_the_ones_of_pandas() -> None:
    found = back([pd.NaT, pd.NA, pd.NaT])
    assert found[0] is pd.NaT
    assert found[1] is pd.NA


def test_a_week_given_as_numbers_comes_back() -> None:
    for mask in ([1, 1, 0, 1, 1, 0, 0], (True, True, False, True, True, False, False)):
        offset = pd.offsets.CustomBusinessDay(weekmask=mask)
        assert back(offset).weekmask == mask
        assert pd.Timestamp("2020-01-01") + back(offset) == pd.Timestamp("2020-01-01") + offset


@SETTINGS
@given(
    tables.data_frames(
        columns=[
            tables.column("b", dtype=bool),
            tables.column("f", dtype=float),
            tables.column("i", dtype=np.int16),
            tables.column("u", elements=st.text(max_size=5), dtype=object),
            tables.column("o", elements=st.none() | st.integers() | st.text() | st.binary(), dtype=object),
            tables.column("t", dtype="datetime64[ns]"),
            tables.column("d", dtype="timedelta64[ns]"),
        ],
        index=tables.range_indexes(max_size=80) | tables.indexes(dtype=float, max_size=80),
    )
)
def test_any_frame_comes_back(frame: Any) -> None:
    assert_same(back(frame), frame)
    for part in (frame.iloc[::2], frame[["f", "i"]], frame.T, frame["o"], frame.iloc[:, :0]):
        assert_same(back(part), part)


@SETTINGS
@given(
    tables.series(elements=st.text(max_size=3) | st.none(), dtype=object, index=tables.range_indexes(0, 120)),
    st.sampled_from(["category", "string[python]", object]),
)
def test_any_texts_come_back(series: Any, dtype: Any) -> None:
    assert_same(back(series.astype(dtype)), series.astype(dtype))


@SETTINGS
@given(
    st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)),
    st.integers(0, 50),
    st.sampled_from(
        ["D", "h", "7min", "B", "ME", "MS", "QE", "YS", "W-WED", "BME", "SME", "2W", "BQS", "bh"]
    ),
    st.sampled_from([None, "UTC", "Europe/Berlin", "America/St_Johns"]),
)
def test_any_freq_comes_back(start: datetime.datetime, periods: int, freq: str, tz: str | None) -> None:
    try:
        index = pd.date_range(start, periods=periods, freq=freq, tz=tz)
    except (ValueError, pd.errors.OutOfBoundsDatetime):
        return  # a time that a change of clocks leaves out or has twice
    for part in (index, index[::-1], index[2:9:3], index.tz_localize(None)):
        assert_same(back(part), part)


def test_every_kind_of_pandas_text_comes_back() -> None:
    pytest.importorskip("pyarrow")
    missing = [pd.NA] if PANDAS < (2, 3) else [pd.NA, np.nan]
    for na_value in missing:
        dtype = pd.StringDtype("pyarrow") if len(missing) == 1 else pd.StringDtype("pyarrow", na_value)
        for items in (["a", None, "\N{SNOWMAN}"], [], ["x"] * 500):
            series = pd.Series(items, dtype=dtype)
            assert_same(back(series), series)
            assert_same(back(pd.concat([series, series])[1:]), pd.concat([series, series])[1:])
            assert_same(back(pd.Index(series)), pd.Index(series))
        assert back(dtype) == dtype


def test_arrow_arrays_come_back() -> None:
    pa = pytest.importorskip("pyarrow")
    for kind, items in (
        (pa.int64(), [1, None]),
        (pa.list_(pa.int8()), [[1], None]),
        (pa.timestamp("us", "UTC"), [datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), None]),
        (pa.dictionary(pa.int8(), pa.string()), ["x", "y"]),
        (pa.decimal128(5, 2), [None]),
    ):
        series = pd.Series(pd.arrays.ArrowExtensionArray(pa.array(items, kind)))
        assert_same(back(series), series)
        assert back(series.dtype) == series.dtype


def test_zones_of_pytz_come_back() -> None:
    pytz = pytest.importorskip("pytz")
    berlin = pytz.timezone("Europe/Berlin")
    summer = berlin.localize(datetime.datetime(2020, 7, 1))
    found = back([pytz.utc, berlin, summer, pytz.FixedOffset(90), summer.tzinfo])
    assert found[0] is pytz.utc
    assert found[1] is berlin
    assert found[2] == summer
    assert found[2].tzinfo is found[4] is summer.tzinfo
    assert found[3] is pytz.FixedOffset(90)
    index = pd.date_range("2020-03-01", periods=40, tz=berlin)
    assert_same(back(index), index)
    assert type(back(index).tz) is type(index.tz)


def test_zones_of_dateutil_come_back() -> None:
    tz = pytest.importorskip("dateutil.tz")
    berlin = tz.gettz("Europe/Berlin")
    zones = [tz.tzutc(), tz.tzoffset("X", 3600), tz.tzoffset(None, -60), *([berlin] if berlin else [])]
    assert back(zones) == zones
    with pytest.raises(skopsafe.UnsupportedTypeError, match="time zone database"):
        skopsafe.dumps(tz.tzfile(io.BytesIO(Path("/usr/share/zoneinfo/UTC").read_bytes()), "made up"))


def test_what_is_shared_stays_shared() -> None:
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": [1.0, 2.0]})
    found = back({"one": frame, "two": frame, "labels": frame.columns, "row": frame.index})
    assert found["one"] is found["two"]
    assert found["labels"] is found["one"].columns
    assert found["row"] is found["one"].index


def test_loaded_objects_do_not_write_into_each_other() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    views = [frame, frame.copy(deep=False), frame["a"], frame[["a"]], frame.to_numpy()]
    found = skopsafe.loads(skopsafe.dumps(views))
    found[0].iloc[0, 0] = 9.0
    assert found[1].iloc[0, 0] == found[2].iloc[0] == found[3].iloc[0, 0] == found[4][0, 0] == 1.0


def test_a_frame_can_stand_in_its_own_list() -> None:
    items: list[Any] = []
    items.append(pd.DataFrame({"o": pd.Series([items, None], dtype=object)}))
    found = skopsafe.loads(skopsafe.dumps(items))
    assert found[0]["o"][0] is found


@pytest.mark.parametrize("mode", ["r", "c"])
def test_a_mapped_frame_works(mode: Any, tmp_path: Path) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).random((5000, 4)), columns=list("abcd"))
    frame["k"] = pd.Categorical.from_codes(np.arange(5000) % 3, ["x", "y", "z"])
    frame["t"] = pd.date_range("2020", periods=5000, freq="h")
    frame["n"] = pd.array(np.arange(5000), dtype="Int64")
    skopsafe.dump(frame, tmp_path / "frame")
    found = skopsafe.load(tmp_path / "frame", mmap_mode=mode)
    pd.testing.assert_frame_equal(found, frame)
    base = found._mgr.blocks[0].values
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    for work in (
        lambda f: f.groupby("k", observed=True).sum(numeric_only=True),
        lambda f: f.sort_values("a").reset_index(drop=True),
        lambda f: f.merge(f.head(3), on="n"),
        lambda f: f.describe(),
    ):
        pd.testing.assert_frame_equal(work(found), work(frame))


class Kept(StandardScaler):  # type: ignore[misc]
    """An estimator that keeps the table it has seen."""

    def fit(self, X: Any, y: Any = None) -> Any:
        self.table_ = X
        self.same_table_ = X
        self.means_ = X.mean()
        return super().fit(X, y)


def test_estimators_can_keep_tables() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 0.0]})
    model = Kept().fit(frame)
    found = skopsafe.loads(skopsafe.dumps(model), trusted=[Kept])
    assert found.table_ is found.same_table_
    assert_same(found.table_, frame)
    assert_same(found.means_, frame.mean())
    assert found.transform(frame).tolist() == model.transform(frame).tolist()


def test_a_pipeline_with_pandas_output_and_a_table_of_results() -> None:
    frame = pd.DataFrame({"n": np.arange(30.0), "k": pd.Categorical(list("abc") * 10)})
    y = np.arange(30) % 2
    steps = make_column_transformer(
        (StandardScaler(), ["n"]),
        (OneHotEncoder(sparse_output=False), ["k"]),
        verbose_feature_names_out=False,
    )
    model = make_pipeline(steps, FunctionTransformer()).set_output(transform="pandas").fit(frame, y)
    assert_same(back(model).transform(frame), model.transform(frame))
    search = GridSearchCV(
        make_pipeline(model[0], LogisticRegression()),
        [{"logisticregression__C": [0.1, 1.0]}, {"logisticregression__tol": [0.1]}],
        cv=2,
    ).fit(frame, y)
    search.results_ = pd.DataFrame(search.cv_results_)
    found = back(search)
    assert_same(found.results_.drop(columns="params"), search.results_.drop(columns="params"))
    assert found.results_["params"].tolist() == search.results_["params"].tolist()
    assert found.results_["params"][0] is found.cv_results_["params"][0]
    assert found.predict(frame).tolist() == search.predict(frame).tolist()


def test_dtypes_as_values_need_no_approval() -> None:
    classes = [pd.CategoricalDtype, pd.Int64Dtype, pd.Timedelta]
    assert back(classes) == classes


def test_functions_in_a_frame_are_seen() -> None:
    from sklearn.decomposition import PCA

    frame = pd.DataFrame({"f": pd.Series([np.log1p], dtype=object)})
    assert back(frame)["f"][0] is np.log1p
    assert len(skopsafe.get_untrusted_types(data=skopsafe.dumps(frame.assign(f=[pd.concat])))) == 1
    model = PCA()
    model.mean_ = frame  # a place where numpy's functions may not stand
    found = skopsafe.get_untrusted_types(data=skopsafe.dumps(model))
    assert found == ["sklearn.decomposition._pca.PCA:mean_"]


class Frame(pd.DataFrame):  # type: ignore[misc]
    """A frame of somebody else, as geopandas has them."""

    _metadata = ("geometry",)


def test_a_subclass_is_not_taken_for_a_frame() -> None:
    frame = Frame({"a": [1]})
    data = skopsafe.dumps(frame)
    assert "tests.handlers.test_pandas.Frame" in skopsafe.get_untrusted_types(data=data)
    with pytest.raises(skopsafe.UntrustedTypesFoundException):
        skopsafe.loads(data)


def test_what_is_no_data_is_refused_or_asked_for() -> None:
    frame = pd.DataFrame({"a": [1, 1, 2], "t": pd.date_range("2020", periods=3)})
    for obj in (
        frame.groupby("a"),
        frame.rolling(2),
        frame.set_index("t").resample("D"),
        frame.expanding(),
        frame.ewm(2),
    ):
        try:
            untrusted = skopsafe.get_untrusted_types(data=skopsafe.dumps(obj))
        except skopsafe.UnsupportedTypeError:
            continue
        assert any(name.startswith("pandas.") for name in untrusted)


def test_a_missing_pandas_is_told_about(monkeypatch: pytest.MonkeyPatch) -> None:
    data = skopsafe.dumps(pd.Series([1]))
    for name in [name for name in sys.modules if name.split(".")[0] == "pandas"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(skopsafe.MissingTypeError, match="pandas"):
        skopsafe.loads(data)


def test_pyarrow_is_not_imported_for_what_it_does_not_hold() -> None:
    data = skopsafe.dumps(pd.DataFrame(np.eye(2)))
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import skopsafe, numpy as np, pandas as pd\n"
        f"frame = skopsafe.loads({data!r})\n"
        "print(frame.shape, skopsafe.loads(skopsafe.dumps(pd.Series(['a', None])))[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["(2,", "2)", "a"]


def test_names_in_files_are_the_same_in_every_release() -> None:
    frame = pd.DataFrame({"a": pd.array([1], dtype="Int8")}, index=pd.date_range("2020", periods=1))
    names = {name for name, _ in schema_of(skopsafe.dumps([frame, pd.Int8Dtype, pd.DateOffset(1)]))["types"]}
    assert {
        "pandas:DataFrame",
        "pandas:DatetimeIndex",
        "pandas.arrays:IntegerArray",
        "pandas.arrays:DatetimeArray",
        "pandas:Int8Dtype",
        "pandas._libs.tslibs.offsets:DateOffset",
    } <= names
    assert not any(name.startswith("pandas.core.") for name in names)


def test_the_dtype_str_of_pandas_3_is_told_about_before_pandas_2_3() -> None:
    data = forged(pd.StringDtype("python"), "pandas:StringDtype", missing=lambda _: "NaN")
    if PANDAS < (2, 3):
        with pytest.raises(skopsafe.MissingTypeError, match=r"has no dtype str.*Install pandas 2\.3"):
            skopsafe.loads(data)
    else:
        assert np.isnan(skopsafe.loads(data).na_value)


def test_texts_take_about_as_much_room_as_they_are_long() -> None:
    words = [f"word {i}" for i in range(10_000)]
    size = len(skopsafe.dumps(pd.Series(words, dtype=object)))
    assert size < sum(map(len, words)) + 30_000
    repeated = len(skopsafe.dumps(pd.Series(["a", "b"] * 50_000, dtype=object)))
    assert repeated < 110_000


def test_values_are_made_anew_for_each_test() -> None:
    for make in MAKERS.values():
        assert make().keys() == make().keys()
    assert zoneinfo.ZoneInfo("Asia/Tokyo") == indexes()["times_in_zoneinfo"].tz
