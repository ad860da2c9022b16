"""Values of the standard library that configurations and models hold."""

from __future__ import annotations

import array
import collections
import datetime
import functools
import operator
import pathlib
import re
import types
import typing
import uuid
import zoneinfo
from typing import Any

import numpy as np

from skopsafe.graph.account import Account
from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers import exact
from skopsafe.handlers.arguments import require_harmless
from skopsafe.handlers.checks import require
from skopsafe.handlers.depth import require_light, require_shallow
from skopsafe.handlers.protocols import items, refuse_protocol, require_no_address, require_no_protocol
from skopsafe.handlers.spread import require_spread

Names = tuple[str, ...] | None


def _fill_mapping(shell: Any, _: Names, values: list[Any], context: Context) -> None:
    require(len(values) % 2 == 0, "a key has no value", type(shell).__name__)
    require_spread(values[::2], type(shell).__name__, context.account)
    for key, value in zip(values[::2], values[1::2], strict=True):
        dict.__setitem__(shell, key, value)
    require_no_address(shell, type(shell).__name__)


def _fill_ordered(shell: Any, _: Names, values: list[Any], context: Context) -> None:
    require(len(values) % 2 == 0, "a key has no value", "OrderedDict")
    require_spread(values[::2], "OrderedDict", context.account)
    for key, value in zip(values[::2], values[1::2], strict=True):
        shell[key] = value
    require_no_address(shell, "OrderedDict")


def _fill_defaultdict(shell: Any, _: Names, values: list[Any], context: Context) -> None:
    # The factory is an ordinary value of the graph, so its name stood in the audit.
    require(
        values and (values[0] is None or callable(values[0])), "the factory is not callable", "defaultdict"
    )
    require_shallow(values, "defaultdict", context.account)
    shell.default_factory = values[0]
    _fill_mapping(shell, _, values[1:], context)


def _load_deque(names: Names, values: list[Any], context: Context) -> Any:
    require(len(values) > 0, "no maxlen", "deque")
    maxlen = values[0]
    require(
        maxlen is None or (type(maxlen) is int and len(values) - 1 <= maxlen < 2**63),
        "maxlen is not a size",
        "deque",
    )
    require_shallow(values, "deque", context.account)
    return collections.deque(values[1:], maxlen)


def _by_fill(make: Any, fill: Any) -> Any:
    def load(names: Names, values: list[Any], context: Context) -> Any:
        shell = make()
        fill(shell, names, values, context)
        return shell

    return load


def _text(values: list[Any], name: str) -> str:
    require(len(values) == 1 and isinstance(values[0], str) and len(values[0]) < 2**24, "not a text", name)
    return str(values[0])


def _get_datetime(obj: Any) -> Parts:
    parts = [obj.year, obj.month, obj.day, obj.hour, obj.minute, obj.second, obj.microsecond]
    return Parts(None, [*parts, obj.fold, obj.tzinfo])


def _get_time(obj: Any) -> Parts:
    return Parts(None, [obj.hour, obj.minute, obj.second, obj.microsecond, obj.fold, obj.tzinfo])


def _moment(cls: Any) -> Any:
    def load(_: Names, values: list[Any], __: Context) -> Any:
        require(len(values) >= 2, "too few parts", cls.__name__)
        *parts, fold, zone = values
        require(all(type(p) is int for p in parts), "not integers", cls.__name__)
        require(zone is None or isinstance(zone, datetime.tzinfo), "not a time zone", cls.__name__)
        return cls(*parts, tzinfo=zone, fold=fold)

    return load


def _integers(cls: Any, make: Any) -> Any:
    def load(_: Names, values: list[Any], __: Context) -> Any:
        require(all(type(p) is int for p in values), "not integers", cls.__name__)
        return make(*values)

    return load


def _get_timezone(obj: Any) -> Parts:
    args = obj.__getinitargs__()
    return Parts(None, list(args))


def _load_timezone(_: Names, values: list[Any], __: Context) -> Any:
    require(values and isinstance(values[0], datetime.timedelta), "no offset", "timezone")
    require(len(values) == 1 or (len(values) == 2 and isinstance(values[1], str)), "malformed", "timezone")
    if len(values) == 1 and not values[0]:
        return datetime.UTC
    return datetime.timezone(*values)


def _get_zone(obj: zoneinfo.ZoneInfo) -> Parts:
    if obj.key is None:
        raise TypeError("a ZoneInfo without a key")
    return Parts(None, [obj.key])


def _load_zone(_: Names, values: list[Any], __: Context) -> Any:
    # The key picks a file of the time zone database: it must be a plain relative key.
    key = _text(values, "ZoneInfo")
    require(re.fullmatch(r"[A-Za-z0-9_+\-]+(/[A-Za-z0-9_+\-]+){0,3}", key), "not a time zone key", "ZoneInfo")
    return zoneinfo.ZoneInfo(key)


def _load_path(cls: Any) -> Any:
    def load(_: Names, values: list[Any], __: Context) -> Any:
        return cls(_text(values, cls.__name__))

    return load


# The documented ones; DEBUG prints, and others are of no use outside the module.
_PATTERN_FLAGS = int(re.A | re.I | re.L | re.M | re.S | re.U | re.X)


def _load_pattern(_: Names, values: list[Any], __: Context) -> Any:
    require(len(values) == 2 and isinstance(values[0], (str, bytes)), "malformed", "re.Pattern")
    require(type(values[1]) is int and len(values[0]) < 10_000, "malformed or too long", "re.Pattern")
    require(0 <= values[1] < 2**32, "unknown flags", "re.Pattern")
    try:
        return re.compile(values[0], values[1] & _PATTERN_FLAGS)
    except re.error as error:
        require(False, f"not a pattern ({error})", "re.Pattern")
        raise


def _load_typed_array(_: Names, values: list[Any], __: Context) -> Any:
    require(len(values) == 2 and isinstance(values[0], str), "malformed", "array.array")
    code, content = values
    require(code in tuple(array.typecodes), "unknown type code", "array.array")
    if code in "uw":
        return array.array(code, _text([content], "array.array"))
    require(isinstance(content, bytes), "malformed", "array.array")
    out = array.array(code)
    out.frombytes(content)
    return out


def _get_typed_array(obj: Any) -> Parts:
    text = obj.typecode in "uw"
    return Parts(("typecode", "content"), [obj.typecode, obj.tounicode() if text else obj.tobytes()])


def _get_partial(obj: Any) -> Parts:
    refuse_protocol(obj.__dict__)
    return Parts(None, [obj.func, obj.args, obj.keywords, obj.__dict__ or None])


def _load_partial(_: Names, values: list[Any], context: Context) -> Any:
    require(len(values) == 4 and callable(values[0]), "no function", "functools.partial")
    func, args, keywords, state = values
    require(
        isinstance(args, tuple) and isinstance(keywords, dict), "malformed arguments", "functools.partial"
    )
    require(all(isinstance(key, str) for key in keywords), "malformed keywords", "functools.partial")
    account = context.account
    require_shallow((func, *args, *keywords.values()), "functools.partial", account)
    require_harmless(func, args, keywords, "functools.partial")
    # Functions of numpy write into arrays that they are given: into copies, not into those of the model.
    args = tuple([_own(value, account) for value in args])
    out = functools.partial(func, *args, **{key: _own(value, account) for key, value in keywords.items()})
    if state is not None:
        require(isinstance(state, dict), "malformed attributes", "functools.partial")
        require_shallow(state.values(), "functools.partial", account)
        require_no_protocol(state, "functools.partial")
        for name in ("__name__", "__qualname__", "__module__"):  # are shown as they are
            require(_is_plain(state.get(name, "")), "is no name", f"functools.partial.{name}")
        out.__dict__.update(state)
    return out


def _is_plain(text: object) -> bool:
    return isinstance(text, str) and text.isprintable()


def _own(value: Any, account: Account) -> Any:
    """Copy arrays, and arrays in a tuple, which is how several `out` are given; what is shared stays so."""
    if not isinstance(value, np.ndarray) and type(value) is not tuple:
        return value
    known = account.copies.get(id(value))
    if known is None:
        if type(value) is tuple:
            copy: Any = tuple([_own(part, account) for part in value])
        else:
            copy = np.array(value, order="K", subok=type(value) is not np.memmap)
        known = account.copies[id(value)] = value, copy
    return known[1]


def _get_alias(obj: Any) -> Parts:
    return Parts(("origin", "args"), [obj.__origin__, obj.__args__])


def _load_alias(_: Names, values: list[Any], context: Context) -> Any:
    require(len(values) == 2 and isinstance(values[1], tuple), "malformed", "GenericAlias")
    require(isinstance(values[0], type), "not an alias of a class", "GenericAlias")
    require_shallow(values[1:], "GenericAlias", context.account)
    return types.GenericAlias(values[0], values[1])


def _get_typing_alias(obj: Any) -> Parts:
    special = vars(typing).get(obj._name or "")
    if special is not None and getattr(special, "__origin__", None) is obj.__origin__:
        return Parts(("name", "args"), [obj._name, obj.__args__])
    return Parts(("origin", "args"), [obj.__origin__, obj.__args__])


def _load_typing_alias(names: Names, values: list[Any], context: Context) -> Any:
    require(len(values) == 2 and isinstance(values[1], tuple), "malformed", "typing alias")
    origin, args = values
    require_light(args, "typing alias", context.account)
    if names == ("name", "args"):
        origin = vars(typing).get(origin) if isinstance(origin, str) else None
        require(hasattr(type(origin), "__getitem__") and hasattr(origin, "__origin__"), "unknown", "typing")
    else:
        generic = isinstance(origin, type) and issubclass(origin, typing.Generic)
        require(generic, "not an alias of a generic class", "typing alias")
    return origin[args]


def _load_union(_: Names, values: list[Any], context: Context) -> Any:
    kinds = (type, types.GenericAlias, typing.TypeVar)
    require(len(values) > 1 and all(isinstance(v, kinds) for v in values), "not types", "types.UnionType")
    require_shallow(values, "types.UnionType", context.account)
    require_light(values, "types.UnionType", context.account)
    return functools.reduce(operator.or_, values)


_FLAT = {
    "datetime:date": (lambda o: [o.year, o.month, o.day], _integers(datetime.date, datetime.date)),
    "datetime:timedelta": (
        lambda o: [o.days, o.seconds, o.microseconds],
        _integers(datetime.timedelta, datetime.timedelta),
    ),
    "uuid:UUID": (lambda o: [o.hex], lambda _, v, __: uuid.UUID(hex=_text(v, "UUID"))),
    "re:Pattern": (lambda o: [o.pattern, o.flags], _load_pattern),
}


def _flat(parts: Any) -> Any:
    return lambda obj: Parts(None, parts(obj))


HANDLERS = (
    Handler(
        "collections:OrderedDict",
        lambda o: Parts(None, items(o)),
        _by_fill(collections.OrderedDict, _fill_ordered),
        lambda _: collections.OrderedDict(),
        _fill_ordered,
        is_light=True,
    ),
    Handler(
        "collections:Counter",
        lambda o: Parts(None, items(o)),
        _by_fill(collections.Counter, _fill_mapping),
        lambda _: collections.Counter(),
        _fill_mapping,
        is_light=True,
    ),
    Handler(
        "collections:defaultdict",
        lambda o: Parts(None, [o.default_factory, *items(o)]),
        # No shell: freeing a chain of these recurses, and only when made whole can each look down.
        _by_fill(collections.defaultdict, _fill_defaultdict),
        is_light=True,
    ),
    Handler("collections:deque", lambda o: Parts(None, [o.maxlen, *o]), _load_deque, is_light=True),
    *(Handler(name, _flat(parts), load) for name, (parts, load) in _FLAT.items()),
    *exact.HANDLERS,
    Handler("datetime:datetime", _get_datetime, _moment(datetime.datetime), is_light=True),
    Handler("datetime:time", _get_time, _moment(datetime.time), is_light=True),
    Handler("datetime:timezone", _get_timezone, _load_timezone),
    Handler("zoneinfo:ZoneInfo", _get_zone, _load_zone),
    *(
        Handler(f"pathlib:{cls.__name__}", lambda o: Parts(None, [str(o)]), _load_path(cls))
        for cls in (pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath)
    ),
    Handler("functools:partial", _get_partial, _load_partial),
    Handler("array:array", _get_typed_array, _load_typed_array),
    Handler("types:GenericAlias", _get_alias, _load_alias),
    Handler("typing:_GenericAlias", _get_typing_alias, _load_typing_alias),
    Handler("types:UnionType", lambda o: Parts(None, list(o.__args__)), _load_union),
)
