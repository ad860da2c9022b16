"""Rules for what only files of skops have: its forms of masked arrays and methods."""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.conversion.rules import Case, Rules, require
from skopsafe.conversion.stands import Naming, Stand
from skopsafe.graph.parts import Parts


def _masked(case: Case) -> Any:
    args = case.args
    require(len(args) == 2 and all(isinstance(part, np.ndarray | np.bool_) for part in args), "no two arrays")
    data, mask = args
    require(isinstance(data, np.ndarray), "its data are no array")
    described = np.ma.make_mask_descr(data.dtype)
    if np.ndim(mask) == 0:  # nothing is masked, or all is
        case.budget.spend(data.size)
        mask = np.full(data.shape, bool(mask), described)
    require(mask.dtype == described and mask.shape == data.shape, "its mask does not fit")
    fill = np.asarray(np.ma.default_fill_value(data.dtype), data.dtype)
    form = ("data", "mask", "fill_value", "hard")
    return Stand("numpy.ma:MaskedArray", Parts(form, [data, mask, fill, False]))


def _method(case: Case) -> Any:
    function, obj = case.args
    require(isinstance(function, Naming), "it has no name")
    return Stand("builtins:method", Parts(None, [function, obj]))


RULES = Rules(calls={"skops.io:MaskedArrayNode": _masked, "skops.io:MethodNode": _method})
