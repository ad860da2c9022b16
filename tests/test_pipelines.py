"""Models as people build them come back as they were, with nothing to approve."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge

import skopsafe
import tests.pipeline_models_more  # noqa: F401 - adds its models to the table
from tests.pipeline_models import MODELS, Model
from tests.sklearn_models import CLASSES, NAMES, outputs, same


def made(name: str) -> Model:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MODELS[name]()


def back(obj: Any) -> Any:
    """Save and load; what is loaded is written in the same bytes again."""
    data = skopsafe.dumps(obj)
    assert skopsafe.get_untrusted_types(data=data) == []
    assert skopsafe.dumps(obj) == data
    loaded = skopsafe.loads(data)
    assert skopsafe.dumps(loaded) == data
    return loaded


def parameters(model: Any) -> str:
    """Spell the parameters, without the addresses of objects."""
    return re.sub(r" at 0x\w+", "", repr(model.get_params(deep=True)))


def worked(output: Any) -> bool:
    return not (isinstance(output, tuple) and isinstance(output[0], str))


@pytest.mark.parametrize("name", MODELS)
def test_model_comes_back(name: str) -> None:
    original, X = made(name)
    loaded = back(original)
    assert parameters(loaded) == parameters(original)
    expected, found = outputs(original, X), outputs(loaded, X)
    assert any(map(worked, expected.values())), "no output method worked"
    assert expected.keys() == found.keys()
    for method, value in expected.items():
        assert same(value, found[method]), method


@pytest.mark.parametrize("name", NAMES)
def test_unfitted_estimator_comes_back(name: str) -> None:
    needed = {
        "estimator": LogisticRegression(),
        "estimators": [("a", Ridge()), ("b", LogisticRegression())],
        "transformers": [("a", "passthrough", [0])],
        "steps": [("a", LogisticRegression())],
        "transformer_list": [("a", "passthrough")],
        "param_grid": {"C": [1, 2]},
        "param_distributions": {"C": [1, 2]},
        "dictionary": np.eye(3),
        "base_estimator": LogisticRegression(),
    }
    names = CLASSES[name]._get_param_names()
    try:
        unfitted = CLASSES[name]()
    except TypeError:
        unfitted = CLASSES[name](**{key: value for key, value in needed.items() if key in names})
    assert parameters(back(unfitted)) == parameters(unfitted)


def test_a_search_keeps_its_masked_results() -> None:
    search, _ = made("grid_with_masked_results")
    loaded = back(search)
    assert loaded.cv_results_.keys() == search.cv_results_.keys()
    for name, values in search.cv_results_.items():
        found = loaded.cv_results_[name]
        assert type(found) is type(values)
        if isinstance(values, np.ma.MaskedArray):
            assert found.mask.tolist() == values.mask.tolist()
            assert repr(found.tolist()) == repr(values.tolist())
    assert any(np.ma.is_masked(values) for values in search.cv_results_.values())
    assert loaded.best_estimator_ is not loaded.estimator


def test_a_random_state_stays_shared_between_its_users() -> None:
    model, _ = made("random_states_are_instances")
    loaded = back(model)
    first, second = loaded[0].random_state, loaded[1].random_state
    assert first is second
    assert first is not model[0].random_state
    assert first.random_sample(4).tolist() == model[0].random_state.random_sample(4).tolist()


def test_column_names_come_back() -> None:
    model, table = made("columns_of_a_frame")
    loaded = back(model)
    assert loaded.feature_names_in_.tolist() == list(table.columns)
    assert loaded[:-1].get_feature_names_out().tolist() == model[:-1].get_feature_names_out().tolist()


def test_pandas_output_is_still_asked_for() -> None:
    model, table = made("pandas_output")
    assert back(model).transform(table).equals(model.transform(table))


def test_requests_for_metadata_come_back() -> None:
    model, _ = made("metadata_is_routed")
    loaded = back(model)
    step = loaded.best_estimator_[-1]
    assert step.get_metadata_routing().fit.requests == {"sample_weight": "weights"}
    assert loaded.scoring._metadata_request.score.requests == {"sample_weight": "weights"}


def test_distributions_of_a_search_draw_as_before() -> None:
    search, _ = made("search_over_distributions")
    loaded = back(search)
    for name, distribution in search.param_distributions.items():
        found = loaded.param_distributions[name]
        assert found.rvs(5, random_state=3).tolist() == distribution.rvs(5, random_state=3).tolist()


@pytest.mark.parametrize("name", ["fitted_again_after_a_warm_start", "trees_of_several_outputs_with_weights"])
def test_a_warm_start_goes_on_from_a_loaded_model(name: str) -> None:
    original, X = made(name)
    loaded = back(original)
    y = original.predict(X)
    for model in (original, loaded):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.set_params(n_estimators=model.n_estimators + 2).fit(X, y)
    assert same(loaded.predict_proba(X), original.predict_proba(X))


def test_a_method_that_was_patched_and_put_back_does_not_hide_itself() -> None:
    model, _ = made("boosted_with_early_stopping_and_categories")
    assert "_raw_predict" in vars(model), "scikit-learn leaves its patched method behind no longer"
    assert "_raw_predict" not in vars(back(model))


def test_a_loaded_search_can_be_fitted_again() -> None:
    search, X = made("search_over_distributions")
    loaded = back(search)
    y = X[:, 0] * 2
    assert loaded.fit(X, y).best_params_ == search.fit(X, y).best_params_


def test_models_cover_most_estimators() -> None:
    # The audit sees every class that the models hold.
    seen: set[str] = set()
    for name in MODELS:
        original, _ = made(name)
        assert isinstance(original, BaseEstimator)
        seen |= {entry.name for entry in skopsafe.audit(original).entries}
    assert sum(name.rpartition(".")[2] in NAMES for name in seen) > 75
