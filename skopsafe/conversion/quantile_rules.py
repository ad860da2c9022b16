"""The rule for the samples in leaves of quantile-forest, which may be pickled as sparse matrices.

Source: ``quantile_forest/_quantile_forest_fast.pyx``, ``__reduce__`` and ``__setstate__``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skopsafe.conversion.pandas_common import is_a
from skopsafe.conversion.rules import Case, Rules, require
from skopsafe.conversion.stands import Stand
from skopsafe.handlers import quantile_forest_, scipy_

_NAME = "quantile_forest._quantile_forest_fast:QuantileForest"
_CSC = "scipy.sparse._csc:csc_matrix"
_DENSE = 4
"""How much of the budget an item takes that a sparse matrix does not have."""


def _forest(case: Case) -> Any:
    args = case.args
    require(len(args) == 4 and type(args[3]) is bool, "it has not four arguments")
    state = {} if case.state is None else case.attributes()
    arrays = args[:3]
    if args[3]:
        require(state.keys() == {"shape1", "matrix1", "shape2", "matrix2"}, "its state is of another form")
        arrays[1:] = [_dense(state[f"matrix{n}"], state[f"shape{n}"], case) for n in (1, 2)]
    require(args[3] or not state, "its state is of another form")
    plain = all(isinstance(found, np.ndarray) and found.dtype.kind in "iuf" for found in arrays)
    require(plain, "a part of it is no array of numbers")
    return Stand(_NAME, quantile_forest_.parts_of(arrays[0], arrays[1], arrays[2], args[3]))


def _dense(matrix: Any, shape: Any, case: Case) -> Any:
    """Return a sparse matrix as an array, with its columns one behind the other in items of the last axis."""
    require(is_a(matrix, _CSC), "it has no sparse matrix")
    labels = matrix.parts.attributes or ()
    parts = dict(zip(labels, matrix.parts.values, strict=True))
    sound = isinstance(shape, tuple) and all(type(size) is int and 0 <= size < 2**40 for size in shape)
    require(sound and len(shape) in (3, 4), "a shape is malformed")
    rows, columns = shape[-1], math.prod(shape[:-1])
    require(parts.get("shape") == (rows, columns), "a matrix has another shape than its array")
    case.budget.spend(_DENSE * rows * columns)
    scipy_.check_compressed("csc", (rows, columns), parts, "matrix")
    out = np.zeros((rows, columns), parts["data"].dtype)
    numbers = np.repeat(np.arange(columns), np.diff(parts["indptr"]))
    np.add.at(out, (parts["indices"], numbers), parts["data"])
    return out.reshape(shape)


RULES = Rules(calls={_NAME: _forest})
