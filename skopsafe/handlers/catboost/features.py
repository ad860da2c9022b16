"""The features of a model, and the bins that splits count through.

Splits number all borders of float features, of features computed from texts and embeddings, all values of
one-hot features and all borders of statistics of categories (CTR), in this order; evaluation puts 254 of
them in a byte. Source: ``catboost/libs/model/features.cpp``, ``model.cpp`` (``CalcBinFeatures``) and
``cpu/quantization.h``, in CatBoost 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skopsafe.handlers.catboost.ctrs import BASE, Ctrs, read_bases
from skopsafe.handlers.catboost.flat import Column, Layout, Positions, Rows, Table, refuse
from skopsafe.handlers.checks import in_range, require

IN_A_BYTE = 254
MOST_BUCKETS = 2**16
MOST_COLUMNS = 2**20
"""Tables as long as the largest index of a column are made; a model may have dropped the columns between."""

_MISSING = {"Index": -1, "FlatIndex": -1, "UsedInModel": 1}
_FLOAT = "HasNans:b Index:i FlatIndex:i Borders:4 FeatureId:s NanValueTreatment:b"
_OTHER = Layout("Index:i FlatIndex:i FeatureId:s UsedInModel:b", **_MISSING)
_EMBEDDING = "Index:i FlatIndex:i FeatureId:s Dimension:i UsedInModel:b"
_KINDS = {
    "FloatFeatures": (5, Layout(_FLOAT, **_MISSING)),
    "CatFeatures": (4, _OTHER),
    "TextFeatures": (12, _OTHER),
    "EmbeddingFeatures": (18, Layout(_EMBEDDING, **_MISSING)),
}
_ONE_HOT = Layout("Index:i Values:4 StringValues:4", Index=-1)
_ESTIMATED = Layout(
    "SourceFeatureIndex:i CalcerId:g LocalIndex:i Borders:4 SourceFeatureType:b",
    SourceFeatureIndex=-1,
    LocalIndex=-1,
)
_CTR_FEATURE = Layout("Ctr:t Borders:4")
_CTR = Layout("Base:t TargetBorderIdx:i")


@dataclass(frozen=True, slots=True)
class Estimated:
    """Features that are computed from a text or an embedding.

    Attributes
    ----------
    sources : ndarray of shape (n_estimated,)
        Index of the text or of the embedding.
    calcers : list of bytes
        Id of what computes each.
    locals_ : ndarray of shape (n_estimated,)
        Which of its outputs.
    of_embeddings : ndarray of shape (n_estimated,), bool
    """

    sources: Column
    calcers: list[bytes]
    locals_: Column
    of_embeddings: NDArray[np.bool_]


_NONE = np.zeros(0, np.int32)
_NO_CTRS = Ctrs([], _NONE, _NONE, _NONE)
_NOT_ESTIMATED = Estimated(_NONE, [], _NONE, np.zeros(0, np.bool_))


@dataclass(frozen=True, slots=True)
class Features:
    """What a model knows of its features.

    Attributes
    ----------
    bins : ndarray of shape (n_bins,), uint32
        What a split of each bin is as evaluation reads it (``RepackedBins``): bucket, mask and number.
    ctrs : Ctrs
        The statistics that features are of.
    classes : ndarray
        The class of its table that each of them is of.
    used_texts, used_embeddings : ndarray
        Indices of the texts and embeddings that evaluation reads.
    """

    bins: Column
    ctrs: Ctrs
    classes: Column
    estimated: Estimated
    used_texts: Column
    used_embeddings: Column

    def require_outputs(self, texts: Outputs | None, embeddings: Outputs | None) -> None:
        """Check features computed from texts and embeddings against what stands behind the core."""
        for kind, found, used in ((False, texts, self.used_texts), (True, embeddings, self.used_embeddings)):
            name = "EmbeddingFeatures" if kind else "TextFeatures"
            mine = np.flatnonzero(self.estimated.of_embeddings == kind)
            where = f"CatBoost.model.ModelTrees.{name}"
            if found is None:
                require(not len(mine) and not len(used), "what computes them is missing", where)
                continue
            require(not len(used) or used.max() < found.n_sources, "is not computed", f"{where}.Index")
            for place in mine.tolist():
                calcer = self.estimated.calcers[place]
                outputs = found.outputs.get(calcer)
                where = "CatBoost.model.ModelTrees.EstimatedFeatures"
                require(outputs is not None, "is computed by nothing", f"{where}.CalcerId")
                local = int(self.estimated.locals_[place])
                require(
                    0 <= local < (outputs or 0),
                    f"{local} is none of {outputs} outputs",
                    f"{where}.LocalIndex",
                )


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


def check_features(trees: Table) -> Features:
    """Check all that ``TModelTrees`` says of features."""
    kinds = [trees.rows(place, layout, name) for name, (place, layout) in _KINDS.items()]
    most = max(MOST_COLUMNS, 64 * sum(map(len, kinds)))
    columns, indices = [], []
    for rows in filter(None, kinds):
        for name, found in (("Index", indices), ("FlatIndex", columns)):
            values = rows.integers(name)
            require((values[1:] > values[:-1]).all(), "is not sorted", f"{rows.where}.{name}")
            if values[0] < 0 or values[-1] >= most:
                refuse(f"holds values outside [0, {most})", f"{rows.where}.{name}")
            found.append(values)
    if columns:
        _check_ranks(columns, indices, trees.where)
    floats, *others = kinds
    categories, texts, embeddings = (_used(rows) for rows in others)
    in_range(floats.column("HasNans"), f"{floats.where}.HasNans", 0, 2)
    in_range(floats.column("NanValueTreatment"), f"{floats.where}.NanValueTreatment", 0, 3)
    borders = _borders(floats)
    estimated, computed = _estimated(trees, texts, embeddings)
    onehot = trees.rows(6, _ONE_HOT, "OneHotFeatures")
    _check_one_hot(onehot, categories)
    ctrs, classes, ctr_counts = _ctrs(trees, categories, floats, borders, onehot)
    counts = [floats.lengths("Borders"), computed, onehot.lengths("Values"), ctr_counts]
    return Features(_bins(counts), ctrs, classes, estimated, texts, embeddings)


def _bins(counts: list[Positions]) -> Column:
    """Return the splits of all bins, as far as a split can name their bucket.

    Parameters
    ----------
    counts : list of four arrays
        How many borders or values each feature has: numbers, what is computed, one-hot values, statistics.
    """
    sizes = np.concatenate(counts)
    if len(sizes) and sizes.max() > IN_A_BYTE:
        buckets = -(-sizes // IN_A_BYTE)
        last = np.cumsum(buckets)[sizes > 0] - 1
        rest = (sizes - IN_A_BYTE * (buckets - 1))[sizes > 0]
        sizes = np.full(int(buckets.sum()), IN_A_BYTE)
        sizes[last] = rest
    else:
        sizes = sizes[sizes > 0]  # one of no border at all has no bucket
    ends = np.cumsum(sizes)
    if not len(ends):
        return np.zeros(0, np.uint32)
    # The number of a split in its bucket counts from one, and stands in the highest byte.
    first = np.arange(len(sizes)) - ((ends - sizes - 1) << 24)
    bins = (np.repeat(first, sizes) + (np.arange(int(ends[-1])) << 24)).astype(np.uint32)
    start = int(counts[0].sum() + counts[1].sum())
    values = bins[start : start + int(counts[2].sum())]
    values[:] = values & 0xFFFF | (~values >> 24) << 16 | 0xFF000000
    return bins[: ends[min(len(ends), MOST_BUCKETS) - 1]]


def _check_ranks(columns: list[Column], indices: list[Column], where: str) -> None:
    """Require that no column is there twice, and that features of a kind are counted no further than columns of
    that kind can stand before them.

    Explanations look features up by that count among those of X.
    """
    every = np.concatenate(columns)
    before = every.astype(np.int64)
    if len(columns) > 1:
        order = np.argsort(every)
        require((np.diff(every[order]) > 0).all(), "a column is there twice", f"{where}.FlatIndex")
        ranks = np.empty(len(every), np.int64)
        ranks[order] = np.arange(len(every))
        before -= ranks - np.concatenate([np.arange(len(column)) for column in columns])
    fits = np.concatenate(indices) <= before
    require(fits.all(), "counts columns that are not there", f"{where}.Index")


def _used(rows: Rows) -> Column:
    """Return the indices of the features that evaluation reads."""
    if not rows:
        return _NONE
    used = rows.column("UsedInModel")
    in_range(used, f"{rows.where}.UsedInModel", 0, 2)
    return rows.integers("Index")[used == 1]


def _borders(rows: Rows) -> Column:
    """Return the bits of all borders; those of a feature must rise."""
    words = rows.items("Borders")
    borders = words.view(np.float32)
    rises = borders[1:] > borders[:-1]
    ends = np.cumsum(rows.lengths("Borders"))
    # From the last border of a feature to the first of the next.
    rises[ends[(ends > 0) & (ends < len(borders))] - 1] = True
    require(rises.all() and not np.isnan(borders).any(), "is not sorted", f"{rows.where}.Borders")
    return words


def _estimated(trees: Table, texts: Column, embeddings: Column) -> tuple[Estimated, Positions]:
    rows = trees.rows(13, _ESTIMATED, "EstimatedFeatures")
    if not rows:
        return _NOT_ESTIMATED, rows.lengths("Borders")
    sources, kinds = rows.integers("SourceFeatureIndex"), rows.column("SourceFeatureType")
    in_range(kinds, f"{rows.where}.SourceFeatureType", 0, 2)
    for kind, used in enumerate((texts, embeddings)):
        _require_known(sources[kinds == kind], used, f"{rows.where}.SourceFeatureIndex")
    _borders(rows)
    found = Estimated(sources, rows.ids("CalcerId"), rows.integers("LocalIndex"), kinds == 1)
    return found, rows.lengths("Borders")


def _check_one_hot(rows: Rows, used: Column) -> None:
    if not rows:
        return
    index = rows.integers("Index")
    _require_known(index, used, f"{rows.where}.Index")
    require(len(set(index.tolist())) == len(rows), "is there twice", f"{rows.where}.Index")
    names = rows.lengths("StringValues")
    fits = (names == 0) | (names == rows.lengths("Values"))
    require(fits.all(), "is not as long as the values", f"{rows.where}.StringValues")
    rows.check_texts("StringValues")


def _ctrs(
    trees: Table, used: Column, floats: Rows, borders: Column, onehot: Rows
) -> tuple[Ctrs, Column, Positions]:
    """Return the statistics that features are of, the class of each, and how many borders each has."""
    rows = trees.rows(7, _CTR_FEATURE, "CtrFeatures")
    if not rows:
        return _NO_CTRS, _NONE, rows.lengths("Borders")
    _borders(rows)
    ctrs = rows.follow("Ctr", _CTR)
    bases = ctrs.follow("Base", BASE)
    found = read_bases(bases)
    _require_known(found.categories, used, f"{bases.where}.CatFeatures")
    # A split in a combination is found by its feature and its very border or value.
    if len(found.splits):
        known = borders.view(np.float32) + np.float32(0)
        _require_pairs(found.splits, floats, "Borders", known.view(np.uint32), f"{bases.where}.FloatSplits")
    if len(found.values):
        _require_pairs(found.values, onehot, "Values", onehot.items("Values"), f"{bases.where}.OneHotSplits")
    return found, ctrs.integers("TargetBorderIdx"), rows.lengths("Borders")


def _require_pairs(found: Column, rows: Rows, name: str, items: Column, where: str) -> None:
    """Require pairs of the index of a feature and one of its items."""
    known = np.stack([np.repeat(rows.column("Index"), rows.lengths(name)), items], axis=1)
    require(np.isin(found.view(np.int64), known.view(np.int64)).all(), "names what the model does not have", where)


def _require_known(found: Column, known: Column, where: str) -> None:
    require(set(found.tolist()) <= set(known.tolist()), "names what the model does not have", where)
