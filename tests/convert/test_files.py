"""Files of pickles in every wrapping, and whole folders of them, become files of skopsafe."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

import skopsafe
from tests.sklearn_models import fitted, outputs, same


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_of_joblib_is_converted(compress: Any, protocol: int, tmp_path: Path) -> None:
    estimator, X = fitted("RandomForestClassifier")
    model = {"model": estimator, "data": np.asfortranarray(X), "objects": np.array([1, "a", None], object)}
    joblib.dump(model, tmp_path / "model.bin", compress=compress, protocol=protocol)
    audit = skopsafe.convert(tmp_path / "model.bin", tmp_path / "model.skops")
    assert audit.ok
    made = skopsafe.load(tmp_path / "model.skops")
    assert made["data"].flags.f_contiguous
    assert made["objects"].tolist() == [1, "a", None]
    expected, found = outputs(estimator, X), outputs(made["model"], X)
    assert all(same(found[method], result) for method, result in expected.items())


def test_an_array_of_objects_in_an_npy_is_converted(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([1, "a", None], object))
    skopsafe.convert(tmp_path / "a.npy", tmp_path / "a.skops")
    assert skopsafe.load(tmp_path / "a.skops").tolist() == [1, "a", None]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (pickle.dumps(1) + pickle.dumps(2), "2 pickles"),
        (pickle.dumps([1] * 100)[:-5], "breaks off"),
        (b"PK\3\4 nothing", "no pickle"),
        (b"", "no pickle"),
        (skopsafe.dumps([1]), "no pickle"),
    ],
)
def test_what_is_not_one_pickle_is_an_error(data: bytes, match: str, tmp_path: Path) -> None:
    target = tmp_path / "model.skops"
    target.write_bytes(b"old")
    with pytest.raises(skopsafe.FormatError, match=match):
        skopsafe.convert(io.BytesIO(data), target)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_is_converted_with_what_did_not(jobs: int, tmp_path: Path) -> None:
    source, target = tmp_path / "old", tmp_path / "new"
    (source / "deep").mkdir(parents=True)
    (source / "a.pkl").write_bytes(pickle.dumps([1]))
    (source / "a.joblib").write_bytes(pickle.dumps([2]))
    (source / "deep/b.pkl").write_bytes(pickle.dumps({"a": np.arange(3)}))
    (source / "deep/stranger.pkl").write_bytes(b"cmodule\nClass\n)\x81.")
    (source / "deep/denied.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    (source / "notes.txt").write_text("nothing")
    found = list(skopsafe.convert_folder(source, target, jobs=jobs))
    assert [one.source for one in found] == [str(path) for path in sorted(source.rglob("*.*"))]
    by_name = {Path(one.source).name: one for one in found}
    assert skopsafe.load(target / "a.pkl.skops") == [1]
    assert skopsafe.load(target / "a.joblib.skops") == [2]
    assert skopsafe.load(target / "deep/b.skops")["a"].tolist() == [0, 1, 2]
    assert by_name["stranger.pkl"].untrusted == ("module.Class",)
    assert "can never be approved" in by_name["denied.pkl"].error
    assert not by_name["denied.pkl"].target
    assert not (target / "deep/denied.skops").exists()
    assert "no pickle" in by_name["notes.txt"].error


def test_less_than_one_process_is_refused(tmp_path: Path) -> None:
    with pytest.raises(skopsafe.ArgumentError, match="jobs"):
        list(skopsafe.convert_folder(tmp_path, tmp_path / "new", jobs=0))
