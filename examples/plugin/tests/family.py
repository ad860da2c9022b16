"""Models on which the conformance suite runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from codebook import Codebook, Settings


def _data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 120)
    return rng.normal(size=(120, 4)) + 3 * y[:, None], y


def _fitted() -> tuple[Codebook, Any]:
    X, y = _data()
    return Codebook().fit(X, y), X


def _one_vector() -> tuple[Codebook, Any]:
    X, y = _data()
    return Codebook(Settings(size=1)).fit(X, y), X


def _unfitted() -> tuple[Codebook, Any]:
    return Codebook(Settings(3, 4)), None


MODELS = {"fitted": _fitted, "one vector": _one_vector, "unfitted": _unfitted}


def outputs(book: Any, X: Any) -> dict[str, Any]:
    """Return all that a codebook gives out."""
    found = {"size": book.settings.size, "rounds": book.settings.rounds}
    return found if X is None else found | {"codes": book.encode(X), "labels": book.predict(X)}
