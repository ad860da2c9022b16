"""How often each value of a pickle is used, and which containers hold themselves. See `script`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from skopsafe.foreign.pickles.machine import Pickle
from skopsafe.foreign.pickles.values import (
    ByteArray,
    Call,
    Computed,
    Dict,
    FrozenSet,
    Global,
    List,
    Set,
    Span,
    Stored,
    Value,
)

LONG_CONSTANT = 60
"""Characters or bytes above which a constant that stands in several places gets a name."""

_CONSTANTS = (str, bytes, int, float, bool, type(None))

Container = List | Set | FrozenSet | Dict


@dataclass(slots=True)
class Uses:
    """What a script has to know of a pickle before it is written.

    Attributes
    ----------
    counts : dict of int to int
        By the `id` of a value: in how many places it stands.
    cyclic : set of int
        The `id` of each list, set and dict that leads back to itself, through containers alone.
    hashing : list
        Containers that call `__hash__` of objects when they are filled.
    content : int
        Bytes of all that is no code: long texts, bytes and arrays.
    """

    counts: dict[int, int] = field(default_factory=dict)
    cyclic: set[int] = field(default_factory=set)
    hashing: list[Set | FrozenSet | Dict] = field(default_factory=list)
    content: int = 0


def is_long(value: Value) -> bool:
    """Tell whether a constant is too long to stand in several places."""
    if isinstance(value, str | bytes):
        return len(value) > LONG_CONSTANT
    return type(value) is int and value.bit_length() > 4 * LONG_CONSTANT


def parts(value: Value) -> Iterator[Value]:
    """Go through what a value is made from: no states and items of objects, which are operations."""
    match value:
        case tuple():
            yield from value
        case List() | Set() | FrozenSet():
            yield from value.items
        case Dict():
            for pair in value.pairs:
                yield from pair
        case Global() | Computed():
            yield value.module
            yield value.name
        case Call(kwargs=None):
            yield value.function
            yield value.args
        case Call():
            yield value.function
            yield value.args
            yield value.kwargs
        case Stored():
            yield value.wrapper
            yield value.objects
        case _:
            return


def count(found: Pickle) -> Uses:
    """Count the uses of every value of a pickle, in time linear in what there is."""
    uses = Uses()
    counts = uses.counts
    nodes: list[Value] = []
    todo: list[Value] = []
    hashed: set[int] = set()

    def use(value: Value) -> None:
        kind = type(value)
        if kind in (str, bytes, int):
            if is_long(value):
                before = counts.get(id(value), 0)
                counts[id(value)] = before + 1
                uses.content += 0 if before or kind is int else len(value)
        elif kind not in (bool, float, type(None)) and value != ():
            before = counts.get(id(value), 0)
            counts[id(value)] = before + 1
            if not before and kind not in (Call, Computed, Global):  # they are opened where they are made
                todo.append(value)

    for operation in found.operations:
        match operation.kind:
            case "import" | "call":
                counts.setdefault(id(operation.value), 0)
                todo.append(operation.value)
            case "build":
                use(operation.value)
                use(operation.argument)
            case "setitem":
                use(operation.value)
                for pair in operation.argument:
                    for part in pair:
                        use(part)
            case _:
                use(operation.value)
                for part in operation.argument:
                    use(part)
        _open(todo, use, nodes, uses)
    use(found.root)
    _open(todo, use, nodes, uses)
    for made in found.hashing:
        if id(made) in hashed:
            continue
        hashed.add(id(made))
        keys = [key for key, _ in made.pairs] if isinstance(made, Dict) else made.items
        if all(map(_is_plain, keys)):
            continue
        uses.hashing.append(made)
        if id(made) not in counts:  # nothing has it, but its making calls methods
            counts[id(made)] = 0
            todo.append(made)
            _open(todo, use, nodes, uses)
    _find_cycles(nodes, uses.cyclic)
    return uses


def _open(todo: list[Value], use: Callable[[Value], None], nodes: list[Value], uses: Uses) -> None:
    while todo:
        value = todo.pop()
        if isinstance(value, tuple | Container):
            nodes.append(value)
        for part in parts(value):
            use(part)
        match value:
            case Span() | Stored():
                uses.content += value.size
            case ByteArray():
                uses.content += len(value.content)


def _is_plain(key: Value) -> bool:
    """Tell whether Python itself makes the hash of a key, and there is one."""
    if type(key) is tuple:
        return all(type(part) in _CONSTANTS for part in key)
    return type(key) in _CONSTANTS or isinstance(key, Global)


def _find_cycles(nodes: list[Value], cyclic: set[int]) -> None:
    """Find strongly connected containers by the algorithm of Tarjan, as a loop."""
    numbers: dict[int, int] = {}
    lowest: dict[int, int] = {}
    open_: dict[int, Value] = {}
    for start in nodes:
        if id(start) in numbers:
            continue
        path: list[tuple[Value, Iterator[Value]]] = []
        todo = start
        while True:
            if todo is not None:
                key = id(todo)
                numbers[key] = lowest[key] = len(numbers)
                open_[key] = todo
                path.append((todo, parts(todo)))
            value, rest = path[-1]
            key = id(value)
            todo = None
            for part in rest:
                if not isinstance(part, tuple | Container) or part == ():
                    continue
                other = id(part)
                if other not in numbers:
                    todo = part
                    break
                if other in open_:
                    lowest[key] = min(lowest[key], numbers[other])
                    if other == key:
                        cyclic.add(key)
            if todo is not None:
                continue
            path.pop()
            if path:
                above = id(path[-1][0])
                lowest[above] = min(lowest[above], lowest[key])
            if lowest[key] == numbers[key]:
                _close(open_, value, cyclic)
            if not path:
                break


def _close(open_: dict[int, Value], value: Value, cyclic: set[int]) -> None:
    """Take a component off what is open: all that was opened since its first."""
    key, last = open_.popitem()
    component = [last]
    while key != id(value):
        key, last = open_.popitem()
        component.append(last)
    if len(component) > 1:
        cyclic.update(id(part) for part in component)
