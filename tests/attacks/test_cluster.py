"""Crafted clusterings: refused, and what they do where nothing refuses them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.cluster import (
    HDBSCAN,
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    FeatureAgglomeration,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
)
from sklearn.covariance import EllipticEnvelope, EmpiricalCovariance, GraphicalLasso, LedoitWolf, MinCovDet
from sklearn.isotonic import IsotonicRegression
from sklearn.neighbors import NearestCentroid
from sklearn.preprocessing import SplineTransformer
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

import skopsafe
from skopsafe.testing.crafted import forged
from tests.attacks.crashes import Case, assert_most_kill
from tests.sklearn_models import outputs, same

RNG = np.random.RandomState(0)
X = RNG.rand(200, 5)
Q = RNG.rand(50, 5)
FAR = 10**9


def means(changes: dict[str, Any], cls: Any = KMeans, query: Any = Q, method: str = "predict") -> Any:
    model = cls(3, n_init=1, random_state=0).fit(X)
    vars(model).update(changes)
    return model, method, (query,)


def bisected(change: Any) -> Any:
    model = BisectingKMeans(4, random_state=0).fit(X)
    del model._X_mean
    change(model._bisecting_tree)
    return model, "predict", (Q,)


def far_centers(tree: Any) -> None:
    tree.left.center = tree.right.center = np.zeros(300_000)


def loop(tree: Any) -> None:
    tree.left = tree.right = tree


def ladder(tree: Any) -> None:
    """Two ways to each next step: 2 to the power of 60 visits in all."""
    for _ in range(60):
        tree.left.center = tree.right.center = np.zeros(5)
        step = type(tree)(np.zeros(5), None, 0)
        step.left, step.right = type(tree)(np.zeros(5), None, 0), type(tree)(np.zeros(5), None, 0)
        step.left.label = step.right.label = 0
        tree.left = tree.right = step
        tree = step


def merged(name: str) -> Any:
    model = HDBSCAN().fit(X)
    model._single_linkage_tree_[name] += FAR
    return model, "dbscan_clustering", (0.5,)


def birch() -> Any:
    model = Birch(n_clusters=None, threshold=0.01).fit(X)
    model._subcluster_norms = np.ones(1)
    return model, "predict", (Q,)


def wide_sparse() -> Any:
    query = sp.csr_matrix((np.ones(1), ([0], [299_999_999])), shape=(1, 300_000_000))
    return means({"n_features_in_": 300_000_000}, query=query)


CASES = {
    **{
        f"columns_{cls.__name__}": Case(
            lambda cls=cls: means({"cluster_centers_": np.zeros((3, 300_000))}, cls), "cluster_centers_"
        )
        for cls in (KMeans, MiniBatchKMeans)
    },
    "fewer_columns": Case(
        lambda: means({"cluster_centers_": np.zeros((3, 1))}), "cluster_centers_", crashes=False
    ),
    "columns_sparse": Case(wide_sparse, "cluster_centers_"),
    "no_width": Case(lambda: means({"n_features_in_": None}), "n_features_in_", crashes=False),
    "no_centers": Case(
        lambda: means({"cluster_centers_": np.zeros((0, 5))}), "cluster_centers_", crashes=False
    ),
    "very_many_centers": Case(
        lambda: means(
            {"cluster_centers_": np.zeros((9_000_000, 1)), "n_features_in_": 1}, query=RNG.rand(300, 1)
        ),
        "cluster_centers_",
    ),
    "centers_in_another_order": Case(
        lambda: means({"cluster_centers_": list(X[:3])}), "cluster_centers_", crashes=False
    ),
    "threads_below_one": Case(lambda: means({"_n_threads": -5}), "_n_threads", crashes=False),
    "threads_as_text": Case(lambda: means({"_n_threads": "2"}), "_n_threads", crashes=False),
    "bisections": Case(lambda: bisected(far_centers), "_bisecting_tree"),
    "bisections_in_a_loop": Case(lambda: bisected(loop), "_bisecting_tree", crashes=False),
    "bisections_without_end": Case(lambda: bisected(ladder), "_bisecting_tree", crashes=False),
    "merges": Case(lambda: merged("left_node"), "left_node"),
    "merges_right": Case(lambda: merged("right_node"), "right_node"),
    "norms": Case(birch, "_subcluster_norms", crashes=False),
}


@pytest.mark.parametrize("name", CASES)
def test_a_crafted_clustering_is_refused(name: str) -> None:
    data = skopsafe.dumps(CASES[name].make()[0])
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=CASES[name].match):
        skopsafe.loads(data)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_they_kill_processes_that_do_not_check(tmp_path: Path) -> None:
    assert_most_kill(CASES, tmp_path)


@pytest.mark.parametrize("cls", [KMeans, MiniBatchKMeans, BisectingKMeans])
def test_threads_are_those_of_this_machine(cls: Any) -> None:
    model = cls(3, n_init=1).fit(X)
    model._n_threads = FAR
    loaded = skopsafe.loads(skopsafe.dumps(model))
    assert loaded._n_threads == _openmp_effective_n_threads()
    assert loaded.predict(Q).shape == (50,)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"t": lambda t: t[::-1].copy()}, "BSpline.t"),
        ({"t": lambda t: t[:3].copy()}, "BSpline.t"),
        ({"t": lambda t: t * np.nan}, "BSpline.t"),
        ({"t": lambda t: t.astype("f4")}, "BSpline.t"),
        ({"c": lambda c: c[:2].copy()}, "BSpline.c"),
        ({"c": lambda c: c[0, 0]}, "BSpline.c"),
        ({"k": lambda _: 10**9}, "BSpline.k"),
        ({"k": lambda _: -1}, "BSpline.k"),
        ({"axis": lambda _: 5}, "BSpline.axis"),
        ({"extrapolate": lambda _: "always"}, "BSpline.extrapolate"),
    ],
)
def test_a_crafted_spline_is_refused(change: Any, match: str) -> None:
    data = forged(SplineTransformer().fit(X), "scipy.interpolate._bsplines:BSpline", **change)
    with pytest.raises(skopsafe.ValidationError, match=match):
        skopsafe.loads(data)


VALID = {
    **{cls.__name__: cls(3, random_state=0) for cls in (KMeans, MiniBatchKMeans, BisectingKMeans)},
    "elkan": KMeans(3, algorithm="elkan", init="random"),
    "one_center": KMeans(1),
    "one_bisection": BisectingKMeans(1),
    "many_bisections": BisectingKMeans(60, random_state=0),
    "largest_cluster": BisectingKMeans(5, bisecting_strategy="largest_cluster"),
    "birch": Birch(n_clusters=3, threshold=0.1),
    "birch_without_merge": Birch(n_clusters=None, threshold=0.1),
    "propagation": AffinityPropagation(random_state=0),
    "shift": MeanShift(),
    "features": FeatureAgglomeration(2),
    "envelope": EllipticEnvelope(random_state=0),
    "empirical": EmpiricalCovariance(store_precision=False),
    "centered": EmpiricalCovariance(assume_centered=True),
    "wolf": LedoitWolf(),
    "determinant": MinCovDet(random_state=0),
    "lasso": GraphicalLasso(),
}  # fmt: skip
SPARSE = {
    "KMeans", "MiniBatchKMeans", "BisectingKMeans", "elkan", "one_center", "many_bisections", "birch"
}  # fmt: skip


def check_same(model: Any, loaded: Any, query: Any) -> None:
    expected, found = outputs(model, query), outputs(loaded, query)
    assert expected.keys() == found.keys()
    assert all(same(value, found[name]) for name, value in expected.items())
    if hasattr(model, "mahalanobis"):
        assert same(model.mahalanobis(query), loaded.mahalanobis(query))


@pytest.mark.parametrize("form", [np.asarray, np.float32, sp.csr_matrix])
@pytest.mark.parametrize("name", VALID)
@pytest.mark.filterwarnings("ignore")
def test_valid_clusterings_come_back(name: str, form: Any, tmp_path: Path) -> None:
    if form is sp.csr_matrix and name not in SPARSE:
        pytest.skip("takes no sparse data")
    model = VALID[name].fit(form(X))
    skopsafe.dump(model, tmp_path / "m.skops")
    assert skopsafe.get_untrusted_types(tmp_path / "m.skops") == []
    check_same(model, skopsafe.load(tmp_path / "m.skops"), form(Q))
    check_same(model, skopsafe.load(tmp_path / "m.skops", mmap_mode="r"), form(Q))


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_hdbscan_comes_back(holes: bool) -> None:
    samples = X.copy()
    if holes:
        samples[3], samples[7], samples[199] = np.nan, np.inf, np.nan
    model = HDBSCAN(min_cluster_size=3).fit(samples)
    loaded = skopsafe.loads(skopsafe.dumps(model))
    for cut in (0.05, 0.3, 5.0):
        assert same(model.dbscan_clustering(cut), loaded.dbscan_clustering(cut))


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
@pytest.mark.parametrize("form", [np.asarray, np.float32, sp.csr_matrix])
def test_centroids_come_back(metric: str, form: Any) -> None:
    model = NearestCentroid(metric=metric).fit(form(X), RNG.randint(0, 3, 200))
    check_same(model, skopsafe.loads(skopsafe.dumps(model)), form(Q))


@pytest.mark.parametrize("extrapolation", ["constant", "linear", "continue", "periodic", "error"])
@pytest.mark.parametrize("degree", [0, 1, 3, 5])
@pytest.mark.filterwarnings("ignore")
def test_splines_come_back(degree: int, extrapolation: str, tmp_path: Path) -> None:
    model = SplineTransformer(7, degree=degree, extrapolation=extrapolation).fit(X)
    skopsafe.dump(model, tmp_path / "m.skops")
    check_same(model, skopsafe.load(tmp_path / "m.skops", mmap_mode="r"), X * 1.5 - 0.2)


@pytest.mark.parametrize("bounds", ["nan", "clip", "raise"])
def test_isotonic_regressions_come_back(bounds: str) -> None:
    model = IsotonicRegression(out_of_bounds=bounds).fit(X[:, 0], X[:, 1])
    check_same(model, skopsafe.loads(skopsafe.dumps(model)), Q[:, 0])


@pytest.mark.parametrize("cls", [KMeans, BisectingKMeans, Birch, HDBSCAN, EmpiricalCovariance])
def test_an_unfitted_clustering_comes_back(cls: Any) -> None:
    assert repr(skopsafe.loads(skopsafe.dumps(cls()))) == repr(cls())


@pytest.mark.parametrize("label", [-1, 5, 10**9])
def test_labels_of_an_agglomeration_ask_for_no_more_memory_than_features(label: int) -> None:
    model = FeatureAgglomeration(2).fit(X)
    assert np.array_equal(skopsafe.loads(skopsafe.dumps(model)).transform(X), model.transform(X))
    model.labels_[0] = label
    with pytest.raises(skopsafe.ValidationError, match=r"FeatureAgglomeration\.labels_"):
        skopsafe.loads(skopsafe.dumps(model))
