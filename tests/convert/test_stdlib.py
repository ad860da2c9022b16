"""Values of Python, its standard library, numpy and scipy come out of a pickle as they went in."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import fractions
import functools
import operator
import pathlib
import pickle
import re
import uuid
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

import skopsafe
from tests.convert.converting import content, converted
from tests.foreign.pickles.test_machine import OBJECTS, PROTOCOLS

_OFFSET = datetime.timezone(datetime.timedelta(hours=2), "here")
VALUES: dict[str, Any] = {
    "datetime": datetime.datetime(2020, 2, 29, 1, 2, 3, 4, fold=1),
    "datetime with a zone": datetime.datetime(2020, 2, 29, tzinfo=_OFFSET),
    "time": datetime.time(1, 2, 3, 4, fold=1),
    "date": datetime.date(1, 1, 1),
    "timedelta": datetime.timedelta(-1, 2, 3),
    "utc": datetime.UTC,
    "decimal": decimal.Decimal("-1.50"),
    "fraction": fractions.Fraction(-3, 7),
    "uuid": uuid.UUID(int=2**127 + 5),
    "pattern": re.compile(r"a+b", re.IGNORECASE),
    "partial": functools.partial(operator.add, 1),
    "ordered": collections.OrderedDict(b=1, a=[2]),
    "counter": collections.Counter("abca"),
    "default": collections.defaultdict(list, {1: [2]}),
    "deque": collections.deque([1, [2]], 5),
    "array": array.array("d", [1.5, 2.5]),
    "array of integers": array.array("i", [1, -2]),
    "path": pathlib.PurePosixPath("/a/b"),
    "alias": list[int],
    "range": range(3, 100, 7),
    "slice": slice(1, None, 2),
    "complex": complex(1.5, float("-inf")),
    "ellipsis": ...,
    "not implemented": NotImplemented,
    "type of None": type(None),
    "function": len,
    "class": collections.OrderedDict,
    "floats": np.arange(12.0).reshape(3, 4),
    "fortran": np.asfortranarray(np.arange(12).reshape(3, 4)),
    "empty": np.empty((0, 3), np.float32),
    "no dimensions": np.array(5, "i2"),
    "texts": np.array(["a", "bcd"]),
    "bytes": np.array([b"a", b"bcd"]),
    "bools": np.array([True, False]),
    "times": np.array(["2020-01-01", "NaT"], "M8[D]"),
    "objects": np.array([[1, "a"], [None, [2]]], object),
    "structure": np.array([(1, 2.5)], [("a", "<i4"), ("b", "<f8")]),
    "big endian": np.arange(3, dtype=">f4"),
    "masked": np.ma.array([1, 2, 3], mask=[0, 1, 0], fill_value=7),
    "nothing masked": np.ma.array([1.0, 2.0]),
    "masked constant": np.ma.masked,
    "matrix": np.matrix([[1, 2]]),
    "records": np.rec.array([(1, 2.5)], dtype=[("a", "<i4"), ("b", "<f8")]),
    "scalar": np.float32(1.5),
    "date of numpy": np.datetime64("2020-01-01", "s"),
    "dtype": np.dtype([("a", "<i4", (2,))]),
    "universal function": np.sin,
    "function of numpy": np.mean,
    "type of numpy": np.float64,
    "state": np.random.RandomState(3),
    "generator": np.random.default_rng(3),
    "seed": np.random.SeedSequence([1, 2]),
    "bit generator": np.random.Philox(3),
    **{
        f"sparse {kind} {form}": getattr(scipy.sparse, f"{kind}_{form}")(np.eye(4))
        for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
        for form in ("matrix", "array")
    },
    "spline": BSpline(np.arange(8.0), np.arange(4.0), 3),
    "distribution": scipy.stats.loguniform(1e-3, 1.0),
    "discrete distribution": scipy.stats.randint(1, 5),
}


_SEEDED = ("generator", "bit generator")


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_value_comes_back(name: str, protocol: int) -> None:
    value = VALUES[name]
    try:
        data = pickle.dumps(value, protocol)
    except TypeError:
        pytest.skip("this protocol cannot")
    files = [skopsafe.dumps(value), skopsafe.dumps(pickle.loads(data))]
    file = converted(data)
    needed = skopsafe.get_untrusted_types(data=files[0])
    assert skopsafe.get_untrusted_types(data=file) == needed
    again = skopsafe.loads(file, needed)
    assert type(again) is type(value)
    if name in _SEEDED and np.lib.NumpyVersion(np.__version__) < "2.0.0":
        # Its pickles forget the seed, and draw a new one that nothing depends on.
        bits, original = (getattr(obj, "bit_generator", obj) for obj in (again, value))
        assert content(skopsafe.dumps(bits.state)) == content(skopsafe.dumps(original.state))
        return
    # numpy itself gives masked arrays another fill value, and other arrays the byte order of the machine.
    assert content(skopsafe.dumps(again)) in map(content, files)


@given(obj=OBJECTS, protocol=st.sampled_from(PROTOCOLS))
@settings(max_examples=60, deadline=None)
def test_what_python_is_made_of_becomes_the_same_file(obj: Any, protocol: int) -> None:
    data = pickle.dumps(obj, protocol)
    expected = pickle.loads(data)
    assert content(converted(data)) == content(skopsafe.dumps(expected))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_shared_and_what_holds_itself_stays_so(protocol: int) -> None:
    shared = np.arange(3)
    loop: list[Any] = [shared, (shared,), {"again": shared}]
    loop.append((loop,))
    made = skopsafe.loads(converted(pickle.dumps(loop, protocol)))
    assert made[0] is made[1][0] is made[2]["again"]
    assert made[3][0] is made
