"""Memory that dump and load take beside the model, each in a process of its own."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest

import skopsafe
from benchmarks import probe
from benchmarks.conftest import Measure, turns
from benchmarks.jobs import pickle_dump
from benchmarks.models import MODELS

MEASURED = (
    "RandomForest, 1000 trees, depth 6",
    "HistGradientBoosting, 300 iterations",
    "KNN, 500k x 50",
    "tf-idf, 100k words, + SGD",
    "MLP, 512 x 512",
)
LIBRARIES = ("skopsafe", "joblib", "pickle")
SAVE = {"skopsafe": skopsafe.dump, "joblib": joblib.dump, "pickle": pickle_dump}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Order the calls."""
    names = MEASURED[:1] if metafunc.config.getoption("smoke") else MEASURED
    jobs = [(name, verb, library) for name in names for verb in ("dump", "load") for library in LIBRARIES]
    metafunc.parametrize(("turn", "name", "verb", "library"), turns(metafunc, jobs, 3))


def largest(obj: Any) -> int:
    """Return the bytes of the largest array that pickle comes across."""
    sizes = [0]
    pickle.dumps(obj, protocol=5, buffer_callback=lambda buffer: sizes.append(buffer.raw().nbytes))
    return max(sizes)


def bench_memory(
    name: str,
    verb: str,
    library: str,
    turn: int,
    fitted: Callable[[str], Any],
    folder: Path,
    measure: Measure,
    note: Callable[..., None],
) -> None:
    """Measure one call in a fresh process."""
    number = list(MODELS).index(name)
    path = folder / f"{number}.pickle"
    if not path.exists():
        obj = fitted(name)
        for other, save in SAVE.items():
            save(obj, folder / f"{number}.{other}")
        (folder / f"{number}.size").write_text(str(largest(obj)))
    from_file = folder / f"{number}.{library}" if verb == "load" else path
    found = measure(lambda: probe.ask(verb, library, from_file), case=name, verb=verb, library=library)
    note(**found, largest=int((folder / f"{number}.size").read_text()))
