"""What the rules for pandas share: arrays, indexes and offsets as stands, treated as `pandas.common` does.

An extension array is a `Stand` with the parts of its getter. Frames, series and indexes have copies of their
own of the arrays that they are made of, as their getters make them.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np

from skopsafe.conversion.rules import Budget, require
from skopsafe.conversion.stands import Stand
from skopsafe.graph.parts import Leaf, Parts
from skopsafe.handlers.pandas import objects
from skopsafe.handlers.pandas.offsets import OFFSETS

NA_TYPE = "pandas.api.typing:NAType"
NUMPY = "pandas.arrays:NumpyExtensionArray"
TIMES = {"M": "pandas.arrays:DatetimeArray", "m": "pandas.arrays:TimedeltaArray"}
_CHUNKED = "pyarrow.lib:ChunkedArray"
_OWN = ("pandas.arrays:", "pandas:Categorical", _CHUNKED, f"{OFFSETS}:")


class _Missing:
    """Stands for `pandas.NA` among texts."""


_NA = _Missing()


def is_a(value: Any, *names: str) -> TypeGuard[Stand]:
    """Tell whether a value stands for an instance of one of these classes, and has its parts."""
    return type(value) is Stand and value.name in names and value.parts is not None


def part(stand: Any, name: str) -> Any:
    """Return the part of a stand that has a name."""
    assert stand.parts is not None
    assert stand.parts.attributes is not None
    return stand.parts.values[stand.parts.attributes.index(name)]


def is_array(value: Any) -> TypeGuard[Stand]:
    """Tell whether a value stands for an extension array."""
    is_stand = type(value) is Stand and value.parts is not None
    return is_stand and (value.name.startswith("pandas.arrays:") or value.name == "pandas:Categorical")


def is_index(value: Any) -> TypeGuard[Stand]:
    """Tell whether a value stands for an index."""
    return is_a(value, *INDEXES)


INDEXES = tuple(
    f"pandas:{kind}Index"
    for kind in ("", "Range", "Categorical", "Interval", "Period", "Datetime", "Timedelta", "Multi")
)


def leaf(value: Any, kinds: str, what: str) -> Leaf:
    """Return an array as a part of its own, if it has one of these kinds of dtypes."""
    fits = isinstance(value, np.ndarray) and value.dtype.kind in kinds and not value.dtype.hasobject
    require(fits, f"{what} are no array of the kind that is known")
    return Leaf(value)


def texts(values: np.ndarray[Any, Any], budget: Budget) -> list[Any]:
    """Return the items of an array of objects, with what stands for `pandas.NA` as one object."""
    budget.spend(values.size)
    flat = values.ravel(order="F" if objects.is_fortran(values) else "C").tolist()
    return [_NA if is_a(item, NA_TYPE) else item for item in flat]


def encoded(items: list[Any]) -> list[Any] | None:
    """Return letters, lengths and places of texts; see `pandas.objects.encode`."""
    return objects.encode(items, _NA)


def over(values: np.ndarray[Any, Any], budget: Budget) -> Stand:
    """Return an extension array of numpy over an array, or one of times."""
    require(isinstance(values, np.ndarray), "the values are no array")
    kind = values.dtype.kind
    if kind in TIMES:
        require(values.ndim > 0, "times have no dimension")
        zone = [None] if kind == "M" else []
        form = ("values", "tz", "freq") if kind == "M" else ("values", "freq")
        return Stand(TIMES[kind], Parts(form, [Leaf(values), *zone, None]))
    require(kind in "biufcOSUV", "the values have an unknown dtype")
    if kind == "O":
        items = texts(values, budget)
        found = objects.parts_of_values(values, items, _NA)
        if found.attributes == ("shape", "fortran", "objects"):
            plain = values.ravel(order="F" if objects.is_fortran(values) else "C").tolist()
            found = Parts(found.attributes, [*found.values[:2], plain])
        return Stand(NUMPY, found)
    return Stand(NUMPY, objects.parts_of_values(values, [], _NA))


def own(values: Any, budget: Budget) -> Stand:
    """Return an extension array of its own, over an array or equal to an extension array.

    As `pandas.common.own`: times are without a freq, which belongs to the index.
    """
    if not is_array(values):
        return over(values, budget)
    made = copied(values, budget)
    if made.name in TIMES.values():
        assert made.parts is not None
        made.parts = Parts(made.parts.attributes, [*made.parts.values[:-1], None])
    return made


def copied(stand: Stand, budget: Budget) -> Stand:
    """Return an equal stand of its own; arrays and offsets in it are its own, too."""
    found = stand.parts
    assert found is not None
    budget.spend(len(found.values))
    if stand.name == _CHUNKED:
        return Stand(
            stand.name, Parts(found.attributes, [parts_copied(part, budget) for part in found.values])
        )
    values = [copied(v, budget) if type(v) is Stand and v.name.startswith(_OWN) else v for v in found.values]
    if stand.name == NUMPY:
        values = [list(v) if type(v) is list else v for v in values]
    return Stand(stand.name, Parts(found.attributes, values))


def parts_copied(value: Any, budget: Budget, known: dict[int, Any] | None = None) -> Any:
    """Return a description or layout of pyarrow with lists and tuples of its own.

    An array of a file can be had once, so no two columns can have a layout in common. What the chunks of one
    column have in common stays so: their dictionary.
    """
    budget.spend(1)
    if type(value) not in (list, tuple):
        return value
    known = {} if known is None else known
    if id(value) not in known:
        known[id(value)] = type(value)(parts_copied(item, budget, known) for item in value)
    return known[id(value)]


def own_offset(offset: Any, budget: Budget) -> Any:
    """Return an equal offset of its own; None for None."""
    if offset is None:
        return None
    require(type(offset) is Stand and offset.name.startswith(f"{OFFSETS}:"), "a freq is no offset")
    return copied(offset, budget)
