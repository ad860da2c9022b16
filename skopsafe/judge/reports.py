"""What an inspection of a file came to: records for people, and for programs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from skopsafe.errors import escape
from skopsafe.foreign.pickles.machine import Operation
from skopsafe.foreign.pickles.values import Call, Global
from skopsafe.judge.judging import Judged
from skopsafe.judge.levels import Level, rank, worst_level
from skopsafe.judge.shown import show

SAFE, UNSURE, MALICIOUS, UNREADABLE = 0, 1, 2, 3
_FIELDS = ("kind", "offset", "what", "name", "verdict", "rule", "reason", "pickle", "path")
_REASONS = 50
"""Reasons that a report repeats at its top."""


class OperationReport(msgspec.Struct, frozen=True, eq=False):
    """An operation, as it is shown.

    Attributes
    ----------
    kind : str
        That of the operation; ``remark`` for what is none.
    offset : int
        Of the opcode in its stream, in bytes.
    verdict, rule, reason : str
        What is said of it, by which rule, and why.
    pickle : int
        In which pickle of the file, from 0 on.
    path : str
        In which part of a container; empty for a file that is none.
    operation : Operation, tuple of (str, str) or None
        As the machine wrote it down; once it is settled, `what` and `name`; None for a remark.
    """

    kind: str
    offset: int
    verdict: Level
    rule: str
    reason: str
    pickle: int
    path: str = ""
    operation: Operation | tuple[str, str] | None = None

    @property
    def what(self) -> str:
        """What is imported, called or changed, escaped and abbreviated; put together when it is asked for."""
        if isinstance(self.operation, tuple):
            return self.operation[0]
        return "" if self.operation is None else _what(self.operation)

    @property
    def name(self) -> str:
        """``module:qualname`` of what is imported or called, where that is known; else empty."""
        if isinstance(self.operation, tuple):
            return self.operation[1]
        return "" if self.operation is None else _name(self.operation)

    def settled(self) -> OperationReport:
        """Return it with its texts in place of the records, which lead to all that the pickle holds."""
        return msgspec.structs.replace(self, operation=(self.what, self.name))

    def __reduce__(self) -> tuple[Any, ...]:
        return OperationReport, msgspec.structs.astuple(self.settled())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OperationReport) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.kind, self.offset, self.rule, self.pickle, self.path))

    def __repr__(self) -> str:
        return f"OperationReport({', '.join(f'{name}={value!r}' for name, value in self.to_dict().items())})"

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {name: getattr(self, name) for name in _FIELDS}


@dataclass(frozen=True, slots=True)
class PickleReport:
    """What loading the pickles of a file would do, and what to think of that.

    Attributes
    ----------
    file : str
        Its name, escaped; empty for a file object.
    verdict : {"safe", "unknown", "suspicious", "malicious"}
        ``safe``: loading calls only what was reviewed, and all of it was followed.
    reasons : tuple of str
        Why it is not safe, the worst first.
    operations : tuple of OperationReport
        All that loading would do, in order.
    pickles : int
        How many the file has.
    errors : tuple of str
        Where pickles break off.
    """

    file: str
    verdict: Level
    reasons: tuple[str, ...]
    operations: tuple[OperationReport, ...]
    pickles: int
    errors: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 for safe, 1 for unknown and suspicious, 2 for malicious, 3 for what breaks off."""
        if self.verdict == "malicious":
            return MALICIOUS
        if self.errors:
            return UNREADABLE
        return SAFE if self.verdict == "safe" else UNSURE

    def settled(self) -> PickleReport:
        """Return it without the records, which take as much memory as the pickle."""
        return replace(self, operations=tuple(operation.settled() for operation in self.operations))

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        return {
            "file": self.file,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "pickles": self.pickles,
            "errors": list(self.errors),
            "operations": [operation.to_dict() for operation in self.operations],
        }

    def __str__(self) -> str:
        from skopsafe.report.pickles import text

        return text(self)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in a stream of a file.

    Attributes
    ----------
    path : str
        Where it is in the container.
    kind : str
        As `files.Stream` tells it.
    notes : tuple of str
        What is odd about the way to it.
    judged : list of Judged
        Its pickles, in each way in which they are read.
    """

    path: str
    kind: str
    notes: tuple[str, ...]
    judged: list[Judged]


def report(file: str, seen: list[Seen]) -> PickleReport:
    """Put together what was found in the pickles of a file.

    Parameters
    ----------
    file : str
        Its name.
    seen : list of Seen
        By stream.
    """
    operations: list[OperationReport] = []
    errors: list[str] = []
    number = 0
    for stream in seen:
        where = escape(stream.path)
        behind = f" of {where}" if where else ""
        notes = [note for note in stream.notes if not note.startswith("it is compressed")]
        if stream.kind == "unreadable":
            errors.append(escape(f"{where or 'the file'} cannot be read: {'; '.join(stream.notes)}"))
        for note in notes:
            remark = escape(note)
            operations.append(OperationReport("remark", 0, "unknown", "container", remark, 0, where))
        for each in stream.judged:
            if each.pickle.error and each.is_usual:
                why = escape(each.pickle.error)
                errors.append(f"pickle {number}{behind} breaks off at byte {each.pickle.end}: {why}")
            operations += _operations(each, number, where)
            number += each.is_usual
    bad = sorted((o for o in operations if o.verdict != "safe"), key=lambda o: -rank(o.verdict))
    levels: list[Level] = [bad[0].verdict] if bad else []
    if errors:
        levels.append("unknown")
    reasons = tuple(dict.fromkeys(o.reason for o in bad))[:_REASONS]
    return PickleReport(escape(file), worst_level(levels), reasons, tuple(operations), number, tuple(errors))


def _operations(judged: Judged, number: int, where: str) -> list[OperationReport]:
    found = [
        OperationReport(op.kind, op.offset, said.level, said.rule, said.reason, number, where, op)
        for op, said in judged.operations
    ]
    for offset, said in judged.remarks:
        reason = escape(said.reason)
        found.append(OperationReport("remark", offset, said.level, said.rule, reason, number, where))
    return found


def _what(op: Operation) -> str:
    shown = show(op.value)
    match op.kind:
        case "import" | "call":
            return shown
        case "build":
            return f"{show(op.value, 2)} <- {show(op.argument, 2)}"
    return f"{show(op.value, 2)} <- {show(tuple(op.argument), 2)}"


def _name(op: Operation) -> str:
    value = op.value
    if isinstance(value, Call):
        value = value.function
    return escape(value.spelled) if isinstance(value, Global) else ""
