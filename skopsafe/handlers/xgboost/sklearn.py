"""The estimators of xgboost: what they hand to compiled code when they predict.

Whatever they compute with, they ask of their booster, which has been checked. By themselves they say how many
threads make a DMatrix; OpenMP ends the process when it cannot start them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skopsafe.handlers.checks import MOST_THREADS, integer, require


def _check(obj: Any) -> None:
    from xgboost.core import Booster

    state = vars(obj)
    where = type(obj).__name__
    if "_Booster" in state:
        require(isinstance(state["_Booster"], Booster), "not a Booster", f"{where}._Booster")
    more = state.get("kwargs")
    require(more is None or type(more) is dict, "not a dict", f"{where}.kwargs")
    # scikit-learn writes the names of parameters into a script, and takes them for patterns, to show it.
    plain = all(isinstance(name, str) and name.isidentifier() for name in more or ())
    require(plain, "a key is not a name", f"{where}.kwargs")
    for have, place in ((state, where), (more or {}, f"{where}.kwargs")):
        for name in ("n_jobs", "nthread"):
            if have.get(name) is not None:
                integer(have[name], f"{place}.{name}", -MOST_THREADS, MOST_THREADS)
    if "n_classes_" in state:
        integer(state["n_classes_"], f"{where}.n_classes_", 0, 2**31 - 1)


CHECKS: dict[str, Callable[[Any], None]] = {"xgboost.sklearn:XGBModel": _check}
