"""What the machine says of a pickle is what a walk through all of it finds."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.linear_model import LogisticRegression

from skopsafe.foreign.pickles.machine import Machine, Pickle
from skopsafe.foreign.pickles.reading import Memory
from skopsafe.foreign.pickles.values import Call, Dict, FrozenSet, Global, List, Set
from skopsafe.judge.roles import reachable, used
from tests.foreign.pickles.test_loop import STREAMS
from tests.foreign.pickles.walking import children, walk


def check(found: Pickle) -> None:
    inside = list(walk(found.root))
    calls = [op.value for op in found.operations if op.kind == "call"]
    if not found.error:
        there = reachable(found)
        led_to = {id(value) for value in inside}
        assert all((id(call) in there) == (id(call) in led_to) for call in calls)
    roles = used(found)
    handed_over = {id(call.args) for call in calls}
    for value in inside:
        if isinstance(value, (tuple, List, Set, FrozenSet, Dict)) and id(value) not in handed_over:
            for held in children(value):
                assert not isinstance(held, Global) or "value" in roles[id(held)]
    for call in calls:
        if isinstance(call.function, Global):
            assert roles[id(call.function)] & {"call", "class"}
        for held in call.args if isinstance(call.args, tuple) else ():
            assert not isinstance(held, Global) or roles[id(held)]
        for state in call.states:
            assert not isinstance(state, Global) or "value" in roles[id(state)]


@settings(max_examples=1500, deadline=None)
@given(STREAMS)
def test_of_random_streams(data: bytes) -> None:
    check(Machine(Memory(data)).run())


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "obj",
    [
        LogisticRegression().fit([[0.0], [1.0]], [0, 1]),
        {int: [str, (dict, {float}), frozenset([bool])], "a": np.random.RandomState(0)},
        [np.float64(1.5), np.dtype("i4"), type(None), {Call: Call}],
    ],
    ids=["model", "classes", "scalars"],
)
def test_of_real_pickles(obj: Any, protocol: int) -> None:
    found = Machine(Memory(pickle.dumps(obj, protocol))).run()
    assert not found.error
    assert not found.drops
    check(found)


def test_what_is_dropped_is_not_reachable() -> None:
    found = Machine(Memory(b"cos\nsystem\n(S'x'\ntR0cbuiltins\nlist\n)R.")).run()
    dropped, kept = (op.value for op in found.operations if op.kind == "call")
    assert found.drops
    assert id(kept) in reachable(found)
    assert id(dropped) not in reachable(found)
    check(found)
