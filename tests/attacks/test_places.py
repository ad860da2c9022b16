"""Reviewed functions at places where they would write into arrays of the model."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import BisectingKMeans, FeatureAgglomeration, KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import KernelPCA
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from sklearn.utils import Bunch

import skopsafe

X = np.random.RandomState(0).rand(30, 3)
Y = (X[:, 0] > 0.5) * 1


def test_a_function_of_numpy_can_change_a_model_that_was_validated() -> None:
    """What the refusals below are about, on the live object."""
    model = SVC().fit(X, Y)
    steps = make_pipeline(
        FunctionTransformer(np.ravel),
        FunctionTransformer(np.positive, kw_args={"out": model._n_support, "casting": "unsafe"}),
    )
    steps.transform([[2.0**30, 2.0**30]])
    assert model._n_support.tolist() == [2**30, 2**30]
    with pytest.raises(skopsafe.ValidationError, match=r"FunctionTransformer.kw_args\['out'\]"):
        skopsafe.loads(skopsafe.dumps([SVC().fit(X, Y), steps]))


@pytest.mark.parametrize("out", [np.zeros(2), (np.zeros(2),)])
@pytest.mark.parametrize("arguments", ["kw_args", "inv_kw_args"])
def test_a_transformer_has_nothing_to_write_into(out: Any, arguments: str) -> None:
    model = FunctionTransformer(np.exp, functools.partial(np.clip, a_min=0, a_max=1))
    setattr(model, arguments, {"out": out})
    with pytest.raises(skopsafe.ValidationError, match=f"FunctionTransformer.{arguments}"):
        skopsafe.loads(skopsafe.dumps(model))
    setattr(model, arguments, Bunch(out=out))
    with pytest.raises(skopsafe.ValidationError, match=f"FunctionTransformer.{arguments}"):
        skopsafe.loads(skopsafe.dumps(model))


def _with(model: Any, name: str, value: Any) -> Any:
    setattr(model, name, value)
    return model


@pytest.mark.parametrize(
    "wrap", [lambda f: f, functools.partial, lambda f: functools.partial(f, casting="unsafe")]
)
@pytest.mark.parametrize(
    ("model", "attribute", "name"),
    [
        (SVC(), "kernel", "sklearn.svm._classes.SVC:kernel"),
        (KernelPCA(), "kernel", "sklearn.decomposition._kernel_pca.KernelPCA:kernel"),
        (
            GaussianProcessRegressor(),
            "kernel_",
            "sklearn.gaussian_process._gpr.GaussianProcessRegressor:kernel_",
        ),
        (
            FunctionTransformer(),
            "feature_names_out",
            "sklearn.preprocessing._function_transformer.FunctionTransformer:feature_names_out",
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_functions_that_write_need_approval_elsewhere(
    model: Any, attribute: str, name: str, wrap: Any
) -> None:
    data = skopsafe.dumps(_with(model, attribute, wrap(np.positive)))
    assert skopsafe.get_untrusted_types(data=data) == [name]
    with pytest.raises(skopsafe.UntrustedTypesFoundException, match="write into"):
        skopsafe.loads(data)
    assert getattr(skopsafe.loads(data, trusted=[name]), attribute) is not None


def test_containers_do_not_hide_a_function() -> None:
    name = "sklearn.pipeline.Pipeline:steps"
    model = make_pipeline(Ridge())
    model.steps = [("a", [{"b": (functools.partial(np.positive),)}])]
    assert skopsafe.audit(model).untrusted == [name]
    inner: list[Any] = []
    inner.append([inner, np.positive])
    model.steps = inner
    assert skopsafe.audit(model).untrusted == [name]
    assert skopsafe.audit([Bunch(transform=np.positive)]).untrusted == ["sklearn.utils._bunch.Bunch:items"]


def test_the_loops_of_k_means_stay_with_it() -> None:
    from sklearn.cluster._kmeans import _kmeans_single_lloyd

    model = FunctionTransformer(_kmeans_single_lloyd, kw_args={"centers_init": np.zeros((2, 99))})
    assert skopsafe.audit(model).untrusted == [
        "sklearn.preprocessing._function_transformer.FunctionTransformer:func"
    ]
    assert skopsafe.audit(BisectingKMeans(2).fit(X)).ok


@pytest.mark.parametrize("function", [max, min, sum])
def test_functions_that_give_out_their_arguments_need_approval(function: Any) -> None:
    assert not skopsafe.audit(FunctionTransformer(function, kw_args={"default": X})).ok


@pytest.mark.parametrize(
    "model",
    [
        FunctionTransformer(np.log1p, np.expm1),
        FunctionTransformer(np.clip, kw_args={"a_min": np.zeros(3), "a_max": 1}),
        FunctionTransformer(functools.partial(np.add, np.ones(3))),
        TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1).fit(X, X[:, 0]),
        FeatureAgglomeration(2, pooling_func=np.max).fit(X),
        GridSearchCV(FunctionTransformer(), {"func": [np.log1p, None]}, scoring=None),
        KMeans(2, n_init=1).fit(X),
        KNeighborsRegressor(weights=np.reciprocal),
        SimpleImputer(strategy=np.max),
        {"dtype": np.float64, "functions": [np.exp]},
    ],
    ids=lambda v: type(v).__name__,
)
def test_functions_at_their_places_need_none(model: Any) -> None:
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == []
    skopsafe.loads(data)
