"""The examples run, in the order in which a model goes from training to service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import skopsafe

EXAMPLES = Path(__file__).parents[1] / "examples"
MODEL = "tickets.skops"


def run(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), str(folder)]
    env = {**os.environ, "PYTHONPATH": str(Path(skopsafe.__file__).parents[1])}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    found = run("save", folder)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "to approve: []" in found.stdout
    return folder


@pytest.fixture
def saved(trained: Path, tmp_path: Path) -> Path:
    """Return a folder of one's own with what ``save.py`` leaves."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def data_of_a_mapped_array(path: Path) -> int:
    """Return an offset well inside the data of the first member that is mapped."""
    with zipfile.ZipFile(path) as zipped:
        info = next(info for info in zipped.infolist() if info.filename.startswith("arrays/"))
    return info.header_offset + info.compress_size // 2


def test_a_model_goes_from_training_to_service(saved: Path) -> None:
    audited = run("audit", saved)
    assert audited.returncode == 0, audited.stdout + audited.stderr
    assert "scikit-learn was imported: False" in audited.stdout
    assert "may be deployed" in audited.stdout
    assert json.loads((saved / "tickets.audit.json").read_text())["ok"] is True
    served = run("serve", saved)
    assert served.returncode == 0, served.stdout + served.stderr
    assert "mapped: True" in served.stdout
    assert "bit-equal" in served.stdout


def test_a_changed_byte_of_a_mapped_array_is_not_served(saved: Path) -> None:
    flip(saved / MODEL, data_of_a_mapped_array(saved / MODEL))
    served = run("serve", saved)
    assert served.returncode == 1
    assert served.stderr.startswith("not served: the member is damaged")
    assert "arrays/" in served.stderr
    assert served.stdout == "", "something was printed of a model that must not be served"


def test_other_predictions_than_at_training_are_not_served(saved: Path) -> None:
    expected = saved / "expected.npy"
    flip(expected, expected.stat().st_size - 1)
    served = run("serve", saved)
    assert served.returncode == 1
    assert "predictions differ" in served.stderr


def test_a_file_with_an_unknown_name_is_not_deployed(tmp_path: Path) -> None:
    skopsafe.dump([json.dumps], tmp_path / MODEL)
    audited = run("audit", tmp_path)
    assert audited.returncode == 1
    assert "not deployed; to review: json.dumps" in audited.stderr
