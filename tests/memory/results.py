"""What a model puts out, kept in a form that can be compared: values, and nothing of where they lie."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

_DEEPEST = 8
_NEAR = 1e-3
"""So far may sums be apart that were added up in another order; what was in memory before is farther."""


class Recording:
    """A model in front of another, which keeps what its methods return to who calls them."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._results: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._model, name)

        def call(*args: Any, **options: Any) -> Any:
            try:
                result = found(*args, **options)
            except Exception as error:
                self._results.append((name, type(error).__name__, str(error)))
                raise
            self._results.append((name, result))
            return result

        return call if callable(found) else found

    def results(self) -> list[Any]:
        """Return what was returned, or raised, in the order of the calls."""
        return self._results


def kept(value: Any, depth: int = 0) -> Any:
    """Return `value` as plain values and copies of its arrays."""
    if depth > _DEEPEST or value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return value if depth <= _DEEPEST else "..."
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "O":
            return [value.shape, [kept(item, depth + 1) for item in value.ravel().tolist()]]
        return np.array(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {str(key): kept(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [kept(item, depth + 1) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if hasattr(value, "tocoo"):  # a sparse matrix: as it is, not as it ought to be
        parts = ("shape", "data", "indices", "indptr", "row", "col", "offsets")
        return [kept(getattr(value, name, None), depth + 1) for name in parts]
    if hasattr(value, "to_pandas"):
        value = value.to_pandas()
    if hasattr(value, "to_csv"):
        return value.to_csv()
    if dataclasses.is_dataclass(value):
        return kept(vars(value), depth + 1)
    return type(value).__name__


def difference(first: Any, second: Any, where: str = "") -> str:
    """Say where two results differ and how, or return an empty text."""
    if type(first) is not type(second):
        return f"{where}: {str(first)[:60]} and {str(second)[:60]}"
    if isinstance(first, dict):
        if first.keys() != second.keys():
            return f"{where}: other keys"
        pairs: Any = [(f"{where}[{key!r}]", first[key], second[key]) for key in first]
    elif isinstance(first, list):
        if len(first) != len(second):
            return f"{where}: {len(first)} items and {len(second)}"
        pairs = [(f"{where}[{i}]", *pair) for i, pair in enumerate(zip(first, second, strict=True))]
    else:
        return "" if _are_near(first, second) else f"{where}: {str(first)[:60]} and {str(second)[:60]}"
    return next(filter(None, (difference(one, other, place) for place, one, other in pairs)), "")


def _are_near(first: Any, second: Any) -> bool:
    if not isinstance(first, np.ndarray | float | complex):
        return bool(first == second)
    one, other = np.asarray(first), np.asarray(second)
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.kind not in "fc":
        return one.tobytes() == other.tobytes()
    with np.errstate(all="ignore"):
        finite = one[np.isfinite(one)]
        scale = float(np.abs(finite).max(initial=0))
        return np.allclose(one, other, rtol=_NEAR, atol=_NEAR * scale, equal_nan=True)
