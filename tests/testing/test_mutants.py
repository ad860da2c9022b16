"""The harness of mutants: it must see what it is there to see."""

from __future__ import annotations

import ctypes

import pytest

import skopsafe
from skopsafe.testing.mutants import run
from skopsafe.testing.mutate import LAYERS, grafts
from skopsafe.testing.use import STAGES

FAMILY = "tests.attacks.bad_family"


@pytest.mark.parametrize(
    ("model", "ending", "count", "seconds"),
    [
        ("dies", "died: -11 tests/attacks/bad_family.py line", 12, 30),
        ("hangs", "hung: tests/attacks/bad_family.py line", 5, 2),
        ("writes", "effect: open", 12, 30),
        ("fills", "memory: ", 6, 30),
    ],
)
def test_a_model_that_misbehaves_is_found(model: str, ending: str, count: int, seconds: float) -> None:
    tally = run(FAMILY, model, count, seconds=seconds)
    assert tally.endings.total() == count
    assert tally.bad
    assert [bad for bad in tally.bad if ending not in bad] == []


def test_errors_of_a_loaded_model_are_its_own() -> None:
    tally = run(FAMILY, "raises", 60)
    assert not tally.bad
    assert tally.endings["loaded"]
    assert all(
        issubclass(getattr(skopsafe, name), skopsafe.SkopsafeError)
        for name in tally.endings.keys() - {"loaded"}
    )


def test_changes_at_each_layer_get_past_the_readers_before_it() -> None:
    tally = run("tests.attacks.fuzz_models", "KNeighborsClassifier", 250)
    assert not tally.bad
    far = {
        layer: max(STAGES.index(stage) for of, stage in tally.stages if of == layer)
        for layer, _ in tally.stages
    }
    assert far.keys() == set(LAYERS) - {"blob"}
    reached = {layer: STAGES[stage] for layer, stage in far.items()}
    # Bytes of the file meet its checksums, and its text the parser: what gets past is luck.
    assert reached.pop("raw") in STAGES
    assert reached.pop("json") != "made"
    assert reached.pop("zip") in ("built", "answered")
    assert set(reached.values()) == {"answered"}


def test_a_mutant_is_made_again_from_its_number() -> None:
    bad = run(FAMILY, "dies", 12).bad[0]
    assert run(FAMILY, "dies", 1, first=int(bad.partition(":")[0])).bad == [bad]


def test_a_handle_and_a_number_of_jobs_are_exchanged_with_nothing() -> None:
    class Library:
        def __init__(self) -> None:
            self.handle = ctypes.c_void_p(1)
            self.feature_names = ["a"]
            self.n_jobs = 2

    assert {key for _, key, _ in grafts.slots(Library())} == {"feature_names", 0}
