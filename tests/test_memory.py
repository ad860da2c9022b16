"""A lack of memory: an error of ours that is a MemoryError, and never called damage."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skopsafe

LITTLE = """
import gc, os, resource, sys
import numpy as np, skopsafe
data = skopsafe.dumps(np.zeros(1 << 27, np.uint8), compression="deflate", compresslevel=1)
skopsafe.dump("old", "model"), skopsafe.loads(skopsafe.dumps(np.zeros(1 << 16)))
kept = np.zeros(1 << 26, np.uint8)
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 25), resource.RLIM_INFINITY))
for call in (
    lambda: skopsafe.loads(data),
    lambda: skopsafe.loads(bytearray(kept)),
    lambda: skopsafe.dumps(kept),
    lambda: skopsafe.dump(kept[::-1], "model"),
):
    try:
        call()
    except skopsafe.SkopsafeError as error:
        assert isinstance(error, MemoryError) and type(error) is skopsafe.OutOfMemoryError, error
        print("ours", gc.isenabled(), skopsafe.load("model"), os.listdir("."))
    except MemoryError:
        print("of the caller")
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the size of the process is not known")
def test_a_process_without_memory_gets_an_error_of_ours(tmp_path: Path) -> None:
    root = str(Path(skopsafe.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", LITTLE],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ours = "ours True old ['model']"
    assert done.stdout.splitlines() == [ours, "of the caller", ours, ours]


class Bomb:
    def __getstate__(self) -> Any:
        raise MemoryError


def raising(*_: Any, **__: Any) -> Any:
    raise MemoryError("no more")


def test_an_object_that_needs_too_much_is_not_called_unsupported() -> None:
    for obj in (Bomb(), [1, Bomb()], [Bomb() for _ in range(9)]):
        with pytest.raises(skopsafe.OutOfMemoryError, match="not enough memory"):
            skopsafe.dumps(obj)
        assert gc.isenabled()


@pytest.mark.parametrize("compression", ["stored", "deflate"])
def test_a_file_that_needs_too_much_is_not_called_damaged(
    compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = skopsafe.dumps([np.arange(20_000), np.arange(5), np.float64(1)], compression=compression)
    monkeypatch.setattr(np, "empty", raising)
    with pytest.raises(skopsafe.OutOfMemoryError, match="no more") as caught:
        skopsafe.loads(data)
    assert isinstance(caught.value.__cause__, MemoryError)
    assert caught.value.next_step
    assert gc.isenabled()


@pytest.mark.parametrize("name", ["audit", "visualize", "load", "get_untrusted_types"])
def test_every_way_in_says_so(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from skopsafe.archive import schema

    path = tmp_path / "model"
    skopsafe.dump([1], path)
    call = getattr(skopsafe, name)
    assert call(path) is not None
    monkeypatch.setattr(schema, "Reader", raising)
    with pytest.raises(skopsafe.OutOfMemoryError):
        call(path)
    assert gc.isenabled()
