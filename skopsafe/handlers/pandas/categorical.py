"""`Categorical` and `MultiIndex`: codes that compiled code follows into tables of categories and levels."""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import in_range, integer, require
from skopsafe.handlers.pandas.common import Names, form, label, leaf, pandas


def require_categories(categories: Any, where: str) -> None:
    """Raise unless `categories` is an index of different values, none of them missing."""
    import pandas as pd

    single = isinstance(categories, pd.Index) and not isinstance(categories, pd.MultiIndex)
    require(single, "not an index", where)
    require(not categories.hasnans, "hold a missing value", where)
    require(categories.is_unique, "hold a value twice", where)


def _get_categorical(obj: Any) -> Parts:
    return Parts(
        ("codes", "categories", "ordered"), [Leaf(np.asarray(obj.codes)), obj.categories, bool(obj.ordered)]
    )


def _load_categorical(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("codes", "categories", "ordered"), "Categorical")
    categories, ordered = values[1:]
    require_categories(categories, "Categorical.categories")
    require(type(ordered) is bool, "not a bool", "Categorical.ordered")
    codes = leaf(context, values[0], "Categorical.codes", kinds="i", ndim=1)
    in_range(codes, "Categorical.codes", -1, len(categories))
    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(categories, ordered))


def _get_multi(obj: Any) -> Parts:
    codes = np.stack([np.asarray(code) for code in obj.codes]) if obj.nlevels else np.empty((0, 0), np.int8)
    return Parts(
        ("levels", "codes", "names", "sortorder"),
        [list(obj.levels), Leaf(codes), list(obj.names), obj.sortorder],
    )


def _load_multi(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, ("levels", "codes", "names", "sortorder"), "MultiIndex")
    levels, _, labels, order = values
    require(type(levels) is list and 1 <= len(levels) <= 2**10, "no list of levels", "MultiIndex.levels")
    codes = leaf(context, values[1], "MultiIndex.codes", kinds="i", shape=(len(levels), None))
    for level, code in zip(levels, codes, strict=True):
        single = isinstance(level, pd.Index) and not isinstance(level, pd.MultiIndex)
        require(single, "not an index", "MultiIndex.levels")
        in_range(code, "MultiIndex.codes", -1, len(level))
        require(level.is_unique, "hold a value twice", "MultiIndex.levels")
    require(type(labels) is list and len(labels) == len(levels), "not one for each level", "MultiIndex.names")
    for name in labels:
        label(context, name, "MultiIndex")
    if order is not None:
        integer(order, "MultiIndex.sortorder", 0, len(levels))
    # It compares sortorder with the codes, and shrinks them to the integers that their level needs.
    return pd.MultiIndex(levels, list(codes), sortorder=order, names=labels, verify_integrity=True)


HANDLERS = (
    Handler("pandas:Categorical", _get_categorical, _load_categorical),
    Handler("pandas:MultiIndex", _get_multi, _load_multi),
)
