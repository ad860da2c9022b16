"""Every estimator works with all of its arrays mapped read-only from the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skopsafe
from tests.sklearn_models import NAMES, fitted, outputs, same


def plain(output: Any) -> Any:
    """Return an output without the type of maps, which items picked from one keep."""
    if isinstance(output, (list, tuple)):
        return type(output)(map(plain, output))
    return np.asarray(output) if isinstance(output, np.memmap) else output


@pytest.mark.parametrize("name", NAMES)
def test_an_estimator_works_on_read_only_maps(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Arrays are mapped when they are large; here every array counts as large.
    monkeypatch.setattr("skopsafe.archive.arrays.POOLED_BELOW", 1)
    estimator, X = fitted(name)
    path = tmp_path / "model.skops"
    skopsafe.dump(estimator, path)
    loaded = skopsafe.load(path, mmap_mode="r")
    expected, found = outputs(estimator, X), outputs(loaded, X)
    for method, value in expected.items():
        assert same(value, plain(found[method])), method
