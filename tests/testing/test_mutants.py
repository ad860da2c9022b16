"""The harness of mutants: it must see what it is there to see."""

from __future__ import annotations

import pytest

from skopsafe.testing.mutants import run

FAMILY = "tests.attacks.bad_family"


@pytest.mark.parametrize(
    ("model", "ending"), [("dies", "died: -11"), ("hangs", "hung"), ("writes", "effect: open")]
)
def test_a_model_that_misbehaves_is_found(model: str, ending: str) -> None:
    tally = run(FAMILY, model, 12, seconds=2)
    assert sum(tally.endings.values()) == 12
    assert tally.bad
    assert all(ending in bad for bad in tally.bad)


def test_errors_of_a_loaded_model_are_its_own() -> None:
    tally = run(FAMILY, "raises", 40)
    assert not tally.bad
    assert {"loaded", "ValidationError", "FormatError"} & tally.endings.keys() == tally.endings.keys()
    assert tally.endings["loaded"]


def test_a_mutant_is_made_again_from_its_number() -> None:
    bad = run(FAMILY, "dies", 12).bad[0]
    assert run(FAMILY, "dies", 1, first=int(bad.partition(":")[0])).bad == [bad]
