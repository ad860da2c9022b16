"""The features of a model, and the bins that splits count through.

Splits number all borders of float features, of features computed from texts and embeddings, all values of
one-hot features and all borders of statistics of categories (CTR), in this order; evaluation puts 254 of
them in a byte. Source: ``catboost/libs/model/features.cpp``, ``model.cpp`` (``CalcBinFeatures``) and
``cpu/quantization.h``, in CatBoost 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skopsafe.handlers.catboost.ctrs import Ctrs, read_bases
from skopsafe.handlers.catboost.flat import Column, Tables
from skopsafe.handlers.checks import in_range, require

IN_A_BYTE = 254
MOST_COLUMNS = 2**20
"""Tables as long as the largest index of a column are made; a model may have dropped the columns between."""

_KINDS = {"FloatFeatures": 5, "CatFeatures": 4, "TextFeatures": 12, "EmbeddingFeatures": 18}


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


@dataclass(frozen=True, slots=True)
class Features:
    """What a model knows of its features.

    Attributes
    ----------
    used_texts, used_embeddings : ndarray
        Indices of the texts and embeddings that evaluation reads.
    """

    starts: NDArray[np.int64]
    buckets: NDArray[np.int64]
    values_from: int
    values_to: int
    bins: int
    ctrs: Ctrs
    estimated: Estimated
    used_texts: Column
    used_embeddings: Column

    def places(self, splits: Column) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Return the bucket of each split, its number in the bucket, and whether it is a one-hot value."""
        if not self.bins:
            empty = np.zeros(len(splits), np.int64)
            return empty, empty, empty.astype(np.bool_)
        feature = np.searchsorted(self.starts, splits, "right") - 1
        inside = splits - self.starts[feature]
        bucket = self.buckets[feature] + inside // IN_A_BYTE
        return bucket, inside % IN_A_BYTE + 1, (splits >= self.values_from) & (splits < self.values_to)

    def require_outputs(self, texts: Outputs | None, embeddings: Outputs | None) -> None:
        """Check features computed from texts and embeddings against what stands behind the core."""
        for kind, found, used in ((False, texts, self.used_texts), (True, embeddings, self.used_embeddings)):
            name = "EmbeddingFeatures" if kind else "TextFeatures"
            mine = np.flatnonzero(self.estimated.of_embeddings == kind)
            where = f"CatBoost.model.ModelTrees.{name}"
            if found is None:
                require(not mine.size and not len(used), "what computes them is missing", where)
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


def check_features(trees: Tables) -> Features:
    """Check all that ``TModelTrees`` says of features."""
    found = {name: trees.lists(place, name)[0] for name, place in _KINDS.items()}
    index_field = {"FloatFeatures": 1}
    columns, indices, used = [], {}, {}
    most = max(MOST_COLUMNS, 64 * sum(map(len, found.values())))
    for name, tables in found.items():
        first = index_field.get(name, 0)
        index, column = tables.scalars(first, "<i4", -1), tables.scalars(first + 1, "<i4", -1)
        for values, what in ((index, "Index"), (column, "FlatIndex")):
            require(
                not np.any(np.diff(values.astype(np.int64)) <= 0), "is not sorted", f"{tables.where}.{what}"
            )
            in_range(values, f"{tables.where}.{what}", 0, most)
        indices[name] = index
        columns.append(column)
        tables.strings({"FloatFeatures": 4}.get(name, 2), "FeatureId")
        if name != "FloatFeatures":
            flag = tables.scalars(4 if name == "EmbeddingFeatures" else 3, "u1", 1)
            in_range(flag, f"{tables.where}.UsedInModel", 0, 2)
            used[name] = index[flag == 1]
    every = np.concatenate(columns)
    require(len(np.unique(every)) == len(every), "a column is there twice", f"{trees.where}.FlatIndex")
    _check_ranks(columns, list(indices.values()), f"{trees.where}.Index")
    counts, borders = _floats(found["FloatFeatures"])
    estimated, more = _estimated(trees, used)
    onehot, values, per = _one_hot(trees, used["CatFeatures"])
    floats = indices["FloatFeatures"]
    ctrs, ctr_counts = _ctrs(trees, used["CatFeatures"], floats, counts, borders, onehot, values, per)
    total = np.concatenate([counts[counts > 0], more, per, ctr_counts]).astype(np.int64)
    starts, bytes_ = np.cumsum(total) - total, (total + IN_A_BYTE - 1) // IN_A_BYTE
    before = int(counts.sum() + more.sum())
    # A feature with no border at all would share its first split with the next one.
    keep = total > 0
    return Features(
        starts[keep],
        (np.cumsum(bytes_) - bytes_)[keep],
        before,
        before + int(per.sum()),
        int(total.sum()),
        ctrs,
        estimated,
        used["TextFeatures"],
        used["EmbeddingFeatures"],
    )


def _check_ranks(columns: list[Column], indices: list[Column], where: str) -> None:
    """Require that features of a kind are counted no further than columns of that kind can stand before them.

    Explanations look features up by that count among those of X.
    """
    for number, (column, index) in enumerate(zip(columns, indices, strict=True)):
        others = np.sort(np.concatenate(columns[:number] + columns[number + 1 :]))
        before = column - np.searchsorted(others, column)
        require(bool((index <= before).all()), "counts columns that are not there", where)


def _borders(tables: Tables, place: int) -> tuple[NDArray[np.int64], Column]:
    """Return how many borders each feature has, and all of them; they must rise."""
    found = tables.vectors(place, 4, "Borders")
    borders = found.items("<f4")
    rises = np.diff(borders) > 0 if len(borders) else np.zeros(0, np.bool_)
    ends = np.cumsum(found.counts)
    first = ends[(ends > 0) & (ends < len(borders))]
    rises[first - 1] = True  # from the last border of a feature to the first of the next
    require(bool(rises.all()) and not np.isnan(borders).any(), "is not sorted", found.where)
    return found.counts, borders


def _floats(tables: Tables) -> tuple[NDArray[np.int64], Column]:
    in_range(tables.scalars(0, "u1"), f"{tables.where}.HasNans", 0, 2)
    in_range(tables.scalars(5, "i1"), f"{tables.where}.NanValueTreatment", 0, 3)
    return _borders(tables, 3)


def _estimated(trees: Tables, used: dict[str, Column]) -> tuple[Estimated, NDArray[np.int64]]:
    tables, _ = trees.lists(13, "EstimatedFeatures")
    sources, locals_ = tables.scalars(0, "<i4", -1), tables.scalars(2, "<i4", -1)
    ids, present = tables.structs(1, 16)
    kinds = tables.scalars(4, "i1")
    in_range(kinds, f"{tables.where}.SourceFeatureType", 0, 2)
    require(bool(present.all()), "is missing", f"{tables.where}.CalcerId")
    for kind, name in enumerate(("TextFeatures", "EmbeddingFeatures")):
        fits = np.isin(sources[kinds == kind], used[name])
        require(bool(fits.all()), f"is none of the used {name}", f"{tables.where}.SourceFeatureIndex")
    counts, _ = _borders(tables, 3)
    return Estimated(sources, [row.tobytes() for row in ids], locals_, kinds == 1), counts


def _one_hot(trees: Tables, used: Column) -> tuple[Column, Column, NDArray[np.int64]]:
    """Return the category of each one-hot feature, all values, and how many each has."""
    tables, _ = trees.lists(6, "OneHotFeatures")
    index = tables.scalars(0, "<i4", -1)
    unique = len(np.unique(index)) == len(index) and bool(np.isin(index, used).all())
    require(unique, "is not a used category, or there twice", f"{tables.where}.Index")
    found = tables.vectors(1, 4, "Values")
    _, names = tables.texts(2, "StringValues")
    fits = bool(((names == 0) | (names == found.counts)).all())
    require(fits, "is not as long as the values", f"{tables.where}.StringValues")
    return index, found.items("<i4"), found.counts


def _ctrs(
    trees: Tables,
    used: Column,
    floats: Column,
    counts: NDArray[np.int64],
    borders: Column,
    onehot: Column,
    values: Column,
    per: NDArray[np.int64],
) -> tuple[Ctrs, NDArray[np.int64]]:
    tables, _ = trees.lists(7, "CtrFeatures")
    ctr = tables.tables(0, "Ctr")
    border_counts, _ = _borders(tables, 1)
    found = read_bases(ctr.tables(0, "Base"), ctr.scalars(1, "<i4"), f"{ctr.where}")
    _require_known(found.categories, used, f"{ctr.where}.CatFeatures")
    # A split in a combination is found by its feature and its very border or value.
    known = _pairs(np.repeat(floats, counts), borders)
    _require_known(_pairs(found.splits["index"], found.splits["border"]), known, f"{ctr.where}.FloatSplits")
    known = _pairs(np.repeat(onehot, per), values)
    _require_known(_pairs(found.values["index"], found.values["value"]), known, f"{ctr.where}.OneHotSplits")
    return found, border_counts


def _pairs(first: Column, second: Column) -> Column:
    if second.dtype.kind == "f":
        second = (second + np.float32(0)).view("<i4")  # minus zero is found where zero is
    pairs: Column = first.astype(np.int64) << 32 | (second.astype(np.int64) & 0xFFFFFFFF)
    return pairs


def _require_known(found: Any, known: Any, where: str) -> None:
    require(bool(np.isin(found, known).all()), "names what the model does not have", where)
