"""What becomes of the models of an archive under the installed release: converted, loaded, compared."""

from __future__ import annotations

import io
import lzma
import tarfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

import skopsafe
from tests.golden.sklearn.data import DATA
from tests.golden.sklearn.models import models
from tests.golden.sklearn.outputs import outputs

FOLDER = Path(__file__).parent / "files"
TOLERANCE = 1e-9
"""Relative, of single values; those near zero are compared with the largest one of their array."""

EQUAL, REFUSED, DIFFERENT, ERROR = "equal", "refused", "silently different", "error"

ASKED = {f"sklearn.ensemble._gb.GradientBoosting{task}:init_" for task in ("Classifier", "Regressor")}
"""Names that a file of the installed release asks for, too."""


class Stored(NamedTuple):
    """A model of an archive: its key, the pickle, and the outputs that its own release gave."""

    key: str
    content: bytes
    outputs: dict[str, Any]


class Result(NamedTuple):
    """What became of a model: one of the four outcomes, why, whether there was a warning, and the audit."""

    key: str
    outcome: str
    why: str
    warned: bool
    audit: Any


def releases(folder: Path = FOLDER) -> list[str]:
    """Return the releases of which there is an archive, in order."""
    found = [path.name.removeprefix("sklearn-").removesuffix(".tar.xz") for path in folder.glob("*.tar.xz")]
    return sorted(found, key=lambda release: tuple(map(int, release.split("."))))


def stored(release: str, folder: Path = FOLDER) -> Iterator[Stored]:
    """Read the models of an archive."""
    content = lzma.decompress((folder / f"sklearn-{release}.tar.xz").read_bytes())
    models_of: dict[str, tuple[bytes, dict[str, Any]]] = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            key, _, name = member.name.partition("/")
            opened = archive.extractfile(member)
            assert opened is not None
            data = opened.read()
            if name == "model.pkl":
                models_of[key] = (data, {})
            else:
                models_of[key][1][name.removesuffix(".npy")] = np.load(io.BytesIO(data), allow_pickle=False)
    for key, (data, found) in models_of.items():
        yield Stored(key, data, found)


def data_of(key: str) -> tuple[Any, Any, Any]:
    """Return what a model was fitted on, and what it is asked about."""
    found = _data()
    # A model of a sweep is fitted on what its class is.
    return DATA[found.get(key, found[key.partition(" ")[0]])]


def _data(found: dict[str, str] = {}) -> dict[str, str]:  # noqa: B006  # worked out once
    if not found:
        from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
        from sklearn.utils import all_estimators

        found.update((model.key, model.data) for model in models(dict(all_estimators())))
    return found


def converted(content: bytes) -> bytes:
    """Return a pickle as a file of ours."""
    out = io.BytesIO()
    skopsafe.convert(io.BytesIO(content), out)
    return out.getvalue()


def difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Say in what outputs differ; "" where they do not."""
    for name, expected in old.items():
        if name not in new:
            failed = new.get(f"{name.partition('.')[0]} failed", "is missing")
            return f"{name}: {failed}"
        found = new[name]
        if found.shape != expected.shape:
            return f"{name}: shape {expected.shape} became {found.shape}"
        if expected.dtype.kind in "fc":
            finite = np.isfinite(expected)
            largest = float(np.abs(expected[finite]).max(initial=0.0)) if finite.any() else 0.0
            fits = np.allclose(found, expected, TOLERANCE, 1e-3 * TOLERANCE * largest, equal_nan=True)
        else:
            fits = np.array_equal(found, expected)
        if not fits:
            return f"{name}: {expected.ravel()[:3]} became {found.ravel()[:3]}"
    return ""


def outcome(model: Stored) -> Result:
    """Convert, load and compare a model."""
    audit = None
    try:
        data = converted(model.content)
        audit = skopsafe.audit(data)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded = skopsafe.loads(data, trusted=audit.untrusted)
        warned = any(issubclass(item.category, skopsafe.VersionSkewWarning) for item in caught)
    except skopsafe.SkopsafeError as error:
        kind = REFUSED if getattr(audit, "refused", "") else ERROR
        return Result(model.key, kind, f"{type(error).__name__}: {error}", False, audit)
    if not ASKED.issuperset(audit.untrusted):
        return Result(model.key, ERROR, f"to approve: {audit.untrusted}", warned, audit)
    try:
        repr(loaded)
        clone(loaded)
        found = {}
        if model.outputs:
            X, y, T = data_of(model.key)
            found = outputs(loaded, T, list(model.outputs), (X, y))
    except Exception as error:
        return Result(model.key, ERROR, f"{type(error).__name__}: {error}", warned, audit)
    why = difference(model.outputs, found)
    if not why:
        return Result(model.key, EQUAL, "", warned, audit)
    return Result(model.key, ERROR if " failed" in str(found.keys()) else DIFFERENT, why, warned, audit)


def main(folder: str, *only: str) -> None:
    """Print a table of all releases, and what is not equal."""
    for release in only or releases(Path(folder)):
        counts = dict.fromkeys((EQUAL, REFUSED, DIFFERENT, ERROR, "warned"), 0)
        for model in stored(release, Path(folder)):
            result = outcome(model)
            counts[result.outcome] += 1
            counts["warned"] += result.warned
            if result.outcome != EQUAL:
                print(f"{release} {result.outcome:9} {result.key}: {result.why[:220]!r}", flush=True)
        print(release, counts, flush=True)


if __name__ == "__main__":
    import sys

    main(*sys.argv[1:])
