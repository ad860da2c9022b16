"""Every estimator that skops saves is read with nothing to approve, and gives the same results."""

from __future__ import annotations

import pytest

import skopsafe
from tests.sklearn_models import NAMES, fitted, outputs, same


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in NAMES if name != "Birch"])  # which skops does not save
def test_an_estimator_is_read_with_nothing_to_approve(name: str) -> None:
    skops = pytest.importorskip("skops.io")
    estimator, X = fitted(name)
    data = skops.dumps(estimator)
    assert skopsafe.get_untrusted_types(data=data) == []
    expected, found = outputs(estimator, X), outputs(skopsafe.loads(data), X)
    assert all(same(found[method], result) for method, result in expected.items())
