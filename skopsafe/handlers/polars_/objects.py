"""What people hold of polars: frames, series, schemas and data types."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import integer, require
from skopsafe.handlers.content import Content
from skopsafe.handlers.polars_.building import Maker
from skopsafe.handlers.polars_.datatypes import Types, describe
from skopsafe.handlers.polars_.layouts import Layout, Taker

Names = tuple[str, ...] | None
Load = Callable[[Names, list[Any], Context], Any]


def _guarded(load: Load) -> Load:
    """A panic of Rust is no `Exception`, and must not get past those who expect one."""

    @functools.wraps(load)
    def guarded(names: Names, values: list[Any], context: Context) -> Any:
        context.resolve()
        import polars as pl

        _require_recent()
        try:
            return load(names, values, context)
        except pl.exceptions.PanicException as panic:
            require(False, f"polars gave up: {panic}", "polars")
            raise

    return guarded


def _require_recent() -> None:
    """Raise before the release in which categories got their present meaning."""
    import polars as pl

    if not hasattr(pl, "Categories"):
        raise TypeError(f"polars {pl.__version__} is too old: upgrade to 1.32 or newer")


def _taking(get: Callable[[Any], Parts]) -> Callable[[Any], Parts]:
    @functools.wraps(get)
    def taking(obj: Any) -> Parts:
        import polars as pl

        _require_recent()
        try:
            return get(obj)
        except pl.exceptions.PanicException as panic:
            raise TypeError(f"polars gave up: {panic}") from panic

    return taking


def _layouts(series: Any, described: Any, content: Content) -> list[Layout]:
    taker = Taker()
    found = [taker.take(chunk, described) for chunk in series.get_chunks()]
    content.take(found)
    return found


def _series(name: object, dtype: Any, layouts: object, maker: Maker, where: str) -> Any:
    import polars as pl

    require(isinstance(name, str), "malformed", f"{where}.name")
    assert isinstance(name, str)
    require(isinstance(layouts, list), "malformed", f"{where}.chunks")
    assert isinstance(layouts, list)
    chunks = [maker.make(dtype, part, f"{where}.chunks[{i}]").rechunk() for i, part in enumerate(layouts)]
    chunks = [chunk.alias(name) for chunk in chunks]
    if not chunks:
        return pl.Series(name, [], dtype=dtype)
    return chunks[0] if len(chunks) == 1 else pl.concat(chunks, rechunk=False)


def _get_series(obj: Any) -> Parts:
    described, content = describe(obj.dtype), Content()
    layouts = _layouts(obj, described, content)
    content.refuse_free()
    return Parts(("name", "type", "chunks"), [obj.name, described, layouts])


@_guarded
def _load_series(names: Names, values: list[Any], context: Context) -> Any:
    require(names == ("name", "type", "chunks"), "unknown form", "Series")
    name, type_, chunks = values
    content = Content()
    made = _series(name, _parametrized(type_, "Series.type"), chunks, Maker(context, content), "Series")
    content.require_full("Series")
    return made


def _parametrized(found: object, where: str) -> Any:
    dtype = Types().make(found, where)
    require(not isinstance(dtype, type), "not the type of a series", where)
    return dtype


def _get_frame(obj: Any) -> Parts:
    columns = obj.get_columns()
    types = [describe(column.dtype) for column in columns]
    content = Content(0 if columns else obj.height)
    layouts = [_layouts(column, type_, content) for column, type_ in zip(columns, types, strict=True)]
    content.refuse_free()
    return Parts(("columns", "types", "rows", "chunks"), [list(obj.columns), types, obj.height, layouts])


@_guarded
def _load_frame(names: Names, values: list[Any], context: Context) -> Any:
    import polars as pl

    require(names == ("columns", "types", "rows", "chunks"), "unknown form", "DataFrame")
    columns, types, rows, chunks = values
    for part in (columns, types, chunks):
        require(isinstance(part, list) and len(part) == len(columns), "malformed", "DataFrame")
    rows = integer(rows, "DataFrame.rows", 0, 2**31 - 1)
    made, content = [], Content()
    for i, (column, type_, layouts) in enumerate(zip(columns, types, chunks, strict=True)):
        where = f"DataFrame.chunks[{i}]"
        made.append(_series(column, _parametrized(type_, where), layouts, Maker(context, content), where))
    content.require_full("DataFrame.chunks")
    require(all(len(series) == rows for series in made), "has another length", "DataFrame.chunks")
    if not made and rows:
        Content(rows).require_full("DataFrame.rows")
        empty = pl.DataFrame({"rows": pl.Series([None], dtype=pl.Null).new_from_index(0, rows)}).drop("rows")
        require(empty.height == rows, f"polars {pl.__version__} has no rows without columns", "DataFrame")
        return empty
    return pl.DataFrame(made)


def _get_type(obj: Any) -> Parts:
    return Parts(("type",), [describe(obj)])


@_guarded
def _load_type(names: Names, values: list[Any], context: Context) -> Any:
    require(names == ("type",), "unknown form", "DataType")
    return _parametrized(values[0], "DataType")


def _get_field(obj: Any) -> Parts:
    return Parts(("name", "type"), [obj.name, describe(obj.dtype)])


@_guarded
def _load_field(names: Names, values: list[Any], context: Context) -> Any:
    import polars as pl

    require(names == ("name", "type") and type(values[0]) is str, "malformed", "Field")
    return pl.Field(values[0], Types().make(values[1], "Field.type"))


def _get_schema(obj: Any) -> Parts:
    return Parts(("columns", "types"), [list(obj.keys()), [describe(dtype) for dtype in obj.values()]])


@_guarded
def _load_schema(names: Names, values: list[Any], context: Context) -> Any:
    import polars as pl

    require(names == ("columns", "types"), "unknown form", "Schema")
    columns, types = values
    require(isinstance(columns, list) and isinstance(types, list), "malformed", "Schema")
    require(len(columns) == len(types) and all(type(c) is str for c in columns), "malformed", "Schema")
    made = [Types().make(type_, f"Schema.types[{i}]") for i, type_ in enumerate(types)]
    return pl.Schema(dict(zip(columns, made, strict=True)))


def _refuse_plan(obj: Any) -> Parts:
    raise TypeError(
        f"a {type(obj).__name__} is a plan: it opens files and calls functions when it runs, so that loading "
        "one would be running code from the file; save what it gives, such as the frame of its collect()"
    )


def _load_plan(names: Names, values: list[Any], context: Context) -> Any:
    require(False, "a plan cannot be loaded", "polars")


HANDLERS = (
    Handler("polars.dataframe.frame:DataFrame", _taking(_get_frame), _load_frame),
    Handler("polars.series.series:Series", _taking(_get_series), _load_series),
    Handler("polars.datatypes.classes:DataType", _taking(_get_type), _load_type),
    Handler("polars.datatypes.classes:Field", _taking(_get_field), _load_field),
    Handler("polars.schema:Schema", _taking(_get_schema), _load_schema),
    Handler("polars.lazyframe.frame:LazyFrame", _refuse_plan, _load_plan),
    Handler("polars.expr.expr:Expr", _refuse_plan, _load_plan),
)
