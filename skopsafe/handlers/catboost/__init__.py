"""CatBoost: the binary form of a model, read and checked by us before the library sees it."""

from __future__ import annotations

from skopsafe.handlers.catboost import estimators
from skopsafe.handlers.library import Library

LIBRARY = Library(estimators.HANDLERS)
