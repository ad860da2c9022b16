"""The dtype of numpy that the records of a pickle stand for, made from its description and not by its state.

The state of a dtype is what ``numpy.dtype.__reduce__`` gives: version, byte order, subarray, names, fields,
size, alignment, flags and, for dates or with metadata, one more. numpy believes it. Here, each part of it
must agree with the others, as a reader of joblib files tells from a dtype how many bytes are an array.
"""

from __future__ import annotations

import re
from typing import Any, TypeGuard, cast

import numpy as np

from skopsafe.errors import FormatError, shown
from skopsafe.foreign.pickles.values import Call, Dict, Global, Value, is_record

DType = np.dtype[Any]

_TEXT = re.compile(r"[<>=|]?([A-Za-z_?]\w{0,31})(\[\d{0,9}[A-Za-z]{1,7}(/\d{1,9})?\])?", re.ASCII)
_BUILTIN = {
    "builtins:bool": bool,
    "builtins:int": int,
    "builtins:float": float,
    "builtins:complex": complex,
    "builtins:str": str,
    "builtins:bytes": bytes,
    "builtins:object": object,
}
_HOMES = {"numpy": vars(np), "numpy.dtypes": vars(np.dtypes)}
_STRING = "_convert_to_stringdtype_kwargs"
_OBJECTS, _IS_ALIGNED = 0x0F, 0x80
"""Flags of a dtype: four of them say that it has pointers to objects, and how those are pickled."""
_ALIGNMENTS = (-1, 1, 2, 4, 8, 16, 32, 64)
_DEEPEST = 20
_FAILURES = (TypeError, ValueError, KeyError, IndexError, OverflowError, AttributeError, SyntaxError, Warning)
"""What numpy raises for descriptions that make no sense, and a warning where those are errors."""


class _Odd(Exception):
    """The records are not those of a dtype that can be told."""


class _Newer(_Odd):
    """They may be those of a dtype that another numpy knows."""


class Known:
    """Dtypes that were made from records of one stream, so that each is made once.

    Attributes
    ----------
    work : int
        Fields that were gone through.
    """

    def __init__(self) -> None:
        # The records are kept so that their identities stay theirs, with how many states they had then.
        self._made: dict[int, tuple[Value, int, DType]] = {}
        self.work = 0

    def get(self, value: Value) -> DType | None:
        """Return what was made from a record, or None."""
        found = self._made.get(id(value))
        return None if found is None or found[1] != _states(value) else found[2]

    def put(self, value: Value, dtype: DType) -> DType:
        """Keep what was made from a record."""
        self._made[id(value)] = (value, _states(value), dtype)
        return dtype


def _states(value: Value) -> int:
    return len(value.states) if isinstance(value, Call) else 0


def dtype_of(value: Value, known: Known | None = None) -> DType:
    """Return the dtype that records stand for.

    Parameters
    ----------
    value : Value
        What a pickle makes in place of a dtype: a call of ``numpy.dtype`` with its state, or a class.
    known : Known, optional
        What was made from other records of the stream.

    Raises
    ------
    FormatError
        It is none, or its parts contradict each other.
    """
    offset = value.offset if is_record(value) else 0
    try:
        return _dtype(value, Known() if known is None else known, 0)
    except (_Odd, *_FAILURES) as error:
        reason = str(error) if isinstance(error, _Odd) else "numpy knows no such dtype"
        raise FormatError(
            f"a dtype cannot be understood ({reason})",
            path=f"byte {offset}",
            next_step="Take the file for one that may do anything.",
        ) from (None if isinstance(error, _Odd) else shown(error))


def is_dtype_call(value: Value) -> TypeGuard[Call]:
    """Tell whether a value is a call that makes a dtype of numpy."""
    made = value.function if type(value) is Call else None
    return type(made) is Global and made.name == "dtype" and made.module == "numpy"


def contradiction(value: Call, known: Known) -> tuple[str, bool] | None:
    """Return how a dtype and its state contradict each other, or None.

    With it comes whether that is only because this numpy does not know the dtype.
    """
    if _key(value) in _SIMPLE:
        return None
    try:
        _dtype(value, known, 0)
    except _Odd as error:
        return str(error), isinstance(error, _Newer)
    except _FAILURES:
        return "numpy knows no such dtype", True
    return None


def _dtype(value: Value, known: Known, depth: int) -> DType:
    found = known.get(value) if is_record(value) else None
    if found is not None:
        return found
    if depth > _DEEPEST:
        raise _Odd(f"its fields are more than {_DEEPEST} deep")
    key = _key(value)
    made = _SIMPLE.get(key) if key is not None else None
    if made is None:
        made = _state(value, _plain(value), known, depth)
        if key is not None and len(_SIMPLE) < _MOST:
            _SIMPLE[key] = made
    return known.put(value, made)


_SIMPLE: dict[tuple[Any, ...] | None, DType] = {}
"""Dtypes of which all parts are constants, by these. Nearly all arrays have one of a handful."""
_MOST = 200


def _key(value: Value, *, is_field: bool = False) -> tuple[Any, ...] | None:
    """Return the parts of a dtype that is made as numpy writes it, if all of them are constants.

    Of a structure, those of its fields are among them, unless it is a field itself.
    """
    if not is_dtype_call(value):
        return None
    args, states = value.args, value.states
    if value.way != "reduce" or value.kwargs is not None or type(args) is not tuple or len(states) != 1:
        return None
    state = states[0]
    if type(state) is not tuple or len(state) > 9 or value.items or value.pairs:
        return None
    if not args or type(args[0]) is not str:
        return None
    if _PLAIN.issuperset(map(type, state)):
        return (args[0], *state)
    return None if is_field or len(state) < 8 else _key_of_structure(args[0], *state)


_PLAIN = frozenset((int, str, type(None)))
_FEW = 32


def _key_of_structure(
    text: str, version: Value, order: Value, subarray: Value, *state: Value
) -> tuple[Any, ...] | None:
    names, fields, *rest = state
    if type(names) is not tuple or type(fields) is not Dict or len(fields.pairs) > _FEW or len(names) > _FEW:
        return None
    if not _PLAIN.issuperset(map(type, (version, order, subarray, *names, *rest))):
        return None
    found = []
    for name, field in fields.pairs:
        if type(name) is not str or type(field) is not tuple or len(field) != 2 or type(field[1]) is not int:
            return None
        key = _key(field[0], is_field=True)
        if key is None:
            return None
        found.append((name, key, field[1]))
    return text, version, order, subarray, names, tuple(found), *rest


def _plain(value: Value) -> DType:
    """Return the dtype before its state is set."""
    match value:
        case str():
            return _of_text(value)
        case Global():
            return _of_name(value)
        case Call(way="reduce" | "new" | "instantiate", function=Global() as function, kwargs=None):
            args = value.args if isinstance(value.args, tuple) else None
            if function.spelled == "numpy:dtype" and args and isinstance(args[0], str | Global | Call):
                if isinstance(args[0], Call):
                    raise _Odd("it is a copy of another")
                return _plain(args[0])
            if function.module == "numpy.dtypes" and not args:
                return _of_name(function)
            if function.name == _STRING and args is not None:
                return _of_strings(*args)
    raise _Odd("it is not made by numpy.dtype")


def _of_text(text: str) -> DType:
    match = _TEXT.fullmatch(text)
    if match is None:
        raise _Odd("it is spelled in an odd way")
    if re.fullmatch(r"a\d*", match[1]):  # what numpy 2 calls S alone
        text = text.replace("a", "S", 1)
    return np.dtype(text)


def _of_name(name: Global) -> DType:
    if name.spelled in _BUILTIN:
        return np.dtype(_BUILTIN[name.spelled])
    # Nothing is imported, and no module is asked for what it would import.
    found = _HOMES.get(name.module, {}).get(name.name)
    if isinstance(found, type) and issubclass(found, np.generic):
        return cast(DType, np.dtype(cast(Any, found)))
    if isinstance(found, type) and issubclass(found, np.dtype) and found is not np.dtype:
        return cast(DType, cast(Any, found)())
    raise _Newer("it is of a class that numpy does not have")


def _of_strings(coerce: Any, *rest: Any) -> DType:
    kind: Any = vars(np.dtypes).get("StringDType")
    if kind is None:
        raise _Odd("this numpy has no texts of any length")
    if any(is_record(value) for value in rest) or not isinstance(coerce, int):
        raise _Odd("its missing value cannot be told")
    missing = dict(zip(("na_object",), rest, strict=True)) if rest else {}
    return cast(DType, kind(coerce=bool(coerce), **missing))


def _state(value: Value, plain: DType, known: Known, depth: int) -> DType:
    """Return the dtype with the state that it was given."""
    if not isinstance(value, Call) or not value.states:
        return plain
    state = value.states[0]
    if len(value.states) > 1 or value.items or value.pairs:
        raise _Odd("it has more than one state")
    if not isinstance(state, tuple) or len(state) not in (8, 9) or state[0] not in (3, 4):
        raise _Odd("its state is of an old or unknown version")
    _, order, subarray, names, fields, size, alignment, flags, *more = state
    if not all(type(number) is int for number in (size, alignment, flags)):
        raise _Odd("its size is no number")
    if isinstance(order, bytes):
        order = order.decode("latin-1")
    if order not in ("<", ">", "=", "|"):
        raise _Odd("it has no byte order")
    if subarray is not None:
        found = _subarray(subarray, known, depth)
    elif names is not None or fields is not None:
        found = _structure(names, fields, size, bool(flags & _IS_ALIGNED), known, depth)
    elif plain.kind in "SUV":
        found = _of_size(plain, size)
    elif plain.kind in "mM" and more:
        found = _of_unit(plain.kind, more[0])
    else:
        found = plain
    if (subarray is not None or found.kind in "SUV") and found.itemsize != size:
        raise _Odd("its size contradicts its parts")
    if subarray is not None and plain.kind != "V":
        raise _Odd("a subarray is in a dtype of another kind")
    if (flags ^ found.flags) & _OBJECTS:
        raise _Odd("its flags contradict it about objects")
    if alignment not in _ALIGNMENTS:
        raise _Odd("its alignment is none")
    if found.names is not None:
        if plain.kind != "V":
            raise _Odd("fields are in a dtype of another kind")
        return np.dtype((plain.type, found)) if plain.type is not np.void else found
    return found if order == "|" or subarray is not None else found.newbyteorder(cast(Any, order))


def _of_size(plain: DType, size: int) -> DType:
    unit = 4 if plain.kind == "U" else 1
    if size < 0 or size % unit:
        raise _Odd("its size is none")
    return np.dtype(f"{plain.kind}{size // unit}")


def _of_unit(kind: str, more: Value) -> DType:
    if not isinstance(more, tuple) or len(more) != 2 or not isinstance(more[1], tuple) or len(more[1]) != 4:
        raise _Odd("its unit of time cannot be told")
    unit, number, parts, _ = more[1]
    if isinstance(unit, Call) and unit.way == "reduce" and getattr(unit.function, "name", "") == "encode":
        # Bytes, in protocols 0 to 2.
        unit = unit.args[0] if isinstance(unit.args, tuple) and unit.args else None
    if isinstance(unit, bytes):
        unit = unit.decode("latin-1")
    if type(unit) is not str or not re.fullmatch(r"[A-Za-z]{1,7}", unit) or type(number) is not int:
        raise _Odd("its unit of time cannot be told")
    if parts != 1 or not 0 < number < 2**31:
        raise _Odd("its unit of time cannot be told")
    return np.dtype(f"{kind}8" if unit == "generic" else f"{kind}8[{number}{unit}]")


def _subarray(subarray: Value, known: Known, depth: int) -> DType:
    if not isinstance(subarray, tuple) or len(subarray) != 2:
        raise _Odd("its subarray cannot be told")
    base, shape = subarray
    shape = shape if isinstance(shape, tuple) else (shape,)
    if not all(type(size) is int and size >= 0 for size in shape):
        raise _Odd("its subarray has no shape")
    return np.dtype((_dtype(base, known, depth + 1), shape))


def _structure(names: Value, fields: Value, size: int, is_aligned: bool, known: Known, depth: int) -> DType:
    if not isinstance(names, tuple) or not isinstance(fields, Dict):
        raise _Odd("its fields cannot be told")
    if not all(type(name) is str for name in names):
        raise _Odd("a field has no name")
    known.work += len(fields.pairs)
    left: dict[str, Value] = {name: field for name, field in fields.pairs if type(name) is str}
    formats, offsets, titles = [], [], []
    for name in names:
        field = left.pop(name, None)
        if not isinstance(field, tuple) or len(field) not in (2, 3) or type(field[1]) is not int:
            raise _Odd("a field cannot be told")
        formats.append(_dtype(field[0], known, depth + 1))
        offsets.append(field[1])
        # numpy adds the two in 32 bits, and takes a field for one that is far outside.
        if not 0 <= field[1] <= size - formats[-1].itemsize:
            raise _Odd("a field lies outside")
        titles.append(field[2] if len(field) == 3 else None)
        if titles[-1] is not None and type(titles[-1]) is not str:
            raise _Odd("a title of a field is no text")
    if not set(left) <= set(titles):
        raise _Odd("it has a field that it does not name")
    parts = {"names": list(names), "formats": formats, "offsets": offsets, "itemsize": size}
    if any(title is not None for title in titles):
        parts["titles"] = titles
    return cast(DType, np.dtype(cast(Any, parts), align=is_aligned))
