"""XGBoost 2.0 to 3.4: boosters by their serialized form, read and checked here before xgboost sees it."""

from skopsafe.handlers.library import Library
from skopsafe.handlers.xgboost.booster import HANDLERS
from skopsafe.handlers.xgboost.sklearn import CHECKS

LIBRARY = Library(HANDLERS, CHECKS)

__all__ = ["LIBRARY"]
