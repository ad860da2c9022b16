"""Where predictions are known to stay: the classes that a release wrote, measured with real files of it.

The table is made by ``python -m tests.golden.sklearn.kept``: for a line of installed releases and a line of
releases that wrote, all names that stand in files whose outputs came out equal.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from skopsafe.migrate.releases import Release

_WHATEVER = sys.stdlib_module_names | {"numpy", "scipy"}
"""Their types do not change with scikit-learn."""


@functools.cache
def _table() -> dict[str, dict[str, frozenset[str]]]:
    """Return the names, by the line that is installed and the line that wrote."""
    path = Path(__file__).with_name("kept.json")
    stored = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, list[str]]])
    out: dict[str, dict[str, set[str]]] = {}
    for installed, groups in stored.items():
        for written, names in groups.items():  # lines that wrote the same names stand together
            for line in written.split():
                out.setdefault(installed, {}).setdefault(line, set()).update(names)
    return {new: {old: frozenset(names) for old, names in lines.items()} for new, lines in out.items()}


def is_kept(names: Iterable[str], written: Release, installed: Release) -> bool:
    """Tell whether all of these types, as `written` wrote them, are known to give the same outputs."""
    known = _table().get(installed.line, {}).get(written.line)
    if known is None:
        return False
    return all(name in known or is_whatever(name) for name in names)


def is_whatever(name: str) -> bool:
    """Tell whether a type is of Python, numpy or scipy."""
    return name.partition(":")[0].partition(".")[0] in _WHATEVER
