"""Types of Arrow as nested tuples and texts, and back through the public constructors of pyarrow.

A type without parameters is a text; one with parameters is a tuple of its name and them. Writing the types
out, and not pointing to shared objects, makes their bytes independent of which of pyarrow's many wrappers
of one type somebody happens to hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from skopsafe.errors import ValidationError
from skopsafe.handlers.checks import integer, require

DEEPEST = 64
"""How deep types may be nested: what Arrow's own readers allow. Arrow's C++ recurses into types."""
_WIDEST = 2**24
"""Bytes of one item, or items of one list of a fixed size."""

FLAT = {
    **{name: name for name in ("null", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")},
    **{name: name for name in ("uint64", "float16", "float32", "float64", "string", "binary")},
    **{name: name for name in ("large_string", "large_binary", "string_view", "binary_view")},
    **{name: name for name in ("date32", "date64", "month_day_nano_interval")},
    "bool": "bool_",
    "arrow.uuid": "uuid",
    "arrow.bool8": "bool8",
}
"""Types without parameters, and the function of pyarrow that makes each; releases lack the newer ones."""

_LISTS = {"list": "list_", "large_list": "large_list", "list_view": "list_view"}
_LISTS["large_list_view"] = "large_list_view"
_DECIMALS = {"decimal32": 9, "decimal64": 18, "decimal128": 38, "decimal256": 76}
_UNITS = ("s", "ms", "us", "ns")
# A key of the time zone database or an offset: Python looks the former up in files.
_ZONE = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+){0,3}|[+-]\d\d:\d\d")
_INDEX = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """A type that was checked.

    Attributes
    ----------
    name : str
        Which of the kinds of types it is.
    type : pyarrow.DataType
        The type itself.
    inner : tuple of Spec
        The types inside: of items, fields, a dictionary, the storage of an extension.
    size : int
        Bytes of an item, or items of a list of a fixed size, where the type has that parameter.
    codes : tuple of int
        The codes of a union's types.
    """

    name: str
    type: Any
    inner: tuple[Spec, ...] = ()
    size: int = 0
    codes: tuple[int, ...] = ()


def names_by_id() -> dict[int, str]:
    """Return the names of types without parameters by Arrow's number for them."""
    import pyarrow as pa

    flat = {name: getattr(pa, maker, None) for name, maker in FLAT.items() if not name.startswith("arrow.")}
    return {maker().id: name for name, maker in flat.items() if maker is not None}


def describe(type_: Any) -> Any:
    """Return the description of a type.

    Raises
    ------
    TypeError
        It is not of a kind that could be made again.
    """
    described = _describe(type_, 0)
    _require_same(lambda: Types().make(described).type, type_)
    return described


def _require_same(make: Callable[[], Any], given: Any) -> None:
    """Raise `TypeError` for what would not come back as it was given."""
    try:
        same = make().equals(given, check_metadata=True)
    except ValidationError as error:
        raise TypeError(f"{given} could not be made again: {error.path} {error.reason}") from error
    if not same:
        raise TypeError(f"pyarrow's constructors could not make {given} again as it is")


def _describe(type_: Any, depth: int) -> Any:
    import pyarrow as pa

    lib = pa.lib
    if depth > DEEPEST:
        raise TypeError(f"the type is nested more than {DEEPEST} deep")
    kind, below = type_.id, depth + 1
    flat = names_by_id().get(kind)
    if flat is not None:
        return flat
    if isinstance(type_, pa.BaseExtensionType):
        return _describe_extension(type_, below)
    if kind in (lib.Type_TIME32, lib.Type_TIME64, lib.Type_DURATION):
        name = {lib.Type_TIME32: "time32", lib.Type_TIME64: "time64"}.get(kind, "duration")
        return (name, type_.unit)
    if kind == lib.Type_TIMESTAMP:
        return ("timestamp", type_.unit, type_.tz)
    if kind == lib.Type_FIXED_SIZE_BINARY:
        return ("fixed_size_binary", type_.byte_width)
    for name in _DECIMALS:
        if kind == getattr(lib, f"Type_{name.upper()}", None):
            return (name, type_.precision, type_.scale)
    for name in _LISTS:
        if kind == getattr(lib, f"Type_{name.upper()}", None):
            return (name, _describe_field(type_.value_field, below))
    if kind == lib.Type_FIXED_SIZE_LIST:
        return ("fixed_size_list", _describe_field(type_.value_field, below), type_.list_size)
    if kind == lib.Type_MAP:
        fields = [_describe_field(field, below) for field in (type_.key_field, type_.item_field)]
        return ("map", *fields, type_.keys_sorted)
    if kind == lib.Type_STRUCT:
        return ("struct", *(_describe_field(type_.field(i), below) for i in range(type_.num_fields)))
    if kind in (lib.Type_DENSE_UNION, lib.Type_SPARSE_UNION):
        fields = [_describe_field(type_.field(i), below) for i in range(type_.num_fields)]
        return (f"{type_.mode}_union", tuple(type_.type_codes), *fields)
    if kind == lib.Type_DICTIONARY:
        index, value = (_describe(inner, below) for inner in (type_.index_type, type_.value_type))
        return ("dictionary", index, value, bool(type_.ordered))
    if kind == lib.Type_RUN_END_ENCODED:
        ends, value = (_describe(inner, below) for inner in (type_.run_end_type, type_.value_type))
        return ("run_end_encoded", ends, value)
    raise TypeError(f"the type {type_} is not supported")


def _describe_extension(type_: Any, depth: int) -> Any:
    name = type_.extension_name
    if type(type_).__module__ == "pyarrow.lib":
        if name in ("arrow.uuid", "arrow.bool8"):
            return name
        if name == "arrow.json":
            return (name, _describe(type_.storage_type, depth))
        if name == "arrow.opaque":
            return (name, _describe(type_.storage_type, depth), type_.type_name, type_.vendor_name)
        if name == "arrow.fixed_shape_tensor":
            names, order = type_.dim_names, type_.permutation
            value = _describe(type_.value_type, depth)
            return (
                name,
                value,
                tuple(type_.shape),
                None if names is None else tuple(names),
                None if order is None else tuple(order),
            )
    raise TypeError(
        f"the extension type {name!r} runs code of its own to be made again; save its storage instead"
    )


def describe_metadata(metadata: dict[bytes, bytes] | None) -> Any:
    """Return keys and values as texts whose code points are the bytes."""
    if metadata is None:
        return None
    return tuple(part.decode("latin-1") for item in metadata.items() for part in item)


def _describe_field(field: Any, depth: int) -> Any:
    return (field.name, _describe(field.type, depth), field.nullable, describe_metadata(field.metadata))


def describe_field(field: Any) -> Any:
    """Return the description of a field: its name, type, whether it may be null, and its metadata."""
    described = _describe_field(field, 0)
    _require_same(lambda: Types().field(described)[0], field)
    return described


def make_metadata(found: object, where: str) -> dict[bytes, bytes] | None:
    """Return the metadata that `describe_metadata` describes."""
    if found is None:
        return None
    require(isinstance(found, tuple) and len(found) % 2 == 0, "malformed", where)
    assert isinstance(found, tuple)
    require(all(type(text) is str for text in found), "malformed", where)
    require(all(char <= "\xff" for text in found for char in text), "not bytes", where)
    parts = [text.encode("latin-1") for text in found]
    return dict(zip(parts[::2], parts[1::2], strict=True))


class Types:
    """Makes types out of descriptions that a stranger may have written.

    A description must not contain one tuple twice: that would let a small file describe a type that
    takes forever to walk.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def make(self, found: object, depth: int = 0, where: str = "DataType") -> Spec:
        """Return the type that is described."""
        import pyarrow as pa

        require(depth <= DEEPEST, f"nested more than {DEEPEST} deep", where)
        if isinstance(found, str):
            return Spec(found, _maker(FLAT, found, where)(), *_storage(found))
        require(isinstance(found, tuple) and found and type(found[0]) is str, "malformed", where)
        assert isinstance(found, tuple)
        self._once(found, where)
        name, *parts = found
        if name in ("struct", "dense_union", "sparse_union"):
            return self._fields(name, parts, depth, where)
        counts = {"time32": 1, "time64": 1, "duration": 1, "timestamp": 2, "fixed_size_binary": 1, "map": 3}
        counts |= {"fixed_size_list": 2, "dictionary": 3, "run_end_encoded": 2, "arrow.json": 1}
        counts |= dict.fromkeys(_LISTS, 1) | dict.fromkeys(_DECIMALS, 2)
        counts |= {"arrow.opaque": 3, "arrow.fixed_shape_tensor": 4}
        require(len(parts) == counts.get(name), "unknown or malformed", where)
        if name in ("time32", "time64", "duration", "timestamp"):
            return self._moment(name, parts, where)
        if name == "fixed_size_binary":
            size = integer(parts[0], where, 0, _WIDEST)
            return Spec(name, pa.binary(size), size=size)
        if name in _DECIMALS:
            most = _DECIMALS[name]
            precision = integer(parts[0], where, 1, most)
            # Arrow looks up powers of ten by the difference of scales, without a look at its table's end.
            scale = integer(parts[1], f"{where}.scale", 0, most)
            return Spec(name, _maker({name: name}, name, where)(precision, scale))
        if name in _LISTS:
            field, inner = self.field(parts[0], depth + 1, where)
            return Spec(name, _maker(_LISTS, name, where)(field), (inner,))
        if name == "fixed_size_list":
            field, inner = self.field(parts[0], depth + 1, where)
            size = integer(parts[1], where, 0, _WIDEST)
            return Spec(name, pa.list_(field, size), (inner,), size)
        if name == "map":
            (key, keys), (item, items) = (self.field(part, depth + 1, where) for part in parts[:2])
            require(type(parts[2]) is bool and not key.nullable, "malformed", where)
            return Spec(name, pa.map_(key, item, keys_sorted=parts[2]), (keys, items))
        if name == "dictionary":
            index, value = (self.make(part, depth + 1, where) for part in parts[:2])
            require(index.name in _INDEX and type(parts[2]) is bool, "malformed", where)
            return Spec(name, pa.dictionary(index.type, value.type, parts[2]), (index, value))
        if name == "run_end_encoded":
            ends, value = (self.make(part, depth + 1, where) for part in parts)
            require(ends.name in ("int16", "int32", "int64"), "malformed", where)
            return Spec(name, pa.run_end_encoded(ends.type, value.type), (ends, value))
        return self._extension(name, parts, depth, where)

    def field(self, found: object, depth: int = 0, where: str = "Field") -> tuple[Any, Spec]:
        """Return the field that is described, and its type."""
        import pyarrow as pa

        require(isinstance(found, tuple) and len(found) == 4, "malformed", where)
        assert isinstance(found, tuple)
        self._once(found, where)
        name, type_, nullable, metadata = found
        require(type(name) is str and type(nullable) is bool, "malformed", where)
        spec = self.make(type_, depth, where)
        return pa.field(name, spec.type, nullable, make_metadata(metadata, where)), spec

    def _once(self, found: tuple[Any, ...], where: str) -> None:
        require(id(found) not in self._seen, "a part of it stands twice", where)
        self._seen.add(id(found))

    def _fields(self, name: str, parts: list[Any], depth: int, where: str) -> Spec:
        import pyarrow as pa

        codes: tuple[int, ...] = ()
        if name != "struct":
            require(parts and isinstance(parts[0], tuple), "malformed", where)
            codes = tuple(integer(code, where, 0, 127) for code in parts.pop(0))
            require(len(codes) == len(parts) == len(set(codes)), "malformed codes", where)
        found = [self.field(part, depth + 1, where) for part in parts]
        fields = [field for field, _ in found]
        made = pa.struct(fields) if name == "struct" else getattr(pa, name)(fields, list(codes))
        return Spec(name, made, tuple(spec for _, spec in found), codes=codes)

    def _moment(self, name: str, parts: list[Any], where: str) -> Spec:
        import pyarrow as pa

        allowed = {"time32": _UNITS[:2], "time64": _UNITS[2:]}.get(name, _UNITS)
        require(type(parts[0]) is str and parts[0] in allowed, "malformed unit", where)
        if name != "timestamp":
            return Spec(name, getattr(pa, name)(parts[0]))
        zone = parts[1]
        if zone is not None:
            known = isinstance(zone, str) and len(zone) < 256 and _ZONE.fullmatch(zone)
            require(known, "not a time zone", where)
        return Spec(name, pa.timestamp(parts[0], zone))

    def _extension(self, name: str, parts: list[Any], depth: int, where: str) -> Spec:

        inner = self.make(parts[0], depth + 1, where)
        if name == "arrow.json":
            return Spec(name, _maker({name: "json_"}, name, where)(inner.type), (inner,))
        if name == "arrow.opaque":
            require(all(type(part) is str for part in parts[1:]), "malformed", where)
            return Spec(name, _maker({name: "opaque"}, name, where)(inner.type, *parts[1:]), (inner,))
        shape, names, order = parts[1:]
        require(isinstance(shape, tuple) and len(shape) <= 32, "malformed shape", where)
        size = 1
        for length in shape:
            size *= integer(length, where, 1, _WIDEST)
        require(size <= _WIDEST, "too large a shape", where)
        require(
            names is None or (isinstance(names, tuple) and all(type(label) is str for label in names)),
            "malformed names",
            where,
        )
        if order is not None:
            require(isinstance(order, tuple) and all(type(axis) is int for axis in order), "malformed", where)
            require(sorted(order) == list(range(len(shape))), "not an order of the dimensions", where)
        require(names is None or len(names) == len(shape), "malformed names", where)
        made = _maker({name: "fixed_shape_tensor"}, name, where)(inner.type, shape, names, order)
        return Spec(name, made, (Spec("fixed_size_list", made.storage_type, (inner,), size),))


def _maker(makers: dict[str, str], name: str, where: str) -> Callable[..., Any]:
    import pyarrow as pa

    require(name in makers, "unknown", where)
    require(hasattr(pa, makers[name]), f"pyarrow {pa.__version__} has no type {name}", where)
    made: Callable[..., Any] = getattr(pa, makers[name])
    return made


def _storage(name: str) -> tuple[tuple[Spec, ...], int]:
    """Return what an extension type without parameters is stored as."""
    import pyarrow as pa

    if name == "arrow.uuid":
        return (Spec("fixed_size_binary", pa.binary(16), size=16),), 0
    return ((Spec("int8", pa.int8()),), 0) if name == "arrow.bool8" else ((), 0)
