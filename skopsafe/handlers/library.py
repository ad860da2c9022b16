"""What skopsafe knows about one library: its getter/loader pairs, and the checks of its classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from skopsafe.graph.parts import Handler

Check = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Library:
    """The support for one library. Its reviewed table stands in ``trust/tables``, by the same name.

    Attributes
    ----------
    handlers : tuple of Handler
        Types that have a getter/loader pair.
    checks : mapping of str to callable
        ``check(obj)`` by ``module:qualname`` of a class: runs for instances of the class and of its
        subclasses when the whole graph has been built, and raises `ValidationError` naming the attribute.
    """

    handlers: tuple[Handler, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=lambda: MappingProxyType({}))
