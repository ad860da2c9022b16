"""Rules for frames, series and indexes of pandas.

Sources: ``pandas/core/internals/managers.py`` and ``pandas/_libs/internals.pyx`` (managers and blocks),
``pandas/core/generic.py`` (``NDFrame.__setstate__``), ``pandas/core/indexes/base.py`` (``_new_Index``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.conversion.pandas_arrays import intervals
from skopsafe.conversion.pandas_common import (
    TIMES,
    is_a,
    is_array,
    is_index,
    own,
    own_offset,
    part,
)
from skopsafe.conversion.rules import Case, Misfit, Rules, deep_dependencies, named, require
from skopsafe.conversion.stands import Inner, Stand
from skopsafe.conversion.stdlib_rules import pairs_of
from skopsafe.foreign.pickles.values import List, Value
from skopsafe.graph.parts import Leaf, Parts
from skopsafe.handlers.pandas.frames import FRAME, SERIES, joined

_BLOCK = "pandas.core.internals.blocks:Block"
_MANAGER = "pandas.core.internals.managers:BlockManager"
_SINGLE = "pandas.core.internals.managers:SingleBlockManager"
_PLACES = "pandas._libs.internals:BlockPlacement"


def _placement(case: Case) -> Any:
    args = case.args
    require(len(args) == 1, "it has not one argument")
    return Inner(_PLACES, args[0])


def _places(found: Any, count: int, case: Case) -> Any:
    """Return the numbers of the columns that a block of so many rows is."""
    if type(found) is Inner and found.name == _PLACES:
        found = found.content
    if is_a(found, "builtins:slice"):
        assert found.parts is not None
        start, stop, step = found.parts.values
        step = 1 if step is None else step
        require(all(type(number) is int for number in (start, step)) and step != 0, "a slice is malformed")
        require(stop is None or type(stop) is int, "a slice is malformed")
        if stop is None:  # down to the first
            stop = -1
        wanted = range(start, stop, step)
        require(abs(start) < 2**62 and abs(step) < 2**62, "a slice is malformed")
        require(wanted[count:] == range(0) and len(wanted[:count]) == count, "a block has other columns")
        case.budget.spend(count)
        return np.arange(count, dtype=np.int64) * step + start
    if type(found) is int:
        found = np.array([found], object)
        require(-(2**62) < found[0] < 2**62, "a place is malformed")
        found = found.astype(np.int64)
    fits = isinstance(found, np.ndarray) and found.dtype.kind == "i" and found.shape == (count,)
    require(fits, "a block has other columns")
    return np.asarray(found, np.int64)


def _block(case: Case) -> Any:
    args = case.args
    require(len(args) == 3 and args[2] in (1, 2), "it has not three arguments")
    return Inner(_BLOCK, (args[0], args[1]))


def _manager(case: Case) -> Any:
    """Blocks and axes, in the order of the arguments, or in a state."""
    if case.call.states:
        return _manager_of_state(case)
    args = case.call.args
    require(isinstance(args, tuple) and len(args) >= 2, "it has not two arguments")
    found = [case.get(block) for block in _listed(args[0])]
    require(
        all(type(block) is Inner and block.name == _BLOCK for block in found), "a block is another object"
    )
    return Inner(_MANAGER, ([case.get(axis) for axis in _listed(args[1])], [b.content for b in found]))


def _manager_of_state(case: Case) -> Any:
    state = case.state
    require(isinstance(state, tuple) and len(state) >= 4, "its state has another length")
    described = dict(named(dict(named(state[3])).get("0.14.1")))
    require({"axes", "blocks"} <= described.keys(), "its state lacks a part")
    axes = [case.get(axis) for axis in _listed(described["axes"])]
    blocks = []
    for block in _listed(described["blocks"]):
        pair = dict(named(block))
        require(pair.keys() == {"values", "mgr_locs"}, "a block is malformed")
        blocks.append((case.get(pair["values"]), case.get(pair["mgr_locs"])))
    return Inner(_MANAGER, (axes, blocks))


def _listed(value: Value) -> Any:
    """Return the items of a record that is a list or tuple."""
    if isinstance(value, List):
        return value.items
    require(isinstance(value, tuple), "it is no list")
    return value


def _rest(case: Case, state: dict[str, Value]) -> list[Any]:
    """Return the notes of a frame or series, and whether its labels must differ."""
    known = {"_mgr", "_data", "_typ", "_metadata", "attrs", "_flags", "_name", "name", "_cache"}
    require(state.keys() <= known, "it has attributes that are not known")
    attrs = pairs_of(case, state.get("attrs"))
    flags = pairs_of(case, state.get("_flags"))
    duplicates = flags.get("allows_duplicate_labels", True)
    require(flags.keys() <= {"allows_duplicate_labels"} and type(duplicates) is bool, "its flags are unknown")
    return [attrs or None, not duplicates]


def _opened(case: Case, state: dict[str, Value], axes: int) -> tuple[list[Any], list[Any]]:
    """Return the axes and blocks of a frame or series."""
    manager = case.get(state.get("_mgr", state.get("_data")))
    require(type(manager) is Inner and manager.name == _MANAGER, "its manager is of an unknown form")
    found, blocks = manager.content
    require(len(found) == axes and all(map(is_index, found)), "it has other axes")
    case.budget.spend(len(blocks))
    return found, blocks


def _frame(case: Case) -> Any:
    state = dict(named(case.state))
    (columns, index), blocks = _opened(case, state, 2)
    arrays, places = [], []
    for values, found in blocks:
        data = own(_coerced(values), case.budget)
        arrays.append(data)
        places.append(_places(found, _columns(values), case))
    return Stand(case.name, Parts(FRAME, [columns, index, arrays, joined(places), *_rest(case, state)]))


def _columns(values: Any) -> int:
    """Return of how many columns a block consists: the rows of an array of two dimensions, or one."""
    shape: tuple[int, ...] = (0,)
    if isinstance(values, np.ndarray):
        shape = values.shape
        require(len(shape) == 2, "a block has not two dimensions")
    elif is_a(values, *TIMES.values(), "pandas.arrays:PeriodArray"):
        assert values.parts is not None
        shape = values.parts.values[0].array.shape
    return shape[0] if len(shape) == 2 else 1


def _coerced(values: Any) -> Any:
    """Return values of numpy's texts as objects, which a block turns them into."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "SU":
        raise Misfit("a block has texts of numpy")
    return values


def _series(case: Case) -> Any:
    state = dict(named(case.state))
    (index,), blocks = _opened(case, state, 1)
    require(len(blocks) == 1, "it has not one block")
    name = case.get(state.get("_name", state.get("name")))
    data = own(_coerced(blocks[0][0]), case.budget)
    return Stand(case.name, Parts(SERIES, [data, index, name, *_rest(case, state)]))


def _described(case: Case) -> tuple[str, dict[str, Value]]:
    """Return the class of an index and what it is made of."""
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 2, "it has not two arguments")
    return _FORMER.get(case.cls(), case.cls()), dict(named(args[1]))


_FORMER = {
    f"pandas.core.indexes.numeric:{name}": "pandas:Index"
    for name in ("Int64Index", "UInt64Index", "Float64Index", "NumericIndex")
}
"""Classes of pandas before 2.0."""


def _index(case: Case) -> Any:
    cls, described = _described(case)
    if cls == "pandas:MultiIndex":
        return _multi(case, described)
    if cls in _OVER_TIMES:
        return _over_times(case)
    _require_known(described, "data", "name", "dtype", "start", "stop", "step")
    name = case.get(described.get("name"))
    if cls == "pandas:RangeIndex":
        numbers = [case.get(described.get(key)) for key in ("start", "stop", "step")]
        whole = all(isinstance(number, int | np.integer) for number in numbers)
        require(whole, "its range is not of integers")
        return Stand(cls, Parts(("start", "stop", "step", "name"), [*map(int, numbers), name]))
    require(cls in ("pandas:Index", "pandas:CategoricalIndex", "pandas:PeriodIndex"), "it is another class")
    data = case.get(described.get("data"))
    is_plain = isinstance(data, np.ndarray) and data.ndim == 1
    require(is_array(data) or is_plain, "its data are no array")
    return Stand(cls, Parts(("values", "name"), [own(data, case.budget), name]))


def _require_known(described: dict[str, Value], *known: str) -> None:
    require(described.keys() <= set(known), "it is made of something that is not known")


def _multi(case: Case, described: dict[str, Value]) -> Any:
    _require_known(described, "levels", "codes", "labels", "names", "sortorder")
    levels = [case.get(level) for level in _listed(described.get("levels"))]
    require(all(map(is_index, levels)), "a level is no index")
    codes = [case.get(code) for code in _listed(described.get("codes", described.get("labels")))]
    require(len(codes) == len(levels), "it has not one array of codes for each level")
    shapes = {code.shape for code in codes if isinstance(code, np.ndarray) and code.dtype.kind == "i"}
    alike = len(shapes) == 1 and len(next(iter(shapes))) == 1
    require(alike and all(isinstance(code, np.ndarray) for code in codes), "its codes are malformed")
    case.budget.spend(sum(code.size for code in codes))
    names = described.get("names")
    found = case.get(names)
    if is_a(found, "pandas.core.indexes.frozen:FrozenList"):
        assert found.parts is not None
        labels = list(found.parts.values)
    else:
        labels = [case.get(label) for label in _listed(names)] if names is not None else [None] * len(levels)
    stacked = np.stack([np.ascontiguousarray(code) for code in codes])
    require(stacked.dtype.kind == "i", "its codes are malformed")
    order = case.get(described.get("sortorder"))
    require(order is None or type(order) is int, "its order is no number")
    form = ("levels", "codes", "names", "sortorder")
    return Stand("pandas:MultiIndex", Parts(form, [levels, Leaf(stacked), labels, order]))


_OVER_TIMES = {"pandas:DatetimeIndex": "M", "pandas:TimedeltaIndex": "m"}


def _over_times(case: Case) -> Any:
    cls, described = _described(case)
    kind = _OVER_TIMES.get(cls)
    require(kind is not None, "it is another class")
    assert kind is not None
    _require_known(described, "data", "name", "freq", "tz")
    data = case.get(described.get("data"))
    freq = case.get(described.get("freq"))
    if is_a(data, TIMES[kind]):
        freq = part(data, "freq") if freq is None else freq
        values = own(data, case.budget)
    else:
        require(isinstance(data, np.ndarray) and data.dtype.kind == kind, "its data are no times")
        values = own(data, case.budget)
        zone = case.get(described.get("tz"))
        if zone is not None:
            require(kind == "M", "durations have a time zone")
            values.parts = Parts(("values", "tz", "freq"), [Leaf(data), zone, None])
    name = case.get(described.get("name"))
    form = ("values", "freq", "name")
    return Stand(cls, Parts(form, [values, own_offset(freq, case.budget), name]))


def _over_intervals(case: Case) -> Any:
    cls, described = _described(case)
    require(cls == "pandas:IntervalIndex", "it is another class")
    _require_known(described, "left", "right", "closed", "name")
    left, right, closed, name = (case.get(described.get(key)) for key in ("left", "right", "closed", "name"))
    return Stand(cls, Parts(("values", "name"), [intervals(left, right, closed, case), name]))


def _frozen(case: Case) -> Any:
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 1, "it has not one argument")
    return Stand(
        "pandas.core.indexes.frozen:FrozenList", Parts(None, [case.get(item) for item in _listed(args[0])])
    )


RULES = Rules(
    calls={
        "pandas._libs.internals:_unpickle_block": _block,
        _PLACES: _placement,
        _MANAGER: _manager,
        "pandas.core.indexes.base:_new_Index": _index,
        "pandas.core.indexes.datetimes:_new_DatetimeIndex": _over_times,
        "pandas.core.indexes.timedeltas:_new_TimedeltaIndex": _over_times,
        "pandas.core.indexes.interval:_new_IntervalIndex": _over_intervals,
        "pandas.core.indexes.frozen:FrozenList": _frozen,
    },
    classes={
        "pandas:DataFrame": _frame,
        "pandas:Series": _series,
        _MANAGER: _manager,
        _SINGLE: _manager_of_state,
    },
    needs=dict.fromkeys((_MANAGER, _SINGLE), deep_dependencies),
)
