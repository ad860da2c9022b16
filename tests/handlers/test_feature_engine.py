"""Every transformer of feature-engine comes back as it was, with nothing to approve."""

from __future__ import annotations

import copy
import inspect
import pkgutil
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import pytest

pytest.importorskip("feature_engine")

import feature_engine
import pandas as pd
from feature_engine import (
    creation,
    datetime,
    discretisation,
    encoding,
    imputation,
    outliers,
    preprocessing,
    scaling,
    selection,
    transformation,
)
from feature_engine.pipeline import Pipeline
from feature_engine.timeseries import forecasting
from feature_engine.wrappers import SklearnTransformerWrapper
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import skopsafe
from tests.handlers.coming_back import assert_alike, back, call, parameters

N = 60
RANDOM = np.random.RandomState(0)
NUMBERS = pd.DataFrame(RANDOM.rand(N, 4) * 0.8 + 0.1, columns=["a", "b", "c", "d"])
NUMBERS["e"] = NUMBERS["a"] * 2 + 0.001 * NUMBERS["b"]
CLASSES = pd.Series(np.arange(N) % 2)
WORDS = pd.DataFrame(
    {
        "letter": RANDOM.choice(list("xyz"), N),
        "colour": pd.Categorical(RANDOM.choice(["red", "blue"], N)),
        "a": NUMBERS["a"],
    }
)
GAPS = pd.concat(
    [NUMBERS.mask(RANDOM.rand(N, 5) < 0.2), WORDS[["letter"]].mask(RANDOM.rand(N, 1) < 0.2)], axis=1
)
DAYS = pd.DataFrame(
    {
        "start": pd.date_range("2020-01-01", periods=N, freq="D"),
        "end": pd.date_range("2020-03-01", periods=N, freq="2D"),
        "text": pd.date_range("2021-01-01", periods=N, freq="D").strftime("%Y-%m-%d"),
        "a": NUMBERS["a"],
    }
)
SERIES = NUMBERS.set_index(pd.date_range("2020-01-01", periods=N, freq="D"))
TEXTS = pd.DataFrame({"text": ["One sentence.", "Two, 2 words?", "", "a b C!"] * (N // 4), "a": NUMBERS["a"]})
TREE = DecisionTreeClassifier(max_depth=2, random_state=0)

Made = tuple[Any, Any]
MODELS: dict[str, Made] = {
    "ArbitraryNumberImputer": (imputation.ArbitraryNumberImputer(-1), GAPS),
    "EndTailImputer": (imputation.EndTailImputer("iqr", tail="left"), GAPS),
    "MeanMedianImputer": (imputation.MeanMedianImputer("mean"), GAPS),
    "AddMissingIndicator": (imputation.AddMissingIndicator(), GAPS),
    "DropMissingData": (imputation.DropMissingData(), GAPS),
    "RandomSampleImputer": (imputation.RandomSampleImputer(random_state=0), GAPS),
    "CategoricalImputer": (imputation.CategoricalImputer(), GAPS),
    "CategoricalImputer of the most frequent": (imputation.CategoricalImputer("frequent"), GAPS),
    "CountFrequencyEncoder": (encoding.CountFrequencyEncoder("frequency"), WORDS),
    "DecisionTreeEncoder": (encoding.DecisionTreeEncoder(regression=False, scoring="accuracy"), WORDS),
    "MeanEncoder": (encoding.MeanEncoder(smoothing="auto", unseen="encode"), WORDS),
    "OneHotEncoder": (encoding.OneHotEncoder(top_categories=2), WORDS),
    "OrdinalEncoder": (encoding.OrdinalEncoder(unseen="encode"), WORDS),
    "RareLabelEncoder": (encoding.RareLabelEncoder(tol=0.4, n_categories=1), WORDS),
    "StringSimilarityEncoder": (encoding.StringSimilarityEncoder(top_categories=2), WORDS),
    "WoEEncoder": (encoding.WoEEncoder(fill_value=0.01), WORDS),
    "ArbitraryDiscretiser": (
        discretisation.ArbitraryDiscretiser({"a": [0, 0.5, 1]}, return_boundaries=True),
        NUMBERS,
    ),
    "EqualFrequencyDiscretiser": (discretisation.EqualFrequencyDiscretiser(q=4, return_object=True), NUMBERS),
    "EqualWidthDiscretiser": (discretisation.EqualWidthDiscretiser(bins=4), NUMBERS),
    "GeometricWidthDiscretiser": (discretisation.GeometricWidthDiscretiser(bins=4), NUMBERS),
    "DecisionTreeDiscretiser": (
        discretisation.DecisionTreeDiscretiser(regression=False, scoring="accuracy", random_state=0),
        NUMBERS,
    ),
    "DecisionTreeDiscretiser of edges": (
        discretisation.DecisionTreeDiscretiser("a", "bin_number", regression=False, scoring="accuracy"),
        NUMBERS,
    ),
    "ArbitraryOutlierCapper": (outliers.ArbitraryOutlierCapper({"a": 0.5}, {"b": 0.2}), NUMBERS),
    "OutlierTrimmer": (outliers.OutlierTrimmer("iqr", tail="both", fold=1), NUMBERS),
    "Winsorizer": (outliers.Winsorizer("mad", tail="both", fold=1, add_indicators=True), NUMBERS),
    "ArcsinTransformer": (transformation.ArcsinTransformer(["a", "b"]), NUMBERS),
    "BoxCoxTransformer": (transformation.BoxCoxTransformer(["a"]), NUMBERS),
    "LogTransformer": (transformation.LogTransformer(base="10"), NUMBERS),
    "LogCpTransformer": (transformation.LogCpTransformer(C={"a": 1, "b": 2}), NUMBERS),
    "PowerTransformer": (transformation.PowerTransformer(exp=0.3), NUMBERS),
    "ReciprocalTransformer": (transformation.ReciprocalTransformer(), NUMBERS),
    "YeoJohnsonTransformer": (transformation.YeoJohnsonTransformer(["a"]), NUMBERS),
    "MeanNormalizationScaler": (scaling.MeanNormalizationScaler(), NUMBERS),
    "CyclicalFeatures": (creation.CyclicalFeatures(drop_original=True), NUMBERS),
    "DecisionTreeFeatures": (
        creation.DecisionTreeFeatures(["a", "b"], regression=False, scoring="accuracy"),
        NUMBERS,
    ),
    "MathFeatures": (creation.MathFeatures(["a", "b", "c"], ["mean", "std", "prod"]), NUMBERS),
    "MathFeatures of one": (creation.MathFeatures(["a", "b"], "max", new_variables_names=["most"]), NUMBERS),
    "MathFeatures of numpy": (creation.MathFeatures(["a", "b"], [np.mean, "sum"]), NUMBERS),
    "RelativeFeatures": (creation.RelativeFeatures(["a", "b"], ["c"], ["sub", "div", "pow"]), NUMBERS),
    "DatetimeFeatures": (datetime.DatetimeFeatures(features_to_extract="all"), DAYS),
    "DatetimeFeatures of a format": (datetime.DatetimeFeatures(["text"], ["year"], format="%Y-%m-%d"), DAYS),
    "DatetimeFeatures of the index": (datetime.DatetimeFeatures("index", ["week", "weekend"]), SERIES),
    "DatetimeSubtraction": (datetime.DatetimeSubtraction(["end"], ["start"], output_unit="h"), DAYS),
    "ExpandingWindowFeatures": (forecasting.ExpandingWindowFeatures(functions=["mean", "std"]), SERIES),
    "LagFeatures": (forecasting.LagFeatures(periods=[1, 3], fill_value=0), SERIES),
    "LagFeatures of an offset": (forecasting.LagFeatures(freq="2D", drop_na=True), SERIES),
    "WindowFeatures": (forecasting.WindowFeatures(window=[2, "3D"], functions=["max", "sum"]), SERIES),
    "MatchCategories": (preprocessing.MatchCategories(missing_values="ignore"), WORDS),
    "MatchVariables": (preprocessing.MatchVariables(match_dtypes=True, verbose=False), WORDS),
    "DropConstantFeatures": (selection.DropConstantFeatures(), NUMBERS.assign(same=1)),
    "DropCorrelatedFeatures": (selection.DropCorrelatedFeatures(), NUMBERS),
    "DropDuplicateFeatures": (selection.DropDuplicateFeatures(), NUMBERS.assign(twin=NUMBERS["a"])),
    "DropFeatures": (selection.DropFeatures(["a"]), NUMBERS),
    "DropHighPSIFeatures": (selection.DropHighPSIFeatures(bins=3), NUMBERS),
    "MRMR": (selection.MRMR(method="FCQ", max_features=3), NUMBERS),
    "ProbeFeatureSelection": (selection.ProbeFeatureSelection(TREE, scoring="accuracy", cv=2), NUMBERS),
    "RecursiveFeatureAddition": (selection.RecursiveFeatureAddition(TREE, scoring="accuracy", cv=2), NUMBERS),
    "RecursiveFeatureElimination": (selection.RecursiveFeatureElimination(TREE, cv=2), NUMBERS),
    "SelectByInformationValue": (selection.SelectByInformationValue(["a", "b"], bins=2), NUMBERS),
    "SelectByShuffling": (selection.SelectByShuffling(TREE, cv=2, random_state=0), NUMBERS),
    "SelectBySingleFeaturePerformance": (selection.SelectBySingleFeaturePerformance(TREE, cv=2), NUMBERS),
    "SelectByTargetMeanPerformance": (selection.SelectByTargetMeanPerformance(bins=3, cv=2), NUMBERS),
    "SmartCorrelatedSelection": (selection.SmartCorrelatedSelection(selection_method="variance"), NUMBERS),
    "SklearnTransformerWrapper": (SklearnTransformerWrapper(StandardScaler(), ["a", "b"]), NUMBERS),
    "SklearnTransformerWrapper of an encoder": (
        SklearnTransformerWrapper(OneHotEncoder(sparse_output=False), ["letter"]),
        WORDS,
    ),
    "SklearnTransformerWrapper of a selector": (SklearnTransformerWrapper(SelectKBest(k=2)), NUMBERS),
    "Pipeline": (
        Pipeline([("drop", imputation.DropMissingData()), ("model", LinearRegression())]),
        GAPS.drop(columns="letter"),
    ),
}
# Only newer releases have these.
for module, name, options, features in (
    ("creation", "GeoDistanceFeatures", {"lat1": "a", "lon1": "b", "lat2": "c", "lon2": "d"}, NUMBERS),
    ("datetime", "DatetimeOrdinal", {"start_date": "2020-01-01"}, DAYS),
    ("transformation", "ArcSinhTransformer", {"loc": 0.1, "scale": 2.0}, NUMBERS),
    ("text", "TextFeatures", {"variables": ["text"]}, TEXTS),
):
    try:
        found = getattr(import_module(f"feature_engine.{module}"), name)
    except (ImportError, AttributeError):
        continue
    MODELS[name] = (found(**options), features)


def seven(row: Any) -> float:
    """Return a number: a user's function."""
    return 7.0 + float(row.sum())


def fitted(name: str) -> Made:
    model, features = copy.deepcopy(MODELS[name][0]), MODELS[name][1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(features.copy(), CLASSES.set_axis(features.index))
    return model, features


def calls(model: Any, features: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = [
        ("transform", features),
        ("predict", features),
        ("get_feature_names_out",),
    ]
    out = call(model, "transform", features) if hasattr(model, "transform") else None
    if hasattr(out, "columns"):
        found.append(("inverse_transform", out))
    found += [("transform_x_y", features, CLASSES.set_axis(features.index)), ("get_support",)]
    return found


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore")
def test_an_unfitted_transformer_comes_back(name: str) -> None:
    back(copy.deepcopy(MODELS[name][0]))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore")
def test_a_fitted_transformer_comes_back(name: str) -> None:
    model, features = fitted(name)
    assert_alike(model, back(model), calls(model, features))


@pytest.mark.parametrize("name", [name for name, (_, features) in MODELS.items() if features is NUMBERS])
@pytest.mark.filterwarnings("ignore")
def test_a_pipeline_comes_back(name: str) -> None:
    model = Pipeline(
        [("first", copy.deepcopy(MODELS[name][0])), ("scale", SklearnTransformerWrapper(StandardScaler()))]
    )
    try:
        model.fit(NUMBERS.copy(), CLASSES)
    except (ValueError, TypeError):
        pytest.skip("its output is not for a scaler")
    assert_alike(model, back(model), calls(model, NUMBERS))


def test_a_search_comes_back() -> None:
    model = make_pipeline(discretisation.EqualFrequencyDiscretiser(), LogisticRegression())
    search = GridSearchCV(model, {"equalfrequencydiscretiser__q": [3, 5]}, cv=2).fit(NUMBERS, CLASSES)
    assert_alike(search, back(search), [("predict", NUMBERS), ("predict_proba", NUMBERS)])


def public() -> Iterator[str]:
    """Yield the names of all estimators that users can make."""
    for module in pkgutil.walk_packages(feature_engine.__path__, "feature_engine."):
        if not any(part.startswith("_") or part in ("tests", "datasets") for part in module.name.split(".")):
            for name, cls in vars(import_module(module.name)).items():
                if inspect.isclass(cls) and issubclass(cls, BaseEstimator) and cls.__module__ == module.name:
                    yield name


def test_no_transformer_is_left_out() -> None:
    bases = {"BaseCreation", "BaseDiscretiser", "BaseForecastTransformer", "BaseImputer", "BaseOutlier"}
    bases |= {"BaseRecursiveSelector", "BaseSelector", "CategoricalMethodsMixin", "WinsorizerBase"}
    assert set(public()) - bases == {name.partition(" ")[0] for name in MODELS}


@pytest.mark.parametrize("make", [lambda: seven, lambda: [seven, "sum"]])
def test_a_function_is_listed_by_its_name_and_nothing_else(make: Callable[[], Any]) -> None:
    model = creation.MathFeatures(["a", "b"], make(), new_variables_names=["new", "sum"][: np.size(make())])
    model.fit(NUMBERS)
    saved = skopsafe.dumps(model)
    names = skopsafe.get_untrusted_types(data=saved)
    assert names == [f"{__name__}.seven"]
    loaded = skopsafe.loads(saved, trusted=names)
    assert parameters(loaded) == parameters(model)
    assert_alike(model, loaded, calls(model, NUMBERS))


def test_a_cache_needs_approval() -> None:
    model = Pipeline([("scale", StandardScaler())], memory="/some/cache")
    assert skopsafe.audit(model).untrusted == ["feature_engine.pipeline.pipeline.Pipeline:memory"]
