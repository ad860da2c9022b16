"""Validators of estimators: what compiled code, or code that makes indices, relies on without looking.

Each module here covers one family and has a table ``CHECKS`` from ``module:qualname`` of a class to a
function of an instance. A class is checked by its own entry and by those of all its bases, so an entry
for an abstract base covers a family, and the subclasses of users too. Checks run when the whole graph
has been built: what a check has seen cannot change any more.
"""

from __future__ import annotations

from skopsafe.handlers.library import Check
from skopsafe.handlers.sklearn.validators import (
    boosting,
    cluster,
    counts,
    covariance,
    encoders,
    filling,
    hist_boosting,
    neighbors,
    params,
    svm,
    trees,
)

CHECKS: dict[str, Check] = {
    **trees.CHECKS,
    **boosting.CHECKS,
    **hist_boosting.CHECKS,
    **neighbors.CHECKS,
    **svm.CHECKS,
    **cluster.CHECKS,
    **counts.CHECKS,
    **covariance.CHECKS,
    **encoders.CHECKS,
    **filling.CHECKS,
    **params.CHECKS,
}
