"""From the start of an interpreter to the first prediction, in fresh processes that take turns."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

import skopsafe
from benchmarks.conftest import Measure, turns
from benchmarks.jobs import pickle_dump
from benchmarks.probe import ROOT

MEASURED = ("logistic-regression pipeline", "RandomForest, 100 trees", "HistGradientBoosting, 300 iterations")
SAVE: dict[str, Callable[[Any, Path], Any]] = {
    "skopsafe": skopsafe.dump,
    "joblib": joblib.dump,
    "pickle": pickle_dump,
}
LOAD = {
    "skopsafe": "import skopsafe; model = skopsafe.load(path)",
    "joblib": "import joblib; model = joblib.load(path)",
    "pickle": "import pickle; model = pickle.load(open(path, 'rb'))",
}
PREDICT = "import numpy; model.predict(numpy.zeros((1, 20)))"
IMPORTS = {
    "numpy": "import numpy",
    "skopsafe": "import numpy, skopsafe; skopsafe.load",
    "joblib": "import numpy, joblib",
    "skops": "import numpy, skops.io",
}
LEAVE = "import os; os._exit(0)"
"""What an interpreter does at its end is not measured."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Order the calls."""
    names = MEASURED[:1] if metafunc.config.getoption("smoke") else MEASURED
    jobs = [(name, library) for name in names for library in LOAD]
    jobs += [("import", library) for library in IMPORTS]
    metafunc.parametrize(("turn", "name", "library"), turns(metafunc, jobs, 9))


def bench_start(
    name: str,
    library: str,
    turn: int,
    fitted: Callable[[str], Any],
    folder: Path,
    measure: Measure,
) -> None:
    """Time one process."""
    if name == "import":
        code = IMPORTS[library]
    else:
        path = folder / f"{name.partition(',')[0]}.{library}"
        if not path.exists():
            model = fitted(name)
            assert np.isfinite(model.predict(np.zeros((1, 20)))).all()
            SAVE[library](model, path)
        code = f"path = {str(path)!r}; {LOAD[library]}; {PREDICT}"
    command = [sys.executable, "-c", f"{code}; {LEAVE}"]
    measure(lambda: subprocess.run(command, cwd=ROOT, check=True), case=name, verb="start", library=library)
