"""All that the machine made of a pickle, one value after the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from skopsafe.foreign.pickles.values import (
    Call,
    Computed,
    Dict,
    FrozenSet,
    List,
    Set,
    Stored,
    Value,
    is_record,
)


def children(value: Value) -> list[Value]:
    """Return the values that a value directly holds, in the order of the stream."""
    match value:
        case tuple():
            return list(value)
        case List() | Set() | FrozenSet():
            return list(value.items)
        case Dict():
            return list(chain.from_iterable(value.pairs))
        case Computed():
            return [value.module, value.name]
        case Stored():
            return [value.wrapper, value.objects]
        case Call():
            kwargs = [] if value.kwargs is None else [value.kwargs]
            pairs = chain.from_iterable(value.pairs)
            return [value.function, value.args, *kwargs, *value.items, *pairs, *value.states]
    return []


def walk(root: Value) -> Iterator[Value]:
    """Go through a value and all that it leads to, each once, parents first."""
    seen: set[int] = set()
    todo = [root]
    while todo:
        value = todo.pop()
        if isinstance(value, tuple) or is_record(value):
            if id(value) in seen:
                continue
            seen.add(id(value))
            todo += children(value)[::-1]
        yield value
