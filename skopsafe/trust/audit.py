"""The verdict on a Document: which names it needs, in which tier each is, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from skopsafe import names
from skopsafe.errors import DeniedTypeError, PolicyError, UntrustedTypesFoundException
from skopsafe.graph.document import CALL, CLASS, VALUE, Document, TypeRow
from skopsafe.trust.tables import Rule, Tables

Tier = Literal["built-in", "reviewed", "unknown", "denied"]

_ALLOWS = {
    CLASS: "imports {module}, makes instances with __new__ and sets their attributes or calls __setstate__",
    VALUE: "imports {module} and hands the function or class itself to the object, which may call it",
    CALL: "imports {module} and calls it with arguments from the file while loading",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a file.

    Attributes
    ----------
    name : str
        As it is written in ``trusted=[...]``.
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
    """

    name: str
    tier: Tier
    reason: str
    allows: str
    count: int
    where: str


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

    @property
    def ok(self) -> bool:
        """True when the file loads with nothing to approve."""
        return not self.untrusted

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as JSON values."""
        fields = ("name", "tier", "reason", "allows", "count", "where")
        return {
            "ok": self.ok,
            "untrusted": self.untrusted,
            "denied": self.denied,
            "writer": self.writer,
            "entries": [{field: getattr(entry, field) for field in fields} for entry in self.entries],
        }

    def __str__(self) -> str:
        lines = [f"{len(self.entries)} names, {len(self.untrusted)} to approve, {len(self.denied)} denied"]
        for tier in ("denied", "unknown", "reviewed", "built-in"):
            for entry in self.entries:
                if entry.tier == tier:
                    lines.append(f"  {tier:8}  {entry.name}  x{entry.count}  {entry.reason}")
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
    counts = np.bincount(
        np.fromiter(
            (document.shapes[node[0]].type for node in document.nodes), np.int64, len(document.nodes)
        ),
        minlength=len(document.types),
    )
    entries = []
    for index, row in enumerate(document.types):
        tier, reason = _tier(row.name, row.role, tables)
        allows = _ALLOWS[row.role].format(module=names.parse(row.name).module)
        entries.append(
            Entry(names.spell(row.name), tier, reason, allows, int(counts[index]), f"types[{index}]")
        )
    entries += _values(document, tables)
    entries += _states(document, tables)
    return Audit(tuple(sorted(entries, key=lambda entry: (entry.name, entry.tier))), document.writer)


def floor(row: TypeRow, tables: Tables) -> str | None:
    """Return why no approval unlocks `row`, or None."""
    tier, reason = _tier(row.name, row.role, tables)
    return reason if tier == "denied" else None


def _tier(name: str, role: str, tables: Tables) -> tuple[Tier, str]:
    if role == CLASS and name in tables.handled:
        return "built-in", "it has a loader of its own, which validates"
    reason = tables.reviewed(name, role)
    if reason is not None:
        return "reviewed", reason
    reason = tables.denied(name)
    if reason is not None:
        return "denied", reason
    return "unknown", {
        CLASS: "a class that nobody reviewed",
        VALUE: "a function or class that nobody reviewed as a value",
        CALL: "loading calls it",
    }[role]


def _values(document: Document, tables: Tables) -> list[Entry]:
    """Find attributes of trusted classes whose values need approval."""
    watched: dict[int, list[tuple[int, Rule]]] = {}
    for number, shape in enumerate(document.shapes):
        rules = tables.rules(document.types[shape.type].name)
        if rules and shape.attributes:
            places = [(i, rules[name]) for i, name in enumerate(shape.attributes, 1) if name in rules]
            if places:
                watched[number] = places
    found: dict[str, tuple[Rule, int, str]] = {}
    if watched:
        for index, node in enumerate(document.nodes):
            for place, rule in watched.get(node[0], ()):
                if not _is_allowed(document, node[place], rule):
                    _, count, where = found.get(rule.name, (rule, 0, f"nodes[{index}]"))
                    found[rule.name] = (rule, count + 1, where)
    return [
        Entry(
            name,
            "unknown",
            rule.reason,
            "keeps the value that the file gives to this attribute",
            count,
            where,
        )
        for name, (rule, count, where) in found.items()
    ]


def _is_allowed(document: Document, value: Any, rule: Rule) -> bool:
    if isinstance(value, list):
        row = document.types[document.shapes[document.nodes[value[0]][0]].type]
        return row.role == CLASS and row.name in rule.allowed_types
    return any(value is a or (value == a and type(value) is type(a)) for a in rule.allowed)


def _states(document: Document, tables: Tables) -> list[Entry]:
    """A reviewed class may be written by attributes; other forms need a review of their own."""
    found = {}
    for number, shape in enumerate(document.shapes):
        row = document.types[shape.type]
        special = any(name.startswith("()") for name in shape.attributes or ())
        if row.role != CLASS or not special or row.name in tables.handled:
            continue
        if tables.reviewed(row.name, CLASS) is not None and not tables.setstate(row.name):
            name = f"{names.spell(row.name)}:__setstate__"
            reason = "the class was reviewed for its attributes, not for a state handed to its methods"
            found[name] = Entry(
                name,
                "unknown",
                reason,
                "calls its methods with a state from the file",
                1,
                f"shapes[{number}]",
            )
    return list(found.values())


def normalize(trusted: object) -> frozenset[str]:
    """Turn what a caller trusts into names.

    Raises
    ------
    PolicyError
        It is ``True``, a pattern, or something that has no name.
    """
    if trusted is None or trusted is False:
        return frozenset()
    if trusted is True:
        raise PolicyError(
            "trusted=True would approve whatever the file asks for",
            next_step="Call get_untrusted_types(file), review the names, and pass those that you know.",
        )
    if isinstance(trusted, (str, type)) or not isinstance(trusted, Iterable):
        raise PolicyError("trusted takes a list of names or classes", next_step="Write trusted=[...].")
    out = set()
    for item in trusted:
        name = item if isinstance(item, str) else names.of(item)
        if name is None or "*" in name:
            raise PolicyError(
                f"{item!r} is not the name of one class or function",
                next_step="Spell out every name that you trust.",
            )
        out.add(names.spell(name) if names.is_name(name) and not isinstance(item, str) else name)
        if names.is_name(name) and "." not in names.parse(name).qualname:
            out.add(names.spell(name))
    return frozenset(out)


def approve(document: Document, tables: Tables, trusted: object) -> Approved:
    """Return an approved Document, or raise.

    Raises
    ------
    DeniedTypeError
        The file names something on the deny floor.
    UntrustedTypesFoundException
        Names need approval that `trusted` does not have.
    """
    allowed = normalize(trusted)
    report = audit(document, tables)
    denied = [entry for entry in report.entries if entry.tier == "denied"]
    if denied:
        raise DeniedTypeError([e.name for e in denied], "; ".join(sorted({e.reason for e in denied})))
    missing: Sequence[Entry] = [e for e in report.entries if e.tier == "unknown" and e.name not in allowed]
    if missing:
        raise UntrustedTypesFoundException(
            sorted({entry.name for entry in missing}),
            [f"{e.name}: {e.reason}; approving it {e.allows}" for e in missing],
        )
    approved = object.__new__(Approved)
    object.__setattr__(approved, "document", document)
    return approved
