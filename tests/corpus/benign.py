"""Benign pickles: what Python and libraries write of fitted models, frames, arrays and plain objects."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import fractions
import functools
import io
import ipaddress
import itertools
import pickle
import re
import types
import uuid
import warnings
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Optional

import joblib
import numpy as np

PROTOCOLS = (2, 4, 5)


def plain() -> Iterator[tuple[str, Any]]:
    """Yield objects of Python and of numpy."""
    shared: list[Any] = [1]
    yield (
        "constants",
        [None, True, 1, -1, 2**70, 1.5, "text", b"bytes", bytearray(b"x"), (1,), {2}, frozenset([3])],
    )
    yield "shared", [shared, shared, {"a": shared}]
    yield (
        "dates",
        [
            datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
            datetime.date(2020, 1, 1),
            datetime.time(1),
            datetime.timedelta(1),
            datetime.timezone(datetime.timedelta(hours=1)),
            zoneinfo.ZoneInfo("UTC"),
        ],
    )
    yield "numbers", [decimal.Decimal("1.5"), fractions.Fraction(1, 3), 1 + 2j, range(5), slice(1, 2)]
    yield (
        "collections",
        [
            collections.OrderedDict(a=1),
            collections.Counter("aab"),
            collections.defaultdict(list, a=[1]),
            collections.deque([1], 3),
            collections.ChainMap({"a": 1}),
            collections.UserDict(a=1),
            collections.UserList([1]),
        ],
    )
    yield "paths", [PurePosixPath("a/b"), PureWindowsPath("a/b"), uuid.UUID(int=1)]
    yield "patterns", [re.compile("a.b"), re.compile("x", re.IGNORECASE), re.IGNORECASE]
    yield "partials", [functools.partial(np.mean, axis=0), functools.partial(len)]
    yield "functions", [len, abs, np.mean, np.log1p, "abc".join, str.upper]
    yield "types", [int, dict, np.float64, np.ndarray.__name__, type(None)]
    yield "annotations", [list[int], int | str, Optional[int]]  # noqa: UP045 - its pickle is another
    yield "addresses", [ipaddress.ip_address("1.1.1.1"), ipaddress.ip_network("10.0.0.0/8")]
    yield "iterators", [iter([1, 2]), enumerate([1]), zip([1], [2], strict=False), itertools.count(1)]
    yield "namespaces", types.SimpleNamespace(a=1, b=[2])
    yield "exceptions", [ValueError("x"), KeyError("a"), OSError(2, "x")]
    yield "array", array.array("d", [1, 2])
    yield "buffers", [io.BytesIO(b"x"), io.StringIO("x")]
    yield (
        "arrays",
        [np.arange(3), np.zeros((2, 3), order="F"), np.array(["a", None], object), np.array(["x"])],
    )
    yield "large array", np.zeros(100_000)
    yield "scalars", [np.float64(1), np.int8(2), np.bool_(True), np.datetime64("2020-01-01"), np.str_("a")]
    yield "dtypes", [np.dtype("f4"), np.dtype([("a", "i4"), ("b", "f8", (2,))]), np.dtype("M8[s]")]
    yield "masked arrays", np.ma.array([1, 2], mask=[0, 1])
    yield "structured arrays", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    yield "random state", np.random.RandomState(0)
    for kind in (np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64):
        yield f"generator {kind.__name__}", np.random.Generator(kind(1))


def frames() -> Iterator[tuple[str, Any]]:
    """Yield frames of pandas and what they are made of."""
    import pandas as pd

    days = pd.date_range("2020", periods=3)
    columns: dict[str, Any] = {
        "ints": [1, 2, 3],
        "floats": [1.0, 2.0, None],
        "texts": list("xyz"),
        "categories": pd.Categorical(list("aab")),
        "days": days,
        "zoned": days.tz_localize("UTC"),
        "nullable": pd.array([1, 2, None], dtype="Int64"),
        "strings": pd.array(["a", "b", None], dtype="string"),
        "differences": pd.timedelta_range("1D", periods=3),
        "periods": pd.period_range("2020", periods=3, freq="M"),
        "bools": pd.array([True, None, False], dtype="boolean"),
        "intervals": pd.interval_range(0, 3),
        "sparse": pd.arrays.SparseArray([0, 0, 1]),
    }
    frame = pd.DataFrame(columns)
    yield "frame", frame
    yield "frame with two levels", frame.set_index(["ints", "texts"])
    for name in columns:
        yield f"column {name}", frame[name]
    yield "indexes", [frame.index, pd.Index([1.0, 2.0]), pd.Index(["a"]), pd.DatetimeIndex(days)]
    yield "scalars of pandas", [pd.Timestamp("2020"), pd.Timedelta("1D"), pd.Period("2020-01"), pd.NaT, pd.NA]
    yield "offsets", [pd.offsets.MonthEnd(2), pd.offsets.BDay(), pd.offsets.Hour(3)]


def boosters() -> Iterator[tuple[str, Any]]:
    """Yield models of XGBoost, LightGBM and CatBoost."""
    import catboost
    import lightgbm
    import xgboost

    X = np.random.default_rng(0).random((60, 4))
    y = (X[:, 0] > 0.5).astype(int)
    yield "XGBClassifier", xgboost.XGBClassifier(n_estimators=3).fit(X, y)
    yield "XGBRegressor", xgboost.XGBRegressor(n_estimators=3).fit(X, y)
    yield "XGB Booster", xgboost.train({}, xgboost.DMatrix(X, y), 2)
    yield "LGBMClassifier", lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(X, y)
    yield "LGBMRegressor", lightgbm.LGBMRegressor(n_estimators=3, verbose=-1).fit(X, y)
    yield "LGBM Booster", lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, y), 2)
    quiet: dict[str, Any] = {"iterations": 3, "verbose": 0, "allow_writing_files": False}
    yield "CatBoostClassifier", catboost.CatBoostClassifier(**quiet).fit(X, y)
    yield "CatBoostRegressor", catboost.CatBoostRegressor(**quiet).fit(X, y)


def estimators(every: int = 1) -> Iterator[tuple[str, Any]]:
    """Yield fitted estimators of scikit-learn, or one of `every` so many."""
    from tests import sklearn_models

    for name in sklearn_models.NAMES[::every]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator = sklearn_models.instance(name)
            X, y = sklearn_models.data(name, estimator)
            yield name, estimator.fit(X) if y is None else estimator.fit(X, y)


def _joblib(obj: Any) -> bytes:
    out = io.BytesIO()
    joblib.dump(obj, out)
    return out.getvalue()


Writer = Callable[[Any], bytes]

WRITERS: dict[str, Writer] = {
    **{f"p{protocol}.pkl": functools.partial(pickle.dumps, protocol=protocol) for protocol in PROTOCOLS},
    "joblib": _joblib,
}
"""By ending of the file: how an object is written."""


def samples(every: int = 1) -> Iterator[tuple[str, bytes]]:
    """Yield benign files, by name; of scikit-learn one of `every` so many estimators."""
    for kind, source in (
        ("plain", plain()),
        ("pandas", frames()),
        ("booster", boosters()),
        ("sklearn", estimators(every)),
    ):
        for name, obj in source:
            for ending, write in WRITERS.items():
                yield f"{kind}-{name.replace(' ', '_')}.{ending}", write(obj)
