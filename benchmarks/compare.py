"""Speed of dump, load and audit against joblib, C pickle and skops: one table of ratios.

Run as ``python benchmarks/compare.py [--smoke] [--rounds N] [--only WORD]``.

Every measurement is file to file. A dump makes a new file: replacing an old one is atomic here and not
elsewhere, and what that costs is the file system's doing. The libraries take turns within a round, so that
a slow moment of the machine falls on all of them, and the best of all rounds counts. A ratio is the time
of the other library over that of skopsafe: above 1 means that skopsafe is faster.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import pickle
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
import skops.io
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import skopsafe

OTHERS = ("joblib", "pickle", "skops")


def models(smoke: bool) -> dict[str, Callable[[], Any]]:
    """Return the nine models by name, each as a function that fits it; small ones for a smoke test."""

    def data(samples: int, features: int = 20) -> tuple[Any, Any]:
        samples = min(samples, 200) if smoke else samples
        return make_classification(samples, features, n_informative=10, random_state=0)

    def size(full: int, small: int) -> int:
        return small if smoke else full

    def neighbours() -> Any:
        samples = size(500_000, 500)
        X = np.random.default_rng(0).normal(size=(samples, 50))
        # Brute force keeps the samples alone, so that the arrays decide and not the tree.
        return KNeighborsClassifier(algorithm="brute").fit(X, np.arange(samples) % 3)

    def text() -> Any:
        words = np.array([f"word{number}" for number in range(size(100_000, 200))])
        order = np.random.default_rng(0).permutation(len(words) * 2) % len(words)
        texts = [" ".join(part) for part in np.array_split(words[order], size(2000, 20))]
        return make_pipeline(TfidfVectorizer(), SGDClassifier(random_state=0)).fit(
            texts, np.arange(len(texts)) % 2
        )

    def hidden() -> Any:
        layers = (size(512, 8),) * 2
        return MLPClassifier(layers, max_iter=3, random_state=0).fit(*data(1000))

    forest = RandomForestClassifier
    trees, rounds = size(1000, 20), size(300, 10)
    return {
        "logistic-regression pipeline": lambda: make_pipeline(StandardScaler(), LogisticRegression()).fit(
            *data(1000)
        ),
        "RandomForest, 100 trees": lambda: forest(size(100, 10), random_state=0, n_jobs=-1).fit(*data(5000)),
        "RandomForest, 1000 trees, depth 6": lambda: forest(
            trees, max_depth=6, random_state=0, n_jobs=-1
        ).fit(*data(5000)),
        "HistGradientBoosting, 300 it.": lambda: HistGradientBoostingClassifier(
            max_iter=rounds, early_stopping=False, random_state=0
        ).fit(*data(5000)),
        "GradientBoosting, 300": lambda: GradientBoostingClassifier(n_estimators=rounds, random_state=0).fit(
            *data(2000)
        ),
        "KNN, 500k x 50": neighbours,
        "tf-idf, 100k words, + SGD": text,
        "MLP 512 x 512": hidden,
        "GridSearchCV over SVC": lambda: GridSearchCV(
            SVC(), {"C": [0.1, 1, 10], "gamma": ["scale", "auto"]}, cv=3
        ).fit(*data(500)),
    }


def _pickle_dump(obj: Any, path: str) -> None:
    with open(path, "wb") as file:
        pickle.dump(obj, file, protocol=5)


def _pickle_load(path: str) -> Any:
    with open(path, "rb") as file:
        return pickle.load(file)


def jobs(model: Any, folder: str) -> dict[tuple[str, str], Callable[[], Any]]:
    """Return what to time, by (verb, library). The files exist when this returns."""
    path = {name: os.path.join(folder, name) for name in ("skopsafe", *OTHERS)}
    out: dict[tuple[str, str], Callable[[], Any]] = {
        ("dump", "skopsafe"): lambda: skopsafe.dump(model, path["skopsafe"]),
        ("dump", "joblib"): lambda: joblib.dump(model, path["joblib"]),
        ("dump", "pickle"): lambda: _pickle_dump(model, path["pickle"]),
        ("dump", "skops"): lambda: skops.io.dump(model, path["skops"]),
    }
    for run in out.values():
        run()
    ours = skopsafe.get_untrusted_types(path["skopsafe"])
    theirs = skops.io.get_untrusted_types(file=path["skops"])
    out |= {
        ("load", "skopsafe"): lambda: skopsafe.load(path["skopsafe"], ours),
        ("load", "joblib"): lambda: joblib.load(path["joblib"]),
        ("load", "pickle"): lambda: _pickle_load(path["pickle"]),
        ("load", "skops"): lambda: skops.io.load(path["skops"], trusted=theirs),
        ("audit", "skopsafe"): lambda: skopsafe.audit(path["skopsafe"]),
        ("audit", "skops"): lambda: skops.io.get_untrusted_types(file=path["skops"]),
    }
    return out


def measure(
    todo: dict[tuple[str, str], Callable[[], Any]], folder: str, rounds: int
) -> dict[tuple[str, str], float]:
    """Return the best time of each job in seconds."""
    best = dict.fromkeys(todo, math.inf)
    for _ in range(rounds):
        for key, run in todo.items():
            if key[0] == "dump":
                os.unlink(os.path.join(folder, key[1]))
            gc.collect()
            start = time.perf_counter()
            result = run()
            best[key] = min(best[key], time.perf_counter() - start)
            del result
    return best


COLUMNS = [
    (verb, other)
    for verb in ("dump", "load", "audit")
    for other in OTHERS
    if verb != "audit" or other == "skops"
]


def import_time() -> float:
    """Return the best of five times, in seconds, that the package and its functions need beside numpy."""
    code = (
        "import time, numpy; start = time.perf_counter(); import skopsafe; skopsafe.load;"
        "print(time.perf_counter() - start)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True) for _ in range(5)]
    return min(float(run.stdout) for run in runs)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="small models and one round: does it run?")
    parser.add_argument("--rounds", type=int, default=None, help="rounds; the best counts (default: 7)")
    parser.add_argument("--only", default="", help="only models with this word in their name")
    options = parser.parse_args()
    rounds = options.rounds or (1 if options.smoke else 7)
    warnings.simplefilter("ignore")

    print(f"times of skopsafe in ms, then ratios to it (above 1: skopsafe is faster); best of {rounds}")
    heads = [f"{verb}/{other}" for verb, other in COLUMNS]
    width = max(map(len, heads)) + 1
    head = "".join(f"{text:>{width}}" for text in ("dump ms", "load ms", "audit ms", *heads, "size/joblib"))
    print(f"{'model':34}{head}")
    ratios: dict[tuple[str, str], list[float]] = {column: [] for column in COLUMNS}
    for name, fit in models(options.smoke).items():
        if options.only.lower() not in name.lower():
            continue
        with tempfile.TemporaryDirectory() as folder:
            best = measure(jobs(fit(), folder), folder, rounds)
            sizes = [os.path.getsize(os.path.join(folder, library)) for library in ("skopsafe", "joblib")]
        cells = [f"{best[verb, 'skopsafe'] * 1000:.2f}" for verb in ("dump", "load", "audit")]
        for verb, other in COLUMNS:
            ratios[verb, other].append(best[verb, other] / best[verb, "skopsafe"])
            cells.append(f"{ratios[verb, other][-1]:.2f}")
        cells.append(f"{sizes[0] / sizes[1]:.2f}")
        print(f"{name:34}" + "".join(f"{cell:>{width}}" for cell in cells), flush=True)
    means = [math.exp(np.mean(np.log(found))) for found in ratios.values() if found]
    print(f"{'geometric mean':34}" + " " * (3 * width) + "".join(f"{mean:>{width}.2f}" for mean in means))
    print(f"import skopsafe above import numpy: {import_time() * 1000:.0f} ms")


if __name__ == "__main__":
    main()
