"""Files that are replaced: their permissions, links, and what is left when it fails."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

import skopsafe
from skopsafe.archive.container import replace


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path) -> Iterator[None]:
    yield
    assert [name for name in os.listdir(tmp_path) if name.endswith(".tmp")] == []


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, content: bytes) -> int:
    """Return the permissions of the temporary file."""
    modes = []

    def fill(file: IO[bytes]) -> None:
        (temporary,) = path.parent.glob(f".{path.name[:50]}.*.tmp")
        modes.append(mode_of(temporary))
        file.write(content)

    replace(str(path), fill)
    return modes[0]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666, 0o444, 0o777, 0o000])
def test_permissions_stay_and_are_never_wider_in_between(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    between = write(path, b"new")
    assert between & ~mode == 0
    assert mode_of(path) == mode
    path.chmod(0o600)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_a_new_file_obeys_the_umask_which_is_never_changed(mask: int, tmp_path: Path) -> None:
    path = tmp_path / "new"
    code = (
        "import os, sys; from skopsafe.archive.container import replace\n"
        f"os.umask({mask}); del os.umask\n"
        "replace(sys.argv[1], lambda file: file.write(b'new'))"
    )
    root = Path(skopsafe.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=root)
    assert mode_of(path) == 0o666 & ~mask


def test_a_link_to_a_pipe_is_written_through(tmp_path: Path) -> None:
    """Such as ``/dev/stdout``, which may lead to what has no path."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    thread.start()
    replace(str(link), lambda file: file.write(b"content"))
    thread.join()
    assert got == [b"content"]
    assert link.is_symlink()
    code = "import skopsafe; skopsafe.dump([1], '/dev/stdout')"
    root = Path(skopsafe.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=root, capture_output=True)
    assert skopsafe.loads(done.stdout) == [1]


def test_links_in_circles_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(skopsafe.FileError, match="one"):
        write(tmp_path / "one", b"")


def test_a_name_that_is_taken_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = tmp_path / f".file.{bytes(6).hex()}.tmp"
    taken.write_bytes(b"of others")
    numbers = iter([bytes(6), bytes(6), b"123456"])
    monkeypatch.setattr("os.urandom", lambda size: next(numbers))
    replace(str(tmp_path / "file"), lambda file: file.write(b"new"))
    assert list(numbers) == []
    monkeypatch.setattr("os.urandom", bytes)
    with pytest.raises(skopsafe.FileError, match="exists"):
        replace(str(tmp_path / "file"), lambda file: None)
    assert taken.read_bytes() == b"of others"
    taken.unlink()
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "full"), ValueError("no")], ids=repr)
def test_a_failure_leaves_the_old_file(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    expected = skopsafe.FileError if isinstance(error, OSError) else type(error)

    def fail(file: IO[bytes]) -> None:
        file.write(b"new")
        raise error

    with pytest.raises(expected):
        replace(str(path), fail)
    assert path.read_bytes() == b"old"


def test_a_file_in_the_working_folder_needs_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    replace("file", lambda file: file.write(b"new"))
    assert (tmp_path / "file").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]
