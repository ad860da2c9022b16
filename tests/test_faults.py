"""Full disks, killed processes, several writers, files that others change: nothing is lost or seen by half.

``SKOPSAFE_KILLS`` says how many processes are killed; the session ``faults`` of nox kills more of them.
"""

from __future__ import annotations

import gc
import os
import random
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

import skopsafe
from skopsafe.archive import container
from tests import victims
from tests.somebody import as_somebody, is_root
from tests.victims import CONTENTS, OBJECTS

KILLS = int(os.environ.get("SKOPSAFE_KILLS", "20"))
TEMPORARY = re.compile(r"\.model\.[0-9a-f]{12}\.tmp")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="of POSIX")


def run(code: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=Path(skopsafe.__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_process_that_is_killed_leaves_a_whole_file(tmp_path: Path) -> None:
    """At most a temporary file stays, whose name says what it is, and which nobody takes for a model."""
    path, rng = tmp_path / "model", random.Random(KILLS)
    skopsafe.dump(OBJECTS[0], path)
    left = set()
    for turn in range(KILLS):
        compression = "stored" if turn % 4 else "deflate"
        victims.kill_at_random(rng, str(path), (turn % 4, (turn + 1) % 4), compression)
        found = skopsafe.load(path)
        assert np.array_equal(found["large"], OBJECTS[found["writer"]]["large"])
        assert skopsafe.dumps(found) in CONTENTS
        others = set(os.listdir(tmp_path)) - {"model"}
        assert all(TEMPORARY.fullmatch(name) for name in others)
        assert len(others - left) <= 1
        left |= others
    assert left, "nobody was killed while writing"
    sizes = {name: (tmp_path / name).stat().st_size for name in left}
    skopsafe.dump(OBJECTS[1], path)
    assert path.read_bytes() == CONTENTS[1]
    assert {name: (tmp_path / name).stat().st_size for name in left} == sizes, (
        "others may still write to them"
    )


def test_several_processes_and_threads_write_to_one_path_and_others_read_it(tmp_path: Path) -> None:
    path = tmp_path / "model"
    skopsafe.dump(OBJECTS[0], path)
    writers = [victims.start(str(path), (number, 3), "stored", 12) for number in (1, 2)]
    seen: set[bytes] = set()
    is_over = threading.Event()

    def read(mode: Any) -> None:
        while not is_over.is_set():
            found = skopsafe.load(path, mmap_mode=mode)
            assert np.array_equal(found["large"], OBJECTS[found["writer"]]["large"])
            seen.add(skopsafe.dumps(found))
            assert skopsafe.audit(path).ok

    with ThreadPoolExecutor(4) as pool:
        reading = [pool.submit(read, mode) for mode in (None, "r")]
        writing = [pool.submit(victims.write, str(path), (number, 0), "stored", 12) for number in (1, 2)]
        for future in writing:
            future.result()
        for writer in writers:
            writer.join()
        is_over.set()
        for future in reading:
            future.result()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen <= set(CONTENTS)
    assert len(seen) > 1
    assert os.listdir(tmp_path) == ["model"]


SMALL_FILES = """
import resource, sys, skopsafe
from tests.victims import OBJECTS
for most in map(int, sys.argv[2:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    try:
        skopsafe.dump(OBJECTS[1], sys.argv[1])
    except skopsafe.FileError as error:
        print(error.errno, type(error.__cause__).__name__, "model" in error.path)
"""


def test_a_file_that_would_be_too_large_leaves_the_old_one(tmp_path: Path) -> None:
    """As with a quota, or a disk that is full."""
    path = tmp_path / "model"
    skopsafe.dump(OBJECTS[0], path)
    sizes = (0, 100, 1 << 20, len(CONTENTS[1]) - 1)
    assert run(SMALL_FILES, path, *sizes).splitlines() == ["27 OSError True"] * len(sizes)
    assert path.read_bytes() == CONTENTS[0]
    assert os.listdir(tmp_path) == ["model"]


FULL = """
import os, skopsafe
from tests.victims import CONTENTS, OBJECTS
skopsafe.dump([1], "model")
try:
    skopsafe.dump(OBJECTS[1], "model")
except skopsafe.FileError as error:
    print(error.errno, skopsafe.load("model"), os.listdir("."))
"""


@is_root
def test_a_disk_that_is_full_leaves_the_old_file(tmp_path: Path) -> None:
    """A disk of one megabyte, which nobody else sees."""
    root = Path(skopsafe.__file__).parents[1]
    mounted = 'mount -t tmpfs -o size=1m none "$1" && cd "$1" && exec "$2" -c "$3"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted, "sh", tmp_path, sys.executable, FULL],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "28 [1] ['model']"


@is_root
def test_where_nothing_may_be_written_the_error_is_that_of_the_system(tmp_path: Path) -> None:
    """A file that may not be written to is replaced all the same: that is a matter of its folder."""
    (tmp_path / "closed").mkdir(mode=0o755)
    tmp_path.chmod(0o777)
    (tmp_path / "closed" / "model").write_bytes(CONTENTS[0])
    (tmp_path / "closed" / "model").chmod(0o666)
    (tmp_path / "secret").write_bytes(CONTENTS[0])
    (tmp_path / "secret").chmod(0o600)
    code = """
for call in (
    lambda: skopsafe.dump([1], "closed/model"),
    lambda: skopsafe.dump([1], "closed/new"),
    lambda: skopsafe.load("secret"),
    lambda: skopsafe.load("secret", mmap_mode="r"),
    lambda: skopsafe.audit("secret"),
):
    try:
        call()
    except PermissionError as error:
        assert isinstance(error, skopsafe.FileError) and error.errno == 13, error
        print(end="refused ")
skopsafe.dump([1], "own")
os.chmod("own", 0o444)
skopsafe.dump([2], "own")
print(skopsafe.load("own"), oct(os.stat("own").st_mode))
"""
    assert as_somebody(code, tmp_path) == "refused " * 5 + "[2] 0o100444"
    assert (tmp_path / "closed" / "model").read_bytes() == CONTENTS[0]


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: path.mkdir(), IsADirectoryError),
        (lambda path: path.parent.rmdir(), FileNotFoundError),
        (lambda path: (path.parent.rmdir(), path.parent.write_text("")), NotADirectoryError),
        (lambda path: path.symlink_to(path), OSError),
    ],
    ids=["folder", "no folder", "file as folder", "circle of links"],
)
def test_errors_of_paths_are_caught_as_those_of_open(
    make: Callable[[Path], None], kind: type[OSError], tmp_path: Path
) -> None:
    path = tmp_path / "folder" / "model"
    path.parent.mkdir()
    make(path)
    for call in (lambda: skopsafe.dump([1], path), lambda: skopsafe.load(path)):
        with pytest.raises(kind) as caught:
            call()
        assert isinstance(caught.value, skopsafe.FileError)
        with pytest.raises(kind) as expected:
            path.read_bytes()
        assert caught.value.errno == expected.value.errno


def test_a_folder_that_goes_away_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    def fill(file: IO[bytes]) -> None:
        file.write(b"new")
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()

    with pytest.raises(FileNotFoundError) as caught:
        container.replace(str(folder / "model"), fill)
    assert isinstance(caught.value, skopsafe.MissingFileError)


def test_the_first_error_is_told_and_not_that_of_cleaning_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = os.unlink

    def refuse(path: Any) -> None:
        raise OSError(30, "Read-only file system")

    def fail(file: IO[bytes]) -> None:
        monkeypatch.setattr(os, "unlink", refuse)
        raise OSError(5, "Input/output error")

    with pytest.raises(skopsafe.FileError, match="Input/output error") as caught:
        container.replace(str(tmp_path / "model"), fail)
    assert caught.value.errno == 5
    monkeypatch.setattr(os, "unlink", unlink)
    (left,) = tmp_path.iterdir()
    assert TEMPORARY.fullmatch(left.name)


def test_other_names_of_a_file_keep_the_old_one(tmp_path: Path) -> None:
    path, other = tmp_path / "model", tmp_path / "other"
    skopsafe.dump("old", path)
    os.link(path, other)
    skopsafe.dump("new", path)
    assert (skopsafe.load(path), skopsafe.load(other)) == ("new", "old")


def test_what_stands_for_an_open_file_is_written_and_not_replaced(tmp_path: Path) -> None:
    """Such as ``/dev/stdout`` where the output goes to a file, which may have no name any more."""
    if not os.path.islink("/dev/stdout"):
        pytest.skip("there is no such link")
    for name in ("kept", "gone"):
        with open(tmp_path / name, "w+b") as file:
            if name == "gone":
                os.unlink(tmp_path / name)
            code = "import skopsafe; skopsafe.dump([1], '/dev/stdout')"
            root = Path(skopsafe.__file__).parents[1]
            subprocess.run([sys.executable, "-c", code], check=True, cwd=root, stdout=file)
            file.seek(0)
            assert skopsafe.load(file) == [1]
    assert os.listdir(tmp_path) == ["kept"]


@pytest.mark.parametrize("name", [b"\xff\xfe", b"new\nline", b"\x1b[31m", b"-", b" ", "é".encode() * 120])
def test_any_name_that_the_system_takes_can_be_used(name: bytes, tmp_path: Path) -> None:
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
    try:
        open(path, "wb").close()
    except OSError:
        pytest.skip("the file system does not take such a name")
    skopsafe.dump(OBJECTS[1], path)
    with open(path, "rb") as file:
        assert file.read() == CONTENTS[1]
    assert skopsafe.load(path, mmap_mode="r")["writer"] == 1
    with open(path, "wb") as file:
        file.write(b"no model")
    with pytest.raises(skopsafe.FormatError) as caught:
        skopsafe.load(path)
    assert str(caught.value).isprintable()
    assert len(os.listdir(tmp_path)) == 1


@pytest.mark.parametrize("path", ["\ud800", "a\0b", "n" * 300, "d/" * 3000 + "file"], ids=range(4))
def test_a_path_that_the_system_does_not_take_is_an_error(path: str) -> None:
    for call in (
        lambda: skopsafe.dump([1], path),
        lambda: skopsafe.load(path),
        lambda: skopsafe.load(path, mmap_mode="r"),
    ):
        with pytest.raises(skopsafe.FileError) as caught:
            call()
        assert len(str(caught.value)) < 2000
    with pytest.raises(skopsafe.PolicyError):
        skopsafe.loads(CONTENTS[0], policy=path)


def test_a_socket_has_no_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as made:
        monkeypatch.chdir(tmp_path)
        made.bind("socket")
        for call in (lambda: skopsafe.dump([1], path), lambda: skopsafe.load(path)):
            with pytest.raises(skopsafe.FileError):
                call()
    assert stat.S_ISSOCK(path.stat().st_mode)


def test_a_pipe_is_read_even_where_a_map_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    thread = threading.Thread(target=skopsafe.dump, args=(OBJECTS[1], path))
    thread.start()
    assert skopsafe.dumps(skopsafe.load(path, mmap_mode="r")) == CONTENTS[1]
    thread.join()


@pytest.mark.parametrize("mode", [None, "r", "c"])
@pytest.mark.parametrize("left", [0, 100, len(CONTENTS[1]) // 2])
def test_a_file_that_is_cut_while_it_is_read_is_an_error(
    mode: Any, left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before an array of it is mapped, that is; who reads a map behind the end of its file gets SIGBUS."""
    from skopsafe import api

    path = tmp_path / "model"
    skopsafe.dump(OBJECTS[1], path)
    approve = api.trust.approve

    def cut(*arguments: Any) -> Any:
        os.truncate(path, left)
        return approve(*arguments)

    monkeypatch.setattr(api.trust, "approve", cut)
    with pytest.raises(skopsafe.SkopsafeError):
        skopsafe.load(path, mmap_mode=mode)


CUT = """
import os, skopsafe
import numpy as np
skopsafe.dump(np.arange(1 << 16), "model")
mapped = skopsafe.load("model", mmap_mode="r")
os.truncate("model", 0)
mapped.sum()
"""


def test_a_map_of_a_file_that_is_cut_ends_the_process(tmp_path: Path) -> None:
    """As in any program; nobody else may write to a file that is mapped."""
    root = str(Path(skopsafe.__file__).parents[1])
    env = {**os.environ, "PYTHONPATH": root, "PYTHONFAULTHANDLER": ""}
    done = subprocess.run(
        [sys.executable, "-c", CUT], cwd=tmp_path, env=env, check=False, capture_output=True
    )
    assert done.returncode == -signal.SIGBUS


def test_a_file_system_that_does_not_map_is_an_error_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model"
    skopsafe.dump(OBJECTS[1], path)

    def refuse(*_: Any) -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr(np, "memmap", refuse)
    with pytest.raises(skopsafe.FileError, match="cannot be mapped") as caught:
        skopsafe.load(path, mmap_mode="r")
    assert caught.value.errno == 19


class Interrupt(KeyboardInterrupt):
    pass


def test_signals_at_random_moments_leave_nothing(tmp_path: Path) -> None:
    """As `test_interrupts` does at every place, but with real ones, which come while C runs, too."""
    path, rng, files = tmp_path / "model", random.Random(KILLS), len(os.listdir("/proc/self/fd"))
    skopsafe.dump(OBJECTS[0], path)
    main, begun = threading.get_ident(), threading.Event()

    def interrupt(*_: Any) -> None:
        raise Interrupt

    def write(number: int, compression: str) -> None:
        begun.set()
        while True:
            skopsafe.dump(OBJECTS[number], path, compression=compression)
            skopsafe.load(path)

    def send(delay: float) -> None:
        begun.wait()
        begun.clear()
        time.sleep(delay)
        signal.pthread_kill(main, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        for turn in range(KILLS):
            compression = "stored" if turn % 3 else "deflate"
            sender = threading.Thread(target=send, args=(rng.uniform(0.0, 0.02),))
            sender.start()
            with pytest.raises(Interrupt):
                write(turn % 4, compression)
            sender.join()
            assert gc.isenabled()
            assert os.listdir(tmp_path) == ["model"]
            assert skopsafe.dumps(skopsafe.load(path)) in CONTENTS
    finally:
        signal.signal(signal.SIGUSR1, before)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == files
