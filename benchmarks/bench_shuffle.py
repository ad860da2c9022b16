"""What a filter would win: arrays deflated as they are, and with the bytes of items sorted by place."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.bench_compression import LARGE, MEASURED
from benchmarks.conftest import Measure, turns

MODELS = tuple(name for name in MEASURED if name != LARGE)
WAYS = ("as they are", "shuffled")
_LEVEL = 6


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Order the calls."""
    jobs = [(name, way) for name in MODELS for way in WAYS]
    metafunc.parametrize(("turn", "name", "way"), turns(metafunc, jobs, 3))


def arrays_of(model: Any) -> dict[int, bytes]:
    """Return the arrays of a model, those with items of one size one behind the other, by that size."""
    found: dict[int, list[bytes]] = {}

    def note(buffer: pickle.PickleBuffer) -> None:
        view = memoryview(buffer)
        found.setdefault(view.itemsize, []).append(view.tobytes())

    pickle.dumps(model, protocol=5, buffer_callback=note)
    return {size: b"".join(parts) for size, parts in found.items()}


def shuffled(data: bytes, size: int) -> bytes:
    """Return the first bytes of all items, then their second ones, and so on (as HDF5 and Blosc do)."""
    return np.frombuffer(data, np.uint8).reshape(-1, size).T.tobytes()


def bench_shuffle(
    name: str,
    way: str,
    turn: int,
    fitted: Callable[[str], Any],
    measure: Measure,
    note: Callable[..., None],
) -> None:
    """Time the deflation of all arrays, the filter included, and note what comes out."""
    parts = arrays_of(fitted(name))

    def run() -> int:
        found = parts.items()
        chosen = [shuffled(data, size) if way == "shuffled" else data for size, data in found]
        return sum(len(zlib.compress(data, _LEVEL)) for data in chosen)

    size = measure(run, case=name, verb="deflate", library=way)
    note(size=size, whole=sum(map(len, parts.values())))
