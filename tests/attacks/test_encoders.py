"""Crafted encoders and vectorizers: indices that would lie outside the matrices made of them."""

from __future__ import annotations

import collections
import re
import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import (
    KBinsDiscretizer,
    LabelBinarizer,
    MultiLabelBinarizer,
    OneHotEncoder,
    PolynomialFeatures,
)

import skopsafe

TEXT = ["one two three", "two three four"]
COLUMN = np.array([[1], [2], [2], [3], [3], [3]])


def refused(obj: Any, attribute: str) -> None:
    skopsafe.dumps(obj)
    with pytest.raises(skopsafe.ValidationError, match=re.escape(attribute)):
        skopsafe.loads(skopsafe.dumps(obj))


@pytest.mark.parametrize("kind", [CountVectorizer, TfidfVectorizer])
@pytest.mark.parametrize("column", [-1, 4, 2**40, 2**70, float("nan"), "0", None, np.array(0)])
def test_a_word_cannot_have_a_column_outside_the_matrix(kind: Any, column: Any) -> None:
    model = kind().fit(TEXT)
    model.vocabulary_["one"] = column
    refused(model, f"{kind.__name__}.vocabulary_")


def test_a_vocabulary_cannot_make_up_words() -> None:
    model = CountVectorizer().fit(TEXT)
    model.vocabulary_ = collections.defaultdict(int, model.vocabulary_)
    refused(model, "CountVectorizer.vocabulary_")
    model.vocabulary_ = list(model.vocabulary_)
    refused(model, "CountVectorizer.vocabulary_")


def test_a_key_cannot_have_a_column_outside_the_matrix() -> None:
    model = DictVectorizer().fit([{"a": 1}])
    model.vocabulary_["a"] = 1
    refused(model, "DictVectorizer.vocabulary_")


@pytest.mark.parametrize("kind", [FeatureHasher, HashingVectorizer])
@pytest.mark.parametrize("number", [0, -1, 2**31, 2.5, None, True])
def test_a_hash_has_columns(kind: Any, number: Any) -> None:
    refused(kind(n_features=number), f"{kind.__name__}.n_features")


def one_hot(**params: Any) -> Any:
    return OneHotEncoder(**params).fit(COLUMN)


@pytest.mark.parametrize(
    ("categories", "attribute"),
    [
        ([np.array([3, 1, 2])], "categories_[0]"),
        ([np.array([1.0, np.nan, 2.0])], "categories_[0]"),
        ([np.arange(5)], "_n_features_outs"),
        ([np.arange(3), np.arange(3)], "_n_features_outs"),
        ([np.ma.array([3, 1, 2], mask=[0, 1, 1])], "categories_[0]"),
        ([[1, 2, 3]], "categories_[0]"),
        ([np.zeros((3, 1))], "categories_[0]"),
        (np.zeros((1, 3)), "categories_"),
    ],
)
def test_categories_give_columns_inside(categories: Any, attribute: str) -> None:
    model = one_hot()
    model.categories_ = categories
    refused(model, f"OneHotEncoder.{attribute}")


@pytest.mark.parametrize("outs", [[2], [4], [-3], ["3"], (3,), None, [3, 0], [3.0]])
def test_columns_of_a_one_hot_matrix_are_those_of_its_categories(outs: Any) -> None:
    model = one_hot()
    model._n_features_outs = outs
    refused(model, "OneHotEncoder._n_features_outs")


@pytest.mark.parametrize(
    "drop", [[-7], [3], [0, 0], [1.5], [True], ["0"], np.array([0.0]), [[0]], 0, [np.array(1)]]
)
def test_a_dropped_category_exists(drop: Any) -> None:
    model = one_hot(drop="first")
    model._drop_idx_after_grouping = np.array(drop, object) if isinstance(drop, list) else drop
    refused(model, "OneHotEncoder._drop_idx_after_grouping")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_default_to_infrequent_mappings", [np.array([0, 9, 1])]),
        ("_default_to_infrequent_mappings", [np.array([0, -1, 1])]),
        ("_default_to_infrequent_mappings", [np.array([0.0, 1.0, 1.0])]),
        ("_default_to_infrequent_mappings", [np.array([0, 1])]),
        ("_default_to_infrequent_mappings", []),
        ("_default_to_infrequent_mappings", {}),
        ("_infrequent_indices", [None]),
        ("_infrequent_indices", [np.array([0.5])]),
        ("_infrequent_enabled", []),
        ("_infrequent_enabled", 1),
    ],
)
def test_infrequent_categories_share_the_last_column(name: str, value: Any) -> None:
    model = one_hot(max_categories=2)
    setattr(model, name, value)
    refused(model, f"OneHotEncoder.{name}")


def test_infrequent_categories_count_once() -> None:
    model = one_hot(max_categories=2)
    model._infrequent_enabled = False
    refused(model, "OneHotEncoder._n_features_outs")


def test_a_nested_encoder_is_checked_too() -> None:
    model = KBinsDiscretizer(3, encode="onehot", strategy="uniform").fit(COLUMN)
    model._encoder._n_features_outs = [2]
    refused(model, "OneHotEncoder._n_features_outs")


@pytest.mark.parametrize("cache", [{1: 2, 2: 0}, {1: -1}, {1: "0"}, [0], collections.Counter({1: 0})])
def test_a_label_cannot_have_a_column_outside_the_matrix(cache: Any) -> None:
    model = MultiLabelBinarizer().fit([[1, 2]])
    model._cached_dict = cache
    refused(model, "MultiLabelBinarizer._cached_dict")


def test_labels_stand_once() -> None:
    model = MultiLabelBinarizer().fit([[1, 2]])
    model.classes_ = np.array([1, 1, 2])
    refused(model, "MultiLabelBinarizer.classes_")


@pytest.mark.parametrize("classes", [[7.0, np.nan, 1.0], [1, "a"], [None], [[1], [2]], [{1}, {2}]])
def test_labels_have_an_order(classes: Any) -> None:
    model = LabelBinarizer().fit([1, 2, 3])
    model.classes_ = np.empty(len(classes), object)
    model.classes_[:] = classes
    refused(model, "LabelBinarizer.classes_")


@pytest.mark.parametrize("flag", [2, 40, -1, 0.5, None, "yes"])
def test_an_expansion_counts_its_terms_as_it_makes_them(flag: Any) -> None:
    model = PolynomialFeatures(2).fit(COLUMN)
    model.interaction_only = flag
    refused(model, "PolynomialFeatures.interaction_only")


@pytest.mark.parametrize(
    ("name", "value"),
    [("intercept_", np.zeros((99, 1))), ("coef_", np.zeros((3, 2))), ("coef_", np.zeros((1, 1, 2)))],
)
def test_one_sample_has_one_row(name: str, value: Any) -> None:
    X = np.random.RandomState(0).rand(20, 2)
    model = OneVsRestClassifier(LogisticRegression()).fit(X, X > 0.5)
    setattr(model.estimators_[1], name, value)
    refused(model, f"OneVsRestClassifier.estimators_[1].{name}")


CRASHES = {
    "vocabulary": """
from sklearn.feature_extraction.text import CountVectorizer
model = CountVectorizer().fit(["one two"])
model.vocabulary_["one"] = 2**30
model.transform(["one two"]).toarray()
""",
    "hash": """
from sklearn.feature_extraction import FeatureHasher
FeatureHasher(n_features=0).transform([{"a": 1}])
""",
    "mapping": """
from sklearn.preprocessing import OneHotEncoder
model = OneHotEncoder(sparse_output=False, max_categories=2).fit([[1], [2], [2], [3]])
model._default_to_infrequent_mappings[0][:] = 2**40
model.transform([[1]])
""",
    "one row": """
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
X = np.random.RandomState(0).rand(20, 2)
model = OneVsRestClassifier(LogisticRegression()).fit(X, X > 0.5)
for estimator in model.estimators_:
    estimator.intercept_ = np.full((2**24, 1), 1.0e9)
model.predict(X[:1])
""",
}


@pytest.mark.skipif(sys.platform != "linux", reason="looks for signals")
@pytest.mark.parametrize("name", CRASHES)
def test_what_is_refused_crashes_scikit_learn(name: str) -> None:
    """The checks are there for a reason; when scikit-learn checks by itself, one can go."""
    done = subprocess.run([sys.executable, "-c", CRASHES[name]], capture_output=True, check=False)
    assert -done.returncode in (signal.SIGSEGV, signal.SIGFPE, signal.SIGABRT, signal.SIGBUS), done.stderr


@pytest.mark.parametrize(
    "change", [{"_n_out_full": 200}, {"_max_degree": 3}, {"include_bias": 2}, {"_n_out_full": 9}]
)
def test_an_expansion_shows_no_memory_of_before(change: dict[str, Any]) -> None:
    model = PolynomialFeatures(2).fit(np.ones((2, 3)))
    assert np.array_equal(
        skopsafe.loads(skopsafe.dumps(model)).transform([[1, 2, 3]]), model.transform([[1, 2, 3]])
    )
    vars(model).update(change)
    with pytest.raises(skopsafe.ValidationError, match=r"PolynomialFeatures\."):
        skopsafe.loads(skopsafe.dumps(model))
