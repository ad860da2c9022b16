"""What reviewed calls may be called with. A check is an entry of a table; ``calls.toml`` names it.

A check returns what is wrong with a call that is harmless with the arguments that picklers give it.
"""

from __future__ import annotations

from collections.abc import Callable

from skopsafe.foreign.pickles.dtypes import is_dtype_call
from skopsafe.foreign.pickles.moved import moved
from skopsafe.foreign.pickles.values import ByteArray, Call, Dict, Global, Span, Value
from skopsafe.judge.attributes import is_getattr, resolved
from skopsafe.judge.calls import opening
from skopsafe.judge.levels import Finding
from skopsafe.judge.naming import REACHING, Names
from skopsafe.judge.shapes import class_of, keys
from skopsafe.judge.shown import show
from skopsafe.judge.texts import DECODING, given, is_zone, maker, may_name_a_zone

Check = Callable[[Names, Call], Finding | None]

_PLAIN = (
    "object",
    "list",
    "tuple",
    "dict",
    "set",
    "frozenset",
    "str",
    "bytes",
    "int",
    "float",
    "complex",
    "bool",
)
_ENCODINGS = ("latin1", "latin-1", "utf-8", "utf8", "ascii", "raw-unicode-escape")
_TYPES = (
    *("builtins:type", "types:GenericAlias", "operator:getitem", "_operator:getitem"),
    *("functools:reduce", "_functools:reduce"),
)
"""Calls that give out a type or an annotation, each judged by itself."""
_BYTES = ("builtins:bytes", "builtins:bytearray", "_codecs:encode")
_ARRAYS = ("numpy._core.multiarray:_reconstruct", "numpy:dtype")
_KEYS = 10_000
_LARGE = 2**26
"""Items that a number asks for, beyond which loading may take all the memory there is."""


def _wrong(call: Call, why: str, level: str = "suspicious") -> Finding:
    return Finding("malicious" if level == "malicious" else "suspicious", "arguments", f"{show(call)}: {why}")


def _is_class(names: Names, value: Value) -> bool:
    return isinstance(value, Global) and names.is_class(value.module, value.name)


def _attribute(names: Names, call: Call) -> Finding | None:
    if not is_getattr(call):
        return _wrong(call, "reaches attributes by a name that it computes, or in another way", "malicious")
    if any(part in REACHING for part in call.args[1].split(".")):
        return _wrong(call, f"reaches through {show(call.args[1])} of an object", "malicious")
    found = resolved(names, call)
    if found is None:
        return _wrong(call, "reaches attributes of an object of which nothing is known")
    judged = names.finding(*found, "value")
    if judged.level == "unknown" and names.finding(*found, "call").level == "safe":
        return None
    return None if judged.level == "safe" else judged


def _type(names: Names, call: Call) -> Finding | None:
    args = given(call)
    singletons = ("builtins:Ellipsis", "builtins:NotImplemented")
    if len(args) == 1 and (
        args[0] is None or (isinstance(args[0], Global) and args[0].spelled in singletons)
    ):
        return None
    return _wrong(call, "makes a class, or takes one from an object", "malicious")


def _encode(names: Names, call: Call) -> Finding | None:
    args = given(call)
    plain = len(args) == 2 and isinstance(args[0], str | Span) and isinstance(args[1], str)
    if plain and _is_plain_codec(args[1]):
        return None
    return _wrong(call, "asks for a codec, which is imported by name")


def _is_plain_codec(value: Value) -> bool:
    return isinstance(value, str) and value.lower().replace("_", "-") in _ENCODINGS


def _reconstructor(names: Names, call: Call) -> Finding | None:
    args = given(call)
    if len(args) != 3 or not isinstance(args[0], Global):
        return _wrong(call, "makes an instance of what it computes", "malicious")
    base = args[1]
    if isinstance(base, Global) and base.module == "builtins" and base.name in _PLAIN:
        if base.name == "bytes" and isinstance(args[2], int) and args[2] > _LARGE:
            return _wrong(call, "allocates as much memory as it says")
        if isinstance(args[2], Call) and _is_endless(args[2]):
            return _wrong(call, "runs an iterator to its end")
        special = REACHING.intersection(key for key in keys(args[2], _KEYS) if isinstance(key, str))
        if special or (isinstance(args[2], Call) and _is_instance(names, args[2])):
            return _wrong(call, "fills a container with names by which objects reach others")
        return None
    return _wrong(call, "calls __new__ and __init__ of what is no plain class")


def _first_is_class(names: Names, call: Call) -> Finding | None:
    args = given(call)
    if not args or not isinstance(args[0], Global):
        return _wrong(call, "makes an instance of what it computes", "malicious")
    return None if _is_class(names, args[0]) else names.finding(args[0].module, args[0].name, "class")


def _no_shape(names: Names, call: Call) -> Finding | None:
    args = given(call)
    if len(args) == 3 and args[1] in ((0,), 0):
        return _first_is_class(names, call)
    return _wrong(call, "allocates an array before there is one")


def _few_bytes(names: Names, call: Call) -> Finding | None:
    args = given(call)
    if any(isinstance(arg, int) and arg > _LARGE for arg in args):
        return _wrong(call, "allocates as much memory as it says")
    return _data(names, call)


def _data(names: Names, call: Call) -> Finding | None:
    """Refuse iterators, instances and ranges of very many items: that takes memory, or calls something."""
    args = given(call)
    if maker(call) in DECODING and len(args) > 1 and not _is_plain_codec(args[1]):
        return _wrong(call, "asks for a codec, which is imported by name")
    # The first argument of a defaultdict is called later, and held until then.
    for arg in args[1:] if maker(call) == "collections:defaultdict" else args:
        if isinstance(arg, Call) and _is_instance(names, arg):
            return _wrong(call, "takes the items of an instance, by what its class or its state says")
        if isinstance(arg, Call) and _is_endless(arg):
            return _wrong(call, "runs an iterator to its end, or takes as much memory as a range has items")
    return None


def _is_endless(value: Call) -> bool:
    """Tell whether a value may be an iterator that does not end, or a range of very many items."""
    if not isinstance(value.function, Global):
        return False
    if value.function.module == "itertools":
        return True
    return value.function.spelled == "builtins:range" and any(
        isinstance(number, int) and abs(number) > _LARGE for number in given(value)
    )


def _is_instance(names: Names, value: Call) -> bool:
    """Tell whether a value has methods that its class or its state defines, other than a container."""
    if (
        isinstance(value.function, Global)
        and f"{moved(value.function.module)}:{value.function.name}" in _ARRAYS
    ):
        return False
    cls = class_of(value)
    # The state of an iterator is a number.
    has_state = any(type(state) is not int for state in value.states)
    return has_state or (cls is not None and names.is_class(cls.module, cls.name))


def _one(names: Names, call: Call) -> Finding | None:
    return _data(names, call) if len(given(call)) == 1 else _wrong(call, "calls a function again and again")


def _none(names: Names, call: Call) -> Finding | None:
    return None if call.args == () else _wrong(call, "takes attributes from its arguments")


def _bytes_first(names: Names, call: Call) -> Finding | None:
    """Take bytes alone: what is an array over another sees when its memory is something else."""
    first = given(call)[0] if given(call) else None
    return None if _is_bytes(first) else _wrong(call, "makes an array over what is no bytes")


def _is_bytes(value: Value) -> bool:
    if isinstance(value, Call):
        return value.way == "buffer" or maker(value) in _BYTES
    return isinstance(value, bytes | ByteArray | Span)


def _dtype(names: Names, call: Call) -> Finding | None:
    first = given(call)[0] if given(call) else None
    if isinstance(first, str | Global):
        return None
    if isinstance(first, Call) and not first.states and first.way == "reduce" and not is_dtype_call(first):
        return None
    return _wrong(call, "makes a dtype of what is no name of one")


def _bit_generator(names: Names, call: Call) -> Finding | None:
    args = given(call)
    if len(args) <= 1 and all(
        isinstance(arg, str) or (isinstance(arg, Global) and arg.module.startswith("numpy.random._"))
        for arg in args
    ):
        return None
    return _wrong(call, "calls what is no bit generator of numpy", "malicious")


def _generator(names: Names, call: Call) -> Finding | None:
    args = given(call)
    ours = "numpy.random._pickle:__bit_generator_ctor"
    if len(args) <= 2 and all(isinstance(arg, Global) and arg.spelled == ours for arg in args[1:]):
        return None
    return _wrong(call, "calls what is no constructor of numpy", "malicious")


def _union(names: Names, call: Call) -> Finding | None:
    args = given(call)
    first = args[0] if args else None
    if (
        len(args) == 2
        and isinstance(first, Global)
        and first.spelled in ("_operator:or_", "operator:or_")
        and isinstance(args[1], tuple)
        and all(isinstance(arg, Global) or arg is None or maker(arg) in _TYPES for arg in args[1])
    ):
        return None
    return _wrong(call, "calls what it is given", "malicious")


def _function_first(names: Names, call: Call) -> Finding | None:
    """Refuse what is called later, where that opens files, or where nobody sees what it is."""
    first = given(call)[0] if given(call) else None
    if isinstance(first, Call) and maker(first) in _TYPES:
        return _wrong(call, "holds an annotation, which may call the class that it is of")
    why = opening(first.spelled) if isinstance(first, Global) else None
    return None if why is None else _wrong(call, why)


def _factory(names: Names, call: Call) -> Finding | None:
    return _function_first(names, call) or _data(names, call)


def _annotation(names: Names, call: Call) -> Finding | None:
    args = given(call)
    if len(args) == 2 and isinstance(args[0], Global) and args[0].module in ("typing", "builtins"):
        # Python writes no union of one, which is that one itself: a class that may be called then.
        if args[0].name == "Union" and not isinstance(args[1], tuple):
            return _wrong(call, "takes a class for a union")
        return None
    return _wrong(call, "takes an item of an object, which may call something")


def _zone(names: Names, call: Call) -> Finding | None:
    if given(call) and is_zone(given(call)[0]):
        return None
    return _wrong(call, "opens a file that is no time zone")


def _no_zone_file(names: Names, call: Call) -> Finding | None:
    """Refuse texts that pandas takes for the name of a time zone in a file, which it opens."""
    for arg in given(call):
        for value in [item for _, item in arg.pairs[:_KEYS]] if isinstance(arg, Dict) else [arg]:
            if may_name_a_zone(value):
                return _wrong(call, "opens a file that may be no time zone")
    return None


def _index(names: Names, call: Call) -> Finding | None:
    rest = given(call)[1:]
    if len(rest) != 1 or not isinstance(rest[0], Dict) or len(rest[0].pairs) > _KEYS:
        return _wrong(call, "computes its arguments")
    return _no_zone_file(names, call) or _first_is_class(names, call)


def _scalar(names: Names, call: Call) -> Finding | None:
    """Take bytes, or an array of one item and the same dtype: older numpy reads its memory unseen."""
    args = given(call)
    content = args[1] if len(args) == 2 else None
    if isinstance(content, Call) and content.states and maker(content).endswith(":_reconstruct"):
        state = content.states[0]
        if isinstance(state, tuple) and len(state) == 5 and state[1] == () and state[2] is args[0]:
            return None
    elif len(args) == 1:
        return None
    return None if _is_bytes(content) else _wrong(call, "makes a scalar over what is no bytes")


def _digits(names: Names, call: Call) -> Finding | None:
    """Take whole numbers, and texts of them: an exponent can make a number of any length."""
    for arg in given(call):
        text = arg.replace("/", "").removeprefix("-") if isinstance(arg, str) else ""
        if not (isinstance(arg, int) or (text.isdigit() and len(text) < 5000)):
            return _wrong(call, "makes a number of any length")
    return None


def _texts(names: Names, call: Call) -> Finding | None:
    """Take constants alone."""
    if all(isinstance(arg, str | int | float | bytes | bool | None) for arg in given(call)):
        return None
    return _wrong(call, "hands over more than texts and numbers")


CHECKS: dict[str, Check] = {
    "attribute": _attribute,
    "type of nothing": _type,
    "plain codec": _encode,
    "reconstructor": _reconstructor,
    "class first": _first_is_class,
    "empty array": _no_shape,
    "few bytes": _few_bytes,
    "data": _data,
    "one argument": _one,
    "no arguments": _none,
    "bytes first": _bytes_first,
    "dtype": _dtype,
    "bit generator": _bit_generator,
    "generator": _generator,
    "union": _union,
    "annotation": _annotation,
    "time zone": _zone,
    "no file of a time zone": _no_zone_file,
    "index": _index,
    "scalar": _scalar,
    "function first": _function_first,
    "factory": _factory,
    "constants": _texts,
    "digits": _digits,
}
"""By the name that ``calls.toml`` uses."""
