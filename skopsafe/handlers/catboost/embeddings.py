"""What computes features from embeddings: projections, and graphs of neighbours.

Source: ``catboost/private/libs/embedding_features/`` (``lda.cpp``, ``knn.cpp``), ``index_reader.cpp`` in
``library/cpp/online_hnsw/base`` and ``index_base.h`` in ``library/cpp/hnsw/index``, in CatBoost 1.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.handlers.catboost.blob import EMBEDDINGS, Reader
from skopsafe.handlers.catboost.features import Outputs
from skopsafe.handlers.catboost.flat import Kind, present
from skopsafe.handlers.catboost.info import MOST_CLASSES
from skopsafe.handlers.catboost.texts import check_active, read_calcer, read_ids, read_lists, read_part
from skopsafe.handlers.checks import in_range, require

_WHERE = "CatBoost.model.EmbeddingProcessing"
LDA, KNN = 3, 4
_HEADER = Kind("CalcerId:16 PerEmbeddingFeatureCalcers:4")
_PROJECTION = Kind("TotalDimension:i Other:x ProjectionDimension:i ComputeProbabilities:B ProjectionMatrix:4")
_GRAPH = Kind("TotalDimension:i NumClasses:I Other:x Size:I IsClassification:B", IsClassification=1)
_UNION = {LDA: (1, _PROJECTION), KNN: (2, _GRAPH)}


def check_embeddings(reader: Reader) -> Outputs:
    """Check what computes features from embeddings."""
    reader.magic(EMBEDDINGS, _WHERE)
    header = reader.buffer(_WHERE)
    calcers, lists, _ = header.root(_HEADER)
    ids = read_ids(header, calcers, _WHERE)
    require(len(set(ids)) == len(ids), "an id is there twice", _WHERE)
    per, used = read_lists(header, lists, f"{_WHERE}.PerEmbeddingFeatureCalcers", len(ids))
    unique = len(np.unique(used)) == len(used) == len(ids)
    require(unique, "does not name each once", f"{_WHERE}.PerEmbeddingFeatureCalcers")
    outputs, read = {}, []
    for name in ids:
        kind, found = read_part(reader, _WHERE)
        require(kind == 0 and found == name, "a part is not the one that is due", _WHERE)
        outputs[name], dimension = _check_calcer(reader, name)
        read.append(dimension)
    dimensions: dict[int, int] = {}
    for feature, calcer in zip(np.repeat(np.arange(len(per)), per).tolist(), used.tolist(), strict=True):
        same = dimensions.setdefault(feature, read[calcer]) == read[calcer]
        require(same, "two parts read an embedding as of two lengths", f"{_WHERE}.TotalDimension")
    return Outputs(len(per), outputs)


def _check_calcer(reader: Reader, name: bytes) -> tuple[int, int]:
    """Return how many features it computes, and how many numbers of an embedding it reads."""
    where = f"{_WHERE}.FeatureCalcer"
    kind, active, _, values = read_calcer(reader, name, b"EmbedCalcerV1\0\0\0", _UNION, where)
    dimension: int = values[0]
    require(dimension >= 1, f"{dimension} is no length", f"{where}.TotalDimension")
    outputs = _check_projection(values) if kind == LDA else _check_graph(reader, values)
    check_active(active, outputs, where)
    return outputs, dimension


def _check_projection(values: list[Any]) -> int:
    where = f"{_WHERE}.LDA"
    dimension, _, outputs, probabilities, matrix, _ = values
    require(outputs >= 1, f"{outputs} is no length", f"{where}.ProjectionDimension")
    count = present(matrix, f"{where}.ProjectionMatrix")[1]
    require(count == outputs * dimension, "has another shape", f"{where}.ProjectionMatrix")
    # The library does not keep what it would compute probabilities from, and reads it all the same.
    require(probabilities == 0, "cannot be loaded again", f"{where}.ComputeProbabilities")
    return int(outputs)


def _check_graph(reader: Reader, values: list[Any]) -> int:
    where = f"{_WHERE}.KNN"
    dimension, classes, _, size, classifies, _ = values
    require(classifies <= 1, "is neither yes nor no", f"{where}.IsClassification")
    outputs = int(classes) if classifies else 1
    require(1 <= outputs <= MOST_CLASSES, f"{outputs} is no number of classes", f"{where}.NumClasses")
    targets = reader.items(reader.size(where), "<u4" if classifies else "<f4", f"{where}.Targets")
    require(len(targets) == size, f"is not one for each of {size} points", f"{where}.Targets")
    if classifies:
        in_range(targets, f"{where}.Targets", 0, outputs)
    _check_levels(reader.part(f"{where}.Index"), size, f"{where}.Index")
    points = reader.items(reader.size(where), "<f4", f"{where}.Points")
    require(len(points) == size * dimension, "has another shape", f"{where}.Points")
    return outputs


def _check_levels(index: Reader, size: int, where: str) -> None:
    """Check a graph: levels of points, the first of all of them, each with its neighbours on the level."""
    most = index.number(4, where)
    require(most > 0, "no point has neighbours", where)
    sizes = index.items(index.number(4, where), "<u4", where).tolist()
    require((sizes[0] if sizes else 0) == size, f"is not of {size} points", where)
    require(
        all(sizes) and sizes == sorted(sizes, reverse=True), "a level is larger than the one below", where
    )
    for count in sizes:
        neighbours = index.items(min(most, count - 1) * count, "<u4", where)
        in_range(neighbours, where, 0, count)
    require(index.place == index.end, "something stands behind its last level", where)
