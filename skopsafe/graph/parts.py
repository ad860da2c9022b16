"""What a getter hands to the writer and what a loader receives from the builder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Leaf:
    """An array of a plain dtype whose bytes go to the archive as they are."""

    array: NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class NameOf:
    """A class or function that is written as its name, under a role."""

    target: Any
    role: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """An object taken apart: the names of its parts, or None, and the parts.

    Attributes
    ----------
    attributes : tuple of str or None
        One name for each value, or None for a plain sequence.
    values : sequence
        Live objects, `Leaf` or `NameOf`.
    type : str or None
        The type's name where it is not that of the handler.
    role : str
        The role of the type's name.
    """

    attributes: tuple[str, ...] | None
    values: Sequence[Any]
    type: str | None = None
    role: str = "class"


class Context(Protocol):
    """What a loader may ask of the builder."""

    path: str

    def array(self, number: object) -> NDArray[np.generic]:
        """Return array `number` of the file, checked against its record."""

    def arrays(self, numbers: Sequence[object], *, copy: bool = True) -> list[NDArray[np.generic]]:
        """Return arrays of the file; without `copy` they may be read-only views of a buffer."""

    def resolve(self) -> Any:
        """Return the approved class or function that the present node's type names."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A getter/loader pair: the support for one type.

    Attributes
    ----------
    type : str
        ``module:qualname`` of the type whose nodes `load` builds.
    get : callable
        ``get(obj) -> Parts``. Runs at dump.
    load : callable
        ``load(attributes, values, context) -> object``. Runs after approval; must validate.
    shell : callable or None
        ``shell(context)`` makes the empty object that a cycle can point to.
    fill : callable or None
        ``fill(shell, attributes, values, context)`` gives the shell its content.
    load_run : callable or None
        ``load_run(attributes, columns, context) -> list of objects``: `load` for a whole run, with a list
        of values for each attribute. Worth having where a model holds thousands.
    """

    type: str
    get: Callable[[Any], Parts]
    load: Callable[[tuple[str, ...] | None, list[Any], Context], Any]
    shell: Callable[[Context], Any] | None = None
    fill: Callable[[Any, tuple[str, ...] | None, list[Any], Context], None] | None = None
    load_run: Callable[[tuple[str, ...], list[list[Any]], Context], list[Any]] | None = None
