"""Pickles of pandas become the files that the objects would be saved as; pandas is not imported for it."""

from __future__ import annotations

import copyreg
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pd = pytest.importorskip("pandas")

import skopsafe  # noqa: E402
from tests.convert.converting import content, converted  # noqa: E402
from tests.handlers.pandas_values import columns, frames, indexes, scalars  # noqa: E402
from tests.handlers.test_pandas import assert_same, assert_same_values  # noqa: E402

PROTOCOLS = (2, 3, 4, 5)


def through(obj: Any, *, same_bytes: bool = True, protocols: tuple[int, ...] = PROTOCOLS) -> Any:
    """Convert pickles of an object in several protocols, compare the files with its own, and load one."""
    expected = content(skopsafe.dumps(pickle.loads(pickle.dumps(obj))))
    data = b""
    for protocol in protocols:
        data = converted(pickle.dumps(obj, protocol))
        assert not same_bytes or content(data) == expected, protocol
    assert skopsafe.get_untrusted_types(data=data) == []
    return skopsafe.loads(data)


def has_pytz(obj: Any) -> bool:
    """Tell whether a time zone of pytz is in it, which says itself that it is the first of its name."""
    return "pytz" in sys.modules and b"pytz" in pickle.dumps(obj)


@pytest.mark.parametrize("name", frames())
def test_a_frame_is_converted(name: str) -> None:
    frame = frames()[name]
    is_native = name != "mixed"  # unpickling turns the column of the other byte order
    found = through(frame, same_bytes=is_native and not has_pytz(frame))
    if is_native:
        assert_same(found, frame)
    else:
        pd.testing.assert_frame_equal(found.drop(columns="big_endian"), frame.drop(columns="big_endian"))
        assert found["big_endian"].tolist() == frame["big_endian"].tolist()


@pytest.mark.parametrize("name", indexes())
def test_an_index_is_converted(name: str) -> None:
    index = indexes()[name]
    plain = not has_pytz(index)
    assert_same(through(index, same_bytes=plain), index)
    of_frame = pd.DataFrame({"x": np.arange(len(index))}, index=index)
    assert_same(through(of_frame, same_bytes=plain, protocols=(5,)), of_frame)


@pytest.mark.parametrize("name", sorted(columns().keys() - {"big_endian"}))
def test_a_column_is_converted(name: str) -> None:
    values = columns()[name]
    plain = not has_pytz(values)
    series = pd.Series(values, name=("s", 1), index=pd.Index([1, 2, 5]), copy=False)[1:]
    found = through(series, same_bytes=plain)
    assert_same(found, pickle.loads(pickle.dumps(series)))
    frame = pd.DataFrame({"a": series, "b": series.iloc[::-1]})
    assert_same(through(frame, same_bytes=plain, protocols=(4,)), frame)
    if not isinstance(values, np.ndarray):
        assert_same_values(through(values, same_bytes=plain), values)


@pytest.mark.parametrize("value", scalars(), ids=repr)
def test_a_scalar_dtype_or_offset_is_converted(value: Any) -> None:
    first, second = through([value, value], same_bytes=not has_pytz(value))
    assert first is second
    assert type(first) is type(value)
    assert first == value
    # What pickle keeps of a value: not which of two equal hours of a change of clocks a naive time is.
    assert repr(first) == repr(pickle.loads(pickle.dumps(value)))


@pytest.mark.parametrize(
    "freq", ["Y-MAR", "Q-FEB", "M", "W-TUE", "B", "D", "2h", "15min", "s", "7ms", "us", "ns"]
)
def test_a_frequency_of_periods_is_read_from_its_name(freq: str) -> None:
    dtype = pd.PeriodDtype(freq)
    assert through(dtype) == dtype
    assert through(pd.period_range("2020", periods=2, freq=freq)).dtype == dtype


def test_what_is_one_index_stays_one() -> None:
    index = pd.Index(["a", "b"], name="n")
    found = through([pd.DataFrame({"x": [1, 2]}, index=index), pd.Series([1, 2], index=index), index])
    unpickled = pickle.loads(pickle.dumps([pd.DataFrame({"x": [1, 2]}, index=index), index]))
    assert found[2] is found[1].index
    assert (found[0].index is found[2]) is (unpickled[0].index is unpickled[1])
    found[1].iloc[0] = 5
    assert found[0]["x"].tolist() == [1, 2]


def test_series_of_one_array_come_back_with_arrays_of_their_own() -> None:
    series = pd.Series(pd.array([1, None], dtype="Int64"))
    pair = [pd.Series(series.array, copy=False), pd.Series(series.array, copy=False)]
    first, second = through(pair)
    first.iloc[0] = 7
    assert second.tolist() == pair[1].tolist()


class OldPickler(pickle.Pickler):
    """Writes managers of frames as releases before 1.3 did: blocks in a state, as series have to this day."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is not pd.core.internals.managers.BlockManager:
            return NotImplemented
        blocks = [{"values": b.values, "mgr_locs": b.mgr_locs.indexer} for b in obj.blocks]
        state = ([], [], [], {"0.14.1": {"axes": list(obj.axes), "blocks": blocks}})
        return copyreg.__newobj__, (type(obj),), state


def test_a_frame_whose_manager_has_a_state_is_converted() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5], "c": [3, 4]}, index=[5, 6])
    for protocol in PROTOCOLS:
        out = io.BytesIO()
        OldPickler(out, protocol).dump(frame)
        assert_same(pickle.loads(out.getvalue()), frame)
        assert_same(skopsafe.loads(converted(out.getvalue())), frame)


CODE = """
import io, sys, skopsafe
data = open(sys.argv[1], "rb").read()
out = io.BytesIO()
skopsafe.convert(io.BytesIO(data), out)
print(sorted({"pandas", "pyarrow", "polars", "dateutil", "pytz"} & set(sys.modules)))
"""


def test_a_conversion_imports_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "frame.pkl"
    path.write_bytes(pickle.dumps([frames()["levels"], frames()["many_texts"], scalars(), indexes()]))
    done = subprocess.run([sys.executable, "-c", CODE, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
