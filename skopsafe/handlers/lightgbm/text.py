"""The text of a LightGBM model (format ``v4``), read line by line in the order in which LightGBM writes it.

The C++ reader takes lines in any order, the last of equal keys, numbers as far as they go, and sizes as they
are. Here every line has one place and one form, which leaves no text that the two read differently. The
writer is ``GBDT::SaveModelToString`` (``src/boosting/gbdt_model_text.cpp``) and ``Tree::ToString``
(``src/io/tree.cpp``); both wrote the same lines from LightGBM 4.0 to 4.7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from skopsafe.handlers.checks import require
from skopsafe.handlers.lightgbm import parameters, trees
from skopsafe.handlers.lightgbm.lines import WHERE, check_characters, explain, shown
from skopsafe.handlers.lightgbm.numbers import FLOAT, INTEGER

MOST_FEATURES = 2**24
_OLDEST, _VERSION = 3, 4
_ONE_OUTPUT = (
    rb"(?:regression|regression_l1|huber|fair|poisson|quantile|mape|gamma|tweedie)(?: sqrt)?"
    rb"|binary sigmoid:(?P<a>" + FLOAT + rb")|lambdarank|rank_xendcg|cross_entropy|cross_entropy_lambda"
)
_OBJECTIVE = re.compile(
    _ONE_OUTPUT
    + rb"|(?:multiclass num_class:(?P<b>\d{1,5})"
    + rb"|multiclassova num_class:(?P<c>\d{1,5}) sigmoid:(?P<d>"
    + FLOAT
    + rb"))"
)
_INFO = re.compile(rb"none|\[" + FLOAT + rb":" + FLOAT + rb"\]|" + INTEGER + rb"(?::" + INTEGER + rb")*+")
_COUNT = re.compile(rb"[1-9]\d{0,18}")
_SIZES = re.compile(rb"[1-9]\d{0,18}(?: [1-9]\d{0,18})*+")
_BEHIND_TREES = b"end of trees\n\nfeature_importances:\n"
_AT_ONCE = 2**20
"""Bytes of trees that are checked together: some four times as many are needed for it."""
_NUMBER = re.compile(INTEGER)
_NOT_IN_NAMES = re.compile(rb'[",:\[\]{}]')


@dataclass(frozen=True, slots=True)
class Model:
    """What the rest needs to know of a text that was found good.

    Attributes
    ----------
    num_class : int
        Outputs of one row; as many trees are grown in each iteration.
    features : int
        Columns of the input.
    iterations : int
        Trees divided by `num_class`.
    is_odd : bool
        Whether there are trees that LightGBM may write otherwise once it has read them.
    """

    num_class: int
    features: int
    iterations: int
    is_odd: bool = field(default=False, compare=False)


class _Lines:
    """Takes lines off the front of a text."""

    def __init__(self, text: bytes, place: int = 0) -> None:
        self.text = text
        self.place = place

    def next(self) -> bytes:
        end = self.text.find(b"\n", self.place)
        require(end >= 0, "ends in the middle of a line", WHERE)
        line = self.text[self.place : end]
        self.place = end + 1
        return line

    def exactly(self, *lines: bytes) -> None:
        for line in lines:
            found = self.next()
            if found != line:
                require(False, f"{shown(found)} in place of {shown(line)}", WHERE)

    def value(self, key: str) -> bytes:
        line = self.next()
        start = f"{key}=".encode()
        if not line.startswith(start):
            require(False, f"{shown(line)} in place of {key}", f"{WHERE} {key}")
        return line[len(start) :]

    def comes(self, start: bytes) -> bool:
        return self.text.startswith(start, self.place)

    def integer(self, key: str, low: int, high: int) -> int:
        value = self.value(key)
        require(_NUMBER.fullmatch(value), "is not an integer", f"{WHERE} {key}")
        require(low <= int(value) <= high, f"{int(value)} is not in [{low}, {high}]", f"{WHERE} {key}")
        return int(value)

    @property
    def is_at_end(self) -> bool:
        return self.place == len(self.text)


def read(text: bytes) -> Model:
    """Check a whole text.

    Parameters
    ----------
    text : bytes
        What ``Booster.model_to_string`` gives, without the line on pandas categories.

    Raises
    ------
    ValidationError
        LightGBM does not write such a text, or would follow it out of its memory.
    """
    lines = _Lines(text)
    lines.exactly(b"tree")
    _check_version(lines.value("version"))
    num_class = lines.integer("num_class", 1, parameters.MOST_CLASSES)
    # Each iteration writes this many numbers for a row, into room for num_class.
    lines.integer("num_tree_per_iteration", num_class, num_class)
    lines.integer("label_index", 0, 2**31 - 1)
    features = lines.integer("max_feature_idx", 0, MOST_FEATURES - 1) + 1
    if lines.comes(b"objective="):
        _check_objective(lines.value("objective"), num_class)
    if lines.comes(b"average_output\n"):
        lines.next()
    names = _names(lines.value("feature_names"), features)
    if lines.comes(b"monotone_constraints="):
        constraints = lines.value("monotone_constraints").split(b" ")
        fits = len(constraints) == features and set(constraints) <= {b"-1", b"0", b"1"}
        require(fits, f"not -1, 0 or 1 for each of {features} features", f"{WHERE} monotone_constraints")
    infos = lines.value("feature_infos").split(b" ")
    fits = len(infos) == features and all(map(_INFO.fullmatch, infos))
    require(fits, f"not a range for each of {features} features", f"{WHERE} feature_infos")
    sizes = _sizes(lines.value("tree_sizes"))
    lines.exactly(b"")
    require(len(sizes) % num_class == 0, "an iteration has too few trees", f"{WHERE} tree_sizes")
    few = num_class <= parameters.FEW_CLASSES
    require(few or sizes, f"{num_class} classes and no tree", f"{WHERE} num_class")
    # Trees have no characters but those of their keys and of numbers.
    check_characters(text[: lines.place])
    is_odd = _check_trees(lines, sizes, features)
    check_characters(text[lines.place :])
    _check_importances(lines, names)
    if not lines.is_at_end:
        require(sizes, "LightGBM reads no parameters where there is no tree", f"{WHERE} parameters")
        _check_parameters(lines)
    require(lines.is_at_end, "goes on after its end", WHERE)
    return Model(num_class, features, len(sizes) // num_class, is_odd)


def _check_version(value: bytes) -> None:
    found = re.fullmatch(rb"v([1-9]\d{0,3})", value)
    require(found, "is not a version", f"{WHERE} version")
    number = int(found[1]) if found else 0
    require(
        number <= _VERSION,
        f"was written by a newer LightGBM: format v{number}, and v{_VERSION} is the newest known; "
        "upgrade skopsafe and lightgbm",
        f"{WHERE} version",
    )
    # The fields of v3 are those of v4, and LightGBM reads both alike.
    require(number >= _OLDEST, f"format v{number} is older than LightGBM 3", f"{WHERE} version")


def _check_objective(value: bytes, num_class: int) -> None:
    where = f"{WHERE} objective"
    found = _OBJECTIVE.fullmatch(value)
    require(found, f"{shown(value)} is not an objective that can be read back", where)
    assert found is not None
    # The softmax of an objective writes as many numbers as the objective has classes.
    classes = found["b"] or found["c"] or b"1"
    require(int(classes) == num_class, f"is for {int(classes)} classes, not {num_class}", where)
    sigmoid = found["a"] or found["d"]
    require(sigmoid is None or float(sigmoid) > 0, "sigmoid is not above 0", where)


def _names(value: bytes, features: int) -> set[bytes]:
    where = f"{WHERE} feature_names"
    names = value.split(b" ")
    require(len(names) == features and all(names), f"not a name for each of {features} features", where)
    require(not _NOT_IN_NAMES.search(value), "a name has a character that LightGBM forbids", where)
    found = set(names)
    require(len(found) == features, "a name stands twice", where)
    if b"=" in value:
        # With one other piece LightGBM takes that piece for the value, and loses the equals sign.
        pieces = sum(map(bool, value.split(b"=")))
        require(pieces > 1, "LightGBM reads a name with '=' otherwise than it writes it", where)
    return found


def _sizes(value: bytes) -> list[int]:
    require(not value or _SIZES.fullmatch(value), "not sizes", f"{WHERE} tree_sizes")
    return [int(size) for size in value.split()]


def _check_trees(lines: _Lines, sizes: list[int], features: int) -> bool:
    """Check all trees, and tell whether there are numbers that LightGBM may write otherwise."""
    end, first, is_odd = lines.place + sum(sizes), 0, False
    if not lines.text.startswith(_BEHIND_TREES, end):
        for number, size in enumerate(sizes):
            explain(lines.text[lines.place : lines.place + size], number)
            lines.place += size
        lines.exactly(b"end of trees", b"", b"feature_importances:")
    while first < len(sizes):
        last, size = first, 0
        while last < len(sizes) and (size + sizes[last] <= _AT_ONCE or last == first):
            size += sizes[last]
            last += 1
        is_odd |= trees.check(lines.text, lines.place, sizes[first:last], first, features)
        lines.place += size
        first = last
    lines.exactly(b"end of trees", b"", b"feature_importances:")
    return is_odd


def _check_importances(lines: _Lines, names: set[bytes]) -> None:
    while not lines.is_at_end:
        line = lines.next()
        if not line:
            return
        name, _, count = line.rpartition(b"=")
        fits = name in names and _COUNT.fullmatch(count)
        require(fits, f"{shown(line)} is not a feature and a count", f"{WHERE} feature_importances")


def _check_parameters(lines: _Lines) -> None:
    require(
        not lines.comes(b"parser:"),
        "is for data files with a parser of their own, which is not supported",
        f"{WHERE} parser",
    )
    lines.exactly(b"parameters:")
    end = lines.text.find(b"\n\n", lines.place)
    require(end >= 0, "ends in the middle of a line", WHERE)
    parameters.check_lines(lines.text[lines.place : end + 1], f"{WHERE} parameters")
    lines.place = end + 2
    lines.exactly(b"end of parameters")
    require(
        not lines.comes(b"\nparser:"),
        "is for data files with a parser of their own, which is not supported",
        f"{WHERE} parser",
    )
