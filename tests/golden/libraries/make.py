"""Makes pickles, and files where skopsafe is installed, of objects of whatever releases are installed.

    python tests/golden/libraries/make.py tests/golden/libraries/2023.zip
    python tests/golden/libraries/make.py tests/golden/libraries/xgboost-1.6.zip xgboost

The latter has models of that library alone, and needs no other booster.
The file gets ``NAME.pkl``, for models ``NAME.json`` with what they give, and ``versions.json``. It runs under
Python 3.8 and libraries of 2022 as well as under those of today: see the session ``golden_libraries`` of nox.
"""

import datetime
import importlib
import itertools
import json
import pickle
import sys
import zipfile
from decimal import Decimal

import numpy as np
import pandas as pd

ROWS = np.random.RandomState(0).rand(40, 4).round(3)
CLASSES = (ROWS[:, 0] * 3).astype(int)
NUMBERS = ROWS.sum(axis=1)
OTHERS = ["numpy", "pandas", "scikit-learn", "scipy"]


def numpy_objects():
    """Arrays, scalars, dtypes and random states."""
    state, generator = np.random.RandomState(3), np.random.Generator(np.random.PCG64(3))
    state.rand(5)
    generator.random(5)
    pairs = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "<i4"), ("b", "<f8")])
    yield "numpy-arrays", [np.arange(6).reshape(2, 3), np.asfortranarray(ROWS[:3]), pairs, np.array([], "f4")]
    yield "numpy-big_endian", np.arange(5, dtype=">i2")
    yield "numpy-dates", np.array(["2020-01-01", "NaT"], dtype="M8[D]")
    yield "numpy-objects", np.array([None, "a", 1.5, (1, 2)], dtype=object)
    yield "numpy-texts", np.array(["a", "bcd"])
    yield "numpy-masked", np.ma.masked_array([1, 2, 3], [False, True, False])
    yield "numpy-scalars", [np.float32(0.1), np.int64(-3), np.bool_(True), np.str_("x"), np.complex128(1j)]
    yield "numpy-dtypes", [np.dtype("f8"), pairs.dtype, np.dtype("U7"), np.dtype("m8[s]")]
    yield "numpy-random_state", state
    yield "numpy-generator", generator
    yield "numpy-bit_generators", [np.random.Philox(1), np.random.SFC64(1), np.random.MT19937(1)]
    yield "numpy-types", [np.float64, np.int8, np.log1p, np.add]


def pandas_objects():
    """Frames, series, indexes and scalars."""
    days = pd.date_range("2020-01-01", periods=3)
    frame = pd.DataFrame(
        {
            "whole": [1, 2, 3],
            "real": [0.5, np.nan, 2.5],
            "text": ["a", "b", None],
            "flag": [True, False, True],
            "kind": pd.Categorical(["x", "y", "x"]),
            "day": days,
            "span": pd.to_timedelta([1, 2, 3], unit="h"),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "string": pd.array(["a", None, "c"], dtype="string"),
        }
    )
    yield "pandas-frame", frame
    yield "pandas-frame_of_floats", pd.DataFrame(ROWS[:3], columns=list("abcd"), index=["r", "s", "t"])
    yield "pandas-frame_with_two_levels", frame.set_index(["whole", "text"])[["real", "kind"]]
    yield "pandas-frame_by_day", frame.set_index("day")[["whole"]]
    yield "pandas-zoned", pd.DataFrame({"zoned": days.tz_localize("Europe/Berlin")})
    yield "pandas-empty", pd.DataFrame()
    yield "pandas-series", pd.Series([1.5, 2.5], index=["a", "b"], name="s")
    yield "pandas-series_of_texts", pd.Series(["a", "b"])
    yield "pandas-index_of_ints", pd.Index([1, 2, 3])
    yield "pandas-index_of_floats", pd.Index([0.5, 1.5], name="x")
    yield "pandas-index_of_texts", pd.Index(["a", "b"])
    yield "pandas-range", pd.RangeIndex(2, 10, 3)
    yield "pandas-days", days
    yield "pandas-periods", pd.period_range("2020-01", periods=3, freq="M")
    yield "pandas-intervals", pd.interval_range(0, 3)
    yield "pandas-categories", pd.CategoricalIndex(["a", "b", "a"])
    yield (
        "pandas-scalars",
        [pd.Timestamp("2020-01-01 12:30"), pd.Timedelta("2h"), pd.Interval(0, 1), pd.NaT, pd.NA],
    )
    yield "pandas-offsets", [pd.offsets.Day(2), pd.offsets.MonthEnd(), pd.DateOffset(months=1)]
    yield "pandas-dtypes", [pd.CategoricalDtype(["a", "b"]), pd.Int64Dtype(), pd.PeriodDtype("D")]


def python_objects():
    """What comes with Python."""
    yield (
        "python-mixed",
        {
            "texts": ["a", "ä", ""],
            "bytes": b"\x00\xff",
            "sets": {1, 2},
            "when": datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc),  # noqa: UP017 - of 3.11
            "exact": Decimal("1.10"),
            "nested": ({"a": [1, (2.5, None)]}, True),
        },
    )


QUIET = {"verbose": False, "allow_writing_files": False, "iterations": 4, "depth": 2, "thread_count": 1}
SMALL = {"n_estimators": 4, "max_depth": 2, "n_jobs": 1}
BOOSTERS = {
    "xgboost": ("XGBClassifier", "XGBRegressor", SMALL),
    "lightgbm": ("LGBMClassifier", "LGBMRegressor", dict(SMALL, min_child_samples=2, verbose=-1)),
    "catboost": ("CatBoostClassifier", "CatBoostRegressor", QUIET),
}


def models(name):
    """Models of a library of boosters, with what they are asked."""
    library = importlib.import_module(name)
    classifier, regressor = (getattr(library, each) for each in BOOSTERS[name][:2])
    options = BOOSTERS[name][2]
    many = classifier(**options).fit(ROWS, CLASSES)
    two = classifier(**options).fit(ROWS, (CLASSES > 0).astype(int))
    gaps = np.where(ROWS > 0.9, np.nan, ROWS)
    yield f"{name}-classes", many, ("predict", "predict_proba")
    yield f"{name}-two_classes", two, ("predict", "predict_proba")
    yield f"{name}-numbers", regressor(**options).fit(ROWS, NUMBERS), ("predict",)
    yield f"{name}-gaps", regressor(**options).fit(gaps, NUMBERS), ("predict",)
    if name == "lightgbm":
        forest = {"boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1, "n_estimators": 3}
        yield f"{name}-booster", many.booster_, ("predict",)
        yield f"{name}-forest", classifier(**{**options, **forest}).fit(ROWS, CLASSES), ("predict_proba",)
    if name == "xgboost":
        linear = {"booster": "gblinear", "n_estimators": 3, "n_jobs": 1}
        ranker = library.XGBRanker(objective="rank:ndcg", **options)
        yield f"{name}-booster", many.get_booster(), ("predict",)
        yield f"{name}-dart", regressor(booster="dart", **options).fit(ROWS, NUMBERS), ("predict",)
        yield f"{name}-linear", regressor(**linear).fit(ROWS, NUMBERS), ("predict",)
        yield f"{name}-ranker", ranker.fit(ROWS, CLASSES, qid=[0] * 40), ("predict",)


def answers(model, methods):
    """Return what the methods of a model give."""
    data = ROWS
    if type(model).__module__ == "xgboost.core":
        import xgboost

        data = xgboost.DMatrix(ROWS)
    return {method: np.asarray(getattr(model, method)(data), float).tolist() for method in methods}


def versions(names):
    """Return the versions of what is installed."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in names:
        module = importlib.import_module({"scikit-learn": "sklearn"}.get(name, name))
        found[name] = module.__version__
    return found


def main():
    """Write the file."""
    boosters = sys.argv[2:] or list(BOOSTERS)
    objects = itertools.chain.from_iterable(map(models, boosters))
    if boosters == list(BOOSTERS):
        objects = [*numpy_objects(), *pandas_objects(), *python_objects(), *objects]
    try:
        import skopsafe
    except ImportError:
        skopsafe = None
    with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as out:

        def write(name, content):
            out.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)  # without the time

        write("versions.json", json.dumps(versions([*OTHERS, *boosters])))
        for name, obj, *methods in objects:
            write(f"{name}.pkl", pickle.dumps(obj, 4))
            if skopsafe is not None:
                write(f"{name}.skops", skopsafe.dumps(obj))
            if methods:
                write(f"{name}.json", json.dumps(answers(obj, methods[0])))


if __name__ == "__main__":
    main()
