"""LightGBM: a model is the text that the library itself writes, read by us before the library reads it.

``text`` takes the text apart, ``lines`` finds the lines of its trees and ``numbers`` what stands in them,
``trees`` checks what prediction follows without looking, ``parameters`` knows which settings are harmless,
``booster`` has the getter and the loader, ``sklearn`` the checks of the wrappers for scikit-learn.
"""

from __future__ import annotations

from skopsafe.handlers.library import Library
from skopsafe.handlers.lightgbm import booster, sklearn

LIBRARY = Library(booster.HANDLERS, sklearn.CHECKS)
