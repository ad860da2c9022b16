"""Rules for scipy: sparse matrices and arrays of every format, splines, distributions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from skopsafe.conversion.rules import Case, Misfit, Rules, named, require, settled
from skopsafe.conversion.stands import Stand
from skopsafe.conversion.stdlib_rules import pairs_of
from skopsafe.foreign.pickles.values import Call, Dict, Global, Value
from skopsafe.graph.parts import Parts
from skopsafe.handlers import scipy_, scipy_interpolate, scipy_stats


def _own_name(name: str) -> str:
    """Return the name of a format's class today: modules had no underscore before scipy 1.8."""
    return name.replace("scipy.sparse.", "scipy.sparse._", 1) if ".sparse._" not in name else name


def _sparse(case: Case) -> Any:
    name = _own_name(case.name)
    state = case.attributes()
    kind = name.rpartition(":")[2][:3]
    parts: dict[str, Any] = {"format": kind, "shape": state.get("_shape")}
    require(isinstance(parts["shape"], tuple), "it has no shape")
    for part in ("data", "indices", "indptr", "coords", "row", "col", "offsets", "rows"):
        if part in state:
            parts[part] = state[part]
    if kind in ("lil", "dok"):
        parts["dtype"] = state.get("dtype")
    if kind == "dok":
        items = pairs_of(case, dict(named(case.state)).get("_dict"))
        args = case.call.args  # of some releases it is a dict itself
        if not items and isinstance(args, tuple) and len(args) == 3:
            items = pairs_of(case, args[2])
        parts["items"] = items.items
    # The getter looks at attributes, and at flags among those of the instance.
    obj = SimpleNamespace(**parts, **{flag: state[flag] for flag in _FLAGS if flag in state})
    try:
        found = scipy_._get(obj)
    except (AttributeError, TypeError, ValueError):
        require(False, "it has not the arrays of its format")
        raise
    return Stand(name, found)


_INNER_SPLINE = "scipy.interpolate._bsplines:_BSpline"
_FLAGS = (*scipy_._FLAGS, "has_canonical_format")


def _spline_state(call: Call) -> Value:
    """Return the state of a spline; since scipy 1.18, that of another object that does its work."""
    state = call.states[0] if call.states else None
    inner = state[0] if isinstance(state, tuple) and len(state) == 2 else None
    if isinstance(inner, Call) and isinstance(inner.function, Global) and len(inner.states) == 1:
        return inner.states[0] if settled(inner.function) == _INNER_SPLINE else state
    return state


def _spline_parts(call: Call) -> list[Value]:
    state = _spline_state(call)
    return [value for _, value in state.pairs] if isinstance(state, Dict) else []


def _spline(case: Case) -> Any:
    state = case.attributes(_spline_state(case.call))
    try:
        obj = SimpleNamespace(
            t=state["_t"] if "_t" in state else state["t"],
            c=state["_c"] if "_c" in state else state["c"],
            **{name: state[name] for name in ("k", "extrapolate", "axis")},
        )
        return Stand(case.name, scipy_interpolate._get(obj))
    except (KeyError, TypeError, ValueError):
        require(False, "it lacks a part")
        raise


def _parameters(call: Call) -> list[Value]:
    """Return the parameters of a distribution alone: it has all that it was generated from in its state."""
    found: list[Value] = []
    try:
        pairs = named(call.states[0]) if call.states else []
    except Misfit:
        return []  # as the rule will say
    for name, value in pairs:
        if name == "args":
            found.append(value)
        if name == "kwds" and isinstance(value, Dict):
            found += [part for pair in value.pairs for part in pair]
    return found


def _frozen(case: Case) -> Any:
    """Return a distribution, which is known by its name, with its parameters."""
    described: dict[str, Value] = dict(named(case.state))
    dist = described.get("dist")
    require(isinstance(dist, Call) and len(dist.states) == 1, "its distribution is computed")
    assert isinstance(dist, Call)
    about = dict(named(dist.states[0]))
    name = about.get("name")
    require(isinstance(name, str), "its distribution has no name")
    require(isinstance(described.get("args"), tuple), "its arguments are no tuple")
    args, kwds = case.get(described["args"]), pairs_of(case, described.get("kwds"))
    # Those that share the global random state have a copy of it in a pickle, and not the state of their own.
    return Stand(case.name, Parts(scipy_stats._ATTRIBUTES, [name, args, kwds, None]))


RULES = Rules(
    classes={
        **{handler.type: _sparse for handler in scipy_.HANDLERS},
        **{handler.type.replace("sparse._", "sparse.", 1): _sparse for handler in scipy_.HANDLERS},
        "scipy.interpolate._bsplines:BSpline": _spline,
        **{handler.type: _frozen for handler in scipy_stats.HANDLERS},
    },
    needs={
        "scipy.interpolate._bsplines:BSpline": _spline_parts,
        **{handler.type: _parameters for handler in scipy_stats.HANDLERS},
    },
)
