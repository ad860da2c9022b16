"""Statistics of categories (CTR): which ones a model asks for, and the tables that hold them.

Evaluation hashes the categories of a row, walks a table of buckets until it finds the hash or an empty
bucket, and reads the statistics at the place that the bucket names. No step of it looks. Source:
``catboost/libs/model/static_ctr_provider.cpp``, ``ctr_value_table.cpp`` (which loads without verifying) and
``catboost/libs/helpers/dense_hash_view.h``, in CatBoost 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from skopsafe.handlers.catboost.blob import Reader
from skopsafe.handlers.catboost.flat import Buffer, Column, Layout, Positions, Rows, refuse
from skopsafe.handlers.checks import in_range, require

BASE = Layout("FeatureCombination:t CtrType:b TargetBorderClassifierIdx:i")
_COMBINATION = Layout("CatFeatures:4 FloatSplits:8 OneHotSplits:8")
_TABLE = Layout("ModelCtrBase:t IndexHashRaw:1 CTRBlob:1 CounterDenominator:i TargetClassesCount:i")
_BUCKET = 12
_EMPTY = 2**32 - 1
BORDERS, BUCKETS, TARGET_MEAN, FLOAT_MEAN, COUNTER, FREQUENCY = range(6)
_WHERE = "CatBoost.model.CtrData"

Key = tuple[bytes, bytes, bytes, int, int]


@dataclass(frozen=True, slots=True)
class Ctrs:
    """Statistics that features of a model, or tables, are of.

    Attributes
    ----------
    keys : list of tuple
        What each one is of: combination, type, and which border of the target. A feature and its table have
        the same.
    categories : ndarray of int32
        The categories of all combinations, one after the other.
    splits, values : ndarray of shape (n, 2), uint32
        Their borders of float features and values of one-hot features: index, and bits of the border or value.
    """

    keys: list[Key]
    categories: Column
    splits: Column
    values: Column


def read_bases(bases: Rows) -> Ctrs:
    """Read tables ``TModelCtrBase``."""
    combos = bases.follow("FeatureCombination", _COMBINATION)
    kinds = bases.column("CtrType")
    in_range(kinds, f"{bases.where}.CtrType", 0, 6)
    categories = combos.items("CatFeatures")
    splits, values = combos.items("FloatSplits").reshape(-1, 2), combos.items("OneHotSplits").reshape(-1, 2)
    if len(splits):
        borders = splits.view(np.float32)[:, 1]
        require(not np.isnan(borders).any(), "is no number", f"{bases.where}.FloatSplits")
        borders += np.float32(0)  # minus zero is found where zero is
    texts = categories.tobytes(), splits.tobytes(), values.tobytes()
    lengths = (combos.counts * combos.layout.sizes).T.tolist()
    pieces = [
        [text[end - size : end] for size, end in zip(sizes, accumulate(sizes), strict=True)]
        for text, sizes in zip(texts, lengths, strict=True)
    ]
    classifiers = bases.column("TargetBorderClassifierIdx").tolist()
    keys = list(zip(*pieces, kinds.tolist(), classifiers, strict=True))
    return Ctrs(keys, categories.view(np.int32), splits, values)


def check_tables(reader: Reader, keys: list[Key], borders: Column) -> None:
    """Check the tables of statistics that stand behind the core, against what features ask for.

    Parameters
    ----------
    reader : Reader
        Stands before the tables.
    keys : list of tuple
        The statistics that features ask for.
    borders : ndarray of shape (n_keys,)
        The class of its table that each feature is of.
    """
    count = reader.size(_WHERE)
    least = 24  # the size, and the smallest FlatBuffer that has a table
    require(count * least <= len(reader.data), f"{count} tables are announced", _WHERE)
    if not count:
        require(not keys, "a feature asks for statistics that are not there", _WHERE)
        return
    lows, sizes = [], []
    for _ in range(count):
        sizes.append(size := reader.size(_WHERE))
        lows.append(reader.skip(size, _WHERE))
    low, size_of = np.array(lows), np.array(sizes)
    whole = not ((low | size_of) & 3).any() and size_of.min() >= 8 and size_of.max() < 2**31
    require(whole, "a table is not of whole words", _WHERE)
    buffer = Buffer(reader.data, lows[0], reader.place, _WHERE)
    roots = low + buffer.words.take(low >> 2)
    low, high = low[:, None], (low + size_of)[:, None]
    tables = Rows(buffer, roots, low, high, _TABLE, _WHERE)
    bases = tables.follow("ModelCtrBase", BASE)
    classes = dict(zip(read_bases(bases).keys, _check(tables, bases.column("CtrType")), strict=True))
    require(len(classes) == count, "the same statistics are there twice", _WHERE)
    for key, border in zip(keys, borders.tolist(), strict=True):
        if key not in classes:
            refuse("a feature asks for statistics that are not there", _WHERE)
        if not 0 <= border < classes[key]:
            refuse(f"class {border} is none of its table", "CatBoost.model.TargetBorderIdx")


def _check(tables: Rows, kinds: Column) -> list[int]:
    """Check the contents of tables of statistics, and return how many classes each counts."""
    tables.require("IndexHashRaw", "CTRBlob")
    where = f"{_WHERE}.IndexHashRaw"
    raw, blob = tables.lengths("IndexHashRaw"), tables.lengths("CTRBlob")
    sizes = raw // _BUCKET
    require(not (raw % _BUCKET).any(), "ends within a bucket", where)
    require(not (sizes & (sizes - 1)).any() and sizes.all(), "its length is no power of two", where)
    places = _check_buckets(tables, sizes, where)
    classes = tables.integers("TargetClassesCount").astype(np.int64)
    borders, counts = kinds == BORDERS, kinds <= BUCKETS
    few = (blob == 0) | (classes >= 1) & (classes <= blob // 4)
    width = np.where(borders, 4 * np.maximum(classes, 2), 4 * classes)
    fits = ~counts | few & (width > 0)
    require(fits.all(), "is no number of classes", f"{_WHERE}.TargetClassesCount")
    width = np.where(counts, width, np.where((kinds == TARGET_MEAN) | (kinds == FLOAT_MEAN), 8, 4))
    require((places < blob // width).all(), "a bucket leads outside", where)
    # Where it does not count classes, a feature names the first.
    found: list[int] = np.where(counts, np.maximum(classes, 1), 2**31).tolist()
    return found


def _check_buckets(tables: Rows, sizes: Positions, where: str) -> Positions:
    """Check the tables of hashes, and return the largest place that the buckets of each name.

    A walk ends at an empty bucket only, and the writer leaves half of them empty. It must find each hash
    where it stands, and nowhere before: merging tables divides by how often it does.
    """
    buckets = tables.gather(tables.starts[:, tables.layout.link["IndexHashRaw"]], sizes * _BUCKET)
    words = buckets.reshape(-1, 3)
    low, high = words[:, 0], words[:, 1]
    empty = (low & high) == _EMPTY
    ends = np.cumsum(sizes)
    starts = ends - sizes
    before = np.zeros(len(empty) + 1, np.int64)
    np.cumsum(empty, out=before[1:])
    free = before[ends] - before[starts]
    filled = sizes - free
    require((free > 0).all() and (filled <= 0.51 * sizes).all(), "too few buckets are empty", where)
    here = np.flatnonzero(~empty)
    table = np.repeat(np.arange(len(sizes)), filled)
    homes = (low[here] & (sizes - 1)[table]) + starts[table]
    away = np.flatnonzero(homes != here)
    here, homes, table = here[away], homes[away], table[away]
    gaps = before[here] - before[homes] + free[table] * (here < homes)
    require(not gaps.any(), "no walk leads to a hash", where)
    hashes = low[here].astype(np.int64) << 32 | high[here]
    first = low[homes].astype(np.int64) << 32 | high[homes]
    # Where a hash is there twice, one of the two is away from home, and the other away too or at home.
    twice = np.sort(hashes ^ homes << 16)
    if (twice[1:] == twice[:-1]).any():
        twice = np.unique(np.stack([homes, hashes], axis=1), axis=0)
    require(len(twice) == len(here) and (hashes != first).all(), "a hash is there twice", where)
    return np.maximum.reduceat(words[:, 2] * ~empty, starts).astype(np.int64) - (filled == 0)
