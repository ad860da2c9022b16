"""Rules for values of Python and its standard library, by what their ``__reduce__`` gives."""

from __future__ import annotations

import codecs
import datetime
import decimal
import fractions
import uuid
from typing import Any

from skopsafe.conversion.rules import Case, Rules, misfits, require
from skopsafe.conversion.stands import Naming, Stand
from skopsafe.foreign.pickles.values import Dict, List, Value
from skopsafe.graph.parts import Parts
from skopsafe.handlers.spread import require_spread

_PATHS = ("PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath")


def _encode(case: Case) -> Any:
    """Bytes in pickles of protocols 0 to 2, which have none of their own."""
    args = case.args
    known = len(args) == 2 and isinstance(args[0], str) and args[1] in ("latin1", "latin-1")
    require(known, "it is not encoded as bytes are in a pickle")
    with misfits(UnicodeEncodeError, why="a letter is no byte"):
        return codecs.latin_1_encode(args[0])[0]


def _one(kind: type) -> Any:
    def rule(case: Case) -> Any:
        args = case.args
        require(len(args) <= 1, "it has more than one argument")
        if not args:
            return kind()
        require(isinstance(args[0], str | bytes | bytearray), "its argument is of another type")
        case.budget.spend(len(args[0]))
        return kind(args[0].encode("latin-1") if isinstance(args[0], str) else args[0])

    return rule


def _items(case: Case) -> list[Any]:
    """Return the items of a container that is made of a list."""
    args = case.call.args
    require(
        isinstance(args, tuple) and len(args) == 1 and isinstance(args[0], List), "it is not made of a list"
    )
    return [case.get(item) for item in args[0].items]


def _set(kind: type) -> Any:
    def rule(case: Case) -> Any:
        items = _items(case)
        with misfits(TypeError, why="an item has no hash"):
            require_spread(items, "items", case.budget.account)
            return kind(items)

    return rule


def _numbers(kind: type, counts: tuple[int, ...]) -> Any:
    def rule(case: Case) -> Any:
        args = case.args
        fits = len(args) in counts and all(type(arg) in (int, type(None)) for arg in args)
        require(fits, "its arguments are no integers")
        with misfits(ValueError, TypeError, OverflowError):
            return kind(*args)

    return rule


def _getter(case: Case) -> Any:
    return Stand(case.name, Parts(None, case.args))


def _caller(case: Case) -> Any:
    args = case.args
    require(args, "it has no name of a method")
    return Stand(case.name, Parts(("name", "args", "keywords"), [args[0], tuple(args[1:]), {}]))


def _slice(case: Case) -> Any:
    args = case.args
    require(len(args) == 3, "it has not three arguments")
    return Stand("builtins:slice", Parts(None, args))


def _complex(case: Case) -> Any:
    args = case.args
    require(len(args) == 2 and all(type(arg) is float for arg in args), "its parts are no floats")
    return complex(*args)


def _type(case: Case) -> Any:
    args = case.args
    require(len(args) == 1, "it has not one argument")
    for value in (None, Ellipsis, NotImplemented):
        if args[0] is value:
            return type(value)
    require(False, "it makes a class")
    raise AssertionError


def _get(case: Case) -> Any:
    """A member of an enumeration, which newer releases of Python pickle so. Anything else is refused."""
    args = case.args
    fits = len(args) == 2 and isinstance(args[0], Naming) and isinstance(args[1], str)
    require(fits and args[1].isidentifier(), "it gets an attribute of an object")
    return Stand(args[0].name, Parts(("()member",), [args[1]]), can_close=True)


def _binary(case: Case, size: int) -> tuple[bytes, Any]:
    args = case.args
    require(len(args) in (1, 2), "it has not one or two arguments")
    data = args[0].encode("latin-1") if isinstance(args[0], str) else args[0]
    require(isinstance(data, bytes) and len(data) == size, "its first argument has another size")
    return data, args[1] if len(args) == 2 else None


def _with_zone(name: str, kind: Any, parts: list[int], fold: int, zone: Any) -> Any:
    with misfits(ValueError):
        made = kind(*parts, fold=fold)
    if zone is None:
        return made
    return Stand(name, Parts(None, [*parts, fold, zone]))


def _datetime(case: Case) -> Any:
    data, zone = _binary(case, 10)
    year, month, micro = data[0] * 256 + data[1], data[2] & 127, int.from_bytes(data[7:], "big")
    parts = [year, month, *data[3:7], micro]
    return _with_zone("datetime:datetime", datetime.datetime, parts, data[2] >> 7, zone)


def _time(case: Case) -> Any:
    data, zone = _binary(case, 6)
    parts = [data[0] & 127, data[1], data[2], int.from_bytes(data[3:], "big")]
    return _with_zone("datetime:time", datetime.time, parts, data[0] >> 7, zone)


def _date(case: Case) -> Any:
    data, _ = _binary(case, 4)
    with misfits(ValueError):
        return datetime.date(data[0] * 256 + data[1], data[2], data[3])


def _timezone(case: Case) -> Any:
    args = case.args
    fits = args and isinstance(args[0], datetime.timedelta) and len(args) in (1, 2)
    require(fits and all(isinstance(arg, str) for arg in args[1:]), "it has no offset")
    with misfits(ValueError):
        return datetime.UTC if len(args) == 1 and not args[0] else datetime.timezone(*args)


def _decimal(case: Case) -> Any:
    args = case.args
    fits = len(args) == 1 and isinstance(args[0], str) and len(args[0]) < 10**6
    require(fits, "its argument is no text")
    with misfits(decimal.InvalidOperation, why="its argument is no number"):
        return decimal.Decimal(args[0])


def _fraction(case: Case) -> Any:
    args = case.args
    if len(args) == 1 and isinstance(args[0], str) and len(args[0]) < 1000:
        numbers = args[0].split("/")
        require(all(number.lstrip("-").isdecimal() for number in numbers), "it is no ratio")
        args = [*map(int, numbers), 1][:2]
    fits = len(args) == 2 and all(type(arg) is int and arg.bit_length() < 2**18 for arg in args)
    require(fits and args[1] != 0, "it is no ratio")
    return fractions.Fraction(*args)


def _uuid(case: Case) -> Any:
    number = case.attributes().get("int")
    require(type(number) is int and 0 <= number < 2**128, "it is no number of 128 bits")
    return uuid.UUID(int=number)


def _pattern(case: Case) -> Any:
    args = case.args
    fits = len(args) == 2 and isinstance(args[0], str | bytes) and type(args[1]) is int
    require(fits, "it is no pattern with flags")
    return Stand("re:Pattern", Parts(None, args))


def _partial(case: Case) -> Any:
    state = case.state_items(4)
    described = case.state
    assert isinstance(described, tuple)
    keywords, namespace = (pairs_of(case, part) for part in described[2:])
    require(isinstance(state[1], tuple), "its arguments are no tuple")
    return Stand("functools:partial", Parts(None, [state[0], state[1], keywords or {}, namespace or None]))


def pairs_of(case: Case, value: Value) -> dict[Any, Any]:
    """Return a dict with what the pairs of a record have become; empty for None."""
    if value is None:
        return {}
    require(isinstance(value, Dict), "it is no dict")
    return unique(case, [(case.get(key), case.get(item)) for key, item in value.pairs])


def unique(case: Case, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    """Return pairs as a dict: of a key that stands twice, the last."""
    with misfits(TypeError, why="a key has no hash"):
        require_spread([key for key, _ in pairs], "keys", case.budget.account)
        return dict(pairs)


def _flat(pairs: dict[Any, Any]) -> list[Any]:
    return [part for pair in pairs.items() for part in pair]


def _own_pairs(case: Case) -> dict[Any, Any]:
    return unique(case, [(case.get(key), case.get(value)) for key, value in case.call.pairs])


def _ordered(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) <= 1, "it has more than one argument")
    pairs = []
    if args:  # before Python 3.?, a list of lists of two
        require(isinstance(args[0], List), "it is not made of a list")
        for item in args[0].items:
            both = item.items if isinstance(item, List) else item
            require(len(both) == 2, "an item is no pair")
            pairs.append((case.get(both[0]), case.get(both[1])))
    pairs += list(_own_pairs(case).items())
    require(not case.call.states, "it has attributes of its own")
    return Stand("collections:OrderedDict", Parts(None, _flat(unique(case, pairs))))


def _counter(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 1, "it has not one argument")
    return Stand("collections:Counter", Parts(None, _flat(pairs_of(case, args[0]))))


def _default(case: Case) -> Any:
    args = case.args
    require(len(args) <= 1, "it has more than one argument")
    return Stand(
        "collections:defaultdict", Parts(None, [args[0] if args else None, *_flat(_own_pairs(case))])
    )


def _deque(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) <= 2, "it has more than two arguments")
    items: list[Any] = []
    if args and isinstance(args[0], List):
        items += [case.get(item) for item in args[0].items]
    most = case.get(args[1]) if len(args) == 2 else None
    items += [case.get(item) for item in case.call.items]
    return Stand("collections:deque", Parts(None, [most, *items]))


def _path(name: str) -> Any:
    def rule(case: Case) -> Any:
        import pathlib

        args = case.args
        require(all(isinstance(arg, str) for arg in args), "a part is no text")
        pure = pathlib.PureWindowsPath if "Windows" in name else pathlib.PurePosixPath
        return Stand(f"pathlib:{name}", Parts(None, [str(pure(*args))]))

    return rule


def _alias(case: Case) -> Any:
    args = case.args
    require(len(args) == 2 and isinstance(args[1], tuple), "it has not two arguments")
    return Stand("types:GenericAlias", Parts(("origin", "args"), args))


def _typed_array(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) in (2, 4), "it has not two or four arguments")
    import array

    if len(args) == 4:
        _, code, machine, content = args
        data = case.read(content)
        plain = {0: "B", 1: "b"} | {2: "H", 4: "h", 6: "I", 8: "i", 10: "Q", 12: "q", 14: "f", 16: "d"}
        little = plain.get(machine)
        fits = isinstance(code, str) and code in array.typecodes and little is not None
        require(fits, "it is of another machine")
        assert little is not None
        require(array.array(code).itemsize == array.array(little).itemsize, "its items have another size")
        return Stand("array:array", Parts(("typecode", "content"), [code, data]))
    code, content = args
    require(
        isinstance(code, str) and code in array.typecodes and isinstance(content, List), "it is malformed"
    )
    with misfits(TypeError, OverflowError, ValueError):
        return array.array(code, [case.get(item) for item in content.items])


RULES = Rules(
    calls={
        "_codecs:encode": _encode,
        "builtins:bytes": _one(bytes),
        "builtins:bytearray": _one(bytearray),
        "builtins:set": _set(set),
        "builtins:frozenset": _set(frozenset),
        "builtins:range": _numbers(range, (1, 2, 3)),
        "builtins:slice": _slice,
        "operator:attrgetter": _getter,
        "operator:itemgetter": _getter,
        "operator:methodcaller": _caller,
        "builtins:complex": _complex,
        "builtins:type": _type,
        "builtins:getattr": _get,
        "datetime:datetime": _datetime,
        "datetime:date": _date,
        "datetime:time": _time,
        "datetime:timedelta": _numbers(datetime.timedelta, (1, 2, 3)),
        "datetime:timezone": _timezone,
        "decimal:Decimal": _decimal,
        "fractions:Fraction": _fraction,
        "re:_compile": _pattern,
        "functools:partial": _partial,
        "collections:OrderedDict": _ordered,
        "collections:Counter": _counter,
        "collections:defaultdict": _default,
        "collections:deque": _deque,
        "types:GenericAlias": _alias,
        "array:array": _typed_array,
        "array:_array_reconstructor": _typed_array,
        **{f"pathlib:{name}": _path(name) for name in _PATHS},
    },
    classes={"uuid:UUID": _uuid},
    values={"builtins:Ellipsis": lambda: ..., "builtins:NotImplemented": lambda: NotImplemented},
)
