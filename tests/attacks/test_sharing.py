"""Objects that are a part of many others: what is checked or copied for each of these is that, and no more.

Counted and not timed, as in ``tests/test_growth.py``.
"""

from __future__ import annotations

import collections
import functools
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import LabelEncoder, OrdinalEncoder, StandardScaler

import skopsafe
from skopsafe.testing.crafted import changed
from tests.attacks.skops_files import file, items, node, value
from tests.test_growth import per_pair, steps

HOLDERS: dict[str, Callable[[Any], Any]] = {
    "tuple": lambda part: (part,),
    "array": lambda part: np.array([part, None], dtype=object),
    "partial": lambda part: functools.partial(max, part),
    "defaultdict": lambda part: collections.defaultdict(list, {1: part}),
    "deque": lambda part: collections.deque([part]),
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_a_long_tuple_is_looked_at_once_whatever_holds_it(kind: str) -> None:
    def shared(count: int) -> bytes:
        part = tuple(range(count))
        return skopsafe.dumps([HOLDERS[kind](part) for _ in range(count)])

    count = 60
    files = [shared(count * factor) for factor in (1, 2, 4)]
    skopsafe.loads(files[0])
    counts = [steps(functools.partial(skopsafe.loads, data)) for data in files]
    assert per_pair(counts, count) < 0.5, counts
    first, second = skopsafe.loads(files[0])[:2]
    if kind == "tuple":
        assert first[0] is second[0]


@pytest.mark.parametrize("holder", [lambda part: {part}, lambda part: {part: 1}], ids=["set", "dict"])
def test_a_key_that_many_have_is_hashed_so_often_and_no_more(holder: Any) -> None:
    """Python hashes a tuple anew for each set; a hundred kilobytes would take a minute."""
    key = tuple(range(3000))
    with pytest.raises(skopsafe.LimitError, match="gone through too often"):
        skopsafe.loads(skopsafe.dumps([holder(key) for _ in range(3000)]))
    assert skopsafe.loads(skopsafe.dumps([holder(key) for _ in range(100)])) == [holder(key)] * 100


def test_classes_that_many_encoders_have_are_checked_once() -> None:
    def shared(count: int) -> bytes:
        classes, encoders = np.array([*range(count), "a"], dtype=object), []
        for _ in range(count):
            encoders.append(LabelEncoder())
            encoders[-1].classes_ = classes
        return skopsafe.dumps(encoders)

    count = 300
    files = [shared(count * factor) for factor in (1, 2, 4)]
    skopsafe.loads(files[0])
    counts = [steps(functools.partial(skopsafe.loads, data)) for data in files]
    assert per_pair(counts, count) < 0.5, counts


@pytest.mark.parametrize("in_list", [False, True])
def test_an_attribute_that_many_estimators_have_is_checked_so_often_and_no_more(in_list: bool) -> None:
    encoders = [OrdinalEncoder() if in_list else StandardScaler() for _ in range(1000)]
    shared = np.arange(10_000.0)
    for encoder in encoders:
        if in_list:
            encoder.categories_ = [shared]
        else:
            encoder.mean_ = shared
    data = skopsafe.dumps(encoders)
    assert len(skopsafe.loads(data)) == 1000
    with pytest.raises(skopsafe.LimitError, match="gone through too often"):
        skopsafe.loads(data, limits=skopsafe.Limits(work=3, work_floor=0))


def test_an_array_that_many_partials_have_is_copied_once() -> None:
    """A few kilobytes would be gigabytes."""
    shared = np.zeros(1000)
    found = skopsafe.loads(skopsafe.dumps([functools.partial(np.add, shared) for _ in range(5)] + [shared]))
    *partials, array = found
    assert len({id(partial.args[0]) for partial in partials}) == 1
    assert not np.shares_memory(partials[0].args[0], array)


def nested(count: int) -> bytes:
    """Return a file of skops with arrays that hold each other; JSON is nested no deeper for that."""

    def of(part: Any) -> Any:
        return node(
            "NdArrayNode", "numpy", "ndarray", type="json", content=[part], shape=items("tuple", value(1))
        )

    def again(number: int) -> Any:
        return {"__loader__": "CachedNode", "__id__": number, "__class__": None, "__module__": None}

    arrays = [of(value(1)) | {"__id__": 1}]
    arrays += [of(again(number)) | {"__id__": number + 1} for number in range(1, count)]
    return file(items("list", *arrays))


KILLS = """
import sys, numpy
array = None
for _ in range(100_000):
    outer = numpy.empty(1, object)
    outer[0] = array
    array = outer
del outer
array = None
"""
READS = """
import sys, skopsafe
data = sys.stdin.buffer.read()
for look in (skopsafe.audit, skopsafe.loads, skopsafe.visualize):
    try:
        look(data)
    except skopsafe.UnsupportedTypeError as error:
        print(error)
"""


def test_arrays_in_arrays_of_a_file_of_skops_are_refused_before_they_are_made() -> None:
    """numpy frees such a chain by recursion, which ends the process."""
    assert skopsafe.loads(nested(150))[-1].dtype == object
    done = subprocess.run(
        [sys.executable, "-c", READS], check=False, input=nested(30_000), capture_output=True
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.count(b"nested more than 200 deep") == 3


@pytest.mark.skipif(sys.platform != "linux", reason="the stack is another elsewhere")
def test_numpy_alone_dies_of_arrays_in_arrays() -> None:
    assert subprocess.run([sys.executable, "-c", KILLS], check=False, capture_output=True).returncode < 0


def test_two_equal_frozensets_are_not_compared_along_each_way() -> None:
    """A frozenset knows its hash, but whether it is equal to another is worked out by what they hold."""

    def chain(levels: int, end: str) -> Any:
        found = frozenset([end])
        for _ in range(levels):
            found = frozenset([(found, 1), (found, 2)])
        return found

    def change(schema: dict[str, Any]) -> None:
        text = json.dumps(schema).replace('"other"', '"end"')  # which makes the two equal
        schema |= json.loads(text)
        schema["types"].append(["builtins:set", "class"])
        last = schema["runs"][-1]
        schema["shapes"].append([len(schema["types"]) - 1, *schema["shapes"][last[0]][1:]])
        last[0] = len(schema["shapes"]) - 1

    assert skopsafe.loads(skopsafe.dumps([chain(9, "end")])) == [chain(9, "end")]
    data = changed([chain(60, "end"), chain(60, "other")], change)
    with pytest.raises(skopsafe.ValidationError, match="too long to be hashed"):
        skopsafe.loads(data)


def test_items_of_a_set_are_put_in_order_by_what_they_hold_and_no_longer() -> None:
    """A stranger's object in a set of a file of skops, with a tuple that holds another twice, and so on."""

    def again(number: int) -> Any:
        return {"__loader__": "CachedNode", "__id__": number, "__class__": None, "__module__": None}

    nodes = [items("tuple", value(1)) | {"__id__": 1}]
    nodes += [items("tuple", again(n), again(n)) | {"__id__": n + 1} for n in range(1, 60)]
    made = [node("SetNode", "mypkg", "Model", content=[again(number)]) for number in (60, 59)]
    data = file(items("list", *nodes, items("set", *made)))
    assert skopsafe.get_untrusted_types(data=data) == ["mypkg.Model"]


def test_a_set_has_the_same_bytes_whatever_its_order_is() -> None:
    parts = [1, "a", (1, 2), (1, "b"), None, 1.5, frozenset([1, 2]), frozenset(["a", 1]), b"x", len, 10**5000]
    other: set[Any] = set()
    for part in parts[::-1]:
        other.add(part)
    assert skopsafe.dumps(set(parts)) == skopsafe.dumps(other)
    assert skopsafe.loads(skopsafe.dumps(set(parts))) == set(parts)
