"""Compiled structures by themselves: node tables of trees, sparse matrices, random states and losses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeClassifier

import skopsafe
from skopsafe.testing.crafted import forged
from tests.attacks.crashes import Case, endings

RNG = np.random.default_rng(0)
X = RNG.random((200, 4)).astype(np.float32)
Y = np.arange(200) % 3
TREE = "sklearn.tree._tree:Tree"
FAR = 2**40


def grown() -> DecisionTreeClassifier:
    return DecisionTreeClassifier(random_state=0).fit(X, Y)


def nodes(change: Callable[[Any], None]) -> Callable[[Any], Any]:
    def changed(old: Any) -> Any:
        new = old.copy()
        change(new)
        return new

    return changed


def put(field: str, value: Any, place: int = 0) -> Callable[[Any], Any]:
    return nodes(lambda table: table[field].__setitem__(place, value))


def two_parents(table: Any) -> None:
    """Let a node that is no child of the root be one: it has two parents then."""
    table["right_child"][0] = table["left_child"][table["left_child"][0]]


NODES: dict[str, tuple[dict[str, Callable[[Any], Any]], str]] = {
    "left_far": ({"nodes": put("left_child", FAR)}, r"Tree\.nodes\['left_child'\]"),
    "right_far": ({"nodes": put("right_child", FAR)}, r"Tree\.nodes\['right_child'\]"),
    "left_negative": ({"nodes": put("left_child", -FAR)}, r"Tree\.nodes"),
    "one_child": ({"nodes": put("right_child", -1)}, r"Tree\.nodes"),
    "its_own_child": ({"nodes": put("left_child", 0)}, r"Tree\.nodes\['left_child'\]"),
    "two_parents": ({"nodes": nodes(two_parents)}, r"Tree\.nodes"),
    "feature_far": ({"nodes": put("feature", FAR)}, r"Tree\.nodes\['feature'\]"),
    "feature_negative": ({"nodes": put("feature", -3)}, r"Tree\.nodes\['feature'\]"),
    "samples_negative": ({"nodes": put("n_node_samples", -1)}, r"Tree\.nodes\['n_node_samples'\]"),
    "no_nodes": ({"nodes": lambda old: old[:0], "values": lambda old: old[:0]}, r"Tree\.nodes"),
    "other_dtype": ({"nodes": lambda old: old["threshold"].copy()}, r"Tree\.nodes"),
    "fewer_values": ({"values": lambda old: old[:-1]}, r"Tree\.values"),
    "values_of_fewer_classes": ({"values": lambda old: old[:, :, :1]}, r"Tree\.values"),
    "values_of_integers": ({"values": lambda old: old.astype(int)}, r"Tree\.values"),
    "depth": ({"max_depth": lambda _: 1}, r"Tree\.max_depth"),
    "no_classes": ({"n_classes": lambda old: old * 0}, r"Tree\.n_classes"),
    "classes_for_other_outputs": ({"n_classes": lambda _: np.array([3, 3])}, r"Tree\.n_classes"),
    "outputs": ({"n_outputs": lambda _: 0}, r"Tree\.n_outputs"),
    "features": ({"n_features": lambda _: -1}, r"Tree\.n_features"),
}


@pytest.mark.parametrize("name", NODES)
def test_a_crafted_tree_is_refused(name: str) -> None:
    changes, where = NODES[name]
    with pytest.raises(skopsafe.ValidationError, match=where):
        skopsafe.loads(forged(grown(), TREE, **changes))


def test_trees_of_a_forest_are_checked_each() -> None:
    trees = [grown() for _ in range(5)]
    calls = iter(range(5))

    def third(old: Any) -> Any:
        return put("left_child", len(old))(old) if next(calls) == 3 else old

    with pytest.raises(skopsafe.ValidationError, match=r"Tree\.nodes\['left_child'\]"):
        skopsafe.loads(forged(trees, TREE, nodes=third))


def with_state(**changes: Callable[[Any], Any]) -> tuple[Any, str, tuple[Any, ...]]:
    """Return a tree with a changed state, as a pickle could have it."""
    model = grown()
    state = model.tree_.__getstate__()
    state = {name: changes.get(name, lambda old: old)(value) for name, value in state.items()}
    model.tree_.__setstate__(state)
    return model, "predict", (X,)


CRASHING = {
    "left_far": Case(lambda: with_state(nodes=put("left_child", FAR)), ""),
    "right_far": Case(lambda: with_state(nodes=put("right_child", FAR)), ""),
    "feature_far": Case(lambda: with_state(nodes=put("feature", FAR)), ""),
}


def csr(**changes: Any) -> Any:
    made = scipy.sparse.csr_matrix(np.eye(5))
    vars(made).update(changes)
    return made


SPARSE: dict[str, tuple[Callable[[], Any], str]] = {
    "column_far": (lambda: csr(indices=np.array([0, 1, 2, 3, 10**8], np.int32)), "indices"),
    "column_negative": (lambda: csr(indices=np.array([0, 1, 2, 3, -1], np.int32)), "indices"),
    "rows_beyond_the_data": (lambda: csr(indptr=np.array([0, 1, 2, 3, 4, 10**8], np.int32)), "indptr"),
    "rows_go_back": (lambda: csr(indptr=np.array([0, 4, 2, 3, 4, 5], np.int32)), "indptr"),
    "fewer_rows": (lambda: csr(indptr=np.array([0, 5], np.int32)), "indptr"),
    "fewer_data": (lambda: csr(data=np.ones(2)), "data"),
    "indices_of_floats": (lambda: csr(indices=np.arange(5.0)), "indices"),
    "flag_that_lies": (
        lambda: csr(
            indices=np.array([4, 1, 2, 3, 0], np.int32),
            indptr=np.array([0, 5, 5, 5, 5, 5], np.int32),
            _has_sorted_indices=True,
        ),
        "indices",
    ),
}


@pytest.mark.parametrize("name", SPARSE)
def test_a_crafted_sparse_matrix_is_refused(name: str) -> None:
    make, where = SPARSE[name]
    with pytest.raises(skopsafe.ValidationError, match=where):
        skopsafe.loads(skopsafe.dumps(make()))


@pytest.mark.parametrize("kind", ["coo", "csc", "bsr"])
def test_indices_of_the_other_formats_are_checked(kind: str) -> None:
    made = getattr(scipy.sparse, f"{kind}_array")(np.eye(4))
    if kind == "coo" and not hasattr(made, "coords"):
        made.col = made.col + 10
    elif kind == "coo":
        made.coords = (made.coords[0], made.coords[1] + 10)
    else:
        made.indices = made.indices + 10
    with pytest.raises(skopsafe.ValidationError, match=f"{kind}_array"):
        skopsafe.loads(skopsafe.dumps(made))


@pytest.mark.parametrize("form", ["matrix", "array"])
def test_places_of_the_formats_without_indices_are_checked(form: str) -> None:
    diagonal = getattr(scipy.sparse, f"dia_{form}")(np.eye(4))
    diagonal.offsets = np.array([10**6], np.int32)
    with pytest.raises(skopsafe.ValidationError, match=f"dia_{form}\\.offsets"):
        skopsafe.loads(skopsafe.dumps(diagonal))
    keyed = getattr(scipy.sparse, f"dok_{form}")((4, 4))
    dict.__setitem__(getattr(keyed, "_dict", keyed), (0, 10**6), 1.0)
    with pytest.raises(skopsafe.ValidationError, match=f"dok_{form}\\.items"):
        skopsafe.loads(skopsafe.dumps(keyed))
    listed = getattr(scipy.sparse, f"lil_{form}")(np.eye(4))
    listed.rows[0][0] = 10**6
    with pytest.raises(skopsafe.ValidationError, match=f"lil_{form}\\.rows"):
        skopsafe.loads(skopsafe.dumps(listed))


CRASHING |= {
    "sparse_column_far": Case(lambda: (SPARSE["column_far"][0](), "toarray", ()), ""),
    "sparse_rows_beyond": Case(lambda: (SPARSE["rows_beyond_the_data"][0](), "toarray", ()), ""),
}


@pytest.mark.parametrize("place", [-1, 625, 10**9])
def test_a_random_state_does_not_read_outside_its_words(place: int) -> None:
    def moved(state: dict[str, Any]) -> dict[str, Any]:
        return {**state, "state": {**state["state"], "pos": place}}

    state = np.random.RandomState(0)
    with pytest.raises(skopsafe.ValidationError, match=r"MT19937\.state\.pos"):
        skopsafe.loads(forged(state, "numpy.random:RandomState", state=moved))
    with pytest.raises(skopsafe.ValidationError, match=r"MT19937\.state\.pos"):
        skopsafe.loads(forged(np.random.MT19937(0), "numpy.random:BitGenerator", state=moved))


@pytest.mark.parametrize("name", ["os.urandom", "PCG65", 5, None])
def test_a_bit_generator_is_one_of_numpy(name: Any) -> None:
    with pytest.raises(skopsafe.FormatError):
        skopsafe.loads(forged(np.random.PCG64(0), "numpy.random:BitGenerator", name=lambda _: name))


def test_a_philox_buffer_has_four_words() -> None:
    with pytest.raises(skopsafe.ValidationError, match=r"Philox\.state\.buffer_pos"):
        skopsafe.loads(
            forged(
                np.random.Philox(0),
                "numpy.random:BitGenerator",
                state=lambda state: {**state, "buffer_pos": 10**6},
            )
        )


def test_a_loss_has_numbers_for_parameters() -> None:
    model = HistGradientBoostingRegressor(loss="quantile", quantile=0.3, max_iter=2).fit(X, Y)
    model._loss.closs = "not a loss"
    loaded = skopsafe.loads(skopsafe.dumps(model))
    assert np.array_equal(loaded.predict(X), model.predict(X)), "prediction does not use it"
    with pytest.raises(AttributeError):
        loaded._loss.loss(np.ones(3), np.ones(3))


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_most_of_them_kill_processes_that_do_not_check(tmp_path: Path) -> None:
    ended = endings(CRASHING, tmp_path)
    assert sum(code < 0 for code in ended.values()) >= 3, ended
