"""Python's own types: containers, numbers that JSON lacks, bytes, ranges and slices."""

from __future__ import annotations

import base64
import binascii
import itertools
import math
import types
from collections.abc import Sequence
from typing import Any

from skopsafe.graph.document import WIDEST
from skopsafe.graph.parts import Columns, Context, Handler, Leaf, NameOf, Parts
from skopsafe.handlers.checks import require
from skopsafe.handlers.depth import require_shallow
from skopsafe.handlers.order import canonical
from skopsafe.handlers.protocols import refuse_address, require_no_address
from skopsafe.handlers.spread import refuse_crowded, require_spread

Names = tuple[str, ...] | None


def _get_sequences(objs: list[Any]) -> Columns:
    lengths = list(map(len, objs))
    length = lengths[0]
    values = list(itertools.chain.from_iterable(objs))
    if not 0 < length <= WIDEST or lengths.count(length) != len(lengths):
        return Columns(None, [values], lengths)
    return Columns(None, [values[place::length] for place in range(length)])


def _load_list(_: Names, values: list[Any], __: Context) -> list[Any]:
    return values


def _load_lists(_: Names, columns: list[Sequence[Any]], __: Context) -> list[list[Any]]:
    return list(map(list, zip(*columns, strict=True)))


def _fill_list(shell: list[Any], _: Names, values: list[Any], __: Context) -> None:
    shell.extend(values)


def _get_dict(obj: dict[Any, Any]) -> Parts:
    refuse_address(obj)
    keys = list(obj)
    refuse_crowded(keys)
    return Parts(None, list(obj.values()), keys=keys)


def _get_dicts(objs: list[dict[Any, Any]]) -> Columns | None:
    """Take dicts with the same texts as keys apart."""
    forms = set(map(tuple, objs))
    if len(forms) > 1:
        return None
    (keys,) = forms
    if not 0 < 2 * len(keys) <= WIDEST or set(map(type, keys)) != {str} or "typestr" in keys:
        return None
    values = list(itertools.chain.from_iterable(map(dict.values, objs)))
    columns: list[list[Any]] = []
    for place, key in enumerate(keys):
        columns += [key] * len(objs), values[place :: len(keys)]
    return Columns(None, columns)


def _load_tuple(_: Names, values: list[Any], context: Context) -> tuple[Any, ...]:
    require_shallow(values, "tuple", context.account)
    return tuple(values)


def _load_tuples(_: Names, columns: list[Sequence[Any]], context: Context) -> list[tuple[Any, ...]]:
    for column in columns:
        require_shallow(column, "tuple", context.account)
    return list(zip(*columns, strict=True))


def _load_pairs(keys: Sequence[Any], values: Sequence[Any], context: Context) -> dict[Any, Any]:
    require_spread(keys, "dict", context.account)
    out = dict(zip(keys, values, strict=True))
    require(len(out) == len(keys), "a key stands twice", "dict")
    require_no_address(out, "dict")
    return out


def _load_dict(_: Names, values: list[Any], context: Context) -> dict[Any, Any]:
    require(len(values) % 2 == 0, "a key has no value", "dict")
    return _load_pairs(values[::2], values[1::2], context)


def _load_dicts(names: Names, columns: list[Sequence[Any]], context: Context) -> list[dict[Any, Any]]:
    forms = columns[::2]
    keys = [column[0] for column in forms]
    is_common = all(
        set(map(type, column)) == {str} and column.count(key) == len(column)
        for key, column in zip(keys, forms, strict=True)
    )
    if len(columns) % 2 or not is_common or len(set(keys)) < len(keys) or "typestr" in keys:
        return [_load_dict(names, list(row), context) for row in zip(*columns, strict=True)]
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns[1::2], strict=True)]


def _fill_dict(shell: dict[Any, Any], names: Names, values: list[Any], context: Context) -> None:
    shell.update(_load_dict(names, values, context))


def _get_int(obj: int) -> Parts:
    return Parts(None, [hex(obj)])


def _load_int(_: Names, values: list[Any], __: Context) -> int:
    # Hexadecimal takes linear time; decimal digits would take quadratic time.
    require(len(values) == 1 and isinstance(values[0], str), "not a hexadecimal number", "int")
    return int(values[0], 16)


def _get_float(obj: float) -> Parts:
    sign = "-" if math.copysign(1, obj) < 0 else ""
    return Parts(None, [sign + ("nan" if math.isnan(obj) else "inf")])


_NOT_FINITE = ("nan", "-nan", "inf", "-inf")


def _load_float(_: Names, values: list[Any], __: Context) -> float:
    known = len(values) == 1 and type(values[0]) is str and values[0] in _NOT_FINITE
    require(known, "not one of nan, -nan, inf and -inf", "float")
    return float(values[0])


def _load_complex(_: Names, values: list[Any], __: Context) -> complex:
    require(len(values) == 2, "not two parts", "complex")
    real, imaginary = values
    require(type(real) is float and type(imaginary) is float, "parts are not floats", "complex")
    return complex(real, imaginary)


def _get_str(obj: str) -> Parts:
    return Parts(None, [obj.encode("utf-8", "surrogatepass").hex()])


def _load_str(_: Names, values: list[Any], __: Context) -> str:
    require(len(values) == 1 and isinstance(values[0], str), "not a text in hexadecimal", "str")
    return bytes.fromhex(values[0]).decode("utf-8", "surrogatepass")


_INLINE_BYTES = 1024


def _get_bytes(obj: bytes | bytearray) -> Parts:
    import numpy as np

    if len(obj) <= _INLINE_BYTES:
        return Parts(("base64",), [base64.b64encode(obj).decode()])
    return Parts(("array",), [Leaf(np.frombuffer(bytes(obj), np.uint8))])


def _load_bytes(names: Names, values: list[Any], context: Context) -> bytes:
    if names == ("array",):
        found = context.array(values[0])
        require(found.dtype.str == "|u1" and found.ndim == 1, "not bytes", "bytes")
        return found.tobytes()
    require(names == ("base64",) and isinstance(values[0], str), "unknown form", "bytes")
    try:
        data = base64.b64decode(values[0], validate=True)
    except binascii.Error:
        require(False, "not base64", "bytes")
        raise
    # Python keeps one object for each single byte: two that were apart would be written as one again.
    return bytes(bytearray(data)) if len(data) == 1 else data


def _load_range(_: Names, values: list[Any], __: Context) -> range:
    require(
        len(values) == 3 and all(type(v) is int for v in values) and values[2], "not three integers", "range"
    )
    return range(*values)


def _load_slice(_: Names, values: list[Any], context: Context) -> slice:
    require(len(values) == 3, "not three parts", "slice")
    require_shallow(values, "slice", context.account)
    return slice(*values)


def _singleton(value: Any) -> Any:
    def load(_: Names, values: list[Any], __: Context) -> Any:
        require(not values, "has parts", type(value).__name__)
        return value

    return load


def _get_set(obj: Any) -> Parts:
    values = canonical(obj)
    refuse_crowded(values, is_set=True)
    return Parts(None, values)


def _fill_set(shell: set[Any], _: Names, values: list[Any], context: Context) -> None:
    require_spread(values, "set", context.account, is_set=True)
    shell.update(values)
    require(len(shell) == len(values), "an item stands twice", "set")


def _set_loader(kind: type) -> Any:
    def load(_: Names, values: list[Any], context: Context) -> Any:
        require_spread(values, kind.__name__, context.account, is_set=True)
        out = kind(values)
        require(len(out) == len(values), "an item stands twice", kind.__name__)
        return out

    return load


def _get_method(obj: types.MethodType) -> Parts:
    return Parts(None, [NameOf(obj.__func__, "value", _method_name(obj)), obj.__self__])


def _method_name(obj: types.MethodType) -> str:
    """Name a method by the class of the method resolution order that defines it."""
    owner = obj.__self__ if isinstance(obj.__self__, type) else type(obj.__self__)
    for cls in owner.__mro__:
        found = vars(cls).get(obj.__func__.__name__)
        if getattr(found, "__func__", found) is obj.__func__:
            return f"{cls.__module__}:{cls.__qualname__}.{obj.__func__.__name__}"
    return f"{obj.__func__.__module__}:{obj.__func__.__qualname__}"


def _load_method(_: Names, values: list[Any], context: Context) -> types.MethodType:
    require(
        len(values) == 2 and callable(values[0]) and not isinstance(values[0], type),
        "not a function and an object",
        "method",
    )
    require_shallow(values, "method", context.account)
    return types.MethodType(values[0], values[1])


def _get_descriptor(obj: Any) -> Parts:
    owner = obj.__objclass__
    name = f"{owner.__module__}:{owner.__qualname__}.{obj.__name__}"
    return Parts(("function",), [NameOf(obj, "value", name)])


def _load_descriptor(_: Names, values: list[Any], __: Context) -> Any:
    require(len(values) == 1 and isinstance(values[0], types.MethodDescriptorType), "no method", "method")
    return values[0]


def _get_builtin(obj: Any) -> Parts:
    """Write ``len`` as its name; ``pattern.findall`` as the name ``re:Pattern.findall`` and the pattern."""
    owner = obj.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return Parts(("function",), [NameOf(obj, "value")])
    if isinstance(owner, type):
        name = f"{owner.__module__}:{owner.__qualname__}.{obj.__name__}"
        return Parts(("function",), [NameOf(obj, "value", name)])
    for cls in type(owner).__mro__:
        found = vars(cls).get(obj.__name__)
        if isinstance(found, types.MethodDescriptorType):
            return Parts(("function", "self"), [*_get_descriptor(found).values, owner])
    raise TypeError(f"{obj.__qualname__} is a method of nothing that could be named")


def _load_builtin(_: Names, values: list[Any], __: Context) -> Any:
    if len(values) == 1:
        require(isinstance(values[0], types.BuiltinFunctionType), "not a function", "builtin")
        return values[0]
    require(
        len(values) == 2 and isinstance(values[0], types.MethodDescriptorType),
        "not a method and an object",
        "builtin",
    )
    # Python itself compares the object with the class that defines the method.
    return values[0].__get__(values[1])


def _sequence(obj: Any) -> Parts:
    return Parts(None, list(obj))


HANDLERS = (
    Handler(
        "builtins:list",
        _sequence,
        _load_list,
        lambda _: [],
        _fill_list,
        _load_lists,
        _get_sequences,
        is_light=True,
    ),
    Handler(
        "builtins:tuple", _sequence, _load_tuple, load_run=_load_tuples, get_run=_get_sequences, is_light=True
    ),
    Handler(
        "builtins:dict",
        _get_dict,
        _load_dict,
        lambda _: {},
        _fill_dict,
        _load_dicts,
        _get_dicts,
        _load_pairs,
        is_light=True,
    ),
    Handler(
        "builtins:set",
        _get_set,
        _set_loader(set),
        lambda _: set(),
        _fill_set,
        is_light=True,
    ),
    Handler("builtins:frozenset", _get_set, _set_loader(frozenset), is_light=True),
    Handler("builtins:int", _get_int, _load_int),
    Handler("builtins:float", _get_float, _load_float),
    Handler("builtins:complex", lambda obj: Parts(None, [obj.real, obj.imag]), _load_complex),
    Handler("builtins:str", _get_str, _load_str),
    Handler("builtins:bytes", _get_bytes, _load_bytes),
    Handler("builtins:bytearray", _get_bytes, lambda n, v, c: bytearray(_load_bytes(n, v, c))),
    Handler("builtins:range", lambda obj: Parts(None, [obj.start, obj.stop, obj.step]), _load_range),
    Handler(
        "builtins:slice", lambda obj: Parts(None, [obj.start, obj.stop, obj.step]), _load_slice, is_light=True
    ),
    Handler("builtins:ellipsis", lambda _: Parts(None, []), _singleton(Ellipsis)),
    Handler("builtins:NotImplementedType", lambda _: Parts(None, []), _singleton(NotImplemented)),
    Handler("builtins:method", _get_method, _load_method, is_light=True),
    Handler("builtins:method_descriptor", _get_descriptor, _load_descriptor),
    Handler("builtins:builtin_function_or_method", _get_builtin, _load_builtin),
)
