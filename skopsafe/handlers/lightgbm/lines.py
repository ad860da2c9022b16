"""The lines of the trees in a model text: which key stands where, for many trees at once.

The C++ reader takes the lines of a tree in any order and the last of equal keys. Here each has its place,
which depends on nothing but whether the tree has categories, and linear models in its leaves.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from skopsafe.handlers.checks import require
from skopsafe.handlers.lightgbm.bits import Array
from skopsafe.handlers.lightgbm.numbers import Numbers, require_floats

WHERE = "Booster.model"

_HEAD = (
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
)
_CATEGORIES = ("cat_boundaries", "cat_threshold")
_IS_LINEAR = ("is_linear",)
_LINEAR = ("leaf_const", "num_features", "leaf_features", "leaf_coeff")
_TAIL = ("shrinkage",)

KEYS = _HEAD + _IS_LINEAR + _TAIL
"""The lines that every tree has."""

_FORMS = [
    _HEAD + categories + _IS_LINEAR + linear + _TAIL
    for categories in ((), _CATEGORIES)
    for linear in ((), _LINEAR)
]
_BEHIND = b"\n\n\n"  # the end of the last line, and two that are empty
_FEWEST = len(KEYS) + 2
_OF_CATEGORIES, _OF_LINEAR = len(_CATEGORIES), len(_LINEAR)  # 2 and 4: a sum of them is in their bits
_WIDTH = 16
"""Bytes that are looked at to find a key: no key with its equals sign is longer."""


def _bytes_of(keys: Sequence[str]) -> tuple[Array, Array, Array]:
    """Return the bytes of keys with their equals signs, which bytes these are, and how many."""
    lines = [f"{key}=".encode() for key in keys]
    masks = [b"\xff" * len(line) for line in lines]
    bits = [
        np.frombuffer(b"".join(line.ljust(_WIDTH, b"\0") for line in those), np.uint64).reshape(-1, 2)
        for those in (lines, masks)
    ]
    return bits[0], bits[1], np.array([len(line) for line in lines])


_KEYS, _KEYS_OF_CATEGORIES = _bytes_of(KEYS), _bytes_of(_CATEGORIES)


@dataclass(frozen=True)
class Lines:
    """The lines of many trees.

    Attributes
    ----------
    numbers : Numbers
        What stands in them.
    table : array of int
        The line of each of `KEYS`, one row for each, by tree.
    with_categories : array of int
        Which trees have categories.
    boundaries : array of int
        Their lines ``cat_boundaries``; those of ``cat_threshold`` are the next ones.
    linear : dict of int to list of bytes
        What stands in the lines about linear models, which are left out of `numbers`, by tree.
    """

    numbers: Numbers
    table: Array
    with_categories: Array
    boundaries: Array
    linear: dict[int, list[bytes]]

    def of(self, keys: Sequence[str]) -> Array:
        """Return the lines of some keys, one row for each."""
        return self.table[[KEYS.index(key) for key in keys]]


def find(text: bytes, start: int, sizes: Array) -> Lines | None:
    """Find the lines of trees.

    Parameters
    ----------
    text : bytes
        What the trees stand in, with some bytes before and behind.
    start : int
        Where the first tree begins.
    sizes : array of int
        How long each tree is.

    Returns
    -------
    Lines or None
        None if the lines are not those of trees.
    """
    ends = np.cumsum(sizes) + 1
    area = np.frombuffer(text, np.uint8, int(ends[-1]), start - 1)
    lasts = area[(ends[:, None] - np.arange(1, 1 + len(_BEHIND))).clip(0)]
    if not (lasts == _BEHIND[0]).all():
        return None
    numbers = Numbers(text, start - 1, len(area))
    # Each tree begins where a line does, for the one before it ends there.
    first = np.searchsorted(numbers.starts, ends - sizes)
    more = np.append(first[1:], len(numbers.starts)) - first - _FEWEST
    if (more & ~(_OF_CATEGORIES | _OF_LINEAR)).any():
        return None
    has_categories, is_linear = (more & _OF_CATEGORIES) > 0, (more & _OF_LINEAR) > 0
    if is_linear.any():
        trees = np.flatnonzero(is_linear)
        behind = (first + len(_HEAD) + 1 + 2 * has_categories)[trees]
        places = numbers.starts[behind + np.arange(len(_LINEAR) + 1)[:, None]] + start - 1
        return _without_linear(text, start, sizes, dict(zip(trees.tolist(), places.T.tolist(), strict=True)))
    lines = first + np.arange(len(KEYS))[:, None]
    lines[len(_HEAD) :] += 2 * has_categories
    boundaries = first[has_categories] + len(_HEAD)
    windows = np.ndarray((len(area),), f"V{_WIDTH}", text, start - 1, (1,))
    for those, (expected, masks, lengths) in (
        (lines, _KEYS),
        (np.array([boundaries, boundaries + 1]), _KEYS_OF_CATEGORIES),
    ):
        if not those.size:
            continue
        found = windows[numbers.starts[those]].view(np.uint64).reshape(len(lengths), -1, 2)
        for half in range(2):  # with all trees in the inner loop
            if not ((found[:, :, half] & masks[:, half, None]) == expected[:, half, None]).all():
                return None
        numbers.take_keys(those.ravel(), np.repeat(lengths, those.shape[1]))
    return Lines(numbers, lines, np.flatnonzero(has_categories), boundaries, {})


def _without_linear(text: bytes, start: int, sizes: Array, places: dict[int, list[int]]) -> Lines | None:
    """Find the lines of trees but for those about linear models, whose places are given by tree."""
    linear, parts, begin, end = {}, [b"\n"], start, start + int(sizes.sum())
    sizes = sizes.copy()
    for tree, lines in places.items():
        linear[tree] = [text[a : b - 1] for a, b in itertools.pairwise(lines)]
        parts.append(text[begin : lines[0]])
        sizes[tree] -= lines[-1] - lines[0]
        begin = lines[-1]
    for those in linear.values():
        for number, key in enumerate(_LINEAR):
            if not those[number].startswith(f"{key}=".encode()):
                return None
            those[number] = those[number][len(key) + 1 :]
    found = find(b"".join(parts) + text[begin:end] + bytes(_WIDTH), 1, sizes)
    return replace(found, linear=linear) if found else None


def explain(tree: bytes, number: int) -> None:
    """Raise where a tree has not its lines in their order and numbers in them, naming the first such line."""
    check_characters(tree)
    rows = [row.partition(b"=") for row in tree.split(b"\n")]
    keys = tuple(key.decode("utf-8", "replace") for key, _, _ in rows)
    if keys[:-3] in _FORMS and tree.endswith(_BEHIND):
        for key, (_, _, value) in zip(keys[:-3], rows, strict=False):
            if key not in _LINEAR:
                require_floats(value, f"{WHERE} {key}")
        return
    expected = iter(_FORMS[-1])
    for key, (start, mark, _) in zip(keys, rows, strict=True):
        wanted = next(expected, None)
        while wanted is not None and wanted in _CATEGORIES + _LINEAR and not (mark and wanted == key):
            wanted = next(expected, None)
        if wanted is None:
            break
        if not mark or wanted != key:
            found = shown(start + mark)
            require(False, f"tree {number} has {found} in place of {wanted}", f"{WHERE} {wanted}")
    require(False, f"tree {number} is not as long as it says, or not in its form", f"{WHERE} tree_sizes")


def check_characters(text: bytes) -> None:
    """Require UTF-8 without characters at which C++ takes a text or a line to end."""
    require(b"\0" not in text and b"\r" not in text, "holds characters that end a text or a line", WHERE)
    if not text.isascii():
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            require(False, "is not UTF-8", WHERE)


def shown(line: bytes) -> str:
    """Spell the start of a line for an error."""
    return repr(line[:40].decode("utf-8", "replace"))
