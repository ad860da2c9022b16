"""In which roles the imported names of a pickle are used, and what of it the root leads to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any

from skopsafe.foreign.pickles.machine import Pickle
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


def used(pickle: Pickle) -> tuple[Roles, set[int], set[int]]:
    """Go through all that a pickle holds, once.

    Parameters
    ----------
    pickle : Pickle
        From the machine.

    Returns
    -------
    roles : dict of int to set of str
        By the identity of the record of a name.
    reachable, seen : set of int
        Identities of the tuples and records that the root leads to; and of those that operations are about,
        also where the pickle drops them.
    """
    roles: Roles = defaultdict(set)
    settled: set[int] = set()
    for op in pickle.operations:
        if op.kind == "call":
            _use_call(op.value, roles, settled)
    reachable: set[int] = set()
    _walk([pickle.root], reachable, roles, settled)
    rest = _dropped(pickle, reachable)
    if not rest:
        return roles, reachable, reachable
    seen = set(reachable)
    _walk(rest, seen, roles, settled)
    return roles, reachable, seen


def _dropped(pickle: Pickle, reachable: set[int]) -> list[Value]:
    """Return what operations are about that the root does not lead to."""
    found: list[Value] = []
    for op in pickle.operations:
        value = op.value
        kind = type(value)
        if kind is Call and id(value) in reachable:
            continue  # it has its states and items
        if kind is not Global:
            found.append(value)
        if isinstance(op.argument, list):
            found += chain.from_iterable(op.argument) if op.kind == "setitem" else op.argument
        elif op.argument is not None:
            found.append(op.argument)
    return found


def _walk(roots: list[Value], seen: set[int], roles: Roles, settled: set[int]) -> None:
    """Go through values and what they hold, layer by layer: nothing is done for a single constant."""
    found: Sequence[Value] = roots
    while True:
        if Global in set(map(type, found)):
            for value in found:
                if type(value) is Global:
                    roles[id(value)].add("value")
        layer: list[Value] = []
        for value in found:
            if type(value) in _HOLDING and id(value) not in seen:
                seen.add(id(value))
                layer.append(value)
        if not layer:
            return
        found = list(chain.from_iterable([_parts(value, settled) for value in layer]))


def _parts(value: Value, settled: set[int]) -> Sequence[Value]:
    """Return what a value holds, but for names whose roles are settled: what a call calls and is given."""
    kind = type(value)
    if kind is Call:
        more = [value.args, value.kwargs, *value.items, *value.states]
        if value.pairs:
            more += chain.from_iterable(value.pairs)
        if type(value.function) is not Global:
            more.append(value.function)
        return more
    inner: Sequence[Value] = value if kind is tuple else _HELD[kind](value)
    return inner if id(value) not in settled else [part for part in inner if type(part) is not Global]


_HELD: dict[type, Any] = {
    List: lambda value: value.items,
    Set: lambda value: value.items,
    FrozenSet: lambda value: value.items,
    Dict: lambda value: list(chain.from_iterable(value.pairs)),
    Computed: lambda value: (value.module, value.name),
    Stored: lambda value: (value.wrapper, value.objects),
}
"""What each kind of record holds."""


def _use_call(value: Call, roles: Roles, settled: set[int]) -> None:
    """Note the roles of what a call calls and is given, and which tuples and states that settles."""
    function, args = value.function, value.args
    if type(function) is not Global:
        return
    is_new = value.way == "new" or (value.way == "instantiate" and args == ())
    roles[id(function)].add("class" if is_new else "call")
    if type(args) is not tuple:
        return
    has_names = Global in set(map(type, args))
    if has_names and (is_new or reviewed_call(function.spelled) is not None):
        settled.add(id(args))
        for position, arg in enumerate(args):
            if type(arg) is Global:
                roles[id(arg)].add(_role_of_argument(function, position))
    if value.states and (_is_wrapper(function) or (has_names and _is_wrapper(args[0]))):
        for state in value.states:
            if type(state) is Dict:
                settled.add(id(state))
                for _, item in state.pairs:
                    if type(item) is Global:
                        roles[id(item)].add("argument")


def _is_wrapper(value: Value) -> bool:
    """Tell whether a class is that of joblib whose instances stand for arrays, and are made of no other."""
    return (
        type(value) is Global and value.name == "NumpyArrayWrapper" and value.module == "joblib.numpy_pickle"
    )


def _role_of_argument(function: Global, position: int) -> Role:
    if function.spelled == "copyreg:_reconstructor" and position == 0:
        return "class"
    if function.module == "numpy.random._pickle" and position == 1:
        return "call"
    return "argument"
