"""What a getter hands to the writer and what a loader receives from the builder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from skopsafe.graph.account import Account

Array = NDArray[np.generic]


class Leaf(msgspec.Struct, frozen=True):
    """An array of a plain dtype whose bytes go to the archive as they are."""

    array: Array


class NameOf(msgspec.Struct, frozen=True):
    """A class or function that is written as its name, under a role."""

    target: Any
    role: str
    name: str | None = None


class Parts(msgspec.Struct, frozen=True):
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
    keys : sequence or None
        Keys of a mapping whose `values` these are: key and value are written in turns.
    """

    attributes: tuple[str, ...] | None
    values: Sequence[Any]
    type: Any = None
    role: str = "class"
    keys: Sequence[Any] | None = None


class Columns(msgspec.Struct, frozen=True):
    """Objects of one shape taken apart together.

    Attributes
    ----------
    attributes : tuple of str or None
        One name for each column, or None for plain sequences.
    columns : sequence of list
        For each part, one item for each object: live objects, `Leaf` or `NameOf`.
    lengths : list of int or None
        For sequences of several lengths: how many parts each has. Then there is one column, of the parts of
        all, one object behind the other.
    """

    attributes: tuple[str, ...] | None
    columns: Sequence[list[Any]]
    lengths: list[int] | None = None


class Context(Protocol):
    """What a loader may ask of the builder."""

    path: str
    account: Account

    def array(self, number: object) -> Array:
        """Return array `number` of the file, checked against its record."""

    def arrays(self, numbers: Sequence[object]) -> list[Array]:
        """Return arrays of the file. Each can be had once, so that no two objects share memory."""

    def joined(self, numbers: Sequence[object]) -> Iterator[tuple[Array, list[Array]]]:
        """Yield arrays as `arrays` does, in groups, each behind the items of all its arrays as one array.

        Arrays that lie side by side in the file can so be checked as one, without a copy.
        """

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
        ``load_run(attributes, columns, context) -> list of objects``: `load` for a whole run, with a sequence
        of values for each column. Worth having where a model holds thousands.
    get_run : callable or None
        ``get_run(objects) -> Columns or None``: `get` for many objects; None where they have no shape in
        common.
    load_pairs : callable or None
        ``load_pairs(keys, items, context) -> object``: `load` for a node whose values are two columns.
    is_light : bool
        Whether loading takes no longer for longer parts: they are only held, or the loader itself pays for
        looking into them. What other loaders are given is paid for. See `skopsafe.graph.account`.
    """

    type: str
    get: Callable[[Any], Parts]
    load: Callable[[tuple[str, ...] | None, list[Any], Context], Any]
    shell: Callable[[Context], Any] | None = None
    fill: Callable[[Any, tuple[str, ...] | None, list[Any], Context], None] | None = None
    load_run: Callable[[tuple[str, ...] | None, list[Sequence[Any]], Context], list[Any]] | None = None
    get_run: Callable[[list[Any]], Columns | None] | None = None
    load_pairs: Callable[[Sequence[Any], Sequence[Any], Context], Any] | None = None
    is_light: bool = False
