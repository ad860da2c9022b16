"""The one way of measuring, and what all subjects share.

A test of pytest-benchmark is one call: its rounds are tests of their own, ordered so that libraries take
turns and a slow moment of the machine falls on all of them. ``report`` takes the best of them. Before each
call, the garbage is collected; a dump makes a new file, as replacing an old one is atomic here and not
elsewhere, and what that costs is the file system's doing.
"""

from __future__ import annotations

import gc
import platform
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

from benchmarks.jobs import pickle_dump, pickle_load
from benchmarks.models import MODELS

DISTRIBUTIONS = (
    *("skopsafe", "joblib", "skops", "numpy", "scipy", "scikit-learn", "xgboost", "lightgbm", "catboost"),
    "lz4",
)

Measure = Callable[..., Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what decides how much is measured."""
    group = parser.getgroup("skopsafe")
    group.addoption("--smoke", action="store_true", help="small models, one round: does it run?")
    group.addoption("--rounds", type=int, default=None, help="rounds of everything; the best counts")


def rounds(config: pytest.Config, usual: int) -> int:
    """Return how often to measure what is usually measured so often."""
    return config.getoption("rounds") or (1 if config.getoption("smoke") else usual)


def turns(metafunc: pytest.Metafunc, jobs: Iterable[tuple[Any, ...]], usual: int) -> list[tuple[Any, ...]]:
    """Return the jobs once for each round, so that they take turns; each with the number of its round."""
    jobs = list(jobs)
    return [(turn, *job) for turn in range(rounds(metafunc.config, usual)) for job in jobs]


@pytest.fixture(scope="session")
def small(request: pytest.FixtureRequest) -> bool:
    """Tell whether everything is to be small."""
    return bool(request.config.getoption("smoke"))


@pytest.fixture
def measure(benchmark: Any, request: pytest.FixtureRequest, small: bool) -> Measure:
    """Return ``measure(run, new="", **labels)``, which times one call and labels the result.

    ``new`` is a file that the call writes: an old one is removed before.
    """
    subject = Path(request.node.path).stem.removeprefix("bench_")

    def once(run: Callable[[], Any], new: str | Path = "", **labels: Any) -> Any:
        def setup() -> None:
            if new:
                Path(new).unlink(missing_ok=True)
            if not small:
                gc.collect()

        benchmark.extra_info.update(labels, subject=subject)
        return benchmark.pedantic(run, setup=setup, rounds=1)

    return once


@pytest.fixture
def note(benchmark: Any) -> Callable[..., None]:
    """Return a function that adds facts to a measurement, which are no times."""
    return lambda **facts: benchmark.extra_info.update(facts)


@pytest.fixture(scope="session")
def fitted(small: bool, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Return a function from the name of a model to the model, which is fitted once per run."""
    folder = tmp_path_factory.mktemp("fitted")
    names = {name: str(folder / str(number)) for number, name in enumerate(MODELS)}

    def get(name: str) -> Any:
        if Path(names[name]).exists():
            return pickle_load(names[name])
        # Threads that spin while others work make a fit take minutes on a busy machine.
        with threadpool_limits(1):
            obj = MODELS[name].fit(small)
        pickle_dump(obj, names[name])
        return obj

    return get


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder that is emptied when the subject is done: some have gigabytes in it."""
    path = tmp_path_factory.mktemp("files")
    yield path
    for file in path.iterdir():
        file.unlink()


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Say what was measured, and on what."""
    found = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    machine_info["versions"] = {"Python": platform.python_version(), **found}
