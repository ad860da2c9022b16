"""Compression: size, and time of dump and load, beside what joblib has."""

from __future__ import annotations

import functools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest

import skopsafe
from benchmarks.conftest import Measure, turns
from benchmarks.models import arrays

LARGE = "KNN, 50k x 50"
"""A tenth of that of the table: the slowest codec takes a minute for that."""
MEASURED = (
    "RandomForest, 100 trees",
    "HistGradientBoosting, 300 iterations",
    "MLP, 512 x 512",
    LARGE,
)
Save = Callable[[Any, Path], Any]
CODECS: dict[str, Save] = {
    "skopsafe, stored": skopsafe.dump,
    "skopsafe, deflate 1": functools.partial(
        skopsafe.dump, compression=zipfile.ZIP_DEFLATED, compresslevel=1
    ),
    "skopsafe, deflate 6": functools.partial(
        skopsafe.dump, compression=zipfile.ZIP_DEFLATED, compresslevel=6
    ),
    "skopsafe, zstd": functools.partial(skopsafe.dump, compression="zstd"),
    "joblib, stored": joblib.dump,
    "joblib, lz4": functools.partial(joblib.dump, compress=("lz4", 1)),
    "joblib, zlib 3": functools.partial(joblib.dump, compress=("zlib", 3)),
    "joblib, xz 3": functools.partial(joblib.dump, compress=("xz", 3)),
}


@functools.cache
def is_there(codec: str) -> bool:
    """Tell whether what is installed has a codec."""
    import io

    try:
        CODECS[codec]([1], io.BytesIO())  # type: ignore[arg-type]
    except (skopsafe.SkopsafeError, ImportError, TypeError, ValueError):
        return False
    return True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Order the calls."""
    codecs = list(filter(is_there, CODECS))
    rows = []
    for name in MEASURED:
        jobs = [(name, verb, codec) for verb in ("dump", "load") for codec in codecs]
        rows += turns(metafunc, jobs, 3 if name == LARGE else 5)
    metafunc.parametrize(("turn", "name", "verb", "codec"), rows)


@pytest.fixture(scope="module")
def kept(fitted: Callable[[str], Any], small: bool) -> Callable[[str], Any]:
    """Return a function from a name to its model, of which only the last is kept."""
    large = 20_000 if small else 20_000_000
    return functools.lru_cache(1)(lambda name: arrays(large) if name == LARGE else fitted(name))


def bench_compression(
    name: str,
    verb: str,
    codec: str,
    turn: int,
    kept: Callable[[str], Any],
    folder: Path,
    measure: Measure,
    note: Callable[..., None],
) -> None:
    """Time one call, and note the size of the file."""
    path, model = folder / f"{name.partition(',')[0]}.{codec}", kept(name)
    labels = {"case": name, "verb": verb, "library": codec}
    if verb == "dump":
        measure(lambda: CODECS[codec](model, path), path, **labels)
    else:
        load = skopsafe.load if codec.startswith("skopsafe") else joblib.load
        measure(lambda: load(path), **labels)
    note(size=path.stat().st_size)
