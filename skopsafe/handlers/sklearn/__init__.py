"""scikit-learn: compiled types with loaders of their own, and validators of estimators."""

from skopsafe.handlers.library import Library
from skopsafe.handlers.sklearn import binary_tree, compiled, hist_boosting, tree
from skopsafe.handlers.sklearn.validators import CHECKS

LIBRARY = Library(
    (*tree.HANDLERS, *hist_boosting.HANDLERS, *binary_tree.HANDLERS, *compiled.HANDLERS), CHECKS
)

__all__ = ["LIBRARY"]
