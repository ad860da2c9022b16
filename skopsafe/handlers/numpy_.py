"""numpy: arrays of every dtype, scalars, dtypes, masked arrays and random states."""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import array, integer, require

Names = tuple[str, ...] | None

_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_PLAIN = "biufcSUVmM"


def is_plain(dtype: np.dtype[Any]) -> bool:
    """Tell whether an array of `dtype` can be a `Leaf`."""
    return dtype.kind in _PLAIN and not dtype.hasobject and _has_plain_names(dtype)


def _has_plain_names(dtype: np.dtype[Any]) -> bool:
    """Tell whether versions 1 and 2 of the ``.npy`` header, which are Latin-1, can spell the fields."""
    if dtype.subdtype is not None:
        return _has_plain_names(dtype.subdtype[0])
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


def _shape(value: object, items: object, where: str) -> tuple[int, ...]:
    require(isinstance(value, tuple) and len(value) <= 32, "the shape is malformed", where)
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
        require(dtype.itemsize == found.dtype.itemsize, "the dtype has another size", "ndarray")
        return found.view(dtype)
    shape = _shape(values[0], values[-1], "ndarray")
    order: Any = "F" if values[1] else "C"
    items = values[-1]
    if names == ("shape", "fortran", "objects"):
        flat: Any = np.empty(len(items), object)
        for index, item in enumerate(items):
            flat[index] = item
        return flat.reshape(shape, order=order)
    if names == ("shape", "fortran", "dtype", "rows"):
        require(isinstance(values[2], np.dtype), "no dtype", "ndarray")
        return np.array(items, values[2]).reshape(shape, order=order)
    require(
        names == ("shape", "fortran", "coerce", "missing", "na_object", "strings"), "unknown form", "ndarray"
    )
    options = {"na_object": values[4]} if values[3] else {}
    text = np.dtypes.StringDType(coerce=bool(values[2]), **options)  # type: ignore[attr-defined, unused-ignore]
    return np.array(items, text).reshape(shape, order=order)


def _load_arrays(names: tuple[str, ...], columns: list[list[Any]], context: Context) -> list[Any]:
    if names == ("array",):
        return context.arrays(columns[0])
    return [_load_array(names, list(values), context) for values in zip(*columns, strict=True)]


def _get_scalar(obj: np.generic) -> Parts:
    kind = type(obj)
    if kind is np.float64 or kind is np.int64 or kind is np.bool_ or kind is np.str_:
        return Parts(("dtype", "value"), [obj.dtype.str if kind is not np.str_ else "<U", obj.item()])
    return Parts(("array",), [Leaf(np.array(obj, dtype=obj.dtype))])


_INLINE = {"<f8": (np.float64, float), "<i8": (np.int64, int), "|b1": (np.bool_, bool), "<U": (np.str_, str)}


def _load_scalar(names: Names, values: list[Any], context: Context) -> Any:
    if names == ("array",):
        found = context.array(values[0])
        require(found.ndim == 0, "not a scalar", "numpy.generic")
        return found[()]
    kind, python = _INLINE.get(values[0], (None, None)) if isinstance(values[0], str) else (None, None)
    require(kind is not None and type(values[1]) is python, "not a scalar of its dtype", "numpy.generic")
    return kind(values[1])  # type: ignore[misc]


def _get_dtype(obj: np.dtype[Any]) -> Parts:
    if obj.names is not None:
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
    if names == ("str",):
        require(isinstance(values[0], str) and len(values[0]) < 64, "malformed", "numpy.dtype")
        return np.dtype(values[0])
    if names == ("base", "shape"):
        require(isinstance(values[0], np.dtype), "malformed", "numpy.dtype")
        return np.dtype((values[0], values[1]))
    if names == ("coerce", "missing", "na_object"):
        options = {"na_object": values[2]} if values[1] else {}
        return np.dtypes.StringDType(coerce=bool(values[0]), **options)  # type: ignore[attr-defined, unused-ignore]
    require(names == ("fields", "itemsize", "aligned"), "unknown form", "numpy.dtype")
    fields = values[0]
    require(isinstance(fields, list), "malformed", "dtype")
    for field in fields:
        require(
            isinstance(field, tuple) and len(field) in (3, 4) and isinstance(field[0], str),
            "malformed",
            "dtype",
        )
        require(isinstance(field[1], np.dtype) and isinstance(field[2], int), "malformed", "dtype")
    spec = {
        "names": [f[0] for f in fields],
        "formats": [f[1] for f in fields],
        "offsets": [f[2] for f in fields],
        "titles": [f[3] if len(f) == 4 else None for f in fields],
        "itemsize": integer(values[1], "dtype.itemsize", 0, 2**31 - 1),
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


def _load_masked(_: Names, values: list[Any], __: Context) -> Any:
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
    def load(_: Names, values: list[Any], __: Context) -> Any:
        found = array(values[0], cls.__name__)
        require(cls is not np.matrix or found.ndim == 2, "a matrix has two dimensions", "matrix")
        return found.view(cls)

    return Handler(f"numpy:{cls.__name__}", lambda obj: Parts(("data",), [np.asarray(obj)]), load)


def _get_record_array(obj: Any) -> Parts:
    record = issubclass(obj.dtype.type, np.record)
    base = np.ndarray(obj.shape, np.dtype((np.void, obj.dtype)) if record else obj.dtype, obj, 0, obj.strides)
    return Parts(("data", "record"), [base, record])


def _load_record_array(_: Names, values: list[Any], __: Context) -> Any:
    found = array(values[0], "recarray")
    dtype = np.dtype((np.record, found.dtype)) if values[1] else found.dtype
    return found.view(np.recarray) if not values[1] else np.ndarray.view(found, dtype).view(np.recarray)


def _get_bit_generator(obj: Any) -> Parts:
    sequence = getattr(obj, "seed_seq", None)
    state = obj.state
    return Parts(("name", "state", "seed_seq"), [state["bit_generator"], state, sequence])


def _load_bit_generator(_: Names, values: list[Any], __: Context) -> Any:
    from numpy import random

    name, state, sequence = values
    require(name in _BIT_GENERATORS, "not a bit generator of numpy", "BitGenerator")
    require(
        isinstance(state, dict) and state.get("bit_generator") == name,
        "malformed state",
        "BitGenerator.state",
    )
    require(
        sequence is None or type(sequence) is random.SeedSequence,
        "malformed seed_seq",
        "BitGenerator.seed_seq",
    )
    _check_state(name, state)
    out = getattr(random, name)(sequence if sequence is not None else 0)
    out.state = state
    return out


def _check_state(name: str, state: dict[str, Any]) -> None:
    where = f"{name}.state"
    inner = state.get("state")
    require(isinstance(inner, dict), "malformed", where)
    assert isinstance(inner, dict)
    if name == "MT19937":
        key = array(inner.get("key"), f"{where}.key", shape=(624,))
        require(key.dtype == np.uint32, "not uint32", f"{where}.key")
        # The compiled generator reads key[pos]: 624 means that the block is used up.
        integer(inner.get("pos"), f"{where}.pos", 0, 624)
    elif name in ("PCG64", "PCG64DXSM"):
        for field in ("state", "inc"):
            integer(inner.get(field), f"{where}.{field}", 0, 2**128 - 1)
    else:
        expected = {"Philox": {"counter": 4, "key": 2}, "SFC64": {"state": 4}}[name]
        for field, size in expected.items():
            words = array(inner.get(field), f"{where}.{field}", shape=(size,))
            require(words.dtype == np.uint64, "not uint64", f"{where}.{field}")
        if name == "Philox":
            buffer = array(state.get("buffer"), f"{where}.buffer", shape=(4,))
            require(buffer.dtype == np.uint64, "not uint64", f"{where}.buffer")
            integer(state.get("buffer_pos"), f"{where}.buffer_pos", 0, 4)
    if name != "MT19937":
        integer(state.get("has_uint32"), f"{where}.has_uint32", 0, 1)
        integer(state.get("uinteger"), f"{where}.uinteger", 0, 2**32 - 1)


def _get_random_state(obj: Any) -> Parts:
    # The seed sequence is left out: RandomState never uses it, and it is not that of the seed.
    state = obj.get_state(legacy=False)
    return Parts(
        ("state", "has_gauss", "gauss"), [obj._bit_generator.state, state["has_gauss"], state["gauss"]]
    )


def _load_random_state(_: Names, values: list[Any], context: Context) -> Any:
    from numpy.random import RandomState

    state, has_gauss, gauss = values
    require(isinstance(state, dict), "malformed state", "RandomState.state")
    out = RandomState(_load_bit_generator(None, [state.get("bit_generator"), state, None], context))
    full = out.get_state(legacy=False)
    full["has_gauss"] = integer(has_gauss, "RandomState.has_gauss", 0, 1)
    require(type(gauss) is float, "not a float", "RandomState.gauss")
    full["gauss"] = gauss
    out.set_state(full)
    return out


def _load_generator(_: Names, values: list[Any], __: Context) -> Any:
    from numpy.random import BitGenerator, Generator

    require(len(values) == 1 and isinstance(values[0], BitGenerator), "no bit generator", "Generator")
    return Generator(values[0])


def _get_seed(obj: Any) -> Parts:
    return Parts(
        ("entropy", "spawn_key", "pool_size", "children"),
        [obj.entropy, obj.spawn_key, obj.pool_size, obj.n_children_spawned],
    )


def _load_seed(_: Names, values: list[Any], __: Context) -> Any:
    from numpy.random import SeedSequence

    entropy, key, size, children = values
    integer(size, "SeedSequence.pool_size", 4, 4096)
    words = [entropy] if not isinstance(entropy, (list, tuple, np.ndarray)) else list(entropy)
    for word in (*words, *key):
        require(
            word is None or (isinstance(word, (int, np.integer)) and word >= 0),
            "not an integer",
            "SeedSequence",
        )
    return SeedSequence(
        entropy,
        spawn_key=key,
        pool_size=size,
        n_children_spawned=integer(children, "SeedSequence", 0, 2**32 - 1),
    )


def _load_masked_constant(_: Names, values: list[Any], __: Context) -> Any:
    require(not values, "has parts", "MaskedConstant")
    return np.ma.masked


HANDLERS = (
    Handler("numpy:ndarray", _get_array, _load_array, load_run=_load_arrays),
    Handler("numpy:generic", _get_scalar, _load_scalar),
    Handler("numpy:dtype", _get_dtype, _load_dtype),
    Handler("numpy.ma:MaskedArray", _get_masked, _load_masked),
    Handler("numpy.ma.core:MaskedConstant", lambda _: Parts(None, []), _load_masked_constant),
    _view(np.matrix),
    Handler("numpy:recarray", _get_record_array, _load_record_array),
    Handler("numpy.random:BitGenerator", _get_bit_generator, _load_bit_generator),
    Handler("numpy.random:RandomState", _get_random_state, _load_random_state),
    Handler("numpy.random:Generator", lambda o: Parts(None, [o.bit_generator]), _load_generator),
    Handler("numpy.random:SeedSequence", _get_seed, _load_seed),
)
