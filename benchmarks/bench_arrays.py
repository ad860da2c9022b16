"""What must not depend on the size of arrays: an audit, and a load that maps them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier

import skopsafe
from benchmarks import probe
from benchmarks.conftest import Measure, turns
from benchmarks.models import arrays

AUDITED = (10**7, 10**9)
MAPPED = (2 * 10**8, 2 * 10**9)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Order the calls."""
    is_smoke = metafunc.config.getoption("smoke")
    jobs = [("audit", "skopsafe", size) for size in AUDITED]
    jobs += [
        (verb, library, size)
        for verb in ("load", "predict")
        for library in SAVE
        for size in MAPPED[: 1 if is_smoke else 2]
    ]
    metafunc.parametrize(("turn", "verb", "library", "content"), turns(metafunc, jobs, 7))


SAVE: dict[str, Callable[[Any, Path], Any]] = {"skopsafe": skopsafe.dump, "joblib": joblib.dump}
LOAD: dict[str, Callable[..., Any]] = {"skopsafe": skopsafe.load, "joblib": joblib.load}


def hashed(content: int) -> Any:
    """Return a classifier of hashed words: for one text, it needs a few of its coefficients."""
    width = 2**20
    model = SGDClassifier(random_state=0).fit(np.eye(2), [0, 1])
    model.n_features_in_ = max(width, content // 8)
    model.coef_ = np.random.default_rng(0).normal(size=(1, model.n_features_in_))
    return model


@pytest.fixture(scope="module")
def files(folder: Path, small: bool) -> Callable[[str, str, int], Path]:
    """Return a function that gives the file of a model with so many bytes of arrays."""

    def get(verb: str, library: str, content: int) -> Path:
        kind = "hashed" if verb == "predict" else "neighbours"
        path = folder / f"{kind}-{library}-{content}"
        if not path.exists():
            less = content // 1000 if small else content
            SAVE[library](hashed(less) if verb == "predict" else arrays(less), path)
        return path

    return get


def bench_arrays(
    verb: str,
    library: str,
    content: int,
    turn: int,
    small: bool,
    files: Callable[[str, str, int], Path],
    measure: Measure,
    note: Callable[..., None],
) -> None:
    """Time one call; of the prediction, the memory is what counts, and a fresh process knows it."""
    path = files(verb, library, content)
    labels: dict[str, Any] = {
        "case": str(content // 1000 if small else content),
        "verb": verb,
        "library": library,
    }
    if verb == "audit":
        measure(lambda: skopsafe.audit(path), **labels)
    elif verb == "load":
        measure(lambda: LOAD[library](path, mmap_mode="r"), **labels)
    else:
        note(**measure(lambda: probe.ask("mapped", library, path), **labels))
