"""The tables of the benchmarks: made of whatever a short run measured."""

from __future__ import annotations

import pytest

from benchmarks.jobs import OURS, OWN
from benchmarks.results import Subject
from benchmarks.sections import SECTIONS


def measured(share: float) -> Subject:
    """A booster's row, with the share of validation that the samples of the stack gave."""
    times = {OURS: 0.002, OWN: 0.001, "joblib": 0.004}
    best = {("booster", verb, name): time for verb in ("dump", "load") for name, time in times.items()}
    best["booster", "audit", OURS] = 0.001
    facts = {"share": share, "sizes": dict.fromkeys(times, 1000), "failures": {}, "untrusted": []}
    return Subject(best, {("booster", "facts", OURS): facts})


@pytest.mark.parametrize(("share", "rest"), [(0.0, "2.00"), (0.5, "4.00"), (1.0, "")])
def test_a_share_of_validation_by_few_samples_makes_a_table(share: float, rest: str) -> None:
    """In a short run all samples may fall into checks: then nothing is known of the rest."""
    tables = [section(measured(share)) for section in SECTIONS["models"]]
    assert [rows[0][0] for _, rows in tables] == ["booster"] * 3
    assert tables[2][1][0][-1] == rest
