"""Looks for inputs that no target may fail, and lets the corpus grow: ``python -m tests.fuzz``.

::

    python -m tests.fuzz --seconds 60                # each target for a minute
    python -m tests.fuzz --seconds 600 npy pickles   # two of them
    python -m tests.fuzz --seeds                     # add files of small models that reach more
    python -m tests.fuzz --coverage                  # only say which lines the corpus reaches

Prints executions, the stages that inputs got to, lines covered, and findings with a shrunk input each, which
it puts into ``crashers``. Ends with 1 where there are findings. Needs atheris; ``--plain`` does without, and
is a hundred times slower.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.fuzz.arcs import lines_of
from tests.fuzz.corpus import CORPUS, CRASHERS, fails_as, failure, inputs, keep, known_arcs, news, of, shrunk
from tests.fuzz.seeds import SEEDS
from tests.fuzz.stages import reached
from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.words import WORDS

ROOT = Path(__file__).resolve().parent.parent.parent
_MEMORY = 2048
_TIMEOUT = 10


@dataclass(frozen=True)
class Outcome:
    """What a run of the engine gave."""

    executions: int
    stages: dict[str, int]
    found: list[bytes]
    artifacts: list[bytes]
    log: str


def run_engine(name: str, target: Target, seconds: int, folder: Path) -> Outcome:
    """Let the engine look for inputs, in a process that may die."""
    seeds, new, artifacts = (folder / part for part in ("seeds", "new", "artifacts"))
    for part in (seeds, new, artifacts):
        part.mkdir(parents=True)
    for data in of(name):
        keep(seeds, data)
    words, statistics = folder / "words", folder / "statistics.json"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS[name]))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz.guided", name, str(statistics)),
            *(f"-max_total_time={seconds}", f"-timeout={_TIMEOUT}", f"-rss_limit_mb={_MEMORY}"),
            *(f"-max_len={target.longest}", f"-dict={words}", f"-artifact_prefix={artifacts}/"),
            *("-mutate_depth=1", "-print_final_stats=1", str(new), str(seeds)),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    log = done.stdout + done.stderr
    state: Any = (
        json.loads(statistics.read_text()) if statistics.exists() else {"executions": 0, "stages": {}}
    )
    found = list(inputs(artifacts).values())
    if done.returncode and not found:
        raise RuntimeError(f"the engine failed for {name}:\n{log[-3000:]}")
    return Outcome(state["executions"], state["stages"], list(inputs(new).values()), found, log)


def run_plain(target: Target, seconds: int, kept: list[bytes]) -> Outcome:
    """Look for inputs without an engine: mutants of those that are kept, and of mutants that reach more."""
    rng, arcs, end = random.Random(), known_arcs(target, kept), time.monotonic() + seconds
    found: list[bytes] = []
    failed: list[bytes] = []
    executions = 0
    reached.clear()
    while time.monotonic() < end and not failed:
        data = target.mutate(rng.choice(kept + found), rng)[: target.longest]
        executions += 1
        if failure(target, data):
            failed.append(data)
        found += news(target, [data], arcs)
    return Outcome(executions, dict(reached), found, failed, "")


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def report(target: Target, arcs: set[tuple[str, int, int]]) -> str:
    """Say how many lines of the target's modules are covered."""
    lines = lines_of(target.modules)
    hit = {(name, line) for name, _, line in arcs}
    covered = {name: sum((name, line) in hit for line in numbers) for name, numbers in lines.items()}
    every = sum(map(len, lines.values()))
    rows = [
        f"  {covered[name]:>5} of {len(numbers):>4}  {Path(name).name}" for name, numbers in lines.items()
    ]
    return "\n".join([f"  {sum(covered.values())} of {every} lines", *rows])


def look(name: str, seconds: int, *, grow: bool, plain: bool) -> int:
    """Look for inputs of a target, keep what is new, and return how many findings there are."""
    target = TARGETS[name]
    arcs = known_arcs(target, of(name))
    before = len(arcs)
    if plain:
        outcome = run_plain(target, seconds, of(name))
    else:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            outcome = run_engine(name, target, seconds, Path(folder))
    fresh = list(news(target, outcome.found, arcs))
    for data in fresh if grow else []:
        keep(CORPUS / name, data)
    print(
        f"{name}: {outcome.executions:,} executions, {len(fresh)} inputs with {len(arcs) - before} new arcs"
    )
    print("\n".join(f"  {count:>9,}  {stage}" for stage, count in sorted(outcome.stages.items())))
    print(report(target, arcs), flush=True)
    # What the engine found new may also be new work: it does not look at that itself.
    findings = outcome.artifacts + [data for data in outcome.found if failure(target, data)]
    for data in findings:
        what = failure(target, data)
        small = shrunk(data, partial(fails_as, target, what)) if what else data
        path = keep(CRASHERS / name, small) if grow else small
        print(
            f"  FINDING {path}: {what or 'too slow, or too much memory'}\n{outcome.log[-2000:]}", flush=True
        )
    return len(findings)


def main() -> int:
    """Run what the arguments say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; all if none is given")
    parser.add_argument("--seconds", type=int, default=60, help="how long each target runs")
    parser.add_argument("--coverage", action="store_true", help="only say what the corpus covers")
    parser.add_argument("--seeds", action="store_true", help="only add inputs made of small models")
    parser.add_argument("--plain", action="store_true", help="without atheris")
    parser.add_argument("--forget", action="store_true", help="keep nothing of what is found")
    options = parser.parse_args()
    findings = 0
    for name in options.targets or TARGETS:
        if options.coverage:
            kept = of(name)
            print(f"{name}: {len(kept)} inputs")
            print(report(TARGETS[name], known_arcs(TARGETS[name], kept)))
        elif options.seeds:
            kept = list(news(TARGETS[name], SEEDS[name](), known_arcs(TARGETS[name], of(name))))
            print(name, *(keep(CORPUS / name, data) for data in kept), sep="\n  ")
        else:
            findings += look(name, options.seconds, grow=not options.forget, plain=options.plain)
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
