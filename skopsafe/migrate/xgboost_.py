"""What changed in the estimators of XGBoost. Its boosters it reads itself, whatever release wrote them."""

from __future__ import annotations

from skopsafe.migrate.records import Migration, Record, adds

_ESTIMATORS = ("Model", "Classifier", "Regressor", "Ranker", "RFClassifier", "RFRegressor")
_TYPES = tuple(f"xgboost.sklearn:XGB{name}" for name in _ESTIMATORS)
_LINK = "https://github.com/dmlc/xgboost/blob/master/doc/changes/v{}.rst"


def _parameters(release: str, names: tuple[str, ...]) -> Migration:
    """A parameter that an estimator does not have yet is None, which is the default of all of them."""
    return Migration(
        f"xgboost-{'-'.join(names).replace('_', '-')}",
        release,
        _TYPES,
        f"the {'parameter' if len(names) == 1 else 'parameters'} {' and '.join(names)}",
        adds(dict.fromkeys(names)),
        _LINK.format(f"{release}.0"),
        "xgboost",
    )


RECORDS: tuple[Record, ...] = (
    _parameters("1.7", ("feature_types", "max_cat_threshold")),
    _parameters("2.0", ("device", "multi_strategy")),
    _parameters("3.0", ("feature_weights",)),
)
