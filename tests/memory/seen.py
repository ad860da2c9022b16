"""Uses crafted models, each in a fork of its own under the allocator, and tells how each process ends.

::

    python -m tests.memory.seen FOLDER

FOLDER holds pickles of a model, the name of a method and its arguments, as `tests.attacks.crashes` has them.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import json
import os
import pickle
import resource
import signal
import subprocess
import sys
import warnings
from pathlib import Path

from tests.attacks.crashes import Case
from tests.memory.guard import Guard, environment

_SECONDS = 10


def endings(cases: dict[str, Case], folder: Path, side: str = "end") -> dict[str, str]:
    """Return what the allocator says of each model, or an empty text where the process lives on."""
    for name, case in cases.items():
        (folder / name).write_bytes(pickle.dumps(case.make()))
    done = subprocess.run(
        [sys.executable, "-m", "tests.memory.seen", str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env=environment(side),
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _ending(path: Path) -> str:
    """Use one model in a fork."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(into, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        signal.alarm(_SECONDS)
        guard = Guard()
        guard.take_numpy()
        guard.turn_on()
        with contextlib.suppress(Exception):
            # A copy: arrays out of a pickle lie in the middle of its bytes.
            model, method, args = copy.deepcopy(pickle.loads(path.read_bytes()))
            getattr(model, method)(*args)
        os._exit(0)
    os.close(into)
    with open(out, errors="replace") as stream:
        text = stream.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    told = [line for line in text.splitlines() if line.startswith("guard:")]
    return (told or [f"ended with {code}"])[-1] if code else ""


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name in ("cluster", "covariance", "ensemble", "neighbors", "preprocessing", "svm"):
        importlib.import_module(f"sklearn.{name}")

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(json.dumps({path.name: _ending(path) for path in sorted(Path(sys.argv[1]).iterdir())}))
