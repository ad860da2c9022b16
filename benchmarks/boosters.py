"""Boosters: dump and load beside the library's own save and load of the same model, and the cost of checks.

Run as ``python benchmarks/boosters.py [--smoke] [--rounds N]``. Every measurement is file to file, the best
of all rounds, taken in turns. A ratio is the time of skopsafe over that of the library: 1.5 means half as
long again. *validation* is the time that our own reader takes for the model before the library sees it; the
ratios marked *w/o* leave it out, as dump and load both do it once. *own bytes* is the library's save to
memory, as pickle does it: LightGBM needs twice as long for that as for a file, and has no other way to hand
out its text. A dump makes a new file each time, as in ``compare.py``.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import make_classification

import skopsafe
from skopsafe.handlers.registry import default


@dataclass(frozen=True, slots=True)
class Case:
    """One model and how its library saves and loads it.

    Attributes
    ----------
    model : object
        An estimator or a Booster.
    save, load : callable
        The library's own, to and from a path.
    save_bytes : callable
        The library's own, to memory.
    validate : callable
        Our reader of its model, alone.
    """

    model: Any
    save: Callable[[str], Any]
    load: Callable[[str], Any]
    save_bytes: Callable[[], Any]
    validate: Callable[[], Any]


def _blob(obj: Any) -> Any:
    """Return the bytes that the getter takes out of a booster."""
    handler = default().by_type(type(obj))
    assert handler is not None
    parts = handler.get(obj)
    return next(value.array for value in parts.values if hasattr(value, "array"))


def xgboost(X: Any, y: Any, rounds: int) -> Case:
    """500 trees of depth 6."""
    from xgboost import Booster, XGBClassifier

    from skopsafe.handlers.xgboost.booster import examine

    booster = XGBClassifier(n_estimators=rounds, max_depth=6, n_jobs=2).fit(X, y).get_booster()
    blob = _blob(booster).tobytes()
    return Case(
        booster,
        lambda path: booster.save_model(path + ".ubj"),
        lambda path: Booster(model_file=path + ".ubj"),
        booster.__getstate__,
        lambda: examine(blob),
    )


def lightgbm(X: Any, y: Any, rounds: int) -> Case:
    """500 trees of 31 leaves."""
    from lightgbm import Booster, LGBMClassifier

    from skopsafe.handlers.lightgbm import text

    booster = LGBMClassifier(n_estimators=rounds, n_jobs=2, verbose=-1).fit(X, y).booster_
    blob = _blob(booster).tobytes()
    return Case(
        booster,
        booster.save_model,
        lambda path: Booster(model_file=path),
        lambda: booster.model_to_string(num_iteration=-1),
        lambda: text.read(blob),
    )


def catboost(X: Any, y: Any, rounds: int) -> Case:
    """500 symmetric trees of depth 6."""
    from catboost import CatBoostClassifier

    from skopsafe.handlers.catboost.check import check_model

    model = CatBoostClassifier(rounds, depth=6, thread_count=2, verbose=False, allow_writing_files=False)
    model.fit(X, y)
    blob = _blob(model).tobytes()
    return Case(
        model,
        model.save_model,
        lambda path: CatBoostClassifier().load_model(path),
        model.__getstate__,
        lambda: check_model(blob),
    )


def measure(case: Case, folder: str, rounds: int) -> dict[str, float]:
    """Return the best time of each job in seconds."""
    ours, own = os.path.join(folder, "ours"), os.path.join(folder, "own")
    jobs: dict[str, Callable[[], Any]] = {
        "own save": lambda: case.save(own),
        "own bytes": case.save_bytes,
        "dump": lambda: skopsafe.dump(case.model, ours),
        "own load": lambda: case.load(own),
        "load": lambda: skopsafe.load(ours),
        "audit": lambda: skopsafe.audit(ours),
        "validation": case.validate,
    }
    best = dict.fromkeys(jobs, math.inf)
    for _ in range(rounds):
        for name, run in jobs.items():
            if name == "dump" and os.path.exists(ours):
                os.unlink(ours)
            gc.collect()
            start = time.perf_counter()
            result = run()
            best[name] = min(best[name], time.perf_counter() - start)
            del result
    return best


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="small models and one round: does it run?")
    parser.add_argument("--rounds", type=int, default=None, help="rounds; the best counts (default: 15)")
    options = parser.parse_args()
    rounds = options.rounds or (1 if options.smoke else 15)
    warnings.simplefilter("ignore")
    X, y = make_classification(200 if options.smoke else 5000, 20, n_informative=10, random_state=0)
    X = X.astype(np.float32)

    heads = ("own save", "own bytes", "dump", "own load", "load", "validation", "audit")
    ratios = {
        "dump/own": ("dump", "own save"),
        "dump/bytes": ("dump", "own bytes"),
        "load/own": ("load", "own load"),
    }
    more = (*ratios, *(f"{name} w/o" for name in ratios), "size/own", "own KB")
    print(
        f"times in ms, then ratios of skopsafe to the library, with validation and without; best of {rounds}"
    )
    print(f"{'library':10}" + "".join(f"{head:>15}" for head in (*heads, *more)))
    for make in (xgboost, lightgbm, catboost):
        case = make(X, y, 20 if options.smoke else 500)
        with tempfile.TemporaryDirectory() as folder:
            best = measure(case, folder, rounds)
            own = next(os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("own"))
            sizes = os.path.getsize(os.path.join(folder, "ours")), os.path.getsize(own)
        cells = [f"{best[head] * 1000:.2f}" for head in heads]
        for less in (0, best["validation"]):
            cells += [f"{(best[one] - less) / best[other]:.2f}" for one, other in ratios.values()]
        cells += [f"{sizes[0] / sizes[1]:.3f}", f"{sizes[1] / 1000:.0f}"]
        print(f"{make.__name__:10}" + "".join(f"{cell:>15}" for cell in cells), flush=True)


if __name__ == "__main__":
    sys.exit(main())
