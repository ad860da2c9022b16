"""Parts that many objects have, which loaders look into or copy for each: paid for, each time but the first.

The files are those of one object whose node is repeated: `dump` would write few of them.
"""

from __future__ import annotations

import copy
import decimal
import fractions
import functools
import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.interpolate import BSpline
from sklearn.cluster import BisectingKMeans
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.preprocessing import MultiLabelBinarizer, PolynomialFeatures

import skopsafe
from skopsafe.graph.account import Account
from skopsafe.handlers.sklearn.validators.encoders import CHECKS
from skopsafe.testing.crafted import changed, schema_of, zipped
from tests.test_growth import per_pair, steps

FEW_STEPS = skopsafe.Limits(work=0, work_floor=20_000)


def many(obj: Any, count: int) -> bytes:
    """Return a file with so many objects of one kind, all of which have the same parts."""

    def change(schema: dict[str, Any]) -> None:
        runs, forms = schema["runs"], schema["shapes"]
        shape, _, columns = runs[-2]
        if forms[shape][1] is None:
            columns *= count
        else:
            columns[:] = [value * count if type(value) is list else value for value in columns]
        number = sum(run[1] for run in runs[:-2])
        runs[-2][1] = count
        runs[-1][2] = [[[number + place] for place in range(count)]]
        schema["root"] = [number + count]

    return changed([obj], change)


def of_text(type_name: str, values: list[Any], form: Any, count: int) -> bytes:
    """Return a file with so many objects, all of which are made of one text that stands in it once."""
    schema = schema_of(skopsafe.dumps([None]))
    schema["types"].append([type_name, "class"])
    schema["shapes"] = [[1, form], [0, None]]
    schema["runs"] = [[0, count, values], [1, 1, [[[number] for number in range(count)]]]]
    schema["root"] = [count]
    return zipped(schema, {})


def lil() -> Any:
    return sp.lil_matrix(sp.random(40, 40, density=0.5, random_state=0))


def pandas_offset() -> Any:
    import pandas as pd

    return pd.offsets.CustomBusinessDay(holidays=list(np.arange(40).astype("M8[D]")))


def arrow_type() -> Any:
    return pytest.importorskip("pyarrow").struct([(f"f{i}", "int8") for i in range(40)])


def polars_type() -> Any:
    pl = pytest.importorskip("polars")
    return pl.Struct({f"f{i}": pl.Int64() for i in range(40)})


KINDS: dict[str, Callable[[], Any]] = {
    "sparse rows": lil,
    "sparse indices": lambda: sp.csr_matrix(np.ones((60, 60))),
    "knots": lambda: BSpline(np.arange(2004.0), np.arange(2000.0), 3),
    "fields of a dtype": lambda: np.dtype([(f"f{number}", "f8") for number in range(40)]),
    "items of an array": lambda: np.array([*range(400), "a"], dtype=object),
    "arguments of an alias": lambda: types.GenericAlias(tuple, (int,) * 400),
    "arguments of a partial": lambda: functools.partial(max, *range(400)),
    "fraction": lambda: fractions.Fraction(3**9000, 2**9000),
    "seed": lambda: np.random.SeedSequence(2**9000),
    "generator": lambda: np.random.RandomState(0),
    "holidays": pandas_offset,
    "Arrow type": arrow_type,
    "polars type": polars_type,
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_loader_looks_into_again_is_paid_for(kind: str) -> None:
    obj = KINDS[kind]()
    few, files = many(obj, 2), many(obj, 150)
    assert len(skopsafe.loads(few, limits=FEW_STEPS)) == 2
    assert len(skopsafe.loads(files)) == 150
    with pytest.raises(skopsafe.LimitError, match="gone through too often"):
        skopsafe.loads(files, limits=FEW_STEPS)


TEXTS: dict[str, tuple[list[Any], Any]] = {
    "builtins:bytes": (["QUJD" * 25_000], ["base64"]),
    "builtins:bytearray": (["QUJD" * 25_000], ["base64"]),
    "builtins:int": (["0x" + "f" * 100_000], 1),
    "builtins:str": (["61" * 50_000], 1),
    "decimal:Decimal": ([0, "9" * 100_000, 0], 3),
    "pathlib:PurePosixPath": (["a/" * 50_000], 1),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_that_many_objects_are_made_of_is_paid_for(kind: str) -> None:
    """A few kilobytes would be gigabytes."""
    values, form = TEXTS[kind]
    with pytest.raises(skopsafe.LimitError, match="gone through too often"):
        skopsafe.loads(of_text(kind, values, form, 4000))
    assert len(skopsafe.loads(of_text(kind, values, form, 50))) == 50


@pytest.mark.parametrize("text", ["-0", "0E5", "1.50", "-1E-7", "NaN12", "-sNaN3", "-NaN", "-Infinity"])
def test_a_decimal_comes_back_from_its_digits(text: str) -> None:
    assert str(skopsafe.loads(skopsafe.dumps(decimal.Decimal(text)))) == str(decimal.Decimal(text))


def test_a_dtype_that_has_another_twice_is_not_walked_along_each_way() -> None:
    """All of its fields lie at the same place, so that it is as short as the innermost."""
    dtype = np.dtype("f8")
    for _ in range(8):
        dtype = np.dtype({"names": ["a", "b"], "formats": [dtype] * 2, "offsets": [0, 0], "itemsize": 8})
    assert skopsafe.loads(skopsafe.dumps([dtype])) == [dtype]
    schema = schema_of(skopsafe.dumps([None]))
    schema["types"] += [["numpy:dtype", "class"], ["builtins:tuple", "class"]]
    schema["shapes"] = [[0, None], [2, None], [1, ["str"]], [1, ["fields", "itemsize", "aligned"]]]
    runs: list[Any] = [[2, 1, [["<f8"]]]]
    for number in range(0, 30 * 4, 4):
        runs.append([1, 2, [["a", [number], 0], ["b", [number], 0]]])
        runs.append([0, 1, [[[number + 1], [number + 2]]]])
        runs.append([3, 1, [[[number + 3]], 8, False]])
    schema["runs"], schema["root"] = runs, [30 * 4]
    with pytest.raises(skopsafe.LimitError, match="gone through too often"):
        skopsafe.loads(zipped(schema, {}))


@pytest.mark.parametrize(
    "kind", ["Index", "RangeIndex", "DatetimeIndex", "Series", "MultiIndex", "categories"]
)
def test_a_name_that_pandas_hashes_has_no_ways_without_end(kind: str) -> None:
    """A tuple that holds another twice, which holds a third one twice, and so on."""
    import pandas as pd

    levels = 60
    objects = {
        "Index": lambda: pd.Index([1, 2], name="MARK"),
        "RangeIndex": lambda: pd.RangeIndex(2, name="MARK"),
        "DatetimeIndex": lambda: pd.DatetimeIndex(["2000"], name="MARK"),
        "Series": lambda: pd.Series([1.5], name="MARK"),
        "MultiIndex": lambda: pd.MultiIndex.from_arrays([[1], [2]], names=["MARK", "b"]),
        "categories": lambda: pd.CategoricalDtype(pd.Index(["MARK", 1], dtype=object)),
    }

    def moved(value: Any) -> Any:
        if type(value) is list:
            return [value[0] + levels]
        return [levels - 1] if value == "MARK" else value

    def change(schema: dict[str, Any]) -> None:
        for run in schema["runs"]:
            for place, column in enumerate(run[2]):
                if type(column) is dict:
                    for key in {"ref", "refs"} & column.keys():
                        column[key] = np.add(column[key], levels).tolist()
                else:
                    run[2][place] = list(map(moved, column)) if type(column) is list else moved(column)
                    if run[2][place] == [levels - 1]:
                        run[2][place] = {"ref": levels - 1}
        if ["builtins:tuple", "class"] not in schema["types"]:
            schema["types"].append(["builtins:tuple", "class"])
        schema["shapes"].append([schema["types"].index(["builtins:tuple", "class"]), None])
        chain = [["end"], *([[number], [number]] for number in range(levels - 1))]
        schema["runs"].insert(0, [len(schema["shapes"]) - 1, levels, chain])
        schema["root"] = [schema["root"][0] + levels]

    data = changed([objects[kind]()], change)
    with pytest.raises(skopsafe.ValidationError, match="too long to be hashed"):
        skopsafe.loads(data)


def test_labels_that_many_series_have_are_looked_at_once() -> None:
    import pandas as pd

    def shared(count: int) -> bytes:
        index = pd.Index([f"a{number}" for number in range(count)], dtype=object)
        return skopsafe.dumps([pd.Series(["x"] * count, index=index, dtype=object) for _ in range(count)])

    count = 40
    files = [shared(count * factor) for factor in (1, 2, 4)]
    skopsafe.loads(files[0])
    counts = [steps(functools.partial(skopsafe.loads, data)) for data in files]
    assert per_pair(counts, count) < 3, counts


def test_trees_that_many_models_have_are_checked_so_often_and_no_more() -> None:
    x = np.random.default_rng(0).normal(size=(200, 3))
    model = HistGradientBoostingRegressor(max_iter=3, early_stopping=False).fit(x, x[:, 0])
    data = skopsafe.dumps([copy.copy(model) for _ in range(300)])
    assert len(skopsafe.loads(data)) == 300
    with pytest.raises(skopsafe.LimitError, match="gone through too often"):
        skopsafe.loads(data, limits=skopsafe.Limits(work=0, work_floor=40_000))


def test_classes_of_many_binarizers_are_told_apart_once() -> None:
    """Each is hashed for that, by compiled code whose steps are not counted."""
    hashed = []

    class Counted:
        def __hash__(self) -> int:
            hashed.append(self)
            return id(self)

    model = MultiLabelBinarizer()
    model.classes_ = np.array([Counted(), Counted()], dtype=object)
    with Account(math.inf).in_use():
        for obj in (model, copy.copy(model)):
            CHECKS["sklearn.preprocessing._label:MultiLabelBinarizer"](obj)
    assert len(hashed) == 2


def test_nodes_that_many_clusterings_have_are_looked_at_so_often_and_no_more() -> None:
    x = np.random.default_rng(0).normal(size=(100, 2))
    model = BisectingKMeans(20, random_state=0).fit(x)
    data = skopsafe.dumps([copy.copy(model) for _ in range(100)])
    assert len(skopsafe.loads(data)) == 100
    with pytest.raises(skopsafe.LimitError, match="gone through too often"):
        skopsafe.loads(data, limits=FEW_STEPS)


def test_counting_the_columns_of_an_expansion_is_paid_for() -> None:
    """Half a second for each, where they are interactions of a thousand features."""
    model = PolynomialFeatures(1000, interaction_only=True)
    model.n_features_in_, model._max_degree, model._n_out_full = 2**31 - 1, 1000, 1
    with pytest.raises(skopsafe.LimitError, match="gone through too often"):
        skopsafe.loads(skopsafe.dumps(model), limits=FEW_STEPS)
