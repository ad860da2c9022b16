"""Statistics of categories (CTR): which ones a model asks for, and the tables that hold them.

Evaluation hashes the categories of a row, walks a table of buckets until it finds the hash or an empty
bucket, and reads the statistics at the place that the bucket names. No step of it looks. Source:
``catboost/libs/model/static_ctr_provider.cpp``, ``ctr_value_table.cpp`` (which loads without verifying) and
``catboost/libs/helpers/dense_hash_view.h``, in CatBoost 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skopsafe.handlers.catboost.blob import Reader
from skopsafe.handlers.catboost.flat import Buffer, Column, Tables
from skopsafe.handlers.checks import in_range, require

_SPLIT = np.dtype([("index", "<i4"), ("border", "<f4")])
_VALUE = np.dtype([("index", "<i4"), ("value", "<i4")])
_BUCKET = np.dtype([("hash", "<u8"), ("place", "<u4")])
_EMPTY = 2**64 - 1
BORDERS, BUCKETS, TARGET_MEAN, FLOAT_MEAN, COUNTER, FREQUENCY = range(6)
_WHERE = "CatBoost.model.CtrData"

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Ctrs:
    """Statistics that features of a model are made of.

    Attributes
    ----------
    keys : list of tuple
        What each one is of: combination, type, and which border of the target. Its table has the same.
    types, borders : ndarray of shape (n_ctrs,)
        Type of each, and which class of its table it counts.
    categories, splits, values : ndarray
        What the combinations are made of, one after the other.
    """

    keys: list[Key]
    types: Column
    borders: Column
    categories: Column
    splits: Column
    values: Column


def read_bases(bases: Tables, borders: Column, where: str) -> Ctrs:
    """Read tables ``TModelCtrBase``."""
    combos = bases.tables(0, "FeatureCombination")
    types, classifiers = bases.scalars(1, "i1"), bases.scalars(2, "<i4")
    in_range(types, f"{where}.CtrType", 0, 6)
    vectors = [
        combos.vectors(0, 4, "CatFeatures"),
        combos.vectors(1, 8, "FloatSplits"),
        combos.vectors(2, 8, "OneHotSplits"),
    ]
    categories = vectors[0].items("<i4")
    splits, values = vectors[1].items("<i8").view(_SPLIT), vectors[2].items("<i8").view(_VALUE)
    require(not np.isnan(splits["border"]).any(), "is no number", f"{where}.FloatSplits")
    ends = [np.cumsum(found.counts).tolist() for found in vectors]
    flat = [categories.tolist(), splits.tolist(), values.tolist()]
    keys: list[Key] = []
    last = (0, 0, 0)
    for *now, kind, classifier in zip(*ends, types.tolist(), classifiers.tolist(), strict=True):
        parts = tuple(tuple(rows[a:b]) for rows, a, b in zip(flat, last, now, strict=True))
        keys.append((*parts, kind, classifier))
        last = tuple(now)
    return Ctrs(keys, types, borders, categories, splits, values)


def check_tables(reader: Reader, ctrs: Ctrs) -> None:
    """Check the tables of statistics that stand behind the core, against those that features ask for."""
    count = reader.size(_WHERE)
    least = 24  # the size, and the smallest FlatBuffer that has a table
    require(count * least <= len(reader.data), f"{count} tables are announced", _WHERE)
    classes: dict[Key, int] = {}
    for number in range(count):
        where = f"{_WHERE}[{number}]"
        table = Buffer(reader.take(reader.size(where), where), where).root()
        base = read_bases(table.tables(0, "ModelCtrBase"), np.zeros(1, np.int32), where)
        (key,) = base.keys
        require(key not in classes, "the same statistics are there twice", where)
        classes[key] = _check_table(table, int(base.types[0]), where)
    for key, border in zip(ctrs.keys, ctrs.borders.tolist(), strict=True):
        require(key in classes, "a feature asks for statistics that are not there", _WHERE)
        require(
            0 <= border < classes[key],
            f"class {border} is none of its table",
            "CatBoost.model.TargetBorderIdx",
        )


def _check_table(table: Tables, kind: int, where: str) -> int:
    """Check one table of statistics, and return how many classes it counts."""
    raw = table.vector(1, "u1", "IndexHashRaw", required=True)
    blob = table.vector(2, "u1", "CTRBlob", required=True)
    classes = int(table.scalars(4, "<i4")[0])
    require(len(raw) % _BUCKET.itemsize == 0, "ends within a bucket", f"{where}.IndexHashRaw")
    buckets = raw.view(_BUCKET)
    size = len(buckets)
    require(size > 0 and size & (size - 1) == 0, f"{size} is no power of two", f"{where}.IndexHashRaw")
    filled = buckets["hash"] != _EMPTY
    # The walk ends at an empty bucket only. The writer leaves half of them empty.
    number = int(filled.sum())
    require(number < size and number <= 0.51 * size, "too few buckets are empty", f"{where}.IndexHashRaw")
    _require_reachable(buckets["hash"], filled, f"{where}.IndexHashRaw")
    width = 8 if kind in (TARGET_MEAN, FLOAT_MEAN) else 4
    if kind in (BORDERS, BUCKETS):
        require(
            1 <= classes <= len(blob) // 4 or not len(blob),
            "is no number of classes",
            f"{where}.TargetClassesCount",
        )
        width = 4 * (max(2, classes) if kind == BORDERS else classes)
        require(width > 0, "is no number of classes", f"{where}.TargetClassesCount")
    rows = len(blob) // width
    in_range(buckets["place"][filled], f"{where}.IndexHashRaw", 0, rows)
    # Where it does not count classes, a feature names the first.
    return max(1, classes) if kind in (BORDERS, BUCKETS) else 2**31


def _require_reachable(hashes: Column, filled: Column, where: str) -> None:
    """Require that a walk finds each hash where it stands: merging tables divides by how often it does."""
    size = len(hashes)
    places = np.flatnonzero(filled)
    found = hashes[places]
    require(len(np.unique(found)) == len(found), "a hash is there twice", where)
    homes = (found & np.uint64(size - 1)).astype(np.int64)
    before = np.concatenate([[0], np.cumsum(np.concatenate([filled, filled]))])
    ends = np.where(places < homes, places + size, places)
    require(bool((before[ends] - before[homes] == ends - homes).all()), "no walk leads to a hash", where)
