"""Every input that is kept, and every one that once was a finding, within bounds of work and memory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.corpus import CORPUS, CRASHERS, excess, inputs
from tests.fuzz.targets import MIB, TARGETS, Target

SECONDS = 5.0
"""Of the processor, for one input: far more than any takes, and less than a hang."""


def require_within_bounds(target: Target, data: bytes, name: str) -> None:
    start = time.process_time()
    target.run(data)
    assert time.process_time() - start < SECONDS
    assert excess(target, data) == "", name


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_is_read_or_refused_within_bounds(name: str) -> None:
    kept = inputs(CORPUS / name)
    assert kept, "a target without inputs shows nothing"
    for file, data in kept.items():
        require_within_bounds(TARGETS[name], data, file)


def _crashers() -> list[Any]:
    return [
        pytest.param(path.parent.name, path, id=f"{path.parent.name}-{path.name}")
        for path in sorted(CRASHERS.glob("*/*"))
    ]


@pytest.mark.parametrize(("name", "path"), _crashers())
def test_what_once_was_a_finding_is_none(name: str, path: Path) -> None:
    require_within_bounds(TARGETS[name], path.read_bytes(), path.name)


def test_the_corpus_stays_small() -> None:
    sizes = [path.stat().st_size for folder in (CORPUS, CRASHERS) for path in folder.rglob("*")]
    assert sum(sizes) < MIB
    assert {path.name for folder in (CORPUS, CRASHERS) for path in folder.glob("*")} <= TARGETS.keys()
