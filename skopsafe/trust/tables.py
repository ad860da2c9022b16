"""The reviewed tables: which names are trusted or denied, why, and which values need a look."""

from __future__ import annotations

import functools
import os
import tomllib
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from skopsafe import names
from skopsafe.graph.document import CLASS, VALUE

OWN = "skopsafe"

DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "cv2": "opencv-python",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "skimage": "scikit-image",
    "imblearn": "imbalanced-learn",
    "category_encoders": "category-encoders",
    "feature_engine": "feature-engine",
    "quantile_forest": "quantile-forest",
    "sklearn_pandas": "sklearn-pandas",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """An attribute of a trusted class whose value may still need approval.

    Attributes
    ----------
    type, attribute : str
        Where it holds.
    allowed : tuple
        Scalars that need no approval.
    allowed_types : frozenset of str
        Types of objects that need no approval as the value.
    allowed_items : frozenset of str
        If not empty: types that the items of such a value must have.
    each : bool
        Whether a list or tuple needs no approval when each of its items, as the value, would need none.
    functions : bool
        Whether a function or class needs none here: it is listed by its own name.
    keys : tuple of str
        If not empty: the value is a dict, or a list of dicts, from names of parameters; a name that ends with
        one of these needs approval, as the attribute of that name does by itself.
    texts : tuple of str
        Beside `keys`: names whose values may be numbers and functions, also in lists, but not texts.
    patterns : tuple of str
        Beside `keys`: names whose values may be texts as well, if they are harmless patterns.
    form : str
        If not empty: a pattern for texts that need no approval.
    heads : bool
        Whether the value is a list of tuples, and `form` is about the first item of each.
    pattern : bool
        Whether a text needs no approval if it is a pattern that is matched in sane time.
    unless : tuple of str
        If not empty: attributes to follow from the instance, and the text at whose sight the rule does not
        apply.
    reason : str
        What any other value could do.
    """

    type: str
    attribute: str
    allowed: tuple[Any, ...]
    allowed_types: frozenset[str]
    allowed_items: frozenset[str]
    each: bool
    functions: bool
    keys: tuple[str, ...]
    texts: tuple[str, ...]
    patterns: tuple[str, ...]
    form: str
    heads: bool
    pattern: bool
    unless: tuple[str, ...]
    reason: str

    @property
    def name(self) -> str:
        """The name to approve, such as ``sklearn.pipeline.Pipeline:memory``."""
        return f"{names.spell(self.type)}:{self.attribute}"


@dataclass(frozen=True, slots=True)
class Confinement:
    """What holds for functions that are harmless at some places only.

    Attributes
    ----------
    places : frozenset of str
        Attributes that may hold them: ``module:qualname:attribute``.
    reason : str
        What they could do elsewhere.
    """

    places: frozenset[str]
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """The reviewed names of one library.

    Attributes
    ----------
    by : str
        Who vouches for them: ``skopsafe``, or the distribution of a plugin and its version.
    handles : frozenset of str
        Types with a loader, as the table of a plugin names them.
    reviewed : dict of str to dict
        By role and name: why it is trusted.
    rules : dict of str to dict
        By class and attribute.
    setstate : frozenset of str
        Classes whose ``__setstate__`` was reviewed with them.
    """

    by: str = OWN
    handles: frozenset[str] = frozenset()
    reviewed: dict[str, dict[str, str]] = field(default_factory=lambda: {CLASS: {}, VALUE: {}})
    rules: dict[str, dict[str, Rule]] = field(default_factory=dict)
    setstate: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every name for which it speaks."""
        found = self.handles | self.rules.keys() | self.setstate
        return found.union(*(names_ for names_ in self.reviewed.values()))


_NOTHING = Table(by="")

Floor = dict[str, dict[str, str]]
"""``modules`` and ``names`` with the reason why each is denied."""
Plugins = Callable[[str], Table | None]
"""By the top-level module of a library that skopsafe does not know: the table of its plugin, or None."""


class Tables:
    """Looks names up in the reviewed tables, reading only the tables of libraries that are asked for.

    Parameters
    ----------
    handled : container of str
        Types that have a loader of skopsafe's own, which validates: the first tier.
    plugins : callable, optional
        Returns the table of the plugin for a library.

    Attributes
    ----------
    memo : dict
        What was made of the tables for a name in a role; see `verdicts`.
    resolved : dict
        The module and the class or function that a name in a role meant last; see `resolve`.
    """

    def __init__(self, handled: Container[str], plugins: Plugins | None = None) -> None:
        self._handled = handled
        self._plugins = plugins
        self.memo: dict[tuple[str, str], Any] = {}
        self.resolved: dict[tuple[str, str], tuple[ModuleType, Any]] = {}

    def handled(self, name: str) -> bool:
        """Tell whether instances of `name` have a loader that validates."""
        return name in self._handled or name in self._table(name).handles

    def vouched_by(self, name: str) -> str:
        """Return who speaks for `name`, if anybody does."""
        return OWN if name in self._handled else self._table(name).by

    def validates(self, name: str) -> str | None:
        """Return what the loader of a type checks, where it is one of skopsafe's own."""
        table = _loaders()
        return table.get(name, table.get(f"{names.parse(name).module}:*"))

    def reviewed(self, name: str, role: str) -> str | None:
        """Return why `name` is trusted in `role`, or None."""
        return self._table(name).reviewed[role].get(name) if role in (CLASS, VALUE) else None

    def setstate(self, name: str) -> bool:
        """Tell whether the ``__setstate__`` of a reviewed class was reviewed with it."""
        return name in self._table(name).setstate

    def rules(self, name: str) -> dict[str, Rule]:
        """Return the rules for the attributes of a class, by attribute."""
        return self._table(name).rules.get(name, {})

    def _table(self, name: str) -> Table:
        top = names.parse(name).module.partition(".")[0]
        found = _library(top)
        if found is None and self._plugins is not None:
            found = self._plugins(top)
        return found or _NOTHING

    def confined(self, name: str) -> Confinement | None:
        """Return where a function may stand, or None if it may stand anywhere."""
        table = _confined()
        return table.get(name, table.get(f"{names.parse(name).module}:*"))

    def denied(self, name: str) -> str | None:
        """Return why no approval unlocks `name`, or None."""
        return reason_in(_floor(), name)

    def approvable(self, name: str) -> str | None:
        """Return why instances of a denied name need approval, if they can be approved, or None."""
        return _approvable().get(name)

    def distribution(self, module: str) -> str:
        """Return the name of the distribution that has `module`, as far as it is known."""
        top = module.partition(".")[0]
        return DISTRIBUTIONS.get(top, top)


def _content(name: str) -> str | None:
    # importlib.resources would import tempfile and with it every compression there is.
    loader: Any = __spec__.loader
    try:
        data: bytes = loader.get_data(os.path.join(os.path.dirname(__file__), "tables", f"{name}.toml"))
    except OSError:
        return None
    return data.decode("utf-8")


def _read(name: str) -> dict[str, Any] | None:
    content = _content(name)
    return None if content is None else tomllib.loads(content)


@functools.lru_cache(maxsize=1024)
def _library(top: str) -> Table | None:
    table = _read(top) if is_known(top) else None
    return None if table is None else parse(table)


def is_known(top: str) -> bool:
    """Tell whether skopsafe itself has a table for a library."""
    return (
        top.isidentifier()
        and top.isascii()
        and top not in ("denied", "confined", "loaders")
        and _content(top) is not None
    )


def parse(table: dict[str, Any], by: str = OWN) -> Table:
    """Return the reviewed names of a library from its TOML.

    Raises
    ------
    KeyError, TypeError, AttributeError
        It is not in the form of a table.
    """
    reviewed: dict[str, dict[str, str]] = {CLASS: {}, VALUE: {}}
    setstate = set()
    rules: dict[str, dict[str, Rule]] = {}
    for group in table.get("reviewed", ()):
        for role, key in ((CLASS, "classes"), (VALUE, "values")):
            for qualname in group.get(key, ()):
                reviewed[role][f"{group['module']}:{qualname}"] = group["reason"]
        setstate |= {f"{group['module']}:{qualname}" for qualname in group.get("setstate", ())}
    for entry in table.get("rule", ()):
        sets = {key: frozenset(entry.get(key, ())) for key in ("allowed_types", "allowed_items")}
        flags = {key: bool(entry.get(key)) for key in ("each", "functions", "heads", "pattern")}
        lists = {key: tuple(entry.get(key, ())) for key in ("keys", "texts", "patterns", "unless")}
        allowed = tuple(None if value == "<none>" else value for value in entry.get("allowed", ()))
        about: dict[str, Any] = {
            **sets,
            **flags,
            **lists,
            "allowed": allowed,
            "form": str(entry.get("form", "")),
        }
        for name in entry["classes"]:
            rule = Rule(type=name, attribute=entry["attribute"], reason=entry["reason"], **about)
            rules.setdefault(name, {})[rule.attribute] = rule
    return Table(by, frozenset(table.get("handles", ())), reviewed, rules, frozenset(setstate))


@functools.cache
def _floor() -> Floor:
    table = _read("denied")
    assert table is not None
    return floor_of(table)


@functools.cache
def _approvable() -> dict[str, str]:
    table = _read("denied")
    assert table is not None
    return {name: group["reason"] for group in table["approvable"] for name in group["instances"]}


def floor_of(table: dict[str, Any]) -> Floor:
    """Return the reasons of a table of denied names, by module and by name."""
    out: Floor = {"modules": {}, "names": {}}
    for group in table["denied"]:
        for module in group.get("modules", ()):
            out["modules"][module] = group["reason"]
        for name in group.get("names", ()):
            out["names"][name] = group["reason"]
    return out


def reason_in(floor: Floor, name: str) -> str | None:
    """Return why a name is in a table of denied names, by itself or by its module, or None."""
    module, qualname = names.parse(name)
    exact = floor["names"].get(f"{module}:{qualname}")
    if exact is not None:
        return exact
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        reason = floor["modules"].get(".".join(parts[:end]))
        if reason is not None:
            return reason
    return None


@functools.cache
def _loaders() -> dict[str, str]:
    table = _read("loaders")
    assert table is not None
    out: dict[str, str] = {}
    for group in table["loader"]:
        found = [*group.get("types", ()), *(f"{module}:*" for module in group.get("modules", ()))]
        out |= dict.fromkeys(found, group["reason"])
    return out


@functools.cache
def _confined() -> dict[str, Confinement | None]:
    table = _read("confined")
    assert table is not None
    out: dict[str, Confinement | None] = {}
    for group in table["confined"]:
        found = Confinement(frozenset(group["places"]), group["reason"])
        for module in group.get("modules", ()):
            out[f"{module}:*"] = found
            out |= dict.fromkeys([f"{module}:{name}" for name in group.get("except", ())])
        for name in group.get("names", ()):
            out[name] = found
    return out
