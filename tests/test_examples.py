"""The examples run, in the order in which a model goes from training to service."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, folder: Path) -> str:
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_the_examples_run_in_sequence(tmp_path: Path) -> None:
    assert "to approve: []" in run("save", tmp_path)
    audited = run("audit", tmp_path)
    assert "scikit-learn was imported: False" in audited
    assert "may be deployed" in audited
    served = run("serve", tmp_path)
    assert "mapped: True" in served
    assert "bit-equal" in served
