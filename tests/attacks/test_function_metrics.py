"""A tree calls the function of its metric with writable views of its samples."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import DistanceMetric
from sklearn.neighbors import KNeighborsClassifier

import skopsafe

DistanceMetric64 = type(DistanceMetric.get_metric("euclidean"))


@pytest.mark.parametrize(
    "writes",
    [functools.partial(np.clip, np.ones(1), 0), functools.partial(np.nan_to_num, copy=False)],
    ids=["out argument", "in place"],
)
def test_a_metric_that_writes_into_a_mapped_tree_meets_private_memory(writes: Any, tmp_path: Path) -> None:
    # Without copies the process dies of a write to the read-only map of the file.
    X = np.random.default_rng(0).random((20_000, 1))
    model = KNeighborsClassifier(algorithm="ball_tree", leaf_size=1).fit(X, np.arange(20_000) % 2)
    state = list(model._tree.__getstate__())
    place = next(i for i, part in enumerate(state) if isinstance(part, DistanceMetric64))
    state[place] = DistanceMetric.get_metric("pyfunc", func=writes)
    model._tree.__setstate__(tuple(state))
    path = tmp_path / "model.skops"
    skopsafe.dump(model, path)
    # Functions of numpy need approval as a metric, for this very reason.
    untrusted = skopsafe.get_untrusted_types(path)
    assert untrusted == ["sklearn.metrics._dist_metrics.PyFuncDistance64:function"]
    loaded = skopsafe.load(path, untrusted, mmap_mode="r")
    assert isinstance(loaded._fit_X, np.memmap)
    assert all(
        part.flags.writeable for part in loaded._tree.__getstate__()[:4] if isinstance(part, np.ndarray)
    )
    with contextlib.suppress(TypeError, ValueError):
        loaded.kneighbors(X[:3])  # whatever it gives: the process is still there
