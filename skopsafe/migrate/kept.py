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

from skopsafe.graph.document import Document
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


_PATCHES = {
    "1.2": (2, 2),
    "1.3": (0, 2),
    "1.4": (0, 2),
    "1.5": (0, 2),
    "1.6": (0, 1),
    "1.7": (0, 2),
    "1.8": (0, 0),
}
"""By line: the first and the last patch whose models all came out equal, or were refused, when measured.

Patches can change outputs, too: the first ones of 1.2 keep other attributes of encoders.
"""


def is_kept(names: Iterable[str], written: Release, installed: Release) -> bool:
    """Tell whether all of these types, as `written` wrote them, are known to give the same outputs."""
    known = _table().get(installed.line, {}).get(written.line)
    first, last = _PATCHES.get(written.line, (0, -1))
    if known is None or not first <= written.patch <= last:
        return False
    return all(name in known or is_whatever(name) for name in names)


def is_whatever(name: str) -> bool:
    """Tell whether a type is of Python, numpy or scipy."""
    return name.partition(":")[0].partition(".")[0] in _WHATEVER


_OF_NEIGHBORS = "sklearn.neighbors."
_METRICS = ("metric", "effective_metric_")
_WITH_TIES = "yule"


def has_ties(document: Document) -> bool:
    """Tell whether a file finds neighbours by a distance of which most are the same.

    Which of equals is a neighbour is up to ``numpy.argpartition``, whose releases choose otherwise.
    """
    for run in document.runs:
        shape = document.shapes[run.shape]
        form = shape.form
        if not document.types[shape.type].name.startswith(_OF_NEIGHBORS) or not isinstance(form, tuple):
            continue
        for name in _METRICS:
            column = run.columns[form.index(name)] if name in form else None
            if column == _WITH_TIES or (isinstance(column, list) and _WITH_TIES in column):
                return True
    return False
