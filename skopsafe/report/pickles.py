"""A `PickleReport` as text: the verdict, the reasons, and the operations in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skopsafe.errors import escape
from skopsafe.judge.levels import LEVELS, rank

if TYPE_CHECKING:
    from skopsafe.judge.reports import OperationReport, PickleReport

_SHOWN = 200
"""Operations that are shown; all are in the JSON."""
_VERBS = {
    "import": "imports",
    "call": "calls",
    "build": "sets state",
    "append": "appends",
    "setitem": "sets items",
    "add": "adds",
    "remark": "note",
}
_MEANING = {
    "safe": "loading calls only what was reviewed",
    "unknown": "loading does things that nobody reviewed, or that could not be followed",
    "suspicious": "loading does what no library asks for",
    "malicious": "loading would attack",
}


def text(report: PickleReport, *, everything: bool = False) -> str:
    """Return a report as lines of text.

    Parameters
    ----------
    report : PickleReport
        What to show.
    everything : bool
        Whether safe operations are shown too.
    """
    name = f"{report.file}: " if report.file else ""
    lines = [f"{name}{report.verdict}: {_MEANING[report.verdict]}"]
    counts = {level: sum(op.verdict == level for op in report.operations) for level in LEVELS}
    told = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
    is_plain = not report.operations
    what = "plain data, nothing to run" if is_plain else f"{len(report.operations)} operations: {told}"
    lines.append(f"  {report.pickles} pickle{'s' * (report.pickles != 1)}, {what}")
    lines += [f"  {error}" for error in report.errors]
    shown = [op for op in report.operations if everything or op.verdict != "safe"]
    for op in shown[:_SHOWN]:
        lines += _lines(op)
    if len(shown) > _SHOWN:
        lines.append(f"  ... {len(shown) - _SHOWN} more")
    return "\n".join(lines)


def _lines(op: OperationReport) -> list[str]:
    where = f"{op.path}:{op.offset}" if op.path else str(op.offset)
    head = f"  {where:>8}  {op.verdict:10}  {_VERBS[op.kind]} {op.what}".rstrip()
    return [head, f"            {op.reason}"] if op.verdict != "safe" and op.reason else [head]


def table(found: list[tuple[str, PickleReport | str]], *, everything: bool = False) -> str:
    """Return one line for each of several files, the worst first, and how many there are of each verdict.

    Parameters
    ----------
    found : list of (str, PickleReport or str)
        By file: the report, or the error in its place.
    everything : bool
        Whether safe files are listed too.
    """
    order: dict[str, int] = {level: -rank(level) for level in LEVELS}
    rows = []
    counts: dict[str, int] = {}
    for file, report in found:
        verdict = "unreadable" if isinstance(report, str) else report.verdict
        counts[verdict] = counts.get(verdict, 0) + 1
        reason = report if isinstance(report, str) else "; ".join((*report.reasons[:1], *report.errors[:1]))
        if verdict != "safe" or everything:
            rows.append((order.get(verdict, -1), escape(file), verdict, reason))
    lines = [
        f"{verdict:10}  {file}{f'  {reason}' if reason else ''}" for _, file, verdict, reason in sorted(rows)
    ]
    told = ", ".join(
        f"{counts[level]} {level}" for level in (*reversed(LEVELS), "unreadable") if level in counts
    )
    return "\n".join([*lines, f"{len(found)} files: {told or 'none is a pickle'}"])
