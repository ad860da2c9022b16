"""An interrupt leaves nothing behind: no half of a file, no open one, no thread, and gc as it was."""

from __future__ import annotations

import gc
import linecache
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skopsafe
from skopsafe.archive import crc, tasks
from tests.interrupts import interrupted

OBJECT = {"large": np.arange(crc.LARGE // 8 + 100.0), "small": [np.arange(5.0), "x", {1, 2}]}
AROUND = (
    "archive/replace",
    "archive/permissions",
    "archive/schema",
    "collecting",
    "memory",
    "streams",
    "api",
)
THREADS = ("archive/tasks", "archive/crc", "archive/zip_write", "archive/compression")

pytestmark = [
    pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="there is no list of open files"),
    # A file object that an interrupt leaves behind is closed when it is freed, and says so.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

STEP = 2 if os.environ.get("SKOPSAFE_KILLS", "20") == "20" else 1
"""How many places there are from one interrupt to the next; the session ``faults`` of nox leaves out none."""

Running = set[int]


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Running:
    """The tasks that are being worked on, each of which takes its time."""
    found: Running = set()
    run = tasks.Task._run

    def slowly(task: tasks.Task[Any], function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        def work(*given: Any) -> Any:
            found.add(id(task))
            try:
                time.sleep(0.005)
                return function(*given)
            finally:
                found.discard(id(task))

        run(task, work, arguments)

    monkeypatch.setattr(tasks.Task, "_run", slowly)
    return found


def count(kind: str) -> int:
    return len(os.listdir(f"/proc/self/{kind}"))


def drained(running: Running, threads: int) -> bool:
    for _ in range(30_000):
        if not running and count("task") <= threads:
            return True
        time.sleep(0.001)
    return False


def check_nothing_is_left(place: str, running: Running, threads: int, files: int) -> None:
    path, _, line = place.rpartition(":")
    if path.endswith("/tasks.py") or "Task(" in linecache.getline(path, int(line)):
        # A thread that was being started just then is one that nobody can wait for. It ends by itself.
        assert drained(running, threads), f"a thread does not end after {place}"
    assert not running, f"a thread is left at {place}"
    assert count("fd") == files, f"a file is open at {place}"
    if not gc.isenabled():
        gc.enable()
        pytest.fail(f"nobody looks for garbage at {place}")


def places(
    call: Callable[[], object], modules: tuple[str, ...], running: Running, step: int = 1
) -> Iterator[str]:
    """Interrupt a call at every place, and see that nothing is left."""
    call()  # what is imported at the first time is imported
    time.sleep(0.1)  # and its threads have come to their end
    threads, files, passed = count("task"), count("fd"), 0
    for place in interrupted(call, *modules, step=step):
        check_nothing_is_left(place, running, threads, files)
        yield place
        passed += 1
    assert passed > 10


@pytest.mark.parametrize(
    ("compression", "modules", "step"),
    [
        ("stored", AROUND, 1),
        ("stored", THREADS, STEP),
        ("deflate", THREADS, 3 * STEP),
        ("bzip2", ("archive/compression",), STEP),
    ],
)
def test_a_dump_that_is_interrupted_leaves_the_old_file_or_the_new_one(
    compression: str, modules: tuple[str, ...], step: int, tmp_path: Path, running: Running
) -> None:
    path = tmp_path / "model"
    values: Any = OBJECT if compression == "stored" else [np.zeros(9_000 + size) for size in range(3)]
    skopsafe.dump(values, path, compression=compression)
    new, old = path.read_bytes(), skopsafe.dumps("old")
    for place in places(lambda: skopsafe.dump(values, path, compression=compression), modules, running, step):
        assert os.listdir(tmp_path) == ["model"], f"a temporary file is left at {place}"
        content = path.read_bytes()
        assert content in (old, new), f"half a file is left at {place}"
        path.write_bytes(old)


def test_a_load_that_is_interrupted_leaves_no_file_open(tmp_path: Path, running: Running) -> None:
    path = tmp_path / "model"
    skopsafe.dump(OBJECT, path)
    modules = (*AROUND, *THREADS, "archive/access")
    assert list(places(lambda: skopsafe.load(path), modules, running, STEP))
    assert np.array_equal(skopsafe.load(path)["large"], OBJECT["large"])
