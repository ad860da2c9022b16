"""What is fitted under every release of scikit-learn: its estimators, and variants that differ in layout.

Runs under old releases too, so it asks each for what it has, and imports nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from tests.golden.sklearn.data import N_FEATURES, THREE, X, _numbers
from tests.golden.sklearn.making import made
from tests.golden.sklearn.more_variants import more_variants
from tests.golden.sklearn.variants import variants

UNFITTED = "unfitted"
"""In place of data: a model that is stored as it was made."""


class Model(NamedTuple):
    """One model: the key under which it is stored, the estimator, and which data it is fitted on."""

    key: str
    estimator: Any
    data: str


_DATA = {
    "AdditiveChi2Sampler": "unit",
    "BernoulliRBM": "unit",
    "CategoricalNB": "categories",
    "ComplementNB": "counts",
    "CountVectorizer": "text",
    "DictVectorizer": "dicts",
    "FeatureHasher": "hashes",
    "FixedThresholdClassifier": "binary",
    "FrozenEstimator": "three",
    "GammaRegressor": "positive",
    "GenericUnivariateSelect": "three",
    "HashingVectorizer": "text",
    "IsotonicRegression": "column",
    "KNNImputer": "holes",
    "IterativeImputer": "holes",
    "LabelBinarizer": "targets",
    "LabelEncoder": "target words",
    "LabelPropagation": "partly known",
    "LabelSpreading": "partly known",
    "LatentDirichletAllocation": "counts",
    "MissingIndicator": "holes",
    "MiniBatchNMF": "unit",
    "MultiLabelBinarizer": "sets",
    "MultiOutputClassifier": "two classes",
    "MultiOutputRegressor": "two numbers",
    "MultinomialNB": "counts",
    "NMF": "unit",
    "NeighborhoodComponentsAnalysis": "three",
    "OneHotEncoder": "words",
    "OrdinalEncoder": "words",
    "PatchExtractor": "images",
    "PLSSVD": "two numbers",
    "CCA": "two numbers",
    "PLSCanonical": "two numbers",
    "PoissonRegressor": "positive",
    "SelfTrainingClassifier": "partly known",
    "SkewedChi2Sampler": "unit",
    "TargetEncoder": "words numbers",
    "TfidfVectorizer": "text",
    "TfidfTransformer": "sparse counts",
    "TunedThresholdClassifierCV": "binary",
    "TweedieRegressor": "positive",
    **dict.fromkeys(
        ("SelectKBest", "SelectFdr", "SelectFpr", "SelectFwe", "SelectPercentile", "RFE", "RFECV"), "three"
    ),
    **dict.fromkeys(("SelectFromModel", "SequentialFeatureSelector", "LinearDiscriminantAnalysis"), "three"),
    **dict.fromkeys(
        ("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"), "two numbers"
    ),
    "ClassifierChain": "labels",
    "KernelCenterer": "square",
    "Pipeline": "three",
    "RegressorChain": "two numbers",
    **dict.fromkeys(
        ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"), "three"
    ),
}


def data_for(name: str, cls: Any) -> str:
    if name in _DATA:
        return _DATA[name]
    if issubclass(cls, ClassifierMixin):
        return "three"
    return "numbers" if issubclass(cls, RegressorMixin) else "none"


def composed(all_of: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of estimators that need others, by name."""

    def make(name: str, **given: Any) -> Any:
        return made(all_of[name], **given)

    one = {
        "estimator": make("LogisticRegression"),
    }
    tree = make("DecisionTreeClassifier", max_depth=2)
    scale = ("scale", make("StandardScaler"))
    out: dict[str, dict[str, Any]] = dict.fromkeys(
        (
            *("ClassifierChain", "OneVsOneClassifier", "OneVsRestClassifier", "OutputCodeClassifier"),
            *("MultiOutputClassifier", "RFE", "RFECV", "SelectFromModel", "SequentialFeatureSelector"),
            *("FixedThresholdClassifier", "TunedThresholdClassifierCV", "CalibratedClassifierCV"),
        ),
        one,
    )
    out["SelfTrainingClassifier"] = one
    out["MultiOutputRegressor"] = out["RegressorChain"] = {"estimator": make("Ridge")}
    out["GridSearchCV"] = one | {"param_grid": {"C": [0.5, 1.0]}}
    out["RandomizedSearchCV"] = one | {"param_distributions": {"C": [0.5, 1.0]}, "n_iter": 2}
    out["HalvingGridSearchCV"] = one | {"param_grid": {"C": [0.5, 1.0]}, "min_resources": 20}
    out["HalvingRandomSearchCV"] = one | {"param_distributions": {"C": [0.5, 1.0]}, "min_resources": 20}
    out["ColumnTransformer"] = {"transformers": [("a", make("StandardScaler"), [0, 1])]}
    out["FeatureUnion"] = {"transformer_list": [scale, ("pca", make("PCA", n_components=2))]}
    out["Pipeline"] = {"steps": [scale, ("last", make("LogisticRegression"))]}
    out["FrozenEstimator"] = {"estimator": make("LogisticRegression").fit(X, THREE)}
    out["SparseCoder"] = {"dictionary": _numbers(5, 3, N_FEATURES)}
    out["StackingClassifier"] = out["VotingClassifier"] = {
        "estimators": [("a", make("LogisticRegression")), ("b", tree)]
    }
    out["StackingRegressor"] = out["VotingRegressor"] = {
        "estimators": [("a", make("Ridge")), ("b", make("DecisionTreeRegressor", max_depth=2))]
    }
    return out


def models(all_of: dict[str, type[BaseEstimator]]) -> list[Model]:
    """Return unfitted models of all classes that a release has."""
    parts = composed(all_of)
    out = []
    for name, cls in sorted(all_of.items()):
        data, given = data_for(name, cls), parts.get(name, {})
        out.append(Model(name, made(cls, **given), data))
        if data == "three" and issubclass(cls, ClassifierMixin):
            out.append(Model(f"{name} binary", made(cls, **given), "binary"))
        if data == "numbers" and issubclass(cls, RegressorMixin):
            out.append(Model(f"{name} two numbers", made(cls, **given), "two numbers"))
        out.append(Model(f"{name} {UNFITTED}", made(cls, **given), UNFITTED))
    for name, variant, data, given in [*variants(all_of), *more_variants(all_of)]:
        if name in all_of:
            estimator = made(all_of[name], **parts.get(name, {}) | given)
            if name == "GridSearchCV" and variant in ("forest", "pipeline"):
                grid = {"max_depth": [1, 2]} if variant == "forest" else {"t__max_depth": [1, 2]}
                estimator = made(all_of[name], estimator=given["estimator"], param_grid=grid)
            out.append(Model(f"{name} {variant}", estimator, data))
    return out
