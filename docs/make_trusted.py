"""Writes ``docs/reference/trusted.md`` from the reviewed tables. Run ``python docs/make_trusted.py``."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from importlib import resources
from pathlib import Path
from typing import Any

from skopsafe import names
from skopsafe.handlers.registry import default
from skopsafe.trust.tables import Tables

PAGE = Path(__file__).parent / "reference" / "trusted.md"

INTRODUCTION = """\
# Trusted names

<!-- Made by docs/make_trusted.py from the tables in skopsafe/trust/tables; do not edit. -->

What loads without approval, what needs approval although its type is trusted, and what can never be approved,
each with its reason. This page is made from the tables that the audit reads. How a name gets into
them is told in [Trust](../explanation/trust.md).
"""


def tables() -> dict[str, dict[str, Any]]:
    """Return all tables by the top-level package that they are for, sorted."""
    folder = resources.files("skopsafe.trust").joinpath("tables")
    found = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            found[file.name.removesuffix(".toml")] = tomllib.loads(file.read_text("utf-8"))
    return found


def listing(items: list[str]) -> str:
    """Spell names as one paragraph."""
    return ", ".join(f"`{item}`" for item in sorted(items))


def by_module(items: list[str]) -> list[str]:
    """Return one bullet for each module of ``module:qualname`` names."""
    grouped: dict[str, list[str]] = defaultdict(list)
    for item in items:
        module, qualname = names.parse(item)
        grouped[module].append(qualname)
    return [f"- `{module}`: {listing(qualnames)}" for module, qualnames in sorted(grouped.items())]


def reviewed(table: dict[str, Any], key: str) -> list[str]:
    """Return bullets for one role of a library: a reason, and under it the names."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for group in table.get("reviewed", ()):
        reasons[group["reason"]] += [f"{group['module']}:{qualname}" for qualname in group.get(key, ())]
    lines = []
    for reason, found in sorted(reasons.items()):
        if found:
            lines += [f"{reason[0].upper()}{reason[1:]}:", "", *by_module(found), ""]
    return lines


def rules(table: dict[str, Any]) -> list[str]:
    """Return bullets for the attributes whose values need a look."""
    lines = []
    for rule in table.get("rule", ()):
        allowed = ["`None`" if value == "<none>" else f"`{value!r}`" for value in rule.get("allowed", ())]
        allowed += [f"an instance of `{name}`" for name in rule.get("allowed_types", ())]
        if rule.get("pattern"):
            allowed.append("a pattern that is known to be matched in sane time")
        if rule.get("form"):
            allowed.append(f"a text of the form `{rule['form']}`")
        if rule.get("functions"):
            allowed.append("a function, which is listed by its own name")
        if rule.get("each"):
            allowed.append("a list of these")
        if rule.get("heads"):
            allowed = [f"a list of tuples, each of which begins with {' or '.join(allowed)}"]
        if rule.get("keys"):
            names_ = listing([*rule["keys"], *(f"{name} (a text)" for name in rule.get("texts", ()))])
            allowed.append(f"a dict without the keys {names_}")
        others = f"any value but {' or '.join(allowed)}" if allowed else "any value"
        lines += [
            f"- `{names.spell(name)}:{rule['attribute']}`, {others}: {rule['reason']}"
            for name in rule["classes"]
        ]
    return lines


def loaders() -> list[str]:
    """Return the types with a loader by what it checks."""
    validates = Tables(()).validates
    grouped: dict[str, list[str]] = defaultdict(list)
    for name in default().types:
        reason = validates(name)
        assert reason, f"{name} has no reason in loaders.toml"
        grouped[reason].append(name)
    return [
        line
        for reason, found in sorted(grouped.items())
        for line in (f"{reason[0].upper()}{reason[1:]}:", "", *by_module(found), "")
    ]


def places(table: dict[str, Any]) -> list[str]:
    """Return bullets for functions that need approval anywhere but at some places."""
    lines = []
    for group in table["confined"]:
        found = [names.spell(name) for name in group.get("names", ())]
        found += [f"{module}.*" for module in group.get("modules", ())]
        others = f", but for {listing(group['except'])}" if group.get("except") else ""
        allowed = [
            ":".join((names.spell(place.rpartition(":")[0]), place.rpartition(":")[2]))
            for place in group["places"]
        ]
        lines.append(
            f"- {listing(found)}{others}, at other places than {listing(allowed)}: {group['reason']}"
        )
    return lines


def section(title: str, lines: list[str]) -> list[str]:
    """Return a section, or nothing where it would be empty."""
    return [title, "", *lines, ""] if lines else []


def page() -> str:
    """Return the whole page."""
    found = tables()
    floor = found.pop("denied")
    confined = found.pop("confined")
    found.pop("loaders")
    lines = [INTRODUCTION]
    lines += ["## Built-in", "", "Types with a loader of their own, and what it checks.", ""]
    lines += loaders()
    for library, table in found.items():
        lines += [f"## Reviewed: {library}", ""]
        lines += section("### Classes", reviewed(table, "classes"))
        lines += section("### Functions and classes as values", reviewed(table, "values"))
        lines += section("### Classes whose `__setstate__` was reviewed too", reviewed(table, "setstate"))
        lines += section("### Values that need approval", rules(table))
    lines += section(
        "## Confined functions",
        ["Reviewed functions that need approval at other places.", "", *places(confined)],
    )
    lines += ["## Validated", ""]
    lines += [
        "Attributes of these classes, and of subclasses, are checked when the whole object has been built.",
        "",
        *by_module(list(default().checked)),
        "",
    ]
    lines += ["## Denied", "", "No approval unlocks these. A module covers its submodules.", ""]
    for group in floor["denied"]:
        lines += [f"{group['reason'][0].upper()}{group['reason'][1:]}:", ""]
        if group.get("modules"):
            lines.append(f"- modules {listing(group['modules'])}")
        if group.get("names"):
            lines.append(f"- names {listing([names.spell(name) for name in group['names']])}")
        lines.append("")
    text = "\n".join(lines)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
