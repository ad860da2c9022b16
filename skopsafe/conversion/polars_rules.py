"""Rules for frames and series of polars, whose state is a stream of Arrow: polars itself is not imported.

Sources: ``polars/dataframe/frame.py`` and ``series/series.py`` (``__getstate__``), and in Rust
``polars-core/src/frame/ser.rs`` and ``polars-core/src/datatypes/field.rs``, in releases 1.32 to 2.1.
"""

from __future__ import annotations

from typing import Any

from skopsafe.conversion.polars_arrays import Column, Reader, Taker
from skopsafe.conversion.rules import Case, Misfit, Rules, misfits, require
from skopsafe.conversion.stands import Stand
from skopsafe.foreign.arrow_ipc import Batch, Field, read
from skopsafe.graph.parts import Parts
from skopsafe.handlers.polars_.datatypes import DEEPEST

_CATEGORIES, _VALUES = "_PL_CATEGORICAL2", "_PL_ENUM_VALUES2"
_GLOBAL = "0;0;u32;"
"""What is said of categories that have no name, which all columns share."""
_UNITS = {1: "ms", 2: "us", 3: "ns"}
_NANOSECONDS = 3
_FLOATS = {0: "Float16", 1: "Float32", 2: "Float64"}
_SIMPLE = {1: "Null", 6: "Boolean", 23: "Binary", 24: "String"}
_INT, _FLOAT, _DECIMAL, _DATE, _TIME, _TIMESTAMP, _STRUCT = 2, 3, 7, 8, 9, 10, 13
_ARRAY, _DURATION, _LIST = 16, 18, 21


def _described(field: Field, depth: int = 0) -> Any:
    """Return the description of the type of a field, as that of polars is written."""
    require(depth <= DEEPEST, "a type is nested too deep")
    kind, type_, children = field.kind, field.type, field.children
    if field.dictionary is not None:
        require(kind == 24, "categories are no texts")
        return _categories(field)
    require(not field.metadata.keys() & {_CATEGORIES, _VALUES}, "categories have no dictionary")
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if kind == _INT:
        bits = type_.number(0, "i")
        require(bits in (8, 16, 32, 64, 128), "an integer is of an unknown size")
        return f"{'' if type_.number(1, 'B') else 'U'}Int{bits}"
    if kind == _FLOAT:
        return _known(_FLOATS, type_.number(0, "h"))
    if kind == _DATE:
        require(type_.number(0, "h", 1) == 0, "a date is not in days")
        return "Date"
    if kind == _TIME:
        require(type_.number(0, "h", 1) == _NANOSECONDS, "a time is not in nanoseconds")
        return "Time"
    if kind == _TIMESTAMP:
        return ("Datetime", _known(_UNITS, type_.number(0, "h")), type_.text(1))
    if kind == _DURATION:
        return ("Duration", _known(_UNITS, type_.number(0, "h", 1)))
    if kind == _DECIMAL:
        require(type_.number(2, "i", 128) == 128, "a decimal is of another size")
        return ("Decimal", type_.number(0, "i"), type_.number(1, "i"))
    if kind in (_LIST, _ARRAY):
        require(len(children) == 1, "a list has more than one kind of items")
        inner = _described(children[0], depth + 1)
        return ("List", inner) if kind == _LIST else ("Array", inner, type_.number(0, "i"))
    require(kind == _STRUCT, "a column is of a type that is not known")
    return ("Struct", *((child.name, _described(child, depth + 1)) for child in children))


def _known(table: dict[int, str], number: int) -> str:
    require(number in table, "a unit or size is not known")
    return table[number]


def _categories(field: Field) -> Any:
    values = field.metadata.get(_VALUES)
    if values is None:
        require(field.metadata.get(_CATEGORIES) == _GLOBAL, "its categories have a name")
        # No constant tuple: it would be one object for all types of a file.
        return ("Categorical", *())
    found, data, place = [], values.encode(), 0
    while place < len(data):
        end = data.find(b";", place, place + 11)
        size = data[place : max(end, place)]
        require(size.isdigit() and len(data) - end - 1 >= int(size), "categories are malformed")
        place = end + 1 + int(size)
        with misfits(UnicodeDecodeError, why="a category is not UTF-8"):
            found.append(data[end + 1 : place].decode())
    return ("Enum", tuple(found))


def _all_fields(fields: list[Field]) -> list[Field]:
    found, todo = [], list(fields)
    while todo:
        found.append(todo.pop())
        todo += found[-1].children
    return found


def _dictionaries(fields: list[Field], batches: list[Batch], taker: Taker) -> dict[int, Column]:
    """Return the categories of a stream by number; those of an enumeration are the ones of its type."""
    found: dict[int, Column] = {}
    for batch in batches:
        if batch.dictionary is not None:
            require(fields and batch.dictionary not in found, "categories stand twice, or for nothing")
            kind = Field("", 24, fields[0].type)
            reader = Reader(batch, {})
            found[batch.dictionary] = reader.column(kind, "String", batch.length)
            reader.require_end()
    for field in _all_fields(fields):
        if field.dictionary is not None and _VALUES in field.metadata:
            require(field.dictionary in found, "its categories are missing")
            texts = taker.texts(found[field.dictionary])
            require(tuple(texts) == _categories(field)[1], "its categories are not those of its type")
    return found


def _columns(case: Case) -> tuple[list[str], list[Any], int, list[list[Any]]]:
    """Return names, types, rows and chunks of the columns of a stream."""
    state = case.state
    require(state is not None, "it has no state")
    fields, batches = read(case.read(state))
    types = [_described(field) for field in fields]
    taker = Taker(case.budget)
    dictionaries = _dictionaries(fields, batches, taker)
    rows = [batch for batch in batches if batch.dictionary is None]
    chunks: list[list[Any]] = [[] for _ in fields]
    takers = [Taker(case.budget) for _ in fields]
    for batch in rows:
        reader = Reader(batch, dictionaries)
        for number, (field, type_) in enumerate(zip(fields, types, strict=True)):
            column = reader.column(field, type_, batch.length)
            chunks[number].append(takers[number].take(column))
        reader.require_end()
    return [field.name for field in fields], types, sum(batch.length for batch in rows), chunks


def _frame(case: Case) -> Any:
    names, types, rows, chunks = _columns(case)
    return Stand(
        "polars.dataframe.frame:DataFrame",
        Parts(("columns", "types", "rows", "chunks"), [names, types, rows, chunks]),
    )


def _series(case: Case) -> Any:
    names, types, _, chunks = _columns(case)
    require(len(names) == 1, "it has not one column")
    return Stand(
        "polars.series.series:Series", Parts(("name", "type", "chunks"), [names[0], types[0], chunks[0]])
    )


def _plan(case: Case) -> Any:
    raise Misfit("it is a plan, which opens files and calls functions when it runs; save what it gives")


RULES = Rules(
    classes={
        "polars.dataframe.frame:DataFrame": _frame,
        "polars.series.series:Series": _series,
        "polars.lazyframe.frame:LazyFrame": _plan,
        "polars.expr.expr:Expr": _plan,
    },
)
