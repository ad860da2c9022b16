"""Models of CatBoost of every kind, all that they put out, and mutants of their binary form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import catboost
import numpy as np
import pandas as pd
from catboost import CatBoost, CatBoostClassifier, CatBoostRanker, CatBoostRegressor, Pool

from tests.catboost_mutate import mutate

__all__ = ["BLOB", "MODELS", "mutate", "outputs"]

Made = tuple[Any, Any]

_N = 60
_FAST = {"iterations": 6, "depth": 3, "verbose": 0, "thread_count": 1, "allow_writing_files": False}
_CATEGORIES = ["c", "d", "b"]


def _numbers() -> tuple[np.ndarray, np.random.RandomState]:
    random_ = np.random.RandomState(0)
    X = random_.rand(_N, 4)
    X[::7, 2] = np.nan
    return X, random_


def _three(X: np.ndarray) -> np.ndarray:
    return np.digitize(X[:, 1], [0.3, 0.6])


def _frame() -> pd.DataFrame:
    X, random_ = _numbers()
    return pd.DataFrame(
        {
            "a": X[:, 0],
            "c": random_.choice(list("abcdefgh"), _N),
            "d": random_.choice(["u", "v", "w", "x"], _N),
            "b": random_.choice(["p", "q"], _N),
        }
    )


def _mixed(frame: pd.DataFrame) -> Any:
    return ((frame.c < "d") ^ (frame.a > 0.5)).astype(int)


def _texts() -> pd.DataFrame:
    X, random_ = _numbers()
    words = ["foo", "bar", "baz", "good", "bad", "7"]
    return pd.DataFrame({"a": X[:, 0], "t": [" ".join(random_.choice(words, 5)) for _ in range(_N)]})


def _embeddings() -> pd.DataFrame:
    X, random_ = _numbers()
    return pd.DataFrame({"a": X[:, 0], "e": [list(map(float, random_.rand(4))) for _ in range(_N)]})


def _on_numbers(cls: Any, target: Callable[[np.ndarray], Any], **options: Any) -> Callable[[], Made]:
    def make() -> Made:
        X, _ = _numbers()
        return cls(**{**_FAST, **options}).fit(X, target(X)), X

    return make


def _on_categories(cls: Any, target: Callable[[pd.DataFrame], Any], **options: Any) -> Callable[[], Made]:
    def make() -> Made:
        frame = _frame()
        return cls(cat_features=_CATEGORIES, **{**_FAST, **options}).fit(frame, target(frame)), frame

    return make


def _early_stopping() -> Made:
    X, _ = _numbers()
    model = CatBoostClassifier(**{**_FAST, "iterations": 30}, eval_metric="AUC", custom_metric=["Accuracy"])
    y = X[:, 0] > 0.5
    return model.fit(X[:40], y[:40], eval_set=(X[40:], y[40:]), early_stopping_rounds=3), X


def _text_model(cls: Any, **options: Any) -> Callable[[], Made]:
    def make() -> Made:
        frame = _texts()
        y = frame.t.str.contains("good") if cls is CatBoostClassifier else frame.t.str.count("good")
        return cls(text_features=["t"], **{**_FAST, **options}).fit(frame, y.astype(int)), frame

    return make


def _embedding_model(cls: Any, **options: Any) -> Callable[[], Made]:
    def make() -> Made:
        frame = _embeddings()
        y = np.array([row[0] + frame.a[0] for row in frame.e])
        target = np.digitize(y, np.quantile(y, [0.4, 0.7])) if cls is CatBoostClassifier else y
        return cls(embedding_features=["e"], **{**_FAST, **options}).fit(frame, target), frame

    return make


def _plain() -> Made:
    X, _ = _numbers()
    return CatBoost(dict(_FAST)).fit(X, X[:, 0]), X


def _ranker() -> Made:
    X, _ = _numbers()
    return CatBoostRanker(**_FAST).fit(Pool(X, _three(X), group_id=np.repeat(np.arange(6), 10))), X


def _named() -> Made:
    X, _ = _numbers()
    frame = pd.DataFrame(X, columns=["length", "Ä b", "z", "0"])
    return CatBoostClassifier(**_FAST).fit(frame, np.where(X[:, 0] > 0.5, "yes", "nö")), frame


def _scaled() -> Made:
    model, X = MODELS["regressor"]()
    model.set_scale_and_bias(2.0, 0.25)
    return model, X


def _summed() -> Made:
    first, X = MODELS["classifier"]()
    second = CatBoostClassifier(**{**_FAST, "random_seed": 5}).fit(X, X[:, 1] > 0.4)
    return catboost.sum_models([first, second], weights=[0.25, 0.75]), X


def _shrunk() -> Made:
    model, X = MODELS["regressor"]()
    model.shrink(4, 1)
    return model, X


def constant() -> Made:
    """Return a model whose trees do not split: the library cannot explain it."""
    X, _ = _numbers()
    model = CatBoostRegressor(**_FAST, grow_policy="Depthwise", allow_const_label=True)
    return model.fit(X, np.ones(len(X))), X


def _many_borders() -> Made:
    random_ = np.random.RandomState(1)
    X = random_.rand(900, 2)
    y = np.sin(40 * X[:, 0]) + X[:, 1]
    return CatBoostRegressor(**{**_FAST, "iterations": 80, "depth": 6, "border_count": 600}).fit(X, y), X[:40]


def _metadata() -> Made:
    model, X = MODELS["classifier"]()
    for number in range(12):
        model.get_metadata()[f"note {number}"] = "x" * number
    return model, X


_SECOND = {"text_processing": {
    "tokenizers": [{"tokenizer_id": "T", "lowercasing": "true", "number_process_policy": "Replace"}],
    "dictionaries": [
        {"dictionary_id": "Two", "gram_order": "2"},
        {"dictionary_id": "One"},
        {"dictionary_id": "Letters", "token_level_type": "Letter", "gram_order": "2"},
    ],
    "feature_processing": {
        "default": [
            {
                "tokenizers_names": ["T"],
                "dictionaries_names": ["Two", "One", "Letters"],
                "feature_calcers": ["BoW:top_tokens_count=20", "NaiveBayes", "BM25"],
            }
        ]
    },
}}  # fmt: skip

MODELS: dict[str, Callable[[], Made]] = {
    "classifier": _on_numbers(CatBoostClassifier, lambda X: X[:, 0] > 0.5),
    "regressor": _on_numbers(CatBoostRegressor, lambda X: X[:, 0] + X[:, 1]),
    "plain": _plain,
    "ranker": _ranker,
    "classes": _on_numbers(CatBoostClassifier, _three),
    "classes of texts": _named,
    "one against all": _on_numbers(CatBoostClassifier, _three, loss_function="MultiClassOneVsAll"),
    "more classes than seen": _on_numbers(
        CatBoostClassifier, _three, loss_function="MultiClass", classes_count=5
    ),
    "named classes": _on_numbers(CatBoostClassifier, _three, class_names=[0, 1, 2, 7]),
    "labels": _on_numbers(
        CatBoostClassifier, lambda X: (X[:, :3] > 0.5).astype(int), loss_function="MultiLogloss"
    ),
    "targets": _on_numbers(CatBoostRegressor, lambda X: X[:, :2], loss_function="MultiRMSE"),
    "uncertainty": _on_numbers(CatBoostRegressor, lambda X: X[:, 0], loss_function="RMSEWithUncertainty"),
    "posterior": _on_numbers(
        CatBoostRegressor, lambda X: X[:, 0], iterations=20, posterior_sampling=True, learning_rate=0.3
    ),
    "poisson": _on_numbers(CatBoostRegressor, lambda X: np.floor(9 * X[:, 0]), loss_function="Poisson"),
    "levels": _on_numbers(CatBoostClassifier, _three, grow_policy="Depthwise"),
    "leaves": _on_numbers(
        CatBoostRegressor, lambda X: X[:, 0], grow_policy="Lossguide", depth=7, max_leaves=9
    ),
    "deep": _on_numbers(CatBoostRegressor, lambda X: X[:, 0], depth=10, iterations=3),
    "early stopping": _early_stopping,
    "categories": _on_categories(CatBoostClassifier, _mixed),
    "categories of classes": _on_categories(
        CatBoostClassifier, lambda frame: np.digitize(frame.a, [0.3, 0.6]), max_ctr_complexity=3
    ),
    "categories of numbers": _on_categories(
        CatBoostRegressor,
        lambda frame: frame.a + (frame.c < "d"),
        simple_ctr=["BinarizedTargetMeanValue", "Buckets:TargetBorderCount=3", "Borders:TargetBorderCount=4"],
        combinations_ctr=["Counter", "Borders"],
        iterations=20,
    ),
    "one hot": _on_categories(CatBoostClassifier, _mixed, one_hot_max_size=10),
    "levels of categories": _on_categories(CatBoostClassifier, _mixed, grow_policy="Depthwise"),
    "texts": _text_model(CatBoostClassifier),
    "texts of all kinds": _text_model(CatBoostClassifier, iterations=30, depth=5, **_SECOND),
    "texts of numbers": _text_model(CatBoostRegressor),
    "embeddings": _embedding_model(CatBoostClassifier, iterations=12),
    "embeddings of numbers": _embedding_model(CatBoostRegressor, iterations=12),
    "scaled": _scaled,
    "sum": _summed,
    "shrunk": _shrunk,
    "many borders": _many_borders,
    "metadata": _metadata,
}
"""By name: what makes a fitted model, and rows to predict."""


_ATTRIBUTES = (
    *("tree_count_", "classes_", "feature_names_", "best_score_", "best_iteration_", "evals_result_"),
    *("n_features_in_", "feature_importances_", "random_seed_", "learning_rate_"),
)
_METHODS = (
    *("get_params", "get_all_params", "get_tree_leaf_counts", "get_leaf_values", "get_leaf_weights"),
    *("get_scale_and_bias", "get_borders", "get_cat_feature_indices", "get_metadata"),
    *("is_fitted", "_get_loss_function_name"),
)


def _columns(model: Any) -> int:
    """Return how many columns a model counts through."""
    kinds = ("float", "cat", "text", "embedding")
    indices = [index for kind in kinds for index in getattr(model, f"_get_{kind}_feature_indices")()]
    return max(indices, default=-1) + 1


def _importance(model: Any, X: Any, pool: Any) -> Iterable[tuple[str, Callable[[], Any]]]:
    kinds = ("PredictionValuesChange", "ShapValues", "Interaction", "ShapInteractionValues")
    # PredictionDiff, LossFunctionChange, SageValues and partial dependence take it on trust that the columns
    # and labels of the caller are those of the training; the library itself dies of others.
    for kind in kinds:
        rows = pool if kind != "ShapInteractionValues" else _pool(model, X[:2])
        yield kind, lambda kind=kind, rows=rows: model.get_feature_importance(rows, type=kind)
    yield (
        "ShapApprox",
        lambda: model.get_feature_importance(pool, type="ShapValues", shap_calc_type="Approximate"),
    )


def _pool(model: Any, X: Any) -> Any:
    y = np.arange(len(X)) % 2
    names = {
        "cat_features": model._get_cat_feature_indices(),
        "text_features": model._get_text_feature_indices(),
        "embedding_features": model._get_embedding_feature_indices(),
    }
    return Pool(X, y, **{name: found for name, found in names.items() if found})


def _calls(model: Any, X: Any) -> Iterable[tuple[str, Callable[[], Any]]]:
    for name in ("predict", "predict_proba", "predict_log_proba", "calc_leaf_indexes"):
        if hasattr(model, name):
            yield name, lambda name=name: getattr(model, name)(X)
            yield f"{name} of a row", lambda name=name: getattr(model, name)(X[:1])
    for name in (
        "staged_predict",
        "staged_predict_proba",
        "staged_predict_log_proba",
        "iterate_leaf_indexes",
    ):
        if hasattr(model, name):
            yield name, lambda name=name: [np.asarray(found) for found in getattr(model, name)(X)]
    for kind in ("RawFormulaVal", "Class", "Probability", "LogProbability", "Exponent"):
        yield f"predict {kind}", lambda kind=kind: CatBoost.predict(model, X, prediction_type=kind)
    for kind in ("VirtEnsembles", "TotalUncertainty"):
        yield (
            kind,
            lambda kind=kind: model.virtual_ensembles_predict(
                X, prediction_type=kind, virtual_ensembles_count=2
            ),
        )
    # Where X has fewer columns, and the names of those that are used, what explains writes behind them.
    explains = np.shape(X)[1] >= _columns(model)
    pool = _pool(model, X) if explains else None
    if explains:
        yield from _importance(model, X, pool)
    for name in _ATTRIBUTES:
        yield name, lambda name=name: getattr(model, name)
    for name in _METHODS:
        call = getattr(model, name, None) or getattr(model._object, name)
        yield name, lambda name=name, call=call: dict(call().items()) if name == "get_metadata" else call()
    for tree in range(2):
        yield (
            f"tree {tree}",
            lambda tree=tree: [
                model._get_tree_splits(tree, pool),
                model._get_tree_leaf_values(tree),
                [] if model._object._is_oblivious() else model._get_tree_step_nodes(tree),
                [] if model._object._is_oblivious() else model._get_tree_node_to_leaf(tree),
            ],
        )
    yield (
        "to leaves",
        lambda: _after(model.copy(), lambda copy: copy._convert_to_asymmetric_representation()).predict(X),
    )
    yield "sum", lambda: catboost.sum_models([model, model]).predict(X)
    yield "copy", lambda: model.copy().predict(X)
    yield (
        "shrink",
        lambda: _after(
            model.copy(), lambda copy: copy.shrink(copy.tree_count_, copy.tree_count_ // 2)
        ).predict(X),
    )


def _after(model: Any, change: Callable[[Any], Any]) -> Any:
    change(model)
    return model


def outputs(model: Any, X: Any) -> dict[str, object]:
    """Call all that a model can put out; where it raises, the name of the error stands for it."""
    found: dict[str, object] = {}
    for name, call in _calls(model, X):
        try:
            found[name] = call()
        except Exception as error:
            found[name] = type(error).__name__
    return found


def BLOB(model: Any) -> tuple[str, str]:
    """Return the type and the part of it that another parser reads."""
    return f"catboost.core:{type(model).__name__}", "model"
