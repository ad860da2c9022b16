"""The conformance suite must see what it is there to see."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from skopsafe import testing
from tests.attacks import bad_family

_COUNTER = itertools.count()


class Unreviewed:
    """A class for which nobody vouches."""


class Restless(dict[str, int]):
    """Another number each time it is taken apart."""

    def __reduce__(self) -> Any:
        return (dict, ([("count", next(_COUNTER))],))


def family(obj: Any, outputs: Callable[[Any, Any], Any] = lambda obj, X: {}) -> Any:
    return SimpleNamespace(MODELS={"model": lambda: (obj, None)}, outputs=outputs)


def outputs(obj: Any, _: Any) -> dict[str, Any]:
    return {"obj": obj}


GOOD = family({"array": np.arange(5), "nan": float("nan"), "list": [1, "x", None]}, outputs)


@pytest.mark.parametrize("check", testing.CHECKS[:-1], ids=lambda check: check.__name__)
def test_what_conforms_passes(check: testing.Check) -> None:
    check(GOOD, "model")


@pytest.mark.parametrize(
    ("check", "obj", "made", "match"),
    [
        (testing.check_round_trip, Unreviewed(), outputs, "need approval"),
        (testing.check_round_trip, [], lambda obj, _: {"n": next(_COUNTER)}, r"other outputs.*\['n'\]"),
        (testing.check_vouched, Unreviewed(), outputs, "nobody vouches"),
        (testing.check_same_bytes, Restless(), outputs, "two dumps"),
    ],
)
def test_what_does_not_conform_is_told(
    check: testing.Check, obj: Any, made: Callable[[Any, Any], Any], match: str
) -> None:
    with pytest.raises(AssertionError, match=match):
        check(family(obj, made), "model")


@pytest.mark.parametrize("model", ["dies", "writes"])
def test_harmful_mutants_are_told(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "MUTANTS", 12)
    with pytest.raises(AssertionError, match="mutants were harmful"):
        testing.check_mutants(bad_family, model)


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ({"a": 1}, {"b": 1}, " keys ['a', 'b']".strip()),
        ({"a": [1, 2]}, {"a": [1, 3]}, "['a'][1] values"),
        ([1], [1, 2], " lengths"),
        (np.zeros(2), np.zeros(2, np.float32), " arrays"),
        (np.array([0.0]), np.array([-0.0]), " arrays"),
        (np.array([None]), np.array([1], object), "[0] types NoneType and int"),
        (1, 1.0, " types int and float"),
        (float("nan"), float("nan"), ""),
        ((np.arange(3),), (np.arange(3),), ""),
    ],
)
def test_outputs_are_compared_in_every_bit(one: Any, other: Any, where: str) -> None:
    assert testing.differs(one, other) == where
