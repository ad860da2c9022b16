"""Files that a pickle says its arrays are in: none is opened but those beside it, and none is believed."""

from __future__ import annotations

import io
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from joblib.numpy_pickle import NumpyArrayWrapper
from joblib.numpy_pickle_compat import NDArrayWrapper, ZNDArrayWrapper

import skopsafe


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


PLAIN = np.arange(6.0).reshape(2, 3)


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def model(folder: Path, made: Any) -> Path:
    (folder / "model.pkl").write_bytes(pickle.dumps(made, 2))
    return folder / "model.pkl"


def refused(path: Path, match: str) -> None:
    target = path.with_suffix(".skops")
    with pytest.raises(skopsafe.SkopsafeError, match=match):
        skopsafe.convert(path, target)
    assert not target.exists()


@pytest.mark.parametrize(
    "name", ["../a.npy", "/etc/passwd", "deep/a.npy", "..", "", "a.npy\0", "C:a.npy", "a\\b.npy", "x" * 300]
)
def test_no_other_folder_is_looked_into(name: str, tmp_path: Path) -> None:
    (tmp_path / "in/deep").mkdir(parents=True)
    for place in ("a.npy", "in/deep/a.npy", "in/C:a.npy", "in/a\\b.npy"):
        (tmp_path / place).write_bytes(npy(PLAIN))
    path = model(tmp_path / "in", [NDArrayWrapper(name, np.ndarray)])
    refused(path, "no text" if name == "" else "not in the folder")
    assert skopsafe.inspect_pickle(path).verdict == ("unknown" if name == "" else "suspicious")


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_nothing_but_a_file_is_opened(kind: str, tmp_path: Path) -> None:
    (tmp_path / "b.npy").write_bytes(npy(PLAIN))
    beside = tmp_path / "a.npy"
    if kind == "link":
        beside.symlink_to("b.npy")
    elif kind == "pipe":
        os.mkfifo(beside)
    else:
        beside.mkdir()
    path = model(tmp_path, NDArrayWrapper("a.npy", np.ndarray))
    refused(path, "a link, or no file")
    assert skopsafe.inspect_pickle(path).verdict == "suspicious"


@pytest.mark.parametrize("shape", ["npy", "pickle", "zip"])
def test_a_pickle_beside_is_judged_and_not_loaded(shape: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    bad = np.array([Payload(marker)], object)
    out = io.BytesIO()
    np.savez(out, bad)
    content = {"npy": npy(bad), "pickle": pickle.dumps(Payload(marker)), "zip": out.getvalue()}
    (tmp_path / "a.npy").write_bytes(content[shape])
    path = model(tmp_path, {"a": NDArrayWrapper("a.npy", np.ndarray)})
    report = skopsafe.inspect_pickle(path)
    assert report.verdict == "malicious"
    assert any(operation.path.startswith("a.npy") for operation in report.operations)
    refused(path, "can never be approved" if shape == "npy" else "no .npy file")
    assert not marker.exists()


def test_a_file_that_is_named_as_bytes_too_is_judged_as_a_pickle(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(pickle.dumps(Payload(tmp_path / "marker")))
    packed = ZNDArrayWrapper("a.npy", (np.ndarray, (0,), b"b"), (1, (0,), DTYPE, False))
    for made in (
        [packed, NDArrayWrapper("a.npy", np.ndarray)],
        [NDArrayWrapper("a.npy", np.ndarray), packed],
    ):
        path = model(tmp_path, made)
        assert skopsafe.inspect_pickle(path).verdict == "malicious"
        refused(path, "no compressed file" if made[0] is packed else "no .npy")
    assert not (tmp_path / "marker").exists()


def test_what_is_beside_a_file_beside_is_not_read(tmp_path: Path) -> None:
    inner = pickle.dumps(NDArrayWrapper("a.npy", np.ndarray), 2)
    (tmp_path / "a.npy").write_bytes(npy(np.array([None], object)).split(b"\n")[0] + b"\n" + inner)
    path = model(tmp_path, NDArrayWrapper("a.npy", np.ndarray))
    refused(path, "it is in another file")
    assert skopsafe.inspect_pickle(path).verdict == "unknown"


def zfile(data: bytes, size: int) -> bytes:
    return b"ZF" + hex(size).ljust(19).encode() + zlib.compress(data)


DTYPE = np.dtype("f8")


@pytest.mark.parametrize(
    ("content", "shape", "dtype", "match"),
    [
        (zfile(b"\0" * 40, 48), (2, 3), DTYPE, "not as many bytes"),
        (zfile(b"\0" * 56, 48), (2, 3), DTYPE, "not as many bytes"),
        (zfile(b"\0" * 48, 56), (2, 3), DTYPE, "another size"),
        (zfile(b"\0" * 48, 48)[:-9], (2, 3), DTYPE, "end early"),
        (zfile(b"\0" * 2**22, 8 * 2**60), (2**60,), DTYPE, "more than"),
        (zfile(b"\0" * 2**22, 8 * 2**36), (2**36,), DTYPE, "not as many bytes"),
        (b"ZFzzz" + b" " * 99, (2, 3), DTYPE, "no compressed file"),
        (b"", (2, 3), DTYPE, "no compressed file"),
        (zfile(b"\0" * 8, 8), (1,), np.dtype("O"), "objects"),
        (zfile(b"\0" * 48, 48), (-2, -3), DTYPE, "malformed"),
    ],
)
def test_compressed_bytes_are_those_of_the_array(
    content: bytes, shape: tuple[int, ...], dtype: Any, match: str, tmp_path: Path
) -> None:
    (tmp_path / "a.z").write_bytes(content)
    made = ZNDArrayWrapper("a.z", (np.ndarray, (0,), b"b"), (1, shape, dtype, False))
    limits = skopsafe.Limits(array_bytes=2**40)
    path = model(tmp_path, made)
    with pytest.raises(skopsafe.SkopsafeError, match=match):
        skopsafe.convert(path, tmp_path / "b.skops", limits=limits)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (npy(PLAIN)[:-1], "not as many bytes"),
        (npy(PLAIN) + b"\0", "not as many bytes"),
        (npy(PLAIN).replace(b"(2, 3)", b"(2,3e)"), "breaks off"),
        (npy(PLAIN).replace(b"(2, 3)", b"(-2,3)"), "damaged"),
        (b"", "no .npy"),
        (npy(np.array([1], object))[:-4], "breaks off"),
    ],
)
def test_an_npy_beside_is_what_its_header_says(content: bytes, match: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    refused(model(tmp_path, NDArrayWrapper("a.npy", np.ndarray)), match)


def test_a_file_is_read_once_however_often_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(npy(PLAIN))
    made = [NDArrayWrapper("a.npy", np.ndarray) for _ in range(2)]
    refused(model(tmp_path, made), "two arrays are in one file")


@pytest.mark.parametrize(("limit", "value"), [("array_bytes", 47), ("total_bytes", 95), ("members", 1)])
def test_limits_hold_for_files_beside(limit: str, value: int, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.npy").write_bytes(npy(PLAIN))
    path = model(tmp_path, [NDArrayWrapper(f"{name}.npy", np.ndarray) for name in "ab"])
    with pytest.raises(skopsafe.LimitError, match=limit):
        skopsafe.convert(path, tmp_path / "c.skops", limits=skopsafe.Limits(**{limit: value}))


def test_a_class_of_arrays_is_one_of_numpy(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(npy(PLAIN))
    refused(model(tmp_path, NDArrayWrapper("a.npy", np.ma.MaskedArray)), "class of arrays")


@pytest.mark.parametrize("kind", [NDArrayWrapper, NumpyArrayWrapper])
def test_a_method_in_the_state_of_an_array_is_not_passed_by(kind: Any, tmp_path: Path) -> None:
    made = kind.__new__(kind)
    made.__dict__ = {"filename": "a.npy", "subclass": np.ndarray, "read": print}
    report = skopsafe.inspect_pickle(model(tmp_path, made))
    assert report.verdict not in ("safe",)
    assert "takes the place of a method" in str(report)
