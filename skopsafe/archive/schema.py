"""``schema.json``: a Document as JSON, flat whatever the depth of the object. See ``docs/format.md``."""

from __future__ import annotations

from typing import IO, Any, BinaryIO, Literal

import msgspec

from skopsafe.archive.arrays import ArrayRun, Collector
from skopsafe.archive.container import Reader, Writer
from skopsafe.archive.source import Mapping, Source
from skopsafe.archive.zip_records import SCHEMA as MEMBER
from skopsafe.errors import FormatError, LimitError, UnsupportedTypeError, shown
from skopsafe.graph.check import check
from skopsafe.graph.document import PROTOCOL, Document, Run, Shape, TypeRow, Value
from skopsafe.graph.runs import spelled_out, value_count
from skopsafe.limits import DEFAULT_LIMITS, Limits

FORMAT = "skopsafe"
VALUES_FOR_A_BYTE = 32
"""Values that a schema may have for each of its bytes: columns and rows multiply, and each value becomes a
place in an object. Nodes with fewer attributes than this never come near it.

`Limits.work` bounds values too, and neither does what the other does. It has a floor, below which a file of
a kilobyte could have four million values; this has none. And it is over the size of the file, where this is
over that of the schema, which in a file of ten kilobytes can be four megabytes of one letter.
"""


class OfSkops(FormatError):
    """The schema is that of a file of skops, which another reader reads."""


class _Header(msgspec.Struct, frozen=True):
    """What is looked at when the rest cannot be read: a foreign or newer file gets its own message."""

    format: str = ""
    protocol: int = 0
    loader: Any = msgspec.field(name="__loader__", default=None)


class _Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    protocol: int
    # skops looks for these three, and so says "Can't find loader skopsafe.load ..." instead of a KeyError.
    # They are the same in every file, and nothing here reads them.
    skops_class: Literal["load"] = msgspec.field(name="__class__")
    skops_module: Literal["skopsafe"] = msgspec.field(name="__module__")
    skops_loader: Literal["skopsafe.load"] = msgspec.field(name="__loader__")
    writer: dict[str, str]
    types: list[TypeRow]
    shapes: list[Shape]
    dtypes: list[Any]
    members: list[str]
    arrays: list[ArrayRun]
    runs: list[Run]
    root: bool | int | float | str | list[int] | None


_HEADERS = msgspec.json.Decoder(_Header)
_SCHEMAS = msgspec.json.Decoder(_Schema)
_ENCODER = msgspec.json.Encoder()
_AGAIN = "Get the file again from its author, or save the model again."


def write(
    file: IO[bytes],
    collector: Collector,
    types: list[TypeRow],
    shapes: list[Shape],
    runs: list[Run],
    root: Value,
    writer: dict[str, str],
    compression: int,
    compresslevel: int | None,
) -> None:
    """Write arrays and schema to a zip; the schema last, so that an audit is one read of the tail."""
    zipped = Writer(file, compression, compresslevel)
    try:
        collector.write(zipped)
        zipped.add(MEMBER, _encoded(collector, types, shapes, runs, root, writer))
        zipped.close()
    except BaseException:
        zipped.give_up()
        raise


def _encoded(
    collector: Collector,
    types: list[TypeRow],
    shapes: list[Shape],
    runs: list[Run],
    root: Value,
    writer: dict[str, str],
) -> bytes:
    schema = _Schema(
        format=FORMAT,
        protocol=PROTOCOL,
        skops_class="load",
        skops_module="skopsafe",
        skops_loader="skopsafe.load",
        writer=writer,
        types=types,
        shapes=shapes,
        dtypes=collector.dtypes,
        members=collector.members,
        arrays=collector.runs,
        runs=runs,
        root=root,
    )
    data = _ENCODER.encode(schema)
    values = value_count(runs, shapes)
    if sum(run.count for run in runs) > len(data) or values > VALUES_FOR_A_BYTE * len(data):
        data = _ENCODER.encode(msgspec.structs.replace(schema, runs=spelled_out(runs)))
    if values > VALUES_FOR_A_BYTE * len(data):
        data = _ENCODER.encode(msgspec.structs.replace(schema, runs=spelled_out(runs, scalars=True)))
    if values > VALUES_FOR_A_BYTE * len(data):
        raise UnsupportedTypeError(
            f"the object has {values} values in few columns, which a reader takes for a bomb",
            next_step="Save the values as arrays.",
        )
    return data


def read(file: BinaryIO, limits: Limits, mapping: Mapping | None = None) -> Document:
    """Read a Document; its arrays are read when they are asked for, while the file is open.

    Raises
    ------
    FormatError
        The file is damaged, of another format, or of a newer protocol.
    LimitError
        A limit is passed.
    """
    reader = Reader(file, limits)
    if MEMBER not in reader:
        raise FormatError("this zip has no schema.json, so it is no skopsafe file", next_step=_AGAIN)
    if reader.size(MEMBER) > limits.schema_bytes:
        raise LimitError(
            f"schema.json has {reader.size(MEMBER)} bytes, more than the limit of {limits.schema_bytes}",
            next_step="Pass limits=Limits(schema_bytes=...) if you expect so large a graph.",
        )
    data = reader.read(MEMBER)
    try:
        schema = _SCHEMAS.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _misread(data, error) from shown(error)
    if schema.format != FORMAT or schema.protocol != PROTOCOL:
        raise _misread(data, ValueError("unknown format"))
    if len(set(schema.members)) != len(schema.members):
        raise FormatError("a member is listed twice", path=f"{MEMBER} members", next_step=_AGAIN)
    source = Source(reader, schema.dtypes, schema.members, schema.arrays, limits, mapping)
    document = Document(
        types=schema.types,
        shapes=schema.shapes,
        runs=schema.runs,
        array_count=source.count,
        root=schema.root,
        writer=schema.writer,
        arrays=source.joined,
        steps=limits.steps(reader.length),
        extent=source.extent,
    )
    if source.count > limits.nodes:
        raise LimitError(
            f"the file has {source.count} arrays, more than the limit of {limits.nodes} nodes",
            path=MEMBER,
            next_step="Pass limits=Limits(nodes=...) if you expect so many.",
        )
    if document.node_count > len(data):
        raise LimitError("the schema has more nodes than bytes", path=MEMBER, next_step=_AGAIN)
    check(document, limits)
    values = value_count(document.runs, document.shapes)
    # Whoever allows more work has said that the file may be so.
    if values > VALUES_FOR_A_BYTE * len(data) and limits.work <= DEFAULT_LIMITS.work:
        raise LimitError(
            f"the schema has {values} values, more than {VALUES_FOR_A_BYTE} for each of its bytes",
            path=MEMBER,
            next_step=_AGAIN,
        )
    if source.count > values:
        raise FormatError(
            "there are more arrays than values that could name them", path=MEMBER, next_step=_AGAIN
        )
    return document


def _misread(data: bytes, error: Exception) -> FormatError:
    """Say why a schema cannot be read: it may be of another format, or newer."""
    try:
        header = _HEADERS.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        header = _Header(FORMAT, PROTOCOL)
    if header.format != FORMAT:
        if header.loader is not None:
            return OfSkops("this file was written by skops", next_step="Read it with skopsafe.load.")
        return FormatError("schema.json is not that of a skopsafe file", next_step=_AGAIN)
    if header.protocol > PROTOCOL:
        return FormatError(
            f"the file has protocol {header.protocol}, and this version reads up to {PROTOCOL}",
            next_step="Upgrade skopsafe: pip install -U skopsafe.",
        )
    if header.protocol != PROTOCOL:
        return FormatError(f"the file has the unknown protocol {header.protocol}", next_step=_AGAIN)
    return FormatError(f"the schema is malformed ({error})", path=MEMBER, next_step=_AGAIN)
