"""All rules: those for pickles, and those for files of skops, which have forms of their own besides."""

from __future__ import annotations

from skopsafe.conversion import (
    arrow_rules,
    arrow_types,
    boosters,
    numpy_rules,
    pandas_arrays,
    pandas_rules,
    pandas_scalars,
    polars_rules,
    quantile_rules,
    scipy_rules,
    sklearn_rules,
    skops_rules,
    stdlib_rules,
    timezone_rules,
)
from skopsafe.conversion.rules import merged

_MODULES = (
    *(numpy_rules, stdlib_rules, scipy_rules, sklearn_rules, boosters),
    *(pandas_rules, pandas_arrays, pandas_scalars, arrow_types, arrow_rules, timezone_rules),
    quantile_rules,
    polars_rules,
)
RULES = merged(module.RULES for module in _MODULES)
"""What is understood in pickles."""
OF_SKOPS = merged((RULES, skops_rules.RULES))
"""What is understood in files of skops."""
