"""Models as people build them: each function returns a fitted model and the X to ask it about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from sklearn import (
    calibration,
    compose,
    ensemble,
    feature_selection,
    frozen,
    gaussian_process,
    impute,
    linear_model,
    metrics,
    model_selection,
    naive_bayes,
    neighbors,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.datasets import make_classification
from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
from sklearn.gaussian_process import kernels

Model = tuple[Any, Any]
MODELS: dict[str, Callable[[], Model]] = {}
VERSION = tuple(map(int, sklearn.__version__.split(".")[:2]))

X, Y = make_classification(90, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
BINARY = (Y > 0).astype(int)
TARGET = np.abs(X[:, 0] * 3 + X[:, 1]) + 1
TEXTS = ["One two, THREE!", "two three four", "five six", "one five six seven été"] * 6
TOPICS = ["a", "a", "b", "b"] * 6


def model(make: Callable[[], Model]) -> Callable[[], Model]:
    MODELS[make.__name__] = make
    return make


def frame() -> pd.DataFrame:
    rng = np.random.RandomState(0)
    table = pd.DataFrame(
        {
            "age": rng.randint(18, 90, 90).astype(float),
            "pay": rng.rand(90).astype("f4"),
            "city": np.array(["Rome", "Oslo", "Lima"], object)[rng.randint(0, 3, 90)],
            "kind": pd.Categorical(np.array(["x", "y"])[rng.randint(0, 2, 90)]),
            "flag": rng.rand(90) > 0.5,
        }
    )
    table.loc[::7, "age"] = np.nan
    table.loc[::11, "city"] = None
    return table


@model
def columns_of_a_frame() -> Model:
    numbers = pipeline.make_pipeline(
        impute.SimpleImputer(strategy="median", add_indicator=True), preprocessing.StandardScaler()
    )
    words = pipeline.make_pipeline(
        impute.SimpleImputer(strategy="most_frequent", missing_values=None),
        preprocessing.OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=2, drop="first"),
    )
    columns = compose.ColumnTransformer(
        [
            ("numbers", numbers, ["age", "pay"]),
            ("words", words, compose.make_column_selector(dtype_include=object)),
            ("kind", preprocessing.OrdinalEncoder(categories=[["x", "y"]]), ["kind"]),
            ("gone", "drop", ["pay"]),
        ],
        remainder="passthrough",
        transformer_weights={"numbers": 2.0},
        verbose_feature_names_out=False,
    )
    table = frame()
    table["city"] = table["city"].astype(object)
    table["city"] = table["city"].where(table["city"].notna(), None)
    return pipeline.Pipeline(
        [("columns", columns), ("model", linear_model.LogisticRegression(max_iter=300))]
    ).fit(table, np.array(["no", "yes"])[BINARY]), table


@model
def columns_by_pattern_slice_mask_and_function() -> Model:
    columns = compose.make_column_transformer(
        (preprocessing.StandardScaler(), compose.make_column_selector(pattern="^(age|pay)$")),
        (preprocessing.OrdinalEncoder(encoded_missing_value=-1), slice("city", "kind")),
        (preprocessing.FunctionTransformer(), [False, False, False, False, True]),
        remainder=preprocessing.MinMaxScaler(),
    )
    table = frame()
    return columns.fit(table), table


@model
def pandas_output() -> Model:
    table = frame()[["age", "pay"]]
    made = pipeline.make_pipeline(
        impute.KNNImputer(add_indicator=True),
        preprocessing.PolynomialFeatures(2),
        feature_selection.SelectKBest(feature_selection.f_classif, k=3),
    )
    return made.set_output(transform="pandas").fit(table, BINARY), table


@model
def union_in_union() -> Model:
    inner = pipeline.FeatureUnion([("log", preprocessing.FunctionTransformer(np.log1p)), ("no", "drop")])
    outer = pipeline.FeatureUnion(
        [("inner", inner), ("same", "passthrough"), ("scale", preprocessing.RobustScaler())],
        transformer_weights={"inner": 0.5},
    )
    return pipeline.make_pipeline(outer, "passthrough", linear_model.Ridge()).fit(np.abs(X), TARGET), np.abs(
        X
    )


@model
def grid_with_masked_results() -> Model:
    steps = pipeline.Pipeline([("scale", preprocessing.StandardScaler()), ("clf", svm.SVC())])
    grid = [
        {"clf": [svm.SVC(probability=False)], "clf__C": [0.1, 1], "clf__kernel": ["rbf", "linear"]},
        {"scale": ["passthrough", preprocessing.MinMaxScaler()], "clf": [tree.DecisionTreeClassifier()]},
    ]
    search = model_selection.GridSearchCV(steps, grid, cv=model_selection.StratifiedKFold(3))
    search.fit(X, Y)
    return without_times(search), X


@model
def random_search_with_several_metrics() -> Model:
    scoring = {
        "f2": metrics.make_scorer(metrics.fbeta_score, beta=2, average="macro"),
        "loss": "neg_log_loss",
        "auc": metrics.make_scorer(metrics.roc_auc_score, response_method="predict_proba", multi_class="ovr"),
    }
    search = model_selection.RandomizedSearchCV(
        linear_model.LogisticRegression(max_iter=300),
        {"C": [0.1, 1.0, 10.0], "class_weight": [None, "balanced", {0: 1, 1: 2.0, 2: 1}]},
        n_iter=3,
        scoring=scoring,
        refit="auc",
        cv=model_selection.RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),
        random_state=np.random.RandomState(1),
    )
    return without_times(search.fit(X, Y)), X


@model
def halving_search() -> Model:
    search = model_selection.HalvingGridSearchCV(
        tree.DecisionTreeRegressor(random_state=0), {"max_depth": [1, 2, 3, None]}, random_state=0, cv=2
    )
    return without_times(search.fit(X, TARGET)), X


@model
def search_over_a_list_of_splits() -> Model:
    splits = [(np.arange(45), np.arange(45, 90)), (np.arange(45, 90), np.arange(45))]
    search = model_selection.GridSearchCV(linear_model.Lasso(), {"alpha": [0.1, 1]}, cv=splits)
    return without_times(search.fit(X, TARGET)), X


def without_times(search: Any) -> Any:
    for name, values in search.cv_results_.items():
        if name.endswith("_time"):
            values[:] = 0
    search.refit_time_ = 0.0
    return search


@model
def stacking_and_voting() -> Model:
    vote = ensemble.VotingClassifier(
        [("nb", naive_bayes.GaussianNB()), ("gone", "drop"), ("tree", tree.DecisionTreeClassifier())],
        voting="soft",
        weights=[1, 2, 3],
    )
    stack = ensemble.StackingClassifier(
        [("vote", vote), ("knn", pipeline.make_pipeline(preprocessing.StandardScaler(), _neighbors()))],
        final_estimator=linear_model.LogisticRegression(),
        cv=3,
        passthrough=True,
    )
    return stack.fit(X, np.array(["x", "yy", "zzz"])[Y]), X


def _neighbors() -> Any:
    return neighbors.KNeighborsClassifier(weights="distance", metric="minkowski", p=1.5)


@model
def calibrated_by_sigmoid_over_folds() -> Model:
    return calibration.CalibratedClassifierCV(svm.LinearSVC(), cv=3).fit(X, Y), X


@model
def calibrated_by_isotonic_regression_of_a_frozen_model() -> Model:
    forest = ensemble.RandomForestClassifier(5, random_state=0).fit(X, Y)
    return calibration.CalibratedClassifierCV(frozen.FrozenEstimator(forest), method="isotonic").fit(X, Y), X


if VERSION >= (1, 8):

    @model
    def calibrated_by_temperature() -> Model:
        logistic = linear_model.LogisticRegression()
        return calibration.CalibratedClassifierCV(logistic, method="temperature", ensemble=False).fit(X, Y), X


@model
def metadata_is_routed() -> Model:
    weights = np.linspace(1, 2, 90)
    with sklearn.config_context(enable_metadata_routing=True):
        steps = pipeline.make_pipeline(
            preprocessing.StandardScaler().set_fit_request(sample_weight=False),
            linear_model.LogisticRegression()
            .set_fit_request(sample_weight="weights")
            .set_score_request(sample_weight=True),
        )
        scorer = metrics.make_scorer(metrics.accuracy_score).set_score_request(sample_weight="weights")
        search = model_selection.GridSearchCV(steps, {"logisticregression__C": [1, 2]}, scoring=scorer)
        search.fit(X, Y, weights=weights)
    return without_times(search), X


@model
def target_transformed_by_functions() -> Model:
    made = compose.TransformedTargetRegressor(
        linear_model.RidgeCV(), func=np.log1p, inverse_func=np.expm1, check_inverse=False
    )
    return made.fit(X, TARGET), X


@model
def target_transformed_by_quantiles() -> Model:
    made = compose.TransformedTargetRegressor(
        neighbors.KNeighborsRegressor(),
        transformer=preprocessing.QuantileTransformer(n_quantiles=20, output_distribution="normal"),
    )
    return made.fit(X, TARGET), X


@model
def composed_kernel() -> Model:
    kernel = (
        kernels.ConstantKernel(1.0, (1e-2, 1e2)) * kernels.RBF([1.0] * 6)
        + kernels.WhiteKernel(0.1, "fixed") ** 2
        + kernels.Matern(nu=1.5) * kernels.ExpSineSquared() * kernels.RationalQuadratic()
    )
    made = gaussian_process.GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True, random_state=0)
    return made.fit(X, TARGET), X


@model
def classes_by_gaussian_processes() -> Model:
    made = gaussian_process.GaussianProcessClassifier(
        kernels.DotProduct() + kernels.PairwiseKernel(metric="rbf")
    )
    return made.fit(X[:40], Y[:40]), X
