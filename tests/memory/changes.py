"""Changes of one thing at a time in a file that stays a file: of an array, a number, a text, or a size.

A change of bytes at random mostly ends at the checks of the format. These get past them, to what validators
and compiled code make of a model whose parts do not fit each other.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.memory.separate import Array, packed, unpacked

_BOUNDS = (-1, -2, -(2**31), 2**31 - 1, 255, 256, 2**40)
_REALS = (np.nan, np.inf, -np.inf, -1.0, 0.0, 0.5, 1e300, -1e300, 1e-320, 2.0**31)
_INTEGERS = (0, 1, -1, 2, 3, 5, 8, 64, 1000, 2**31 - 1, -(2**31))
_TEXTS = (
    "precomputed", "rbf", "poly", "linear", "sigmoid", "cosine", "chi2", "laplacian",
    "auto", "brute", "kd_tree", "ball_tree", "euclidean", "manhattan", "minkowski", "mahalanobis",
    "seuclidean", "haversine", "hamming", "jaccard", "uniform", "distance", "full", "tied", "diag",
    "spherical", "onehot", "ordinal", "most_frequent", "constant", "multiclass", "binary", "continuous",
)  # fmt: skip

Change = Callable[[dict[str, Any], list[Array], random.Random], None]


def _resized(axis: int, size: Callable[[int], int]) -> Callable[[Array, random.Random], Array]:
    def change(array: Array, _: random.Random) -> Array:
        count = size(array.shape[axis])
        if not array.shape[axis]:
            return np.zeros([count if i == axis else n for i, n in enumerate(array.shape)], array.dtype)
        return np.take(array, np.arange(count), axis, mode="clip")

    return change


_SIZES: tuple[Callable[[int], int], ...] = (
    lambda size: max(size - 1, 0),
    lambda size: size + 1,
    lambda size: 0,
    lambda size: 1,
    lambda size: 2 * size,
    lambda size: size // 2,
)


def _put(value: Any, everywhere: bool) -> Callable[[Array, random.Random], Array]:
    """Put a number into one item or all of them; of a structure, into one of its fields."""

    def change(array: Array, rng: random.Random) -> Array:
        if not array.size:
            return array
        out = np.ascontiguousarray(array) if array.ndim == 0 else array.copy(order="K")
        field = out[rng.choice(out.dtype.names)] if out.dtype.names else out
        number = value(field) if callable(value) else value
        with np.errstate(all="ignore"):
            cast = np.asarray(number).astype(field.dtype, casting="unsafe")
        place = ... if everywhere else tuple(rng.randrange(size) for size in field.shape)
        field[place] = cast
        return out

    return change


def _beyond(field: Array) -> Any:
    """Return the least number that does not stand there: often the first that is outside."""
    return field.max() + 1 if field.dtype.kind in "iuf" else field.flat[0]


def _shuffled(array: Array, rng: random.Random) -> Array:
    order = np.random.default_rng(rng.randrange(2**32)).permutation(array.size)
    return array.ravel()[order].reshape(array.shape)


def _of_dtype(code: str) -> Callable[[Array, random.Random], Array]:
    def change(array: Array, _: random.Random) -> Array:
        with np.errstate(all="ignore"):
            return array.astype(code)

    return change


def _array_changes(array: Array) -> Iterator[Callable[[Array, random.Random], Array]]:
    for axis in range(min(array.ndim, 3)):
        for size in _SIZES:
            yield _resized(axis, size)
    if array.ndim > 1:
        yield lambda array, _: array.T
        yield lambda array, _: np.ascontiguousarray(array.T).reshape(array.T.shape)
        yield lambda array, _: array.ravel()
        yield lambda array, _: array.copy("C" if array.flags.f_contiguous else "F")
    yield lambda array, _: array[None]
    yield lambda array, _: array[..., None]
    yield lambda array, _: array.astype(array.dtype.newbyteorder("S"))
    if array.dtype.kind in "biuf":
        for code in "f4", "f8", "i4", "i8", "u1", "c16":
            yield _of_dtype(code)
    if array.size > 1:
        yield _shuffled
        yield lambda array, _: array.ravel()[::-1].reshape(array.shape)
    kinds = {array.dtype[name].kind for name in array.dtype.names or ()} or {array.dtype.kind}
    if kinds & set("biuf"):
        yield _put(_beyond, False)
        for everywhere in False, True:
            for number in _BOUNDS if kinds <= set("biu") else _REALS if kinds == {"f"} else _BOUNDS + _REALS:
                yield _put(number, everywhere)


def _on_array(number: int, how: Callable[[Array, random.Random], Array]) -> Change:
    def change(_: dict[str, Any], arrays: list[Array], rng: random.Random) -> None:
        arrays[number] = how(arrays[number], rng)

    return change


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(below, (*path, key))
    else:
        yield path, value


def _others(value: Any) -> tuple[Any, ...]:
    """Return what may stand in place of a value of a node."""
    if isinstance(value, bool):
        return (not value, None, 2)
    if isinstance(value, int):
        return (value + 1, value - 1, 2 * value, *_INTEGERS, None, float(value))
    if isinstance(value, float):
        return (0.0, -1.0, 0.5, 1e300, -1e300, 1e-320, 3, None)
    if isinstance(value, str):
        return (*_TEXTS, None, 1)
    return (0, 1, True, "auto", 1.0)


def _on_value(path: tuple[Any, ...], value: Any) -> Change:
    def change(schema: dict[str, Any], _: list[Array], __: random.Random) -> None:
        owner: Any = schema["runs"]
        for key in path[:-1]:
            owner = owner[key]
        owner[path[-1]] = value

    return change


def _lists(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """Yield the lists among the values of nodes: the items of lists and tuples are among them."""
    if isinstance(value, dict | list):
        if isinstance(value, list) and value and len(path) > 2:
            yield path, value
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _lists(below, (*path, key))


_LENGTHS: tuple[Callable[[list[Any]], list[Any]], ...] = (
    lambda items: items[:-1],
    lambda items: [*items, items[-1]],
    lambda items: items[1:],
    lambda items: items[::-1],
)


def _sizes_alike(schema: dict[str, Any], arrays: list[Array], rng: random.Random) -> None:
    """Change one size wherever it stands, but for some places: in arrays, and in numbers of nodes."""
    sizes = [size for array in arrays for size in array.shape if size]
    if not sizes:
        return
    size = rng.choice(sizes)
    new = rng.choice((size - 1, size + 1, 2 * size, 1, size + 7))
    share = rng.choice((0.5, 0.8, 1.0))
    for number, array in enumerate(arrays):
        for axis, length in enumerate(array.shape):
            if length == size and rng.random() < share:
                array = _resized(axis, lambda _: new)(array, rng)
        arrays[number] = array
    for path, value in [leaf for leaf in _leaves(schema["runs"]) if len(leaf[0]) > 2]:
        if value == size and type(value) is int and rng.random() < share:
            _on_value(path, new)(schema, arrays, rng)


class Changes:
    """All changes of one file, in an order that is the same every time."""

    def __init__(self, data: bytes, seed: str) -> None:
        self._schema, self._arrays = unpacked(data)
        self._seed = seed
        rng = random.Random(seed)
        self._of_arrays = [
            _on_array(number, how)
            for number, array in enumerate(self._arrays)
            for how in _array_changes(array)
        ]
        self._of_values = [
            _on_value(path, other)
            for path, value in _leaves(self._schema["runs"])
            if len(path) > 2
            for other in _others(value)
        ] + [
            _on_value(path, other(items))
            for path, items in _lists(self._schema["runs"])
            for other in _LENGTHS
        ]
        rng.shuffle(self._of_arrays)
        rng.shuffle(self._of_values)

    def unchanged(self) -> bytes:
        """Return the file as it is, in the form that the changed ones have."""
        return packed(self._schema, self._arrays)

    def file(self, number: int) -> bytes:
        """Return the file with change `number`: of arrays, values and sizes in turn, then of two things."""
        rng = random.Random(f"{self._seed} {number}")
        schema, arrays = copy.deepcopy(self._schema), list(self._arrays)
        for change in self._changes(number, rng):
            change(schema, arrays, rng)
        return packed(schema, arrays)

    def _changes(self, number: int, rng: random.Random) -> list[Change]:
        turn, kind = divmod(number, 5)
        if kind == 4:
            return [_sizes_alike]
        listed = (self._of_arrays, 3 * turn + kind) if kind < 3 else (self._of_values, turn)
        if listed[1] < len(listed[0]):
            return [listed[0][listed[1]]]
        both = self._of_arrays + self._of_values
        return [rng.choice(both), rng.choice(both)] if both else []
