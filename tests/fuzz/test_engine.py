"""Mutants get past the readers before the one that they are for; the corpus grows, and findings shrink."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from tests.fuzz import corpus
from tests.fuzz.__main__ import ROOT, report, run_plain
from tests.fuzz.arcs import traced
from tests.fuzz.stages import reached
from tests.fuzz.targets import TARGETS

MANY = 200


def stages(name: str) -> Counter[str]:
    """Run mutants of the corpus, always the same, and return how many got to each stage."""
    target, rng = TARGETS[name], random.Random(name)
    kept = corpus.of(name)
    reached.clear()
    for _ in range(MANY):
        target.run(target.mutate(rng.choice(kept), rng)[: target.longest])
    return reached


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "container",
            {
                "directory": 0.25,
                "checksum of the schema": 0.1,
                "schema decoded": 0.06,
                "document": 0.03,
                "arrays": 0.005,
            },
        ),
        ("schema", {"document": 0.05, "audit": 0.05, "drawing": 0.05, "loaded": 0.005}),
        ("decompression", {"method 8 gives something": 0.02, "method 93 comes to its end": 0.02}),
        ("npy", {"header": 0.01, "JSON": 0.1, "dtype": 0.03}),
        ("pickles", {"unpickler imports": 0.01, "suspicious": 0.01}),
        ("machine", {"read to its end": 0.02, "operations": 0.2, "unpickler imports": 0.2}),
        ("streams", {"joblib": 0.02, "npy": 0.02, "pickle": 0.1, "read by joblib": 0.02, "unreadable": 0.02}),
        ("xgboost", {"document": 0.15, "trees": 0.05}),
        ("policy", {"policy": 0.03, "name": 0.01}),
        ("name", {"name": 0.02}),
    ],
)
def test_mutants_get_past_each_stage(name: str, expected: dict[str, float]) -> None:
    found = stages(name)
    short = {stage: found[stage] / MANY for stage, part in expected.items() if found[stage] < part * MANY}
    assert not short, dict(found)


@pytest.mark.parametrize(("name", "least"), [("lightgbm", 20), ("catboost", 40), ("xgboost", 20)])
def test_mutants_of_models_are_refused_at_many_checks(name: str, least: int) -> None:
    """Rather than all at the first one."""
    found = stages(name)
    assert len([stage for stage in found if stage.startswith("refused")]) >= least, dict(found)


def test_an_input_is_kept_for_what_it_reaches_alone() -> None:
    target = TARGETS["npy"]
    # The others reach nothing, or what the first text has reached.
    assert list(corpus.news(target, [b"", b"x", b'"<f8"', b'"<f8"', b'"<f4"'], set())) == [b'"<f4"']
    assert not list(corpus.news(target, corpus.of("npy"), corpus.known_arcs(target, corpus.of("npy"))))


def test_a_finding_is_shrunk_to_what_fails() -> None:
    def run(data: bytes) -> None:
        if b"\1" in data and data.endswith(b"\2"):
            raise ZeroDivisionError

    target = replace(TARGETS["npy"], run=run, mutate=lambda data, rng: data + rng.choice((b"\1a\2", b"x")))
    outcome = run_plain(target, 60, [b"some bytes"])
    assert len(outcome.artifacts) == 1
    what = corpus.failure(target, outcome.artifacts[0])
    assert what.startswith("ZeroDivisionError at ")
    assert corpus.shrunk(outcome.artifacts[0], lambda part: corpus.failure(target, part) == what) == b"\1\2"


def test_lines_of_python_are_counted() -> None:
    def loop(times: int) -> int:
        total = 0
        for number in range(times):
            total += number
        return total

    (_, few), (_, many) = traced(lambda: loop(10), None), traced(lambda: loop(110), None)
    assert many - few == 200


def test_the_corpus_covers_the_readers() -> None:
    for name in ("decompression", "npy", "machine"):
        target = TARGETS[name]
        words = report(target, corpus.known_arcs(target, corpus.of(name))).split()
        assert int(words[0]) >= 0.85 * int(words[2]), words


def test_the_command_runs_without_an_engine() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--plain", "--forget", "--seconds", "1", "policy"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "policy: " in done.stdout
    assert "executions" in done.stdout


def test_the_engine_runs() -> None:
    pytest.importorskip("atheris", reason="comes with the session fuzz")
    command = [sys.executable, "-m", "tests.fuzz", "--forget", "--seconds", "3", "policy"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " executions" in done.stdout
