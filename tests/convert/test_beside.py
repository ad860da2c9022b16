"""Files that joblib before 0.10 wrote, with arrays in files beside it. See ``golden/joblib/make.py``."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import skopsafe
from skopsafe.cli import main

GOLDEN = Path(__file__).parent.parent / "golden/joblib"
FILES = {"0.8.4": "arrays.pkl", "0.9.4": "packed.pkl"}


@pytest.mark.parametrize("version", FILES)
def test_arrays_in_files_beside_are_converted(version: str, tmp_path: Path) -> None:
    path = GOLDEN / version / FILES[version]
    assert skopsafe.convert(path, tmp_path / "model.skops").ok
    model = skopsafe.load(tmp_path / "model.skops")
    assert np.array_equal(model["rows"], np.arange(12.0).reshape(3, 4))
    assert np.array_equal(model["columns"], np.arange(6).reshape(2, 3))
    assert model["columns"].flags.f_contiguous
    assert model["columns"].dtype == np.int32
    assert type(model["matrix"]) is np.matrix
    assert model["matrix"].tolist() == [[1, 2], [3, 4]]
    assert model["empty"].shape == (0, 3)
    assert model["texts"].tolist() == ["a", "bcd"]
    if version == "0.8.4":
        assert model["objects"].tolist() == [1, "a", None, (2.5,)]


@pytest.mark.parametrize("version", FILES)
def test_what_joblib_wrote_is_safe(version: str) -> None:
    report = skopsafe.inspect_pickle(GOLDEN / version / FILES[version])
    assert (report.verdict, report.pickles) == ("safe", 2 if version == "0.8.4" else 1)
    assert "safe" in str(report)


def test_without_a_path_no_file_is_opened_and_all_are_named(tmp_path: Path) -> None:
    data = (GOLDEN / "0.9.4/packed.pkl").read_bytes()
    with pytest.raises(skopsafe.UnsupportedTypeError, match=r"packed.pkl_0\d.npy.z.*Pass the path"):
        skopsafe.convert(io.BytesIO(data), tmp_path / "model.skops")
    report = skopsafe.inspect_pickle(io.BytesIO(data))
    assert report.verdict == "unknown"
    assert all(f"packed.pkl_0{n}.npy.z" in str(report) for n in range(1, 6))


def test_a_file_that_is_absent_is_named(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "0.9.4/packed.pkl", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"packed.pkl_0\d.npy.z") as caught:
        skopsafe.convert(tmp_path / "packed.pkl", tmp_path / "model.skops")
    assert isinstance(caught.value, skopsafe.SkopsafeError)
    report = skopsafe.inspect_pickle(tmp_path / "packed.pkl")
    assert report.verdict == "unknown"
    assert "packed.pkl_01.npy.z" in report.reasons[0]


@pytest.mark.parametrize("jobs", [1, 2])
def test_of_a_folder_what_belongs_to_a_pickle_is_no_model(jobs: int, tmp_path: Path) -> None:
    folder = tmp_path / "old"
    shutil.copytree(GOLDEN / "0.8.4", folder)
    np.save(folder / "own_01.npy", np.array([1, None], object))
    found = list(skopsafe.convert_folder(folder, tmp_path / "new", jobs=jobs))
    assert [one.error for one in found] == [""] * 8
    parts = [one for one in found if one.part_of]
    assert [Path(one.source).name for one in parts] == [f"arrays.pkl_0{n}.npy" for n in range(1, 7)]
    assert {one.part_of for one in parts} == {str(folder / "arrays.pkl")}
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["arrays.skops", "own_01.skops"]


def test_the_command_says_whose_they_are(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["convert", str(GOLDEN / "0.9.4"), str(tmp_path / "new")])
    assert done.exit_code == 0
    assert "packed.pkl_01.npy.z: part of packed.pkl" in done.output
    assert "1 converted, 0 to approve, 0 not converted" in done.output


def test_decompiled_it_tells_the_files() -> None:
    assert "_from_file('arrays.pkl_01.npy')" in skopsafe.decompile(GOLDEN / "0.8.4/arrays.pkl")
