"""Estimators that fill an array which numpy has left empty, item by item, by what they hold.

What they leave out shows what was in memory before: to who gets the prediction, or in the text of an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.handlers.checks import array, require
from skopsafe.handlers.sklearn.validators.estimators import features, state


def _check_target_encoder(obj: Any) -> None:
    """Columns are filled one for each item of ``encodings_``."""
    have, where = state(obj), type(obj).__name__
    if "encodings_" not in have:
        return
    count = features(have, where)
    kind = have.get("target_type_")
    require(isinstance(kind, str), "not a text", f"{where}.target_type_")
    if kind == "multiclass":
        count *= len(array(have.get("classes_"), f"{where}.classes_", ndim=1))
    found = have["encodings_"]
    fits = type(found) is list and len(found) == count
    require(fits, f"not a list of {count} items", f"{where}.encodings_")


def _check_chain(obj: Any) -> None:
    """The order of the columns is turned around by writing to the places that ``order_`` names."""
    have, where = state(obj), type(obj).__name__
    if "estimators_" not in have or "order_" not in have:
        return
    order = np.asarray(have["order_"])
    expected = np.arange(len(have["estimators_"]))
    fits = order.shape == expected.shape and order.dtype.kind in "iu" and (np.sort(order) == expected).all()
    require(fits, "does not name each estimator once", f"{where}.order_")


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.preprocessing._target_encoder:TargetEncoder": _check_target_encoder,
    "sklearn.multioutput:_BaseChain": _check_chain,
}
