"""Decision trees, and the ensembles that average them.

A tree's own loader has seen to its node table. What is left is the estimator around it: compiled
prediction reads as many columns as ``tree_.n_features`` says, while scikit-learn compares the columns of
``X`` with ``n_features_in_``, and skips that when the attribute is missing. Results are allocated by the
estimator's numbers of outputs and classes, which have to be those of its trees.

There are thousands of trees, so their check is a handful of comparisons, with no array made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.handlers.checks import MOST_THREADS, integer, require
from skopsafe.handlers.sklearn.validators.counts import check_samples
from skopsafe.handlers.sklearn.validators.estimators import features

_MISSING = object()


def features_of(obj: Any) -> int:
    """Return ``n_features_in_``, which must be there and be a number."""
    found = vars(obj).get("n_features_in_")
    if type(found) is int and 0 < found < 2**31:
        return found
    return features(vars(obj), type(obj).__name__, 2**31 - 1)


def check_jobs(obj: Any) -> None:
    """Check how many jobs predict would start."""
    jobs = vars(obj).get("n_jobs")
    if jobs is not None:
        integer(jobs, f"{type(obj).__name__}.n_jobs", -(2**31), MOST_THREADS)


def _check_tree(obj: Any) -> None:
    from sklearn.tree._tree import Tree

    state = vars(obj)
    tree = state.get("tree_", _MISSING)
    if tree is _MISSING:
        return
    where = type(obj).__name__
    if not isinstance(tree, Tree):
        require(False, "not a Tree", f"{where}.tree_")
    if tree.n_features != features_of(obj):
        require(False, f"{tree.n_features} features instead of n_features_in_", f"{where}.tree_")
    outputs = state.get("n_outputs_")
    if type(outputs) is not int:
        outputs = integer(outputs, f"{where}.n_outputs_", 1, 2**31 - 1)
    if tree.n_outputs != outputs:
        require(False, f"{tree.n_outputs} outputs instead of n_outputs_", f"{where}.tree_")
    if "classes_" in state or "n_classes_" in state:
        _check_classes(state.get("classes_"), state.get("n_classes_"), tree, where)


def _check_classes(classes: Any, counts: Any, tree: Any, where: str) -> None:
    """Require as many classes as the tree has, for each output."""
    if tree.n_outputs == 1:
        number = integer(counts, f"{where}.n_classes_", 1, 2**31 - 1)
        if tree.max_n_classes != number:
            require(False, f"{number} instead of {tree.max_n_classes}", f"{where}.n_classes_")
        if not isinstance(classes, np.ndarray) or classes.shape != (number,):
            require(False, "not an array of n_classes_ items", f"{where}.classes_")
        return
    expected = tree.n_classes.tolist()
    fits = isinstance(counts, (list, np.ndarray)) and len(counts) == tree.n_outputs
    require(
        fits and [integer(c, f"{where}.n_classes_", 1, 2**31 - 1) for c in counts] == expected,
        f"not the {expected} of the tree",
        f"{where}.n_classes_",
    )
    require(
        isinstance(classes, list)
        and all(isinstance(part, np.ndarray) for part in classes)
        and [part.shape for part in classes] == [(count,) for count in expected],
        "not arrays of n_classes_ items",
        f"{where}.classes_",
    )


def _check_forest(obj: Any) -> None:
    from sklearn.tree._classes import BaseDecisionTree
    from sklearn.tree._tree import Tree

    check_jobs(obj)
    check_samples(obj)
    state = vars(obj)
    estimators = state.get("estimators_", _MISSING)
    if estimators is _MISSING:
        return
    where = type(obj).__name__
    require(type(estimators) is list, "not a list", f"{where}.estimators_")
    # Forests of other libraries hold trees of their own, whose methods look after themselves.
    if not estimators or not isinstance(estimators[0], BaseDecisionTree):
        return
    tree = vars(estimators[0]).get("tree_")
    require(isinstance(tree, Tree), "not fitted", f"{where}.estimators_")
    outputs = integer(state.get("n_outputs_"), f"{where}.n_outputs_", 1, 2**31 - 1)
    require(tree.n_outputs == outputs, "not that of the trees", f"{where}.n_outputs_")
    if "classes_" in state or "n_classes_" in state:
        _check_classes(state.get("classes_"), state.get("n_classes_"), tree, where)


def _check_bagging(obj: Any) -> None:
    check_jobs(obj)
    check_samples(obj)
    state = vars(obj)
    where = type(obj).__name__
    if "n_classes_" in state:
        number = integer(state["n_classes_"], f"{where}.n_classes_", 1, 2**31 - 1)
        classes = state.get("classes_")
        fits = isinstance(classes, np.ndarray) and classes.shape == (number,)
        require(fits, "not an array of n_classes_ items", f"{where}.classes_")


def _check_isolation(obj: Any) -> None:
    state = vars(obj)
    if "_max_features" in state:
        # By this number, rows are put together to chunks: too large, and each row makes its way alone.
        integer(state["_max_features"], f"{type(obj).__name__}._max_features", 1, features_of(obj))


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.tree._classes:BaseDecisionTree": _check_tree,
    "sklearn.ensemble._forest:BaseForest": _check_forest,
    "sklearn.ensemble._bagging:BaseBagging": _check_bagging,
    "sklearn.ensemble._iforest:IsolationForest": _check_isolation,
}
