"""The reviewed calls: what pickles of libraries call when they are loaded, read from ``calls.toml``."""

from __future__ import annotations

import functools
import os
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from skopsafe.foreign.pickles.moved import moved
from skopsafe.trust.tables import Floor, floor_of, reason_in


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A callable that pickles of a library call.

    Attributes
    ----------
    reason : str
        Why that is harmless.
    check : str
        The name of the check that its arguments have to pass; see `skopsafe.judge.arguments`. Empty for none.
    is_shared : bool
        Whether it gives out what others hold too, such as a logger: nothing may be put into that.
    """

    reason: str
    check: str = ""
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Acting:
    """Attributes of which it depends what an instance calls.

    Attributes
    ----------
    attributes, allowed : frozenset of str
        Their names, and what they may be; None is allowed as well.
    reason : str
        What others would do.
    """

    attributes: frozenset[str]
    allowed: frozenset[str]
    reason: str


@dataclass(frozen=True, slots=True)
class Form:
    """What a library writes into an attribute whose text it runs as code when an instance gets its state.

    Attributes
    ----------
    pattern : re.Pattern
        Texts that it writes, or that name variables alone.
    level : str
        What is said of others.
    reason : str
        What others would do.
    beside : frozenset of str
        If not empty: it is run only if the state has one of these attributes as well.
    """

    pattern: re.Pattern[str]
    level: Literal["suspicious", "malicious"]
    reason: str
    beside: frozenset[str]

    def matches(self, text: str) -> bool:
        """Tell whether a text is of that form."""
        return self.pattern.fullmatch(text) is not None


Items = Literal["given", "append", "setitem"]
"""What picklers do with instances of few classes: they give arguments to ``__new__``, append or set items."""


@functools.cache
def _filled() -> dict[str, frozenset[Items]]:
    found: dict[str, frozenset[Items]] = {}
    kinds: tuple[Items, ...] = ("given", "append", "setitem")
    for group in _table("calls")["reviewed"]:
        for kind in kinds:
            for name in group.get(kind, ()):
                spelled = f"{group['module']}:{name}"
                found[spelled] = found.get(spelled, frozenset()) | {kind}
    return found


@functools.cache
def _reviewed_calls() -> tuple[dict[str, Reviewed], dict[str, str], dict[str, str], frozenset[str]]:
    calls: dict[str, Reviewed] = {}
    classes: dict[str, str] = {}
    values: dict[str, str] = {}
    content = _table("calls")
    for group in content["reviewed"]:
        for name in group.get("calls", ()):
            calls[f"{group['module']}:{name}"] = Reviewed(
                group["reason"], group.get("check", ""), group.get("shared", False)
            )
        for name in group.get("classes", ()):
            classes[f"{group['module']}:{name}"] = group["reason"]
        for name in group.get("values", ()):
            values[f"{group['module']}:{name}"] = group["reason"]
    return calls, classes, values, frozenset(content["running"])


@functools.cache
def _table(name: str) -> dict[str, Any]:
    # As the tables of names are read: see `skopsafe.trust.tables`.
    loader: Any = __spec__.loader
    data: bytes = loader.get_data(os.path.join(os.path.dirname(__file__), f"{name}.toml"))
    return tomllib.loads(data.decode("utf-8"))


@functools.cache
def _denied() -> Floor:
    return floor_of(_table("denied"))


def denied_in_pickles(name: str) -> str | None:
    """Return why no library asks for a name in its pickles, beside those of the deny floor, or None."""
    return reason_in(_denied(), name)


@functools.lru_cache(maxsize=1024)
def reviewed_call(name: str) -> Reviewed | None:
    """Return why a callable may be called while a pickle is loaded, or None."""
    module, _, qualname = name.partition(":")
    return _reviewed_calls()[0].get(f"{moved(module)}:{qualname}")


def reviewed_class(name: str) -> str | None:
    """Return why instances of a class may be made, of which the tables of `trust` say nothing, or None."""
    return _reviewed_calls()[1].get(name)


@functools.cache
def names_with(checks: frozenset[str]) -> frozenset[str]:
    """Return the names, without their modules, of reviewed calls that have one of some checks."""
    calls = _reviewed_calls()[0]
    return frozenset(name.partition(":")[2] for name, call in calls.items() if call.check in checks)


def reviewed_value(name: str) -> str | None:
    """Return why a value is harmless, of which the tables of `trust` say nothing, or None."""
    return _reviewed_calls()[2].get(name)


def filled_by(name: str) -> frozenset[Items]:
    """Return what picklers do with instances of a class beside setting a state, or with what a call makes."""
    return _filled().get(name, frozenset())


@functools.cache
def _acting() -> dict[str, Acting]:
    return {
        name: Acting(frozenset(group["attributes"]), frozenset(group["allowed"]), group["reason"])
        for group in _table("calls")["acting"]
        for name in group["classes"]
    }


def acting(name: str) -> Acting | None:
    """Return the attributes of a class of which what it does depends, or None."""
    return _acting().get(name)


@functools.cache
def _forms() -> dict[str, Form]:
    return {
        name: Form(
            re.compile(group["form"], re.ASCII),
            group["level"],
            group["reason"],
            frozenset(group.get("beside", ())),
        )
        for group in _table("calls")["code"]
        for name in group["attributes"]
    }


def is_any_run(attributes: Iterable[object]) -> bool:
    """Tell whether one of some attributes, by their names, holds a text that is run as code."""
    return not _forms().keys().isdisjoint(attributes)


def written_form(attribute: str) -> Form | None:
    """Return the form of a text that is run as code if it is the attribute of this name, or None."""
    return _forms().get(attribute)


@functools.cache
def _reasons(kind: Literal["unmade", "opening"]) -> dict[str, str]:
    return {name: group["reason"] for group in _table("calls")[kind] for name in group["classes"]}


def unmade(name: str) -> str | None:
    """Return why no pickler makes instances of a class with ``__new__``, or None."""
    return _reasons("unmade").get(name)


def opening(name: str) -> str | None:
    """Return why no pickler hands over a class of which it makes instances, or None."""
    return _reasons("opening").get(name)


def running() -> frozenset[str]:
    """Return names that run what they are given: functions that call one are no more harmless than it is."""
    return _reviewed_calls()[3]


def all_calls() -> dict[str, Reviewed]:
    """Return all reviewed calls by name."""
    return dict(_reviewed_calls()[0])
