"""Checks a whole model, as a file has it, before the library sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skopsafe.handlers.catboost import blob
from skopsafe.handlers.catboost.ctrs import check_tables
from skopsafe.handlers.catboost.embeddings import check_embeddings
from skopsafe.handlers.catboost.features import check_features
from skopsafe.handlers.catboost.info import check_info
from skopsafe.handlers.catboost.texts import check_texts
from skopsafe.handlers.catboost.trees import check_trees
from skopsafe.handlers.checks import require


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


def check_model(data: NDArray[np.uint8]) -> Found:
    """Check a model.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
        The binary form of a model (``.cbm``), whole.

    Raises
    ------
    ValidationError
        Compiled code would read or write outside, loop or recurse without end, or fill the memory.
    """
    model = blob.parse(data)
    features = check_features(model.trees)
    dimension = check_trees(model.trees, features)
    check_info(model.info, dimension)
    where = "CatBoost.model.ModelPartIds"
    if blob.CTRS in model.parts:
        check_tables(model.behind, features.ctrs)
    require(
        blob.CTRS in model.parts or not features.ctrs.keys, "the statistics of categories are missing", where
    )
    texts = check_texts(model.behind) if blob.TEXTS in model.parts else None
    embeddings = check_embeddings(model.behind) if blob.EMBEDDINGS in model.parts else None
    features.require_outputs(texts, embeddings)
    require(model.behind.place == len(data), "something stands behind its last part", "CatBoost.model")
    n_trees = len(model.trees.vector(2, "<i4", "TreeSizes"))
    return Found(n_trees, dimension, embeddings is not None, features.bins > 0 or n_trees == 0)
