"""Support for libraries that other packages bring along: how it is found, and for which names it may speak.

A plugin is data and functions. The data, a reviewed table, is a file ``skopsafe.toml`` in the package that
it is for, which an audit reads without importing anything. The functions, a `Library`, are where an entry
point of the group ``skopsafe.handlers`` says; they are imported when an object is dumped, or after approval.

A plugin speaks for one top-level module, which its own distribution must have installed.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from skopsafe import names
from skopsafe.errors import PluginError
from skopsafe.graph.parts import Handler
from skopsafe.handlers.library import Check, Library
from skopsafe.handlers.registry import LIBRARIES
from skopsafe.trust.tables import Table, is_known, parse

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

GROUP = "skopsafe.handlers"
TABLE = "skopsafe.toml"
_KEYS = frozenset({"handles", "reviewed", "rule"})


@dataclass(frozen=True, slots=True)
class Plugin:
    """What was found for one library.

    Attributes
    ----------
    module : str
        The top-level module for whose names it speaks.
    table : Table
        Its reviewed table.
    library : callable
        Returns its handlers and checks, importing them if need be.
    """

    module: str
    table: Table
    library: Callable[[], Library]


class Plugins:
    """The plugins of this process: those registered by code, and those of installed distributions."""

    def __init__(self) -> None:
        self._registered: dict[str, Plugin] = {}
        self._found: dict[str, Plugin] = {}
        self._points: dict[str, list[EntryPoint]] | None = None

    def table(self, top: str) -> Table | None:
        """Return the reviewed table for a top-level module. Imports nothing."""
        plugin = self._plugin(top)
        return plugin.table if plugin is not None else None

    def library(self, top: str) -> Library | None:
        """Return the handlers and checks for a top-level module."""
        plugin = self._plugin(top)
        return plugin.library() if plugin is not None else None

    def register(self, plugin: Plugin) -> None:
        """Take a plugin from code; it wins over an installed one for the same module."""
        self._registered[plugin.module] = plugin

    def _plugin(self, top: str) -> Plugin | None:
        if top in self._registered:
            return self._registered[top]
        if top in self._found:
            return self._found[top]
        if not may_have_plugin(top):
            return None
        if self._points is None:
            from importlib import metadata  # slow to import, and only few files name what is not known

            points: dict[str, list[EntryPoint]] = {}
            for point in metadata.entry_points(group=GROUP):
                points.setdefault(point.name, []).append(point)
            self._points = points
        found = self._points.get(top, [])
        if not found:
            return None
        if len(found) > 1:
            raise _broken(top, "several distributions have one for it")
        plugin = self._found[top] = _from_entry_point(top, found[0])
        return plugin


def may_have_plugin(top: str) -> bool:
    """Tell whether a plugin may speak for a module: not for Python's, nor for what skopsafe knows itself."""
    return not (
        top in sys.stdlib_module_names
        or top in sys.builtin_module_names
        or top in LIBRARIES
        or top in ("skopsafe", "skops")
        or is_known(top)
    )


def _from_entry_point(top: str, point: EntryPoint) -> Plugin:
    import importlib.util

    distribution = point.dist
    spec = importlib.util.find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        raise _broken(top, "there is no package of that name")
    folder = Path(next(iter(spec.submodule_search_locations)))
    if distribution is None or not _has(distribution, top, folder):
        raise _broken(top, f"{point.value} is of a distribution that did not install {top}")
    try:
        text = (folder / TABLE).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(top, f"its {TABLE} cannot be read ({error})") from error
    table = read_table(top, text, f"{distribution.name} {distribution.version}")

    def library() -> Library:
        try:
            found = point.load()
        except Exception as error:  # whatever the module of the plugin raises
            raise _broken(
                top, f"{point.value} cannot be imported ({type(error).__name__}: {error})"
            ) from error
        if not isinstance(found, Library):
            raise _broken(top, f"{point.value} is no skopsafe.plugin.Library")
        _check_names(top, _types(found.handlers) | found.checks.keys())
        if _types(found.handlers) != table.handles:
            raise _broken(top, f"`handles` of its {TABLE} and the handlers of {point.value} differ")
        return found

    return Plugin(top, table, library)


def read_table(top: str, text: str, by: str) -> Table:
    """Return the table of a plugin, having checked its form and that it speaks for `top` alone.

    Raises
    ------
    PluginError
        It is malformed, or names something of another module.
    """
    try:
        content = tomllib.loads(text)
        table = parse(content, by)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise _broken(
            top, f"its {TABLE} is not in the form of a table ({type(error).__name__}: {error})"
        ) from error
    if not content.keys() <= _KEYS:
        raise _broken(top, f"its {TABLE} has keys that a table does not have")
    reasons = [reason for found in table.reviewed.values() for reason in found.values()]
    reasons += [rule.reason for rules in table.rules.values() for rule in rules.values()]
    if not all(isinstance(reason, str) and reason.strip() for reason in reasons):
        raise _broken(top, f"an entry of its {TABLE} gives no reason")
    _check_names(top, table.names)
    return table


def _check_names(top: str, found: Iterable[str]) -> None:
    for name in sorted(found, key=str):
        if not isinstance(name, str) or not names.is_name(name):
            raise _broken(top, f"{name!r} is not a name of the form module:qualname")
        if names.parse(name).module.partition(".")[0] != top:
            raise _broken(top, f"it speaks for {names.spell(name)}, which is not of {top}")


def _types(handlers: Iterable[Handler]) -> frozenset[str]:
    return frozenset(handler.type for handler in handlers)


def _has(distribution: Distribution, top: str, folder: Path) -> bool:
    """Tell whether a distribution installed the package `top` that lies in `folder`."""
    for file in distribution.files or ():
        if file.parts[0] == top and Path(str(distribution.locate_file(file.parts[0]))) == folder:
            return True
    text = distribution.read_text("direct_url.json")  # an editable install lists no file of the package
    if text is None:
        return False
    origin = json.loads(text)
    source = Path(unquote(urlsplit(origin["url"]).path))
    return bool(origin.get("dir_info", {}).get("editable")) and folder.is_relative_to(source)


def _broken(top: str, reason: str) -> PluginError:
    return PluginError(
        f"the plugin for {top} cannot be used: {reason}",
        next_step="Tell its author, and install a release that works or uninstall it.",
    )


def from_code(handlers: tuple[Handler, ...], table: str, checks: Mapping[str, Check]) -> Plugin:
    """Return the plugin that a program brings along for its own types.

    Raises
    ------
    PluginError
        It speaks for names that are not of the module or distribution that has its functions.
    """
    if not handlers or not all(isinstance(handler, Handler) for handler in handlers):
        raise PluginError(
            "register() takes at least one Handler",
            next_step="Call register(Handler(type, get, load), ...).",
        )
    tops = {names.parse(handler.type).module.partition(".")[0] for handler in handlers}
    top = tops.pop()
    if tops or not may_have_plugin(top):
        others = ", ".join(sorted({top, *tops}))
        raise PluginError(
            f"handlers cannot be registered for {others}",
            next_step="Call register() once for each library of your own; what Python has, or skopsafe knows"
            " itself, is not to be replaced.",
        )
    functions = [function for handler in handlers for function in (handler.get, handler.load)]
    for function in [*functions, *checks.values()]:
        home = str(getattr(function, "__module__", None)).partition(".")[0]
        if home != top and not _are_of_one_distribution(home, top):
            raise PluginError(
                f"a function of {home} cannot speak for the types of {top}",
                next_step=f"Handlers belong to the package that has the types; approve names of {top} with"
                " trusted=[...] instead.",
            )
    found = read_table(top, table, f"{top} (registered)")
    types = _types(handlers)
    _check_names(top, types | checks.keys())
    whole = Table(found.by, found.handles | types, found.reviewed, found.rules, found.setstate)
    library = Library(handlers, dict(checks))
    return Plugin(top, whole, lambda: library)


def _are_of_one_distribution(*tops: str) -> bool:
    from importlib import metadata

    owners = metadata.packages_distributions()
    found = [{re.sub(r"[-_.]+", "-", name).lower() for name in owners.get(top, ())} for top in tops]
    return len(set.intersection(*found)) == 1 and all(len(owner) == 1 for owner in found)
