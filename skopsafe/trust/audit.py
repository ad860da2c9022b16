"""The verdict on a Document: which names it needs, in which tier each is, and why."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from skopsafe.errors import DeniedTypeError, UntrustedTypesFoundException, escape
from skopsafe.graph.document import ROLES, Document
from skopsafe.trust.places import misplaced
from skopsafe.trust.policy import Policy
from skopsafe.trust.tables import OWN, Tables
from skopsafe.trust.values import suspicious
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


class Step(msgspec.Struct, frozen=True):
    """A change that makes what an older release of a library wrote into what the installed one would write.

    Attributes
    ----------
    name : str
        What it is called.
    release : str
        The first release that has it.
    reason, link : str
        What changed, and where that is told.
    count : int
        How many objects of the file it concerns.
    library : str
        The distribution that changed.
    """

    name: str
    release: str
    reason: str
    link: str
    count: int
    library: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What a file asks for.

    Attributes
    ----------
    entries : tuple of Entry
        Every name, sorted.
    writer : dict of str to str
        Versions at writing, as the file claims them.
    predictions : str
        ``same``: the version of scikit-learn that wrote the file is installed, or none did; ``kept``: another
        one, and predictions are known to stay; ``unknown``: another one, and nobody knows; ``refused``: an
        older one, and predictions would be others.
    migrations : tuple of Step
        What `load` changes in a file of an older release.
    refused : str
        Why `load` will not load it: what changed, and the last release that reads it; empty otherwise.
    """

    entries: tuple[Entry, ...]
    writer: dict[str, str]
    predictions: str = "same"
    migrations: tuple[Step, ...] = ()
    refused: str = ""

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
        return not self.untrusted and not self.refused

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as JSON values."""
        fields = ("name", "role", "tier", "reason", "allows", "count", "where", "by")
        return {
            "ok": self.ok,
            "untrusted": self.untrusted,
            "denied": self.denied,
            "writer": self.writer,
            "predictions": self.predictions,
            "migrations": [msgspec.structs.asdict(step) for step in self.migrations],
            "refused": self.refused,
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
        return "\n".join(lines + self._skew())

    def _skew(self) -> list[str]:
        """Return what there is to say of versions."""
        lines = []
        if self.predictions != "same":
            written = escape(self.writer.get("scikit-learn", "")[:50])
            lines.append(
                f"written under scikit-learn {written}; predictions: {_PREDICTIONS[self.predictions]}"
            )
        lines += [
            f"  {step.name} ({step.library} {step.release})  x{step.count}  {step.reason}"
            for step in self.migrations
        ]
        return lines + ([f"  {self.refused}"] if self.refused else [])

    def with_skew(self, predictions: str, migrations: Sequence[Step] = (), refused: str = "") -> Audit:
        """Return this audit with what is known of versions."""
        return Audit(self.entries, self.writer, predictions, tuple(migrations), refused)


_PREDICTIONS = {
    "kept": "known to be those of that release",
    "unknown": "not known to be those of that release; compare them",
    "refused": "would be others, so that it is not loaded",
}


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
    """List attributes of trusted classes whose values need approval, by rules or by what they hold."""
    reasons = suspicious(document, verdicts)
    for name, reason, index, more in misplaced(document, tables):
        _, count, where = reasons.get(name, (reason, 0, f"nodes[{index}]"))
        reasons[name] = (reason, count + more, where)
    allows = "keeps the value that the file gives to this attribute"
    return [
        Entry(name, "attribute", "unknown", reason, allows, count, where)
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
