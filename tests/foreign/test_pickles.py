"""Pickles are told apart and looked into, and never loaded."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
from click.testing import CliRunner, Result
from sklearn.linear_model import LinearRegression

import skopsafe
from skopsafe.cli import main


class Attack:
    """Touches a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, (f"touch {self.marker}",))


def inspect(path: Path) -> Result:
    return CliRunner().invoke(main, ["inspect", str(path)])


def written(folder: Path, data: bytes) -> Path:
    path = folder / "some.pkl"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_recognized_and_its_names_are_shown(tmp_path: Path, protocol: int) -> None:
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    path = written(tmp_path, pickle.dumps(model, protocol))
    for look in (skopsafe.load, skopsafe.audit):
        with pytest.raises(skopsafe.FormatError, match="`skopsafe inspect` shows what it would do"):
            look(path)
    result = inspect(path)
    assert result.exit_code == 0, result.output
    assert "safe" in result.output
    assert "LinearRegression" not in result.output
    told = CliRunner().invoke(main, ["inspect", "--all", str(path)])
    assert "sklearn.linear_model._base:LinearRegression" in told.output
    assert "numpy" in told.output


@pytest.mark.parametrize("protocol", range(6))
def test_a_malicious_pickle_is_called_so_and_not_run(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "marker"
    path = written(tmp_path, pickle.dumps([np.arange(3), Attack(marker)], protocol))
    result = inspect(path)
    assert result.exit_code == 2
    assert "posix:system" in result.output
    assert not marker.exists()
    with pytest.raises(skopsafe.FormatError):
        skopsafe.load(path)
    assert not marker.exists()


@pytest.mark.parametrize("size", [2**40, 2**62])
def test_a_text_that_is_not_there_takes_no_memory(tmp_path: Path, size: int) -> None:
    stream = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8d" + size.to_bytes(8, "little") + b"short"
    result = inspect(written(tmp_path, stream))
    assert result.exit_code == 2, "what stands before it is not shown"
    assert "os:system" in result.output
    assert "breaks off" in result.output


def test_a_name_behind_a_long_text_is_found(tmp_path: Path) -> None:
    text = "long" * 700_000
    path = written(tmp_path, pickle.dumps([text, len, text.encode()], 4))
    result = inspect(path)
    assert result.exit_code == 0
    told = CliRunner().invoke(main, ["inspect", "--all", str(path)])
    assert "builtins:len" in told.output


def test_texts_that_are_dropped_are_no_part_of_a_name(tmp_path: Path) -> None:
    # The strings on top are popped again: the name is os.system, and not math.floor.
    stream = b"\x80\x04\x8c\x02os\x8c\x06system\x8c\x04math\x8c\x05floor00\x93."
    result = inspect(written(tmp_path, stream))
    assert result.exit_code == 2
    assert "os:system" in result.output
    assert "math:floor" not in result.output


def test_a_name_through_the_memo_is_followed(tmp_path: Path) -> None:
    stream = b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94NNh\x00h\x01\x93."
    result = inspect(written(tmp_path, stream))
    assert result.exit_code == 2
    assert "posix:system" in result.output


def test_plain_data_runs_nothing(tmp_path: Path) -> None:
    assert inspect(written(tmp_path, pickle.dumps({"a": [1, 2.5, "x"]}))).exit_code == 0


def test_a_joblib_file_is_read_past_its_arrays(tmp_path: Path) -> None:
    path = tmp_path / "m.joblib"
    joblib.dump(np.arange(1000.0), path)
    result = inspect(path)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("data", [b"", b"hello", b"\x80\x04\x95", b"PK\x03\x04"])
def test_what_is_no_pickle_is_unreadable(tmp_path: Path, data: bytes) -> None:
    result = inspect(written(tmp_path, data))
    assert result.exit_code == 3
    assert "Traceback" not in result.output
