"""Files that would keep an audit, or a drawing, busy. Work is counted, and memory measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import skopsafe
from skopsafe.graph.document import LONGEST_NAME, MOST_TYPES
from tests.attacks.graphs import assert_refused, numbers, schema, spelled, written
from tests.measuring import MEBIBYTE, VERBS, Meter, needs_linux
from tests.test_growth import per_pair, steps

SMALL = 16 * MEBIBYTE


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    with Meter() as made:
        yield made


def ahead(count: int) -> dict[str, Any]:
    """Return lists, each of which holds the next one, and the last a function that is confined."""
    rows = [[[[number + 1]]] for number in range(count)]
    runs = [*([0, 1, row] for row in rows), [1, 1, []]]
    return schema(["builtins:list", "value numpy:multiply"], [[0, None], [1, []]], runs, [0])


def owners(count: int) -> dict[str, Any]:
    """Return objects that have one long list of dicts in common, about which there is a rule."""
    refs = [[0]] * count
    runs = [
        [2, 1, [["alpha", 5]]],
        [1, 1, [refs]],
        [0, count, [{"refs": [1] * count}, {"refs": [1] * count}]],
        [1, 1, [numbers(count, 2)]],
    ]
    types = ["sklearn.model_selection._search:GridSearchCV", "builtins:list", "builtins:dict"]
    return schema(types, [[0, ["param_grid", "scoring"]], [1, None], [2, None]], runs, [count + 2])


def wide(count: int) -> dict[str, Any]:
    """Return objects whose rule looks at one object of many attributes, which they have in common."""
    names = [f"a{number}" for number in range(count)]
    types = ["sklearn.preprocessing._data:StandardScaler", "sklearn.pipeline:Pipeline", "builtins:list"]
    runs = [
        [0, 1, [0] * count],
        [1, count, [{"refs": [0] * count}, {"refs": [0] * count}]],
        [2, 1, [numbers(count, 1)]],
    ]
    return schema(types, [[0, names], [1, ["steps", "memory"]], [2, None]], runs, [count + 1])


@pytest.mark.parametrize("make", [ahead, owners, wide])
def test_an_audit_grows_with_the_file_and_no_faster(tmp_path: Path, make: Any) -> None:
    """A chain of references ahead took quadratic time, and a list that many have was read for each."""
    for verb in ("audit", "get_untrusted_types", "visualize"):
        counts = []
        for count in (100, 200, 400):
            path = written(tmp_path / f"{count}", make(count))
            function = getattr(skopsafe, verb)
            function(path)
            counts.append(steps(lambda path=path, function=function: function(path)))
        assert per_pair(counts, 100) < 0.5, (verb, counts)


@needs_linux
@pytest.mark.parametrize("make", [ahead, owners, wide])
def test_an_audit_takes_memory_for_what_is_in_the_file(meter: Meter, tmp_path: Path, make: Any) -> None:
    path = written(tmp_path / "file", make(10_000))
    for verb in ("audit", "get_untrusted_types", "visualize"):
        found = meter(path, verb, seconds=20)
        assert found.ended == "returned" or found.is_ours, found
        assert 0 <= found.peak < 20 * found.size + SMALL


def test_a_rule_gives_the_same_answer_for_all_who_share_a_value(tmp_path: Path) -> None:
    found = owners(30)
    assert not skopsafe.audit(written(tmp_path / "harmless", found)).untrusted
    found["runs"][0][2] = [["memory", 5]]
    report = skopsafe.audit(written(tmp_path / "door", found))
    assert report.untrusted == ["sklearn.model_selection._search.GridSearchCV:param_grid"]
    assert [entry.count for entry in report.entries if entry.role == "attribute"] == [30]


@needs_linux
def test_types_without_end_are_refused(meter: Meter, tmp_path: Path) -> None:
    types = [f"a:b{number}" for number in range(100_000)]
    path = written(tmp_path / "file", schema(types, [[0, None]], [[0, 1, [[]]]], [0]))
    for verb in VERBS:
        found = meter(path, verb, seconds=10)
        assert_refused(found, "LimitError", peak=20 * found.size, match=f"more than {MOST_TYPES}")


def test_an_object_that_leads_to_too_many_types_is_not_saved() -> None:
    with mock.patch("skopsafe.save.MOST_TYPES", 3):
        assert skopsafe.dumps([1, (2,), {3}])
        with pytest.raises(skopsafe.UnsupportedTypeError, match="more than 3 types"):
            skopsafe.dumps([1, (2,), {3}, {4: 5}])


class Named:
    """An object that has whatever attributes it is given."""


@needs_linux
def test_a_name_of_an_attribute_is_short_enough_for_messages(meter: Meter, tmp_path: Path) -> None:
    found = schema(["builtins:list"], [[0, ["a" * 10**6]]], [[0, 1, [5]]], [0])
    path = written(tmp_path / "file", found)
    for verb in VERBS:
        found_ = meter(path, verb)
        assert_refused(found_, "FormatError", peak=5 * found_.size + SMALL, match="letters")
        assert len(found_.message) < 500
    for length in (LONGEST_NAME, LONGEST_NAME + 1):
        obj = Named()
        setattr(obj, "a" * length, 5)
        data = skopsafe.dumps(obj)
        loaded = skopsafe.loads(data, skopsafe.get_untrusted_types(data=data))
        assert vars(loaded) == vars(obj)


@needs_linux
@pytest.mark.parametrize("verb", VERBS)
def test_names_and_texts_of_a_file_are_cut_in_what_is_shown(meter: Meter, tmp_path: Path, verb: str) -> None:
    long = "a" * 10**6
    tables = schema(["builtins:dict"], [[0, None]], [], [0])
    path = written(tmp_path / "file", spelled(tables, runs=f'[[0,1,[["{long}","{long}"]]]]'))
    found = meter(path, verb)
    assert found.ended == "returned", found
    assert found.peak < 6 * found.size + SMALL


def test_a_drawing_has_as_many_lines_as_it_is_asked_for(tmp_path: Path) -> None:
    """What is inside of each other twice is drawn once; what is beside each other is counted."""
    rows: list[Any] = [[0, 1, [[]]]]
    rows += [[0, 1, [[[number]] * 1000]] for number in range(300)]
    path = written(tmp_path / "file", schema(["builtins:list"], [[0, None]], rows, [300]))
    drawn = skopsafe.visualize(path, depth=10**6, width=10**6, lines=500)
    assert len(drawn.lines) == 501
    assert max(map(len, drawn.lines)) < 10_000
