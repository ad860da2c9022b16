"""Files that are short and would be long work to audit or to draw: twice as many bytes are twice the work.

Counted and not timed, as in ``tests/test_growth.py``.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any

import pytest

import skopsafe
from skopsafe.report.text import visualize
from skopsafe.testing.crafted import changed
from tests.test_growth import per_pair, steps

Tables = tuple[list[Any], list[Any], list[Any]]
LIST, DICT = ["builtins:list", "class"], ["builtins:dict", "class"]
FUNCTION = ["numpy:log1p", "value"]
SEARCH = ["sklearn.model_selection._search:GridSearchCV", "class"]


def ahead(count: int) -> Tables:
    """Return lists, each of which holds the next one, and the last a function that may not stand anywhere."""
    return [LIST, FUNCTION], [[0, None], [1, []]], [[0, count, [[[n + 1]] for n in range(count)]], [1, 1, []]]


def one_grid(count: int) -> Tables:
    """Return searches that share one grid, which is a list of one dict many times."""
    runs = [[1, 1, [[]]], [0, 1, [[[0]] * count]], [2, count, [{"refs": [1] * count}]]]
    return [LIST, DICT, SEARCH], [[0, None], [1, None], [2, ["param_grid"]]], runs


def one_dict(count: int) -> Tables:
    """Return searches each of which has a grid of its own, with one long dict in it."""
    pairs = [item for number in range(count) for item in (f"name{number}", number)]
    runs = [[1, 1, [pairs]], [0, count, [[[0]] for _ in range(count)]], [2, count, [{"ref": 1, "step": 1}]]]
    return [LIST, DICT, SEARCH], [[0, None], [1, None], [2, ["param_grid"]]], runs


def one_list_of_texts(count: int) -> Tables:
    """Return searches over a parameter of which only numbers are harmless, in a list that all share."""
    runs = [
        [0, 1, [[1.5] * count]],
        [0, 1, [[[0]] * count]],
        [1, count, [["step__func", [1]] for _ in range(count)]],
        [2, count, [{"ref": 2, "step": 1}]],
    ]
    return [LIST, DICT, SEARCH], [[0, None], [1, None], [2, ["param_grid"]]], runs


CRAFTED: dict[str, Callable[[int], Tables]] = {
    "references ahead": ahead,
    "one grid": one_grid,
    "one dict": one_dict,
    "one list": one_list_of_texts,
}


def crafted(tables: Tables) -> bytes:
    types, shapes, runs = tables

    def change(schema: dict[str, Any]) -> None:
        schema.update(types=types, shapes=shapes, runs=runs, root=[0])

    return changed([1], change)


@pytest.mark.parametrize("name", CRAFTED)
@pytest.mark.parametrize(
    "look", [skopsafe.audit, lambda data: visualize(io.BytesIO(data))], ids=["audit", "draw"]
)
def test_what_is_short_is_short_work(name: str, look: Callable[[bytes], Any]) -> None:
    count = 60
    files = [crafted(CRAFTED[name](count * factor)) for factor in (1, 2, 4)]
    look(files[0])  # what is worked out once in a process is none of this
    counts = [steps(functools.partial(look, data)) for data in files]
    assert per_pair(counts, count) < 0.5, counts
