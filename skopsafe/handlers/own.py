"""What a class of a reviewed library says of itself, and an instance from a file may not say otherwise.

scikit-learn writes ``_doc_link_template`` of an estimator into a page, checks parameters by
``_parameter_constraints``, and clones by ``__sklearn_clone__``. All of these are looked up on the instance,
where none of the reviewed classes ever sets them.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

LIBRARIES = frozenset(
    {
        "sklearn",
        "imblearn",
        "quantile_forest",
        "category_encoders",
        "feature_engine",
        "xgboost",
        "lightgbm",
        "catboost",
    }
)
"""Libraries whose classes were reviewed. What a user's class means by its attributes is its own affair."""

# Set by the constructors and by fit, over a default of the class; the name is a text to show.
_SET = frozenset({"composite_members_", "invariant_cols", "method", "positive", "__name__"})


def is_reviewed(cls: type) -> bool:
    """Tell whether a class is one of a reviewed library."""
    return cls.__module__.partition(".")[0] in LIBRARIES


@functools.lru_cache(maxsize=4096)
def replaces(cls: Any, attributes: tuple[Any, ...]) -> str | None:
    """Return an attribute that only the class itself may have, or None; methods are left to `hides`.

    These are what the class has under that name, unless its constructor takes it; names that begin with two
    underscores, for such hooks are looked for on the instance; and names that are none, for scikit-learn
    takes them for patterns when it shows an estimator.
    """
    if not is_reviewed(cls):
        return None
    for name in attributes:
        if not isinstance(name, str) or name in _SET:
            continue
        if name.startswith("__") or not name.isidentifier():
            return name
        found = [vars(base)[name] for base in cls.__mro__ if name in vars(base)]
        if not found or hasattr(type(found[0]), "__get__"):
            continue
        if name not in inspect.signature(cls.__init__).parameters:
            return name
    return None
