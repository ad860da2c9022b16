"""Numbers in a model text: exactly the forms that LightGBM writes, so that nobody can read them otherwise.

Integers come from ``{fmt}``'s ``{}``, floats from ``{:g}``, ``{:.17g}`` and C++ streams of up to 17 digits
(``include/LightGBM/utils/common.h``). The columns of all trees are joined and looked at as one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from skopsafe.handlers.checks import require

Ints = np.ndarray[Any, np.dtype[np.int64]]

INTEGER = rb"(?:0|-?[1-9]\d{0,9})"
FLOAT = rb"-?+(?:(?:0|[1-9]\d{0,16}+)(?:\.\d{1,21}+)?+(?:e[+-]\d{2,3}+)?+|inf|nan)"

_INTEGERS = re.compile(INTEGER + rb"(?: " + INTEGER + rb")*+")
_FLOATS = re.compile(FLOAT + rb"(?: " + FLOAT + rb")*+")


def floats(column: Sequence[bytes], counts: Ints, where: str) -> bytes:
    """Require ``counts[i]`` floats in item i of `column`, and return them all as one text."""
    return _joined(_FLOATS, column, counts, where)


def integers(
    column: Sequence[bytes], counts: Ints, where: str, low: int = -(2**31), high: int = 2**31 - 1
) -> Ints:
    """Require ``counts[i]`` integers of ``low <= number <= high`` in item i, and return them all."""
    joined = _joined(_INTEGERS, column, counts, where)
    if not joined:
        return np.empty(0, np.int64)
    found: Ints = np.fromstring(joined, np.int64, sep=" ")
    require(low <= found.min() and found.max() <= high, f"holds numbers outside [{low}, {high}]", where)
    return found


def _joined(pattern: re.Pattern[bytes], column: Sequence[bytes], counts: Ints, where: str) -> bytes:
    found = np.array([item.count(b" ") + 1 if item else 0 for item in column], np.int64)
    if not np.array_equal(found, counts):
        tree = int(np.flatnonzero(found != counts)[0])
        require(False, f"tree {tree} has {found[tree]} numbers instead of {counts[tree]}", where)
    joined = b" ".join(filter(None, column))
    # Where an item has a blank too many, so has the joined text.
    require(not joined or pattern.fullmatch(joined), "is not written as LightGBM writes numbers", where)
    return joined
