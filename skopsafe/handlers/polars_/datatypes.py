"""Data types of polars as nested tuples and texts, and back through their classes."""

from __future__ import annotations

import re
from typing import Any

from skopsafe.handlers.checks import integer, require

DEEPEST = 64
_WIDEST = 2**24

SIMPLE = (
    *(f"Int{bits}" for bits in (8, 16, 32, 64, 128)),
    *(f"UInt{bits}" for bits in (8, 16, 32, 64, 128)),
    *(f"Float{bits}" for bits in (16, 32, 64)),
    *("Boolean", "String", "Binary", "Date", "Time", "Null"),
)
"""Types without parameters."""
_OTHERS = (
    "Datetime",
    "Duration",
    "Decimal",
    "Categorical",
    "Enum",
    "List",
    "Array",
    "Struct",
    "Object",
    "Unknown",
)
_UNITS = ("ms", "us", "ns")
# polars looks zones up in a table that it has compiled in, and Python in files.
_ZONE = re.compile(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+){0,3}")


def describe(dtype: Any, depth: int = 0) -> Any:
    """Return the description of a data type: an instance, or a class without parameters.

    Raises
    ------
    TypeError
        It is not of a kind that could be made again.
    """
    if depth > DEEPEST:
        raise TypeError(f"the data type is nested more than {DEEPEST} deep")
    cls = dtype if isinstance(dtype, type) else type(dtype)
    name, below = cls.__name__, depth + 1
    if cls.__module__ == "polars.datatypes.classes":
        if name in SIMPLE or (cls is dtype and name in _OTHERS):
            return name
        if name == "Datetime":
            if dtype.time_zone is not None and not _ZONE.fullmatch(dtype.time_zone):
                raise TypeError(f"{dtype.time_zone!r} is not a time zone")
            return (name, dtype.time_unit, dtype.time_zone)
        if name == "Duration":
            return (name, dtype.time_unit)
        if name == "Decimal":
            return (name, dtype.precision, dtype.scale)
        if name == "Categorical":
            # No constant tuple: it would be one object for all types of a file.
            return (name, *_describe_categories(dtype.categories))
        if name == "Enum":
            return (name, tuple(dtype.categories.to_list()))
        if name == "List":
            return (name, describe(dtype.inner, below))
        if name == "Map":
            return (name, describe(dtype.key, below), describe(dtype.value, below))
        if name == "Array":
            return (name, describe(dtype.inner, below), dtype.size)
        if name == "Struct":
            return (name, *((field.name, describe(field.dtype, below)) for field in dtype.fields))
    raise TypeError(f"the polars data type {dtype} is not supported")


def _describe_categories(found: Any) -> tuple[str, ...]:
    """Categories have a name, under which all columns of a process share them."""
    return () if found.is_global() else (found.name(), found.namespace(), found.physical().__name__)


class Types:
    """Makes data types out of descriptions that a stranger may have written; no tuple may stand twice."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def make(self, found: object, where: str, depth: int = 0) -> Any:
        """Return the data type that is described."""
        import polars as pl

        require(depth <= DEEPEST, f"nested more than {DEEPEST} deep", where)
        if isinstance(found, str):
            require(found in SIMPLE or found in _OTHERS, "unknown", where)
            require(hasattr(pl, found), f"polars {pl.__version__} has no data type {found}", where)
            cls = getattr(pl, found)
            return cls() if found in SIMPLE else cls
        require(isinstance(found, tuple) and len(found) > 0, "malformed", where)
        assert isinstance(found, tuple)
        require(id(found) not in self._seen, "a part of it stands twice", where)
        self._seen.add(id(found))
        name, *parts = found
        if name == "Struct":
            return pl.Struct([self._field(part, where, depth + 1) for part in parts])
        if name == "Map" and len(parts) == 2:
            require(hasattr(pl, "Map"), f"polars {pl.__version__} has no data type Map", where)
            return pl.Map(*(self.make(part, where, depth + 1) for part in parts))
        counts = {"Duration": 1, "Datetime": 2, "Decimal": 2, "Enum": 1, "List": 1, "Array": 2}
        if name == "Categorical":
            return _categorical(parts, where)
        require(type(name) is str and len(parts) == counts.get(name), "unknown or malformed", where)
        if name in ("Datetime", "Duration"):
            require(type(parts[0]) is str and parts[0] in _UNITS, "malformed unit", where)
            if name == "Duration":
                return pl.Duration(parts[0])
            zone = parts[1]
            known = zone is None or (type(zone) is str and len(zone) < 256 and _ZONE.fullmatch(zone))
            require(known, "not a time zone", where)
            return pl.Datetime(parts[0], zone)
        if name == "Decimal":
            precision = None if parts[0] is None else integer(parts[0], where, 1, 38)
            return pl.Decimal(precision, integer(parts[1], where, 0, precision or 38))
        if name == "Enum":
            texts = parts[0]
            require(isinstance(texts, tuple) and all(type(text) is str for text in texts), "malformed", where)
            return pl.Enum(list(texts))
        inner = self.make(parts[0], where, depth + 1)
        return pl.List(inner) if name == "List" else pl.Array(inner, integer(parts[1], where, 0, _WIDEST))

    def _field(self, found: object, where: str, depth: int) -> Any:
        import polars as pl

        require(isinstance(found, tuple) and len(found) == 2 and type(found[0]) is str, "malformed", where)
        assert isinstance(found, tuple)
        require(id(found) not in self._seen, "a part of it stands twice", where)
        self._seen.add(id(found))
        return pl.Field(found[0], self.make(found[1], where, depth))


def _categorical(parts: list[Any], where: str) -> Any:
    import polars as pl

    require(all(type(part) is str for part in parts), "malformed", where)
    if not parts:
        return pl.Categorical()
    require(len(parts) == 3 and parts[2] in ("UInt8", "UInt16", "UInt32"), "malformed", where)
    return pl.Categorical(pl.Categories(parts[0], parts[1], getattr(pl, parts[2])))
