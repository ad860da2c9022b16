"""Every output of a model, as plain arrays by name; runs under every release."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

METHODS = (
    "predict",
    "predict_proba",
    "decision_function",
    "transform",
    "inverse_transform",
    "score_samples",
    "kneighbors",
    "radius_neighbors",
    "apply",
    "staged_predict",
    "sample",
    "predict_std",
    "get_feature_names_out",
)
ATTRIBUTES = ("feature_importances_", "labels_", "embedding_", "idf_")


def _call(model: Any, method: str, T: Any) -> Any:
    np.random.seed(0)
    if method == "inverse_transform":
        found = model.inverse_transform(model.transform(T))
        # Words of a text have no order.
        is_text = hasattr(model, "vocabulary_") and isinstance(found[0], np.ndarray)
        return [np.sort(words) for words in found] if is_text else found
    if method == "sample":
        return model.sample(3)
    if method == "kneighbors":
        return model.kneighbors(T, 2)
    if method == "radius_neighbors":
        return tuple(list(part) for part in model.radius_neighbors(T, 3.0))
    if method == "predict_std":
        return model.predict(T, return_std=True)
    if method == "get_feature_names_out":
        return model.get_feature_names_out()
    return getattr(model, method)(T)


def _text(item: Any) -> str:
    """Spell an object alike under each release of numpy."""
    if isinstance(item, dict):
        return "{" + ", ".join(f"{_text(key)}: {_text(value)}" for key, value in item.items()) + "}"
    if isinstance(item, (tuple, list)):
        return "(" + ", ".join(map(_text, item)) + ")"
    return repr(item.item() if isinstance(item, np.generic) else item)


def _flat(name: str, value: Any, out: dict[str, Any]) -> None:
    """Put what a method returned into arrays without objects."""
    if hasattr(value, "toarray"):
        value = value.toarray()
    if hasattr(value, "__next__"):
        value = list(value)
    if isinstance(value, (list, tuple)) and any(isinstance(item, np.ndarray) for item in value):
        for number, item in enumerate(value):
            _flat(f"{name}.{number}", item, out)
        return
    if isinstance(value, (list, tuple)):
        value = np.array([_text(item) for item in value])
    value = np.asarray(value)
    if value.dtype.kind == "O":
        value = np.array([_text(item) for item in value.ravel().tolist()]).reshape(value.shape)
    out[name] = value


def outputs(model: Any, T: Any, names: Any = None, known: Any = None) -> dict[str, Any]:
    """Return all outputs that a model has; a method that fails has none, unless it is among `names`.

    Of a model with a scorer, the score for `known`, which are X and y, is one of them.
    """
    out: dict[str, Any] = {}
    if hasattr(model, "scorer_") and known is not None:
        out["score"] = np.array(model.score(*known))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for method in METHODS:
            if names is not None and not any(name.partition(".")[0] == method for name in names):
                continue
            if method not in ("predict_std",) and not hasattr(model, method) and names is None:
                continue
            try:
                _flat(method, _call(model, method, T), out)
            except Exception as error:
                if names is not None:
                    out[f"{method} failed"] = np.array(f"{type(error).__name__}: {error}")
        for attribute in ATTRIBUTES:
            if names is not None and not any(name.partition(".")[0] == attribute for name in names):
                continue
            value = getattr(model, attribute, None)
            if value is not None:
                _flat(attribute, value, out)
    return out
