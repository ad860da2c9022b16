"""The features of a model, and the bins that splits count through.

Splits number all borders of float features, of features computed from texts and embeddings, all values of
one-hot features and all borders of statistics of categories (CTR), in this order; evaluation puts 254 of
them in a byte. Source: ``catboost/libs/model/features.cpp``, ``model.cpp`` (``CalcBinFeatures``) and
``cpu/quantization.h``, in CatBoost 1.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from operator import gt, lt, sub
from typing import Any, NamedTuple

import numpy as np

from skopsafe.handlers.catboost.ctrs import Key, Pair, read_bases
from skopsafe.handlers.catboost.flat import Buffer, Column, Kind, Vector, refuse
from skopsafe.handlers.checks import require

IN_A_BYTE = 254
MOST_BUCKETS = 2**16
_UINT = np.dtype("<u4")
_BUCKETS = np.arange(MOST_BUCKETS, dtype=np.uint32)
_NUMBERS = (np.arange(1, IN_A_BYTE + 1, dtype=np.uint32) << 24).tobytes()
"""The number of a split in its bucket counts from one, and stands in the highest byte."""
MOST_COLUMNS = 2**20
"""Tables as long as the largest index of a column are made; a model may have dropped the columns between."""

_WHERE = "CatBoost.model.ModelTrees"
_INDEX = {"Index": -1, "FlatIndex": -1, "UsedInModel": 1}
_FLOAT = Kind("HasNans:B Index:i FlatIndex:i Borders:4 FeatureId:text NanValueTreatment:B", **_INDEX)
_OTHER = Kind("Index:i FlatIndex:i FeatureId:text UsedInModel:B", **_INDEX)
_EMBEDDING = Kind("Index:i FlatIndex:i FeatureId:text Dimension:i UsedInModel:B", **_INDEX)
_OTHERS = (("CatFeatures", _OTHER), ("TextFeatures", _OTHER), ("EmbeddingFeatures", _EMBEDDING))
_ONE_HOT = Kind("Index:i Values:4 StringValues:4", **_INDEX)
_ESTIMATED = Kind(
    "SourceFeatureIndex:i CalcerId:16s LocalIndex:i Borders:4 SourceFeatureType:B",
    SourceFeatureIndex=-1,
    CalcerId=None,
    LocalIndex=-1,
)
_CTR_FEATURE = Kind("Ctr:table Borders:4")
_CTR = Kind("Base:table TargetBorderIdx:i")


class Estimated(NamedTuple):
    """A feature computed from a text or an embedding: of which one, by what, and which of its outputs."""

    source: int
    calcer: bytes
    local: int


@dataclass(frozen=True, slots=True)
class Features:
    """What a model knows of its features.

    Attributes
    ----------
    bins : ndarray of shape (n_bins,), uint32
        What a split of each bin is as evaluation reads it (``RepackedBins``): bucket, mask and number.
    ctrs : list of tuple
        The statistics that features are of.
    classes : list of int
        The class of its table that each of them is of.
    estimated : list of two lists
        What is computed from texts, and from embeddings.
    used : list of two sets
        Indices of the texts and embeddings that evaluation reads.
    """

    bins: Column
    ctrs: list[Key]
    classes: list[int]
    estimated: list[list[Estimated]]
    used: list[set[int]]

    def require_outputs(self, texts: Outputs | None, embeddings: Outputs | None) -> None:
        """Check features computed from texts and embeddings against what stands behind the core."""
        names = ("TextFeatures", "EmbeddingFeatures")
        found = zip(names, (texts, embeddings), self.used, self.estimated, strict=True)
        for name, outputs, used, estimated in found:
            where = f"CatBoost.model.ModelTrees.{name}"
            if outputs is None:
                require(not estimated and not used, "what computes them is missing", where)
                continue
            require(max(used, default=-1) < outputs.n_sources, "is not computed", f"{where}.Index")
            for _, calcer, local in estimated:
                where = "CatBoost.model.ModelTrees.EstimatedFeatures"
                count = outputs.outputs.get(calcer)
                require(count is not None, "is computed by nothing", f"{where}.CalcerId")
                fits = 0 <= local < (count or 0)
                require(fits, f"{local} is none of {count} outputs", f"{where}.LocalIndex")


@dataclass(frozen=True, slots=True)
class Outputs:
    """What stands behind the core computes from texts, or from embeddings.

    Attributes
    ----------
    n_sources : int
        How many texts or embeddings it knows.
    outputs : dict of bytes to int
        How many numbers each part computes, by its id.
    """

    n_sources: int
    outputs: dict[bytes, int]


def check_features(core: Buffer, fields: dict[str, Any]) -> Features:
    """Check all that ``TModelTrees`` says of features.

    Parameters
    ----------
    core : Buffer
        Holds the trees.
    fields : dict
        The fields of the table.
    """
    where = _WHERE
    floats = core.rows(_FLOAT, fields["FloatFeatures"], f"{where}.FloatFeatures")
    nans, index, columns, borders, _, treatments, _ = zip(*floats, strict=True) if floats else [()] * 7
    if floats and max(nans) > 1:
        refuse("is neither yes nor no", f"{where}.FloatFeatures.HasNans")
    if floats and max(treatments) > 2:
        refuse("is unknown", f"{where}.FloatFeatures.NanValueTreatment")
    places = {"FloatFeatures": (index, columns)}
    used: list[set[int]] = []
    for name, kind in _OTHERS:
        rows = core.rows(kind, fields[name], f"{where}.{name}")
        if any(row[-2] > 1 for row in rows):
            refuse("is neither yes nor no", f"{where}.{name}.UsedInModel")
        if rows:
            places[name] = tuple([row[0] for row in rows]), tuple([row[1] for row in rows])
        used.append({row[0] for row in rows if row[-2]})
    _check_columns(places)
    _check_borders(core, borders, f"{where}.FloatFeatures")
    estimated, computed = _estimated(
        core, fields["EstimatedFeatures"], used[1:], f"{where}.EstimatedFeatures"
    )
    onehot = _one_hot(core, fields["OneHotFeatures"], used[0], f"{where}.OneHotFeatures")
    known = dict(zip(index, borders, strict=True)), onehot, used[0]
    ctrs, classes, of_ctrs = _ctrs(core, fields["CtrFeatures"], known, f"{where}.CtrFeatures")
    counts = [[count for _, count in vectors] for vectors in (borders, computed, onehot.values(), of_ctrs)]
    return Features(_bins(counts), ctrs, classes, estimated, used[1:])


def _bins(counts: list[list[int]]) -> Column:
    """Return the splits of all bins, as far as a split can name their bucket.

    Parameters
    ----------
    counts : list of four lists
        How many borders or values each feature has: numbers, what is computed, one-hot values, statistics.
    """
    sizes = list(chain(*counts))
    if sizes and not 0 < min(sizes) <= max(sizes) <= IN_A_BYTE:
        # A feature of no border at all has no bucket, and one of many has more than one.
        sizes = [min(IN_A_BYTE, left) for count in sizes for left in range(count, 0, -IN_A_BYTE)]
    del sizes[MOST_BUCKETS:]
    numbers = b"".join([_NUMBERS[: 4 * size] for size in sizes])
    bins: Column = _BUCKETS[: len(sizes)].repeat(sizes)
    bins += np.frombuffer(numbers, _UINT)
    if counts[2]:
        start = sum(counts[0]) + sum(counts[1])
        values = bins[start : start + sum(counts[2])]
        values[:] = values & 0xFFFF | (~values >> 24) << 16 | 0xFF000000
    return bins


def _check_columns(kinds: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]) -> None:
    """Check where the features of each kind stand among those of their kind, and among all columns.

    Explanations look features up by the first among the columns of X of that kind: they may not be counted
    further than such columns can stand before them.
    """
    number = sum(len(columns) for _, columns in kinds.values())
    most = max(MOST_COLUMNS, 64 * number)
    for name, found in kinds.items():
        for numbers, what in zip(found, ("Index", "FlatIndex"), strict=True):
            if numbers and not (
                numbers[0] >= 0 and numbers[-1] < most and all(map(lt, numbers, numbers[1:]))
            ):
                refuse(f"is not sorted, or not in [0, {most})", f"{_WHERE}.{name}.{what}")
    if len(kinds) == 1:  # sorted, they are all different, and none before is of another kind
        ((name, (index, columns)),) = kinds.items()
        if any(map(gt, index, columns)):
            refuse("counts columns that are not there", f"{_WHERE}.{name}.Index")
        return
    every = sorted(chain(*(columns for _, columns in kinds.values())))
    rank = {column: place for place, column in enumerate(every)}
    require(len(rank) == number, "a column is there twice", f"{_WHERE}.FlatIndex")
    for name, (index, columns) in kinds.items():
        # Of the columns before it, those that are known to be of another kind are none.
        others = map(sub, map(rank.__getitem__, columns), range(number))
        if any(map(gt, index, map(sub, columns, others))):
            refuse("counts columns that are not there", f"{_WHERE}.{name}.Index")


def _check_borders(core: Buffer, vectors: Sequence[Vector], where: str) -> None:
    """Check borders; those of a feature must rise."""
    borders = core.chain(vectors, "<f4", f"{where}.Borders")
    rises = (borders[1:] > borders[:-1]).tobytes()
    # They need not from the last border of a feature to the first of the next.
    ends = list(accumulate([count for _, count in vectors if count]))[:-1]
    between = [rises[end - 1] for end in ends]
    if rises.count(0) > between.count(0) or any(map(math.isnan, core.singles(vectors, "f"))):
        refuse("is not sorted", f"{where}.Borders")


def _estimated(
    core: Buffer, vector: Vector, used: list[set[int]], where: str
) -> tuple[list[list[Estimated]], list[Vector]]:
    """Return what is computed from texts and from embeddings, and the borders of all of it."""
    found: list[list[Estimated]] = [[], []]
    borders = []
    for source, calcer, local, vector_, kind, _ in core.rows(_ESTIMATED, vector, where):
        if kind > 1:
            refuse("is unknown", f"{where}.SourceFeatureType")
        if calcer is None:
            refuse("is missing", f"{where}.CalcerId")
        if source not in used[kind]:
            refuse("names what the model does not have", f"{where}.SourceFeatureIndex")
        found[kind].append(Estimated(source, calcer, local))
        borders.append(vector_)
    if borders:
        _check_borders(core, borders, where)
    return found, borders


def _one_hot(core: Buffer, vector: Vector, used: set[int], where: str) -> dict[int, Vector]:
    """Return the values of one-hot features, by index."""
    rows = core.rows(_ONE_HOT, vector, where)
    found = {index: values for index, values, _, _ in rows}
    require(
        len(found) == len(rows) and found.keys() <= used,
        "is no used category, or there twice",
        f"{where}.Index",
    )
    for _, values, names, _ in rows:
        core.spend(4 * values[1], where)
        if names[1] not in (0, values[1]):
            refuse("is not as long as the values", f"{where}.StringValues")
        core.texts(names, f"{where}.StringValues")
    return found


def _ctrs(
    core: Buffer, vector: Vector, known: tuple[dict[int, Vector], dict[int, Vector], set[int]], where: str
) -> tuple[list[Key], list[int], list[Vector]]:
    """Return the statistics that features are of, the class of each, and their borders.

    Parameters
    ----------
    core : Buffer
        Holds them.
    vector : (int, int)
        The features.
    known : tuple
        Borders of float features and values of one-hot features, by index, and indices of categories.
    where : str
        What they are, for the error.
    """
    rows = core.rows(_CTR_FEATURE, vector, where)
    if not rows:
        return [], [], []
    borders = [row[1] for row in rows]
    _check_borders(core, borders, where)
    ctrs = core.tables(_CTR, [row[0] for row in rows], where)
    keys = read_bases(core, [ctr[0] for ctr in ctrs], where)
    categories = np.frombuffer(b"".join([key[0] for key in keys]), "<i4")
    if not known[2].issuperset(categories.tolist()):
        refuse("names what the model does not have", f"{where}.CatFeatures")
    # A split in a combination is found by its feature and its very border or value.
    _require_known(core, {pair for key in keys for pair in key[1]}, known[0], "<f4", f"{where}.FloatSplits")
    _require_known(core, {pair for key in keys for pair in key[2]}, known[1], "<i4", f"{where}.OneHotSplits")
    return keys, [ctr[1] for ctr in ctrs], borders


def _require_known(core: Buffer, pairs: set[Pair], known: dict[int, Vector], kind: str, where: str) -> None:
    """Require pairs of the index of a feature and one of its borders or values."""
    values = {
        index: set(core.items(known.get(index, (0, 0)), kind).tolist())
        for index in {pair[0] for pair in pairs}
    }
    if not all(value in values[index] for index, value in pairs):
        refuse("names what the model does not have", where)
