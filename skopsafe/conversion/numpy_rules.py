"""Rules for numpy: arrays, scalars, dtypes, masked arrays and random generators. They are made as they are.

Sources: ``numpy/_core/src/multiarray/methods.c`` (``array_reduce``, ``array_setstate``),
``numpy/ma/core.py``, ``numpy/random/_pickle.py``.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np

from skopsafe.conversion.rules import Case, Misfit, Rules, require, settled
from skopsafe.conversion.stands import Naming, Stand
from skopsafe.foreign.pickles.dtypes import dtype_of
from skopsafe.foreign.pickles.values import Call, Dict, Global, List, Stored, Value
from skopsafe.graph.parts import Parts
from skopsafe.graph.plain import MOST_DIMENSIONS, unsound
from skopsafe.handlers import numpy_random
from skopsafe.handlers.depth import require_shallow

_LONGEST_ROW = 2**12
"""Bytes of a row of a structure with objects, which numpy makes at once."""


def shape_of(value: Any) -> tuple[int, ...]:
    """Return a shape that a pickle tells, if it is one."""
    shape = value if isinstance(value, tuple) else (value,)
    require(len(shape) <= MOST_DIMENSIONS, "too many dimensions")
    sound = all(type(size) is int and 0 <= size < 2**62 for size in shape)
    require(sound and math.prod(size or 1 for size in shape) < 2**62, "a shape is malformed")
    return shape


def array_of(
    case: Case, dtype: np.dtype[Any], shape: Value, is_fortran: object, content: Value
) -> np.ndarray[Any, Any]:
    """Return an array of a dtype and shape, out of its bytes or its objects."""
    sizes = shape_of(shape)
    order: Literal["C", "F"] = "F" if is_fortran else "C"
    if dtype.hasobject:
        require(isinstance(content, List), "objects are no list")
        items = [case.get(item) for item in content.items]
        require_shallow(items, "ndarray", case.budget.account)  # freeing such a chain recurses
        require(len(items) == math.prod(sizes), "an array has not as many objects as its shape says")
        if dtype.names is not None:
            require(dtype.itemsize <= _LONGEST_ROW, "rows are too long")
            require(all(type(item) is tuple for item in items), "a row is no tuple")
            return np.array(items, dtype).reshape(sizes, order=order)
        flat = np.empty(len(items), object)
        for place, item in enumerate(items):
            flat[place] = item
        return flat.reshape(sizes, order=order)
    data = case.read(content)
    require(
        len(data) == math.prod(sizes) * dtype.itemsize, "an array has not as many bytes as its shape says"
    )
    return of_bytes(data, dtype, sizes, order)


def of_bytes(
    data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], order: Literal["C", "F"]
) -> np.ndarray[Any, Any]:
    """Return an array that is these bytes, all of them."""
    made = np.ndarray(shape_of(shape), dtype, data or b"\0", 0, None, order)
    reason = unsound(made)
    require(reason is None, reason or "")
    return made


def _reconstruct(case: Case) -> Any:
    cls, state = case.cls(), case.state
    if isinstance(state, tuple) and len(state) == 4:  # before numpy 1.2
        state = (1, *state)
    require(isinstance(state, tuple) and len(state) == 5, "its state has another length")
    _, shape, described, is_fortran, content = state
    made = array_of(case, dtype_of(described), shape, is_fortran, content)
    if not made.dtype.isnative and made.dtype.names is None and made.dtype.subdtype is None:
        made = made.astype(made.dtype.newbyteorder("="), order="K")  # as numpy does when it unpickles
    if cls == "numpy:ndarray":
        return made
    if cls == "numpy:matrix":
        require(made.ndim == 2, "a matrix has two dimensions")
        return made.view(np.matrix)
    require(cls == "numpy:recarray", f"{cls} is a class of arrays that is not known")
    is_record = isinstance(described, Call) and issubclass(made.dtype.type, np.record)
    plain = np.ndarray(made.shape, np.dtype((np.void, made.dtype)), made, 0, made.strides)
    return Stand(cls, Parts(("data", "record"), [plain if is_record else made, is_record]))


def _from_buffer(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 4, "it has not four arguments")
    content, described, shape, order = args
    require(order in ("C", "F"), "it has no order")
    return array_of(case, dtype_of(described), shape, order == "F", content)


def stored(record: Stored, case: Case) -> Any:
    """Return an array of joblib, whose bytes stand between two opcodes."""
    if record.dtype.hasobject:
        return case.get(record.objects)
    data = case.source.read(record.offset, record.size)
    require(len(data) == math.prod(record.shape) * record.dtype.itemsize, "an array is cut off")
    return of_bytes(data, record.dtype, record.shape, record.order)


def not_here(record: Stored, case: Case) -> Any:
    """Refuse an array that is in a file beside."""
    raise Misfit("it is in another file")


def _scalar(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 2, "it has not two arguments")
    dtype = dtype_of(args[0])
    require(not dtype.hasobject, "a scalar is an object")
    return array_of(case, dtype, (), False, args[1])[()]


def _dtype(case: Case) -> Any:
    return dtype_of(case.call)


def _masked(case: Case) -> Any:
    state = case.state
    require(isinstance(state, tuple) and len(state) == 7, "its state has another length")
    require(case.cls() == "numpy.ma:MaskedArray", "it is of another class")
    _, shape, described, is_fortran, content, mask, fill_value = state
    dtype = dtype_of(described)
    data = array_of(case, dtype, shape, is_fortran, content)
    masked = array_of(case, np.ma.make_mask_descr(dtype), shape, is_fortran, mask)
    fill = case.get(fill_value)
    filled = np.asarray(np.ma.default_fill_value(dtype) if fill is None else fill, dtype)
    require(filled.size == 1, "its fill value is no scalar")
    return Stand(
        "numpy.ma:MaskedArray", Parts(("data", "mask", "fill_value", "hard"), [data, masked, filled, False])
    )


def _masked_constant(_: Case) -> Any:
    return np.ma.masked


def _ufunc(case: Case) -> Any:
    args = case.args
    require(len(args) == 2 and all(type(arg) is str for arg in args), "its arguments are no texts")
    return Naming(settled(Global(args[0], args[1], case.call.offset)))


def _filled(case: Case, value: Value) -> Any:
    """Return a dict of numbers and arrays, and of such dicts, with its content."""
    if not isinstance(value, Dict):
        return case.get(value)
    return {case.get(key): _filled(case, item) for key, item in value.pairs}


def _bit_generator(case: Case) -> Any:
    args = case.call.args
    name = case.cls().rpartition(":")[2] if args and not isinstance(args[0], str) else case.args[0]
    state, sequence = case.state, None
    if isinstance(state, tuple) and len(state) == 2:
        state, sequence = state[0], case.get(state[1])
    filled = _filled(case, state)
    require(isinstance(filled, dict), "its state is no dict")
    # The alias of all bit generators says nothing of which one it is.
    if name == "BitGenerator":
        name = filled.get("bit_generator")
    return numpy_random._load_bit_generator(None, [name, filled, sequence], _context(case))


def _of_name(case: Case) -> Any:
    """Return the bit generator of a generator: an argument, or before numpy 1.24 a name, with its state."""
    args = case.args
    require(len(args) >= 1, "it has no bit generator")
    if not isinstance(args[0], str):
        return args[0]
    state = _filled(case, case.state)
    require(isinstance(state, dict), "its state is no dict")
    return numpy_random._load_bit_generator(None, [args[0], _inner(state), None], _context(case))


def _inner(state: dict[Any, Any]) -> dict[Any, Any]:
    """Return the state of a bit generator without what a `RandomState` adds to it."""
    return {key: value for key, value in state.items() if key not in ("has_gauss", "gauss")}


def _generator(case: Case) -> Any:
    return numpy_random._load_generator(None, [_of_name(case)], _context(case))


def _random_state(case: Case) -> Any:
    require(isinstance(_of_name(case), np.random.BitGenerator), "it has no bit generator")
    full = _filled(case, case.state)
    require(isinstance(full, dict), "its state is no dict")
    values = [_inner(full), full.get("has_gauss", 0), full.get("gauss", 0.0)]
    return numpy_random._load_random_state(None, values, _context(case))


def _seed_sequence(case: Case) -> Any:
    # Of a class of Cython: its attributes in the order of their names.
    entropy, children, _, size, key = case.state_items(5)
    state = case.state
    entropy = [case.get(item) for item in state[0].items] if isinstance(state[0], List) else entropy
    return numpy_random._load_seed(None, [entropy, key, size, children], _context(case))


def _context(case: Case) -> Any:
    """Return all that the loaders that are used here ask of the builder."""
    return SimpleNamespace(account=case.budget.account)


RULES = Rules(
    calls={
        "numpy._core.multiarray:_reconstruct": _reconstruct,
        "numpy._core.numeric:_frombuffer": _from_buffer,
        "numpy._core.multiarray:scalar": _scalar,
        "numpy:dtype": _dtype,
        "numpy.ma.core:_mareconstruct": _masked,
        "numpy.ma.core:MaskedConstant": _masked_constant,
        "numpy._core:_ufunc_reconstruct": _ufunc,
        "numpy.random._pickle:__bit_generator_ctor": _bit_generator,
        "numpy.random._pickle:__generator_ctor": _generator,
        "numpy.random._pickle:__randomstate_ctor": _random_state,
        "numpy.random.bit_generator:__pyx_unpickle_SeedSequence": _seed_sequence,
    },
)
