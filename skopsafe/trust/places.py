"""Where reviewed functions may stand: some are harmless only where scikit-learn hands them fresh arrays."""

from __future__ import annotations

from collections.abc import Iterator

from skopsafe import names
from skopsafe.graph.document import CLASS, VALUE, Document
from skopsafe.trust.tables import Confinement, Tables
from skopsafe.trust.verdicts import verdict

# What holds a function without calling it: whoever holds one of these holds the function.
_CARRIERS = frozenset(
    {
        "builtins:list",
        "builtins:tuple",
        "builtins:dict",
        "builtins:set",
        "builtins:frozenset",
        "builtins:slice",
        "builtins:method",
        "builtins:method_descriptor",
        "builtins:builtin_function_or_method",
        "collections:OrderedDict",
        "collections:Counter",
        "collections:defaultdict",
        "collections:deque",
        "functools:partial",
        "numpy:ndarray",
        "numpy.ma:MaskedArray",
        "pandas.arrays:NumpyExtensionArray",
        "pandas.arrays:SparseArray",
        "pandas:Categorical",
        "pandas:CategoricalIndex",
        "pandas:DataFrame",
        "pandas:Index",
        "pandas:MultiIndex",
        "pandas:Series",
    }
)

Carried = dict[int, set[Confinement]]


def misplaced(document: Document, tables: Tables) -> Iterator[tuple[str, str, int]]:
    """Find confined functions at attributes of trusted types that are no place for them.

    Yields
    ------
    tuple of (str, str, int)
        The name to approve, such as ``sklearn.svm._classes.SVC:kernel``; the reason; the node.
    """
    rows = {
        number: found
        for number, row in enumerate(document.types)
        if row.role == VALUE and (found := verdict(row.name, VALUE, tables).confinement) is not None
    }
    if not rows:
        return
    carried = _spread(document, rows)
    misplaced_at: dict[tuple[int, int, Confinement], str] = {}
    for index, node in enumerate(document.each()):
        shape = document.shapes[node[0]]
        row = document.types[shape.type]
        # A class that nobody reviewed needs approval itself.
        if row.role != CLASS or row.name in _CARRIERS or not _is_trusted(row.name, tables):
            continue
        for position, value in enumerate(node[1:]):
            for confinement in carried.get(value[0], ()) if type(value) is list else ():
                # A name may be long, and there may be many instances.
                key = node[0], position if shape.attributes else 0, confinement
                if key not in misplaced_at:
                    attribute = shape.attributes[position] if shape.attributes else "items"
                    is_place = f"{row.name}:{attribute}" in confinement.places
                    misplaced_at[key] = "" if is_place else f"{names.spell(row.name)}:{attribute}"
                if misplaced_at[key]:
                    yield misplaced_at[key], confinement.reason, index


def _spread(document: Document, rows: dict[int, Confinement]) -> Carried:
    """Return the nodes that are, or carry, a confined function."""
    shapes = document.shapes
    carried: dict[int, set[Confinement]] = {}
    carriers_of: dict[int, list[int]] = {}
    todo: list[tuple[int, Confinement]] = []
    for index, (shape, *values) in enumerate(document.each()):
        row = shapes[shape].type
        if row in rows:
            todo.append((index, rows[row]))
        elif document.types[row].name in _CARRIERS:
            for value in values:
                if type(value) is list:
                    carriers_of.setdefault(value[0], []).append(index)
    while todo:  # each reference is followed once for each function, whatever its direction
        index, confinement = todo.pop()
        known = carried.setdefault(index, set())
        if confinement not in known:
            known.add(confinement)
            todo += [(carrier, confinement) for carrier in carriers_of.get(index, ())]
    return carried


def _is_trusted(name: str, tables: Tables) -> bool:
    return verdict(name, CLASS, tables).tier in ("built-in", "reviewed")
