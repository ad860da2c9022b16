"""What changed in scikit-learn 1.9."""

from __future__ import annotations

import numpy as np

from skopsafe.migrate.nodes import Node, is_array, replace
from skopsafe.migrate.records import CHANGELOG, Migration, Record, adds

_LINK = CHANGELOG.format("1.9")
_VECTOR_MACHINES = ("SVC", "SVR", "NuSVC", "NuSVR", "OneClassSVM")
_LOSSES = (
    *("AbsoluteError", "ExponentialLoss", "HalfBinomialLoss", "HalfGammaLoss", "HalfPoissonLoss"),
    *("HalfSquaredError", "HalfTweedieLoss", "HalfTweedieLossIdentity", "HuberLoss", "PinballLoss"),
)


def _probability(node: Node) -> bool:
    return node.add("_effective_probability", node.get("probability") is True)


def _offset(node: Node) -> bool:
    """Keep what the older release computed: it did not move X before it multiplied by the covariance."""
    offset = node.get("X_offset_")
    if not is_array(offset) or "sigma_" not in node.attributes:
        return False
    replace(offset, np.zeros_like)
    return True


def _criterion(node: Node) -> bool:
    """The two were always equivalent, says the library."""
    if node.get("criterion") != "friedman_mse":
        return False
    node.attributes["criterion"] = "squared_error"
    return True


def _chain(node: Node) -> bool:
    """Take the estimator of either parameter."""
    old = node.get("base_estimator")
    if not isinstance(old, Node) or node.get("estimator") is not None:
        return False
    node.attributes["estimator"] = node.attributes.pop("base_estimator")
    return True


RECORDS: tuple[Record, ...] = (
    Migration(
        "vector-machine-probability",
        "1.9",
        tuple(f"sklearn.svm._classes:{name}" for name in _VECTOR_MACHINES),
        "whether probabilities were fitted is an attribute of its own",
        _probability,
        _LINK,
    ),
    Migration(
        "tree-friedman",
        "1.9",
        (
            *(f"sklearn.tree._classes:{name}TreeRegressor" for name in ("Decision", "Extra")),
            *(f"sklearn.ensemble._forest:{name}Regressor" for name in ("RandomForest", "ExtraTrees")),
        ),
        "the criterion friedman_mse is squared_error",
        _criterion,
        _LINK,
    ),
    Migration(
        "loss-namespace",
        "1.9",
        tuple(f"sklearn._loss.loss:{name}" for name in _LOSSES),
        "losses know the namespace of their arrays",
        adds({"xp": None, "device": None}),
        _LINK,
    ),
    Migration(
        "multinomial-loss-namespace",
        "1.9",
        ("sklearn._loss.loss:HalfMultinomialLoss",),
        "losses know the namespace of their arrays",
        adds(dict.fromkeys(("xp", "device", "class_indexing_offsets", "y_true_int", "y_true_one_hot"))),
        _LINK,
    ),
    Migration(
        "bayesian-offset",
        "1.9",
        ("sklearn.linear_model._bayes:ARDRegression", "sklearn.linear_model._bayes:BayesianRidge"),
        "the standard deviation of a prediction takes the offset of X into account; without it, it stays",
        _offset,
        _LINK,
    ),
    Migration(
        "chain-estimator",
        "1.9",
        ("sklearn.multioutput:ClassifierChain", "sklearn.multioutput:RegressorChain"),
        "the parameter base_estimator is gone",
        _chain,
        _LINK,
    ),
)
