"""Crafted libsvm models: refused, and what they do where nothing refuses them."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.gaussian_process.kernels import RBF, CompoundKernel, PairwiseKernel, Sum, WhiteKernel
from sklearn.metrics.pairwise import chi2_kernel, linear_kernel, rbf_kernel
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR, OneClassSVM
from sklearn.utils import Bunch

import skopsafe
from skopsafe.testing.crafted import unchecked
from tests.attacks.crashes import Case, assert_most_kill
from tests.sklearn_models import same

RNG = np.random.RandomState(0)
X = RNG.rand(200, 5)
Y = RNG.randint(0, 3, 200)
Q = RNG.rand(50, 5)
FAR = 10**8


def machine(
    changes: Any, method: str = "decision_function", cls: Any = SVC, sparse: bool = False, **params: Any
) -> Any:
    """Fit a machine and change its attributes; a callable gets the old value."""
    form = sp.csr_matrix if sparse else np.asarray
    given = params.get("kernel") == "precomputed"
    model = cls(**params).fit(X @ X.T if given else form(X), Y)
    for name, value in changes.items():
        setattr(model, name, value(getattr(model, name)) if callable(value) else value)
    return model, method, (Q @ X.T if given else form(Q),)


def with_kernel(kernel: Any, **changes: Any) -> Any:
    model = SVC(kernel=linear_kernel).fit(X, Y)
    model.kernel = kernel
    vars(model).update(changes)
    return model, "decision_function", (Q,)


def shift(values: Any) -> Any:
    return values + FAR


def moved(counts: Any) -> Any:
    """Keep the sum, which scikit-learn compares, and move the segments far away."""
    return (counts + np.array([2 * FAR, -2 * FAR, 0])).astype(np.int32)


def spread(vectors: Any) -> Any:
    return Bunch(
        data=vectors.data, indices=vectors.indices, indptr=vectors.indptr * 10**6, shape=vectors.shape
    )


CASES = {
    "counts": Case(lambda: machine({"_n_support": moved}), "_n_support"),
    "counts_precomputed": Case(lambda: machine({"_n_support": shift}, kernel="precomputed"), "_n_support"),
    "counts_sparse": Case(lambda: machine({"_n_support": shift}, sparse=True), "_n_support"),
    "counts_of_one_class": Case(
        lambda: machine({"_n_support": lambda n: n[:1].copy()}, cls=NuSVC, nu=0.1),
        "_n_support",
        crashes=False,
    ),
    "counts_of_a_regression": Case(
        lambda: machine({"_n_support": lambda n: n[:1].copy()}, "predict", SVR), "_n_support"
    ),
    "more_classes": Case(
        lambda: machine({"_n_support": lambda n: np.r_[n, np.zeros(20000, n.dtype)]}), "_dual_coef_"
    ),
    "columns": Case(lambda: machine({"support_": shift}, kernel="precomputed"), r"\.support_"),
    "columns_and_samples": Case(
        lambda: machine({"support_": shift, "shape_fit_": (50, 200)}, kernel="precomputed"),
        r"\.support_",
        crashes=False,
    ),
    "more_indices_than_vectors": Case(
        lambda: machine({"support_": np.zeros(10**7, np.int32)}), "support_vectors_"
    ),
    "no_vectors": Case(
        lambda: machine({"support_vectors_": np.empty((0, 5))}, "predict", SVR), "support_vectors_"
    ),
    "coefficients": Case(lambda: machine({"_dual_coef_": np.ones((1, 1))}), "_dual_coef_", crashes=False),
    "coefficients_sparse": Case(
        lambda: machine({"_dual_coef_": sp.csr_matrix(np.ones((1, 1)))}, sparse=True),
        "_dual_coef_",
        crashes=False,
    ),
    "coefficients_left_out": Case(
        lambda: machine({"_dual_coef_": lambda c: sp.csr_matrix(c.shape)}, sparse=True),
        "_dual_coef_",
        crashes=False,
    ),
    "intercepts": Case(lambda: machine({"_intercept_": np.ones(1)}), "_intercept_", crashes=False),
    "probabilities": Case(
        lambda: machine({"_probA": np.ones(1), "_probB": np.ones(1), "probability": True}, "predict_proba"),
        "_probA",
        crashes=False,
    ),
    "probabilities_without_parameters": Case(
        lambda: machine({"probability": True, "_effective_probability": True}, sparse=True), "_probA"
    ),
    "sparse_precomputed": Case(
        lambda: machine(
            {"kernel": "precomputed", "shape_fit_": (5, 5), "support_vectors_": lambda v: v * 1e9},
            sparse=True,
        ),
        r"\.kernel",
    ),
    "sparse_vectors_of_another_kind": Case(
        lambda: machine({"support_vectors_": spread}, sparse=True), "support_vectors_"
    ),
    "sparse_is_no_bool": Case(lambda: machine({"_sparse": np.ones(1)}), "_sparse", crashes=False),
    "kind": Case(lambda: machine({"_impl": "epsilon_svr"}, "predict"), "_impl", crashes=False),
    "kernels_of_the_class": Case(
        lambda: machine({"_sparse_kernels": ["precomputed", "rbf"]}, sparse=True),
        "_sparse_kernels",
        crashes=False,
    ),
    "kernel_with_fewer_samples": Case(
        lambda: with_kernel(linear_kernel, _BaseLibSVM__Xfit=X[:1]), "__Xfit", crashes=False
    ),
    "kernel_samples_far_away": Case(
        lambda: with_kernel(linear_kernel, support_=np.full(1000, FAR, np.int32)),
        r"\.support_",
        crashes=False,
    ),
    **{
        f"no_kernel_{number}": Case(lambda kernel=kernel: with_kernel(kernel), r"\.kernel", crashes=False)
        for number, kernel in enumerate([
            np.log1p,
            functools.partial(np.add),
            functools.partial(linear_kernel, X),
            CompoundKernel([RBF()]),
            Sum(RBF(), np.log1p),
            PairwiseKernel(metric=np.add),
            max,
        ])
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_crafted_machine_is_refused(name: str) -> None:
    data = unchecked(CASES[name].make()[0])
    untrusted = skopsafe.get_untrusted_types(data=data)
    # A function of numpy needs approval at these places, and even then it is no kernel.
    assert not untrusted or name.startswith("no_kernel")
    with pytest.raises(skopsafe.ValidationError, match=CASES[name].match):
        skopsafe.loads(data, trusted=untrusted)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_they_kill_processes_that_do_not_check(tmp_path: Path) -> None:
    assert_most_kill(CASES, tmp_path)


def test_a_trusted_function_as_kernel_reads_outside() -> None:
    """The kernel gives 5 columns, and support vectors ask for up to 200: no exception stops it."""
    model, method, _ = with_kernel(np.log1p, _BaseLibSVM__Xfit=np.ones((1, 5)))
    assert getattr(model, method)(X[:1]).shape == (1, 3)


def rows(a: Any, b: Any) -> Any:
    return np.asarray(a) @ np.asarray(b).T


VALID = {
    **{
        f"{cls.__name__}_{kernel}": cls(kernel=kernel)
        for cls in (SVC, NuSVC, SVR, NuSVR, OneClassSVM)
        for kernel in ("linear", "poly", "rbf", "sigmoid")
    },
    "ovo": SVC(decision_function_shape="ovo"),
    "ties": SVC(break_ties=True, decision_function_shape="ovr"),
    "gamma": SVC(gamma="auto", class_weight="balanced"),
    "no_vectors": SVR(epsilon=100.0),
    "linear": LinearSVC(),
    "linear_regression": LinearSVR(),
}
METHODS = ("predict", "decision_function", "score_samples", "predict_proba")


def check_same(model: Any, loaded: Any, query: Any) -> None:
    for method in METHODS:
        if hasattr(model, method):
            assert same(getattr(model, method)(query), getattr(loaded, method)(query)), method


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix, sp.csr_array, np.float32])
@pytest.mark.parametrize("name", VALID)
@pytest.mark.filterwarnings("ignore")
def test_valid_machines_come_back(name: str, form: Any, classes: int, tmp_path: Path) -> None:
    model = VALID[name].fit(form(X), np.minimum(Y, classes - 1))
    skopsafe.dump(model, tmp_path / "m.skops")
    assert skopsafe.get_untrusted_types(tmp_path / "m.skops") == []
    check_same(model, skopsafe.load(tmp_path / "m.skops"), form(Q))
    check_same(model, skopsafe.load(tmp_path / "m.skops", mmap_mode="r"), form(Q))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
@pytest.mark.filterwarnings("ignore")
def test_probabilities_come_back(form: Any, classes: int) -> None:
    model = SVC(probability=True, random_state=0).fit(form(X), np.minimum(Y, classes - 1))
    loaded = skopsafe.loads(skopsafe.dumps(model))
    assert loaded.predict_proba(form(Q)).shape == (50, classes)
    check_same(model, loaded, form(Q))


@pytest.mark.filterwarnings("ignore")
def test_probabilities_of_a_large_mapped_machine_come_back(tmp_path: Path) -> None:
    samples = RNG.rand(3000, 1)
    model = SVC(C=1e-6, probability=True, random_state=0).fit(samples, np.arange(3000) % 4)
    assert model._dual_coef_.nbytes > 2**16, "small arrays are not mapped"
    skopsafe.dump(model, tmp_path / "m.skops")
    loaded = skopsafe.load(tmp_path / "m.skops", mmap_mode="r")
    check_same(model, loaded, Q[:, :1])
    assert skopsafe.dumps(loaded) == skopsafe.dumps(model)


@pytest.mark.parametrize("cls", [SVC, NuSVC, SVR, NuSVR, OneClassSVM])
def test_precomputed_kernels_come_back(cls: Any) -> None:
    model = cls(kernel="precomputed").fit(X @ X.T, Y)
    check_same(model, skopsafe.loads(skopsafe.dumps(model)), Q @ X.T)


@pytest.mark.parametrize(
    "kernel",
    [
        linear_kernel,
        chi2_kernel,
        functools.partial(rbf_kernel, gamma=2.0),
        RBF(2.0) + WhiteKernel(),
        PairwiseKernel(metric="laplacian"),
    ],
)
@pytest.mark.parametrize("cls", [SVC, SVR, OneClassSVM])
def test_known_kernel_functions_come_back(cls: Any, kernel: Any) -> None:
    model = cls(kernel=kernel).fit(X, Y)
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) in ([], ["functools.partial"])
    loaded = skopsafe.loads(data, trusted=skopsafe.get_untrusted_types(data=data))
    check_same(model, loaded, Q)


@pytest.mark.parametrize("samples", [X, sp.csr_matrix(X), X.tolist()])
def test_a_kernel_of_the_user_needs_approval_of_it_alone(samples: Any) -> None:
    kernel = linear_kernel if sp.issparse(samples) else rows
    model = SVC(kernel=kernel).fit(samples, Y)
    data = skopsafe.dumps(model)
    names = skopsafe.get_untrusted_types(data=data)
    assert names == ([] if sp.issparse(samples) else [f"{__name__}.rows"])
    check_same(model, skopsafe.loads(data, trusted=names), Q)


@pytest.mark.parametrize("cls", [SVC, NuSVC, SVR, NuSVR, OneClassSVM, LinearSVC])
def test_an_unfitted_machine_comes_back(cls: Any) -> None:
    assert repr(skopsafe.loads(skopsafe.dumps(cls()))) == repr(cls())
