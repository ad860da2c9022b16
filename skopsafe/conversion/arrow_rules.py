"""Rules for arrays, columns, batches and tables of pyarrow.

Sources: ``pyarrow/array.pxi`` (``_reduce_array_data``), ``table.pxi`` and ``io.pxi``, each ``__reduce__``.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from skopsafe.conversion.arrow_arrays import Raw, RawTaker, checked
from skopsafe.conversion.arrow_types import SCHEMA, TYPE, description, items_of
from skopsafe.conversion.pandas_common import is_a, part, parts_copied
from skopsafe.conversion.rules import Case, Rules, deep_dependencies, require
from skopsafe.conversion.stands import Inner, Stand
from skopsafe.foreign.pickles.values import List, Value
from skopsafe.graph.parts import Parts
from skopsafe.handlers.arrow.datatypes import DEEPEST
from skopsafe.handlers.arrow.layouts import DTYPES, OFFSETS, storage_of

_BUFFER = "pyarrow.lib:Buffer"
_ARRAY = "pyarrow.lib:Array"
_CHUNKED = "pyarrow.lib:ChunkedArray"
_FORM = ("fields", "metadata", "rows", "columns")


def _buffer(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 1, "it has not one argument")
    return Inner(_BUFFER, np.frombuffer(case.read(args[0]), np.uint8))


def _listed(value: Value) -> Any:
    require(isinstance(value, List), "it is no list")
    return value.items


def _raw(case: Case, data: Value, described: Any, depth: int, seen: set[int]) -> Raw:
    """Return the array that a tuple of data stands for: of the type that the array has that it is part of."""
    require(depth <= DEEPEST, "an array is nested too deep")
    require(isinstance(data, tuple) and len(data) == 7, "its data are malformed")
    require(id(data) not in seen, "a part of it stands twice")
    seen.add(id(data))
    type_, length, _, offset, buffers, children, dictionary = data
    for number in (length, offset):
        require(type(number) is int and 0 <= number < 2**48, "a length is malformed")
    found = [None if buffer is None else case.get(buffer) for buffer in _listed(buffers)]
    is_known = all(b is None or (type(b) is Inner and b.name == _BUFFER) for b in found)
    require(is_known and is_a(case.get(type_), TYPE), "its data are malformed")
    for buffer in found:
        if buffer is not None:
            require(id(buffer) not in seen, "a buffer stands twice")
            seen.add(id(buffer))
    below = _below(described)
    parts = _listed(children)
    require(len(parts) == len(below), "it has another number of children")
    made = [_raw(case, child, inner, depth + 1, seen) for child, inner in zip(parts, below, strict=True)]
    name = described if isinstance(described, str) else described[0]
    inside = None
    if dictionary is not None:
        while name.startswith("arrow."):
            described = storage_of(name, described)
            name = described if isinstance(described, str) else described[0]
        require(name == "dictionary", "it has a dictionary")
        inside = _raw(case, dictionary, described[2], depth + 1, seen)
    contents = [None if buffer is None else buffer.content for buffer in found]
    return Raw(described, length, offset, contents, made, inside)


def _below(described: Any) -> list[Any]:
    """Return the types of the children of an array."""
    name = described if isinstance(described, str) else described[0]
    if name.startswith("arrow."):
        return _below(storage_of(name, described))
    if name == "struct":
        return [field[1] for field in described[1:]]
    if name in ("dense_union", "sparse_union"):
        return [field[1] for field in described[2:]]
    if name == "map":
        return [("struct", *described[1:3])]
    if name == "run_end_encoded":
        return list(described[1:])
    if name.endswith(("list", "list_view")):
        return [described[1][1]]
    return []


def _array(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 1, "it has not one argument")
    data = args[0]
    require(isinstance(data, tuple) and data, "its data are malformed")
    described = description(case.get(data[0]), case)
    array = checked(_raw(case, data, described, 0, set()))
    layout = RawTaker(case.budget).take(array, described)
    return Stand(_ARRAY, Parts(("type", "layout"), [described, layout]), origin=array)


def _arrays(value: Value, case: Case) -> list[Stand]:
    found = items_of(value, case)
    require(all(is_a(array, _ARRAY) for array in found), "a column or chunk is no array")
    return found


def _chunked(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 2, "it has not two arguments")
    described = description(case.get(args[1]), case)
    layouts = _layouts(_arrays(args[0], case), described, case)
    return Stand(_CHUNKED, Parts(("type", "chunks"), [described, layouts]))


def _layouts(chunks: list[Stand], described: Any, case: Case) -> list[Any]:
    """Return the layouts of chunks, which have equal dictionaries in common."""
    require(all(part(chunk, "type") == described for chunk in chunks), "a chunk is of another type")
    taker = RawTaker(case.budget)
    case.budget.spend(sum(chunk.origin.nbytes for chunk in chunks))
    return [taker.take(chunk.origin, described) for chunk in chunks]


def _columns(case: Case) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the columns of a table or batch, and the parts of its schema."""
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 2, "it has not two arguments")
    schema = case.get(args[1])
    require(is_a(schema, SCHEMA), "its schema is another object")
    fields, metadata = schema.parts.values
    columns = items_of(args[0], case)
    require(len(columns) == len(fields), "it has not one column for each field")
    same = all(
        is_a(column, _ARRAY, _CHUNKED) and part(column, "type") == field[1]
        for column, field in zip(columns, fields, strict=True)
    )
    require(same, "a column is of another type")
    return columns, fields, metadata


def _table(case: Case) -> Any:
    columns, fields, metadata = _columns(case)
    require(all(is_a(column, _CHUNKED) for column in columns), "a column has no chunks")
    chunks = [parts_copied(part(column, "chunks"), case.budget) for column in columns]
    rows = sum(layout[0] for layout in chunks[0]) if chunks else 0
    return Stand("pyarrow.lib:Table", Parts(_FORM, [fields, metadata, rows, chunks]))


def _batch(case: Case) -> Any:
    columns, fields, metadata = _columns(case)
    require(all(is_a(column, _ARRAY) for column in columns), "a column is no array")
    layouts = [parts_copied(part(column, "layout"), case.budget) for column in columns]
    rows = layouts[0][0] if layouts else 0
    return Stand("pyarrow.lib:RecordBatch", Parts(_FORM, [fields, metadata, rows, layouts]))


def _scalar(case: Case) -> Any:
    """A number, text, bytes, date, time without a zone, or step; what has parts is refused."""
    args = case.args
    require(len(args) == 2, "it has not two arguments")
    value, described = args[0], description(args[1], case)
    name = described if isinstance(described, str) else described[0]
    valid = None if value is not None else np.zeros(1, np.uint8)
    if name in _TIMES and value is not None:
        value = _ticks(described, value)
    elif name not in _TIMES:
        is_known = name in _SCALARS and (value is None or type(value) in _SCALARS[name])
        require(is_known, "it is no number, text or time")
    try:
        raw = Raw(described, 1, 0, [valid, *_content(name, value)], [], None)
    except (OverflowError, ValueError, UnicodeEncodeError):
        require(False, "it does not fit its type")
        raise
    layout = RawTaker(case.budget).take(checked(raw), described)
    return Stand("pyarrow.lib:Scalar", Parts(("type", "layout"), [described, layout]))


_TIMES = ("date32", "timestamp", "duration")
_STEPS = {
    "s": datetime.timedelta(seconds=1),
    "ms": datetime.timedelta(milliseconds=1),
    "us": datetime.timedelta(microseconds=1),
}


def _ticks(described: Any, value: Any) -> int:
    """Return the number that a date, a time or a step is stored as."""
    if described == "date32":
        require(type(value) is datetime.date, "it is no date")
        return int(value.toordinal()) - datetime.date(1970, 1, 1).toordinal()
    step = _STEPS.get(described[1])
    if described[0] == "timestamp":
        is_known = type(value) is datetime.datetime and value.tzinfo is None and described[2] is None
        require(is_known, "it is a time of a zone, or of nanoseconds")
        value = value - datetime.datetime(1970, 1, 1)
    require(step is not None and type(value) is datetime.timedelta, "it is a time of nanoseconds")
    assert step is not None
    found, rest = divmod(value, step)
    require(not rest, "a time is no whole number of its unit")
    return int(found)


_SCALARS: dict[str, tuple[type, ...]] = {
    **{f"{sign}int{bits}": (int,) for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": (float,) for bits in (32, 64)},
    "bool": (bool,),
    **dict.fromkeys(("string", "large_string"), (str,)),
    **dict.fromkeys(("binary", "large_binary"), (bytes,)),
}
"""By type: those of Python that its scalars are pickled as."""


def _content(name: str, value: Any) -> list[Any]:
    """Return the buffers of an array of one item."""
    if name == "bool":
        return [np.array([bool(value)], np.uint8)]
    if name in DTYPES:
        return [np.array([value or 0], DTYPES[name]).view(np.uint8)]
    data = (value or "").encode() if isinstance(value, str | None) else value
    return [np.array([0, len(data)], OFFSETS[name]).view(np.uint8), np.frombuffer(data, np.uint8)]


RULES = Rules(
    calls={
        "pyarrow.lib:py_buffer": _buffer,
        "pyarrow.lib:_restore_array": _array,
        "pyarrow.lib:chunked_array": _chunked,
        "pyarrow.lib:_reconstruct_table": _table,
        "pyarrow.lib:_reconstruct_record_batch": _batch,
        "pyarrow.lib:scalar": _scalar,
    },
    needs={"pyarrow.lib:_restore_array": deep_dependencies},
)
