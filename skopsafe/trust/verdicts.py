"""What the tables say of a name in a role: worked out once, for a process sees the same names often."""

from __future__ import annotations

from typing import Literal

import msgspec

from skopsafe import names
from skopsafe.graph.document import CALL, CLASS, VALUE
from skopsafe.trust.tables import OWN, Confinement, Rule, Tables

Tier = Literal["built-in", "reviewed", "unknown", "denied"]

_ALLOWS = {
    CLASS: "imports {module}, makes instances with __new__ and sets their attributes or calls __setstate__",
    VALUE: "imports {module} and hands the function or class itself to the object, which may call it",
    CALL: "imports {module} and calls it with arguments from the file while loading",
}
_UNKNOWN = {
    CLASS: "a class that nobody reviewed",
    VALUE: "a function or class that nobody reviewed as a value",
    CALL: "loading calls it",
}
_MOST = 4096
"""Verdicts that are kept: a file can name as many types as it likes."""


class Verdict(msgspec.Struct, frozen=True):
    """What holds for a name in a role, whatever the file.

    Attributes
    ----------
    name : str
        As it is written in ``trusted=[...]``.
    role : str
        The role.
    tier : str
        ``built-in``, ``reviewed``, ``unknown`` or ``denied``.
    reason : str
        Why it stands in this tier.
    allows : str
        What approving it allows.
    by : str
        Who vouches for it; empty where nobody does.
    rules : dict of str to Rule
        By attribute: which values may still need approval.
    is_by_attributes : bool
        Whether it was reviewed for instances that are written by their attributes, and for no other form.
    confinement : Confinement or None
        Where it may stand, if not anywhere.
    """

    name: str
    role: str
    tier: Tier
    reason: str
    allows: str
    by: str
    rules: dict[str, Rule]
    is_by_attributes: bool
    confinement: Confinement | None


def verdict(name: str, role: str, tables: Tables) -> Verdict:
    """Return what `tables` say of a well-formed name in a role. Imports nothing."""
    memo = tables.memo
    found: Verdict | None = memo.get((name, role))
    if found is None:
        if len(memo) >= _MOST:
            memo.clear()
        found = memo[name, role] = _judge(name, role, tables)
    return found


def _judge(name: str, role: str, tables: Tables) -> Verdict:
    tier, reason = _tier(name, role, tables)
    is_reviewed = tables.reviewed(name, CLASS) is not None
    return Verdict(
        names.spell(name),
        role,
        tier,
        reason,
        _ALLOWS[role].format(module=names.parse(name).module),
        tables.vouched_by(name) if tier in ("built-in", "reviewed") else "",
        tables.rules(name),
        role == CLASS and is_reviewed and not tables.handled(name) and not tables.setstate(name),
        tables.confined(name) if role == VALUE else None,
    )


def _tier(name: str, role: str, tables: Tables) -> tuple[Tier, str]:
    approvable = tables.approvable(name) if role == CLASS else None
    if approvable is not None:
        return "unknown", approvable
    is_own = tables.vouched_by(name) == OWN
    denied = tables.denied(name)
    # Tables of our own may except a name of a denied module; those of a plugin cannot.
    if denied is not None and not is_own:
        return "denied", denied
    if role == CLASS and tables.handled(name):
        return "built-in", "it has a loader of its own, which validates"
    reason = tables.reviewed(name, role)
    if reason is not None:
        return "reviewed", reason
    if denied is not None:
        return "denied", denied
    # Cyrillic letters, for one, cannot be told from Latin ones.
    note = "" if name.isascii() else ", with letters in its name that may look like others"
    return "unknown", _UNKNOWN[role] + note
