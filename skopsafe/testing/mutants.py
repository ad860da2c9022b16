"""Files changed at random, each audited, loaded and used by a process of its own kind: what becomes of them.

A *family* is a module with these names:

- ``MODELS``: by name, a function that returns a fitted model and valid input for it;
- ``outputs(model, X)``: calls every method that gives something out, and returns what it gave, as a dict;
- ``mutate(blob, rng)`` and ``BLOB`` (name of a handled type, name of its part; or a function of the model
  that returns them), where one part of a type is a blob that another parser reads: changes it so that the
  change reaches deep.

A worker makes a model and goes through numbered mutants; the number is all that is needed to make one again::

    python -m skopsafe.testing.mutants FAMILY MODEL 17 1

How a file is changed is told in `skopsafe.testing.mutate`; what is watched in `skopsafe.testing.use`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import queue
import random
import re
import signal
import subprocess
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skopsafe.testing import use
from skopsafe.testing.mutate import Subject, mutant, subject_of
from skopsafe.testing.mutate.grafts import DumpError

SECONDS = 30.0
"""How long one mutant may take: longer is a hang."""
DONORS = 2
"""How many other models of the family give parts for swaps and grafts."""
BAD = ("died", "hung", "undocumented", "effect", "memory")
"""How endings begin that must not be."""


@dataclass(slots=True)
class Tally:
    """What became of the mutants of a model.

    Attributes
    ----------
    endings : Counter of str
        ``loaded``, the class of the `SkopsafeError`, ``died: ...``, ``hung``, ``undocumented: ...``,
        ``effect: ...`` or ``memory: ...``.
    stages : Counter of (str, str)
        How many mutants of a layer got to a stage of `skopsafe.testing.use.STAGES`, and no further.
    bad : list of str
        Every ending but the first two kinds, with the number of the mutant.
    """

    endings: Counter[str] = field(default_factory=Counter)
    stages: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)

    def add(self, number: int, ending: str, layer: str, stage: str) -> None:
        """Count one ending."""
        self.endings[ending] += 1
        self.stages[layer, stage] += 1
        if ending.startswith(BAD):
            self.bad.append(f"{number}: {ending} ({layer}, {stage})")

    def __iadd__(self, other: Tally) -> Tally:
        self.endings += other.endings
        self.stages += other.stages
        self.bad += other.bad
        return self


def run(family: str, model: str, count: int, first: int = 0, seconds: float = SECONDS) -> Tally:
    """Let workers go through `count` mutants of a model; one that dies or hangs is followed by another."""
    tally, number, end = Tally(), first, first + count
    while number < end:
        for found in follow(["skopsafe.testing.mutants", family, model], number, end - number, seconds):
            tally.add(**found)
            number = found["number"] + 1
    return tally


def follow(worker: list[str], first: int, count: int, seconds: float = SECONDS) -> Iterator[dict[str, Any]]:
    """Start a worker, and yield what became of each mutant, up to one that it dies or hangs with.

    Parameters
    ----------
    worker : list of str
        The name of its module and what it is called with; the first number and how many follow. It writes a
        line of JSON for each mutant, at each stage, and at the end of it.
    first, count : int
        Which mutants.
    seconds : float
        How long one may take.
    """
    command = [sys.executable, "-X", "faulthandler", "-m", *worker, str(first), str(count)]
    environment = {"OMP_NUM_THREADS": "2", "PYTHONWARNINGS": "ignore"} | os.environ
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        lines: queue.Queue[str] = queue.Queue()
        errors: list[str] = []
        assert process.stdout is not None
        assert process.stderr is not None
        threading.Thread(target=_lines, args=(process.stdout, lines), daemon=True).start()
        reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
        reader.start()
        current: dict[str, Any] | None = None
        try:
            while True:
                # The first line waits for the model to be made.
                line = lines.get(timeout=seconds if current is not None else 20 * SECONDS)
                if not line:
                    break
                current = json.loads(line)
                if "ending" in current:
                    yield current
                    if current["number"] == first + count - 1:
                        return
                    current = {"number": current["number"] + 1, "layer": "?", "stage": "made"}
            process.wait()
            reader.join(5)
            if current is None:
                raise AssertionError(f"no mutant of {worker[-1]} could be made:\n{''.join(errors)}")
            yield current | {"ending": f"died: {process.returncode} {_place(errors)}"}
        except queue.Empty:
            assert current is not None, f"making {worker[-1]} takes too long"
            process.send_signal(signal.SIGABRT)  # faulthandler then says where it is
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            reader.join(5)
            yield current | {"ending": f"hung: {_place(errors)}"}
        finally:
            process.kill()


def _place(errors: list[str]) -> str:
    """Return the innermost places of the first traceback of `faulthandler`, or the last line there is."""
    folders = (os.getcwd(), str(Path(__file__).resolve().parents[2]))
    here = "|".join(re.escape(folder + os.sep) for folder in folders)
    lines = [line for line in errors if line.startswith("  File")]
    found = [re.sub(rf'.*/site-packages/|{here}|[",]|File', "", line).strip() for line in lines]
    return " < ".join(found[:4]) or "".join(errors[-1:]).strip()


def _lines(stream: Any, lines: queue.Queue[str]) -> None:
    for line in stream:
        if line.startswith('{"number"'):
            lines.put(line)
    lines.put("")


def tell(**line: Any) -> None:
    """Write a line for `follow`."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _family(name: str) -> Any:
    """Import a family by the name of its module or the path of its file."""
    if not name.endswith(".py"):
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location("family", name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["family"] = module
    spec.loader.exec_module(module)
    return module


def _subject(family: Any, name: str) -> tuple[Subject, Any]:
    """Make the model and the others of its family that give it parts, the same in each run."""
    names = sorted(family.MODELS)
    at = names.index(name)
    others = {names[(at + step) % len(names)] for step in (1, 7)[:DONORS]} - {name}
    donors = tuple(subject_of(family.MODELS[other]()[0]) for other in sorted(others))
    model, X = family.MODELS[name]()
    return subject_of(model, family, donors), X


def main(family_name: str, model_name: str, first: int, count: int) -> None:
    """Go through mutants, telling each before it is loaded, at each stage, and after."""
    warnings.simplefilter("ignore")
    family = _family(family_name)
    subject, X = _subject(family, model_name)
    watch = use.Watch(family.outputs, X, subject)
    for number in range(first, first + count):
        tell(number=number, layer="?", stage="made")
        rng = random.Random(f"{model_name} {number}")
        try:
            made = mutant(subject, rng)
        except DumpError as error:
            ending = f"undocumented: in dump: {error}"[:200]
            tell(number=number, layer="grafts", stage="made", ending=ending)
            continue

        def reached(stage: str, number: int = number, layer: str = made.layer) -> None:
            tell(number=number, layer=layer, stage=stage)

        ending, stage = watch.use(made.data, reached)
        tell(number=number, layer=made.layer, stage=stage, ending=ending)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
