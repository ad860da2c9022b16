"""Helpers that the validators of the families share."""

from __future__ import annotations

from typing import Any

from skopsafe.handlers.checks import integer


def state(obj: Any) -> dict[str, Any]:
    """Return the attributes that an instance has by itself: neither properties nor those of its class."""
    found: dict[str, Any] = getattr(obj, "__dict__", {})
    return found


def is_csr(value: object) -> bool:
    """Tell whether `value` is a CSR matrix or array, whose loader has checked its indices."""
    from scipy.sparse import issparse

    return bool(issparse(value)) and getattr(value, "format", "") == "csr"


def features(have: dict[str, Any], where: str, most: int = 2**62) -> int:
    """Return ``n_features_in_``, which is at most `most`.

    It must be there: scikit-learn takes an X of any width where it is missing.
    """
    return integer(have.get("n_features_in_"), f"{where}.n_features_in_", 1, most)
