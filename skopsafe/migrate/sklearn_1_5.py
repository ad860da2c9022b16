"""What changed in scikit-learn 1.5."""

from __future__ import annotations

import numpy as np

from skopsafe.migrate.nodes import Array, Node, array, as_floats, is_array
from skopsafe.migrate.records import CHANGELOG, Migration, Record, adds

_LINK = CHANGELOG.format("1.5")
_ITERATIONS = 300
_STEPS = 1000


def _frequencies(node: Node) -> bool:
    """The weights of words are a vector, and no longer the diagonal of a matrix."""
    diagonal = node.node("_idf_diag", "scipy.sparse._csr:csr_matrix", "scipy.sparse._csr:csr_array")
    if diagonal is None:
        return False
    data, indices = diagonal.get("data"), diagonal.get("indices")
    del node.attributes["_idf_diag"]
    if node.get("use_idf") and is_array(data) and is_array(indices):
        node.add("idf_", array(_on_diagonal, data, indices))
    return True


def _on_diagonal(data: Array, indices: Array) -> Array:
    if data.shape != indices.shape or not np.array_equal(indices, np.arange(len(indices))):
        raise ValueError("the matrix is not diagonal")
    return as_floats(data, 1) if data.dtype != np.float32 else data


def _scaled(node: Node) -> bool:
    """The coefficients are those of X as it is, and no longer of X over its standard deviation."""
    coefficients, scale = node.get("coef_"), node.get("_x_std")
    if not is_array(coefficients) or not is_array(scale):
        return False
    node.attributes["coef_"] = array(_divided, coefficients, scale, keeps=True)
    node.add("_predict_1d", False)  # the first patch of 1.3 has none, and predicts as 1.2 does
    return True


def _divided(coefficients: Array, scale: Array) -> Array:
    return np.ascontiguousarray(as_floats(coefficients, 2) / as_floats(scale, 1))


def _iterations(node: Node) -> bool:
    """Take the number of iterations from the parameter that is gone."""
    given = node.get("n_iter")
    if node.get("max_iter") is not None:
        return False
    node.attributes["max_iter"] = given if type(given) is int else _ITERATIONS
    return True


def _steps(node: Node) -> bool:
    given = node.get("n_iter")
    return node.add("max_iter", given if type(given) is int else _STEPS)


def _results(node: Node) -> bool:
    found = node.add("store_cv_results", node.get("store_cv_values") is True)
    return node.rename("cv_values_", "cv_results_") or found


def _chain(node: Node) -> bool:
    """`chain_method_` was there before, under the name of the method that is used."""
    return node.add("chain_method", "predict") | node.add("chain_method_", "predict")


RECORDS: tuple[Record, ...] = (
    Migration(
        "tfidf-vector",
        "1.5",
        ("sklearn.feature_extraction.text:TfidfTransformer",),
        "the weights of words are a vector, and no longer the diagonal of a matrix",
        _frequencies,
        _LINK,
    ),
    Migration(
        "pls-scale",
        "1.5",
        tuple(
            f"sklearn.cross_decomposition._pls:{name}" for name in ("CCA", "PLSCanonical", "PLSRegression")
        ),
        "coefficients are divided by the standard deviation of X in fit, and no longer in predict",
        _scaled,
        _LINK,
    ),
    Migration(
        "bayesian-iterations",
        "1.5",
        ("sklearn.linear_model._bayes:ARDRegression", "sklearn.linear_model._bayes:BayesianRidge"),
        "the parameter n_iter became max_iter",
        _iterations,
        _LINK,
    ),
    Migration(
        "tsne-iterations",
        "1.5",
        ("sklearn.manifold._t_sne:TSNE",),
        "the parameter n_iter became max_iter",
        _steps,
        _LINK,
    ),
    Migration(
        "ridge-cv-results",
        "1.5",
        ("sklearn.linear_model._ridge:RidgeCV", "sklearn.linear_model._ridge:RidgeClassifierCV"),
        "the parameter store_cv_values became store_cv_results",
        _results,
        _LINK,
    ),
    Migration(
        "chain-method",
        "1.5",
        ("sklearn.multioutput:ClassifierChain",),
        "the parameter chain_method",
        _chain,
        _LINK,
    ),
    Migration(
        "columns-int-remainder",
        "1.5",
        ("sklearn.compose._column_transformer:ColumnTransformer",),
        "the parameter force_int_remainder_cols",
        adds({"force_int_remainder_cols": True}),
        _LINK,
    ),
    Migration(
        "union-verbose-names",
        "1.5",
        ("sklearn.pipeline:FeatureUnion",),
        "the parameter verbose_feature_names_out",
        adds({"verbose_feature_names_out": True}),
        _LINK,
    ),
)
