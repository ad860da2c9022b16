"""Getters of ``operator`` come back once they are approved, and never with what reaches further."""

from __future__ import annotations

import operator
import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skopsafe
from tests.convert.converting import content, converted

GETTERS = {
    "item": operator.itemgetter(1),
    "items": operator.itemgetter("a", 2, slice(0, 3), (1, None)),
    "attribute": operator.attrgetter("T"),
    "attributes": operator.attrgetter("shape", "real.T"),
    "method": operator.methodcaller("sum"),
    "method with arguments": operator.methodcaller("clip", 0.25, max=0.5),
}
REFUSED: list[Any] = [
    operator.attrgetter("__class__"),
    operator.attrgetter("a._b"),
    operator.attrgetter("real.__init__.__globals__"),
    operator.methodcaller("__reduce__"),
    operator.methodcaller("dot", np.ones(2)),
    operator.methodcaller("sum", out=[1]),
    operator.itemgetter(print),
]


@pytest.mark.parametrize("name", GETTERS)
def test_getters_come_back(name: str) -> None:
    getter = GETTERS[name]
    data = skopsafe.dumps([getter, getter])
    spelled = f"operator.{type(getter).__name__}"
    assert skopsafe.get_untrusted_types(data=data) == [spelled]
    with pytest.raises(skopsafe.UntrustedTypesFoundException):
        skopsafe.loads(data)
    first, second = skopsafe.loads(data, trusted=[spelled])
    assert first is second
    assert repr(first) == repr(getter)
    assert skopsafe.dumps([first, second]) == data


@pytest.mark.parametrize("name", ["item", "items", "attribute", "attributes", "method"])
def test_getters_in_pickles_are_converted(name: str) -> None:
    data = converted(pickle.dumps(GETTERS[name]))
    assert content(data) == content(skopsafe.dumps(GETTERS[name]))
    found = skopsafe.loads(data, trusted=[f"operator.{type(GETTERS[name]).__name__}"])
    assert repr(found) == repr(GETTERS[name])


@pytest.mark.parametrize("getter", REFUSED, ids=str)
def test_what_reaches_further_is_not_saved(getter: Any) -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError):
        skopsafe.dumps(getter)


def test_a_step_of_a_pipeline() -> None:
    X = np.arange(12.0).reshape(4, 3)
    model = make_pipeline(
        FunctionTransformer(operator.itemgetter(slice(None, None, -1))), StandardScaler()
    ).fit(X)
    found = skopsafe.loads(skopsafe.dumps(model), trusted=["operator.itemgetter"])
    assert (found.transform(X) == model.transform(X)).all()
