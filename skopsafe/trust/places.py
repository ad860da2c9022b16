"""Where reviewed functions may stand: some are harmless only where scikit-learn hands them fresh arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skopsafe import names
from skopsafe.errors import escape
from skopsafe.graph.document import CLASS, VALUE, Document
from skopsafe.graph.references import references
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

Carried = dict[int, frozenset[Confinement]]


def misplaced(document: Document, tables: Tables) -> Iterator[tuple[str, str, int, int]]:
    """Find confined functions at attributes of trusted types that are no place for them.

    Yields
    ------
    tuple of (str, str, int, int)
        The name to approve, such as ``sklearn.svm._classes.SVC:kernel``; the reason; the first node; how many
        references there are.
    """
    rows = {
        number: found
        for number, row in enumerate(document.types)
        if row.role == VALUE and (found := verdict(row.name, VALUE, tables).confinement) is not None
    }
    if not rows:
        return
    carried = _spread(document, rows)
    for run, place, owners, numbers in references(document):
        shape = document.shapes[run.shape]
        row = document.types[shape.type]
        # A class that nobody reviewed needs approval itself.
        if row.role != CLASS or row.name in _CARRIERS or not _is_trusted(row.name, tables):
            continue
        attribute = "items" if shape.attributes is None else shape.attributes[place]
        for confinement, (first, count) in _hits(carried, owners, numbers).items():
            if f"{row.name}:{attribute}" not in confinement.places:
                # A name of an attribute is any text, and this one will be shown.
                yield f"{names.spell(row.name)}:{escape(attribute)}", confinement.reason, first, count


def _hits(
    carried: Carried, owners: Sequence[int], numbers: Sequence[int]
) -> dict[Confinement, tuple[int, int]]:
    """Return for each kind of confined function the first node that holds one, and how many references do."""
    found: dict[Confinement, tuple[int, int]] = {}
    times = len(owners) if len(numbers) == 1 else 1
    for place in [place for place, number in enumerate(numbers) if number in carried]:
        owner = owners[place if len(owners) == len(numbers) else 0]
        for confinement in carried[numbers[place]]:
            first, count = found.get(confinement, (owner, 0))
            found[confinement] = first, count + times
    return found


def _spread(document: Document, rows: dict[int, Confinement]) -> Carried:
    """Return the nodes that are, or carry, a confined function."""
    shapes, types = document.shapes, document.types
    carried: Carried = {}
    for run, start in zip(document.runs, document.starts, strict=False):
        row = shapes[run.shape].type
        if row in rows:
            carried |= dict.fromkeys(range(start, start + run.count), frozenset([rows[row]]))
    holders: dict[int, list[int]] = {}
    for run, _, owners, numbers in references(document):
        if types[shapes[run.shape].type].name in _CARRIERS:
            for place, number in enumerate(numbers):
                those = holders.setdefault(number, [])
                if len(owners) == len(numbers):
                    those.append(owners[place])
                else:
                    those.extend(owners)
    # From each to what holds it, and on where that is news: a chain of references ahead is one way, and no
    # loop over all carriers for each of its links.
    todo = list(carried)
    while todo:
        index = todo.pop()
        for holder in holders.get(index, ()):
            before = carried.get(holder, frozenset())
            if not carried[index] <= before:
                carried[holder] = before | carried[index]
                todo.append(holder)
    return carried


def _is_trusted(name: str, tables: Tables) -> bool:
    return verdict(name, CLASS, tables).tier in ("built-in", "reviewed")
