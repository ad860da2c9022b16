"""Applies the rules to pickles: a verdict for each operation, each pickle and all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from skopsafe.foreign.pickles.machine import Operation, Pickle
from skopsafe.foreign.pickles.reading import Source
from skopsafe.judge import nested
from skopsafe.judge.levels import Finding, Level, worst_level
from skopsafe.judge.naming import Names
from skopsafe.judge.roles import reachable, used
from skopsafe.judge.rules import Context, finding
from skopsafe.judge.shapes import late_states


@dataclass(frozen=True, slots=True)
class Judged:
    """A pickle with what is said of it.

    Attributes
    ----------
    pickle : Pickle
        What it would do.
    operations : list of (Operation, Finding)
        In the order in which they would happen.
    remarks : list of (int, Finding)
        Beside operations, with their offsets: what could not be followed, pickles within it.
    level : str
        The verdict.
    is_usual : bool
        Whether loaders that know the format read it so.
    """

    pickle: Pickle
    operations: list[tuple[Operation, Finding]]
    remarks: list[tuple[int, Finding]]
    level: Level
    is_usual: bool = True


def judge(
    pickle: Pickle,
    names: Names,
    source: Source,
    levels: int = nested.LEVELS,
    *,
    is_usual: bool = True,
    beside: Mapping[str, Finding] | None = None,
) -> Judged:
    """Say what a pickle would do.

    Parameters
    ----------
    pickle : Pickle
        From the machine.
    names : Names
        Judges names.
    source : Source
        The stream, for pickles within it.
    levels : int
        How many pickles within pickles are looked at.
    is_usual : bool
        Whether loaders that know the format read it so. In other readings the bytes of arrays are opcodes by
        chance, and only what can be told from chance counts.
    beside : mapping of str to Finding, optional
        By the name of a file that it reads an array from: what was found there.
    """
    context = Context(names, used(pickle), reachable(pickle), beside or {}, late_states(pickle))
    operations = [(op, finding(op, context)) for op in pickle.operations]
    remarks: list[tuple[int, Finding]] = []
    if is_usual:
        remarks += [(at, _note(pickle, text)) for at, text in pickle.notes]
        if pickle.error:
            remarks.append((pickle.end, Finding("unknown", "breaks off", f"it breaks off: {pickle.error}")))
    else:
        operations = [(op, said) for op, said in operations if not _may_be_chance(op, said)]
    if not pickle.followed:
        why = "a loader may go on where this reader could not"
        remarks.append((pickle.end, Finding("unknown", "not followed", why)))
    remarks += _within(pickle, names, source, levels)
    found = [each.level for _, each in operations] + [each.level for _, each in remarks]
    return Judged(pickle, operations, remarks, worst_level(found), is_usual)


def _note(pickle: Pickle, text: str) -> Finding:
    # Files of some libraries go on in a form of their own: that is no sign of an attack.
    is_behind = bool(pickle.trailing) and text.endswith("no pickle")
    return Finding("unknown" if is_behind else "suspicious", "note", text)


def _may_be_chance(op: Operation, said: Finding) -> bool:
    """Tell whether numbers can look like that by chance: they spell no name that is denied."""
    return said.level != "malicious" or said.rule in (
        "computed name",
        "changes what is imported",
        "arguments",
    )


def _within(pickle: Pickle, names: Names, source: Source, levels: int) -> Iterator[tuple[int, Finding]]:
    """Look at texts and bytes that are pickles themselves."""
    for offset, content, inner in nested.pickles(pickle.texts, source):
        if levels == 0:
            yield (
                offset,
                Finding("suspicious", "pickle within", "a pickle within a pickle, too deep to look at"),
            )
            return
        judged = judge(inner, names, content, levels - 1)
        is_data = not inner.operations and judged.level == "safe"
        if is_data or (inner.error and judged.level != "malicious"):
            continue
        worst = judged.level if judged.level in ("malicious", "suspicious") else "unknown"
        reasons = [
            each.reason for _, each in (*judged.operations, *judged.remarks) if each.level == judged.level
        ]
        why = f": {reasons[0]}" if reasons and worst == judged.level else ""
        yield offset, Finding(worst, "pickle within", f"bytes within it are a pickle{why}")
