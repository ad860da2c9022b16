"""Objects of one type that stand side by side are taken apart, written and built as columns."""

from __future__ import annotations

import itertools
import json
import math
import types
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.graph.runs import FLOATS
from skopsafe.testing.crafted import changed

MANY = 50


class Point:
    def __init__(self, x: Any, y: Any) -> None:
        self.x = x
        self.y = y


class Slotted:
    __slots__ = ("x", "y")


TRUSTED = [Point, Slotted]


def schema_of(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(zipfile.ZipFile(BytesIO(data)).read("schema.json"))
    return found


def same(one: Any, other: Any, seen: dict[int, int]) -> bool:
    """Tell whether two graphs are alike: types, values, and which objects are one."""
    stack = [(one, other)]
    while stack:
        one, other = stack.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, (int, str, bool, type(None))):
            if one != other:
                return False
            continue
        if isinstance(one, float):
            if math.isnan(one) != math.isnan(other):
                return False
            if not math.isnan(one) and (one, math.copysign(1, one)) != (other, math.copysign(1, other)):
                return False
            continue
        if id(one) in seen:
            if seen[id(one)] != id(other):
                return False
            continue
        seen[id(one)] = id(other)
        if isinstance(one, np.ndarray):
            if not (one.dtype == other.dtype and np.array_equal(one, other)):
                return False
        elif isinstance(one, dict):
            if len(one) != len(other):
                return False
            stack += zip(one, other, strict=True)
            stack += zip(one.values(), other.values(), strict=True)
        elif isinstance(one, (list, tuple)):
            if len(one) != len(other):
                return False
            stack += zip(one, other, strict=True)
        else:
            stack.append((vars(one), vars(other)))
            # The dict of attributes is no object of its own.
            seen.pop(id(vars(one)), None)
    return True


def comes_back(obj: Any) -> bytes:
    data = skopsafe.dumps(obj)
    loaded = skopsafe.loads(data, TRUSTED)
    assert same(obj, loaded, {})
    assert skopsafe.dumps(loaded) == data
    return data


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(),
    st.sampled_from([0.0, -0.0, 1.0, 1, True, "", "é", "\ud800"]),
)


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    """Return a list of many objects that hold scalars and each other, children first."""
    makers: list[Callable[[list[Any]], Any]] = [
        list,
        tuple,
        lambda v: dict(zip("abcdefgh", v, strict=False)),
        lambda v: Point(v[0], v[-1]) if v else Point(1, 2),
        lambda v: np.arange(len(v)),
    ]
    made: list[Any] = []
    width = draw(st.integers(0, 4))
    for _ in range(draw(st.integers(5, 60))):
        maker = draw(st.sampled_from(makers[: draw(st.sampled_from([1, 2, 5]))]))
        length = draw(st.sampled_from([width, width, draw(st.integers(0, 6))]))
        values = [
            draw(st.sampled_from(made)) if made and draw(st.integers(0, 3)) == 0 else draw(SCALARS)
            for _ in range(length)
        ]
        made.append(maker(values))
    return made


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_graphs_of_many_objects_come_back(graph: Any) -> None:
    comes_back(graph)


@pytest.mark.parametrize(
    "values",
    [
        [0.0, -0.0] * MANY,
        [1, 1.0, True] * MANY,
        [float("nan")] * MANY,
        [float(f"{number}e300") for number in range(MANY)] + [math.inf],
        [2**53, -(2**53), 2**53 - 1] * MANY,
        ["a", "\ud800", "é"] * MANY,
        [None, False, "x", 1, 2.5] * MANY,
    ],
    ids=["zeros", "ones", "nan", "infinity", "integers", "texts", "mixed"],
)
@pytest.mark.parametrize("times", [1, 6])
def test_scalars_of_a_column_come_back_one_by_one(values: list[Any], times: int) -> None:
    values = values * times
    comes_back(values)
    comes_back([[value, "y"] for value in values])
    comes_back([Point(value, number) for number, value in enumerate(values)])
    comes_back({str(number): value for number, value in enumerate(values)})


def test_objects_of_one_length_are_columns() -> None:
    data = comes_back([(number, number / 2, "x") for number in range(MANY)])
    schema = schema_of(data)
    assert [1, 3] in [[kind, form] for kind, form in schema["shapes"]]
    (tuples,) = (run for run in schema["runs"] if run[1] == MANY)
    assert tuples[2] == [list(range(MANY)), [number / 2 for number in range(MANY)], "x"]


def points(count: int) -> list[Any]:
    return [(number / 7, number / 3, "x") for number in range(count)]


def test_many_floats_are_an_array() -> None:
    for count in (FLOATS - 1, FLOATS):
        data = comes_back(points(count))
        (run,) = (run for run in schema_of(data)["runs"] if run[1] == count)
        if count < FLOATS:
            assert run[2] == [*map(list, list(zip(*points(count), strict=True))[:2]), "x"]
        else:
            assert run[2] == [{"floats": 0}, {"floats": 1}, "x"]
            assert "floats" not in str(skopsafe.visualize(BytesIO(data)))
            assert "(item 0 of array 0)" in str(skopsafe.visualize(BytesIO(data)))
    assert schema_of(comes_back([(0.5, number) for number in range(FLOATS)]))["arrays"] == []
    assert schema_of(comes_back([*points(FLOATS), (None, 1, 2)]))["arrays"] == []


@pytest.mark.parametrize(
    "column",
    [
        *({"floats": number} for number in (-1, 0, 1, 2, 3, 4, 6, 7, 2**53, 5.5)),
        *({"floats": 5, field: value} for field, value in (("first", 0), ("ref", 0), ("refs", [0]))),
        {"floats": 5, "step": 1},
        {"floats": 5, "count": FLOATS},
    ],
    ids=str,
)
def test_what_is_no_column_of_floats_is_refused(column: dict[str, Any]) -> None:
    floats = np.arange(float(FLOATS))
    others = [
        floats[1:],
        floats.astype("f4"),
        floats.astype("i8"),
        floats.astype(">f8"),
        floats.reshape(2, -1),
    ]

    def change(schema: dict[str, Any]) -> None:
        run = next(run for run in schema["runs"] if run[1] == FLOATS)
        assert run[2] == [{"floats": 5}, {"floats": 6}, "x"]
        run[2][0] = column

    with pytest.raises((skopsafe.FormatError, skopsafe.ValidationError)):
        skopsafe.loads(changed([others, points(FLOATS)], change))


def test_a_long_list_of_references_is_a_rule() -> None:
    schema = schema_of(comes_back([[number] for number in range(MANY)]))
    assert schema["runs"][-1][2] == [{"columns": [{"ref": 0, "step": 1}], "count": MANY}]


def test_the_keys_and_the_values_of_a_dict_are_columns() -> None:
    schema = schema_of(comes_back({f"{number}": (number,) for number in range(MANY)}))
    (row,) = schema["runs"][-1][2]
    assert row == {"columns": [[f"{n}" for n in range(MANY)], {"ref": 0, "step": 1}], "count": MANY}


def test_objects_that_lead_to_each_other_come_back() -> None:
    tuples: list[Any] = [(number,) for number in range(MANY)]
    tuples += [(tuples[number],) for number in range(MANY)]
    comes_back(tuples)
    comes_back(tuples[::-1])
    points = [Point(None, number) for number in range(MANY)]
    for one, other in itertools.pairwise([*points, points[0]]):
        one.x = other
    comes_back(points)
    lists: list[Any] = [[] for _ in range(MANY)]
    for one, other in itertools.pairwise([*lists, lists[0]]):
        one.append(other)
    comes_back(lists)


def test_objects_of_several_shapes_come_back_in_order() -> None:
    points = [Point(number, [number]) for number in range(MANY)]
    for point in points[::3]:
        point.more = (point.y,)  # type: ignore[attr-defined]
    for point in points[::7]:
        del point.x
    comes_back(points)


def test_slots_of_many_objects_come_back() -> None:
    made = [Slotted() for _ in range(MANY)]
    for number, obj in enumerate(made):
        obj.x = number  # type: ignore[attr-defined]
        if number % 2:
            obj.y = [number]  # type: ignore[attr-defined]
    loaded = skopsafe.loads(skopsafe.dumps(made), TRUSTED)
    assert [obj.x for obj in loaded] == list(range(MANY))
    assert [hasattr(obj, "y") for obj in loaded] == [bool(number % 2) for number in range(MANY)]


def test_an_error_among_many_objects_has_a_path() -> None:
    points = [Point(number, [number]) for number in range(MANY)]
    points[17].y = [1, lambda: None]
    with pytest.raises(skopsafe.UnsupportedTypeError) as caught:
        skopsafe.dumps({"points": points})
    assert caught.value.path == "object['points'][17].y[1]"


def test_keys_that_are_equal_to_texts_stay_what_they_are() -> None:
    dicts = [{np.str_("a"): number, "b": number} for number in range(MANY)]
    loaded = skopsafe.loads(skopsafe.dumps(dicts))
    assert {type(key) for found in loaded for key in found} == {str, np.str_}


def test_many_dicts_with_the_place_of_an_array_are_refused() -> None:
    dicts = [{"typestr": "<f8", "data": (1, False)} for _ in range(MANY)]
    with pytest.raises(skopsafe.UnsupportedTypeError):
        skopsafe.dumps(dicts)
    harmless = [{"typestr": "<f8", "date": number} for number in range(MANY)]
    data = comes_back(harmless)

    def rename(schema: dict[str, Any]) -> None:
        for run in schema["runs"]:
            run[2] = ["data" if column == "date" else column for column in run[2]]

    changed(harmless, rename)  # a number is no place
    pairs = [{"typestr": "<f8", "date": (number, False)} for number in range(MANY)]
    with pytest.raises(skopsafe.ValidationError, match="place in memory"):
        skopsafe.loads(changed(pairs, rename))
    assert data


def row(**changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(schema: dict[str, Any]) -> None:
        schema["runs"][-1][2][0].update(changes)

    return change


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 10**12},
        {"count": 0},
        {"count": -1},
        {"columns": []},
        {"columns": [{"ref": 0}]},
        {"columns": [{"first": 0}]},
        {"columns": [{"floats": 0}]},
        {"columns": [{"refs": [0] * (MANY - 1)}]},
        {"columns": [{"refs": [0] * (MANY - 1) + [10**6]}]},
        {"columns": [{"ref": 2, "step": 1}]},
        {"columns": [[[10**6]] * MANY]},
        {"columns": [["x"] * (MANY + 1)]},
        {"columns": [{"columns": [[1] * MANY], "count": MANY}]},
        {"columns": [["x"] * MANY] * 3},
        {"ref": 0},
        {"first": 1},
        {"floats": 0},
        {"refs": [0]},
        {"step": 1},
    ],
    ids=str,
)
def test_a_row_that_follows_no_rule_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(skopsafe.FormatError):
        skopsafe.loads(changed([[number] for number in range(MANY)], row(**changes)))


def test_a_rule_for_a_row_is_none_for_a_column() -> None:
    def change(schema: dict[str, Any]) -> None:
        run = next(run for run in schema["runs"] if run[1] == MANY)
        run[2] = [{"columns": [[1] * MANY], "count": MANY}]

    with pytest.raises(skopsafe.FormatError):
        skopsafe.loads(changed([[number] for number in range(MANY)], change))


@pytest.mark.parametrize("form", [0, -1, 2, 1025, 10**9])
def test_a_form_that_is_no_number_of_columns_is_refused(form: int) -> None:
    def change(schema: dict[str, Any]) -> None:
        schema["shapes"] = [[kind, form if old == 1 else old] for kind, old in schema["shapes"]]

    with pytest.raises(skopsafe.FormatError):
        skopsafe.loads(changed([[number] for number in range(MANY)], change))


def test_attributes_may_not_stand_in_a_form_without_names() -> None:
    def change(schema: dict[str, Any]) -> None:
        schema["shapes"] = [[kind, 2 if old == ["x", "y"] else old] for kind, old in schema["shapes"]]

    with pytest.raises(skopsafe.FormatError):
        skopsafe.loads(changed([Point(number, "y") for number in range(MANY)], change), TRUSTED)


def test_namespaces_of_one_kind_come_back() -> None:
    made = [types.SimpleNamespace(a=number, b=[number]) for number in range(MANY)]
    assert skopsafe.loads(skopsafe.dumps(made), [types.SimpleNamespace]) == made
