"""LAPACK may never come back from a matrix with an infinity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance, MinCovDet
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

import skopsafe

X = np.random.default_rng(0).random((60, 6))


def models() -> list[tuple[Any, str]]:
    kinds = ("full", "tied", "diag", "spherical")
    made: list[tuple[Any, str]] = [
        (GaussianMixture(2, covariance_type=kind), "covariances_") for kind in kinds
    ]
    made += [(BayesianGaussianMixture(n_components=2), "covariances_")]
    made += [
        (cls(3, random_state=0), "components_") for cls in (GaussianRandomProjection, SparseRandomProjection)
    ]
    made += [(cls(store_precision=False), "covariance_") for cls in (EmpiricalCovariance, MinCovDet)]
    return made


@pytest.mark.parametrize(("model", "name"), models(), ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_matrix_that_is_decomposed_is_finite(model: Any, name: str, value: float) -> None:
    model.fit(X)
    assert skopsafe.dumps(skopsafe.loads(skopsafe.dumps(model))) == skopsafe.dumps(model)
    matrix = getattr(model, name)
    (matrix.data if hasattr(matrix, "indptr") else matrix).flat[0] = value
    with pytest.raises(skopsafe.ValidationError, match=rf"{type(model).__name__}\.{name}"):
        skopsafe.loads(skopsafe.dumps(model))


def test_nothing_of_an_unfitted_one_is_missed() -> None:
    for model, _ in models():
        assert type(skopsafe.loads(skopsafe.dumps(model))) is type(model)
