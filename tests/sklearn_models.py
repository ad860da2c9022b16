"""Fits every estimator of the installed scikit-learn, and asks for every output it has."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.utils import all_estimators
from sklearn.utils._test_common.instance_generator import _construct_instances
from sklearn.utils.estimator_checks import _enforce_estimator_tags_X, _enforce_estimator_tags_y

OUTPUTS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
    "kneighbors",
    "apply",
    "staged_predict",
    "inverse_transform",
    "sample",
)

NAMES = tuple(name for name, _ in all_estimators())
CLASSES = dict(all_estimators())

TEXT = ["one two three", "two three four", "five six", "one five six seven"] * 5


def instance(name: str) -> Any:
    """Return an unfitted estimator whose parameters make it quick."""
    if name == "FrozenEstimator":
        from sklearn.linear_model import LogisticRegression

        X, y = make_classification(80, 6, n_informative=4, n_redundant=0, random_state=0)
        return CLASSES[name](LogisticRegression().fit(X, y))
    return next(iter(_construct_instances(CLASSES[name])))


def data(name: str, estimator: Any) -> tuple[Any, Any]:
    """Return X and y that suit the estimator."""
    if name in ("CountVectorizer", "HashingVectorizer", "TfidfVectorizer"):
        return TEXT, None
    if name == "DictVectorizer":
        return [{"a": 1.0, "b": "x"}, {"a": 2.0, "c": 3.0}] * 5, None
    if name == "FeatureHasher":
        return [{"a": 1.0, "b": 2.0}, {"a": 2.0, "c": 3.0}] * 5, None
    if name == "LabelBinarizer":
        return np.array([0, 1, 2, 1] * 5), None
    if name == "LabelEncoder":
        return np.array(["a", "b", "c", "b"] * 5), None
    if name == "MultiLabelBinarizer":
        return [(0, 1), (2,), (1, 2)] * 5, None
    if name == "PatchExtractor":
        return np.random.RandomState(0).rand(3, 10, 10), None
    if name == "IsotonicRegression":
        x = np.random.RandomState(0).rand(40)
        return x, x + np.random.RandomState(1).rand(40) / 10
    if name in ("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"):
        return make_regression(60, 6, n_targets=2, random_state=0)
    from sklearn.base import is_regressor

    if name == "SparseCoder":
        return np.random.RandomState(0).rand(20, estimator.dictionary.shape[1]), None
    if is_regressor(estimator) or name in ("RegressorChain", "CCA", "PLSSVD"):
        X, y = make_regression(80, 6, random_state=0)
        y = np.abs(y) + 1
    else:
        X, y = make_classification(80, 6, n_informative=4, n_redundant=0, random_state=0)
    X = np.abs(X) if name in ("BernoulliRBM",) else X
    X = _enforce_estimator_tags_X(estimator, X)
    return X, _enforce_estimator_tags_y(estimator, y)


def fitted(name: str) -> tuple[Any, Any]:
    """Return a fitted estimator and the X it was fitted on."""
    estimator = clone(instance(name))
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    X, y = data(name, estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in ("LabelBinarizer", "LabelEncoder") or y is None:
            estimator.fit(X)
        else:
            estimator.fit(X, y)
    return estimator, X


def outputs(estimator: Any, X: Any) -> dict[str, Any]:
    """Return the result of every output method that works, by its name."""
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for method in OUTPUTS:
            call = getattr(estimator, method, None)
            if call is None:
                continue
            np.random.seed(0)
            # Some methods take a quicker way when they are given the very array of the fit.
            X = X.copy() if hasattr(X, "copy") else X
            try:
                if method == "inverse_transform":
                    result = call(estimator.transform(X))
                elif method == "sample":
                    result = call(5)
                elif method == "kneighbors":
                    result = call(X, 2)
                else:
                    result = call(X)
                found[method] = list(result) if hasattr(result, "__next__") else result
            except Exception as error:  # the original and its copy must fail alike
                found[method] = (type(error).__name__, str(error))
    return found


def same(a: Any, b: Any) -> bool:
    """Tell whether two outputs are equal to the bit, dtypes included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "toarray"):
        return a.format == b.format and same(a.toarray(), b.toarray())
    if isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        if a.dtype.kind == "O":
            return all(map(same, a.ravel().tolist(), b.ravel().tolist()))
        return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if hasattr(a, "to_numpy"):
        return bool(a.equals(b))
    return bool(a == b)
