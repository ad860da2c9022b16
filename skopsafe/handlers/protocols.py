"""Attributes by which numpy takes any object for an array.

``__array_interface__`` is a dict with an address, a shape and a dtype. numpy looks for it on the object and not
on its class, and then reads, or writes, whatever is at that address. So no object that is built from a file
may have one: not as an attribute, and not as a key or label where those become attributes.
"""

from __future__ import annotations

from collections.abc import Iterable

from skopsafe.handlers.checks import require

PROTOCOLS = frozenset(
    {"__array_interface__", "__array_struct__", "__array__", "__cuda_array_interface__", "__dlpack__"}
)


def require_no_protocol(names: Iterable[object], where: str) -> None:
    """Raise `ValidationError` if one of `names` would make an object claim to be an array."""
    for name in names:
        if isinstance(name, str) and name in PROTOCOLS:
            require(False, "an object may not claim to be an array", f"{where}.{name}")
