"""Statistics of categories (CTR): which ones a model asks for, and the tables that hold them.

Evaluation hashes the categories of a row, walks a table of buckets until it finds the hash or an empty
bucket, and reads the statistics at the place that the bucket names. No step of it looks. Source:
``catboost/libs/model/static_ctr_provider.cpp``, ``ctr_value_table.cpp`` (which loads without verifying) and
``catboost/libs/helpers/dense_hash_view.h``, in CatBoost 1.2.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np

from skopsafe.handlers.catboost.blob import Reader
from skopsafe.handlers.catboost.flat import Buffer, Column, Kind, Vector, present, refuse
from skopsafe.handlers.checks import require

_BASE = Kind("FeatureCombination:table CtrType:B TargetBorderClassifierIdx:i")
_COMBINATION = Kind("CatFeatures:4 FloatSplits:8 OneHotSplits:8")
_TABLE = Kind("ModelCtrBase:table IndexHashRaw:1 CTRBlob:1 CounterDenominator:i TargetClassesCount:i")
_BUCKET = np.dtype([("hash", "<u8"), ("place", "<u4")])
_SPLIT, _VALUE = struct.Struct("<if"), struct.Struct("<ii")
_PAIR = 64
"""What an item counts for that is made an object of."""
_EMPTY = 2**64 - 1
BORDERS, BUCKETS, TARGET_MEAN, FLOAT_MEAN, COUNTER, FREQUENCY = range(6)
_WHERE = "CatBoost.model.CtrData"

_Table = tuple[Vector, Vector, int, int]
"""Buckets, statistics, number of classes and type of a table."""
Pair = tuple[int, float]
Key = tuple[bytes, tuple[Pair, ...], tuple[Pair, ...], int, int]
"""What statistics are of: categories, borders of float features, values of one-hot features, type, and which
border of the target. A feature and its table have the same."""


def read_bases(buffer: Buffer, places: list[int], where: str) -> list[Key]:
    """Read tables ``TModelCtrBase``."""
    keys: list[Key] = []
    data, bases = buffer.data, buffer.tables(_BASE, places, where)
    combinations = buffer.tables(_COMBINATION, [base[0] for base in bases], where)
    for (_, kind, classifier, _), (categories, splits, values, _) in zip(bases, combinations, strict=True):
        if kind > FREQUENCY:
            refuse(f"{kind} is unknown", f"{where}.CtrType")
        start, count = categories
        buffer.spend(4 * count, where)
        borders = _pairs(buffer, splits, _SPLIT, where)
        if any(math.isnan(border) for _, border in borders):
            refuse("is no number", f"{where}.FloatSplits")
        key = (
            data[start : start + 4 * count],
            borders,
            _pairs(buffer, values, _VALUE, where),
            kind,
            classifier,
        )
        keys.append(key)
    return keys


def _pairs(buffer: Buffer, vector: Vector, form: struct.Struct, where: str) -> tuple[Pair, ...]:
    start, count = vector
    if not count:
        return ()
    buffer.spend(_PAIR * count, where)
    found: Any = form.iter_unpack(buffer.data[start : start + 8 * count])
    return tuple(found)


def check_tables(reader: Reader, keys: list[Key], borders: list[int]) -> None:
    """Check the tables of statistics that stand behind the core, against what features ask for.

    Parameters
    ----------
    reader : Reader
        Stands before the tables.
    keys : list of tuple
        The statistics that features ask for.
    borders : list of int
        The class of its table that each feature is of.
    """
    count = reader.size(_WHERE)
    least = 24  # the size, and the smallest FlatBuffer that has a table
    require(count * least <= len(reader.data), f"{count} tables are announced", _WHERE)
    found: list[Key] = []
    tables: list[_Table] = []
    for _ in range(count):
        size = reader.size(_WHERE)
        start = reader.skip(size, _WHERE)
        buffer = Buffer(reader.data, start, start + size, _WHERE)
        base, raw, blob, _, classes, _ = buffer.root(_TABLE)
        found += read_bases(buffer, [base], _WHERE)
        tables.append(
            (
                present(raw, f"{_WHERE}.IndexHashRaw"),
                present(blob, f"{_WHERE}.CTRBlob"),
                classes,
                found[-1][3],
            )
        )
    classes_of = dict(zip(found, _check(reader.data, tables), strict=True))
    require(len(classes_of) == count, "the same statistics are there twice", _WHERE)
    for key, border in zip(keys, borders, strict=True):
        if key not in classes_of:
            refuse("a feature asks for statistics that are not there", _WHERE)
        if not 0 <= border < classes_of[key]:
            refuse(f"class {border} is none of its table", "CatBoost.model.TargetBorderIdx")


def _check(data: bytes, tables: list[_Table]) -> list[int]:
    """Check the contents of tables of statistics, and return how many classes each counts."""
    if not tables:
        return []
    where = f"{_WHERE}.IndexHashRaw"
    sizes, rows, result = [], [], []
    for (_, size), (_, length), classes, kind in tables:
        buckets = size // _BUCKET.itemsize
        if size % _BUCKET.itemsize or not buckets or buckets & (buckets - 1):
            refuse(f"{size} bytes are not a power of two of buckets", where)
        width = 8 if kind in (TARGET_MEAN, FLOAT_MEAN) else 4
        if kind in (BORDERS, BUCKETS):
            width = 4 * (max(2, classes) if kind == BORDERS else classes)
            if width <= 0 or (length and not 1 <= classes <= length // 4):
                refuse("is no number of classes", f"{_WHERE}.TargetClassesCount")
        sizes.append(buckets)
        rows.append(length // width)
        # Where it does not count classes, a feature names the first.
        result.append(max(1, classes) if kind in (BORDERS, BUCKETS) else 2**31)
    raw = b"".join([data[start : start + size] for (start, size), *_ in tables])
    _check_buckets(np.frombuffer(raw, _BUCKET), np.array(sizes), np.array(rows), where)
    return result


def _check_buckets(buckets: Column, sizes: Column, rows: Column, where: str) -> None:
    """Check tables of hashes, one after the other.

    A walk ends at an empty bucket only, and the writer leaves half of them empty. It must find each hash
    where it stands, and nowhere before: merging tables divides by how often it does.

    Parameters
    ----------
    buckets : ndarray
        The buckets of all tables.
    sizes, rows : ndarray of shape (n_tables,)
        How many buckets each has, and how many places they may name.
    """
    hashes = buckets["hash"]
    empty = hashes == _EMPTY
    ends = np.cumsum(sizes)
    starts = ends - sizes
    before = np.zeros(len(empty) + 1, np.int64)
    np.cumsum(empty, out=before[1:])
    free = before[ends] - before[starts]
    filled = sizes - free
    require((free > 0).all() and (filled <= 0.51 * sizes).all(), "too few buckets are empty", where)
    here = np.flatnonzero(~empty)
    table = np.repeat(np.arange(len(sizes)), filled)
    found = buckets[here]
    require((found["place"] < rows[table]).all(), "a bucket leads outside", where)
    homes = (found["hash"].astype(np.int64) & (sizes - 1)[table]) + starts[table]
    away = np.flatnonzero(homes != here)
    here, homes, table = here[away], homes[away], table[away]
    gaps = before[here] - before[homes] + free[table] * (here < homes)
    require(not gaps.any(), "no walk leads to a hash", where)
    # Where a hash is there twice, one of the two is away from home, and the other away too or at home.
    hashes, first = hashes[here].astype(np.int64), hashes[homes].astype(np.int64)
    twice = np.sort(hashes ^ homes << 16)
    if (twice[1:] == twice[:-1]).any():
        twice = np.unique(np.stack([homes, hashes], axis=1), axis=0)
    require(len(twice) == len(here) and (hashes != first).all(), "a hash is there twice", where)
