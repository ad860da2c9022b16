"""Reads what pytest-benchmark wrote: the best of each measurement, and the facts beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LABELS = ("subject", "case", "verb", "library")
Key = tuple[str, str, str]


@dataclass(slots=True)
class Subject:
    """The measurements of one module.

    Attributes
    ----------
    best : dict
        Seconds by ``(case, verb, library)``.
    facts : dict
        What was noted beside times, by the same keys.
    rounds : dict
        How many measurements there were.
    """

    best: dict[Key, float] = field(default_factory=dict)
    facts: dict[Key, dict[str, Any]] = field(default_factory=dict)
    rounds: dict[Key, int] = field(default_factory=dict)

    def cases(self) -> list[str]:
        """Return the names of the cases in the order of the run."""
        return list(dict.fromkeys(case for case, _, _ in self.best))

    def ratio(self, case: str, verb: str, other: str, ours: str = "skopsafe") -> float | None:
        """Return the time of another library over ours, if there are both."""
        pair = self.best.get((case, verb, other)), self.best.get((case, verb, ours))
        return None if pair[0] is None or pair[1] is None else pair[0] / pair[1]


@dataclass(slots=True)
class Results:
    """All measurements of some files, and what they were made with."""

    subjects: dict[str, Subject]
    machine: dict[str, Any]


def read(paths: Iterable[Path]) -> Results:
    """Read files of pytest-benchmark; a later one adds to, and improves on, an earlier one."""
    results = Results({}, {})
    for path in paths:
        content = json.loads(path.read_text("utf-8"))
        results.machine = content["machine_info"]
        for entry in content["benchmarks"]:
            facts = dict(entry["extra_info"])
            name, *key = (facts.pop(label) for label in LABELS)
            subject = results.subjects.setdefault(name, Subject())
            place: Key = (key[0], key[1], key[2])
            seconds = min(entry["stats"]["min"], subject.best.get(place, math.inf))
            subject.best[place] = seconds
            subject.rounds[place] = subject.rounds.get(place, 0) + entry["stats"]["rounds"]
            subject.facts.setdefault(place, {}).update(_least(subject.facts.get(place, {}), facts))
    return results


def _least(before: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts, of those that are measured the smaller: noise only ever adds."""
    return {
        name: min(value, before.get(name, value)) if isinstance(value, (int, float)) else value
        for name, value in facts.items()
    }


def geometric_mean(values: Iterable[float | None]) -> float | None:
    """Return the geometric mean of the values there are."""
    logs = [math.log(value) for value in values if value is not None]
    return math.exp(sum(logs) / len(logs)) if logs else None


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the exponent of growth: the slope of the line through the logarithms of both."""
    xs, ys = [math.log(size) for size in sizes], [math.log(time) for time in seconds]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def number(value: float | None, most: int = 6) -> str:
    """Spell a number with three significant digits and at most so many decimals; None as nothing."""
    if value is None:
        return ""
    decimals = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{min(max(0, decimals), most)}f}"


def ratio(value: float | None) -> str:
    """Spell a ratio."""
    return number(value, 2)


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table: names to the left, numbers to the right."""
    lines = [f"| {' | '.join(heads)} |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def plain(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the same table for a terminal."""
    table = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )
