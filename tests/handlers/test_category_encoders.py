"""Every encoder of category_encoders comes back as it was, with nothing to approve."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

pytest.importorskip("category_encoders")

import category_encoders
import pandas as pd
from category_encoders.wrapper import NestedCVWrapper, PolynomialWrapper
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skopsafe
from tests.handlers.coming_back import assert_alike, back, parameters

NAMES = sorted(category_encoders.__all__)
N = 60
RANDOM = np.random.RandomState(0)
X = pd.DataFrame(
    {
        "letter": RANDOM.choice(list("xyz"), N),
        "size": pd.Categorical(RANDOM.choice(["small", "large"], N), ["small", "large"], ordered=True),
        "number": RANDOM.rand(N),
        "word": RANDOM.choice(["a|b", "b|c", "d"], N),
    }
)
Y = pd.Series(RANDOM.randint(0, 2, N), name="target")
NEW = X.assign(letter=["x", "new", None] * (N // 3))
CALLS = (
    ("transform", X),
    ("transform", NEW),
    ("transform", X, Y),
    ("predict", X),
    ("get_feature_names_out",),
    ("get_feature_names_in",),
)


def one_for_unknown(value: Any, mapping: Any) -> float:
    return 1.0


def fitted(encoder: Any, features: Any = X, target: Any = Y) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        encoder.fit(features, target)
    return encoder


def made(name: str, **options: Any) -> Any:
    encoder = getattr(category_encoders, name)()
    wanted = {"random_state": 0, "max_process": 1} | options
    return encoder.set_params(**{k: v for k, v in wanted.items() if k in encoder.get_params()})


def assert_comes_back(encoder: Any) -> None:
    loaded = back(encoder)
    assert_alike(encoder, loaded, CALLS)
    if hasattr(encoder, "inverse_transform"):
        encoded = encoder.transform(X)
        assert_alike(encoder, loaded, [("transform", X), ("inverse_transform", encoded)])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_a_fitted_encoder_comes_back(name: str) -> None:
    assert_comes_back(fitted(made(name)))


@pytest.mark.parametrize("name", NAMES)
def test_an_unfitted_encoder_comes_back(name: str) -> None:
    back(made(name, cols=["letter", "size"]))


@pytest.mark.parametrize("strategy", ["return_nan", "error"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_ways_to_handle_the_unknown_come_back(name: str, strategy: str) -> None:
    encoder = made(
        name, handle_unknown=strategy, handle_missing=strategy, drop_invariant=True, return_df=False
    )
    try:
        fitted(encoder)
    except (ValueError, KeyError, TypeError):
        pytest.skip("not a strategy of this encoder")
    assert_alike(encoder, back(encoder), CALLS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_a_pipeline_comes_back(name: str) -> None:
    encoder = made(name, cols=["letter", "size", "word"])
    model = make_pipeline(encoder, LogisticRegression(max_iter=50))
    assert_alike(fitted(model, X, Y), back(model), CALLS)


def test_a_search_comes_back() -> None:
    model = make_pipeline(category_encoders.TargetEncoder(), LogisticRegression())
    search = GridSearchCV(model, {"targetencoder__smoothing": [1, 10]}, cv=2)
    assert_alike(fitted(search), back(search), CALLS)


@pytest.mark.parametrize(
    "name", ["BaseNEncoder", "OneHotEncoder", "OrdinalEncoder", "TargetEncoder", "CountEncoder"]
)
@pytest.mark.filterwarnings("ignore")
def test_an_encoder_of_arrays_comes_back(name: str) -> None:
    features = X.astype(object).to_numpy()
    encoder = fitted(made(name, cols=[0, 1]), features, Y.to_numpy())
    assert_alike(encoder, back(encoder), [("transform", features), ("get_feature_names_out",)])


@pytest.mark.parametrize(
    "encoder",
    [
        category_encoders.TargetEncoder(
            cols=["letter"], hierarchy={"letter": {"left": ("x", "y"), "right": ("z",)}}
        ),
        category_encoders.OrdinalEncoder(mapping=[{"col": "letter", "mapping": {"x": 3, "y": 1, "z": 2}}]),
        category_encoders.CountEncoder(min_group_size=25, normalize=True, min_group_name="rest"),
        category_encoders.OneHotEncoder(use_cat_names=True, handle_unknown="indicator"),
        category_encoders.BaseNEncoder(base=3),
        category_encoders.HashingEncoder(n_components=4, hash_method="sha256", max_process=1),
        category_encoders.JamesSteinEncoder(model="pooled", randomized=True, random_state=1),
        NestedCVWrapper(category_encoders.TargetEncoder(), cv=3, random_state=0),
        PolynomialWrapper(category_encoders.TargetEncoder()),
    ],
    ids=lambda encoder: type(encoder).__name__,
)
@pytest.mark.filterwarnings("ignore")
def test_options_come_back(encoder: Any) -> None:
    target = pd.Series(RANDOM.choice(list("pqr"), N)) if isinstance(encoder, PolynomialWrapper) else Y
    assert_alike(fitted(encoder, X, target), back(encoder), CALLS)


def test_a_function_is_listed_by_its_name_and_nothing_else() -> None:
    encoder = category_encoders.OrdinalEncoder(handle_unknown=one_for_unknown)
    saved = skopsafe.dumps(fitted(encoder))
    names = skopsafe.get_untrusted_types(data=saved)
    assert names == [f"{__name__}.one_for_unknown"]
    loaded = skopsafe.loads(saved, trusted=names)
    assert parameters(loaded) == parameters(encoder)
    assert_alike(encoder, loaded, CALLS)
