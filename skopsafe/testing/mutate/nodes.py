"""Changes the tables of a schema: names, shapes, values and references."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

_INTEGERS = (0, -1, 1, 2, 3, 7, 255, 256, 1000, 2**31 - 1, -(2**31), 2**31, 2**40, 2**53 - 1, 10**9)
_TEXTS = (
    "",
    "auto",
    "precomputed",
    "euclidean",
    "rbf",
    "brute",
    "kd_tree",
    "ball_tree",
    "minkowski",
    "linear",
    "hard",
    "soft",
    "multinomial",
    "most_frequent",
    "int64",
    "object",
    "category",
    "UTC",
    "../x",
    "0x1f",
    "nan",
    "%s%n",
)
_TYPES = (
    "builtins:dict",
    "builtins:list",
    "builtins:tuple",
    "builtins:set",
    "builtins:frozenset",
    "builtins:int",
    "builtins:float",
    "builtins:str",
    "builtins:bytes",
    "builtins:range",
    "builtins:slice",
    "builtins:object",
    "numpy:ndarray",
    "numpy:float64",
    "numpy:int64",
    "numpy:log1p",
    "collections:OrderedDict",
    "collections:Counter",
    "sklearn.linear_model._base:LinearRegression",
    "sklearn.preprocessing._data:StandardScaler",
    "sklearn.tree._tree:Tree",
    "sklearn.neighbors._kd_tree:KDTree",
    "scipy.sparse._csr:csr_matrix",
    "sklearn.utils._bunch:Bunch",
    "os:system",
    "builtins:eval",
    "nowhere:nothing",
)
_ATTRIBUTES = ("__class__", "__dict__", "predict", "x", "()args", "()state", "()list", "()member", "array")


def change_name(schema: dict[str, Any], known: list[Any], rng: random.Random) -> None:
    """Change a type, a role, the type or form of a shape, or the name of an attribute."""
    types, shapes = schema["types"], schema["shapes"]
    if not types or not shapes:
        schema["types"].append(rng.choice(known) if known else ["builtins:dict", "class"])
        return
    how = rng.randrange(8)
    row = rng.choice(types)
    shape = rng.choice(shapes)
    if how == 0:
        row[0] = rng.choice(_TYPES)
    elif how == 1 and known:
        row[:] = rng.choice(known)
    elif how == 2:
        row[1] = rng.choice(("class", "value", "call", "x"))
    elif how == 3:
        shape[0] = rng.choice((rng.randrange(len(types)), len(types), -1))
    elif how == 4:
        shape[1] = rng.choice((None, [], 1, 2, 1024, rng.choice(shapes)[1]))
    elif isinstance(shape[1], list) and shape[1]:
        _change_attributes(shape[1], [other[1] for other in shapes], rng)
    else:
        one, other = rng.choice(types), rng.choice(types)
        one[0], other[0] = other[0], one[0]


def _change_attributes(names: list[str], others: list[Any], rng: random.Random) -> None:
    at = rng.randrange(len(names))
    how = rng.randrange(4)
    if how == 0:
        other = rng.randrange(len(names))
        names[at], names[other] = names[other], names[at]
    elif how == 1:
        names[at] = rng.choice(_ATTRIBUTES)
    elif how == 2:
        found = [other for other in others if isinstance(other, list) and other]
        names[at] = rng.choice(rng.choice(found))
    else:
        names[at] += "_"


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(below, (*path, key))
    else:
        yield path, value


def change_value(schema: dict[str, Any], rng: random.Random) -> None:
    """Change a value of a node, a reference, or a number of its run."""
    runs = schema["runs"]
    if not runs or not rng.randrange(20):
        schema["root"] = rng.choice(([0], [-1], [len(runs)], [10**9], None, 5, [0, 0], "x"))
        return
    # A run first: else the long ones would get all the changes.
    number = rng.randrange(len(runs))
    if not rng.randrange(12):
        _change_run(runs, number, rng)
        return
    path, old = rng.choice(list(_leaves(runs[number], (number,))))
    owner: Any = runs
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = _other(old, rng)


def _change_run(runs: list[Any], number: int, rng: random.Random) -> None:
    how = rng.randrange(4)
    if how == 0:
        runs.insert(rng.randrange(len(runs) + 1), runs[number])
    elif how == 1:
        runs.pop(number)
    elif how == 2:
        other = rng.randrange(len(runs))
        runs[number], runs[other] = runs[other], runs[number]
    else:
        runs[number][2] = rng.choice(runs)[2]


def _other(old: Any, rng: random.Random) -> Any:
    """Return a value in place of `old`: of its type and near, of its type and far, of another."""
    if isinstance(old, bool):
        return rng.choice((not old, not old, None, 0, "x"))
    if isinstance(old, int):
        return rng.choice(
            (*_INTEGERS, old + 1, old - 1, old + 2, old - 2, old * 2, -old, None, 1.5, True, "1", [0], [1])
        )
    if isinstance(old, float):
        return rng.choice((0.0, -1.0, 1e308, -1e308, 5e-324, old + 1.0, -old, 5, None, "nan", [0]))
    if isinstance(old, str):
        return rng.choice((*_TEXTS, old + "x", old[:-1], old.upper(), 5, None, [0]))
    return rng.choice((0, 1, "x", True, 1.0, [0], 5, 10**6, -1, "euclidean"))
