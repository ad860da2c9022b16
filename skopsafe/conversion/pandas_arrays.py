"""Rules for extension arrays of pandas and for their dtypes.

Sources: ``pandas/_libs/arrays.pyx`` (``NDArrayBacked.__setstate__``), ``pandas/_libs/interval.pyx``,
``pandas/_libs/sparse.pyx``, ``pandas/core/arrays``, ``pandas/core/dtypes/dtypes.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.conversion.pandas_common import (
    NA_TYPE,
    TIMES,
    copied,
    encoded,
    is_a,
    is_index,
    leaf,
    over,
    own,
    own_offset,
    part,
    texts,
)
from skopsafe.conversion.periods import offset_of
from skopsafe.conversion.rules import Case, Rules, require
from skopsafe.conversion.stands import Inner, Stand
from skopsafe.foreign.pickles.values import Dict
from skopsafe.graph.parts import Leaf, Parts
from skopsafe.handlers.pandas import arrays, dtypes, objects
from skopsafe.handlers.pandas.offsets import OFFSETS

_CACHES = ("_cache",)


def _backed(case: Case) -> Any:
    """An array over one of numpy: its dtype and it, in some order, and attributes."""
    args = case.call.args
    require(isinstance(args, tuple) and len(args) == 3, "it has not three arguments")
    require(args[2] is None or not case.call.states, "it has two states")
    state = case.state if args[2] is None else args[2]
    if isinstance(state, tuple) and len(state) == 1:
        state = state[0]
    attributes: dict[str, Any] = {}
    if isinstance(state, Dict):
        attributes = case.attributes(state)
        data = attributes.get("_ndarray", attributes.get("_data"))
        dtype = attributes.get("_dtype")
    else:
        require(isinstance(state, tuple) and len(state) in (2, 3), "its state has another length")
        dtype, data = map(case.get, state[:2])
        if isinstance(dtype, np.ndarray):
            dtype, data = data, dtype
        if len(state) == 3 and state[2] is not None:
            attributes = case.attributes(state[2])
    make = _BACKED.get(case.cls())
    require(make is not None, "it is of another class")
    require(isinstance(data, np.ndarray), "its values are no array")
    assert make is not None
    return make(case, data, dtype, attributes)


def _categorical(case: Case, data: Any, dtype: Any, _: dict[str, Any]) -> Stand:
    require(is_a(dtype, "pandas:CategoricalDtype"), "its dtype is another")
    categories, ordered = part(dtype, "categories"), part(dtype, "ordered")
    require(is_index(categories), "its categories are no index")
    codes = leaf(data, "i", "codes")
    return Stand(
        "pandas:Categorical", Parts(("codes", "categories", "ordered"), [codes, categories, bool(ordered)])
    )


def _times(case: Case, data: Any, dtype: Any, attributes: dict[str, Any]) -> Stand:
    kind = "M" if case.cls() == TIMES["M"] else "m"
    require(data.dtype.kind == kind, "its values are no times")
    made = over(data, case.budget)
    zone = []
    if kind == "M":
        zone = [part(dtype, "tz") if is_a(dtype, "pandas:DatetimeTZDtype") else None]
    require(bool(zone and zone[0]) or isinstance(dtype, np.dtype), "its dtype is another")
    freq = own_offset(attributes.get("_freq", attributes.get("freq")), case.budget)
    assert made.parts is not None
    return Stand(made.name, Parts(made.parts.attributes, [Leaf(data), *zone, freq]))


def _periods(case: Case, data: Any, dtype: Any, _: dict[str, Any]) -> Stand:
    require(is_a(dtype, "pandas:PeriodDtype"), "its dtype is another")
    freq = own_offset(part(dtype, "freq"), case.budget)
    return Stand(
        "pandas.arrays:PeriodArray", Parts(("ordinals", "freq"), [leaf(data, "i", "ordinals"), freq])
    )


def _strings(case: Case, data: Any, dtype: Any, _: dict[str, Any]) -> Stand:
    require(is_a(dtype, "pandas:StringDtype"), "its dtype is another")
    require(data.dtype == object and data.ndim == 1, "its values are no objects")
    found = encoded(texts(data, case.budget))
    require(found is not None, "something in it is no text")
    return Stand(
        "pandas.arrays:StringArray", Parts(objects.STRING_FORM, [part(dtype, "missing"), *(found or ())])
    )


_BACKED = {
    "pandas:Categorical": _categorical,
    "pandas.arrays:DatetimeArray": _times,
    "pandas.arrays:TimedeltaArray": _times,
    "pandas.arrays:PeriodArray": _periods,
    "pandas.arrays:StringArray": _strings,
    "pandas.arrays:NumpyExtensionArray": lambda case, data, *_: over(data, case.budget),
}


def _masked(case: Case) -> Any:
    state = case.attributes()
    kinds = arrays.MASKED[case.name.rpartition(":")[2]]
    values = [leaf(state.get("_data"), kinds, "values"), leaf(state.get("_mask"), "b", "masks")]
    return Stand(case.name, Parts(("values", "mask"), values))


def _interval(case: Case) -> Any:
    args, state = case.call.args, case.state
    require(isinstance(args, tuple) and len(args) == 3, "it has not three arguments")
    if state is None:
        state = args[2]
    if isinstance(state, tuple) and len(state) == 1:
        state = state[0]
    require(case.cls() == "pandas.arrays:IntervalArray", "it is of another class")
    found = case.attributes(state)
    dtype = found.get("_dtype")
    closed = part(dtype, "closed") if is_a(dtype, "pandas:IntervalDtype") else found.get("_closed")
    return intervals(found.get("_left"), found.get("_right"), closed, case)


def intervals(left: Any, right: Any, closed: Any, case: Case) -> Stand:
    """Return what stands for an array of intervals between two arrays or indexes."""
    sides = [own(_values(side), case.budget) for side in (left, right)]
    require(isinstance(closed, str), "it is not known which ends are closed")
    return Stand("pandas.arrays:IntervalArray", Parts(("left", "right", "closed"), [*sides, closed]))


def _values(side: Any) -> Any:
    if not is_index(side):
        return side
    assert side.parts is not None
    require(side.parts.attributes is not None and "values" in side.parts.attributes, "an end is no array")
    return part(side, "values")


_INT, _BLOCK = "pandas._libs.sparse:IntIndex", "pandas._libs.sparse:BlockIndex"


def _sparse_index(case: Case) -> Any:
    args = case.args
    require(len(args) == (2 if case.name == _INT else 3), "it has another number of arguments")
    require(type(args[0]) in (int, np.int64, np.int32), "its length is no integer")
    for found in args[1:]:
        fits = isinstance(found, np.ndarray) and found.ndim == 1 and found.dtype.kind == "i"
        require(fits, "its places are no array of integers")
    return Inner(case.name, (int(args[0]), *args[1:]))


def _sparse(case: Case) -> Any:
    state = case.attributes()
    index, values, dtype = (state.get(name) for name in ("_sparse_index", "_sparse_values", "_dtype"))
    is_known = type(index) is Inner and index.name in (_INT, _BLOCK)
    require(is_known and is_a(dtype, "pandas:SparseDtype"), "it has no index or dtype")
    require(isinstance(values, np.ndarray) and values.ndim == 1, "its values are no array")
    assert isinstance(index, Inner)
    assert isinstance(values, np.ndarray)
    blocks = index.name == _BLOCK
    found = index.content[1:]
    places = _of_blocks(found[0], found[1], len(values), case) if blocks else found[0]
    require(len(places) == len(values), "it has not one place for each value")
    return Stand(
        "pandas.arrays:SparseArray",
        Parts(
            ("values", "places", "length", "blocks", "fill_value"),
            [
                own(values, case.budget),
                Leaf(np.asarray(places, np.int32)),
                index.content[0],
                blocks,
                part(dtype, "fill_value"),
            ],
        ),
    )


def _of_blocks(starts: Any, lengths: Any, count: int, case: Case) -> Any:
    """Return the places that blocks cover."""
    starts, lengths = starts.astype(np.int64), lengths.astype(np.int64)
    require(len(starts) == len(lengths), "it has not one length for each block")
    require(bool((lengths >= 0).all() and (lengths <= count).all()), "a block is too long")
    require(int(lengths.sum()) == count, "it has not one place for each value")
    case.budget.spend(count)
    return np.arange(count) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)


def _arrow(case: Case) -> Any:
    state = case.attributes()
    data = state.get("_pa_array", state.get("_data"))
    if is_a(data, "pyarrow.lib:Array"):
        data = Stand(
            "pyarrow.lib:ChunkedArray",
            Parts(("type", "chunks"), [part(data, "type"), [part(data, "layout")]]),
        )
        data = copied(data, case.budget)
    require(is_a(data, "pyarrow.lib:ChunkedArray"), "its data are no array of pyarrow")
    if case.name == "pandas.arrays:ArrowExtensionArray":
        return Stand(case.name, Parts(("data",), [data]))
    dtype = state.get("_dtype")
    require(is_a(dtype, "pandas:StringDtype"), "its dtype is another")
    return Stand(case.name, Parts(("data", "missing"), [data, part(dtype, "missing")]))


def _simple_dtype(case: Case) -> Any:
    state = {} if case.state is None else case.attributes()
    require(state.keys() <= set(_CACHES), "it has attributes of its own")
    return Stand(case.name, Parts((), ()))


def _dtype(form: tuple[str, ...], *spelled: str) -> Any:
    """Return the rule for a dtype whose parts are attributes, which may be spelled in several ways."""

    def rule(case: Case) -> Any:
        state = case.attributes()
        values = []
        for name, other in zip(form, spelled or form, strict=True):
            known = [key for key in (name, f"_{name}", other) if key in state]
            require(known, f"it has no {name}")
            values.append(state[known[0]])
        return Stand(case.name, Parts(form, values))

    return rule


def _period_dtype(case: Case) -> Any:
    args = case.args
    require(len(args) == 1, "it has not one argument")
    freq = args[0]
    if not (isinstance(freq, Stand) and freq.name.startswith(f"{OFFSETS}:")):  # as before pandas 2.1
        require(isinstance(freq, str), "its freq is no text")
        freq = offset_of(freq)
    return Stand("pandas:PeriodDtype", Parts(("freq",), [freq]))


def _string_dtype(case: Case) -> Any:
    if case.call.way == "reduce":
        args = case.args
        require(len(args) == 2, "it has not two arguments")
        storage, na = args
        require(is_a(na, NA_TYPE) or isinstance(na, float), "its missing value is unknown")
    else:
        state = case.attributes()
        storage = state.get("storage", state.get("_storage"))
        require(isinstance(storage, str), "its storage is unknown")
        na = state.get("_na_value", float("nan") if storage == "pyarrow_numpy" else None)
    require(storage is None or isinstance(storage, str), "its storage is unknown")
    storage = "pyarrow" if storage == "pyarrow_numpy" else storage
    require(storage in ("python", "pyarrow"), "its storage is unknown")
    missing = "NaN" if isinstance(na, float) else "NA"
    return Stand("pandas:StringDtype", Parts(("storage", "missing"), [storage, missing]))


def _is_numpy(case: Case) -> Any:
    dtype = case.attributes().get("_dtype")
    require(isinstance(dtype, np.dtype), "it is over no dtype of numpy")
    return Stand(case.name, Parts(("dtype",), [dtype]))


RULES = Rules(
    calls={
        "pandas._libs.arrays:__pyx_unpickle_NDArrayBacked": _backed,
        "pandas._libs.interval:__pyx_unpickle_IntervalMixin": _interval,
        _INT: _sparse_index,
        _BLOCK: _sparse_index,
        "pandas:PeriodDtype": _period_dtype,
        "pandas:StringDtype": _string_dtype,
    },
    classes={
        **{f"pandas.arrays:{name}": _masked for name in arrays.MASKED},
        "pandas.arrays:SparseArray": _sparse,
        "pandas.arrays:ArrowExtensionArray": _arrow,
        "pandas.arrays:ArrowStringArray": _arrow,
        **{f"pandas:{name}": _simple_dtype for name in dtypes.SIMPLE},
        "pandas:CategoricalDtype": _dtype(("categories", "ordered")),
        "pandas:DatetimeTZDtype": _dtype(("unit", "tz")),
        "pandas:IntervalDtype": _dtype(("subtype", "closed"), "subtype", "_closed"),
        "pandas:SparseDtype": _dtype(("subtype", "fill_value"), "_dtype", "_fill_value"),
        "pandas:StringDtype": _string_dtype,
        "pandas:ArrowDtype": _dtype(("pyarrow_dtype",)),
        "pandas.core.dtypes.dtypes:NumpyEADtype": _is_numpy,
    },
)
