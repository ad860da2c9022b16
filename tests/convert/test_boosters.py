"""Models of the three boosters, converted without unpickling, give out what those that pickle loads do."""

from __future__ import annotations

import importlib
import pickle
import warnings
from typing import Any

import pytest

import skopsafe
from tests.convert.converting import converted
from tests.sklearn_models import same

_OF_THE_LIBRARY = {
    "evals_result_",
    "n_features_in_",
    "feature_names_in_",
    "copy",
    "best_score_",
    "best_iteration_",
}
"""What CatBoost itself loses, or dies of, once a model has been pickled."""


def _models() -> list[Any]:
    found = []
    for family in ("xgboost", "lightgbm", "catboost"):
        try:
            module = importlib.import_module(f"tests.{family}_models")
        except ImportError:
            continue
        found += [pytest.param(module, name, id=f"{family} {name}") for name in sorted(module.MODELS)]
    return found


@pytest.mark.parametrize(("family", "name"), _models())
def test_a_booster_is_converted(family: Any, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, X = family.MODELS[name]()
        data = pickle.dumps(model, 5)
        file = converted(data)
        needed = skopsafe.get_untrusted_types(data=skopsafe.dumps(model))
        assert skopsafe.get_untrusted_types(data=file) == needed
        is_catboost = family.__name__.endswith("catboost_models")
        original = model if is_catboost else pickle.loads(data)
        expected, found = family.outputs(original, X), family.outputs(skopsafe.loads(file, needed), X)
    compare = getattr(family, "same", same)
    for method in expected.keys() - (_OF_THE_LIBRARY if is_catboost else set()):
        assert compare(found[method], expected[method]), method
