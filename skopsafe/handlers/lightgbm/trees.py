"""The trees of a LightGBM model: what C++ follows without looking, for all trees at once.

``Tree::Predict`` walks ``left_child`` and ``right_child`` until a number below 0, which is the complement of
a leaf, reads the column ``split_feature`` of the row, and for categories the bits of ``cat_threshold``
between two ``cat_boundaries`` that the threshold names (``include/LightGBM/tree.h``). ``TreeSHAP``,
``ToJSON`` and ``RecomputeLeafDepths`` recurse as deep as the tree is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skopsafe.handlers.checks import require
from skopsafe.handlers.lightgbm.numbers import Ints, floats, integers

WHERE = "Booster.model"
DEEPEST = 1000
"""Trees grow leaf by leaf and stay far below. LightGBM itself crashes between 8,000 and 16,000 with the 8 MB
stack of Linux, and the memory for contributions grows with the square."""

OPTIONAL = (
    "cat_boundaries",
    "cat_threshold",
    "leaf_const",
    "num_features",
    "leaf_features",
    "leaf_coeff",
)
KEYS = (
    "Tree",
    "num_leaves",
    "num_cat",
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
    "leaf_weight",
    "leaf_count",
    "internal_value",
    "internal_weight",
    "internal_count",
    "cat_boundaries",
    "cat_threshold",
    "is_linear",
    "leaf_const",
    "num_features",
    "leaf_features",
    "leaf_coeff",
    "shrinkage",
)


def _pattern() -> bytes:
    lines = {key: f"{key}=([^\\n]*+)\\n".encode() for key in KEYS}
    categories = b"".join(lines.pop(key) for key in OPTIONAL[:2])
    linear = b"".join(lines.pop(key) for key in OPTIONAL[2:])
    found = b""
    for key, line in lines.items():
        found += line
        if key == "internal_count":
            found += b"(?:" + categories + b")?+"
        elif key == "is_linear":
            found += b"(?:" + linear + b")?+"
    return found + b"\n\n"


PATTERN = re.compile(_pattern())
"""The lines of a tree: one group for each of `KEYS`, None where the lines are not there."""

_CATEGORICAL = 1
_LARGEST_DECISION = 11  # a category, a default direction, and a kind of missing values below 3

Columns = Mapping[str, Sequence[Any]]


def check(rows: Sequence[tuple[Any, ...]], features: int) -> None:
    """Check all trees of a model.

    Parameters
    ----------
    rows : sequence of tuple
        The groups of `PATTERN` for each tree.
    features : int
        Columns that a row of input has.
    """
    columns: Columns = dict(zip(KEYS, zip(*rows, strict=True), strict=True))
    one = np.ones(len(rows), np.int64)

    def scalar(key: str, low: int, high: int = 2**31 - 1) -> Ints:
        return integers(columns[key], one, f"{WHERE} {key}", low, high)

    require(np.array_equal(scalar("Tree", 0), np.arange(len(rows))), "not counted up", f"{WHERE} Tree")
    leaves, categories = scalar("num_leaves", 1), scalar("num_cat", 0)
    linear = scalar("is_linear", 0, 1)
    floats(columns["shrinkage"], one, f"{WHERE} shrinkage")
    inner = leaves - 1
    for key in ("split_gain", "internal_value", "internal_weight"):
        floats(columns[key], inner, f"{WHERE} {key}")
    thresholds = floats(columns["threshold"], inner, f"{WHERE} threshold")
    floats(columns["leaf_value"], leaves, f"{WHERE} leaf_value")
    # A tree of one leaf forgets its weight when it is read, and before LightGBM 4.6 its count.
    floats(columns["leaf_weight"], _kept(columns["leaf_weight"], leaves), f"{WHERE} leaf_weight")
    integers(columns["leaf_count"], _kept(columns["leaf_count"], leaves), f"{WHERE} leaf_count", 0)
    integers(columns["internal_count"], inner, f"{WHERE} internal_count", 0)
    integers(columns["split_feature"], inner, f"{WHERE} split_feature", 0, features - 1)
    decisions = integers(columns["decision_type"], inner, f"{WHERE} decision_type", 0, _LARGEST_DECISION)
    tree = np.repeat(np.arange(len(rows)), inner)
    _check_children(columns, leaves, tree)
    _check_categories(columns, categories, thresholds, np.flatnonzero(decisions & _CATEGORICAL), tree)
    given = np.array([const is not None for const in columns["leaf_const"]])
    for number in np.flatnonzero((linear == 1) | given).tolist():
        require(linear[number], f"tree {number} has models in its leaves", f"{WHERE} is_linear")
        _check_linear({key: columns[key][number] for key in OPTIONAL[2:]}, int(leaves[number]), features)


def _kept(column: Sequence[bytes], leaves: Ints) -> Ints:
    """Return how many numbers each tree has in a line that those of one leaf may leave empty."""
    lost = np.array([not item for item in column]) & (leaves == 1)
    return np.where(lost, 0, leaves)


def _check_children(columns: Columns, leaves: Ints, tree: np.ndarray[Any, Any]) -> None:
    """Require that the nodes of each tree hang together, each below one other, and not too deep."""
    inner = leaves - 1
    starts, ends = np.cumsum(inner) - inner, np.cumsum(leaves)
    own = np.arange(len(tree)) - starts[tree]
    below, fallen = [], []
    for key in ("left_child", "right_child"):
        where = f"{WHERE} {key}"
        child = integers(columns[key], inner, where)
        goes_on = child >= 0
        require((child < inner[tree]).all(), "a child is no node of its tree", where)
        require((~child < leaves[tree]).all(), "a child is no leaf of its tree", where)
        require((child > own)[goes_on].all(), "a child does not come after its parent", where)
        below.append(np.where(goes_on, child + starts[tree], -1))
        fallen.append((~child + (ends - leaves)[tree])[~goes_on])
    both = np.concatenate(below)
    roots = starts[inner > 0]
    parents = np.bincount(both[both >= 0], minlength=len(tree))
    parents[roots] += 1
    require((parents == 1).all(), "a node has not exactly one parent", f"{WHERE} left_child")
    hung = np.bincount(np.concatenate(fallen), minlength=int(ends[-1]))
    hung[(ends - 1)[inner == 0]] += 1
    require((hung == 1).all(), "a leaf has not exactly one parent", f"{WHERE} left_child")
    level = roots
    for _ in range(DEEPEST):
        level = np.concatenate([child[level] for child in below])
        level = level[level >= 0]
        if not level.size:
            return
    require(False, f"a tree is more than {DEEPEST} deep", f"{WHERE} left_child")


def _check_categories(
    columns: Columns, categories: Ints, thresholds: bytes, splits: np.ndarray[Any, Any], tree: Any
) -> None:
    """Require that splits by category name sets of bits that are there."""
    given = np.array([boundaries is not None for boundaries in columns["cat_boundaries"]])
    require(np.array_equal(given, categories > 0), "does not tell whether there are sets", f"{WHERE} num_cat")
    # Each split by category has a set of its own, in their order; a set that is shared would be written out
    # once for each split, as often as a file likes.
    where = f"{WHERE} threshold"
    splits_of = np.bincount(tree[splits], minlength=len(categories))
    require(np.array_equal(splits_of, categories), "names not each set of categories once", where)
    if splits.size:
        tokens = thresholds.split(b" ")
        expected = np.arange(len(splits)) - np.repeat(np.cumsum(categories) - categories, categories)
        fits = [tokens[split] for split in splits.tolist()] == [b"%d" % number for number in expected]
        require(fits, "names not each set of categories once", where)
    if not given.any():
        return
    counts = categories[given] + 1
    boundaries = [value for value in columns["cat_boundaries"] if value is not None]
    where = f"{WHERE} cat_boundaries"
    found = integers(boundaries, counts, where, 0)
    ends = np.cumsum(counts)
    require((found[ends - counts] == 0).all(), "does not begin at 0", where)
    is_step = np.ones(len(found), bool)
    is_step[ends - counts] = False
    require((np.diff(found, prepend=0)[is_step] >= 0).all(), "goes down", where)
    words = [value for value in columns["cat_threshold"] if value is not None]
    integers(words, found[ends - 1], f"{WHERE} cat_threshold", 0, 2**32 - 1)


def _check_linear(values: Mapping[str, Any], leaves: int, features: int) -> None:
    """Check the linear models in the leaves of one tree."""
    require(values["leaf_const"] is not None, "there are no models in its leaves", f"{WHERE} is_linear")
    floats([values["leaf_const"]], np.array([leaves]), f"{WHERE} leaf_const")
    counts = integers([values["num_features"]], np.array([leaves]), f"{WHERE} num_features", 0)
    total = np.array([counts.sum()])
    for key in ("leaf_features", "leaf_coeff"):
        where = f"{WHERE} {key}"
        tokens = values[key].split()
        require(len(tokens) == total[0], f"{len(tokens)} numbers instead of {total[0]}", where)
        require(values[key] == _laid_out(tokens, counts), "is not laid out by num_features", where)
        if key == "leaf_features":
            integers([b" ".join(tokens)], total, where, 0, features - 1)
        else:
            floats([b" ".join(tokens)], total, where)


def _laid_out(tokens: list[bytes], counts: Ints) -> bytes:
    """Write numbers as ``Tree::ToString`` does: leaf by leaf, with blanks behind."""
    place, parts = 0, []
    for count in counts.tolist():
        parts += [token + b" " for token in tokens[place : place + count]]
        parts.append(b" ")
        place += count
    return b"".join(parts)
