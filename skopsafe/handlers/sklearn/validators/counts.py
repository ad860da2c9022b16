"""Numbers from which methods make arrays or loop, where no array of the model says how large they are."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from skopsafe.handlers.checks import integer, require

_MANY = 2**27
"""Rows that an ensemble may have been fitted with, whatever its trees have seen."""
_SHARE = 8
"""So many times the rows that a tree has seen are the rows of the fit."""
_STEPS = 10_000


def check_samples(obj: Any) -> None:
    """``estimators_samples_`` draws as many numbers again as there were rows."""
    from sklearn.tree._tree import Tree

    state, where = vars(obj), f"{type(obj).__name__}._n_samples"
    if state.get("_n_samples") is None:
        return
    number = integer(state["_n_samples"], where, 0, 2**62)
    if number > _MANY:
        members = state.get("estimators_")
        first = members[0] if isinstance(members, list) and members else None
        tree = getattr(first, "__dict__", {}).get("tree_")
        seen = int(tree.n_node_samples[0]) if isinstance(tree, Tree) else 0
        require(number <= seen * _SHARE, "more than its trees could have seen", where)


def _check_steps(obj: Any) -> None:
    """The number of columns for each column of X."""
    if "sample_steps" in vars(obj):
        integer(vars(obj)["sample_steps"], f"{type(obj).__name__}.sample_steps", 1, _STEPS)


def _check_bias(obj: Any) -> None:
    """A bool that is added to the number of columns."""
    found = vars(obj).get("include_bias", False)
    require(isinstance(found, bool | np.bool_), "not a bool", f"{type(obj).__name__}.include_bias")


def _check_components(obj: Any) -> None:
    """``transform`` makes as many columns as this says, before it looks at the components."""
    state, where = vars(obj), f"{type(obj).__name__}._n_components"
    if "_n_components" in state:
        components = state.get("components_")
        number = integer(state["_n_components"], where, 0, 2**31)
        rows = len(components) if isinstance(components, np.ndarray) and components.ndim == 2 else -1
        require(number == rows, "not the number of its components", where)


def _check_atoms(obj: Any) -> None:
    """`SparseCoder` makes room for a code of each atom of its dictionary."""
    state = vars(obj)
    dictionary = state.get("dictionary")
    if "n_components_" in state and isinstance(dictionary, np.ndarray) and dictionary.ndim == 2:
        where = "SparseCoder.n_components_"
        integer(state["n_components_"], where, len(dictionary), len(dictionary))


def _check_votes(obj: Any) -> None:
    """Votes are counted by ``bincount``, which makes room for the greatest: they are places of classes."""
    state, where = vars(obj), f"{type(obj).__name__}.estimators_"
    classes = state.get("classes_")
    members = state.get("estimators_")
    if not isinstance(members, list) or not isinstance(classes, np.ndarray):
        return
    for member in members:
        found = None
        with contextlib.suppress(AttributeError, TypeError, ValueError, LookupError):
            found = member.classes_
        if isinstance(found, np.ndarray) and found.dtype.kind in "iu" and found.size:
            inside = int(found.min()) >= 0 and int(found.max()) < len(classes)
            require(inside, "votes for a class that is not there", where)


CHECKS: dict[str, Callable[[Any], None]] = {
    "sklearn.decomposition._nmf:NMF": _check_components,
    "sklearn.decomposition._nmf:MiniBatchNMF": _check_components,
    "sklearn.decomposition._dict_learning:SparseCoder": _check_atoms,
    "sklearn.kernel_approximation:AdditiveChi2Sampler": _check_steps,
    "sklearn.preprocessing._polynomial:SplineTransformer": _check_bias,
    "sklearn.ensemble._voting:VotingClassifier": _check_votes,
}
