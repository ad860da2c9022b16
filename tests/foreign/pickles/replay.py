"""Makes the object that the records stand for, calling only what a test names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skopsafe.foreign.pickles.values import (
    ByteArray,
    Call,
    Dict,
    FrozenSet,
    Global,
    List,
    Set,
    Span,
    is_record,
)


def replay(root: Any, names: Mapping[str, Any], data: bytes = b"") -> Any:
    """Make the object, with `names` for what it may import; recursion, for small objects."""
    made: dict[int, Any] = {}
    keep: list[Any] = []

    def make(value: Any) -> Any:
        if type(value) is not tuple and not is_record(value):
            return value
        if id(value) not in made:
            keep.append(value)
            made[id(value)] = new(value)
            fill(value, made[id(value)])
        return made[id(value)]

    def new(value: Any) -> Any:
        match value:
            case tuple():
                return tuple(map(make, value))
            case List():
                return []
            case Dict():
                return {}
            case Set():
                return set()
            case FrozenSet():
                return frozenset(map(make, value.items))
            case ByteArray():
                return bytearray(value.content)
            case Span():
                content = data[value.offset : value.offset + value.size]
                return content.decode() if value.kind == "str" else content
            case Global():
                return names[value.spelled]
            case Call(way="new"):
                return make(value.function).__new__(make(value.function), *make(value.args))
            case Call(way="reduce"):
                return make(value.function)(*make(value.args))
        raise AssertionError(value)

    def fill(value: Any, out: Any) -> None:
        match value:
            case List():
                out.extend(map(make, value.items))
            case Set():
                out.update(map(make, value.items))
            case Dict():
                out.update((make(key), make(item)) for key, item in value.pairs)
            case Call():
                for state in map(make, value.states):
                    if hasattr(out, "__setstate__"):
                        out.__setstate__(state)
                    else:
                        out.__dict__.update(state)
                for item in value.items:
                    out.append(make(item))

    return make(root)
