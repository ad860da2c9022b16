"""Texts that are arguments: those that a call gives out, and those that name a file with a time zone."""

from __future__ import annotations

from skopsafe.foreign.pickles.values import Call, Global, Value
from skopsafe.judge.attributes import is_getattr

DECODING = ("builtins:str", "builtins:bytes", "builtins:bytearray")
_SIGNS = str.maketrans("", "", "+-_")
_NUMBERS = frozenset("?biufcmM")
"""Letters of dtypes of numbers and times."""


def given(call: Call) -> tuple[Value, ...]:
    """Return the arguments of a call; what takes the place of a tuple of them is one."""
    return call.args if isinstance(call.args, tuple) else (call.args,)


def maker(value: Value) -> str:
    """Return the name of what is called for a value; empty where it has none."""
    made = value.function if isinstance(value, Call) else None
    return made.spelled if isinstance(made, Global) else ""


def is_zone(key: Value) -> bool:
    """Tell whether a key is a plain name of a time zone, and no path."""
    parts = key.split("/") if isinstance(key, str) else [""]
    return all(part.translate(_SIGNS).isalnum() for part in parts)


def may_name_a_zone(value: Value) -> bool:
    """Tell whether pandas may take a value for the name of a time zone in a file, which it opens."""
    return (isinstance(value, str) and "dateutil/" in value) or _is_made(value)


def _is_made(value: Value) -> bool:
    """Tell whether a value may be a text that a call gives out, so that the stream does not spell it."""
    if not isinstance(value, Call):
        return False
    name, args = maker(value), given(value)
    if name == "copyreg:_reconstructor":
        return not (len(args) > 1 and isinstance(args[1], Global) and args[1].spelled == "builtins:object")
    if name.endswith(".multiarray:scalar"):
        code = given(args[0])[0] if args and isinstance(args[0], Call) and given(args[0]) else None
        return not (isinstance(code, str) and code.lstrip("<>=|")[:1] in _NUMBERS)
    return name in DECODING or is_getattr(value)
