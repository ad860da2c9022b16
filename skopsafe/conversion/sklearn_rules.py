"""Rules for compiled classes of scikit-learn, whose ``__reduce__`` gives other parts than their getters."""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.conversion.rules import Case, Rules, require
from skopsafe.conversion.stands import Stand
from skopsafe.graph.parts import Leaf, Parts
from skopsafe.handlers.aliases import LOSSES
from skopsafe.handlers.sklearn import binary_tree, compiled, hist_boosting, tree

_LOSSES = tuple(
    handler.type
    for handler in compiled.HANDLERS
    if handler.type.startswith(("sklearn._loss._loss:", "sklearn.linear_model._sgd_fast:"))
)


def _array(value: Any) -> Leaf:
    require(isinstance(value, np.ndarray) and not value.dtype.hasobject, "a part is no array of numbers")
    return Leaf(value)


def _tree(case: Case) -> Any:
    args, state = case.args, case.attributes()
    require(len(args) == 3, "it has not three arguments")
    require({"max_depth", "nodes", "values"} <= state.keys(), "its state lacks a part")
    features, classes, outputs = args
    values = [
        _integer(features),
        _array(classes),
        _integer(outputs),
        _integer(state["max_depth"]),
        _array(state["nodes"]),
        _array(state["values"]),
    ]
    return Stand(case.name, Parts(tree._FORM, values))


def _integer(value: Any) -> int:
    require(isinstance(value, int | np.integer), "a part is no integer")
    return int(value)


def _binary_tree(case: Case) -> Any:
    values = case.state_items(13)
    for name in binary_tree._COUNTERS:
        values[binary_tree._FORM.index(name)] = 0
    return Stand(case.cls(), Parts(binary_tree._FORM, values))


def _metric(case: Case) -> Any:
    values = case.state_items(3, 5)
    form = compiled._METRIC_FORM if len(values) == 3 else compiled._FUNCTION_FORM
    return Stand(case.cls(), Parts(form, values))


def _loss(case: Case) -> Any:
    require(not case.call.states, "it has a state")
    return Stand(case.name, Parts(None, case.args))


def _unpickled(case: Case) -> Any:
    """A compiled loss as Cython makes it: of its class, a checksum and the parameter that it has, if any."""
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 3 and isinstance(args[1], int), "it has other arguments")
    assert isinstance(args, tuple)
    state = case.state if args[2] is None else args[2]
    require(state is None or (isinstance(state, tuple) and len(state) <= 1), "its state is no parameter")
    name = case.cls()
    require(name in _LOSSES, "it is no loss")
    return Stand(name, Parts(None, [case.get(value) for value in state or ()]))


def _predictor(case: Case) -> Any:
    state = case.attributes()
    require(state.keys() == set(hist_boosting._FORM), "it has other attributes")
    return Stand(case.name, Parts(hist_boosting._FORM, [_array(state[name]) for name in hist_boosting._FORM]))


def _bunch(case: Case) -> Any:
    flat: list[Any] = []
    for key, value in case.call.pairs:
        flat += case.get(key), case.get(value)
    return Stand(case.name, Parts(None, flat))


_OF_NEW_OBJECT = {
    "sklearn.neighbors._kd_tree:newObj": _binary_tree,
    "sklearn.neighbors._ball_tree:newObj": _binary_tree,
    "sklearn.metrics._dist_metrics:newObj": _metric,
}

RULES = Rules(
    calls={
        "sklearn.tree._tree:Tree": _tree,
        **_OF_NEW_OBJECT,
        **dict.fromkeys(_LOSSES, _loss),
        # The module claims either name, depending on the release.
        **{
            f"{module}:__pyx_unpickle_{name}": _unpickled
            for module in ("_loss", "sklearn._loss._loss")
            for name in LOSSES
        },
    },
    classes={
        "sklearn.ensemble._hist_gradient_boosting.predictor:TreePredictor": _predictor,
        "sklearn.utils._bunch:Bunch": _bunch,
    },
)
