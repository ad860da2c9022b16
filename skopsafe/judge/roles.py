"""In which roles the imported names of a pickle are used, and what of it the root leads to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from itertools import chain

from skopsafe.foreign.pickles.machine import Pickle
from skopsafe.foreign.pickles.uses import parts
from skopsafe.foreign.pickles.values import (
    Call,
    Computed,
    Dict,
    FrozenSet,
    Global,
    List,
    Set,
    Stored,
    Value,
)
from skopsafe.judge.calls import reviewed_call
from skopsafe.judge.naming import Role

Roles = defaultdict[int, set[Role]]
"""By the identity of the record of a name: how it is used."""

_HOLDING = frozenset((tuple, List, Set, FrozenSet, Dict, Computed, Call, Stored))


def used(pickle: Pickle) -> Roles:
    """Return how the names are used that a pickle imports.

    Parameters
    ----------
    pickle : Pickle
        From the machine.

    Returns
    -------
    dict of int to set of str
        By the identity of the record of a name.
    """
    roles: Roles = defaultdict(set)
    settled: set[int] = set()
    for op in pickle.operations:
        if op.kind == "call":
            _use_call(op.value, roles, settled)
        elif op.kind != "import":
            given = op.argument if isinstance(op.argument, list) else [op.argument]
            _use_values(list(chain.from_iterable(given)) if op.kind == "setitem" else given, roles)
    for holder in pickle.holders:
        if id(holder) not in settled:
            settled.add(id(holder))
            _use_values(_parts(holder), roles)
    _use_values((pickle.root,), roles)
    return roles


def reachable(pickle: Pickle) -> Container[int]:
    """Return the identities of the records that the root of a pickle leads to."""
    # Of a pickle that breaks off nothing is used, and that says nothing of single calls.
    if pickle.error or not pickle.drops:
        return Everything()
    seen: set[int] = set()
    layer: Sequence[Value] = (pickle.root,)
    while layer:
        inner: list[Value] = []
        for value in layer:
            if type(value) in _HOLDING and id(value) not in seen:
                seen.add(id(value))
                inner += _parts(value)
        layer = inner
    return seen


class Everything(Container[int]):
    """Has whatever is asked for."""

    def __contains__(self, key: object) -> bool:
        return True


def _parts(value: Value) -> list[Value]:
    """Return what a value is made from, and what an object is given afterwards."""
    found = list(parts(value))
    if type(value) is Call:
        found += (*value.items, *value.states, *chain.from_iterable(value.pairs))
    return found


def _use_values(values: Sequence[Value], roles: Roles) -> None:
    if Global in map(type, values):
        for value in values:
            if type(value) is Global:
                roles[id(value)].add("value")


def _use_call(value: Call, roles: Roles, settled: set[int]) -> None:
    """Note the roles of what a call calls and is given, and which tuples and states that settles."""
    function, args = value.function, value.args
    is_new = value.way == "new" or (value.way == "instantiate" and args == ())
    is_name = type(function) is Global
    if is_name:
        roles[id(function)].add("class" if is_new else "call")
    if type(args) is not tuple:
        _use_values((args,), roles)
        return
    has_names = Global in map(type, args)
    if has_names:
        settled.add(id(args))
        if is_name and (is_new or reviewed_call(function.spelled) is not None):
            for position, arg in enumerate(args):
                if type(arg) is Global:
                    roles[id(arg)].add(_role_of_argument(function, position))
        else:
            _use_values(args, roles)
    if value.states and (_is_wrapper(function) or (has_names and _is_wrapper(args[0]))):
        for state in value.states:
            if type(state) is Dict:
                settled.add(id(state))
                for _, item in state.pairs:
                    if type(item) is tuple:  # what makes an array whose bytes are in a file beside
                        settled.add(id(item))
                    for each in item if type(item) is tuple else (item,):
                        if type(each) is Global:
                            roles[id(each)].add("argument")


_JOBLIB = ("joblib.numpy_pickle", "joblib.numpy_pickle_compat", "sklearn.externals.joblib.numpy_pickle")
_WRAPPERS = ("NumpyArrayWrapper", "NDArrayWrapper", "ZNDArrayWrapper")


def _is_wrapper(value: Value) -> bool:
    """Tell whether a class is that of joblib whose instances stand for arrays, and are made of no other."""
    return type(value) is Global and value.name in _WRAPPERS and value.module in _JOBLIB


_CALLING = (
    *("functools:partial", "_functools:partial", "collections:defaultdict"),
    *("types:GenericAlias", "_collections:defaultdict"),
)
"""Calls that give out what calls their first argument later: it may stand only where any function may."""


def _role_of_argument(function: Global, position: int) -> Role:
    if position == 0 and function.spelled in _CALLING:
        return "value"
    if function.spelled == "copyreg:_reconstructor" and position == 0:
        return "class"
    if function.module == "numpy.random._pickle" and position == 1:
        return "call"
    return "argument"
