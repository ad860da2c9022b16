"""What is saved and loaded: the rows of the table.

Sizes are those of models in use; with ``small`` they shrink, so that everything can be tried in a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

Fit = Callable[[bool], Any]


@dataclass(frozen=True, slots=True)
class Own:
    """How a library saves and loads its own model.

    Attributes
    ----------
    suffix : str
        Of the file's name, by which the library chooses the format.
    save, load : callable
        ``save(model, path)`` and ``load(path)``.
    """

    suffix: str
    save: Callable[[Any, str], Any]
    load: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A row of the table.

    Attributes
    ----------
    name : str
        As the table shows it.
    fit : callable
        ``fit(small)`` returns the object.
    own : Own or None
        The library's own way, for a booster.
    rounds : int
        How often each job takes its turn; the best counts.
    skops_rounds : int
        The same for skops, where it takes long.
    """

    name: str
    fit: Fit
    own: Own | None = None
    rounds: int = 7
    skops_rounds: int = 7


def data(small: bool, samples: int) -> tuple[Any, Any]:
    """Return samples with 20 features, and their classes."""
    return make_classification(200 if small else samples, 20, n_informative=10, random_state=0)


def size(small: bool, full: int, less: int) -> int:
    """Return the one size or the other."""
    return less if small else full


def logistic(small: bool) -> Any:
    """Hardly any content: what a file costs at all."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(*data(small, 1000))


def forest(small: bool) -> Any:
    """Few deep trees."""
    trees = size(small, 100, 10)
    return RandomForestClassifier(trees, random_state=0, n_jobs=-1).fit(*data(small, 5000))


def shallow_forest(small: bool) -> Any:
    """Many small trees."""
    trees = size(small, 1000, 20)
    return RandomForestClassifier(trees, max_depth=6, random_state=0, n_jobs=-1).fit(*data(small, 5000))


def histograms(small: bool) -> Any:
    """Trees whose nodes are larger, and bin thresholds."""
    rounds = size(small, 300, 10)
    model = HistGradientBoostingClassifier(max_iter=rounds, early_stopping=False, random_state=0)
    return model.fit(*data(small, 5000))


def gradients(small: bool) -> Any:
    """Trees in an object array."""
    return GradientBoostingClassifier(n_estimators=size(small, 300, 10), random_state=0).fit(
        *data(small, 2000)
    )


def neighbours(small: bool) -> Any:
    """One large array; brute force keeps the samples alone, so that they decide and no search tree."""
    return arrays(size(small, 200_000_000, 200_000))


def arrays(content: int) -> Any:
    """Return a model with `content` bytes of samples."""
    samples = content // 400
    X = np.random.default_rng(0).normal(size=(samples, 50))
    return KNeighborsClassifier(algorithm="brute").fit(X, np.arange(samples) % 3)


def texts(words: int, documents: int) -> list[str]:
    """Return texts in which each of so many words stands twice."""
    order = np.random.default_rng(0).permutation(words * 2) % words
    return [" ".join(f"word{number}" for number in part) for part in np.array_split(order, documents)]


def vocabulary(small: bool) -> Any:
    """Return a model with many words, that is, small Python objects in a dict."""
    found = texts(size(small, 100_000, 200), size(small, 2000, 20))
    return make_pipeline(TfidfVectorizer(), SGDClassifier(random_state=0)).fit(
        found, np.arange(len(found)) % 2
    )


def layers(small: bool) -> Any:
    """A handful of arrays."""
    return MLPClassifier((size(small, 512, 8),) * 2, max_iter=3, random_state=0).fit(*data(small, 1000))


def search(small: bool) -> Any:
    """Many small objects of many kinds, and masked arrays."""
    grid = {"C": [0.1, 1, 10], "gamma": ["scale", "auto"]}
    return GridSearchCV(SVC(), grid, cv=3).fit(*data(small, 500))


def stack(small: bool) -> Any:
    """Return a pipeline as users build it: columns scaled apart, and three models below a fourth."""
    columns = make_column_transformer(
        (StandardScaler(), list(range(10))), (MinMaxScaler(), list(range(10, 20)))
    )
    models = [
        ("forest", RandomForestClassifier(size(small, 100, 5), random_state=0, n_jobs=2)),
        ("svc", SVC(random_state=0)),
        ("logistic", LogisticRegression()),
    ]
    return make_pipeline(columns, StackingClassifier(models, LogisticRegression(), cv=3)).fit(
        *data(small, 2000)
    )


@dataclass
class Reading:
    """A class of the user's own: it has to be approved."""

    place: str
    value: float
    count: int


def objects(small: bool) -> Any:
    """Return a dict of small objects, five kinds in turn, none of which has an array."""

    def value(number: int) -> Any:
        match number % 5:
            case 0:
                return number, number / 7, f"name {number % 100}"
            case 1:
                return [number, number + 1, number + 2]
            case 2:
                return {"first": number, "second": number / 3}
            case 3:
                return Reading(f"place {number % 10}", number / 2, number)
            case _:
                return f"text {number}"

    return {f"key-{number:06}": value(number) for number in range(size(small, 200_000, 500))}


def _single(small: bool) -> tuple[Any, Any]:
    X, y = data(small, 5000)
    return X.astype(np.float32), y


def xgboost(small: bool) -> Any:
    """500 trees of depth 6."""
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=size(small, 500, 20), max_depth=6, n_jobs=1).fit(*_single(small))


def _load_xgboost(path: str) -> Any:
    from xgboost import XGBClassifier

    model = XGBClassifier()
    model.load_model(path)
    return model


def lightgbm(small: bool) -> Any:
    """500 trees of 31 leaves."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_estimators=size(small, 500, 20), n_jobs=1, verbose=-1).fit(*_single(small))


def _load_lightgbm(path: str) -> Any:
    from lightgbm import Booster

    return Booster(model_file=path)


def catboost(small: bool) -> Any:
    """500 symmetric trees of depth 6."""
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(
        size(small, 500, 20), depth=6, thread_count=1, verbose=False, allow_writing_files=False
    )
    return model.fit(*_single(small))


def _load_catboost(path: str) -> Any:
    from catboost import CatBoostClassifier

    return CatBoostClassifier().load_model(path)


NINE = (
    Model("logistic-regression pipeline", logistic, rounds=25),
    Model("RandomForest, 100 trees", forest),
    Model("RandomForest, 1000 trees, depth 6", shallow_forest, skops_rounds=3),
    Model("HistGradientBoosting, 300 iterations", histograms, rounds=11),
    Model("GradientBoosting, 300 trees", gradients, skops_rounds=5),
    Model("KNN, 500k x 50", neighbours, skops_rounds=5),
    Model("tf-idf, 100k words, + SGD", vocabulary, skops_rounds=3),
    Model("MLP, 512 x 512", layers, rounds=15),
    Model("GridSearchCV over SVC", search, rounds=25),
)

MODELS = {
    model.name: model
    for model in (
        *NINE,
        Model(
            "XGBClassifier, 500 trees",
            xgboost,
            Own(".ubj", lambda m, p: m.save_model(p), _load_xgboost),
            rounds=15,
        ),
        Model(
            "LGBMClassifier, 500 trees",
            lightgbm,
            Own(".txt", lambda m, p: m.booster_.save_model(p), _load_lightgbm),
            rounds=11,
        ),
        Model(
            "CatBoostClassifier, 500 trees",
            catboost,
            Own(".cbm", lambda m, p: m.save_model(p), _load_catboost),
            rounds=25,
        ),
        Model("columns + stacking of three", stack),
        Model("dict of 200,000 objects", objects, rounds=5, skops_rounds=1),
    )
}
