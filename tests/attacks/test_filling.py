"""Arrays that numpy has left empty and a crafted model does not fill: they show what was in memory before."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import ClassifierChain, RegressorChain
from sklearn.preprocessing import TargetEncoder

import skopsafe
from tests.memory import guard
from tests.memory.runner import environment_of
from tests.sklearn_models import same

X = np.floor(np.random.RandomState(0).rand(60, 3) * 4)
Y = np.arange(60) % 3
TWO = np.column_stack([Y, -Y])


def encoder(target: Any = Y, **changes: Callable[[Any], Any]) -> Any:
    return changed(TargetEncoder().fit(X, target), **changes)


def chain(**changes: Callable[[Any], Any]) -> Any:
    return changed(RegressorChain(Ridge()).fit(X, TWO), **changes)


def changed(model: Any, **changes: Callable[[Any], Any]) -> Any:
    for name, change in changes.items():
        setattr(model, name, change(getattr(model, name)))
    return model


CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "no_encoding_of_the_last": (lambda: encoder(encodings_=lambda old: old[:-1]), "TargetEncoder.encodings_"),
    "no_encoding_of_numbers": (lambda: encoder(X[:, 0], encodings_=lambda old: old[1:]), "encodings_"),
    "other_encodings": (lambda: encoder(encodings_=tuple), "encodings_"),
    "more_classes": (lambda: encoder(classes_=lambda _: np.arange(4)), "TargetEncoder.encodings_"),
    "classes_of_others": (lambda: encoder(Y % 2, target_type_=lambda _: "multiclass"), "encodings_"),
    "kind_of_no_text": (lambda: encoder(target_type_=lambda _: 1), "target_type_"),
    "no_width": (lambda: encoder(n_features_in_=lambda _: None), "n_features_in_"),
    "twice": (lambda: chain(order_=lambda _: np.array([0, 0])), "RegressorChain.order_"),
    "twice_in_a_list": (lambda: chain(order_=lambda _: [1, 1]), "order_"),
    "too_many": (lambda: chain(order_=lambda _: np.arange(3)), "order_"),
    "of_floats": (lambda: chain(order_=lambda _: np.arange(2.0)), "order_"),
    "in_rows": (lambda: chain(order_=lambda _: np.array([[0, 1]])), "order_"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_leaves_items_empty_is_refused(name: str) -> None:
    make, where = CASES[name]
    with pytest.raises(skopsafe.ValidationError, match=where):
        skopsafe.loads(skopsafe.dumps(make()))


@pytest.mark.parametrize("target", [Y, Y % 2, X[:, 0]], ids=["classes", "two", "numbers"])
def test_target_encoders_come_back(target: Any) -> None:
    model = encoder(target)
    assert same(skopsafe.loads(skopsafe.dumps(model)).transform(X), model.transform(X))


@pytest.mark.parametrize("order", [None, [1, 0], (1, 0), np.array([1, 0]), "random"])
def test_chains_come_back(order: Any) -> None:
    model = ClassifierChain(LogisticRegression(), order=order, random_state=0).fit(X, TWO != 0)
    assert same(skopsafe.loads(skopsafe.dumps(model)).predict(X), model.predict(X))


@pytest.mark.skipif(not guard.CAN_BUILD, reason="needs Linux, glibc, gcc and numpy 2")
@pytest.mark.parametrize(
    "used",
    ["encoder(encodings_=lambda old: old[:-1]).transform(X)", "chain(order_=lambda _: [1, 1]).predict(X)"],
)
def test_what_is_refused_shows_memory(used: str) -> None:
    code = f"""
from tests.attacks.test_filling import *
from tests.memory.worker import filled

guard.Guard().take_numpy()

def use():
    try:
        return ("loaded", {used})
    except IndexError as error:
        return ("loaded", str(error))

print(filled(use))
"""
    environment = environment_of("fill", "")
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, timeout=100, capture_output=True, text=True
    )
    assert done.stdout.startswith("uninitialised: "), done.stdout
