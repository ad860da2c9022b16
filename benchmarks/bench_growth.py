"""Growth: the same kind of object at sizes that differ a hundredfold and more."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer

import skopsafe
from benchmarks.conftest import Measure, turns
from benchmarks.models import data, texts

MODULE = "benchmarks_growth_types"
"""A module that is only in memory, for classes that are made when they are needed."""


@functools.cache
def _largest_forest(trees: int) -> Any:
    return RandomForestClassifier(trees, max_depth=4, random_state=0, n_jobs=-1).fit(*data(False, 500))


def trees(count: int, most: int) -> Any:
    """Return a forest of so many trees: the first of the largest forest."""
    largest = _largest_forest(most)
    forest = RandomForestClassifier()
    forest.__dict__.update(vars(largest), n_estimators=count, estimators_=largest.estimators_[:count])
    return forest


def words(count: int, _: int) -> Any:
    """Return a vectorizer that knows so many words."""
    return CountVectorizer().fit(texts(count, 100))


def depth(count: int, _: int) -> Any:
    """Return lists in each other."""
    return functools.reduce(lambda inner, _: [inner], range(count), [])


def classes(count: int, _: int) -> Any:
    """Return instances of so many classes."""
    module = sys.modules.setdefault(MODULE, types.ModuleType(MODULE))
    out = []
    for number in range(count):
        name = f"Class{number}"
        if not hasattr(module, name):
            cls = dataclasses.make_dataclass(name, ["first", "second"], namespace={"__module__": MODULE})
            cls.__module__ = MODULE
            setattr(module, name, cls)
        out.append(getattr(module, name)(number, str(number)))
    return out


def small_arrays(count: int, _: int) -> Any:
    """Return a list of small arrays."""
    return list(np.arange(count * 8, dtype=np.float64).reshape(count, 8).copy())


KINDS: dict[str, tuple[Callable[[int, int], Any], tuple[int, ...]]] = {
    "trees of a forest": (trees, (100, 300, 1000, 3000, 10_000)),
    "words of a vocabulary": (words, (10_000, 30_000, 100_000, 300_000, 1_000_000)),
    "depth of nested lists": (depth, (1000, 3000, 10_000, 30_000, 100_000)),
    "classes": (classes, (30, 100, 300, 1000, 3000)),
    "small arrays": (small_arrays, (1000, 3000, 10_000, 30_000, 100_000)),
}
VERBS = ("dump", "load", "audit")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Order the calls: kind by kind, the sizes in turn."""
    rows = []
    for kind, (_, sizes) in KINDS.items():
        jobs = [(kind, verb, size) for size, verb in itertools.product(sizes, VERBS)]
        rows += turns(metafunc, jobs, 5)
    metafunc.parametrize(("turn", "kind", "verb", "count"), rows)


def actual(size: int, small: bool) -> int:
    """Return a size, or a smaller one."""
    return max(1, size // 30) if small else size


@pytest.fixture(scope="module")
def objects(small: bool) -> Callable[[str], dict[int, Any]]:
    """Return a function from a kind to its objects by size, of which only the last are kept."""

    @functools.lru_cache(1)
    def get(kind: str) -> dict[int, Any]:
        make, sizes = KINDS[kind]
        _largest_forest.cache_clear()
        return {size: make(actual(size, small), actual(sizes[-1], small)) for size in sizes}

    return get


def bench_growth(
    kind: str,
    verb: str,
    count: int,
    turn: int,
    small: bool,
    objects: Callable[[str], dict[int, Any]],
    folder: Path,
    measure: Measure,
    note: Callable[..., None],
) -> None:
    """Time one call."""
    obj, path = objects(kind)[count], folder / f"{kind}-{count}"
    labels: dict[str, Any] = {"case": f"{kind} {count}", "verb": verb, "library": "skopsafe"}
    if verb == "dump":
        measure(lambda: skopsafe.dump(obj, path), path, **labels)
    elif verb == "load":
        approved = skopsafe.get_untrusted_types(path)
        measure(lambda: skopsafe.load(path, approved), **labels)
    else:
        measure(lambda: skopsafe.audit(path), **labels)
    note(kind=kind, size=actual(count, small))
