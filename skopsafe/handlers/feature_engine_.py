"""feature-engine: numbers of bins and columns, and names of dtypes.

All of it is Python over pandas and scikit-learn. Texts that pandas takes for names of methods have rules in
the reviewed table; here are the numbers that say how much to make, and texts that pandas takes for dtypes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.handlers.checks import integer, require
from skopsafe.handlers.dtypes import require_plain_dtype
from skopsafe.handlers.library import Check, Library

_MOST_BINS = 10**6


def _check_width(obj: Any) -> None:
    """``get_feature_names_out`` makes as many names as it is told that there are columns."""
    state = vars(obj)
    names, where = state.get("feature_names_in_"), f"{type(obj).__name__}.n_features_in_"
    if "n_features_in_" in state:
        width = integer(state["n_features_in_"], where, 0, 2**31 - 1)
        require(isinstance(names, list) and width <= len(names), "more columns than names", where)


def _check_bins(obj: Any) -> None:
    """A number in place of the edges makes ``pandas.cut`` make as many."""
    state = vars(obj)
    for name in ("binner_dict_", "binning_dict"):
        found = state.get(name)
        where = f"{type(obj).__name__}.{name}"
        require(found is None or isinstance(found, dict), "not a dict", where)
        for edges in (found or {}).values():
            number = edges[()] if isinstance(edges, np.ndarray) and edges.ndim == 0 else edges
            if isinstance(number, (int, np.integer)):
                integer(int(number), where, -_MOST_BINS, _MOST_BINS)


def _check_dtypes(obj: Any) -> None:
    dtypes = vars(obj).get("dtype_dict_")
    require(dtypes is None or isinstance(dtypes, dict), "not a dict", "MatchVariables.dtype_dict_")
    for dtype in (dtypes or {}).values():
        require_plain_dtype(dtype, "MatchVariables.dtype_dict_")


CHECKS: dict[str, Check] = {
    "feature_engine._base_transformers.mixins:GetFeatureNamesOutMixin": _check_width,
    "feature_engine.discretisation.base_discretiser:BaseDiscretiser": _check_bins,
    "feature_engine.discretisation.decision_tree:DecisionTreeDiscretiser": _check_bins,
    "feature_engine.preprocessing.match_columns:MatchVariables": _check_dtypes,
}

LIBRARY = Library((), CHECKS)
