"""Items of sets have one order, whatever their hashes and addresses are."""

from __future__ import annotations

import datetime
import functools
import random
from collections.abc import Callable
from typing import Any

import pytest

import skopsafe
from skopsafe.handlers.order import canonical


class Walker:
    """Has a method of the name that ours have."""

    def in_order(self) -> list[int]:
        return [1, 2, 3]


def long(number: int) -> tuple[Any, ...]:
    return (*(f"same {place}" for place in range(200)), number)


def nested(depth: int) -> Any:
    found: Any = "end"
    for _ in range(depth):
        found = (found,)
    return found


SETS: dict[str, Callable[[], list[Any]]] = {
    "texts": lambda: [f"{number}" for number in range(50)],
    "numbers": lambda: list(range(50)),
    "mixed": lambda: [1, "a", None, 1.5, b"x", len, (1, "b"), frozenset(["a", 1]), datetime.date(2020, 1, 2)],
    "long tuples": lambda: [long(number) for number in range(300)],
    "sets of tuples": lambda: [frozenset([(number, "a"), ("b",)]) for number in range(50)],
    "partials": lambda: [functools.partial(int, base=base) for base in range(2, 36)],
    "deep": lambda: [nested(depth) for depth in range(40)],
    "halves of characters": lambda: [("\udc80",), ("\udc81",), ("a",)],
}


@pytest.mark.parametrize("name", SETS)
def test_items_have_one_order(name: str) -> None:
    items = SETS[name]()
    expected = canonical(items)
    for seed in range(5):
        shuffled = random.Random(seed).sample(SETS[name](), len(items))
        assert list(map(repr, canonical(shuffled))) == list(map(repr, expected))


def test_numbers_may_be_larger_than_python_writes_in_digits() -> None:
    numbers = [10**5000, 10**5001, 0.5]
    assert canonical(numbers) == canonical(numbers[::-1])


def test_what_is_shared_is_looked_at_once() -> None:
    found: Any = ("end",)
    for _ in range(60):
        found = (found, found)
    assert len(canonical([found, 1])) == 2


def test_a_class_of_somebody_may_have_a_method_of_that_name() -> None:
    walker = Walker()
    assert set(canonical({walker, 1})) == {walker, 1}
    assert skopsafe.get_untrusted_types(data=skopsafe.dumps({walker, 1})) == [f"{__name__}.Walker"]
