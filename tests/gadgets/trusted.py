"""What is trusted, as it is installed: classes and functions of the tables, and types with loaders."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

from skopsafe import names
from skopsafe.graph.document import CLASS, VALUE
from skopsafe.handlers.registry import default
from skopsafe.trust import tables

LIBRARIES = (
    "sklearn",
    "imblearn",
    "category_encoders",
    "feature_engine",
    "quantile_forest",
    "xgboost",
    "lightgbm",
    "catboost",
)
"""Whose instances have any state that a file gives them."""
OTHERS = ("numpy", "scipy")
"""Of these, functions are trusted as values; the state of their types is made by loaders, part by part."""


def trusted(libraries: tuple[str, ...], roles: tuple[str, ...] = (CLASS, VALUE)) -> Iterator[tuple[str, Any]]:
    """Yield the names that are trusted and exist in what is installed, each with what it means."""
    with contextlib.suppress(ImportError):
        from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
    for library in libraries:
        table = tables._library(library)
        found = set() if table is None else {name for role in roles for name in table.reviewed[role]}
        if CLASS in roles:
            found |= {name for name in default().types if names.parse(name).module.split(".")[0] == library}
        for name in sorted(found):
            module, qualname = names.parse(name)
            with contextlib.suppress(ImportError, AttributeError):
                value = importlib.import_module(module)
                for part in qualname.split("."):
                    value = getattr(value, part)
                yield name, value
