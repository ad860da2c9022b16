"""libsvm models, dense and sparse.

libsvm gets bare pointers. It reads as many coefficients as the number of classes and of support vectors
ask for, in segments of `_n_support`; with a precomputed kernel it reads column ``support_[i]`` of X.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.handlers.checks import array, in_range, integer, require
from skopsafe.handlers.sklearn.validators.estimators import is_csr, state

# Numbers of pairs of classes are ints in C.
_MOST_CLASSES = 46340
_CLASSIFIERS = ("c_svc", "nu_svc")
# Functions that are trusted without being kernels must not pose as one. What a user approved may.
_LIBRARIES = ("numpy", "scipy", "sklearn", "builtins", "functools", "operator", "_operator", "math")
_KERNELS = frozenset({
    "additive_chi2_kernel",
    "chi2_kernel",
    "cosine_distances",
    "cosine_similarity",
    "euclidean_distances",
    "haversine_distances",
    "laplacian_kernel",
    "linear_kernel",
    "manhattan_distances",
    "nan_euclidean_distances",
    "pairwise_distances",
    "pairwise_kernels",
    "polynomial_kernel",
    "rbf_kernel",
    "sigmoid_kernel",
})  # fmt: skip


def _check_machine(obj: Any) -> None:
    have, where = state(obj), type(obj).__name__
    for name in ("_impl", "_sparse_kernels"):
        require(name not in have, "belongs to the class", f"{where}.{name}")
    if "support_vectors_" not in have:
        return
    kernel, sparse = have.get("kernel"), have.get("_sparse")
    given = callable(kernel) or (isinstance(kernel, str) and kernel == "precomputed")
    require(isinstance(sparse, (bool, np.bool_)), "not a bool", f"{where}._sparse")
    require(not (sparse and given), "is not supported with sparse data", f"{where}.kernel")
    vectors = have["support_vectors_"]
    if sparse:
        require(is_csr(vectors), "is not a CSR matrix", f"{where}.support_vectors_")
        count = vectors.shape[0]
    else:
        count = _dense_count(have, given, where)
    integer(count, f"{where}.support_vectors_", 0, 2**31 - 1)
    classes = _class_count(have, obj._impl in _CLASSIFIERS, count, where)
    _check_coefficients(have.get("_dual_coef_"), (classes - 1, count), bool(sparse), f"{where}._dual_coef_")
    pairs = classes * (classes - 1) // 2
    array(have.get("_intercept_"), f"{where}._intercept_", kinds="f", shape=(pairs,))
    _check_probabilities(have, pairs, bool(sparse), where)
    if callable(kernel):
        _check_kernel(kernel, f"{where}.kernel")
    if not sparse:
        _make_writable(have)


def _dense_count(have: dict[str, Any], given: bool, where: str) -> int:
    """Return the number of support vectors: libsvm takes it from `support_`."""
    support = array(have.get("support_"), f"{where}.support_", kinds="i", ndim=1)
    vectors = array(have["support_vectors_"], f"{where}.support_vectors_", kinds="f", ndim=2)
    if not given:
        require(len(vectors) == len(support), "has another length than support_", f"{where}.support_vectors_")
        return len(support)
    shape = have.get("shape_fit_")
    require(isinstance(shape, tuple) and len(shape) >= 1, "not a tuple", f"{where}.shape_fit_")
    assert isinstance(shape, tuple)
    samples = integer(shape[0], f"{where}.shape_fit_", 1, 2**31 - 1)
    in_range(support, f"{where}.support_", 0, samples)
    if callable(have["kernel"]):
        # decision_function does not compare the columns that the kernel gives with shape_fit_.
        known: Any = have.get("_BaseLibSVM__Xfit")
        length = known.shape[0] if hasattr(known, "shape") else len(known or ())
        require(length == samples, "has another length than shape_fit_ says", f"{where}._BaseLibSVM__Xfit")
    return len(support)


def _class_count(have: dict[str, Any], classifier: bool, count: int, where: str) -> int:
    """Return the number of classes as libsvm counts them: two for a regression."""
    sizes = array(have.get("_n_support"), f"{where}._n_support", kinds="i", ndim=1)
    if not classifier:
        require(len(sizes) == 2, "does not have two items", f"{where}._n_support")
        return 2
    integer(len(sizes), f"{where}._n_support", 2, _MOST_CLASSES)
    in_range(sizes, f"{where}._n_support", 0, count + 1)
    total = int(sizes.sum(dtype=np.int64))
    require(total == count, f"counts {total} support vectors of {count}", f"{where}._n_support")
    return len(sizes)


def _check_coefficients(value: Any, shape: tuple[int, int], sparse: bool, where: str) -> None:
    if sparse:
        require(is_csr(value) and value.shape == shape, f"is not a CSR matrix of shape {shape}", where)
        require(len(value.data) == shape[0] * shape[1], "leaves out coefficients", where)
    else:
        array(value, where, kinds="f", shape=shape)


def _make_writable(have: dict[str, Any]) -> None:
    """Copy mapped arrays that predict_proba takes only when it may write to them; it never does."""
    for name in ("_dual_coef_", "_intercept_", "_probA", "_probB"):
        old = have[name]
        if not old.flags.writeable:
            have[name] = np.array(old)
            public = name[1:]
            if have.get(public) is old:
                have[public] = have[name]


def _check_probabilities(have: dict[str, Any], pairs: int, sparse: bool, where: str) -> None:
    # "deprecated", the default since scikit-learn 1.9, is no number: compiled code refuses it.
    wanted = sparse and any(
        not isinstance(have.get(name), str) and bool(have.get(name))
        for name in ("probability", "_effective_probability")
    )
    for name in ("_probA", "_probB"):
        found = array(have.get(name), f"{where}.{name}", kinds="f", ndim=1)
        require(
            len(found) == pairs or not (wanted or len(found)),
            f"has {len(found)} items for {pairs} pairs of classes",
            f"{where}.{name}",
        )


def _check_kernel(kernel: Any, where: str) -> None:
    """Require a trusted callable to give a matrix of X by the samples of the fit."""
    from sklearn.gaussian_process import kernels

    if isinstance(kernel, functools.partial):
        require(not kernel.args, "has positional arguments", where)
        _check_kernel(kernel.func, where)
    elif isinstance(kernel, kernels.Kernel) and type(kernel).__module__ == kernels.__name__:
        inner = state(kernel)
        require(not isinstance(kernel, kernels.CompoundKernel), "is no kernel of two samples", where)
        if isinstance(kernel, kernels.PairwiseKernel):
            require(isinstance(inner.get("metric"), str), "is not the name of a metric", f"{where}.metric")
        for name in ("k1", "k2", "kernel"):
            if name in inner:
                _check_kernel(inner[name], f"{where}.{name}")
    else:
        named = (types.FunctionType, types.BuiltinFunctionType, type)
        function = kernel.__func__ if isinstance(kernel, types.MethodType) else kernel
        module = str((function if isinstance(function, named) else type(function)).__module__)
        good = module.partition(".")[0] not in _LIBRARIES or (
            isinstance(function, named)
            and module == "sklearn.metrics.pairwise"
            and function.__name__ in _KERNELS
        )
        require(good, "is a function but not a kernel", where)


CHECKS: dict[str, Callable[[Any], None]] = {"sklearn.svm._base:BaseLibSVM": _check_machine}
