"""What people hold of pyarrow: arrays, columns, tables, schemas, types and scalars."""

from __future__ import annotations

from typing import Any

from skopsafe.errors import ValidationError
from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.arrow.building import Maker
from skopsafe.handlers.arrow.datatypes import (
    Types,
    describe,
    describe_field,
    describe_metadata,
    make_metadata,
)
from skopsafe.handlers.arrow.layouts import Layout, Taker
from skopsafe.handlers.checks import integer, require
from skopsafe.handlers.content import Content

Names = tuple[str, ...] | None


class _Written:
    """Gives back the arrays of layouts that were not written yet."""

    path = ""

    def array(self, leaf: Any) -> Any:
        return leaf.array


def _alone_layouts(chunks: list[Any], described: Any) -> list[Layout]:
    """Return the layouts of arrays that stand in no table."""
    content = Content()
    found = _layouts(chunks, described, content)
    content.refuse_free()
    return found


def _layouts(chunks: list[Any], described: Any, content: Content) -> list[Layout]:
    """Return the layouts of arrays, all of which can be loaded again."""
    import pyarrow as pa

    found: list[Layout] = []
    taker = Taker()
    for chunk in chunks:
        try:
            chunk.validate(full=True)
            doubt = None
        except pa.ArrowInvalid as error:
            if "Dictionary indices" not in str(error):
                raise
            doubt = error  # of what a null record hides
        layout = taker.take(chunk, described)
        if doubt is not None:
            try:
                Maker(_Written()).make(Types().make(described), layout, "Array")  # type: ignore[arg-type]
            except ValidationError:
                raise doubt from None
        found.append(layout)
    content.take(found)
    return found


def _get_type(obj: Any) -> Parts:
    return Parts(("type",), [describe(obj)])


def _load_type(names: Names, values: list[Any], context: Context) -> Any:
    context.resolve()
    require(names == ("type",), "unknown form", "DataType")
    import pyarrow as pa

    # Not the object that pyarrow keeps for each simple type: two that were apart stay apart.
    return pa.field("", Types().make(values[0]).type).type


def _get_field(obj: Any) -> Parts:
    return Parts(("field",), [describe_field(obj)])


def _load_field(names: Names, values: list[Any], context: Context) -> Any:
    context.resolve()
    require(names == ("field",), "unknown form", "Field")
    return Types().field(values[0])[0]


def _describe_schema(obj: Any) -> list[Any]:
    return [[describe_field(field) for field in obj], describe_metadata(obj.metadata)]


def _schema(fields: object, metadata: object, where: str) -> tuple[Any, list[Any]]:
    """Return a schema and the types of its columns."""
    import pyarrow as pa

    require(isinstance(fields, list), "malformed", where)
    assert isinstance(fields, list)
    types = Types()
    found = [types.field(field, 0, f"{where}.fields[{i}]") for i, field in enumerate(fields)]
    schema = pa.schema([field for field, _ in found], make_metadata(metadata, f"{where}.metadata"))
    return schema, [spec for _, spec in found]


def _get_schema(obj: Any) -> Parts:
    return Parts(("fields", "metadata"), _describe_schema(obj))


def _load_schema(names: Names, values: list[Any], context: Context) -> Any:
    context.resolve()
    require(names == ("fields", "metadata"), "unknown form", "Schema")
    return _schema(values[0], values[1], "Schema")[0]


def _get_array(obj: Any) -> Parts:
    described = describe(obj.type)
    return Parts(("type", "layout"), [described, *_alone_layouts([obj], described)])


def _load_array(names: Names, values: list[Any], context: Context) -> Any:
    context.resolve()
    require(names == ("type", "layout"), "unknown form", "Array")
    maker = Maker(context)
    made = maker.make(Types().make(values[0], 0, "Array.type"), values[1], "Array")
    maker.content.require_full("Array")
    return made


def _get_chunked(obj: Any) -> Parts:
    described = describe(obj.type)
    return Parts(("type", "chunks"), [described, _alone_layouts(obj.chunks, described)])


def _load_chunked(names: Names, values: list[Any], context: Context) -> Any:
    context.resolve()
    require(names == ("type", "chunks"), "unknown form", "ChunkedArray")
    maker = Maker(context)
    made = _chunked(Types().make(values[0], 0, "ChunkedArray.type"), values[1], maker, "ChunkedArray")
    maker.content.require_full("ChunkedArray")
    return made


def _chunked(spec: Any, layouts: object, maker: Maker, where: str) -> Any:
    import pyarrow as pa

    require(isinstance(layouts, list), "malformed", where)
    assert isinstance(layouts, list)
    chunks = [maker.make(spec, layout, f"{where}.chunks[{i}]") for i, layout in enumerate(layouts)]
    return pa.chunked_array(chunks, spec.type)


def _columns(names: Names, values: list[Any], where: str) -> tuple[Any, list[Any], int, list[Any]]:
    """Return the schema of a table or batch, the types of columns, the number of rows, and layouts."""
    require(names == ("fields", "metadata", "rows", "columns"), "unknown form", where)
    schema, specs = _schema(values[0], values[1], where)
    rows, columns = integer(values[2], f"{where}.rows", 0, 2**40), values[3]
    require(isinstance(columns, list) and len(columns) == len(specs), "malformed", f"{where}.columns")
    return schema, specs, rows, columns


def _require_rows(columns: list[Any], rows: int, where: str) -> None:
    require(all(len(column) == rows for column in columns), "has another length", f"{where}.columns")


def _get_table(obj: Any) -> Parts:
    fields, metadata = _describe_schema(obj.schema)
    content = Content(0 if fields else obj.num_rows)
    columns = [_layouts(obj.column(i).chunks, field[1], content) for i, field in enumerate(fields)]
    content.refuse_free()
    return Parts(("fields", "metadata", "rows", "columns"), [fields, metadata, obj.num_rows, columns])


def _load_table(names: Names, values: list[Any], context: Context) -> Any:
    context.resolve()
    import pyarrow as pa

    schema, specs, rows, columns = _columns(names, values, "Table")
    if not specs:
        return pa.Table.from_batches([_empty_batch(schema, rows, "Table")], schema)
    content = Content()
    made = [
        _chunked(spec, column, Maker(context, content), f"Table.columns[{i}]")
        for i, (spec, column) in enumerate(zip(specs, columns, strict=True))
    ]
    content.require_full("Table.columns")
    _require_rows(made, rows, "Table")
    return pa.Table.from_arrays(made, schema=schema)


def _empty_batch(schema: Any, rows: int, where: str) -> Any:
    """Return rows without columns."""
    import pyarrow as pa

    Content(rows).require_full(f"{where}.rows")
    empty = pa.Array.from_buffers(pa.struct([]), rows, [None], children=[])
    batch = pa.RecordBatch.from_struct_array(empty)
    return batch.replace_schema_metadata(schema.metadata)


def _get_batch(obj: Any) -> Parts:
    fields, metadata = _describe_schema(obj.schema)
    content = Content(0 if fields else obj.num_rows)
    columns = [_layouts([obj.column(i)], field[1], content)[0] for i, field in enumerate(fields)]
    content.refuse_free()
    return Parts(("fields", "metadata", "rows", "columns"), [fields, metadata, obj.num_rows, columns])


def _load_batch(names: Names, values: list[Any], context: Context) -> Any:
    context.resolve()
    import pyarrow as pa

    schema, specs, rows, columns = _columns(names, values, "RecordBatch")
    if not specs:
        return _empty_batch(schema, rows, "RecordBatch")
    content = Content()
    made = [
        Maker(context, content).make(spec, column, f"RecordBatch.columns[{i}]")
        for i, (spec, column) in enumerate(zip(specs, columns, strict=True))
    ]
    content.require_full("RecordBatch.columns")
    _require_rows(made, rows, "RecordBatch")
    return pa.RecordBatch.from_arrays(made, schema=schema)


def _get_scalar(obj: Any) -> Parts:
    import pyarrow as pa

    described = describe(obj.type)
    if isinstance(obj, pa.ExtensionScalar):
        one = pa.ExtensionArray.from_storage(obj.type, _alone(obj.value, obj.type.storage_type))
    else:
        one = _alone(obj, obj.type)
    return Parts(("type", "layout"), [described, *_alone_layouts([one], described)])


def _alone(obj: Any, type_: Any) -> Any:
    import pyarrow as pa

    return pa.nulls(1, type_) if obj is None or not obj.is_valid else pa.repeat(obj, 1)


def _load_scalar(names: Names, values: list[Any], context: Context) -> Any:
    context.resolve()
    require(names == ("type", "layout"), "unknown form", "Scalar")
    made = Maker(context).make(Types().make(values[0], 0, "Scalar.type"), values[1], "Scalar")
    require(len(made) == 1, "not one item", "Scalar")
    return made[0]


HANDLERS = (
    Handler("pyarrow.lib:DataType", _get_type, _load_type),
    Handler("pyarrow.lib:Field", _get_field, _load_field),
    Handler("pyarrow.lib:Schema", _get_schema, _load_schema),
    Handler("pyarrow.lib:Array", _get_array, _load_array),
    Handler("pyarrow.lib:ChunkedArray", _get_chunked, _load_chunked),
    Handler("pyarrow.lib:RecordBatch", _get_batch, _load_batch),
    Handler("pyarrow.lib:Table", _get_table, _load_table),
    Handler("pyarrow.lib:Scalar", _get_scalar, _load_scalar),
)
