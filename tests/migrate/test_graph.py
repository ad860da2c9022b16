"""A Document as a graph, and back: nothing is lost, and what is new stands before what has it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer

import skopsafe
from skopsafe import api
from skopsafe.graph.document import Column, Document, Run, Shape, TypeRow
from skopsafe.migrate.encoding import encoded
from skopsafe.migrate.nodes import Graph, NewArray, Node, array, number, sequence
from skopsafe.trust.policy import policy_of

X, Y = load_iris(return_X_y=True)
LONG = {f"word {place}": place * 7 % 1000 for place in range(1000)}


def through(obj: Any, change: Callable[[Graph], None] = lambda _: None) -> Any:
    """Return what is loaded of a file whose graph was changed."""
    with api.described(io.BytesIO(skopsafe.dumps(obj))) as document:
        graph = Graph(document)
        change(graph)
        return api._build(encoded(graph), policy_of(None, None))


def cycle() -> list[Any]:
    inner: list[Any] = [1, {"a": 2}]
    inner.append({"back": inner, "tuple": (inner, 3)})
    return [inner, inner]


@pytest.mark.parametrize(
    "obj",
    [
        None,
        7,
        [],
        [None, True, 1, 1.5, "text", -0.0, 0.0, 2**70, float("nan"), b"bytes"],
        {"a": {"b": [1, 2]}, "c": {3, 4}, "d": (5, [6])},
        [1.0 * place for place in range(1000)],
        {f"{place}": [float(place), float(place) / 3] for place in range(600)},
        [{"x": place, "y": -0.0 if place % 2 else 0.0} for place in range(600)],
        LONG,
        {key: [value] for key, value in LONG.items()},
        [[[place]] for place in range(50)],
        [np.arange(place) for place in range(1, 9)],
        RandomForestClassifier(5, random_state=0).fit(X, Y),
        HistGradientBoostingClassifier(max_iter=3).fit(X, Y),
        TfidfVectorizer().fit(["one two", "two three"]),
    ],
    ids=lambda obj: type(obj).__name__,
)
def test_an_object_comes_back_as_it_was(obj: Any) -> None:
    assert skopsafe.dumps(through(obj)) == skopsafe.dumps(obj)


def test_what_is_shared_and_what_holds_itself_stays_so() -> None:
    first, second = through(cycle())
    assert first is second
    assert first[2]["back"] is first
    assert first[2]["tuple"][0] is first


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=2), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=40,
)


@settings(max_examples=60, deadline=None)
@given(NESTED)
def test_any_object_comes_back_as_it_was(obj: Any) -> None:
    assert skopsafe.dumps(through(obj)) == skopsafe.dumps(obj)


def test_what_nothing_leads_to_is_left_out() -> None:
    def drop(graph: Graph) -> None:
        assert isinstance(graph.root, Node)
        del graph.root.items[-1]

    with api.described(io.BytesIO(skopsafe.dumps([1, [2], {3}]))) as document:
        graph = Graph(document)
        drop(graph)
        found = encoded(graph)
    assert [row.name for row in found.types] == ["builtins:list"]
    assert through([1, [2], {3}], drop) == [1, [2]]


def test_a_node_is_put_before_what_has_it_wherever_that_was() -> None:
    """Of the two dicts, the first stands before the second in the file."""

    def move(graph: Graph) -> None:
        first, second = (node for node in graph.nodes if node.type == "builtins:dict")
        first.items += ["new", sequence("tuple", [number(2.5), second])]

    found = through([{"a": 1}, {"b": [2]}], move)
    assert found[0]["new"] == (2.5, {"b": [2]})
    assert found[0]["new"][1] is found[1]


def test_a_column_of_floats_that_loses_some_is_made_anew() -> None:
    def drop(graph: Graph) -> None:
        assert isinstance(graph.root, Node)
        del graph.root.items[::3]

    rows = [(float(place), float(place) / 7) for place in range(600)]
    assert through(rows, drop) == [row for place, row in enumerate(rows) if place % 3]


def arrays(values: list[Any]) -> Document:
    """Return a Document of a list of arrays, that counts how often each is read."""
    taken: set[int] = set()

    def read(numbers: Any) -> Iterator[Any]:
        for place in numbers:
            assert place not in taken, "read twice"
            taken.add(place)
            yield None, [values[place]]

    types = [TypeRow("numpy:ndarray", "class"), TypeRow("builtins:list", "class")]
    runs = [Run(0, len(values), [list(range(len(values)))]), Run(1, 1, [[[n] for n in range(len(values))]])]
    return Document(types, [Shape(0, ("array",)), Shape(1, None)], runs, len(values), [len(values)], {}, read)


def read_all(document: Document) -> list[Any]:
    return [
        found for n in range(document.array_count) for _, group in document.arrays([n]) for found in group
    ]


def test_a_new_array_is_made_when_it_is_asked_for_of_arrays_that_are_read_once() -> None:
    calls = []

    def double(found: Any) -> Any:
        calls.append(found)
        return found * 2

    graph = Graph(arrays([np.arange(3.0), np.ones(2)]))
    assert isinstance(graph.root, Node)
    graph.root.items += [array(double, graph.nodes[0]), array(np.array, graph.nodes[0], keeps=True)]
    document = encoded(graph)
    assert (document.array_count, calls) == (4, [])
    found = read_all(document)
    assert [item.tolist() for item in found] == [[0, 1, 2], [1, 1], [0, 2, 4], [0, 1, 2]]
    assert len(calls) == 1
    assert not any(np.shares_memory(found[0], item) for item in found[1:])


def test_an_array_that_a_new_one_replaces_cannot_be_had_too() -> None:
    graph = Graph(arrays([np.arange(3.0)]))
    graph.nodes[0].attributes["array"] = NewArray(np.negative, (0,))
    document = encoded(graph)
    (found,) = [found for _, (found,) in document.arrays([1])]
    assert found.tolist() == [0, -1, -2]
    with pytest.raises(AssertionError, match="read twice"):
        list(document.arrays([0]))
    with pytest.raises(skopsafe.ValidationError, match="used twice"):
        list(document.arrays([1]))


def test_what_cannot_be_made_of_an_array_is_an_error_of_the_file() -> None:
    def fail(found: Any) -> Any:
        return found["no such field"]

    def give_objects(found: Any) -> Any:
        return found.astype(object)

    for make in (fail, give_objects):
        graph = Graph(arrays([np.arange(3.0)]))
        graph.nodes[0].attributes["array"] = NewArray(make, (0,))
        with pytest.raises(skopsafe.ValidationError):
            list(encoded(graph).arrays([1]))


def test_runs_are_columns_again() -> None:
    data = skopsafe.dumps([{"x": place, "y": [place]} for place in range(100)])
    with api.described(io.BytesIO(data)) as document:
        found = encoded(Graph(document))
        assert [run.count for run in found.runs] == [run.count for run in document.runs]
        assert sum(isinstance(column, Column) for run in found.runs for column in run.columns) >= 2
