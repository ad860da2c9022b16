"""Fitted models of histogram boosting whose attributes were changed: live objects that can be dumped."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tests.attacks.tree_models import CLASSES, CRAFTED, NUMBERS, X, craft, tree


@functools.cache
def _fitted_hist(categories: bool) -> Any:
    if not categories:
        return HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=2).fit(X, NUMBERS)
    model = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2, categorical_features=[2, 3])
    return model.fit(X, CLASSES)


def hist() -> Any:
    return copy.deepcopy(_fitted_hist(False))


def hist_of_categories() -> Any:
    return copy.deepcopy(_fitted_hist(True))


def first_node(field: str, value: Any, make: Callable[[], Any] = hist) -> Any:
    model = make()
    nodes = model._predictors[0][0].nodes
    assert not nodes[0]["is_leaf"]
    nodes[field][0] = value
    return model


NODES = {
    "left_outside": ("left", 2**31, r"TreePredictor\.nodes\['left'\]"),
    "right_outside": ("right", 2**31, r"TreePredictor\.nodes\['right'\]"),
    "left_goes_back": ("left", 0, r"TreePredictor\.nodes\['left'\]"),
    "two_parents": ("right", 1, "two parents"),
    "feature_behind_the_last": ("feature_idx", 2**40, r"Regressor\._predictors\.nodes\['feature_idx'\]"),
    "negative_feature": ("feature_idx", -(2**40), r"Regressor\._predictors\.nodes\['feature_idx'\]"),
    "categorical_without_bitset": ("is_categorical", 1, r"TreePredictor\.nodes\['bitset_idx'\]"),
}
for name, (field, value, where) in NODES.items():
    CRAFTED[f"hist_{name}"] = functools.partial(
        lambda field, value, where: (first_node(field, value), where), field, value, where
    )


@craft
def hist_bitset_behind_the_last() -> tuple[Any, str]:
    model = hist_of_categories()
    for predictor in model._predictors[0]:
        split = (predictor.nodes["is_categorical"] != 0) & (predictor.nodes["is_leaf"] == 0)
        predictor.nodes["bitset_idx"][split] = 2**31
    return model, r"TreePredictor\.nodes\['bitset_idx'\]"


@craft
def hist_categorical_node_on_a_number() -> tuple[Any, str]:
    model = first_node("is_categorical", 1)
    predictor = model._predictors[0][0]
    predictor.raw_left_cat_bitsets = np.zeros((1, 8), np.uint32)
    predictor.binned_left_cat_bitsets = np.zeros((1, 8), np.uint32)
    return model, r"Regressor\._predictors\.nodes\['is_categorical'\]"


@craft
def hist_narrow_bitsets() -> tuple[Any, str]:
    model = hist_of_categories()
    model._predictors[0][0].raw_left_cat_bitsets = np.zeros((9, 1), np.uint32)
    return model, r"TreePredictor\.raw_left_cat_bitsets"


@craft
def hist_signed_bitsets() -> tuple[Any, str]:
    model = hist_of_categories()
    model._predictors[0][0].binned_left_cat_bitsets = np.zeros((9, 8), np.int32)
    return model, r"TreePredictor\.binned_left_cat_bitsets"


@craft
def hist_no_node() -> tuple[Any, str]:
    model = hist()
    model._predictors[0][0].nodes = model._predictors[0][0].nodes[:0]
    return model, r"TreePredictor\.nodes"


@craft
def hist_nodes_of_another_dtype() -> tuple[Any, str]:
    model = hist()
    nodes = model._predictors[0][0].nodes
    model._predictors[0][0].nodes = nodes.astype([(n, nodes.dtype[n]) for n in nodes.dtype.names[::-1]])
    return model, r"TreePredictor\.nodes"


@craft
def hist_predictor_of_another_type() -> tuple[Any, str]:
    model = hist()
    model._predictors[1] = [tree()]
    return model, r"HistGradientBoostingRegressor\._predictors"


@craft
def hist_more_trees_than_columns() -> tuple[Any, str]:
    model = hist()
    model._predictors[1] *= 2
    return model, r"HistGradientBoostingRegressor\._predictors"


@craft
def hist_in_fit() -> tuple[Any, str]:
    model = first_node("feature_idx", 3)
    model._in_fit = True
    return model, r"HistGradientBoostingRegressor\._in_fit"


@craft
def hist_without_n_features_in() -> tuple[Any, str]:
    model = hist()
    del model.n_features_in_
    return model, r"HistGradientBoostingRegressor\.n_features_in_"


@craft
def hist_more_trees_per_iteration() -> tuple[Any, str]:
    model = hist()
    model.n_trees_per_iteration_ = 2**30
    return model, r"HistGradientBoostingRegressor\._baseline_prediction"


@craft
def hist_fewer_features_in_the_mapper() -> tuple[Any, str]:
    model = hist()
    model._bin_mapper.is_categorical_ = np.zeros(1, np.uint8)
    model._bin_mapper.bin_thresholds_ = model._bin_mapper.bin_thresholds_[:1]
    model._bin_mapper.n_bins_non_missing_ = model._bin_mapper.n_bins_non_missing_[:1]
    return model, r"HistGradientBoostingRegressor\._bin_mapper\.is_categorical_"


@craft
def hist_mapper_of_another_type() -> tuple[Any, str]:
    model = hist()
    model._bin_mapper = StandardScaler()
    return model, r"HistGradientBoostingRegressor\._bin_mapper"


def mapper(**changes: Any) -> Any:
    found = hist_of_categories()._bin_mapper
    for key, value in changes.items():
        setattr(found, key, value(getattr(found, key)))
    return found


MAPPERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "short": ("bin_thresholds_", lambda old: old[:1]),
    "none": ("bin_thresholds_", lambda old: [None] * 4),
    "tuple": ("bin_thresholds_", tuple),
    "integers": ("bin_thresholds_", lambda old: [part.astype(int) for part in old]),
    "large_category": ("bin_thresholds_", lambda old: [part + 256.0 for part in old]),
    "nan_category": ("bin_thresholds_", lambda old: [part * np.nan for part in old]),
    "short_mask": ("is_categorical_", lambda old: old[:1]),
    "wide_mask": ("is_categorical_", lambda old: old.astype(int)),
    "one_bin_count": ("n_bins_non_missing_", lambda old: old[:1]),
    "missing_bin": ("missing_values_bin_idx_", lambda old: 256),
    "threads": ("n_threads", lambda old: 10**7),
}
for name, (attribute, change) in MAPPERS.items():
    CRAFTED[f"mapper_{name}"] = functools.partial(
        lambda attribute, change: (
            mapper(**{attribute: change}),
            rf"_BinMapper\.({attribute}|is_categorical_)",
        ),
        attribute,
        change,
    )


def preprocessor(change: Callable[[Any], Any]) -> Any:
    model = hist_of_categories()
    model._preprocessor = change(model._preprocessor) or model._preprocessor
    return model


def _part(position: int, index: int, value: Any) -> Callable[[Any], None]:
    def change(found: Any) -> None:
        part = list(found.transformers_[position])
        part[index] = value
        found.transformers_[position] = tuple(part)

    return change


def _set(name: str, value: Any) -> Callable[[Any], None]:
    return lambda found: setattr(found, name, value)


PREPROCESSORS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "of_another_type": (lambda _: StandardScaler().fit(X[:, :1]), "ColumnTransformer"),
    "of_fewer_columns": (
        lambda _: ColumnTransformer([("a", "passthrough", [0])]).fit(X),
        "transformers_",
    ),
    "that_drops_numbers": (_part(1, 1, "drop"), "transformers_ numerical"),
    "with_another_function": (_part(1, 1, FunctionTransformer(np.log1p)), "transformers_ numerical"),
    "with_another_encoder": (_part(0, 1, StandardScaler().fit(X[:, :2])), "transformers_ encoder"),
    "with_a_smaller_mask": (_part(1, 2, np.array([True, False, False, False])), "columns"),
    "with_column_numbers": (_part(1, 2, [0, 1]), "columns"),
    "with_other_indices": (
        lambda found: found._transformer_to_input_indices.update(numerical=[]),
        "_transformer_to_input_indices",
    ),
    "with_weights": (_set("transformer_weights", {"numerical": np.ones((80, 1))}), "transformer_weights"),
    "without_n_features_in": (lambda found: delattr(found, "n_features_in_"), "n_features_in_"),
    "with_too_many_jobs": (_set("n_jobs", 10**7), "n_jobs"),
    "whose_encoder_has_no_n_features_in": (
        lambda found: delattr(found.transformers_[0][1], "n_features_in_"),
        "n_features_in_",
    ),
    "with_names_that_are_no_texts": (
        _set("feature_names_in_", np.array([0, 1, 2, 3], object)),
        "feature_names_in_",
    ),
}
for name, (change, where) in PREPROCESSORS.items():
    CRAFTED[f"preprocessor_{name}"] = functools.partial(
        lambda change, where: (preprocessor(change), where), change, where
    )
