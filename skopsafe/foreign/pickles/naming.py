"""Names in a script: of variables, and of what is imported. See `script`."""

from __future__ import annotations

import builtins
import keyword
import re
import sys

from skopsafe.foreign.pickles.values import (
    ByteArray,
    Call,
    Dict,
    FrozenSet,
    Global,
    List,
    Set,
    Span,
    Stored,
    Value,
)

_LONGEST = 60
_BUILTINS = frozenset(dir(builtins))


class Names:
    """Gives out names, each once.

    Parameters
    ----------
    reserved : iterable of str
        Names that the script has for itself.
    """

    __slots__ = ("_counts", "_taken")

    def __init__(self, reserved: tuple[str, ...]) -> None:
        self._taken = {*reserved, *_BUILTINS, *keyword.kwlist, *keyword.softkwlist}
        self._counts: dict[str, int] = {}

    def fresh(self, base: str) -> str:
        """Return a name that begins with `base` and was not given out yet."""
        base = base[:_LONGEST]
        name = base
        while name in self._taken:
            self._counts[base] = self._counts.get(base, 1) + 1
            name = f"{base}_{self._counts[base]}"
        self._taken.add(name)
        return name


def is_builtin(found: Global) -> bool:
    """Tell whether Python knows a name without an import."""
    return found.module == "builtins" and found.name in _BUILTINS and is_plain(found.name)


def is_plain(name: str) -> bool:
    """Tell whether a name can stand in source, and means the same there.

    Python normalizes letters beyond ASCII; ``__debug__`` cannot be assigned to.
    """
    return (
        len(name) <= _LONGEST
        and name.isascii()
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and name != "__debug__"
    )


def is_importable(module: str) -> bool:
    """Tell whether ``from module import`` can stand in source."""
    return len(module) <= 4 * _LONGEST and module != "__future__" and all(map(is_plain, module.split(".")))


def base_of(value: Value) -> str:
    """Return what to call a value: by its class, where it has one."""
    match value:
        case Call():
            return _of_call(value)
        case Stored():
            return "array"
        case str() | Span(kind="str"):
            return "text"
        case ByteArray() | Span():
            return "data"
        case bytes():
            return "data"
        case int():
            return "number"
        case tuple():
            return "pair" if len(value) == 2 else "row"
        case List():
            return "items"
        case Set() | FrozenSet():
            return "members"
        case Dict():
            return "mapping"
    return "v"


def _of_call(call: Call) -> str:
    cls = call.function
    if isinstance(cls, Global):
        if cls.name in ("_reconstruct", "_frombuffer") and cls.module.startswith("numpy."):
            return "array"
        if (cls.module, cls.name) == ("numpy", "dtype") and type(call.args) is tuple and call.args:
            base = f"dtype_{call.args[0]}" if type(call.args[0]) is str else "dtype"
            return base if is_plain(base) else "dtype"
        if cls.name == "_reconstructor" and type(call.args) is tuple and call.args:
            cls = call.args[0]
    if not isinstance(cls, Global) or len(cls.name) > 4 * _LONGEST:
        return "v"
    name = cls.name.rpartition(".")[2]
    if not is_plain(name):
        return "v"
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().strip("_")
    if snake == name:  # a function, of which the name would look like another one
        snake = f"{snake}_value"
    return snake if is_plain(snake) else "v"


_QUIET = frozenset(
    (module, name)
    for module, names in {
        "builtins": "bool bytearray bytes complex dict float frozenset getattr int list object range set"
        " slice str tuple",
        "_codecs": "encode",
        "collections": "ChainMap Counter OrderedDict defaultdict deque",
        "copyreg": "__newobj__ __newobj_ex__ _reconstructor",
        "datetime": "date datetime time timedelta timezone",
        "decimal": "Decimal",
        "fractions": "Fraction",
        "functools": "partial",
        "uuid": "UUID",
        "numpy": "dtype",
        "numpy.core.multiarray": "_reconstruct scalar",
        "numpy._core.multiarray": "_reconstruct scalar",
        "numpy.core.numeric": "_frombuffer",
        "numpy._core.numeric": "_frombuffer",
        "numpy.random._pickle": "__bit_generator_ctor __generator_ctor __randomstate_ctor",
    }.items()
    for name in names.split()
)


def is_quiet(call: Call) -> bool:
    """Tell whether a call is one that picklers make for data, so that imports may be shown before it.

    No judgement of it: a call that is not known to be one keeps every import behind it in its place.
    """
    function = call.function
    if call.way == "buffer":
        return True
    if not isinstance(function, Global):
        return False
    if call.way == "new" or (function.module, function.name) in _QUIET:
        return True
    if len(function.module) > 4 * _LONGEST or len(function.name) > 4 * _LONGEST:
        return False
    in_python = function.module.partition(".")[0] in sys.stdlib_module_names
    return not in_python and function.name.rpartition(".")[2].lstrip("_")[:1].isupper()
