"""Every estimator of the installed scikit-learn comes back as it was, with nothing to approve."""

from __future__ import annotations

import pytest

import skopsafe
from tests.sklearn_models import NAMES, fitted, outputs, same


@pytest.mark.parametrize("name", NAMES)
def test_fitted_estimator_comes_back(name: str) -> None:
    estimator, X = fitted(name)
    data = skopsafe.dumps(estimator)
    assert skopsafe.get_untrusted_types(data=data) == []
    assert skopsafe.dumps(estimator) == data, "two dumps of one object differ"
    loaded = skopsafe.loads(data)
    assert skopsafe.dumps(loaded) == data, "the loaded object is written in other bytes"
    assert type(loaded) is type(estimator)
    assert repr(loaded.get_params()) == repr(estimator.get_params())
    expected, found = outputs(estimator, X), outputs(loaded, X)
    assert expected.keys() == found.keys()
    for method, value in expected.items():
        assert same(value, found[method]), method


def test_the_walk_finds_all_estimators() -> None:
    assert len(NAMES) > 190
    produced = sum(bool(outputs(*fitted(name))) for name in ("Ridge", "PCA", "KMeans"))
    assert produced == 3
