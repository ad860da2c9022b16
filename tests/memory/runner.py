"""Lets workers go through mutants; one that dies or hangs is followed by another."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from tests.memory import memcheck
from tests.memory.guard import environment

_SECONDS = {"memcheck": 1800.0}  # how long one mutant may take
_START = 600.0  # how long it may take until a model is made
_BAD = ("died", "hung", "undocumented", "uninitialised", "unsteady")


@dataclass(slots=True)
class Seen:
    """What became of the mutants of some models.

    Attributes
    ----------
    endings : Counter of str
        How many ended in which way.
    bad : list of str
        Those that died, hung, raised what no user expects, showed uninitialised memory, or of which memcheck
        reported an access.
    usual : int
        Reports of memcheck of places that it reported of an unchanged file too, or of the imports.
    passed_on : int
        Blocks that the allocator could not guard.
    """

    endings: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    usual: int = 0
    passed_on: int = 0

    def add(self, line: dict[str, Any]) -> None:
        """Count one ending."""
        ending = line["ending"]
        self.endings[ending.partition(":")[0]] += 1
        self.passed_on = max(self.passed_on, line.get("passed_on", 0))
        if ending.startswith(_BAD):
            self.bad.append(f"{line['model']} {line['number']}: {ending}")


def environment_of(tool: str, side: str) -> dict[str, str]:
    """Return the environment of the workers of a tool."""
    if tool == "guard":
        return environment(side) | {"PYTHONWARNINGS": "ignore"}
    # Where Python asks malloc for everything, what it gives back is filled, and seen by memcheck. Blocks that
    # a thread keeps to use again glibc does not fill: it is to keep none.
    more = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
    return os.environ | more | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def run(
    tool: str,
    family: str,
    models: list[str],
    last: int,
    first: int = -1,
    side: str = "end",
    tell: Callable[[str], object] = lambda _: None,
) -> Seen:
    """Let workers go through mutants `first` to ``last - 1`` of each model; `tell` what is bad at once."""
    seen, told = Seen(), 0
    reports = memcheck.Reports(seen.bad)
    left, start = list(models), first
    while left:
        reached = left[0], start
        reports.begin()
        for line in _worker(tool, family, left, start, last, side):
            if isinstance(line, str):
                reports.add(line)
            else:
                reports.at(line["model"], line["number"])
                if "ending" in line:
                    reached = line["model"], line["number"] + 1
                    seen.add(line)
            for bad in seen.bad[told:]:
                tell(bad)
            told = len(seen.bad)
        left, start = left[left.index(reached[0]) :], reached[1]
        if start >= last:
            left, start = left[1:], first
    seen.usual = reports.usual
    return seen


def _worker(
    tool: str, family: str, models: list[str], first: int, last: int, side: str
) -> Iterator[dict[str, Any] | str]:
    """Yield what a worker tells before and after each mutant, and the lines of memcheck between them."""
    seconds = _SECONDS.get(tool, 120.0)
    command = [sys.executable, "-m", "tests.memory.worker", tool, family, str(first), str(last), *models]
    with subprocess.Popen(
        [*memcheck.COMMAND, *command] if tool == "memcheck" else command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment_of(tool, side),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines: queue.Queue[str] = queue.Queue()
        errors: list[str] = []
        threading.Thread(target=_lines, args=(process.stdout, lines), daemon=True).start()
        reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
        reader.start()
        current: dict[str, Any] | None = None
        try:
            while line := lines.get(timeout=seconds if current else max(seconds, _START)):
                if not line.startswith("{"):
                    yield line
                    continue
                told = json.loads(line)
                current = None if "ending" in told else told
                yield told
            code = process.wait()
            reader.join()
            if current is not None:
                said = [line for line in errors if line.startswith("guard:")] or errors or [""]
                yield {**current, "ending": f"died: {code} {said[-1].strip()}"}
            elif code:
                raise AssertionError(f"a worker ended with {code}:\n{''.join(errors)}")
        except queue.Empty:
            assert current is not None, f"making one of {models} takes too long"
            yield {**current, "ending": "hung"}
        finally:
            process.kill()


def _lines(stream: IO[str], lines: queue.Queue[str]) -> None:
    for line in stream:
        if line.startswith(('{"model"', "==")):
            lines.put(line)
    lines.put("")
