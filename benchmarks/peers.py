"""Compares verdicts on the corpus with those of other scanners of pickles.

    python benchmarks/peers.py --python /path/to/venv/bin/python

That interpreter has fickling, picklescan and modelscan; they are installed apart, for they have dependencies
of their own. Every scanner looks at the same files, one after the other in one process, by its own
Python interface and with its defaults, several times over. None of the files is loaded.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

SECONDS = 60
"""Longest time for one file; a scanner that takes longer has not answered."""

DRIVER = """
import contextlib, io, json, logging, os, signal, sys, time, warnings
import importlib.metadata
warnings.simplefilter("ignore"); logging.disable(logging.CRITICAL)
tool, files = sys.argv[1], json.load(open(sys.argv[2]))

def picklescan():
    from picklescan.scanner import scan_file_path
    def look(path):
        found = scan_file_path(path)
        return found.issues_count > 0, bool(found.scan_err)
    return look

def fickling():
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import StackedPickle
    def look(path):
        with open(path, "rb") as file:
            found = [check_safety(pickled).severity for pickled in StackedPickle.load(file)]
        return any(severity > Severity.LIKELY_SAFE for severity in found), not found
    return look

def modelscan():
    from modelscan.modelscan import ModelScan
    def look(path):
        found = ModelScan().scan(path)
        summary = found["summary"]
        return summary["total_issues"] > 0, bool(found["errors"] or summary["skipped"]["total_skipped"])
    return look

def stop(*args):
    raise TimeoutError

look = {"picklescan": picklescan, "fickling": fickling, "modelscan": modelscan}[tool]()
signal.signal(signal.SIGALRM, stop)
out = sys.stdout
for round in range(int(sys.argv[4])):
    for path in files:
        start = time.perf_counter()
        signal.alarm(int(sys.argv[3]))
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                flagged, failed = look(path)
        except BaseException as error:
            flagged, failed = False, True
        signal.alarm(0)
        print(json.dumps([path, flagged, failed, time.perf_counter() - start]), file=out, flush=True)
print(json.dumps(["version", importlib.metadata.version(tool), False, 0]), file=out)
"""

ROUNDS = 4
"""How often each scanner looks at all files. The first time tells what it takes to get ready."""

Row = tuple[str, bool, bool, float]
"""A file: its path, whether it was flagged, whether the scanner failed on it, seconds."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a scanner said: its version, rows with the shortest times, and seconds of the first round."""

    version: str
    rows: list[Row]
    first: float


def result(version: str, rows: list[Row], count: int) -> Result:
    """Take rounds over the same files together."""
    rounds = [rows[start : start + count] for start in range(0, len(rows), count)]
    best = [(*same[0][:3], min(row[3] for row in same)) for same in zip(*rounds, strict=True)]
    return Result(version, best, sum(row[3] for row in rounds[0]))


def peer(python: str, tool: str, files: list[str], folder: Path) -> Result:
    """Let another scanner look at files, and return what it says of each."""
    (folder / "driver.py").write_text(DRIVER)
    (folder / "files.json").write_text(json.dumps(files))
    command = [python, str(folder / "driver.py"), tool, str(folder / "files.json"), str(SECONDS), str(ROUNDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    if done.returncode:
        raise SystemExit(f"{tool}: {done.stderr[-2000:]}")
    rows = [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("[")]
    return result(str(rows[-1][1]), [row for row in rows[:-1] if len(row) == 4], len(files))


def ours(files: list[str]) -> Result:
    """Look at files with skopsafe: flagged is what is suspicious or malicious."""
    import skopsafe
    from skopsafe.inspecting import inspect_pickle

    rows = []
    for file in files * ROUNDS:
        start = time.perf_counter()
        try:
            report = inspect_pickle(file)
            flagged, failed = report.verdict in ("suspicious", "malicious"), bool(report.errors)
        except skopsafe.SkopsafeError:
            flagged, failed = False, True
        rows.append((file, flagged, failed, time.perf_counter() - start))
    return result(skopsafe.__version__, rows, len(files))


def table(results: dict[str, Result]) -> str:
    """Return the results as a table of a document.

    Times are of pickles that every scanner reads to their end: none fails on them, and there is no array of
    joblib between their opcodes, at which the others stop.
    """
    lines = [
        "| Scanner | Malicious found | Missed | Failed, skipped | Benign flagged | Failed, skipped "
        "| Models, median ms | Malicious, median ms | Together, s | First time, s |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    left_out = {row[0] for found in results.values() for row in found.rows if row[2]}
    left_out |= {row[0] for found in results.values() for row in found.rows if row[0].endswith(".joblib")}
    for tool, found in results.items():
        rows = found.rows
        bad = [row for row in rows if "/malicious/" in row[0]]
        good = [row for row in rows if "/benign/" in row[0]]
        missed = [row for row in bad if not row[1]]
        timed = [[row[3] for row in kind if row[0] not in left_out] for kind in (good, bad)]
        lines.append(
            f"| {tool} {found.version} | {len(bad) - len(missed)} of {len(bad)} | {len(missed)} "
            f"| {sum(row[2] for row in missed)} | {sum(row[1] for row in good)} of {len(good)} "
            f"| {sum(row[2] and not row[1] for row in good)} "
            f"| {1000 * median(timed[0]):.3f} | {1000 * median(timed[1]):.3f} "
            f"| {sum(map(sum, timed)):.2f} | {found.first:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Write the corpus, let all look at it, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--python", required=True, help="interpreter with the other scanners")
    parser.add_argument("--every", type=int, default=1, help="take one of so many estimators")
    parser.add_argument("--missed", action="store_true", help="name what each has missed or flagged")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.corpus.__main__ import write

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder, options.every)
        files = sorted(map(str, folder.glob("*/*")))
        looks: dict[str, Callable[[], Any]] = {"skopsafe": lambda: ours(files)}
        for tool in ("picklescan", "fickling", "modelscan"):
            looks[tool] = lambda tool=tool: peer(options.python, tool, files, folder)  # type: ignore[misc]
        results = {tool: look() for tool, look in looks.items()}
        print(table(results))
        if options.missed:
            for tool, found in results.items():
                for path, flagged, failed, _ in found.rows:
                    if flagged != ("/malicious/" in path):
                        print(tool, "flagged" if flagged else "missed", Path(path).name, "failed" * failed)


if __name__ == "__main__":
    main()
