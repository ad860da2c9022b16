"""Keys that collide in the hash tables of Python. The slots that these look at are counted, not timed."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import itertools
import math
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import (
    LabelBinarizer,
    LabelEncoder,
    MultiLabelBinarizer,
    OneHotEncoder,
    OrdinalEncoder,
    TargetEncoder,
)

import skopsafe
from skopsafe.errors import UnsupportedTypeError, ValidationError
from skopsafe.graph.account import present
from skopsafe.handlers import spread
from tests.attacks.colliding import MODULUS, Set, dict_sizes, dict_slots, full_slots, one_hash, tables_of
from tests.attacks.graphs import assert_refused, numbers, schema, written
from tests.measuring import Meter, needs_linux


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    with Meter() as made:
        yield made


DRAW = random.Random(0)
N = 1500
REAL: dict[str, list[Any]] = {
    "range": list(range(N)),
    "negative": list(range(-N, 0)),
    "shuffled": DRAW.sample(range(N), N),
    "identifiers": [DRAW.getrandbits(40) for _ in range(N)],
    "128 bits": [DRAW.getrandbits(128) for _ in range(N)],
    "squares": [number**2 for number in range(N)],
    "powers of two": [2**number for number in range(1000)],
    "nanoseconds": [1_700_000_000_000_000_000 + number * 86_400 * 10**9 for number in range(N)],
    "addresses": [(10 << 24) + (number << 8) for number in range(N)],
    "floats": [DRAW.gauss(0, 1) for _ in range(N)],
    "single precision": [float(np.float32(DRAW.random())) for _ in range(N)],
    "half precision": [
        *{value for value in np.arange(65536, dtype="u2").view("f2").tolist() if not math.isnan(value)}
    ][:N],
    "hundredths": [number / 100 for number in range(N)],
    "linspace": np.linspace(0, 1, N).tolist(),
    "logspace": np.logspace(-9, 9, N).tolist(),
    "grid": [2.0**number for number in range(-500, 500)],
    "dates": [datetime.date(1970, 1, 1) + datetime.timedelta(number) for number in range(N)],
    "seconds": [datetime.timedelta(seconds=number) for number in range(N)],
    "decimals": [decimal.Decimal(number) / 100 for number in range(N)],
    "fractions": [fractions.Fraction(number, 997) for number in range(N)],
    "pairs": [*itertools.product(range(-30, 30), range(-30, 30))],
    "triples": [*itertools.product(range(-7, 8), repeat=3)],
    "bits": [*itertools.product((0, 1), repeat=11)],
    "signs": [*itertools.product((-1, 0, 1), repeat=7)],
    "pairs of floats": [(i / 10, j / 10) for i in range(40) for j in range(40)],
    "complex": [complex(i, j) for i in range(-30, 30) for j in range(-30, 30)],
    "sets": [frozenset(pair) for pair in itertools.combinations(range(60), 2)],
    "texts and numbers": [*map(str, range(N)), *range(N), None],
    **{f"times 2**{bits}": [number << bits for number in range(N)] for bits in range(3, 52, 6)},
    **{f"over 2**{bits}": [number / 2**bits for number in range(N)] for bits in range(2, 21, 4)},
}


def hashes(keys: Any) -> Any:
    return np.array(list(map(hash, keys)), np.intp).view(np.uintp)


def per_dict_key(keys: list[Any]) -> float:
    """Return what `dict_probes` should, from tables in plain Python."""
    found = list(map(hash, keys))
    sizes = [(size, used) for size, used in dict_sizes(len(keys)) if used >= min(spread.FEWEST, len(keys))]
    return max(dict_slots(found[:used], size) / used for size, used in sizes)


def per_set_item(keys: list[Any]) -> float:
    return max(count / used for count, used in Set(map(hash, keys)).counts)


FAMILIES = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(0, 300).map(lambda number: number * MODULUS),
    st.integers(0, 500).map(lambda number: number << 40),
    st.floats(allow_nan=False),
    st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3)),
    st.fractions(max_denominator=50),
)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.data(), st.integers(0, 1000), st.randoms(use_true_random=False))
def test_slots_are_counted_as_a_table_looks_at_them(data: Any, more: int, draw: random.Random) -> None:
    keys = data.draw(st.lists(FAMILIES, max_size=300, unique=True))
    shift, start = draw.randrange(55), draw.getrandbits(60)
    keys = list(dict.fromkeys([*keys, *((start + number) << shift for number in range(more))]))
    draw.shuffle(keys)
    if keys:
        assert spread.dict_probes(hashes(keys), 10**6) == per_dict_key(keys)
        assert spread.set_probes(hashes(keys), 10**6) == per_set_item(keys)


@pytest.mark.parametrize("kind", ["range", "floats", "pairs", "times 2**21", "over 2**6"])
def test_the_tables_in_plain_python_are_those_of_cpython(kind: str) -> None:
    """A set gives its items in the order in which they lie, and a dict says how large it is."""
    keys = REAL[kind]
    for count in (1, 4, 5, 19, 20, 77, 300, 1000, len(keys)):
        made: set[Any] = set()
        for key in keys[:count]:
            made.add(key)
        table = Set(map(hash, keys[:count])).table
        assert [keys[number] for number in table if number is not None] == list(made)
    growing: dict[int, None] = {}
    held: dict[int, int] = collections.Counter()
    for number in range(1500):
        growing[number] = None
        held[sys.getsizeof(growing)] = number + 1
    assert sorted(held.values()) == [used for _, used in dict_sizes(1500)]


@pytest.mark.parametrize("name", REAL)
def test_real_keys_are_far_from_the_bound(name: str) -> None:
    keys = REAL[name]
    for order in (keys, DRAW.sample(keys, len(keys))):
        assert spread.dict_probes(hashes(order), 10**6) < spread.MOST_OF_DICT / 2
        assert spread.set_probes(hashes(order), 10**6) < spread.MOST_OF_SET / 2
    for made in (dict.fromkeys(keys, 0), frozenset(keys)):
        assert skopsafe.loads(skopsafe.dumps(made)) == made


def test_large_tables_and_items_that_stand_twice_are_as_good() -> None:
    for keys in (range(100_000), [DRAW.random() for _ in range(20_000)]):
        assert spread.dict_probes(hashes(keys), 10**6) < 10
        assert spread.set_probes(hashes(keys), 10**6) < 30
    again = np.array([*range(300), *[-1] * 500, *[-2] * 500, "a", None], object)
    spread.require_spread_items(again, "", present())
    for whole in (again[:800].astype(np.int64), np.array([2**61 - 1, -(2**62), 2**62, *range(300)])):
        spread.require_spread_items(whole, "", present())


@pytest.mark.parametrize(
    "values",
    [
        np.array([5, -1, 3, -1, 5, -2, 0, *range(-300, 300)]),
        np.arange(10, 400, dtype=np.uint8),
        np.arange(400, dtype=np.uint64) ** 6,
    ],
)
def test_hashes_of_integers_are_those_of_python(values: Any) -> None:
    kept = list(dict.fromkeys(values.tolist()))
    found = spread._hashes_of_integers(values)
    assert found is not None
    assert found.view(np.int64).tolist() == list(map(hash, kept))


KINDS: dict[str, Any] = {
    "dict": dict,
    "OrderedDict": collections.OrderedDict,
    "Counter": collections.Counter,
    "defaultdict": lambda keys: collections.defaultdict(int, keys),
    "set": set,
    "frozenset": frozenset,
}


def crafted(name: str, keys: str) -> tuple[Any, bytes]:
    """Return an object whose keys collide, and a file of it, which dump does not write by itself."""
    is_set = "set" in name
    if keys == "one hash":
        found = one_hash(1500)
    else:
        found = full_slots(8192, 4900, is_set=True) if is_set else full_slots(2048, 1360, is_set=False)
    obj = KINDS[name](found if is_set else dict.fromkeys(found, 0))
    with mock.patch.object(spread, "_is_crowded", return_value=False):
        if is_set:  # in the order in which they collide, and not that of a dump
            with mock.patch("skopsafe.handlers.builtins.canonical", return_value=found):
                return obj, skopsafe.dumps(obj)
        return obj, skopsafe.dumps(obj)


@pytest.mark.parametrize("keys", ["one hash", "full slots"])
@pytest.mark.parametrize("name", KINDS)
def test_keys_cannot_collide(name: str, keys: str) -> None:
    obj, data = crafted(name, keys)
    with pytest.raises(ValidationError, match="collide"):
        skopsafe.loads(data)
    if keys == "one hash" or "set" not in name:
        with pytest.raises(UnsupportedTypeError, match="collide"):
            skopsafe.dumps([obj])
    with mock.patch.object(spread, "_is_crowded", return_value=False):
        assert skopsafe.loads(data) == obj


@needs_linux
@pytest.mark.parametrize("name", ["builtins:dict", "collections:OrderedDict", "builtins:set"])
def test_a_hundred_thousand_keys_that_collide_take_no_memory_and_no_time(
    meter: Meter, tmp_path: Path, name: str
) -> None:
    """They would take five thousand million comparisons, and the processor time of the process is bounded."""
    count = 100_000
    keys = list(map(hex, one_hash(count)))
    parts = [part for ref in numbers(count) for part in ((ref,) if "set" in name else (ref, 0))]
    types, shapes = ["builtins:int", name], [[0, 1], [1, None]]
    content = schema(types, shapes, [[0, count, [keys]], [1, 1, [parts]]], [count])
    path = written(tmp_path / "file", content)
    found = meter(path, seconds=20)
    assert_refused(found, "ValidationError", peak=16 * found.size, match="collide")


@pytest.mark.parametrize("is_set", [False, True])
def test_slots_without_the_check_grow_with_the_square(is_set: bool) -> None:
    small, large = (2048, 8192) if is_set else (512, 2048)
    most = (3 * small // 5 - 2, 3 * large // 5 - 2) if is_set else (2 * small // 3, 2 * large // 3)
    for keys in (
        [one_hash(count) for count in (400, 1600)],
        [full_slots(size, count, is_set=is_set) for size, count in zip((small, large), most, strict=True)],
    ):
        few, many = (tables_of(found, is_set=is_set) for found in keys)
        assert many > 3 * few > 3 * 100  # for each key; four times as many have at least three times as many
        assert len(set(map(hash, keys[1]))) in (1, len(keys[1]))


@pytest.mark.parametrize("dtype", [object, np.int64])
@pytest.mark.parametrize(
    ("model", "attribute"),
    [
        (OneHotEncoder(), "categories_"),
        (OrdinalEncoder(), "categories_"),
        (TargetEncoder(), "categories_"),
        (LabelEncoder(), "classes_"),
        (LabelBinarizer(), "classes_"),
        (MultiLabelBinarizer(), "classes_"),
    ],
    ids=lambda value: type(value).__name__ if type(value) is not str else value,
)
def test_items_that_an_encoder_looks_up_cannot_collide(model: Any, attribute: str, dtype: Any) -> None:
    """`transform` puts the categories of a model into a dict and into a set, each time."""
    colliding = one_hash(1500) if dtype is object else sorted(full_slots(2048, 1360, is_set=False))
    for items in (list(range(len(colliding))), colliding):
        made = np.array(items, dtype)
        setattr(model, attribute, [made] if attribute == "categories_" else made)
        model._n_features_outs, model.drop_idx_ = [len(made)], None
        data = skopsafe.dumps(model)
        if items is colliding:
            with pytest.raises(ValidationError, match="collide"):
                skopsafe.loads(data)
        else:
            assert skopsafe.loads(data) is not None


def test_keys_that_put_out_each_other_one_by_one_are_not_looked_at_in_rounds() -> None:
    """A chain of keys, each of which has the slot that the one before it asks for in the end."""
    size, keys, free = 4096, [0], set(range(1, 4096))
    place = 0
    while len(keys) < 2700:
        choices = [
            (place + (number << 12), (5 * place + (place + (number << 12) >> 5) + 1) % size)
            for number in range(1, 33)
        ]
        key, place = next((choice for choice in choices if choice[1] in free), (0, 0))
        if not key:
            break
        free.remove(place)
        keys.append(key)
    assert len(keys) > 1000
    with mock.patch.object(spread._Table, "ask", autospec=True, side_effect=spread._Table.ask) as ask:
        count, _ = spread._placed(hashes(keys), size, 0, 10**6)
    assert count == dict_slots(keys, size) == 2 * len(keys) - 1
    assert ask.call_count < 3


@pytest.mark.parametrize("seed", ["0", "random"])
def test_texts_are_looked_at_where_their_hashes_have_no_seed(seed: str) -> None:
    code = (
        "import sys; from unittest import mock; from skopsafe.handlers import spread\n"
        "with mock.patch.object(spread, 'dict_probes', return_value=0) as looked:\n"
        "    spread.require_spread([str(n) for n in range(1000)], '', None)\n"
        "    spread.require_spread([b'%d' % n for n in range(1000)], '', None)\n"
        "sys.stdout.write(str(looked.call_count))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
        check=True,
    )
    assert done.stdout == ("2" if seed == "0" else "0")
