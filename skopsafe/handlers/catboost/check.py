"""Checks a whole model, as a file has it, before the library sees it."""

from __future__ import annotations

from dataclasses import dataclass

from skopsafe.handlers.catboost import blob
from skopsafe.handlers.catboost.ctrs import check_tables
from skopsafe.handlers.catboost.embeddings import check_embeddings
from skopsafe.handlers.catboost.features import check_features
from skopsafe.handlers.catboost.flat import refuse
from skopsafe.handlers.catboost.info import check_info
from skopsafe.handlers.catboost.texts import check_texts
from skopsafe.handlers.catboost.trees import check_bias, check_trees, read_trees
from skopsafe.handlers.checks import require

_NOT_NUMBERS = (
    *(
        "CatFeatures",
        "OneHotFeatures",
        "CtrFeatures",
        "TextFeatures",
        "EmbeddingFeatures",
        "EstimatedFeatures",
    ),
    *("NonSymmetricStepNodes", "NonSymmetricNodeIdToLeafId"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the estimator around a model must agree with.

    Attributes
    ----------
    n_trees : int
        How many trees there are.
    dimension : int
        How many outputs they have.
    reads_embeddings : bool
        Whether it computes features from embeddings. How much of an embedding it reads stands in the model,
        and the library does not compare that with what it is given.
    splits : bool
        Whether any tree splits. Without that, what explains trees that are not symmetric reads outside.
    """

    n_trees: int
    dimension: int
    reads_embeddings: bool
    splits: bool


def check_model(data: bytes) -> Found:
    """Check a model.

    Parameters
    ----------
    data : bytes
        The binary form of a model (``.cbm``), whole.

    Raises
    ------
    ValidationError
        Compiled code would read or write outside, loop or recurse without end, or fill the memory.
    """
    return check_parsed(blob.parse(data))


def check_written(model: blob.Model) -> Found:
    """Check a model that the library has just written from its memory.

    Its writer makes trees and borders fit together. Of what load refuses, such a model may have numbers and
    metadata that methods of the estimator set, and parts that the library writes incompletely: one of numbers
    alone has no such part, and is read only as far as what can be set.
    """
    fields = read_trees(model.core, model.trees)
    if model.parts or not fields["TreeSplits"][1] or any(fields[name][1] for name in _NOT_NUMBERS):
        return check_parsed(model)
    dimension = fields["ApproxDimension"]
    check_bias(model.core, fields)
    check_info(model.info, dimension)
    return Found(fields["TreeSizes"][1], dimension, reads_embeddings=False, splits=True)


def check_parsed(model: blob.Model) -> Found:
    """Check a model whose frame has been read."""
    fields = read_trees(model.core, model.trees)
    features = check_features(model.core, fields)
    dimension = check_trees(model.core, fields, features.bins)
    check_info(model.info, dimension)
    texts = embeddings = None
    if model.parts:
        if blob.CTRS in model.parts:
            check_tables(model.behind, features.ctrs, features.classes)
        texts = check_texts(model.behind) if blob.TEXTS in model.parts else None
        embeddings = check_embeddings(model.behind) if blob.EMBEDDINGS in model.parts else None
    if features.ctrs and blob.CTRS not in model.parts:
        refuse("the statistics of categories are missing", "CatBoost.model.ModelPartIds")
    features.require_outputs(texts, embeddings)
    require(model.behind.place == model.behind.end, "something stands behind its last part", "CatBoost.model")
    n_trees = fields["TreeSizes"][1]
    return Found(n_trees, dimension, embeddings is not None, len(features.bins) > 0 or n_trees == 0)
