"""Validators of estimators: what compiled code, or code that makes indices, relies on without looking.

Each module here covers one family and has a table ``CHECKS`` from ``module:qualname`` of a class to a
function of an instance. A class is checked by its own entry and by those of all its bases, so an entry
for an abstract base covers a family, and the subclasses of users too. Checks run when the whole graph
has been built: what a check has seen cannot change any more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from skopsafe import names
from skopsafe.handlers.sklearn.validators import (
    boosting,
    cluster,
    covariance,
    encoders,
    hist_boosting,
    neighbors,
    params,
    svm,
    trees,
)

Check = Callable[[Any], None]

CHECKS: dict[str, Check] = {
    **trees.CHECKS,
    **boosting.CHECKS,
    **hist_boosting.CHECKS,
    **neighbors.CHECKS,
    **svm.CHECKS,
    **cluster.CHECKS,
    **covariance.CHECKS,
    **encoders.CHECKS,
    **params.CHECKS,
}


@functools.lru_cache(maxsize=4096)
def checks_of(cls: type) -> tuple[Check, ...]:
    """Return the validators for instances of `cls`: its own and those of its bases."""
    found = (CHECKS.get(names.of(base) or "") for base in cls.__mro__)
    return tuple(check for check in found if check is not None)
