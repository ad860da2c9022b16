"""What stands behind a name of a pickle, and what that means in the role in which it is used."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Mapping
from typing import Literal

from skopsafe import names
from skopsafe.errors import escape
from skopsafe.foreign.pickles.moved import moved
from skopsafe.graph.document import CLASS, VALUE
from skopsafe.judge.calls import (
    Reviewed,
    denied_in_pickles,
    reviewed_call,
    reviewed_class,
    reviewed_value,
    running,
)
from skopsafe.judge.levels import Finding, Level, worst
from skopsafe.judge.shown import clip
from skopsafe.judge.sources import Meaning, Sources
from skopsafe.trust.tables import Tables
from skopsafe.trust.verdicts import verdict

Role = Literal["class", "call", "value", "argument"]
"""Instances are made with ``__new__``; it is called; it is part of what is made; a reviewed call gets it."""

REACHING = frozenset(
    (
        *("__globals__", "__builtins__", "__class__", "__bases__", "__base__", "__mro__", "__subclasses__"),
        *(
            "__dict__",
            "__getattribute__",
            "__getattr__",
            "__setattr__",
            "__delattr__",
            "__code__",
            "__closure__",
        ),
        *(
            "__func__",
            "__self__",
            "__loader__",
            "__spec__",
            "__import__",
            "__init__",
            "__call__",
            "__reduce__",
        ),
        *(
            "__reduce_ex__",
            "__setstate__",
            "__wrapped__",
            "__objclass__",
            "__init_subclass__",
            "__class_getitem__",
        ),
        *("__defaults__", "__kwdefaults__", "__module__", "__file__", "__path__", "__cached__", "__del__"),
        # By these, numpy takes any object for an array at any address.
        *("__array_interface__", "__array_struct__", "__array__", "__array_function__"),
        *("gi_frame", "f_globals", "f_builtins", "f_locals", "f_back", "tb_frame", "cr_frame", "ag_frame"),
    )
)
"""Attributes by which one object reaches another, and in the end everything."""


class Names:
    """Judges names, and keeps what it found.

    Parameters
    ----------
    tables : Tables
        The reviewed and the denied names.
    aliases : mapping of str to str
        Names that types have in some release, and those that the tables use.
    sources : Sources
        Where names are followed that the tables do not know.
    """

    def __init__(self, tables: Tables, aliases: Mapping[str, str], sources: Sources | None = None) -> None:
        self._tables = tables
        self._aliases = aliases
        self._sources = Sources() if sources is None else sources
        self._known: dict[tuple[str, str, str], Finding] = {}
        self._calls: dict[tuple[str, str], Reviewed | None] = {}

    def finding(self, module: str, name: str, role: Role) -> Finding:
        """Return what holds for a name in a role. Nothing is imported."""
        key = (module, name, role)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= 4096:
                self._known.clear()
            found = self._known[key] = self._judge(module, name, role)
        return found

    def reviewed(self, module: str, name: str) -> Reviewed | None:
        """Return what was reviewed of calling a name, or None."""
        key = (module, name)
        if key not in self._calls:
            if len(self._calls) >= 4096:
                self._calls.clear()
            self._calls[key] = reviewed_call(f"{module}:{name}")
        return self._calls[key]

    def _judge(self, module: str, name: str, role: Role) -> Finding:
        module = moved(module)
        full = f"{module}:{name}"
        shown = clip(escape(full), 120)
        if not names.is_name(full):
            return _malformed(shown)
        known = self._reviewed(full, role)
        if known is not None:
            return known
        reason = self._denied(module, name)
        if reason is not None:
            return Finding("malicious", "denied", f"{shown}: {reason}")
        found = [*_reaching(name, shown), *_letters(full, shown), *self._modules_in(name, shown)]
        if all(finding.level != "malicious" for finding in found):
            found += self._followed(module, name, role, shown)
        return worst(found, _unknown(module, name, role, shown))

    def _floor(self, name: str) -> str | None:
        found = self._tables.denied(name)
        return denied_in_pickles(name) if found is None else found

    def _denied(self, module: str, name: str) -> str | None:
        """Return why a name is denied, or what it is an attribute of."""
        parts = name.split(".")
        for end in range(len(parts), 0, -1):
            reason = self._floor(f"{module}:{'.'.join(parts[:end])}")
            if reason is not None:
                return reason
        return None

    def _modules_in(self, name: str, shown: str) -> list[Finding]:
        """Find denied modules of Python among the parts of a name, as in ``numpy:testing.os.system``."""
        parts = name.split(".")
        for number, part in enumerate(parts):
            reason = self._floor(f"{part}:{'.'.join(parts[number + 1 :]) or '_'}")
            if reason is None or not is_of_python(part):
                continue
            level: Level = "malicious" if len(parts) > 1 else "suspicious"
            return [Finding(level, "module in a module", f"{shown} looks like the module {part}: {reason}")]
        return []

    def _reviewed(self, full: str, role: Role) -> Finding | None:
        """Return why a name is safe in a role, or None."""
        if role == "call":
            call = reviewed_call(full)
            return None if call is None else Finding("safe", "reviewed", call.reason)
        roles = {"class": (CLASS,), "value": (VALUE,), "argument": (CLASS, VALUE)}[role]
        spellings = [full, self._aliases.get(full, full)]
        if full.startswith("numpy._core._multiarray_umath:"):
            spellings.append(f"numpy:{full.partition(':')[2]}")
        for spelled in spellings:
            for each in roles:
                found = verdict(spelled, each, self._tables)
                if found.tier in ("built-in", "reviewed"):
                    return Finding("safe", "reviewed", found.reason)
            # What is denied under its own name is not saved by another.
            if self._floor(spelled) is not None:
                break
        reason = reviewed_class(full) if CLASS in roles else None
        if reason is None and VALUE in roles:
            reason = reviewed_value(full)
        return None if reason is None else Finding("safe", "reviewed", reason)

    def _followed(self, module: str, name: str, role: Role, shown: str) -> list[Finding]:
        """Return what the source of installed modules says of a name that no table knows."""
        meaning = self._sources.meaning(module, name)
        for other in meaning.names[1:]:
            full = f"{other}?" if other.endswith(":") else other
            if not names.is_name(full.replace("?", "_")):
                continue
            is_class = self._reviewed(full, "class") is not None
            reason = self._denied(*full.replace("?", "_").split(":", 1))
            if reason is not None and not is_class:
                what = f"{shown} is {clip(escape(other.rstrip(':')), 120)}"
                return [Finding("malicious", "denied under another name", f"{what}: {reason}")]
        if len(meaning.names) > 1 and self._reviewed(meaning.names[-1], role) is not None:
            return []
        return [*_runs(meaning, role, module, shown), *_walks(meaning, name, shown)]

    def is_class(self, module: str, name: str) -> bool:
        """Tell whether a name is a class that was reviewed."""
        return self.finding(module, name, "class").level == "safe"


def is_of_python(module: str) -> bool:
    """Tell whether a module belongs to Python itself."""
    return module.partition(".")[0] in sys.stdlib_module_names


def _unknown(module: str, name: str, role: Role, shown: str) -> Finding:
    if role == "call" and is_of_python(module):
        return Finding(
            "suspicious", "call of Python's own", f"calls {shown}, which nobody reviewed as part of a pickle"
        )
    what = {
        "class": f"makes instances of {shown}, a class that nobody reviewed",
        "call": f"calls {shown}, which nobody reviewed",
        "value": f"holds {shown}, which nobody reviewed as a value",
        "argument": f"hands over {shown}, which nobody reviewed",
    }[role]
    return Finding("unknown", "not reviewed", what)


def _malformed(shown: str) -> Finding:
    return Finding("suspicious", "malformed name", f"{shown} is no name that Python writes")


def _reaching(name: str, shown: str) -> list[Finding]:
    found = [part for part in name.split(".") if part in REACHING]
    if not found:
        return []
    return [
        Finding("malicious", "reaches through attributes", f"{shown} reaches through {found[0]} of an object")
    ]


def _letters(full: str, shown: str) -> list[Finding]:
    if full.isascii():
        return []
    for letter in full:
        kind = unicodedata.name(letter, "").partition(" ")[0]
        plain = unicodedata.normalize("NFD", letter)[0]
        is_plain = ord(letter) < 0x180 and letter not in "\u0131\u0138\u0140\u017f"  # like i, k, l and s
        if letter.isascii() or kind in _OTHER_SCRIPTS or (kind == "LATIN" and (is_plain or plain.isascii())):
            continue
        why = f"{shown} has the letter {escape(unicodedata.name(letter, 'without a name').lower())}"
        return [Finding("suspicious", "letters that look like others", f"{why}, which may look like another")]
    return []


_TYPES = frozenset(
    ("bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple")
)

_OTHER_SCRIPTS = frozenset(
    (
        "CJK",
        "HANGUL",
        "HIRAGANA",
        "KATAKANA",
        "ARABIC",
        "HEBREW",
        "THAI",
        "DEVANAGARI",
        "BENGALI",
        "TAMIL",
        "GEORGIAN",
    )
)
"""Scripts none of whose letters looks like one of ASCII."""


def _runs(meaning: Meaning, role: Role, module: str, shown: str) -> list[Finding]:
    if role != "call":
        return []
    found = [call for call in meaning.calls if call in running()]
    if not found:
        return []
    level: Level = "malicious" if is_of_python(module) else "suspicious"
    return [Finding(level, "its code runs other code", f"{shown} calls {found[0]} in its own code")]


def _walks(meaning: Meaning, name: str, shown: str) -> list[Finding]:
    """Find names that go from one object to the next, but for a class and what is in it."""
    first = name.split(".", maxsplit=1)[0].lstrip("_")
    is_type = meaning.names[0].startswith("builtins:") and first in _TYPES
    if "." not in name or first[:1].isupper() or is_type or meaning.kind in ("class", "function"):
        return []
    return [
        Finding(
            "suspicious", "walks through attributes", f"{shown} goes through objects that nobody followed"
        )
    ]
