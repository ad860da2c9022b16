"""Shows what a crafted model does to a process where nothing checks it: each is run in a fork of its own."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DRIVER = """
import json, os, pickle, resource, sys, warnings
import sklearn.cluster, sklearn.covariance, sklearn.neighbors, sklearn.svm
warnings.simplefilter("ignore")
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
ended = {}
for name in sorted(os.listdir(sys.argv[1])):
    child = os.fork()
    if child == 0:
        os.close(2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            with open(os.path.join(sys.argv[1], name), "rb") as file:
                model, method, args = pickle.load(file)
            getattr(model, method)(*args)
        except BaseException:
            os._exit(1)
        os._exit(0)
    ended[name] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps(ended))
"""


@dataclass(frozen=True)
class Case:
    """A crafted model.

    Attributes
    ----------
    make : callable
        Returns the model, the method that goes wrong, and its arguments.
    match : str
        What the error of the load says.
    crashes : bool
        Whether the process always dies of it; otherwise it reads what happens to stand there, or has
        another fault that shows only at times.
    """

    make: Callable[[], tuple[Any, str, tuple[Any, ...]]]
    match: str
    crashes: bool = True


def endings(cases: dict[str, Case], folder: Path) -> dict[str, int]:
    """Return how a process ends that unpickles and uses each model: negative for a signal."""
    for name, case in cases.items():
        (folder / name).write_bytes(pickle.dumps(case.make()))
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER, str(folder)], capture_output=True, text=True, check=True, timeout=300
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found


def assert_most_kill(cases: dict[str, Case], folder: Path) -> None:
    """Assert that processes die of the cases that crash.

    What stands behind an array is chance: not every one of them dies of it every time.
    """
    ended = endings({name: case for name, case in cases.items() if case.crashes}, folder)
    died = [name for name, code in ended.items() if code < 0]
    assert len(died) >= 0.7 * len(ended), ended
