"""Small compiled types: losses, distance metrics and Bunch."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.aliases import LOSSES
from skopsafe.handlers.checks import array, require
from skopsafe.handlers.protocols import items, refuse_protocol, require_no_address, require_no_protocol

Names = tuple[str, ...] | None

_SGD_LOSSES = (
    "ModifiedHuber",
    "Hinge",
    "SquaredHinge",
    "Log",
    "SquaredLoss",
    "Huber",
    "EpsilonInsensitive",
    "SquaredEpsilonInsensitive",
)
_METRICS = (
    "Euclidean",
    "SEuclidean",
    "Manhattan",
    "Chebyshev",
    "Minkowski",
    "Mahalanobis",
    "Hamming",
    "Canberra",
    "BrayCurtis",
    "Jaccard",
    "Matching",
    "Dice",
    "Kulsinski",
    "RogersTanimoto",
    "RussellRao",
    "SokalMichener",
    "SokalSneath",
    "Haversine",
)

_METRIC_FORM = ("p", "vector", "matrix")
_FUNCTION_FORM = (*_METRIC_FORM, "function", "kwargs")


def _get_loss(obj: Any) -> Parts:
    reduced = obj.__reduce__()
    if reduced[0] is not type(obj):
        return Parts(None, [])
    return Parts(None, list(reduced[1]))


def _load_loss(_: Names, values: list[Any], context: Context) -> Any:
    cls = context.resolve()
    require(len(values) <= 1, "more than one parameter", cls.__name__)
    numbers = [value.item() if isinstance(value, np.floating) else value for value in values]
    require(all(type(n) in (int, float) and math.isfinite(n) for n in numbers), "not a number", cls.__name__)
    return cls(*values)


def _get_metric(obj: Any) -> Parts:
    values = list(obj.__getstate__())
    return Parts(_METRIC_FORM if len(values) == 3 else _FUNCTION_FORM, values)


def _load_metric(names: Names, values: list[Any], context: Context) -> Any:
    cls = context.resolve()
    where = cls.__name__
    callable_ = where.startswith("PyFunc")
    require(names == (_FUNCTION_FORM if callable_ else _METRIC_FORM), "unknown form", where)
    p, vector, matrix = values[:3]
    require(type(p) is float and p >= 0, "not a positive number", f"{where}.p")
    for name, part, ndim in (("vector", vector, 1), ("matrix", matrix, 2)):
        found = array(part, f"{where}.{name}", ndim=ndim)
        require(
            found.dtype == np.float64 and found.flags.c_contiguous,
            "not float64 in C order",
            f"{where}.{name}",
        )
    require(matrix.shape[0] == matrix.shape[1], "not square", f"{where}.matrix")
    # These classes index the vector or matrix by feature: what uses them checks the size once more
    # with _validate_data, so that it only has to be right here for their own kind.
    if callable_:
        _check_function(values[3], f"{where}.function")
        require(isinstance(values[4], dict), "not a dict", f"{where}.kwargs")
    out = cls.__new__(cls)
    cls.__setstate__(out, tuple(values))
    return out


def _check_function(function: Any, where: str) -> None:
    """Refuse universal functions: their second argument after X is where they write.

    The function gets writable arrays over the samples of the tree, which may be a mapped file.
    """
    while isinstance(function, functools.partial):
        function = function.func
    require(callable(function) and not isinstance(function, np.ufunc), "is no function of two samples", where)


def _get_bunch(obj: Any) -> Parts:
    refuse_protocol(obj)
    return Parts(None, items(obj))


def _fill_bunch(shell: Any, _: Names, values: list[Any], __: Context) -> None:
    require(
        len(values) % 2 == 0 and all(isinstance(key, str) for key in values[::2]),
        "keys are no texts",
        "Bunch",
    )
    require_no_protocol(values[::2], "Bunch")  # its keys are its attributes
    for key, value in zip(values[::2], values[1::2], strict=True):
        dict.__setitem__(shell, key, value)
    require_no_address(shell, "Bunch")


def _load_bunch(names: Names, values: list[Any], context: Context) -> Any:
    out = context.resolve()()
    _fill_bunch(out, names, values, context)
    return out


HANDLERS = (
    *(Handler(f"sklearn._loss._loss:{name}", _get_loss, _load_loss) for name in LOSSES),
    *(Handler(f"sklearn.linear_model._sgd_fast:{name}", _get_loss, _load_loss) for name in _SGD_LOSSES),
    *(
        Handler(f"sklearn.metrics._dist_metrics:{name}Distance{width}", _get_metric, _load_metric)
        for name in _METRICS
        for width in ("", "32", "64")
    ),
    # Not with 32 bits: scikit-learn gives the function twice as many bytes as there are.
    Handler("sklearn.metrics._dist_metrics:PyFuncDistance64", _get_metric, _load_metric),
    Handler("sklearn.utils._bunch:Bunch", _get_bunch, _load_bunch, lambda c: c.resolve()(), _fill_bunch),
)
