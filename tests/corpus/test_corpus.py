"""Verdicts on the corpus. With SKOPSAFE_CORPUS=all, on all of it, and every sample that works is loaded."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skopsafe.judge.levels import rank
from tests.corpus.benign import samples
from tests.corpus.malicious import MALICIOUS
from tests.corpus.samples import Sample
from tests.judge.streams import look

IS_WHOLE = os.environ.get("SKOPSAFE_CORPUS") == "all"
WORKING = [sample for sample in MALICIOUS if sample.works]


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    names = [sample.name for sample in MALICIOUS]
    assert len(set(names)) == len(names) >= 400
    assert len(WORKING) >= 250


def test_every_malicious_sample_is_called_so_and_leaves_no_marker(tmp_path: Path) -> None:
    marker = str(tmp_path / "marker")
    wrong = []
    for sample in MALICIOUS:
        report = look(sample.make(marker))
        if rank(report.verdict) < rank(sample.verdict):  # type: ignore[arg-type]
            wrong.append((sample.name, report.verdict))
        assert report.exit_code in (1, 2, 3)
    assert not wrong
    assert not list(tmp_path.iterdir())


def test_few_are_only_suspicious() -> None:
    lenient = [sample.name for sample in MALICIOUS if sample.verdict != "malicious"]
    assert len(lenient) < 15
    assert all(name.startswith("static-") for name in lenient), "and none of these is known to do harm"


def test_no_benign_sample_is_suspicious_and_nearly_all_are_safe() -> None:
    count = 0
    for name, content in samples(every=1 if IS_WHOLE else 12):
        report = look(content)
        assert report.verdict == "safe", (name, report.reasons)
        count += 1
    assert count >= (1000 if IS_WHOLE else 250)


def _is_installed(module: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):
        return not module or importlib.util.find_spec(module) is not None
    return False


@pytest.mark.parametrize("sample", WORKING if IS_WHOLE else WORKING[::24], ids=lambda sample: sample.name)
def test_the_samples_work(sample: Sample, tmp_path: Path) -> None:
    """What the verdicts are about really happens."""
    if not _is_installed(sample.needs):
        pytest.skip(f"{sample.needs} is not installed")
    path = tmp_path / "sample.pkl"
    path.write_bytes(sample.make(str(tmp_path / "marker")))
    subprocess.run(
        [sys.executable, "-m", "tests.corpus.run", str(path)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert list(tmp_path.glob("marker*"))
