"""What only a fresh process can tell: how much memory a call takes, and how much of a mapped file is read.

Run as ``python -m benchmarks.probe WHAT LIBRARY PATH``; prints one JSON object. Linux only: it reads and
resets the high-water mark of the memory in ``/proc/self``.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def ask(what: str, library: str, path: str | Path) -> dict[str, int]:
    """Run this module in a fresh process and return what it found."""
    command = [sys.executable, "-m", "benchmarks.probe", what, library, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def _memory(field: str) -> int:
    """Return ``VmRSS``, which is resident now, or ``VmHWM``, the most there was, in bytes."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {field} in /proc/self/status")


def _reset() -> int:
    """Forget the high-water mark; return what is resident."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return _memory("VmRSS")


def _dump(library: str, obj: Any, path: str) -> None:
    if library == "skopsafe":
        import skopsafe

        skopsafe.dump(obj, path)
    elif library == "joblib":
        import joblib

        joblib.dump(obj, path)
    else:
        import pickle

        with open(path, "wb") as file:
            pickle.dump(obj, file, protocol=5)


def _load(library: str, path: str, **how: Any) -> Any:
    if library == "skopsafe":
        import skopsafe

        return skopsafe.load(path, **how)
    if library == "joblib":
        import joblib

        return joblib.load(path, **how)
    import pickle

    with open(path, "rb") as file:
        return pickle.load(file)


def _warm(library: str, path: str) -> None:
    """Import what is imported at the first call, with a model that is as good as empty."""
    # The memory of modules is not that of the model.
    import sklearn.ensemble
    import sklearn.neighbors
    import sklearn.pipeline

    small = f"{path}.{os.getpid()}"
    _dump(
        library, sklearn.neighbors.KNeighborsClassifier(algorithm="brute").fit([[0.0], [1.0]], [0, 1]), small
    )
    _load(library, small)
    os.unlink(small)


def dump(library: str, path: str) -> dict[str, int]:
    """Memory that a dump takes beside the model, which is a pickle at `path`."""
    _warm(library, path)
    obj = _load("pickle", path)
    before = _reset()
    _dump(library, obj, f"{path}.{library}.out")
    most = _memory("VmHWM")
    os.unlink(f"{path}.{library}.out")
    return {"peak": max(0, most - before)}


def load(library: str, path: str) -> dict[str, int]:
    """Memory that a load takes, and what of it stays."""
    _warm(library, path)
    before = _reset()
    obj = _load(library, path)
    most = _memory("VmHWM")
    gc.collect()
    after = _memory("VmRSS")
    del obj
    return {"peak": most - before, "kept": after - before}


def mapped(library: str, path: str) -> dict[str, int]:
    """Memory, and page faults, of a mapped load and of the first prediction for one text."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import SGDClassifier

    _warm(library, path)
    texts = ["a few words of a text"]
    SGDClassifier().fit(X := HashingVectorizer().transform(["", "one"]), [0, 1]).predict(X)
    before = _reset()
    model = _load(library, path, mmap_mode="r")
    loaded = _memory("VmRSS")
    X = HashingVectorizer(n_features=model.n_features_in_).transform(texts)
    middle, faults = _memory("VmRSS"), _faults()
    model.predict(X)
    return {
        "load": max(0, loaded - before),
        "predict": max(0, _memory("VmRSS") - middle),
        "faults": _faults() - faults,
    }


def _faults() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_minflt + usage.ru_majflt


if __name__ == "__main__":
    what = {"dump": dump, "load": load, "mapped": mapped}[sys.argv[1]]
    print(json.dumps(what(*sys.argv[2:])))
