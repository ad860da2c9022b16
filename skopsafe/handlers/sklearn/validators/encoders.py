"""Estimators that make indices of sparse matrices out of what they hold.

``scipy.sparse`` does not look at the indices that it is given: ``toarray``, ``sort_indices`` and products
then write and read wherever they point. scikit-learn trusts its own fit to have made them; here they come
from a file. The same goes for the few numbers that its compiled expansions take for granted.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.graph.account import present
from skopsafe.handlers.arguments import is_foreign, require_harmless, require_no_text
from skopsafe.handlers.checks import array, integer, require
from skopsafe.handlers.spread import require_spread_items

_INT32 = 2**31 - 1
_NUMBERS = "biufcmM"


def _where(obj: Any, attribute: str) -> str:
    return f"{type(obj).__name__}.{attribute}"


def _is_integer(kind: type) -> bool:
    return issubclass(kind, (int, np.integer)) and kind is not bool


def _columns(mapping: object, where: str) -> None:
    """Require a dict whose values are column numbers of a matrix with as many columns as it has keys."""
    # No other mapping: a defaultdict would make up columns for words that it does not know.
    require(type(mapping) in (dict, collections.OrderedDict), "not a dict", where)
    assert isinstance(mapping, dict)
    # Floats are cut off by scikit-learn as they are here; other objects could change what they stand for.
    numbers = (int, float, np.integer, np.floating)
    if not present().is_new("columns", mapping):
        return
    columns = list(mapping.values())
    kinds = set(map(type, columns))
    require(all(issubclass(kind, numbers) for kind in kinds), "not numbers", where)
    if columns:
        least, greatest = (min(columns), max(columns)) if kinds == {int} else _extremes(columns)
        inside = least >= 0 and greatest < len(columns)
        require(inside, f"columns outside [0, {len(columns)})", where)


def _extremes(numbers: list[Any]) -> tuple[int, int]:
    """Return the least and the greatest of some numbers as integers, or -1 where one cannot be."""
    try:
        found = np.fromiter(numbers, np.int64, len(numbers))
    except (OverflowError, ValueError):
        return -1, -1
    return int(found.min()), int(found.max())


def _check_vocabulary(obj: Any) -> None:
    if "vocabulary_" in vars(obj):
        _columns(obj.vocabulary_, _where(obj, "vocabulary_"))


def _check_hasher(obj: Any) -> None:
    """The compiled hash takes a remainder by this number and stores it in 32 bits."""
    if "n_features" in vars(obj):
        integer(obj.n_features, _where(obj, "n_features"), 1, _INT32)


def _check_multilabel(obj: Any) -> None:
    cache = vars(obj).get("_cached_dict")
    if cache is not None:
        _columns(cache, _where(obj, "_cached_dict"))
    if "classes_" in vars(obj):
        classes = array(obj.classes_, _where(obj, "classes_"), ndim=1)
        require_spread_items(classes, _where(obj, "classes_"), present())
        if not present().is_new("distinct", classes):
            return
        # Columns are counted over classes_ and the matrix is as wide as the dict made of them.
        require(len(dict.fromkeys(classes)) == len(classes), "a class stands twice", _where(obj, "classes_"))


def _check_label_binarizer(obj: Any) -> None:
    """Columns are places in the sorted classes, which only comparable items have."""
    _check_looked_up(obj)
    if "classes_" in vars(obj):
        classes = array(obj.classes_, _where(obj, "classes_"), ndim=1)
        if classes.dtype.kind == "O":
            kinds = set(map(type, classes))
            comparable = kinds in ({str}, {bytes}) or all(map(_is_integer, kinds)) or kinds == {bool}
            require(comparable, "objects that have no order", _where(obj, "classes_"))


def _check_looked_up(obj: Any) -> None:
    """Require that items can be looked up: `transform` puts them into a dict and a set each time."""
    for name in ("categories_", "classes_"):
        found = vars(obj).get(name, ())
        for number, items in enumerate(found if type(found) is list else [found]):
            if isinstance(items, np.ndarray):
                require_spread_items(items, f"{_where(obj, name)}[{number}]", present())


def _sizes(obj: Any) -> list[int]:
    """Check `categories_` and return how many categories each feature has."""
    where = _where(obj, "categories_")
    require(isinstance(obj.categories_, list), "not a list", where)
    for number, categories in enumerate(obj.categories_):
        found = array(categories, f"{where}[{number}]", ndim=1)
        if found.dtype.kind in _NUMBERS and len(found) > 1:
            # Places are found by bisection, which goes past the end of what is not sorted; nan is last.
            ordered = np.sort(found)
            missing = ordered != ordered, found != found  # noqa: PLR0124  # isnan does not take all of these
            same = (ordered == found) | (missing[0] & missing[1])
            require(bool(same.all()), "not sorted", f"{where}[{number}]")
    return [len(categories) for categories in obj.categories_]


def _group(obj: Any, sizes: list[int]) -> list[int]:
    """Check the mappings of infrequent categories; return the number of columns that they leave."""
    state = vars(obj)
    require(
        type(state.get("_infrequent_enabled", False)) in (bool, np.bool_),
        "not a bool",
        _where(obj, "_infrequent_enabled"),
    )
    if not state.get("_infrequent_enabled"):
        return sizes
    parts = {}
    for name in ("_default_to_infrequent_mappings", "_infrequent_indices"):
        parts[name] = state.get(name)
        require(
            isinstance(parts[name], list) and len(parts[name]) == len(sizes),
            "not one item per feature",
            _where(obj, name),
        )
    out = list(sizes)
    for number, (mapping, infrequent) in enumerate(zip(*parts.values(), strict=True)):
        require((mapping is None) == (infrequent is None), "do not fit", _where(obj, "_infrequent_indices"))
        if mapping is None:
            continue
        where = _where(obj, f"_default_to_infrequent_mappings[{number}]")
        array(mapping, where, kinds="i", shape=(sizes[number],))
        require(mapping.size and mapping.min() >= 0, "negative columns", where)
        found = array(infrequent, _where(obj, f"_infrequent_indices[{number}]"), kinds="i", ndim=1)
        # The last column holds all the infrequent ones together.
        out[number] = sizes[number] - len(found) + 1
        require(mapping.max() < out[number], f"columns beyond {out[number]}", where)
    return out


def _check_one_hot(obj: Any) -> None:
    state = vars(obj)
    if "categories_" not in state:
        return
    columns = _group(obj, _sizes(obj))
    drop = state.get("_drop_idx_after_grouping")
    if drop is not None:
        where = _where(obj, "_drop_idx_after_grouping")
        array(drop, where, kinds="Oiu", shape=(len(columns),))
        for number, place in enumerate(drop):
            if place is not None:
                integer(place, f"{where}[{number}]", 0, columns[number] - 1)
        columns = [count - (place is not None) for count, place in zip(columns, drop, strict=True)]
    where = _where(obj, "_n_features_outs")
    outs = state.get("_n_features_outs")
    require(isinstance(outs, list), "not a list", where)
    require(all(map(_is_integer, map(type, outs))) and outs == columns, f"{outs} instead of {columns}", where)


_MOST_DEGREES = 1000
"""No expansion that fits into memory has more, unless of a single feature."""


def _check_polynomial(obj: Any) -> None:
    """The compiled expansion adds this number to pointers into arrays that it has sized for 0 and 1."""
    flag = vars(obj).get("interaction_only", False)
    require(
        isinstance(flag, (bool, np.bool_, int, np.integer)) and flag in (0, 1),
        "not a bool",
        _where(obj, "interaction_only"),
    )
    state = vars(obj)
    if "_n_out_full" not in state:
        return
    # The expansion fills an empty array column by column: one too many shows what was in memory before.
    where = _where(obj, "_n_out_full")
    features = integer(state.get("n_features_in_"), _where(obj, "n_features_in_"), 1, 2**31 - 1)
    degree = integer(state.get("_max_degree"), _where(obj, "_max_degree"), 0, 2**31 - 1)
    require(degree <= _MOST_DEGREES or features == 1, "is too large", _where(obj, "_max_degree"))
    bias = state.get("include_bias")
    require(isinstance(bias, (bool, np.bool_)), "not a bool", _where(obj, "include_bias"))
    present().spend(4 * min(degree, features) ** 2, where)
    expected = type(obj)._num_combinations(features, 0, degree, bool(flag), bool(bias))
    require(state["_n_out_full"] == expected, f"is not {expected}", where)


def _check_one_vs_rest(obj: Any) -> None:
    """Rows of a matrix are places in the outputs of the nested estimators: one output per sample.

    A linear model gives more than one where its numbers broadcast against one sample.
    """
    if getattr(vars(obj).get("label_binarizer_"), "y_type_", None) == "multiclass":
        return
    for number, estimator in enumerate(vars(obj).get("estimators_", ())):
        where = _where(obj, f"estimators_[{number}]")
        for name in ("coef_", "intercept_", "y_"):
            shape = getattr(getattr(estimator, "__dict__", {}).get(name), "shape", ())
            outputs = shape[:-1] if name == "coef_" else shape
            require(len(shape) <= 2 and set(outputs) <= {1}, "more than one output", f"{where}.{name}")
        # A machine of more classes than two gives an output for each of them.
        classes = getattr(estimator, "__dict__", {}).get("classes_")
        require(classes is None or np.shape(classes) == (2,), "not two classes", f"{where}.classes_")


def _check_function_transformer(obj: Any) -> None:
    """Functions of numpy write into the arrays that they are given as `out`: not into those of the model."""
    for function, arguments in (("func", "kw_args"), ("inverse_func", "inv_kw_args")):
        given = vars(obj).get(arguments)
        require_no_text(vars(obj).get(function), _where(obj, function))
        require(given is None or type(given) is dict, "not a dict", _where(obj, arguments))
        if given and not is_foreign(vars(obj).get(function)):
            require_harmless(vars(obj).get(function), (), given, _where(obj, arguments))
            out = given.get("out")
            written = (*out,) if type(out) is tuple else (out,)
            require(
                not any(isinstance(item, np.ndarray) for item in written),
                "an array to write into",
                f"{_where(obj, arguments)}['out']",
            )


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.feature_extraction.text:CountVectorizer": _check_vocabulary,
    "sklearn.feature_extraction._dict_vectorizer:DictVectorizer": _check_vocabulary,
    "sklearn.feature_extraction.text:HashingVectorizer": _check_hasher,
    "sklearn.feature_extraction._hash:FeatureHasher": _check_hasher,
    "sklearn.preprocessing._label:MultiLabelBinarizer": _check_multilabel,
    "sklearn.preprocessing._label:LabelBinarizer": _check_label_binarizer,
    "sklearn.preprocessing._label:LabelEncoder": _check_looked_up,
    "sklearn.preprocessing._encoders:OneHotEncoder": _check_one_hot,
    "sklearn.preprocessing._encoders:_BaseEncoder": _check_looked_up,
    "sklearn.preprocessing._polynomial:PolynomialFeatures": _check_polynomial,
    "sklearn.multiclass:OneVsRestClassifier": _check_one_vs_rest,
    "sklearn.preprocessing._function_transformer:FunctionTransformer": _check_function_transformer,
}
