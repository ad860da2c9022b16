"""Modules that have another place today, and that unpicklers do not translate."""

from __future__ import annotations

_OLD, _NEW = "numpy.core", "numpy._core"


def moved(module: str) -> str:
    """Return the name that a module has today: numpy 2 has moved its core."""
    is_old = module == _OLD or module.startswith(f"{_OLD}.")
    return _NEW + module.removeprefix(_OLD) if is_old else module
