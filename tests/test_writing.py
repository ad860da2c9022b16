"""Where a model is written to and read from, and what is left when that fails."""

from __future__ import annotations

import decimal
import gc
import gzip
import io
import os
import stat
import subprocess
import sys
import threading
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

import skopsafe

X = np.random.RandomState(0).rand(4000, 8)
MODEL = KNeighborsClassifier(algorithm="kd_tree").fit(X, (X[:, 0] > 0.5).astype(int))
DATA = skopsafe.dumps(MODEL)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path) -> Iterator[None]:
    """No temporary file, and no finalizer that fails, whatever the test did."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pytest.PytestUnraisableExceptionWarning)
        yield
        gc.collect()
    assert [name for name in os.listdir(tmp_path) if name.endswith(".tmp")] == []


class Bomb:
    def __getstate__(self) -> Any:
        raise self.error

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Stream(io.RawIOBase):
    """Neither seekable nor readable: only what a pipe can do."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.content += data
        return len(data)


class Full(io.BytesIO):
    """A disk with room for `left` bytes."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def write(self, data: Any) -> int:
        self.left -= len(data)
        if self.left < 0:
            raise OSError(28, os.strerror(28))
        return super().write(data)


def test_a_path_can_be_anything_that_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / "a b.skops", str(tmp_path / "é.skops"), "relative.skops", Path("other")):
        skopsafe.dump(MODEL, path)
        assert Path(path).read_bytes() == DATA
        assert skopsafe.dumps(skopsafe.load(path)) == DATA
        assert skopsafe.get_untrusted_types(path) == []


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    skopsafe.dump(MODEL, path)
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("buffering", [0, -1])
def test_open_files_are_written_and_read(tmp_path: Path, buffering: int) -> None:
    path = tmp_path / "file"
    with open(path, "wb", buffering) as out:
        skopsafe.dump(MODEL, out)
        assert not out.closed
    assert path.read_bytes() == DATA
    with open(path, "rb", buffering) as file:
        assert skopsafe.dumps(skopsafe.load(file)) == DATA
        assert not file.closed
        assert skopsafe.get_untrusted_types(file) == []
    with open(path, "w+b") as both:
        skopsafe.dump(MODEL, both)
        assert skopsafe.dumps(skopsafe.load(both)) == DATA


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_streams_without_seeking_are_written_and_read(compression: int) -> None:
    out = Stream()
    skopsafe.dump(MODEL, out, compression=compression)
    assert skopsafe.dumps(skopsafe.loads(bytes(out.content))) == DATA
    receiver, sender = os.pipe()
    with open(receiver, "rb") as reads, open(sender, "wb") as writes:
        thread = threading.Thread(target=lambda: (skopsafe.dump(MODEL, writes), writes.close()))
        thread.start()
        assert skopsafe.dumps(skopsafe.load(reads)) == DATA
        thread.join()


def test_a_named_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    thread = threading.Thread(target=skopsafe.dump, args=(MODEL, path))
    thread.start()
    assert skopsafe.dumps(skopsafe.load(path)) == DATA
    thread.join()
    assert stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.parametrize(
    ("compression", "level"),
    [
        (zipfile.ZIP_STORED, None),
        (zipfile.ZIP_DEFLATED, 1),
        (zipfile.ZIP_DEFLATED, 9),
        (zipfile.ZIP_BZIP2, 9),
        (zipfile.ZIP_LZMA, None),
    ],
)
def test_compression_is_the_callers_choice(compression: int, level: int | None) -> None:
    array = np.arange(50_000.0) // 50
    data = skopsafe.dumps(array, compression=compression, compresslevel=level)
    infos = zipfile.ZipFile(io.BytesIO(data)).infolist()
    assert {info.compress_type for info in infos} == {compression}
    assert (len(data) < 10_000) == (compression != zipfile.ZIP_STORED)
    assert skopsafe.loads(data).tolist() == array.tolist()
    again = skopsafe.dumps(array, compression=compression, compresslevel=level)
    assert again == data


@pytest.mark.parametrize(
    ("compression", "level"),
    [(99, None), (None, None), ("zip", None), (8, 10), (8, -2), (8, "9"), (8, 1.0), (12, 0), (8, True)],
)
def test_an_unknown_compression_is_refused_before_the_file_is_touched(
    compression: Any, level: Any, tmp_path: Path
) -> None:
    with pytest.raises(skopsafe.ArgumentError, match=r"compress\w+ .* is unknown"):
        skopsafe.dump(MODEL, tmp_path / "file", compression=compression, compresslevel=level)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), SystemExit(1), MemoryError(), TypeError("no"), pytest.param(RuntimeError("no"))],
    ids=repr,
)
def test_a_failed_dump_leaves_the_old_file(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(b"old")
    with pytest.raises((type(error), skopsafe.UnsupportedTypeError)):
        skopsafe.dump([MODEL, Bomb(error)], path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.skops"]


def test_an_error_of_a_class_gets_a_path() -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match=r"object\[1\]"):
        skopsafe.dumps([1, Bomb(RuntimeError("no"))])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, os.strerror(28))], ids=repr)
def test_a_dump_that_stops_while_writing_leaves_the_old_file(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.skops"
    skopsafe.dump([1], path)

    def stop(*_: Any) -> Any:
        raise error

    monkeypatch.setattr("os.replace", stop)
    expected = skopsafe.FileError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected) as caught:
        skopsafe.dump(MODEL, path)
    if isinstance(caught.value, skopsafe.FileError):
        assert caught.value.errno == 28
        assert "No space left on device" in str(caught.value)
        assert str(path) in str(caught.value)
    monkeypatch.undo()
    assert skopsafe.load(path) == [1]
    assert os.listdir(tmp_path) == ["model.skops"]


@pytest.mark.parametrize("left", [0, 100, 5000, len(DATA) - 1])
def test_a_full_disk_is_an_error_of_ours(left: int) -> None:
    with pytest.raises(skopsafe.FileError, match="No space left on device") as caught:
        skopsafe.dump(MODEL, Full(left))
    assert caught.value.errno == 28
    assert isinstance(caught.value, OSError)


def test_targets_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere" / "file")
    for target, kind in (
        (tmp_path, skopsafe.FileError),
        ("", skopsafe.FileError),
        (f"{tmp_path}/new/", skopsafe.FileError),
        (tmp_path / "a" / "b", skopsafe.MissingFileError),
        (tmp_path / "gone", skopsafe.MissingFileError),
        (tmp_path / "file" / "below", skopsafe.FileError),
        ("a\0b", skopsafe.FileError),
        (tmp_path / ("n" * 256), skopsafe.FileError),
        (io.StringIO(), skopsafe.ArgumentError),
        (None, skopsafe.ArgumentError),
        (5, skopsafe.ArgumentError),
        (b"path", skopsafe.ArgumentError),
        (X, skopsafe.ArgumentError),
    ):
        with pytest.raises(kind) as caught:
            skopsafe.dump(MODEL, target)  # type: ignore[arg-type]
        assert caught.value.next_step
    with open(tmp_path / "file") as reading, pytest.raises(skopsafe.ArgumentError, match="open for text"):
        skopsafe.dump(MODEL, reading)  # type: ignore[arg-type]
    with open(tmp_path / "file", "rb") as reading, pytest.raises(skopsafe.FileError):
        skopsafe.dump(MODEL, reading)
    with pytest.raises(skopsafe.ArgumentError, match="closed"):
        skopsafe.dump(MODEL, reading)
    assert (tmp_path / "file").read_text() == "text"


def test_a_link_stays_a_link_and_permissions_stay(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    skopsafe.dump(MODEL, link)
    assert link.is_symlink()
    assert target.read_bytes() == DATA
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "made")
    skopsafe.dump(MODEL, dangling)
    assert (tmp_path / "made").read_bytes() == DATA


def test_a_new_file_gets_the_permissions_of_the_umask(tmp_path: Path) -> None:
    code = f"import os, skopsafe; os.umask(0o027); skopsafe.dump([1], {str(tmp_path / 'new')!r})"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(skopsafe.__file__).parents[1])
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_read_only_file_in_a_read_only_folder_can_be_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "model.skops"
    skopsafe.dump(MODEL, path)
    path.chmod(0o444)
    folder.chmod(0o555)
    try:
        for mode in (None, "r", "c"):
            assert skopsafe.dumps(skopsafe.load(path, mmap_mode=mode)) == DATA  # type: ignore[arg-type]
        if os.geteuid() != 0:
            with pytest.raises(skopsafe.FileError, match="Permission denied"):
                skopsafe.dump(MODEL, path)
    finally:
        folder.chmod(0o755)


def test_a_read_only_map_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skopsafe.dump(MODEL, path)
    loaded = skopsafe.load(path, mmap_mode="r")
    assert isinstance(loaded._fit_X, np.memmap)
    assert not loaded._fit_X.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        loaded._fit_X[0, 0] = 1
    np.testing.assert_array_equal(loaded.predict(X[:50]), MODEL.predict(X[:50]))


def test_writes_to_a_map_on_copy_do_not_reach_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skopsafe.dump(MODEL, path)
    loaded = skopsafe.load(path, mmap_mode="c")
    loaded._fit_X[:] = -1
    assert path.read_bytes() == DATA
    assert skopsafe.load(path)._fit_X[0, 0] == X[0, 0]


def test_a_map_outlives_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skopsafe.dump(MODEL, path)
    loaded = skopsafe.load(path, mmap_mode="r")
    skopsafe.dump([1], path)
    path.unlink()
    np.testing.assert_array_equal(loaded._fit_X, X)


def test_only_paths_can_be_mapped(tmp_path: Path) -> None:
    with pytest.raises(skopsafe.PolicyError, match="mapped"):
        skopsafe.load(io.BytesIO(DATA), mmap_mode="r")
    path = tmp_path / "compressed"
    skopsafe.dump(MODEL, path, compression=zipfile.ZIP_DEFLATED)
    assert skopsafe.dumps(skopsafe.load(path, mmap_mode="r")) == DATA


def test_a_writer_that_compresses_is_written_forwards(tmp_path: Path) -> None:
    path = tmp_path / "model.skops.gz"
    with gzip.open(path, "wb") as file:
        skopsafe.dump([np.arange(50_000), "x"], file)
    with gzip.open(path, "rb") as file:
        loaded = skopsafe.load(file)
    assert loaded[1] == "x"
    assert np.array_equal(loaded[0], np.arange(50_000))


def test_only_distributions_are_named_as_writers() -> None:
    audit = skopsafe.audit([decimal.Decimal(1), np.float64(1)])
    assert set(audit.writer) == {"skopsafe", "python", "numpy"}
