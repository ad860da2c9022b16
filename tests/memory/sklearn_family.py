"""Every estimator of the installed scikit-learn, for mutants."""

from __future__ import annotations

import functools
from typing import Any

from tests.memory.uses import outputs
from tests.sklearn_models import NAMES, fitted

__all__ = ["MODELS", "outputs"]

MODELS: dict[str, Any] = {name: functools.partial(fitted, name) for name in NAMES}
