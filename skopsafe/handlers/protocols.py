"""Attributes by which numpy takes any object for an array.

``__array_interface__`` is a dict with an address, a shape and a dtype. numpy looks for it on the object, not
on its class, and then reads or writes whatever is at that address. So no object that is built from a file may
have such an attribute, and no dict that names an address may come from a file: a series of pandas answers for
an attribute with what it has under that label.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skopsafe.handlers.checks import require

PROTOCOLS = frozenset(
    {"__array_interface__", "__array_struct__", "__array__", "__cuda_array_interface__", "__dlpack__"}
)


def require_no_protocol(names: Iterable[object], where: str) -> None:
    """Raise `ValidationError` if one of `names` would make an object claim to be an array."""
    for name in names:
        if isinstance(name, str) and name in PROTOCOLS:
            require(False, "an object may not claim to be an array", f"{where}.{name}")


def has_address(mapping: dict[Any, Any]) -> bool:
    """Tell whether numpy would take a dict for the place and dtype of an array in memory."""
    return dict.__contains__(mapping, "typestr") and isinstance(dict.get(mapping, "data"), tuple)


def require_no_address(mapping: dict[Any, Any], where: str) -> None:
    """Raise `ValidationError` for a dict that numpy would take for the place of an array in memory."""
    require(not has_address(mapping), "names a place in memory as an array", where)


def refuse_address(mapping: dict[Any, Any]) -> None:
    """Raise `TypeError` for a dict that could not be loaded again."""
    if has_address(mapping):
        raise TypeError("numpy takes it for the place of an array in memory; save the array itself")


def items(mapping: dict[Any, Any]) -> list[Any]:
    """Return the keys and values of a dict, one behind the other, for a getter.

    Raises
    ------
    TypeError
        It could not be loaded again.
    """
    refuse_address(mapping)
    return [part for item in type(mapping).items(mapping) for part in item]
