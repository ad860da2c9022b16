"""Models that differ in one parameter from the default: each option that a class says it has.

``python -m tests.golden.sklearn.make FOLDER --sweep`` makes them under an old release, and ``python -m
tests.golden.sklearn.compare FOLDER`` compares them under the installed one. They are many, and not stored.
"""

from __future__ import annotations

from typing import Any

from tests.golden.sklearn.models import Model, composed, data_for, made

_NEVER = {
    "memory",
    "verbose",
    "n_jobs",
    "copy",
    "copy_X",
    "warm_start",
    "random_state",
    "input",
    "missing_values",
}


def options(constraints: Any) -> list[Any]:
    """Return the texts, bools and None that a parameter may be."""
    out: list[Any] = []
    for constraint in constraints if isinstance(constraints, list) else []:
        if constraint is None:
            out.append(None)
        elif constraint in ("boolean",):
            out += [True, False]
        out += [value for value in getattr(constraint, "options", ()) if isinstance(value, (str, bool, int))]
    return sorted(out, key=repr)


def swept(all_of: dict[str, Any]) -> list[Model]:
    """Return unfitted models, one for each option that is not the default."""
    parts = composed(all_of)
    out = []
    for name, cls in sorted(all_of.items()):
        given = parts.get(name, {})
        base = made(cls, **given).get_params(deep=False)
        for parameter, constraints in sorted(getattr(cls, "_parameter_constraints", {}).items()):
            if parameter in _NEVER or parameter not in base:
                continue
            for value in options(constraints):
                if value in ("deprecated", "precomputed", "warn") or value == base[parameter]:
                    continue
                model = made(cls, **given).set_params(**{parameter: value})
                out.append(Model(f"{name} {parameter}={value}", model, data_for(name, cls)))
    return out
