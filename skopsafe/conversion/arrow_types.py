"""Rules for types, fields and schemas of pyarrow: by the functions that make them, as descriptions.

Source: ``pyarrow/types.pxi``, the ``__reduce__`` of each type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skopsafe.conversion.pandas_common import is_a
from skopsafe.conversion.rules import Case, Rules, require
from skopsafe.conversion.stands import Stand
from skopsafe.conversion.stdlib_rules import pairs_of
from skopsafe.foreign.pickles.values import List, Value
from skopsafe.graph.parts import Parts
from skopsafe.handlers.arrow.datatypes import DEEPEST, FLAT, describe_metadata

TYPE, FIELD, SCHEMA = "pyarrow.lib:DataType", "pyarrow.lib:Field", "pyarrow.lib:Schema"

_ALIASES = {
    **{name: name for name in FLAT if not name.startswith("arrow.")},
    "halffloat": "float16",
    "float": "float32",
    "double": "float64",
    "utf8": "string",
    "large_utf8": "large_string",
    "boolean": "bool",
    "date32[day]": "date32",
    "date64[ms]": "date64",
    **{
        f"{kind}[{unit}]": (kind, unit)
        for kind, units in (("time32", ("s", "ms")), ("time64", ("us", "ns")))
        for unit in units
    },
    **{f"duration[{unit}]": ("duration", unit) for unit in ("s", "ms", "us", "ns")},
    **{f"timestamp[{unit}]": ("timestamp", unit, None) for unit in ("s", "ms", "us", "ns")},
}
"""By the text that pyarrow has for a type: its description."""


def description(value: Any, case: Case) -> Any:
    """Return the description of a type, in tuples of its own: none may stand in a description twice."""
    require(is_a(value, TYPE), "a type is no type of pyarrow")
    return _copied(value.parts.values[0], case, 0)


def field_of(value: Any, case: Case, name: str = "", *, nullable: bool = True) -> tuple[Any, ...]:
    """Return the description of a field; that of a type is a field with a name that pyarrow gives it."""
    if is_a(value, FIELD):
        assert value.parts is not None
        found: tuple[Any, ...] = _copied(value.parts.values[0], case, 0)
        return found
    return (name, description(value, case), nullable, None)


def _copied(described: Any, case: Case, depth: int) -> Any:
    require(depth <= 3 * DEEPEST, "a type is nested too deep")
    case.budget.spend(1)
    if not isinstance(described, tuple):
        return described
    return tuple(_copied(part, case, depth + 1) for part in described)


def items_of(value: Value, case: Case) -> list[Any]:
    """Return what the items of a list have become."""
    if isinstance(value, tuple | List):
        return [case.get(item) for item in (value if isinstance(value, tuple) else value.items)]
    require(False, "it is no list")
    raise AssertionError


def _made(described: Any) -> Stand:
    return Stand(TYPE, Parts(("type",), [described]))


def _rule(make: Callable[[Case, list[Any]], Any], *counts: int) -> Any:
    """Return the rule for a type of so many arguments, of which `make` gives the description."""

    def rule(case: Case) -> Any:
        args = case.args
        require(len(args) in counts, "it has another number of arguments")
        require(not case.call.states, "it has a state")
        return _made(make(case, args))

    return rule


def _alias(_: Case, args: list[Any]) -> Any:
    require(isinstance(args[0], str) and args[0].lower() in _ALIASES, "its name is not known")
    return _ALIASES[args[0].lower()]


def _binary(_: Case, args: list[Any]) -> Any:
    size = args[0] if args else -1
    require(type(size) is int, "its size is no number")
    return "binary" if size == -1 else ("fixed_size_binary", size)


def _list(case: Case, args: list[Any]) -> Any:
    field = field_of(args[0], case, "item")
    size = args[1] if len(args) == 2 else -1
    require(type(size) is int, "its size is no number")
    return ("list", field) if size == -1 else ("fixed_size_list", field, size)


def _list_of(name: str) -> Any:
    return _rule(lambda case, args: (name, field_of(args[0], case, "item")), 1)


def _map(case: Case, args: list[Any]) -> Any:
    key = field_of(args[0], case, "key", nullable=False)
    ordered = args[2] if len(args) == 3 else False
    require(type(ordered) is bool, "it is not known whether its keys are sorted")
    return ("map", (*key[:2], False, key[3]), field_of(args[1], case, "value"), ordered)


def _fields(case: Case) -> list[Any]:
    args = case.call.args
    require(isinstance(args, tuple) and args, "it has no fields")
    found = items_of(args[0], case)
    require(all(is_a(field, FIELD) for field in found), "a field is another object")
    return [field_of(field, case) for field in found]


def _union(case: Case, args: list[Any]) -> Any:
    _, mode, *codes = args
    fields = _fields(case)
    given = codes[0] if codes else None
    numbers = list(range(len(fields))) if given is None else items_of(case.call.args[2], case)
    require(all(type(code) is int for code in numbers), "a code is no number")
    mode = {0: "sparse", 1: "dense"}.get(mode, mode) if type(mode) is int else mode
    require(mode in ("sparse", "dense"), "its mode is unknown")
    return (f"{mode}_union", tuple(numbers), *fields)


def _timestamp(_: Case, args: list[Any]) -> Any:
    return ("timestamp", *_unit(args), _zone(args))


def _unit(args: list[Any]) -> tuple[Any]:
    require(isinstance(args[0], str), "its unit is no text")
    return (args[0],)


def _zone(args: list[Any]) -> Any:
    zone = args[1] if len(args) == 2 else None
    require(zone is None or isinstance(zone, str), "its time zone is no text")
    return zone


def _decimal(name: str) -> Any:
    def make(_: Case, args: list[Any]) -> Any:
        require(all(type(arg) is int for arg in args), "its digits are no numbers")
        return (name, *args, 0)[:3]

    return _rule(make, 1, 2)


def _dictionary(case: Case, args: list[Any]) -> Any:
    ordered = args[2] if len(args) == 3 else False
    require(type(ordered) in (int, bool), "it is not known whether it is ordered")
    return ("dictionary", *(description(arg, case) for arg in args[:2]), bool(ordered))


def _runs(case: Case, args: list[Any]) -> Any:
    return ("run_end_encoded", *(description(arg, case) for arg in args))


def _opaque(case: Case, args: list[Any]) -> Any:
    require(all(isinstance(arg, str) for arg in args[1:]), "its names are no texts")
    return ("arrow.opaque", description(args[0], case), *args[1:])


def _tensor(case: Case, args: list[Any]) -> Any:
    assert isinstance(case.call.args, tuple)
    rest = [None if part is None else tuple(items_of(part, case)) for part in case.call.args[1:]]
    shape, names, order = [*rest, None, None][:3]
    require(shape is not None, "it has no shape")
    plain = all(type(part) in (int, str) for found in (shape, names, order) for part in found or ())
    require(plain, "its dimensions are no numbers or names")
    return ("arrow.fixed_shape_tensor", description(args[0], case), shape, names, order)


def _metadata(value: Value, case: Case) -> Any:
    if value is None:
        return None
    pairs = pairs_of(case, value)
    require(all(isinstance(part, bytes) for pair in pairs.items() for part in pair), "metadata are no bytes")
    return describe_metadata(pairs)


def _field(case: Case) -> Any:
    args = case.args
    require(len(args) == 4 and isinstance(args[0], str) and type(args[2]) is bool, "it is malformed")
    assert isinstance(case.call.args, tuple)
    described = (args[0], description(args[1], case), args[2], _metadata(case.call.args[3], case))
    return Stand(FIELD, Parts(("field",), [described]))


def _schema(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) in (1, 2), "it has not two arguments")
    metadata = _metadata(args[1], case) if len(args) == 2 else None
    return Stand(SCHEMA, Parts(("fields", "metadata"), [_fields(case), metadata]))


_MAKERS = {
    "type_for_alias": _rule(_alias, 1),
    "binary": _rule(_binary, 0, 1),
    "list_": _rule(_list, 1, 2),
    **{name: _list_of(name) for name in ("large_list", "list_view", "large_list_view")},
    "map_": _rule(_map, 2, 3),
    "struct": _rule(lambda case, _: ("struct", *_fields(case)), 1),
    "union": _rule(_union, 2, 3),
    "timestamp": _rule(_timestamp, 1, 2),
    **{kind: _rule(lambda _, args, kind=kind: (kind, *_unit(args)), 1) for kind in ("time32", "time64")},  # type: ignore[misc]
    "duration": _rule(lambda _, args: ("duration", *_unit(args)), 1),
    **{f"decimal{bits}": _decimal(f"decimal{bits}") for bits in (32, 64, 128, 256)},
    "dictionary": _rule(_dictionary, 2, 3),
    "run_end_encoded": _rule(_runs, 2),
    "uuid": _rule(lambda *_: "arrow.uuid", 0),
    "bool8": _rule(lambda *_: "arrow.bool8", 0),
    "json_": _rule(lambda case, args: ("arrow.json", description(args[0], case)), 1),
    "opaque": _rule(_opaque, 3),
    "fixed_shape_tensor": _rule(_tensor, 2, 3, 4),
    "field": _field,
    "schema": _schema,
}

RULES = Rules(calls={f"pyarrow.lib:{name}": rule for name, rule in _MAKERS.items()})
