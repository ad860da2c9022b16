"""What pickles are made of that are changed at random, and how they are written."""

from __future__ import annotations

import bz2
import functools
import gzip
import importlib
import io
import pickle
import random
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import dill
import joblib
import numpy as np

from tests.attacks.fuzz import FAMILIES
from tests.corpus import benign
from tests.corpus.malicious import MALICIOUS
from tests.handlers.test_arrow import ARRAYS

GOLDEN = Path(__file__).parent.parent / "golden/joblib"
BESIDE = tuple(sorted(f"{path.parent.name}/{path.name}" for path in GOLDEN.glob("*/*.pkl")))


def _joblib(obj: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    joblib.dump(obj, out, **options)
    return out.getvalue()


def _npy(obj: Any) -> bytes:
    out = io.BytesIO()
    held = np.empty(1, object)
    held[0] = obj
    np.save(out, held)
    return out.getvalue()


WRITERS: dict[str, Callable[[Any], bytes]] = {
    **{f"p{n}": functools.partial(pickle.dumps, protocol=n) for n in range(pickle.HIGHEST_PROTOCOL + 1)},
    "joblib": _joblib,
    "joblib again": _joblib,
    "joblib 2": functools.partial(_joblib, protocol=2),
    "cloudpickle": cloudpickle.dumps,
    "dill": dill.dumps,
    "npy": _npy,
}


def _zip(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", data)
    return out.getvalue()


WRAPPINGS: tuple[Callable[[bytes], bytes], ...] = (
    *(bytes,) * 20,
    *(zlib.compress, functools.partial(gzip.compress, mtime=0), bz2.compress, _zip),
)
"""What is done to a pickle once it is changed: mostly nothing."""

Use = Callable[[Any, Any], Any]


def _families() -> dict[str, Any]:
    return {name: importlib.import_module(module) for name, module in FAMILIES.items()}


def _plain(obj: Any, _: Any) -> Any:
    """Use an object that is no estimator: show it, copy it, go through what it holds."""
    return [repr(obj), pickle.dumps(obj), list(obj)[:100] if hasattr(obj, "__iter__") else None]


@functools.cache
def _objects() -> dict[str, Any]:
    found: dict[str, Any] = {}
    frame = pickle.loads((GOLDEN.parent / "polars/1.32.0.pkl").read_bytes())
    polars = {"frame": frame, **{column.name: column for column in frame}}
    kinds = (("plain", benign.plain()), ("pandas", benign.frames()), ("arrow", ARRAYS.items()))
    for kind, source in (*kinds, ("polars", polars.items())):
        found |= {f"{kind} {name}": obj for name, obj in source if name != "large array"}
    return found


def names() -> list[str]:
    """Return the names of all subjects, in an order in which kinds are mixed."""
    found = [f"{family} {name}" for family, module in _families().items() for name in module.MODELS]
    found += [*_objects(), *(f"malicious {sample.name}" for sample in MALICIOUS[::10])]
    found += [f"beside {name}" for name in BESIDE] * 3
    random.Random("order").shuffle(found)
    return found


def made(name: str) -> tuple[Any, Any, Use]:
    """Return an object, valid input for it, and what uses it; for a malicious sample, its bytes."""
    kind, _, rest = name.partition(" ")
    if kind == "malicious":
        return (
            next(sample.make("no-such-folder/marker") for sample in MALICIOUS if sample.name == rest),
            None,
            _plain,
        )
    if kind == "beside":
        return (GOLDEN / rest).read_bytes(), None, _plain
    if kind in FAMILIES:
        module = _families()[kind]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, X = module.MODELS[rest]()
        return model, X, module.outputs
    return _objects()[name], None, _plain


def written(name: str, obj: Any, rng: random.Random) -> bytes:
    """Return the bytes of a subject, by a writer that takes it."""
    if isinstance(obj, bytes) and name.partition(" ")[0] in ("malicious", "beside"):
        return obj
    writers = [write for write in WRITERS.values() if write is not dill.dumps or rng.random() < 0.2]
    rng.shuffle(writers)
    for write in writers:
        try:
            return write(obj)
        except Exception:
            continue
    raise AssertionError(f"nothing writes {name}")


@functools.cache
def donors() -> list[bytes]:
    """Return objects as opcodes that push them, without a memo."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier

    X = np.arange(12.0).reshape(6, 2)
    fits = [DecisionTreeClassifier().fit(X, [0, 1] * 3), LogisticRegression().fit(X, [0, 1] * 3)]
    found = []
    for obj in (*_objects().values(), *fits, X, np.asfortranarray(X), X[:0], np.array(1.5), {"a": X}, [X, X]):
        out = io.BytesIO()
        pickler = pickle.Pickler(out, 2)
        pickler.fast = True
        try:
            pickler.dump(obj)
        except (TypeError, pickle.PicklingError, AttributeError, ValueError):
            continue
        found.append(out.getvalue()[2:-1])
    return found
