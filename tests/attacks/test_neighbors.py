"""Crafted neighbour searches and trees: refused, and what they do where nothing refuses them."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.covariance import EllipticEnvelope
from sklearn.gaussian_process.kernels import RBF
from sklearn.manifold import Isomap, LocallyLinearEmbedding
from sklearn.metrics import DistanceMetric
from sklearn.neighbors import (
    BallTree,
    KDTree,
    KernelDensity,
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    NearestNeighbors,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)
from sklearn.semi_supervised import LabelSpreading

import skopsafe
from skopsafe.testing.crafted import forged
from tests.attacks.crashes import Case, assert_most_kill
from tests.sklearn_models import same

RNG = np.random.RandomState(0)
X = RNG.rand(200, 5)
Y = RNG.randint(0, 3, 200)
Q = RNG.rand(50, 5)
WIDE = RNG.rand(3, 2_000_000)
FAR = 10**9


def search(changes: dict[str, Any], method: str = "kneighbors", query: Any = Q, **params: Any) -> Any:
    model = NearestNeighbors(**params).fit(X)
    vars(model).update(changes)
    return model, method, (query,)


def voter(cls: Any, **params: Any) -> Any:
    model = cls(algorithm="brute", metric="manhattan", **params).fit(X, Y)
    model._y = model._y + FAR
    return model, "predict_proba", (Q,)


def tree(cls: Any, part: int, change: Any, method: str = "query", query: Any = Q, **params: Any) -> Any:
    data = RNG.rand(30, query.shape[1])
    state = list(cls(data, **params).__getstate__())
    state[part] = change(np.array(state[part]) if isinstance(state[part], np.ndarray) else state[part])
    out = cls.__new__(cls)
    out.__setstate__(tuple(state))
    return out, method, (query, 2 if method == "query" else 10.0)


def field(name: str, value: Any) -> Any:
    def change(table: Any) -> Any:
        table[name] = value
        return table

    return change


def small_mahalanobis(metric: Any) -> Any:
    p, vector, _ = metric.__getstate__()
    metric.__setstate__((p, vector, np.eye(1)))
    return metric


def small_seuclidean(metric: Any) -> Any:
    p, _, matrix = metric.__getstate__()
    metric.__setstate__((p, np.ones(1), matrix))
    return metric


def brute_mahalanobis() -> Any:
    samples = RNG.rand(30, 2000)
    model = NearestNeighbors(algorithm="brute", metric="mahalanobis", metric_params={"VI": np.eye(2000)}).fit(
        samples
    )
    model.effective_metric_params_ = {"VI": np.eye(1)}
    return model, "kneighbors", (RNG.rand(3, 2000), 2)


def missing_width() -> Any:
    model, method, _ = search({}, algorithm="brute")
    model._fit_X = np.ones((200, 1))
    model.n_features_in_ = None
    return model, method, (WIDE,)


def graph() -> Any:
    model = KNeighborsTransformer(algorithm="kd_tree").fit(np.repeat(RNG.rand(2000, 5), 200, axis=0))
    model.n_samples_fit_ = 6
    return model, "kneighbors_graph", (Q,)


def envelope() -> Any:
    model = EllipticEnvelope().fit(X)
    model.location_, model.n_features_in_, model.precision_ = np.zeros(3000), 3000, np.eye(1)
    model.covariance_ = None
    return model, "decision_function", (RNG.rand(3, 3000),)


CASES = {
    "width": Case(
        lambda: search(
            {"_fit_X": np.ones((200, 1)), "n_features_in_": 2_000_000}, query=WIDE, algorithm="brute"
        ),
        "n_features_in_",
    ),
    "width_is_no_int": Case(missing_width, "n_features_in_", crashes=False),
    "precomputed_skips_the_width": Case(
        lambda: search({"metric": "precomputed"}, query=WIDE, algorithm="brute"), r"\.metric"
    ),
    "precomputed_is_square": Case(
        lambda: search({"metric": "precomputed", "effective_metric_": "precomputed"}, algorithm="brute"),
        "_fit_X",
        crashes=False,
    ),
    "norms_of_samples": Case(
        lambda: search({"effective_metric_params_": {"Y_norm_squared": np.ones(1)}}, algorithm="brute"),
        "Y_norm_squared",
        crashes=False,
    ),
    "norms_of_queries": Case(
        lambda: search({"effective_metric_params_": {"X_norm_squared": np.ones(1)}}, algorithm="brute"),
        "X_norm_squared",
        crashes=False,
    ),
    "mahalanobis_of_scipy": Case(brute_mahalanobis, "VI"),
    "covariance_of_scipy": Case(envelope, "precision_"),
    "labels": Case(lambda: voter(KNeighborsClassifier), "_y"),
    "labels_in_radius": Case(lambda: voter(RadiusNeighborsClassifier, radius=9.0), "_y"),
    "samples_of_a_graph": Case(graph, "n_samples_fit_", crashes=False),
    "no_neighbors": Case(
        lambda: search({"n_neighbors": 0}, algorithm="kd_tree"), "n_neighbors", crashes=False
    ),
    "method": Case(lambda: search({"_fit_method": ["brute"]}), "_fit_method", crashes=False),
    "tree_is_no_tree": Case(lambda: search({"_tree": X}, algorithm="kd_tree"), "_tree", crashes=False),
    "tree_of_more_samples": Case(
        lambda: search({"_tree": KDTree(RNG.rand(5000, 5))}, algorithm="kd_tree"), "_tree", crashes=False
    ),
    "tree_indices": Case(lambda: tree(KDTree, 1, lambda old: old + FAR), "idx_array"),
    "tree_indices_twice": Case(lambda: tree(KDTree, 1, lambda old: old * 0), "idx_array", crashes=False),
    "tree_ranges": Case(lambda: tree(KDTree, 2, field("idx_end", FAR)), "node_data"),
    "tree_without_leaves": Case(lambda: tree(BallTree, 2, field("is_leaf", 0)), "node_data"),
    "tree_bounds": Case(lambda: tree(KDTree, 3, lambda old: old[:, :0]), "node_bounds", crashes=False),
    "tree_nodes": Case(lambda: tree(KDTree, 6, lambda _: FAR, "kernel_density"), "n_nodes", crashes=False),
    "tree_mahalanobis": Case(
        lambda: tree(
            BallTree, 11, small_mahalanobis, query=RNG.rand(3, 3000), metric="mahalanobis", VI=np.eye(3000)
        ),
        "dist_metric",
        crashes=False,
    ),
    "tree_seuclidean": Case(
        lambda: tree(
            BallTree,
            11,
            small_seuclidean,
            query=RNG.rand(3, 5000),
            metric="seuclidean",
            V=np.ones(5000),
        ),
        "dist_metric",
        crashes=False,
    ),
    "tree_haversine": Case(
        lambda: tree(BallTree, 11, lambda _: DistanceMetric.get_metric("haversine"), query=Q[:, :1].copy()),
        "dist_metric",
        crashes=False,
    ),
    "tree_metric_of_other_trees": Case(
        lambda: tree(KDTree, 11, lambda _: DistanceMetric.get_metric("canberra")),
        "dist_metric",
        crashes=False,
    ),
    "jobs": Case(lambda: search({"n_jobs": FAR}), "n_jobs", crashes=False),
    "jobs_as_text": Case(lambda: search({"n_jobs": "100000"}), "n_jobs", crashes=False),
}


@pytest.mark.parametrize("name", CASES)
def test_a_crafted_search_is_refused(name: str) -> None:
    data = skopsafe.dumps(CASES[name].make()[0])
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=CASES[name].match):
        skopsafe.loads(data)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_they_kill_processes_that_do_not_check(tmp_path: Path) -> None:
    assert_most_kill(CASES, tmp_path)


def test_a_graph_of_too_few_samples_has_indices_outside() -> None:
    model, method, args = graph()
    found = getattr(model, method)(*args)
    assert found.indices.max() >= found.shape[1]


def test_a_metric_with_parameters_of_another_shape_is_refused() -> None:
    metric = DistanceMetric.get_metric("mahalanobis", VI=np.eye(3))
    for matrix in (np.eye(3)[:2], np.eye(3, dtype="f4"), np.asfortranarray(RNG.rand(3, 3)), [1.0]):
        data = forged(
            metric, "sklearn.metrics._dist_metrics:MahalanobisDistance64", matrix=lambda _, m=matrix: m
        )
        with pytest.raises(skopsafe.ValidationError, match="matrix"):
            skopsafe.loads(data)


@pytest.mark.parametrize("function", [np.log1p, functools.partial(np.exp)])
def test_a_trusted_function_that_writes_is_no_metric(function: Any) -> None:
    def nothing(_a: Any, _b: Any) -> float:
        return 0.0

    name = "sklearn.metrics._dist_metrics:PyFuncDistance64"
    data = forged(BallTree(X, metric=nothing), name, function=lambda _: function)
    assert skopsafe.get_untrusted_types(data=data) == [
        "sklearn.metrics._dist_metrics.PyFuncDistance64:function"
    ]
    with pytest.raises(skopsafe.ValidationError, match="function"):
        skopsafe.loads(data, trusted=skopsafe.get_untrusted_types(data=data))


def chebyshev(a: Any, b: Any) -> float:
    return float(abs(a - b).max())


VALID: dict[str, Any] = {
    **{f"kd_tree_{m}": NearestNeighbors(algorithm="kd_tree", metric=m) for m in ("l1", "l2", "infinity")},
    **{
        f"{algorithm}_{metric}": NearestNeighbors(algorithm=algorithm, metric=metric, metric_params=params)
        for algorithm in ("ball_tree", "brute")
        for metric, params in {
            "mahalanobis": {"VI": np.diag([1.0, 2, 3, 4, 5])},
            "seuclidean": {"V": np.arange(1.0, 6)},
            "canberra": None,
            "hamming": None,
            "jaccard": None,
            "minkowski": {"w": np.arange(1.0, 6), "p": 3},
        }.items()
    },
    "mahalanobis_of_a_list": NearestNeighbors(
        algorithm="brute", metric="mahalanobis", metric_params={"VI": np.eye(5).tolist()}
    ),
    "half": NearestNeighbors(algorithm="brute", p=0.5),
    "cosine": NearestNeighbors(metric="cosine"),
    "nan": NearestNeighbors(metric="nan_euclidean"),
    "lof": LocalOutlierFactor(novelty=True, n_neighbors=5),
    "isomap": Isomap(n_neighbors=20),
    "lle": LocallyLinearEmbedding(n_neighbors=20),
    "density": KernelDensity(kernel="tophat", algorithm="ball_tree"),
    "spreading": LabelSpreading(kernel="knn"),
    "jobs": NearestNeighbors(n_jobs=2),
    "all_jobs": NearestNeighbors(n_jobs=-1),
    **{
        f"{cls.__name__}_{algorithm}_{weights}": cls(algorithm=algorithm, weights=weights)
        for cls in (KNeighborsClassifier, KNeighborsRegressor)
        for algorithm in ("kd_tree", "ball_tree", "brute")
        for weights in ("uniform", "distance")
    },
    "radius_voter": RadiusNeighborsClassifier(radius=0.5, algorithm="brute", outlier_label=0),
    "manhattan_radius_voter": RadiusNeighborsClassifier(2.0, algorithm="brute", metric="manhattan"),
    "manhattan_voter": KNeighborsClassifier(algorithm="brute", metric="manhattan"),
    "radius_regressor": RadiusNeighborsRegressor(radius=9.0),
}
METHODS = ("predict", "predict_proba", "kneighbors", "transform", "kneighbors_graph", "score_samples")


def check_same(model: Any, loaded: Any, query: Any) -> None:
    produced = 0
    for method in METHODS:
        call = getattr(model, method, None)
        if call is not None:
            assert same(call(query), getattr(loaded, method)(query)), method
            produced += 1
    assert produced


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", VALID)
@pytest.mark.filterwarnings("ignore")
def test_valid_searches_come_back(name: str, dtype: str, tmp_path: Path) -> None:
    samples, queries = X.astype(dtype), Q.astype(dtype)
    model = VALID[name].fit(samples, Y)
    skopsafe.dump(model, tmp_path / "m.skops")
    assert skopsafe.get_untrusted_types(tmp_path / "m.skops") == []
    for loaded in (skopsafe.load(tmp_path / "m.skops"), skopsafe.load(tmp_path / "m.skops", mmap_mode="r")):
        check_same(model, loaded, queries)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("cls", [KNeighborsClassifier, KNeighborsRegressor, KNeighborsTransformer])
def test_sparse_searches_come_back(cls: Any, metric: str) -> None:
    samples, queries = (
        sp.random(200, 40, 0.3, "csr", random_state=0),
        sp.random(20, 40, 0.3, "csr", random_state=1),
    )
    model = cls(metric=metric).fit(samples, Y)
    loaded = skopsafe.loads(skopsafe.dumps(model))
    check_same(model, loaded, queries)
    check_same(model, loaded, queries.toarray())


@pytest.mark.parametrize("cls", [KNeighborsClassifier, KNeighborsRegressor, RadiusNeighborsClassifier])
@pytest.mark.parametrize("algorithm", ["brute", "kd_tree"])
def test_several_outputs_come_back(cls: Any, algorithm: str) -> None:
    extra = {"radius": 9.0} if cls is RadiusNeighborsClassifier else {}
    model = cls(algorithm=algorithm, metric="manhattan", **extra).fit(X, np.c_[Y, Y % 2, Y * 0 + 7])
    check_same(model, skopsafe.loads(skopsafe.dumps(model)), Q)


def test_a_precomputed_search_comes_back() -> None:
    distances = abs(X[:, None] - X[None]).sum(-1)
    for samples in (distances, sp.csr_matrix(distances)):
        model = KNeighborsClassifier(metric="precomputed").fit(samples, Y)
        check_same(model, skopsafe.loads(skopsafe.dumps(model)), samples[:20])


def test_a_metric_of_the_user_needs_approval_of_it_alone() -> None:
    for algorithm in ("brute", "ball_tree"):
        model = NearestNeighbors(algorithm=algorithm, metric=chebyshev).fit(X)
        data = skopsafe.dumps(model)
        names = skopsafe.get_untrusted_types(data=data)
        assert names == [f"{__name__}.chebyshev"]
        check_same(model, skopsafe.loads(data, trusted=names), Q)


def test_a_search_fitted_on_a_search_comes_back_and_looks_at_the_width() -> None:
    model = KNeighborsTransformer(algorithm="brute").fit(NearestNeighbors(algorithm="brute").fit(X))
    assert not hasattr(model, "n_features_in_")
    loaded = skopsafe.loads(skopsafe.dumps(model))
    check_same(model, loaded, Q)
    with pytest.raises(ValueError, match="features"):
        loaded.transform(WIDE)


@pytest.mark.parametrize(
    "cls", [NearestNeighbors, KNeighborsClassifier, LocalOutlierFactor, EllipticEnvelope]
)
def test_an_unfitted_search_comes_back(cls: Any) -> None:
    assert repr(skopsafe.loads(skopsafe.dumps(cls()))) == repr(cls())


def test_trees_and_metrics_come_back_by_themselves() -> None:
    weighted = KDTree(X, leaf_size=3)
    loaded = skopsafe.loads(skopsafe.dumps(weighted))
    assert same(weighted.query(Q, 3), loaded.query(Q, 3))
    assert same(weighted.kernel_density(Q, 0.2), loaded.kernel_density(Q, 0.2))
    metric = DistanceMetric.get_metric("minkowski", p=3, w=np.ones(5))
    assert same(skopsafe.loads(skopsafe.dumps(metric)).pairwise(X, Q), metric.pairwise(X, Q))
    assert skopsafe.loads(skopsafe.dumps(RBF(2.0))) == RBF(2.0)
