"""Histogram gradient boosting: what the walk through its trees needs to know of the estimator.

``predict`` hands ``X``, as its preprocessor returns it, to compiled code that reads the columns which the
nodes name. The nodes themselves were checked by the loader of ``TreePredictor``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np

from skopsafe.handlers.checks import MOST_THREADS, array, in_range, integer, require
from skopsafe.handlers.sklearn.validators.trees import features_of

_BASE = "sklearn.ensemble._hist_gradient_boosting"


def _check_boosting(obj: Any) -> None:
    from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper

    state = vars(obj)
    where = type(obj).__name__
    # During a fit, predict takes X as bins, and neither converts it nor counts its columns.
    require(state.get("_in_fit", False) is False, "a fit has not come to its end", f"{where}._in_fit")
    if "_baseline_prediction" not in state and "_predictors" not in state:
        return
    trees = integer(state.get("n_trees_per_iteration_"), f"{where}.n_trees_per_iteration_", 1, 2**31)
    array(state.get("_baseline_prediction"), f"{where}._baseline_prediction", kinds="f", shape=(1, trees))
    if "_predictors" not in state:
        return
    features = features_of(obj)
    mapper = state.get("_bin_mapper")
    require(type(mapper) is _BinMapper, "not a _BinMapper", f"{where}._bin_mapper")
    categorical = vars(mapper).get("is_categorical_")
    require(
        isinstance(categorical, np.ndarray) and categorical.shape == (features,),
        "has not one item for each feature",
        f"{where}._bin_mapper.is_categorical_",
    )
    assert isinstance(categorical, np.ndarray)
    _check_predictors(state["_predictors"], trees, categorical, where)
    if state.get("_preprocessor") is not None:
        _check_preprocessor(state["_preprocessor"], features, f"{where}._preprocessor")


def _check_predictors(iterations: Any, trees: int, categorical: np.ndarray[Any, Any], where: str) -> None:
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor

    where = f"{where}._predictors"
    fits = type(iterations) is list and all(type(i) is list and len(i) == trees for i in iterations)
    require(fits, f"not lists of {trees} trees each", where)
    predictors = list(chain.from_iterable(iterations))
    require(all(type(p) is TreePredictor for p in predictors), "not a TreePredictor", where)
    if not predictors:
        return
    tables = [predictor.nodes for predictor in predictors]
    # By field, because concatenating structured arrays compares their dtypes field by field, each time.
    inner = np.concatenate([table["is_leaf"] for table in tables]) == 0
    used = np.concatenate([table["feature_idx"] for table in tables])[inner]
    in_range(used, f"{where}.nodes['feature_idx']", 0, len(categorical))
    # A categorical node looks its feature up in a table that has rows for categorical features alone.
    split = np.concatenate([table["is_categorical"] for table in tables])[inner] != 0
    fits = (categorical[used[split]] != 0).all()
    require(fits, "set, though the feature is not categorical", f"{where}.nodes['is_categorical']")


def _check_bin_mapper(obj: Any) -> None:
    state = vars(obj)
    where = type(obj).__name__
    if state.get("n_threads") is not None:
        integer(state["n_threads"], f"{where}.n_threads", -(2**31), MOST_THREADS)
    if "bin_thresholds_" not in state:
        return
    thresholds = state["bin_thresholds_"]
    require(type(thresholds) is list, "not a list", f"{where}.bin_thresholds_")
    for item in thresholds:
        # An order is not needed: the search ends, and stays inside, in any order.
        fits = isinstance(item, np.ndarray) and item.ndim == 1 and item.dtype == np.float64
        require(fits, "not one-dimensional arrays of float64", f"{where}.bin_thresholds_")
    count = len(thresholds)
    categorical = array(state.get("is_categorical_"), f"{where}.is_categorical_", shape=(count,))
    require(categorical.dtype == np.uint8, "not uint8", f"{where}.is_categorical_")
    array(state.get("n_bins_non_missing_"), f"{where}.n_bins_non_missing_", kinds="iu", shape=(count,))
    integer(state.get("missing_values_bin_idx_"), f"{where}.missing_values_bin_idx_", 0, 255)
    for index in np.flatnonzero(categorical):
        # A category is the number of a bit in a bitset of 256.
        in_range(thresholds[index], f"{where}.bin_thresholds_", 0, 256)


def _check_preprocessor(obj: Any, features: int, where: str) -> None:
    """Require the structure that fit makes: only it is known to return as many columns as it is given."""
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder
    from sklearn.utils.validation import check_array

    require(type(obj) is ColumnTransformer, "not a ColumnTransformer", where)
    state = vars(obj)
    require(features_of(obj) == features, "has another n_features_in_", where)
    require(state.get("transformer_weights", 0) is None, "is set", f"{where}.transformer_weights")
    require(state.get("n_jobs", 0) is None, "is set", f"{where}.n_jobs")
    if "feature_names_in_" in state:
        names = array(state["feature_names_in_"], f"{where}.feature_names_in_", kinds="O", shape=(features,))
        require(all(type(name) is str for name in names), "not texts", f"{where}.feature_names_in_")
    parts = state.get("transformers_")
    fits = type(parts) is list and all(type(part) is tuple and len(part) == 3 for part in parts)
    require(fits, "not a list of triples", f"{where}.transformers_")
    assert isinstance(parts, list)
    expected = ["encoder", "numerical", "remainder"][: len(parts)]
    fits = len(parts) >= 2 and [part[0] for part in parts] == expected
    require(fits, "not an encoder and a numerical part", f"{where}.transformers_")
    (_, encoder, encoded), (_, numerical, passed) = parts[:2]
    require(
        all(type(part[1]) is str and part[1] == "drop" for part in parts[2:]),
        "has a remainder",
        f"{where}.transformers_",
    )
    for mask in (encoded, passed):
        array(mask, f"{where}.transformers_ columns", kinds="b", shape=(features,))
    require((encoded != passed).all(), "do not share the features out", f"{where}.transformers_ columns")
    # Under their names, columns of a data frame are chosen by these indices in place of the masks.
    indices = state.get("_transformer_to_input_indices")
    for name, mask in (("encoder", encoded), ("numerical", passed)):
        fits = isinstance(indices, dict) and _equal(indices.get(name), np.flatnonzero(mask))
        require(fits, f"is not that of {name}", f"{where}._transformer_to_input_indices")
    require(type(encoder) is OrdinalEncoder, "not an OrdinalEncoder", f"{where}.transformers_ encoder")
    fits = features_of(encoder) == np.count_nonzero(encoded)
    require(fits, "has another n_features_in_ than columns", f"{where}.transformers_ encoder")
    function = f"{where}.transformers_ numerical"
    require(type(numerical) is FunctionTransformer, "not a FunctionTransformer", function)
    func = vars(numerical).get("func")
    fits = (
        type(func) is functools.partial
        and func.func is check_array
        and func.args == ()
        and func.keywords == {"dtype": [np.float64], "ensure_all_finite": False}
        and vars(numerical).get("kw_args", 0) is None
    )
    require(fits, "does something else than check its input", function)


def _equal(found: Any, expected: np.ndarray[Any, Any]) -> bool:
    return (
        type(found) is list
        and all(isinstance(index, (int, np.integer)) for index in found)
        and found == expected.tolist()
    )


CHECKS: dict[str, Callable[[Any], None]] = {
    f"{_BASE}.gradient_boosting:BaseHistGradientBoosting": _check_boosting,
    f"{_BASE}.binning:_BinMapper": _check_bin_mapper,
}
