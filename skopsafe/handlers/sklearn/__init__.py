"""scikit-learn: compiled types with loaders of their own, and validators of estimators."""

from skopsafe.handlers.sklearn import binary_tree, compiled, hist_boosting, tree
from skopsafe.handlers.sklearn.validators import checks_of

HANDLERS = (*tree.HANDLERS, *hist_boosting.HANDLERS, *binary_tree.HANDLERS, *compiled.HANDLERS)

__all__ = ["HANDLERS", "checks_of"]
