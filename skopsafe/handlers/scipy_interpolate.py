"""scipy.interpolate: B-splines. Compiled code walks their knots without looking."""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import array, integer, require

Names = tuple[str, ...] | None


def _get(obj: Any) -> Parts:
    return Parts(
        ("t", "c", "k", "extrapolate", "axis"), [obj.t, obj.c, int(obj.k), obj.extrapolate, int(obj.axis)]
    )


def _load(names: Names, values: list[Any], context: Context) -> Any:
    cls = context.resolve()
    require(names == ("t", "c", "k", "extrapolate", "axis"), "unknown form", "BSpline")
    t, c, k, extrapolate, axis = values
    k = integer(k, "BSpline.k", 0, 1000)
    knots = array(t, "BSpline.t", kinds="f", ndim=1)
    require(knots.dtype == np.float64 and knots.flags.c_contiguous, "not float64 in C order", "BSpline.t")
    require(
        bool(np.isfinite(knots).all()) and bool((np.diff(knots) >= 0).all()), "not ascending", "BSpline.t"
    )
    coefficients = array(c, "BSpline.c", kinds="fc")
    require(coefficients.dtype in (np.float64, np.complex128), "not float64 or complex128", "BSpline.c")
    count = len(knots) - k - 1
    require(count >= k + 1, "fewer knots than the degree needs", "BSpline.t")
    require(
        coefficients.ndim >= 1 and coefficients.shape[0] >= count, "fewer than the knots need", "BSpline.c"
    )
    require(knots[k] < knots[count], "the base interval is empty", "BSpline.t")
    integer(axis, "BSpline.axis", 0, coefficients.ndim - 1)
    require(extrapolate in (True, False, None, "periodic"), "unknown", "BSpline.extrapolate")
    return cls.construct_fast(knots, coefficients, k, extrapolate, axis)


HANDLERS = (Handler("scipy.interpolate._bsplines:BSpline", _get, _load),)
