"""The trees of a LightGBM model: what C++ follows without looking, for many trees at once.

``Tree::Predict`` walks ``left_child`` and ``right_child`` until a number below 0, which is the complement of
a leaf, reads the column ``split_feature`` of the row, and for categories the bits of ``cat_threshold``
between two ``cat_boundaries`` that the threshold names (``include/LightGBM/tree.h``). ``TreeSHAP``,
``ToJSON`` and ``RecomputeLeafDepths`` recurse as deep as the tree is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skopsafe.handlers.checks import require
from skopsafe.handlers.lightgbm import lines, numbers
from skopsafe.handlers.lightgbm.bits import Array
from skopsafe.handlers.lightgbm.lines import WHERE, Lines
from skopsafe.handlers.lightgbm.numbers import NOT_SO, ODD

DEEPEST = 1000
"""Trees grow leaf by leaf and stay far below. LightGBM itself crashes between 8,000 and 16,000 with the 8 MB
stack of Linux, and the memory for contributions grows with the square."""

_MOST = 2**31 - 1
_SCALARS = ("Tree", "num_leaves", "num_cat", "is_linear")
_PER_NODE = ("split_gain", "threshold", "internal_value", "internal_weight")
_NODES = ("split_feature", "decision_type", "left_child", "right_child")
_COUNTS = ("internal_count", "leaf_count")
_PER_LEAF = ("leaf_count", "leaf_weight", "leaf_value")

_CATEGORICAL = 1
_LARGEST_DECISION = 11  # a category, a default direction, and a kind of missing values below 3


def check(text: bytes, start: int, sizes: Sequence[int], first: int, features: int) -> bool:
    """Check some trees of a model.

    Parameters
    ----------
    text : bytes
        The text of the model.
    start : int
        Where the first of them begins.
    sizes : sequence of int
        How long each of them is.
    first : int
        Number of the first of them.
    features : int
        Columns that a row of input has.

    Returns
    -------
    bool
        Whether there are numbers that LightGBM may write otherwise once it has read them.
    """
    found = lines.find(text, start, np.array(sizes))
    if found is None or not found.numbers.are_well_formed():
        for number, size in enumerate(sizes, first):
            lines.explain(text[start : start + size], number)
            start += size
        require(False, "is not written as LightGBM writes trees", WHERE)
    assert found is not None
    _check_counts(found, (*_SCALARS, "shrinkage"), np.ones(len(sizes), np.int64), first)
    number, leaves, categories, linear = _integers(found, _SCALARS, (_MOST, _MOST, _MOST, 1))
    require((number == np.arange(first, first + len(sizes))).all(), "not counted up", f"{WHERE} Tree")
    require(leaves.all(), "there are none", f"{WHERE} num_leaves")
    inner = leaves - 1
    _check_counts(found, _NODES + _PER_NODE + _COUNTS[:1], inner, first)
    _check_counts(found, _PER_LEAF, leaves, first)
    if not found.numbers.are_counts(found.of(_COUNTS).ravel()):
        for key in _COUNTS:
            _integers(found, (key,), (_MOST,))
    most = (features - 1, _LARGEST_DECISION, _MOST, _MOST)
    _, decisions, *children = _integers(found, _NODES, most, (0, 0, -_MOST - 1, -_MOST - 1))
    _check_children(children, leaves)
    _check_categories(found, categories, inner, np.flatnonzero(decisions & _CATEGORICAL))
    for tree in np.flatnonzero(linear).tolist():
        require(tree in found.linear, "there are no models in its leaves", f"{WHERE} is_linear")
    is_odd = found.numbers.is_odd or not inner.all()
    for tree, values in found.linear.items():
        require(linear[tree], f"tree {first + tree} has models in its leaves", f"{WHERE} is_linear")
        _check_linear(values, int(leaves[tree]), features)
        is_odd |= any(map(ODD.search, values))
    return is_odd


def _check_counts(found: Lines, keys: Sequence[str], expected: Array, first: int) -> None:
    counts = found.numbers.counts[found.of(keys)]
    is_other = counts != expected
    if is_other.any():
        for key, row, amiss in zip(keys, counts, is_other, strict=True):
            # A tree of one leaf forgets its weight when it is read, and before LightGBM 4.6 its count.
            if key in ("leaf_weight", "leaf_count"):
                amiss &= (expected != 1) | (row != 0)
            for tree in np.flatnonzero(amiss).tolist():
                what = f"tree {first + tree} has {row[tree]} numbers instead of {expected[tree]}"
                require(False, what, f"{WHERE} {key}")


def _integers(
    found: Lines, keys: Sequence[str], most: Sequence[int], least: Sequence[int] | None = None
) -> Array:
    """Return the integers of lines, one row for each key, which has as many of them as the others."""
    lines = found.of(keys)
    numbers = found.numbers.scalars(lines.ravel()) if keys is _SCALARS else None
    if numbers is None:
        numbers = found.numbers.integers(lines.ravel())
    if numbers is None:
        for key, row in zip(keys, lines, strict=True):
            require(found.numbers.integers(row) is not None, NOT_SO, f"{WHERE} {key}")
    assert numbers is not None
    numbers = numbers.reshape(len(keys), -1)
    if numbers.size:
        found_in = zip(keys, least or (0,) * len(keys), most, numbers.min(1), numbers.max(1), strict=True)
        for key, low, high, smallest, largest in found_in:
            if smallest < low or high < largest:
                require(False, f"holds numbers outside [{low}, {high}]", f"{WHERE} {key}")
    return numbers


def _check_children(children: Sequence[Array], leaves: Array) -> None:
    """Require that the nodes of each tree hang together, each below one other, and not too deep."""
    inner = leaves - 1
    starts, bases = np.cumsum(inner) - inner, np.cumsum(leaves + inner) - inner
    leaves_of, base = np.repeat(leaves, inner), np.repeat(bases, inner)
    own = np.arange(len(base)) - np.repeat(starts, inner)
    # A place for each leaf and each node of a tree, at base + child. Only the root, or a lone leaf, has no
    # parent, and there are as many places but for that as children: where all are taken, each is once.
    is_taken = np.zeros(int((leaves + inner).sum()), bool)
    is_taken[bases - (inner == 0)] = True
    for child, key in zip(children, ("left_child", "right_child"), strict=True):
        where = f"{WHERE} {key}"
        require((child < leaves_of - 1).all(), "a child is no node of its tree", where)
        require((~child < leaves_of).all(), "a child is no leaf of its tree", where)
        require(((child > own) | (child < 0)).all(), "a child does not come after its parent", where)
        is_taken[base + child] = True
    require(is_taken.all(), "a node or a leaf has not exactly one parent", f"{WHERE} left_child")
    if inner.max() > DEEPEST:
        nodes = np.concatenate(
            [np.where(child < 0, -1, child - own + np.arange(len(own))) for child in children]
        )
        _check_depth(nodes.reshape(2, -1), starts[inner > 0])


def _check_depth(children: Array, level: Array) -> None:
    for _ in range(DEEPEST):
        level = children[:, level].ravel()
        level = level[level >= 0]
        if not level.size:
            return
    require(False, f"a tree is more than {DEEPEST} deep", f"{WHERE} left_child")


def _check_categories(found: Lines, categories: Array, inner: Array, splits: Array) -> None:
    """Require that splits by category name sets of bits that are there."""
    given = np.flatnonzero(categories)
    require(
        np.array_equal(given, found.with_categories),
        "does not tell whether there are sets",
        f"{WHERE} num_cat",
    )
    # Each split by category has a set of its own, in their order; a set that is shared would be written out
    # once for each split, as often as a file likes.
    where, what = f"{WHERE} threshold", "names not each set of categories once"
    tree = np.searchsorted(np.cumsum(inner), splits, "right")
    require(np.array_equal(np.bincount(tree, minlength=len(inner)), categories), what, where)
    if not len(splits):
        return
    expected = np.arange(len(splits)) - np.repeat(np.cumsum(categories) - categories, categories)
    sets = found.numbers.chosen(found.of(("threshold",))[0], splits)
    require(sets is not None and np.array_equal(sets, expected), what, where)
    where, sizes = f"{WHERE} cat_boundaries", categories[given] + 1
    bounds = _of_categories(found, found.boundaries, sizes, where, _MOST)
    ends = np.cumsum(sizes)
    require((bounds[ends - sizes] == 0).all(), "does not begin at 0", where)
    is_step = np.ones(len(bounds), bool)
    is_step[ends - sizes] = False
    require((np.diff(bounds, prepend=0)[is_step] >= 0).all(), "goes down", where)
    _of_categories(found, found.boundaries + 1, bounds[ends - 1], f"{WHERE} cat_threshold", 2**32 - 1)


def _of_categories(found: Lines, lines: Array, sizes: Array, where: str, most: int) -> Array:
    require(np.array_equal(found.numbers.counts[lines], sizes), "is not as long as the splits say", where)
    numbers = found.numbers.integers(lines)
    require(numbers is not None, NOT_SO, where)
    assert numbers is not None
    fits = not len(numbers) or (numbers.min() >= 0 and numbers.max() <= most)
    require(fits, f"holds numbers outside [0, {most}]", where)
    return numbers


def _check_linear(values: Sequence[bytes], leaves: int, features: int) -> None:
    """Check the linear models in the leaves of one tree."""
    const, num_features, leaf_features, coefficients = values
    numbers.doubles(const, leaves, f"{WHERE} leaf_const")
    counts = numbers.integers(num_features, leaves, f"{WHERE} num_features")
    for key, value in (("leaf_features", leaf_features), ("leaf_coeff", coefficients)):
        where, total = f"{WHERE} {key}", sum(counts)
        tokens = value.split()
        require(len(tokens) == total, f"{len(tokens)} numbers instead of {total}", where)
        require(value == _laid_out(tokens, counts), "is not laid out by num_features", where)
        if key == "leaf_features":
            numbers.integers(b" ".join(tokens), total, where, features - 1)
        else:
            numbers.doubles(b" ".join(tokens), total, where)


def _laid_out(tokens: list[bytes], counts: Sequence[int]) -> bytes:
    """Write numbers as ``Tree::ToString`` does: leaf by leaf, with blanks behind."""
    place, parts = 0, []
    for count in counts:
        parts += [token + b" " for token in tokens[place : place + count]]
        parts.append(b" ")
        place += count
    return b"".join(parts)
