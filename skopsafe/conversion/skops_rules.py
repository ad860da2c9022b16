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
    if isinstance(mask, np.bool_):  # there is no mask, or it is the same everywhere
        case.budget.spend(data.size)
        mask = np.full(data.shape, True, described) if mask else None
    fits = mask is None or (mask.dtype == described and mask.shape == data.shape)
    require(fits, "its mask does not fit")
    form = ("data", "mask", "fill_value", "hard")  # of which skops keeps two
    return Stand("numpy.ma:MaskedArray", Parts(form, [data, mask, None, False]))


def _method(case: Case) -> Any:
    function, obj = case.args
    require(isinstance(function, Naming), "it has no name")
    return Stand("builtins:method", Parts(None, [function, obj]))


RULES = Rules(calls={"skops.io:MaskedArrayNode": _masked, "skops.io:MethodNode": _method})
