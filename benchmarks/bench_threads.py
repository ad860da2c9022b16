"""Threads that load the same file: how many loads they get done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import joblib
import pytest

import skopsafe
from benchmarks.conftest import Measure, turns
from benchmarks.jobs import pickle_dump, pickle_load

MEASURED = ("RandomForest, 100 trees", "HistGradientBoosting, 300 iterations", "MLP, 512 x 512")
THREADS = (1, 2, 4, 8)
LOADS = 16
SAVE: dict[str, Callable[[Any, Path], Any]] = {
    "skopsafe": skopsafe.dump,
    "joblib": joblib.dump,
    "pickle": pickle_dump,
}
LOAD: dict[str, Callable[[Path], Any]] = {
    "skopsafe": skopsafe.load,
    "joblib": joblib.load,
    "pickle": pickle_load,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Order the calls."""
    jobs = [(name, library, threads) for name in MEASURED for threads in THREADS for library in SAVE]
    metafunc.parametrize(("turn", "name", "library", "threads"), turns(metafunc, jobs, 5))


def bench_threads(
    name: str,
    library: str,
    threads: int,
    turn: int,
    fitted: Callable[[str], Any],
    folder: Path,
    measure: Measure,
    note: Callable[..., None],
) -> None:
    """Time so many loads by so many threads."""
    path = folder / f"{name.partition(',')[0]}.{library}"
    if not path.exists():
        SAVE[library](fitted(name), path)
    load = LOAD[library]

    def run() -> None:
        # The objects are dropped at once: what they need is not measured here.
        for _ in pool.map(lambda _: load(path) and None, range(LOADS)):
            pass

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: load(path) and None, range(threads)))
        measure(run, case=name, verb=f"{threads} threads", library=library)
    note(loads=LOADS, threads=threads)
