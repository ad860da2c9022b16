"""numpy: arrays of every dtype, scalars, dtypes and masked arrays."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from skopsafe.graph.account import BYTES_A_STEP
from skopsafe.graph.parts import Columns, Context, Handler, Leaf, Parts
from skopsafe.graph.plain import MOST_DIMENSIONS, unsound
from skopsafe.handlers import numpy_random
from skopsafe.handlers.checks import array, integer, require
from skopsafe.handlers.depth import require_shallow

Names = tuple[str, ...] | None

_PLAIN = "biufcSUVmM"
_FORMS = (
    ("shape", "fortran", "objects"),
    ("shape", "fortran", "dtype", "rows"),
    ("shape", "fortran", "coerce", "missing", "na_object", "strings"),
)
_ROW, _ROWS = 2**12, 2**24
_ITEM = 2**24
"""Bytes of one item of a dtype that stands for itself; arrays have theirs in the archive."""
_DEEPEST = 32
_MOST_FIELDS = 2**16
"""Fields of one structure; the archive reads as many."""


@functools.lru_cache(maxsize=256)
def is_plain(dtype: np.dtype[Any]) -> bool:
    """Tell whether an array of `dtype` can be a `Leaf`."""
    return dtype.kind in _PLAIN and not dtype.hasobject and _has_plain_names(dtype)


def _has_plain_names(dtype: np.dtype[Any]) -> bool:
    """Tell whether versions 1 and 2 of the ``.npy`` header, which are Latin-1, can spell the fields."""
    if dtype.subdtype is not None:
        return _has_plain_names(dtype.subdtype[0])
    fields: Any = dtype.fields or {}
    if len(fields) > _MOST_FIELDS:
        return False
    end = 0
    for field, offset, *_ in [fields[name] for name in dtype.names or ()]:
        if offset < end:  # a header describes fields in the order of the bytes, and none has those of another
            return False
        end = offset + field.itemsize
    for name, field in (dtype.fields or {}).items():  # a title is a key of its own
        if any(ord(letter) > 255 for letter in name) or not _has_plain_names(field[0]):
            return False
    return True


def _get_array(obj: np.ndarray[Any, Any]) -> Parts:
    if is_plain(obj.dtype):
        return Parts(("array",), [Leaf(obj)])
    if obj.dtype.kind == "V" and not obj.dtype.hasobject:
        return Parts(("bytes", "dtype"), [Leaf(obj.view(f"V{obj.dtype.itemsize}")), obj.dtype])
    fortran = obj.flags.f_contiguous and not obj.flags.c_contiguous
    items = obj.ravel(order="F" if fortran else "C").tolist()
    if obj.dtype.kind == "T":
        missing = hasattr(obj.dtype, "na_object")
        values = [
            obj.shape,
            fortran,
            obj.dtype.coerce,
            missing,
            obj.dtype.na_object if missing else None,
            items,
        ]
        return Parts(("shape", "fortran", "coerce", "missing", "na_object", "strings"), values)
    if obj.dtype.kind == "V":
        return Parts(("shape", "fortran", "dtype", "rows"), [obj.shape, fortran, obj.dtype, items])
    return Parts(("shape", "fortran", "objects"), [obj.shape, fortran, items])


def _get_arrays(objs: list[np.ndarray[Any, Any]]) -> Columns | None:
    if not all(map(is_plain, {obj.dtype for obj in objs})):
        return None
    return Columns(("array",), [[Leaf(obj) for obj in objs]])


def _shape(value: object, items: object, where: str) -> tuple[int, ...]:
    require(isinstance(value, tuple) and len(value) <= MOST_DIMENSIONS, "the shape is malformed", where)
    require(isinstance(items, list), "the items are malformed", where)
    assert isinstance(value, tuple)
    assert isinstance(items, list)
    count = 1
    for size in value:
        count *= integer(size, where, 0, 2**40)
    require(count == len(items), f"shape {value} has not {len(items)} items", where)
    return value


def _load_array(names: Names, values: list[Any], context: Context) -> Any:
    if names == ("array",):
        return context.array(values[0])
    if names == ("bytes", "dtype"):
        found, dtype = context.array(values[0]), values[1]
        require(isinstance(dtype, np.dtype) and not dtype.hasobject, "no plain dtype", "ndarray")
        require(dtype.names is not None and found.dtype.kind == "V", "no structure", "ndarray")
        require(dtype.itemsize == found.dtype.itemsize, "the dtype has another size", "ndarray")
        found = found.view(dtype)
        reason = unsound(found)
        require(reason is None, reason or "", "ndarray")
        return found
    require(names in _FORMS, "unknown form", "ndarray")
    shape = _shape(values[0], values[-1], "ndarray")
    order: Any = "F" if values[1] else "C"
    items = values[-1]
    context.account.pay_items(items, "ndarray")
    require_shallow(items, "ndarray", context.account)
    if names == ("shape", "fortran", "objects"):
        flat: Any = np.empty(len(items), object)
        for index, item in enumerate(items):
            flat[index] = item
        return flat.reshape(shape, order=order)
    if names == ("shape", "fortran", "dtype", "rows"):
        dtype = values[2]
        require(isinstance(dtype, np.dtype) and dtype.names is not None, "no structure", "ndarray")
        # Memory for a row must stand in proportion to what the file spends on it.
        require(
            dtype.itemsize <= _ROW or dtype.itemsize * len(items) <= _ROWS, "rows are too long", "ndarray"
        )
        # Rows that are one and the same become as many.
        context.account.spend(dtype.itemsize * len(items) // BYTES_A_STEP, "ndarray")
        return np.array(items, values[2]).reshape(shape, order=order)
    text = _string_dtype(*values[2:5])
    missing = type(values[4]) if values[3] else str
    require(all(type(item) in (str, missing) for item in items), "not texts", "ndarray")
    return np.array(items, text).reshape(shape, order=order)


def _load_arrays(names: Names, columns: list[Sequence[Any]], context: Context) -> list[Any]:
    if names == ("array",):
        return context.arrays(columns[0])
    return [_load_array(names, list(values), context) for values in zip(*columns, strict=True)]


def _string_dtype(coerce: object, missing: object, na_object: object) -> Any:
    if not missing:
        return np.dtypes.StringDType(coerce=bool(coerce))  # type: ignore[attr-defined, unused-ignore]
    plain = na_object is None or isinstance(na_object, (float, int, str, np.generic))
    require(plain or type(na_object).__name__ == "NAType", "no mark for a missing text", "StringDType")
    return np.dtypes.StringDType(coerce=bool(coerce), na_object=na_object)  # type: ignore[attr-defined, unused-ignore]


def _get_scalar(obj: np.generic) -> Parts:
    kind = type(obj)
    # A longlong scalar, where it is not int64 itself, is written as the int64 that it is equal to.
    is_int = obj.dtype.kind == "i" and obj.dtype == np.int64
    if kind is np.float64 or is_int or kind is np.bool_ or kind is np.str_:
        return Parts(("dtype", "value"), [obj.dtype.str if kind is not np.str_ else "<U", obj.item()])
    return Parts(("array",), [Leaf(np.array(obj, dtype=obj.dtype))])


def _get_scalars(objs: list[np.generic]) -> Columns | None:
    parts = _get_scalar(objs[0])
    if parts.attributes != ("dtype", "value") or isinstance(objs[0], np.str_):
        return None
    return Columns(parts.attributes, [[parts.values[0]] * len(objs), [obj.item() for obj in objs]])


_INLINE = {"<f8": (np.float64, float), "<i8": (np.int64, int), "|b1": (np.bool_, bool), "<U": (np.str_, str)}


def _load_scalar(names: Names, values: list[Any], context: Context) -> Any:
    if names == ("array",):
        found = context.array(values[0])
        require(found.ndim == 0, "not a scalar", "numpy.generic")
        return found[()]
    require(names == ("dtype", "value"), "unknown form", "numpy.generic")
    kind, python = _INLINE.get(values[0], (None, None)) if isinstance(values[0], str) else (None, None)
    require(kind is not None and type(values[1]) is python, "not a scalar of its dtype", "numpy.generic")
    return kind(values[1])  # type: ignore[misc]


def _load_scalars(names: Names, columns: list[Sequence[Any]], context: Context) -> list[Any]:
    if names == ("dtype", "value"):
        dtypes, values = columns
        kind, python = _INLINE.get(dtypes[0], (None, None)) if isinstance(dtypes[0], str) else (None, None)
        is_same = set(map(type, dtypes)) == {str} and len(set(dtypes)) == 1
        if kind is not None and is_same and set(map(type, values)) == {python}:
            return list(map(kind, values))
    return [_load_scalar(names, list(row), context) for row in zip(*columns, strict=True)]


def _get_dtype(obj: np.dtype[Any]) -> Parts:
    if obj.names is not None:
        if len(obj.names) > _MOST_FIELDS:
            raise TypeError(f"a structure of more than {_MOST_FIELDS} fields")
        # A field is (name, dtype, offset), with a title behind them if it has one.
        fields = [(name, *obj.fields[name]) for name in obj.names]  # type: ignore[index]
        return Parts(("fields", "itemsize", "aligned"), [fields, obj.itemsize, obj.isalignedstruct])
    if obj.subdtype is not None:
        return Parts(("base", "shape"), list(obj.subdtype))
    if obj.kind == "T":
        text: Any = obj
        missing = hasattr(text, "na_object")
        return Parts(
            ("coerce", "missing", "na_object"), [text.coerce, missing, text.na_object if missing else None]
        )
    return Parts(("str",), [obj.str])


def _load_dtype(names: Names, values: list[Any], _: Context) -> Any:
    found = _make_dtype(names, values)
    require(found.itemsize <= _ITEM, f"items of {found.itemsize} bytes", "numpy.dtype")
    require(_nesting(found) <= _DEEPEST, "nested too deeply", "numpy.dtype")
    return found


def _nesting(dtype: np.dtype[Any]) -> int:
    """Return how deep structures are nested. All of them are no deeper than allowed but the outermost."""
    inner = [field[0] for field in (dtype.fields or {}).values()]
    inner += [] if dtype.subdtype is None else [dtype.subdtype[0]]
    return 1 + max(map(_nesting, inner), default=0)


def _make_dtype(names: Names, values: list[Any]) -> Any:
    if names == ("str",):
        require(isinstance(values[0], str) and len(values[0]) < 64, "malformed", "numpy.dtype")
        found = np.dtype(values[0])
        require(found.str == values[0], "not as numpy spells it", "numpy.dtype")
        return found
    if names == ("base", "shape"):
        require(isinstance(values[0], np.dtype) and isinstance(values[1], tuple), "malformed", "numpy.dtype")
        return np.dtype((values[0], values[1]))
    if names == ("coerce", "missing", "na_object"):
        return _string_dtype(*values)
    require(names == ("fields", "itemsize", "aligned"), "unknown form", "numpy.dtype")
    fields = values[0]
    require(isinstance(fields, list) and len(fields) <= _MOST_FIELDS, "malformed", "numpy.dtype")
    for field in fields:
        require(
            isinstance(field, tuple) and len(field) in (3, 4) and isinstance(field[0], str),
            "malformed",
            "numpy.dtype",
        )
        require(isinstance(field[1], np.dtype), "malformed", "numpy.dtype")
        require(len(field) == 3 or isinstance(field[3], (str, tuple)), "malformed title", "numpy.dtype")
    spec = {
        "names": [f[0] for f in fields],
        "formats": [f[1] for f in fields],
        "offsets": [integer(f[2], "numpy.dtype.offsets", 0, _ITEM) for f in fields],
        "titles": [f[3] if len(f) == 4 else None for f in fields],
        "itemsize": integer(values[1], "numpy.dtype.itemsize", 0, _ITEM),
    }
    return np.dtype(spec, align=bool(values[2]))  # type: ignore[call-overload]


def _get_masked(obj: Any) -> Parts:
    return Parts(
        ("data", "mask", "fill_value", "hard"),
        [
            np.asarray(obj.data),
            None if obj.mask is np.ma.nomask else np.asarray(obj.mask),
            None if obj._fill_value is None else np.asarray(obj._fill_value),
            bool(obj.hardmask),
        ],
    )


def _load_masked(names: Names, values: list[Any], __: Context) -> Any:
    require(names == ("data", "mask", "fill_value", "hard"), "unknown form", "MaskedArray")
    require(type(values[3]) is bool, "not a bool", "MaskedArray.hardmask")
    data, mask, fill, hard = values
    array(data, "MaskedArray.data")
    if mask is not None:
        array(mask, "MaskedArray.mask", shape=data.shape)
        require(
            mask.dtype == np.ma.make_mask_descr(data.dtype), "the mask's dtype is wrong", "MaskedArray.mask"
        )
    out = np.ma.MaskedArray(data, np.ma.nomask if mask is None else mask, hard_mask=hard, copy=False)
    if fill is not None:
        require(array(fill, "MaskedArray.fill_value").size == 1, "not a scalar", "MaskedArray.fill_value")
        out._fill_value = fill  # type: ignore[attr-defined, unused-ignore]
    return out


def _view(cls: Any) -> Handler:
    def load(names: Names, values: list[Any], __: Context) -> Any:
        require(names == ("data",), "unknown form", cls.__name__)
        found = array(values[0], cls.__name__)
        require(cls is not np.matrix or found.ndim == 2, "a matrix has two dimensions", "matrix")
        return found.view(cls)

    return Handler(f"numpy:{cls.__name__}", lambda obj: Parts(("data",), [np.asarray(obj)]), load)


def _get_record_array(obj: Any) -> Parts:
    record = issubclass(obj.dtype.type, np.record)
    base = np.ndarray(obj.shape, np.dtype((np.void, obj.dtype)) if record else obj.dtype, obj, 0, obj.strides)
    return Parts(("data", "record"), [base, record])


def _load_record_array(names: Names, values: list[Any], __: Context) -> Any:
    require(names == ("data", "record"), "unknown form", "recarray")
    found = array(values[0], "recarray")
    require(not values[1] or found.dtype.names is not None, "no structure", "recarray")
    dtype = np.dtype((np.record, found.dtype)) if values[1] else found.dtype
    return found.view(np.recarray) if not values[1] else np.ndarray.view(found, dtype).view(np.recarray)


def _load_masked_constant(_: Names, values: list[Any], __: Context) -> Any:
    require(not values, "has parts", "MaskedConstant")
    return np.ma.masked


HANDLERS = (
    Handler(
        "numpy:ndarray", _get_array, _load_array, load_run=_load_arrays, get_run=_get_arrays, is_light=True
    ),
    Handler(
        "numpy:generic",
        _get_scalar,
        _load_scalar,
        load_run=_load_scalars,
        get_run=_get_scalars,
        is_light=True,
    ),
    Handler("numpy:dtype", _get_dtype, _load_dtype),
    Handler("numpy.ma:MaskedArray", _get_masked, _load_masked),
    Handler("numpy.ma.core:MaskedConstant", lambda _: Parts(None, []), _load_masked_constant),
    _view(np.matrix),
    Handler("numpy:recarray", _get_record_array, _load_record_array),
    *numpy_random.HANDLERS,
)
