"""Estimators of libraries around scikit-learn come out of a pickle with nothing to approve."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import pytest

import skopsafe
from tests.convert.converting import converted

pytest.importorskip("category_encoders")
pytest.importorskip("feature_engine")
pytest.importorskip("imblearn")
pytest.importorskip("quantile_forest")

from tests import ecosystem_models, quantile_forest_models

MODELS: dict[str, Any] = {**ecosystem_models.MODELS, **quantile_forest_models.MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_converted_with_nothing_to_approve(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, _ = MODELS[name]()
        for protocol in (2, 5):
            pickled = pickle.dumps(model, protocol)
            data = converted(pickled)
            assert skopsafe.get_untrusted_types(data=data) == []
            # The file of what was loaded tells of every value, and in what order they stand.
            assert skopsafe.dumps(skopsafe.loads(data)) == skopsafe.dumps(pickle.loads(pickled))


def test_a_forest_does_not_grow_beyond_its_pickle() -> None:
    """A sparse matrix of a few bytes may say that it has any shape."""
    from quantile_forest._quantile_forest_fast import QuantileForest
    from scipy import sparse

    class Crafted:
        def __reduce__(self) -> Any:
            forest, _ = quantile_forest_models.MODELS["extra"]()
            function, args, state = forest.forest_.__reduce__()
            assert function is QuantileForest
            state |= {"shape1": (2**16, 2**8, 1, 2), "matrix1": sparse.csc_matrix((2, 2**24), dtype="i8")}
            state["matrix1"].indptr = state["matrix1"].indptr[:5]
            return function, args, state

    with pytest.raises(skopsafe.UnsupportedTypeError, match="copied more often"):
        converted(pickle.dumps(Crafted()))
