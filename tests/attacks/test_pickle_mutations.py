"""Pickles that are changed at random: whole before, changed after, and the same by the same number."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

for _library in ("cloudpickle", "dill", "polars", "pyarrow", "pandas", "xgboost", "lightgbm", "catboost"):
    pytest.importorskip(_library)
for _library in ("category_encoders", "feature_engine", "imblearn", "quantile_forest"):
    pytest.importorskip(_library)

from skopsafe.testing.use import Guard  # noqa: E402
from tests.attacks import pickle_mutations as mutations  # noqa: E402
from tests.attacks import pickle_subjects as subjects  # noqa: E402
from tests.attacks.pickle_worker import STAGES, Worker  # noqa: E402

OBJECT: dict[str, Any] = {"array": np.arange(9.0), "objects": np.array([1, "a"], object), "text": "a" * 300}


@pytest.mark.parametrize("writer", subjects.WRITERS)
def test_a_pickle_is_its_opcodes(writer: str) -> None:
    data = subjects.WRITERS[writer](OBJECT)
    pieces = mutations.split(data)
    assert b"".join(pieces) == data
    assert writer == "npy" or (len(pieces) > 20 and pieces[-1] == b".")


def test_every_layer_changes_something_and_the_same_each_time() -> None:
    pieces, seen = mutations.split(subjects.WRITERS["joblib"](OBJECT)), dict.fromkeys(mutations.LAYERS, 0)
    for number in range(200):
        found = [mutations.mutant(pieces, [b"N"], random.Random(number)) for _ in range(2)]
        assert found[0] == found[1]
        layer, data = found[0]
        seen[layer] += data != b"".join(piece for piece in pieces if piece[:1] != b"\x95")
    assert min(seen.values()) > 10, seen


def test_the_stages_are_told(tmp_path: Path) -> None:
    worker, reached = Worker(tmp_path), list[str]()
    (tmp_path / "current").write_bytes(subjects.WRITERS["joblib"](OBJECT))
    assert worker.through(None, lambda obj, _: sorted(obj), reached.append) == "loaded"
    assert tuple(reached) == STAGES[1:]
    (tmp_path / "current").write_bytes(b"\x80\x04cos\nsystem\n.")
    assert worker.through(None, lambda obj, _: None, reached.append) == "DeniedTypeError"


def test_what_is_open_already_is_no_effect() -> None:
    guard = Guard(())
    guard._stage = "made"
    guard._hear("open", (4, "r", 0))
    assert guard._effects == []
    guard._hear("open", ("/no/such/file", "r", 0))
    assert len(guard._effects) == 1
