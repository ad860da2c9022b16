"""scipy.stats: distributions with their parameters, as a randomized search holds them."""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import array, require

Names = tuple[str, ...] | None

_ATTRIBUTES = ("distribution", "args", "kwds", "random_state")


def _get(obj: Any) -> Parts:
    import scipy.stats

    dist = obj.dist
    known = vars(scipy.stats).get(dist.name)
    # By their texts: a NaN among them is another object after a pickle.
    if type(known) is not type(dist) or str(known._updated_ctor_param()) != str(dist._updated_ctor_param()):
        raise TypeError(f"{type(dist).__name__} is no distribution of scipy.stats under its own name")
    # The random state that all distributions share is the global one of numpy.
    shared = dist._random_state is known._random_state
    return Parts(_ATTRIBUTES, [dist.name, obj.args, obj.kwds, None if shared else dist._random_state])


def _load(kind: str) -> Any:
    def load(names: Names, values: list[Any], _: Context) -> Any:
        import scipy.stats

        require(names == _ATTRIBUTES, "unknown form", kind)
        name, args, kwds, state = values
        require(isinstance(args, tuple) and isinstance(kwds, dict), "malformed arguments", kind)
        require(all(isinstance(key, str) for key in kwds), "malformed arguments", kind)
        for value in (*args, *kwds.values()):
            if not isinstance(value, (int, float, np.number)):
                array(value, f"{kind}.args", kinds="biuf")
        base = scipy.stats.rv_continuous if "continuous" in kind else scipy.stats.rv_discrete
        found = vars(scipy.stats).get(name) if isinstance(name, str) else None
        require(isinstance(found, base), "no distribution of scipy.stats", kind)
        require(
            state is None or isinstance(state, (np.random.RandomState, np.random.Generator)),
            "no random state",
            f"{kind}.random_state",
        )
        out: Any = found(*args, **kwds)  # type: ignore[misc]
        if state is not None:
            out.random_state = state
        return out

    return load


HANDLERS = tuple(
    Handler(f"scipy.stats._distn_infrastructure:{kind}", _get, _load(kind))
    for kind in ("rv_continuous_frozen", "rv_discrete_frozen")
)
