"""What all models are fitted on, and asked about: made alike under every release."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

N_TRAIN, N_TEST, N_FEATURES = 40, 6, 4


def _numbers(seed: int, *shape: int) -> Any:
    """Return floats that every release of numpy makes alike, and that are short in a file."""
    return np.random.RandomState(seed).randint(-4096, 4096, shape) / 1024.0


X, T = _numbers(0, N_TRAIN, N_FEATURES), _numbers(1, N_TEST, N_FEATURES)
_SUM = X[:, 0] + 2 * X[:, 1] - X[:, 2]
NUMBERS = _SUM + _numbers(2, N_TRAIN) / 8
TWO_NUMBERS = np.column_stack([NUMBERS, X[:, 3] - X[:, 0]])
BINARY = (NUMBERS > 0).astype(int)
THREE = np.array(["a", "b", "c"])[np.digitize(NUMBERS, [-3.0, 3.0])]
TWO_CLASSES = np.column_stack([BINARY, np.digitize(X[:, 3], [-1.0, 1.0])])
LABELS = (TWO_NUMBERS > 0).astype(int)
HOLES, HOLES_T = X.copy(), T.copy()
HOLES[::5, 1] = HOLES_T[1, 1] = HOLES_T[3, 0] = np.nan
EMPTY = HOLES.copy()
EMPTY[:, 2] = np.nan
CATEGORIES = np.column_stack(
    [np.digitize(X[:, 0], [-2, 0, 2]), np.digitize(X[:, 1], [-1, 1]), np.abs(X[:, 2])]
)
CATEGORIES_T = np.column_stack(
    [np.digitize(T[:, 0], [-2, 0, 2]), np.digitize(T[:, 1], [-1, 1]), np.abs(T[:, 2])]
)
SPARSE, SPARSE_T = (sparse.csr_matrix(np.where(np.abs(part) > 1.5, part, 0.0)) for part in (X, T))
COUNTS, COUNTS_T = np.abs(np.round(X * 2)), np.abs(np.round(T * 2))
TEXT = ["one two three", "two three four", "five six", "one five six seven"] * 3
WORDS = np.array([["red", "s"], ["green", "m"], ["blue", "l"], ["red", "m"]] * 5, object)
WEIGHTS = 1 + np.arange(N_TRAIN) % 3

DATA: dict[str, tuple[Any, Any, Any]] = {
    "numbers": (X, NUMBERS, T),
    "two numbers": (X, TWO_NUMBERS, T),
    "positive": (X, np.abs(NUMBERS) + 1, T),
    "binary": (X, BINARY, T),
    "three": (X, THREE, T),
    "two classes": (X, TWO_CLASSES, T),
    "labels": (X, LABELS, T),
    "none": (X, None, T),
    "counts": (COUNTS, THREE, COUNTS_T),
    "holes": (HOLES, None, HOLES_T),
    "holes three": (HOLES, THREE, HOLES_T),
    "holes numbers": (HOLES, NUMBERS, HOLES_T),
    "categories": (CATEGORIES, THREE, CATEGORIES_T),
    "categories numbers": (CATEGORIES, NUMBERS, CATEGORIES_T),
    "sparse": (SPARSE, THREE, SPARSE_T),
    "sparse binary": (SPARSE, BINARY, SPARSE_T),
    "sparse numbers": (SPARSE, NUMBERS, SPARSE_T),
    "sparse none": (SPARSE, None, SPARSE_T),
    "sparse counts": (sparse.csr_matrix(COUNTS), None, sparse.csr_matrix(COUNTS_T)),
    "unit": (np.clip(np.abs(X) / 4, 0, 1), None, np.clip(np.abs(T) / 4, 0, 1)),
    "text": (TEXT, None, ["two five", "one one seven", ""]),
    "words": (WORDS, None, WORDS[:3]),
    "words numbers": (WORDS, NUMBERS[:20], WORDS[:3]),
    "words three": (WORDS, np.array(["a", "b", "c", "b"] * 5), WORDS[:3]),
    "words binary": (WORDS, np.array([0, 1] * 10), WORDS[:3]),
    "dicts": ([{"a": 1.0, "b": "x"}, {"a": 2.0, "c": 3.0}] * 4, None, [{"a": 4.0, "b": "x"}]),
    "hashes": ([{"a": 1.0, "b": 2.0}, {"a": 2.0, "c": 3.0}] * 4, None, [{"a": 4.0, "b": 1.0}]),
    "column": (X[:, 0], NUMBERS, T[:, 0]),
    "targets": (np.array([0, 1, 2, 1] * 4), None, np.array([2, 1])),
    "target words": (np.array(["a", "b", "c", "b"] * 4), None, np.array(["c", "a"])),
    "sets": ([(0, 1), (2,), (1, 2)] * 4, None, [(0,), (1, 2)]),
    "images": (_numbers(3, 2, 6, 6), None, _numbers(4, 1, 6, 6)),
    "empty": (EMPTY, None, HOLES_T),
    "square": (X @ X.T, None, T @ X.T),
    "partly known": (X, np.where(np.arange(N_TRAIN) % 3, np.digitize(NUMBERS, [0.0]), -1), T),
}


def _frame(values: Any) -> Any:
    names = np.array(["x", "y", "z"], object)[np.digitize(values[:, 2], [-1.0, 1.0])]
    return pd.DataFrame({"a": values[:, 0], "b": values[:, 1], "c": names, "d": values[:, 3]})


DATA["frame"] = (_frame(X), THREE, _frame(T))
DATA["numbers frame"] = (_frame(X)[["a", "b"]], NUMBERS, _frame(T)[["a", "b"]])
