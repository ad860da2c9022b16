"""The command ``inspect``: pickles in a file, or in all files of a folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import click

from skopsafe.console import UNREADABLE, say, worst
from skopsafe.errors import SkopsafeError, escape

if TYPE_CHECKING:
    from skopsafe.judge.reports import PickleReport

_BEGINNINGS = (b"\x80", b"(", b"]", b"}", b"c", b"i", b"S", b"V", b"I", b"N", b"\x8c", b"X", b"F", b"L")
_ENDINGS = (
    ".pkl",
    ".pickle",
    ".joblib",
    ".p",
    ".pk",
    ".dat",
    ".data",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".sav",
    ".mdl",
)
_AT_ONCE = 8
"""Files from which on several processes look at them."""


@click.command()
@click.argument("path", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
@click.option(
    "--sarif", "as_sarif", is_flag=True, help="Print the findings as SARIF 2.1.0, for code scanning."
)
@click.option("--all", "everything", is_flag=True, help="Show safe operations too.")
@click.option(
    "--jobs", type=click.IntRange(1), default=None, help="Processes for a folder; as many as cores."
)
@click.pass_context
def inspect(
    ctx: click.Context, path: str, as_json: bool, as_sarif: bool, everything: bool, jobs: int | None
) -> None:
    """Say what loading the pickle PATH would do, without loading it. PATH may be a folder of pickles.

    Exit code: 0 safe, 1 unknown or suspicious, 2 malicious, 3 it is no pickle, or cannot be read to its end;
    of several files, the worst.
    """
    if as_json and as_sarif:
        raise click.UsageError("--json and --sarif exclude each other")
    if os.path.isdir(path):
        found = _in_folder(path, jobs)
    else:
        found = [_look(path)]
        if isinstance(found[0][1], str) and not (as_json or as_sarif):
            say(f"Error: {found[0][1]}", err=True)
            ctx.exit(UNREADABLE)
    if as_sarif:
        from skopsafe.report.sarif import sarif

        say(json.dumps(sarif(found), indent=2))
    elif as_json:
        reports = [_to_dict(file, report) for file, report in found]
        say(json.dumps(reports if os.path.isdir(path) else reports[0], indent=2))
    elif os.path.isdir(path):
        from skopsafe.report.pickles import table

        say(table(found, everything=everything))
    else:
        from skopsafe.report.pickles import text

        report = found[0][1]
        assert not isinstance(report, str)
        say(text(report, everything=everything))
    codes = {UNREADABLE if isinstance(report, str) else report.exit_code for _, report in found}
    ctx.exit(worst(codes))


def _to_dict(file: str, report: PickleReport | str) -> dict[str, Any]:
    if isinstance(report, str):
        return {"file": escape(file), "verdict": None, "error": report}
    return report.to_dict()


def _look(path: str) -> tuple[str, PickleReport | str]:
    """Return the report of a file, or the text of the error."""
    from skopsafe.inspecting import inspect_pickle

    try:
        return path, inspect_pickle(path).settled()
    except SkopsafeError as error:
        return path, str(error)


def _in_folder(folder: str, jobs: int | None) -> list[tuple[str, PickleReport | str]]:
    files = sorted(_pickles(folder))
    jobs = min(jobs or os.cpu_count() or 1, max(len(files) // _AT_ONCE, 1))
    found: dict[str, PickleReport | str] = {}
    with click.progressbar(length=len(files), label="inspect", file=sys.stderr) as bar:
        if jobs == 1:
            for file in files:
                found[file] = _look(file)[1]
                bar.update(1)
        else:
            with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
                waiting = {pool.submit(_look, file): file for file in files}
                for done in as_completed(waiting):
                    try:
                        found[waiting[done]] = done.result()[1]
                    except BrokenProcessPool:
                        found[waiting[done]] = "a process ended while it looked at files; take fewer --jobs"
                    bar.update(1)
    return [(file, found[file]) for file in files]


def _pickles(folder: str) -> Iterator[str]:
    """Yield the files of a folder that have the ending of pickles, or begin as they do; follow no links."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in files:
            file = os.path.join(place, name)
            if os.path.isfile(file) and (name.lower().endswith(_ENDINGS) or _begins_as_one(file)):
                yield file


def _begins_as_one(file: str) -> bool:
    try:
        with open(file, "rb") as stream:
            head = stream.read(2)
            if head[:1] == b"\x80":
                return len(head) == 2 and head[1] <= 5
            if head[:1] not in _BEGINNINGS:
                return False
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) == b"."
    except OSError:
        return False
