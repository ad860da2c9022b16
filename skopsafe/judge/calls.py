"""The reviewed calls: what pickles of libraries call when they are loaded, read from ``calls.toml``."""

from __future__ import annotations

import functools
import os
import tomllib
from dataclasses import dataclass
from typing import Any

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


def reviewed_value(name: str) -> str | None:
    """Return why a value is harmless, of which the tables of `trust` say nothing, or None."""
    return _reviewed_calls()[2].get(name)


def running() -> frozenset[str]:
    """Return names that run what they are given: functions that call one are no more harmless than it is."""
    return _reviewed_calls()[3]


def all_calls() -> dict[str, Reviewed]:
    """Return all reviewed calls by name."""
    return dict(_reviewed_calls()[0])
