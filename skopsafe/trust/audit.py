"""The verdict on a Document: which names it needs, in which tier each is, and why."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import msgspec

from skopsafe.errors import DeniedTypeError, UntrustedTypesFoundException
from skopsafe.graph.document import ROLES, Column, Document, at
from skopsafe.trust.places import misplaced
from skopsafe.trust.policy import Policy
from skopsafe.trust.rules import Rules
from skopsafe.trust.tables import OWN, Rule, Tables
from skopsafe.trust.verdicts import Tier, Verdict, verdict


class Entry(msgspec.Struct, frozen=True):
    """One name of a file.

    Attributes
    ----------
    name : str
        As it is written in ``trusted=[...]``.
    role : str
        ``class``: instances are built; ``value``: the function or class itself is in the graph; ``call``:
        loading calls it; ``attribute``: the value of an attribute; ``state``: a state for ``__setstate__``.
    tier : str
        ``built-in``, ``reviewed``, ``unknown`` or ``denied``.
    reason : str
        Why it stands in this tier.
    allows : str
        What approving it allows.
    count : int
        How many nodes of the file use it.
    where : str
        Where it first stands.
    by : str
        Who vouches for the name: ``skopsafe``, or the distribution and version of a plugin; empty where
        nobody does.
    """

    name: str
    role: str
    tier: Tier
    reason: str
    allows: str
    count: int
    where: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """What a file asks for.

    Attributes
    ----------
    entries : tuple of Entry
        Every name, sorted.
    writer : dict of str to str
        Versions at writing, as the file claims them.
    """

    entries: tuple[Entry, ...]
    writer: dict[str, str]

    @property
    def untrusted(self) -> list[str]:
        """Names that need approval, sorted, denied ones included."""
        return sorted({e.name for e in self.entries if e.tier in ("unknown", "denied")})

    @property
    def denied(self) -> list[str]:
        """Names that no approval unlocks, sorted."""
        return sorted({e.name for e in self.entries if e.tier == "denied"})

    def missing(self, policy: Policy) -> list[Entry]:
        """Return the entries that `policy` would have to approve and does not."""
        return [
            entry
            for entry in self.entries
            if (entry.tier == "unknown" or not (entry.by in ("", OWN) or policy.takes_plugin(entry.by)))
            and not policy.allows(entry.name, entry.role in ROLES)
        ]

    @property
    def ok(self) -> bool:
        """True when the file loads with nothing to approve."""
        return not self.untrusted

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as JSON values."""
        fields = ("name", "role", "tier", "reason", "allows", "count", "where", "by")
        return {
            "ok": self.ok,
            "untrusted": self.untrusted,
            "denied": self.denied,
            "writer": self.writer,
            "entries": [{field: getattr(entry, field) for field in fields} for entry in self.entries],
        }

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def __str__(self) -> str:
        lines = [f"{len(self.entries)} names, {len(self.untrusted)} to approve, {len(self.denied)} denied"]
        for tier in ("denied", "unknown", "reviewed", "built-in"):
            for entry in self.entries:
                if entry.tier == tier:
                    plugin = f" (says the plugin of {entry.by})" if entry.by not in ("", OWN) else ""
                    lines.append(f"  {tier:8}  {entry.name}  x{entry.count}  {entry.reason}{plugin}")
                    if tier == "unknown":
                        lines.append(f"            allows: {entry.allows}; first at {entry.where}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, init=False)
class Approved:
    """A Document whose names were all approved. Only `approve` makes one."""

    document: Document

    def __init__(self) -> None:
        raise TypeError("only the audit approves a Document")


def audit(document: Document, tables: Tables) -> Audit:
    """Put every name of `document` in its tier. Imports nothing and reads no array."""
    counts = [0] * len(document.types)
    for run in document.runs:
        counts[document.shapes[run.shape].type] += run.count
    verdicts = [verdict(row.name, row.role, tables) for row in document.types]
    entries = [
        Entry(
            found.name, found.role, found.tier, found.reason, found.allows, count, f"types[{index}]", found.by
        )
        for index, (found, count) in enumerate(zip(verdicts, counts, strict=True))
    ]
    entries += _values(document, verdicts, tables)
    entries += _states(document, verdicts)
    return Audit(tuple(sorted(entries, key=_order)), document.writer)


def _order(entry: Entry) -> tuple[str, str]:
    return entry.name, entry.tier


def _values(document: Document, verdicts: list[Verdict], tables: Tables) -> list[Entry]:
    """Find attributes of trusted classes whose values need approval, by rules or by what they hold."""
    watched: dict[int, list[tuple[int, Rule]]] = {}
    for number, shape in enumerate(document.shapes):
        rules = verdicts[shape.type].rules
        attributes = shape.attributes
        if rules and attributes and not rules.keys().isdisjoint(attributes):
            watched[number] = [(i, rules[name]) for i, name in enumerate(attributes) if name in rules]
    found: dict[str, tuple[Rule, int, str]] = {}
    says = Rules(document)
    if watched:
        for run, start in zip(document.runs, document.starts, strict=False):
            for place, rule in watched.get(run.shape, ()):
                column = run.columns[place]
                # A rule that depends on its owner has to be asked for each of them.
                if isinstance(column, Column):
                    same = column.ref is not None and not column.step and not rule.unless
                else:
                    same = not isinstance(column, list)
                for row in range(1 if same else run.count):
                    if not says.allows(at(column, row), rule, start + row):
                        _, count, where = found.get(rule.name, (rule, 0, f"nodes[{start + row}]"))
                        found[rule.name] = (rule, count + (run.count if same else 1), where)
    reasons = {name: (rule.reason, count, where) for name, (rule, count, where) in found.items()}
    for name, reason, index in misplaced(document, tables):
        _, count, where = reasons.get(name, (reason, 0, f"nodes[{index}]"))
        reasons[name] = (reason, count + 1, where)
    return [
        Entry(
            name,
            "attribute",
            "unknown",
            reason,
            "keeps the value that the file gives to this attribute",
            count,
            where,
        )
        for name, (reason, count, where) in reasons.items()
    ]


def _states(document: Document, verdicts: list[Verdict]) -> list[Entry]:
    """A reviewed class may be written by attributes; other forms need a review of their own."""
    found = {}
    for number, shape in enumerate(document.shapes):
        judged = verdicts[shape.type]
        if judged.is_by_attributes and "()" in " ".join(shape.attributes or ()):
            name = f"{judged.name}:__setstate__"
            reason = "the class was reviewed for its attributes, not for a state handed to its methods"
            found[name] = Entry(
                name,
                "state",
                "unknown",
                reason,
                "calls its methods with a state from the file",
                1,
                f"shapes[{number}]",
            )
    return list(found.values())


def approve(document: Document, tables: Tables, policy: Policy) -> Approved:
    """Return an approved Document, or raise.

    Raises
    ------
    DeniedTypeError
        The file names something on the deny floor.
    UntrustedTypesFoundException
        Names need approval that `policy` does not give.
    """
    verdicts = [verdict(row.name, row.role, tables) for row in document.types]
    is_own = all(found.tier in ("built-in", "reviewed") and found.by == OWN for found in verdicts)
    if is_own and not _values(document, verdicts, tables) and not _states(document, verdicts):
        return _approved(document)
    report = audit(document, tables)
    denied = [entry for entry in report.entries if entry.tier == "denied"]
    if denied:
        raise DeniedTypeError([e.name for e in denied], "; ".join(sorted({e.reason for e in denied})))
    missing = report.missing(policy)
    if missing:
        raise UntrustedTypesFoundException(
            sorted({entry.name for entry in missing}),
            [f"{e.name}: {e.reason}; approving it {e.allows}" for e in missing],
        )
    return _approved(document)


def _approved(document: Document) -> Approved:
    approved = object.__new__(Approved)
    object.__setattr__(approved, "document", document)
    return approved
