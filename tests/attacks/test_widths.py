"""Numbers of columns: for each, `get_feature_names_out` makes up a name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.cluster import FeatureAgglomeration
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.kernel_approximation import RBFSampler
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, PolynomialFeatures, SplineTransformer, StandardScaler

import skopsafe

X = np.random.RandomState(0).rand(30, 3)

CRAFTED: dict[str, tuple[Any, str]] = {
    "columns of a scaler": (StandardScaler(), "n_features_in_"),
    "features of a sampler": (RBFSampler(), "_n_features_out"),
    "clusters of features": (FeatureAgglomeration(), "_n_features_out"),
    "splines": (SplineTransformer(), "n_features_out_"),
    "products": (PolynomialFeatures(), "n_output_features_"),
    "columns of a table": (make_column_transformer(("drop", [0]), remainder="passthrough"), "n_features_in_"),
}


@pytest.mark.parametrize("case", CRAFTED)
def test_a_number_of_columns_needs_an_array_of_that_width(case: str) -> None:
    model, name = CRAFTED[case]
    model.fit(X)
    skopsafe.loads(skopsafe.dumps(model))
    setattr(model, name, 10**9)
    with pytest.raises(skopsafe.ValidationError, match=name):
        skopsafe.loads(skopsafe.dumps(model))


def test_an_estimator_within_must_bear_it_out_too() -> None:
    model = make_pipeline(StandardScaler()).fit(X)
    model.steps[0][1].n_features_in_ = 10**9
    with pytest.raises(skopsafe.ValidationError, match="n_features_in_"):
        skopsafe.loads(skopsafe.dumps(model))


def test_millions_of_hashed_words_are_no_attack() -> None:
    words = HashingVectorizer(n_features=2**22 + 1).transform(["one two three", "two four"])
    model = make_pipeline(make_column_transformer((MaxAbsScaler(), slice(0, 2**22 + 1))))
    small = scipy.sparse.csr_matrix(words)
    model.fit(small)
    loaded = skopsafe.loads(skopsafe.dumps(model))
    assert (loaded.transform(small) != model.transform(small)).nnz == 0
