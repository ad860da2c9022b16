"""The streams of joblib: pickles in which the bytes of arrays stand between two opcodes.

An array is written as an instance of a class of joblib, and right behind the BUILD that ends it follow its
bytes, or another pickle if it holds objects. joblib goes by the instance; other unpicklers know nothing of it
and take what follows for opcodes. So one stream can be read in several ways, and this module has a hook for
each: see `Arrays`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from skopsafe.errors import FormatError, LimitError
from skopsafe.foreign.pickles.dtypes import Known, dtype_of
from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.reading import Broken, Lost, Truncated
from skopsafe.foreign.pickles.values import Call, Dict, Global, List, Stored, Value, is_record

COST = 20
"""Opcodes that an array counts as: what is done for it takes their time."""

_WRAPPER = "NumpyArrayWrapper"
_BESIDE = ("NDArrayWrapper", "ZNDArrayWrapper")
_FIELDS = {
    _WRAPPER: ("subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"),
    "NDArrayWrapper": ("filename", "subclass", "allow_mmap"),
    "ZNDArrayWrapper": ("filename", "init_args", "state"),
}
"""By the name of a class of joblib: the parameters of its constructor, which are its attributes."""
_METHODS = frozenset(("read", "read_array", "read_mmap", "safe_get_numpy_array_alignment_bytes"))
"""What joblib calls of an instance to read its array: attributes of these names would be called instead."""
_DEFAULTS = {"allow_mmap": False, "numpy_array_alignment_bytes": 16}
_MAKERS = ("copyreg:_reconstructor", "copyreg:__newobj__", "copyreg:__newobj_ex__")
_PADDED = "numpy_array_alignment_bytes"
_SHOWN = 20


@dataclass(slots=True)
class _Instance:
    """An instance of a class of joblib, which is kept so that its identity stays its own."""

    built: Call
    known: dict[str, Value]
    states: int = 0


class Arrays:
    """What a machine calls after each BUILD to read a stream as joblib does.

    Parameters
    ----------
    limit : int
        Opcodes that arrays of objects may have together; each array counts as `COST`.
    padded : bool
        Whether bytes that align an array are passed by, as joblib does since 1.2; older releases take them
        for the first of the array.

    Attributes
    ----------
    limit : int
        As it was given.
    spent : int
        Opcodes that were used of the limit.
    count : int
        How many arrays there were.
    first : int
        Where the first of them begins.
    has_padding : bool
        Whether one of them is aligned, so that releases of joblib differ.
    old_end : int or None
        If that is the first: where releases that know nothing of it take the bytes of the array to end.
    """

    def __init__(self, limit: int, *, padded: bool = True) -> None:
        self.limit = limit
        self._padded = padded
        self._dtypes = Known()
        self._instances: dict[int, _Instance] = {}
        self.spent = 0
        self.count = 0
        self.first = 0
        self.has_padding = False
        self.old_end: int | None = None

    def __call__(self, m: Machine, built: Call | Global) -> None:
        """Read the array that follows an instance of a class of joblib, and put it in its place."""
        if not m.names_wrapper:
            return
        if isinstance(built, Global):
            if _class(built):
                raise Lost("a class of joblib is changed, so that its arrays are where it says")
            return
        kind = _kind(built)
        if kind is None:
            return
        if not self.count:
            self.first = m.place
        self.count += 1
        self._spend(COST)
        known = self._attributes(built, kind)
        m.stack[-1] = self._array(m, built, known) if kind == _WRAPPER else _beside(m, built, kind, known)

    def _array(self, m: Machine, built: Call, known: dict[str, Value]) -> Stored:
        if m.place < m.frame:
            raise Lost("an array of joblib follows within a frame, where it reads behind that")
        m.frame = 0  # is over
        shape, order = _shape(known.get("shape")), known.get("order")
        dtype = self._dtype(known.get("dtype"))
        side: Literal["C", "F"] = "F" if isinstance(order, str) and order == "F" else "C"
        if dtype.hasobject:
            return Stored(built, dtype, shape, side, 0, 0, self._objects(m))
        size = math.prod(shape) * dtype.itemsize
        if known.get(_PADDED) is not None:
            self.has_padding = True
            if self.count == 1:
                self.old_end = m.place + size
            if self._padded:
                m.take(m.number(1))
        place = m.place
        if size > m.source.size - place:
            raise Truncated(f"an array has {_number(size)} bytes, and the stream has {m.source.size - place}")
        m.go(place + size)
        return Stored(built, dtype, shape, side, place, size)

    def _attributes(self, built: Call, kind: str) -> dict[str, Value]:
        """Return the attributes of an instance, from what its constructor took and its states."""
        instance = self._instances.get(id(built))
        if instance is None:
            instance = self._instances[id(built)] = _Instance(built, _constructed(built, kind))
        # A state counts as it was when it was set, and each is gone through once.
        for state in built.states[instance.states :]:
            for part in state if isinstance(state, tuple) and len(state) == 2 else (state,):
                if isinstance(part, Dict):
                    self._spend(len(part.pairs))
                    if any(is_record(key) for key, _ in part.pairs):
                        raise Lost("the state of an array of joblib has names that are computed")
                    if any(key in _METHODS for key, _ in part.pairs if isinstance(key, str)):
                        raise Lost("the state of an array of joblib takes the place of a method")
                    instance.known.update((key, value) for key, value in part.pairs if isinstance(key, str))
                elif part is not None:
                    raise Lost("the state of an array of joblib cannot be told")
        instance.states = len(built.states)
        return instance.known

    def _dtype(self, value: Value) -> np.dtype[Any]:
        before = self._dtypes.work
        try:
            return dtype_of(value, self._dtypes)
        except FormatError as error:
            raise Lost(f"of an array of joblib, {error.reason}") from None
        finally:
            self._spend(self._dtypes.work - before)

    def _spend(self, count: int) -> None:
        self.spent += count
        if self.spent > self.limit:
            raise LimitError(f"arrays of joblib take the work of more than {self.limit} opcodes")

    def _objects(self, m: Machine) -> Value:
        """Run the pickle that stands in the place of the bytes; its operations are among those around it."""
        inner = Machine(m.source, m.place, max(self.limit - self.spent, 0))
        inner.follow(m)
        inner.found.operations, inner.found.notes = m.found.operations, m.found.notes
        inner.found.beside = m.found.beside
        inner.found.texts, inner.found.holders = m.found.texts, m.found.holders
        found = inner.run()
        self.spent += found.opcodes
        m.found.drops |= found.drops
        if type(found.root) is Global:
            m.found.holders.append((found.root,))
        m.follow(inner)
        if found.error:
            raise (Broken if found.followed else Lost)(f"within an array of objects: {found.error}")
        if inner.frame > inner.place:
            raise Lost("a pickle within an array ends before its frame, and unpicklers go on at other places")
        return found.root


def _number(size: int) -> str:
    return str(size) if size < 2**63 else "more than 2**63"


def _class(value: Value) -> str | None:
    """Return which class of joblib a value is; names may have dots, and the module may be any that has it."""
    if isinstance(value, Global):
        name = value.name.rpartition(".")[2]
        return name if name in _FIELDS else None
    return None


def _kind(built: Call) -> str | None:
    """Return which class of joblib an object is an instance of, or None if it is none of those.

    Raises
    ------
    Lost
        It may be such an instance, or not.
    """
    kind = _class(built.function)
    if kind is not None and built.way != "persistent":
        return kind
    args = built.args[:_SHOWN] if isinstance(built.args, tuple) else (built.args,)
    if not args:
        return None
    if isinstance(built.function, Global) and built.function.spelled in _MAKERS:
        return _class(args[0])
    for value in args:
        if _class(value) or (isinstance(value, Call) and _class(value.function)):
            raise Lost("an object may be an array of joblib, or not")
    return None


def _constructed(built: Call, kind: str) -> dict[str, Value]:
    """Return the attributes that the constructor of a class of joblib sets."""
    if built.way not in ("reduce", "instantiate") or not _class(built.function):
        return {}
    if not isinstance(built.args, tuple):
        raise Lost("the arguments of an array of joblib cannot be told")
    return {**_DEFAULTS, **dict(zip(_FIELDS[kind], built.args, strict=False))}


def _shape(value: Value) -> tuple[int, ...]:
    sizes = tuple(value.items) if isinstance(value, List) else value
    if not isinstance(sizes, tuple) or not all(isinstance(size, int) for size in sizes):
        raise Lost("the shape of an array of joblib cannot be told")
    if len(sizes) > 64 or any(not 0 <= size < 2**63 for size in sizes):
        raise Lost("the shape of an array of joblib is negative or huge")
    return tuple(map(int, sizes))


def _beside(m: Machine, built: Call, kind: str, known: dict[str, Value]) -> Stored:
    """Return an array that joblib reads from another file, which numpy would unpickle if it is a pickle."""
    name = known.get("filename")
    m.call("file", None, (name,))
    said = {field: known[field] for field in _FIELDS[kind] if field in known}
    found = Stored(built, None, (), "C", 0, 0, None, name if isinstance(name, str) else "", said)
    m.found.beside.append(found)
    return found
