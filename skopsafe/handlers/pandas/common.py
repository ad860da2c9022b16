"""What the loaders for pandas share: pandas itself, arrays of the file, and packing of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skopsafe.graph.parts import Context
from skopsafe.handlers import checks
from skopsafe.handlers.checks import require
from skopsafe.handlers.depth import require_light

Names = tuple[str, ...] | None

PLAIN = "biufcSUVmM"
UNITS = ("s", "ms", "us", "ns")


def pandas(context: Context) -> Any:
    """Return pandas, or raise `MissingTypeError` where it or the type of the present node is missing."""
    context.resolve()  # says what to install where pandas is missing
    import pandas as pd

    return pd


def form(names: Names, values: Sequence[Any], expected: tuple[str, ...], where: str) -> None:
    """Require a node to have exactly these attributes."""
    require(names == expected and len(values) == len(expected), "unknown form", where)


def label(context: Context, name: Any, where: str) -> Any:
    """Return the name of an index, a level or a series, which pandas hashes."""
    require_light([name], f"{where}.name", context.account)
    return name


def leaf(
    context: Context,
    number: object,
    where: str,
    *,
    kinds: str,
    ndim: int | None = None,
    shape: tuple[int | None, ...] | None = None,
) -> np.ndarray[Any, np.dtype[Any]]:
    """Return an array of the file that no other node has, as a plain ndarray of the native byte order."""
    found = context.array(number).view(np.ndarray)  # a map of the file, too
    checks.array(found, where, kinds=kinds, ndim=ndim, shape=shape)
    require(found.dtype.isnative, "not in the byte order of this machine", where)
    return found


def own(values: Any) -> Any:
    """Return a new extension array over the memory of an array.

    Two series can have one array between them and a count of who may write to it. Each comes back with its
    own; what is the same object in the graph would come back as the same.
    """
    import pandas as pd

    if isinstance(values, np.ndarray):
        return pd.arrays.NumpyExtensionArray(values)
    if isinstance(values, (pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray)):
        return values._from_backing_data(values._ndarray)  # without a freq, which belongs to the index
    return values[:]


def own_offset(offset: Any) -> Any:
    """Return an equal offset of its own: pandas keeps or copies them as it likes, from release to release."""
    return None if offset is None else offset * 1
