"""Every estimator of scikit-learn, converted without unpickling, predicts as the one that pickle loads."""

from __future__ import annotations

import pickle

import pytest

import skopsafe
from tests.convert.converting import converted
from tests.sklearn_models import NAMES, fitted, outputs, same


@pytest.mark.parametrize("name", NAMES)
def test_an_estimator_is_converted_with_nothing_to_approve(name: str) -> None:
    estimator, X = fitted(name)
    for protocol in (2, 5):
        data = pickle.dumps(estimator, protocol)
        file = converted(data)
        assert skopsafe.get_untrusted_types(data=file) == []
        expected, found = outputs(pickle.loads(data), X), outputs(skopsafe.loads(file), X)
        assert expected.keys() == found.keys()
        for method, result in expected.items():
            assert same(found[method], result), method
