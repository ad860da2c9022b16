"""What `getattr` gives out in a pickle: the names of methods, where what has them is known."""

from __future__ import annotations

from skopsafe.foreign.pickles.moved import moved
from skopsafe.foreign.pickles.values import ByteArray, Call, Dict, FrozenSet, Global, List, Set, Span, Value
from skopsafe.judge.naming import Names

_OWNERS = {"re:_compile": ("re", "Pattern"), "itertools:count": ("itertools", "count")}
"""Calls that are not of the class of what they give out."""


def resolved(names: Names, value: Value) -> tuple[str, str] | None:
    """Return the module and the name of what `getattr` gives out, of what stands for itself, or None."""
    parts: list[str] = []
    for _ in range(30):
        if isinstance(value, Global):
            return value.module, ".".join([value.name, *reversed(parts)])
        if not (isinstance(value, Call) and is_getattr(value)):
            break
        base, attribute = value.args  # two, as it is a call of getattr
        parts.append(attribute)
        value = base
    kind = _kind(names, value)
    return None if kind is None or not parts else (kind[0], ".".join([kind[1], *reversed(parts)]))


def is_getattr(value: Value) -> bool:
    """Tell whether a value is that of an attribute of another, whose name is known."""
    return (
        isinstance(value, Call)
        and value.way == "reduce"
        and isinstance(value.function, Global)
        and value.function.spelled == "builtins:getattr"
        and isinstance(value.args, tuple)
        and len(value.args) == 2
        and isinstance(value.args[1], str)
    )


def _kind(names: Names, value: Value) -> tuple[str, str] | None:
    """Return the class of a value, if that is known and reviewed."""
    for types, name in (
        (str, "str"),
        (bytes, "bytes"),
        (bool, "bool"),
        (int, "int"),
        (float, "float"),
        (tuple, "tuple"),
        (List, "list"),
        (Dict, "dict"),
        (Set, "set"),
        (FrozenSet, "frozenset"),
        (ByteArray, "bytearray"),
    ):
        if isinstance(value, types):
            return "builtins", name
    if isinstance(value, Span):
        return "builtins", value.kind
    if isinstance(value, Call) and isinstance(value.function, Global):
        made = value.function
        if made.spelled in _OWNERS:
            return _OWNERS[made.spelled]
        if f"{moved(made.module)}:{made.name}" == "numpy._core.multiarray:_reconstruct":
            # A class of somebody else may have another method of that name.
            first = value.args[0] if isinstance(value.args, tuple) and value.args else None
            is_array = isinstance(first, Global) and first.spelled == "numpy:ndarray"
            return ("numpy", "ndarray") if is_array else None
        if f"{moved(made.module)}:{made.name}" == "numpy._core.numeric:_frombuffer":
            return "numpy", "ndarray"
        if made.spelled == "copyreg:_reconstructor" and isinstance(value.args, tuple) and value.args:
            made = value.args[0] if isinstance(value.args[0], Global) else made
        if names.is_class(made.module, made.name):
            return made.module, made.name
    return None
