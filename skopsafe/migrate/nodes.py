"""A Document as a graph that can be changed: inert records that refer to each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from skopsafe.errors import LimitError
from skopsafe.graph.document import CLASS, VALUE, Column, Document, Unread
from skopsafe.graph.plain import MOST_DIMENSIONS

Array = NDArray[Any]

MOST_NODES, MOST_CELLS = 2**22, 2**25
"""Of a Document that is changed: a node becomes some hundred bytes, before anyone approved it."""
_LOOKS, _MORE = 16, 2**20
"""How often the items of a graph may be looked at: so often each, and some more."""


class Node:
    """One object of the graph.

    Attributes
    ----------
    type, role : str
        Row of the type table: ``module:qualname``, and what for.
    attributes : dict of str to object
        Values by name. An array is the number of one in the file, or a `NewArray`.
    items : list
        Values without names; then there are no attributes.
    width : int or None
        How many `items` all nodes of its shape have; None where each node may have another number.
    stride : int
        How many items take turns: 2 for the keys and values of a long dict, 0 where nobody knows.
    place : int
        Its number in the file; -1 of a new one.
    graph : Graph or None
        Of a node of the file.
    """

    __slots__ = ("attributes", "graph", "has_names", "items", "place", "role", "stride", "type", "width")

    def __init__(self, type: str, attributes: dict[str, Any] | None = None, role: str = CLASS) -> None:
        self.type = type
        self.role = role
        self.has_names = attributes is not None
        self.attributes: dict[str, Any] = {} if attributes is None else attributes
        self.items: list[Any] = []
        self.width: int | None = None
        self.stride = 0
        self.place = -1
        self.graph: Graph | None = None

    def values(self) -> Iterable[Any]:
        """Return all values."""
        return self.attributes.values() if self.has_names else self.items

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of an attribute."""
        return self.attributes.get(name, default)

    def rename(self, old: str, new: str) -> bool:
        """Give an attribute another name, unless there is one of that name; tell whether it was so."""
        if old not in self.attributes or new in self.attributes or self._is_made_otherwise():
            return False
        self.attributes[new] = self.attributes.pop(old)
        return True

    def add(self, name: str, value: Any) -> bool:
        """Add an attribute where there is none of that name; tell whether it was so."""
        if not self.has_names or name in self.attributes or self._is_made_otherwise():
            return False
        self.attributes[name] = value
        return True

    def _is_made_otherwise(self) -> bool:
        """Tell whether it is made of arguments or a state, and not of its attributes."""
        return next(iter(self.attributes), "")[:2] == "()"

    def node(self, name: str, *types: str) -> Node | None:
        """Return the node that an attribute refers to, if it is an instance of one of these types."""
        value = self.attributes.get(name)
        return value if is_a(value, *types) else None

    def each(self) -> list[Any]:
        """Return the items, for a look at each of them: that is work, and a list may stand anywhere."""
        if self.graph is not None:
            self.graph.pay(len(self.items))
        return self.items

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """Return keys and values of a dict."""
        items = self.each()
        return zip(items[::2], items[1::2], strict=False)


class NewArray:
    """An array that is made of others when it is asked for.

    Attributes
    ----------
    make : callable
        ``make(*arrays)`` returns it.
    sources : tuple of int or NewArray
        Arrays of the file, or new ones.
    keeps : bool
        Whether the arrays of the file stay where they stand, too.
    """

    __slots__ = ("keeps", "make", "sources")

    def __init__(
        self, make: Callable[..., Array], sources: Sequence[int | NewArray] = (), *, keeps: bool = False
    ) -> None:
        self.make = make
        self.sources = tuple(sources)
        self.keeps = keeps


class Graph:
    """All nodes of a Document.

    Attributes
    ----------
    document : Document
        Where they come from.
    nodes : list of Node
        In the order of the file; new ones are not among them.
    root : object
        A scalar, or the node that was saved.
    floats : dict of int to int
        By array of a column of floats: how many items it has.
    ahead : set of (int, int)
        Places of nodes, and of those to which they refer although they come later, as in a cycle.
    """

    def __init__(self, document: Document) -> None:
        cells = document.cell_count
        if document.node_count > MOST_NODES or cells > MOST_CELLS:
            raise LimitError(
                f"{document.node_count} objects with {cells} values are too many to be changed to what the "
                "installed scikit-learn would write",
                next_step="Load the file under the scikit-learn that wrote it.",
            )
        self.document = document
        self._left = _LOOKS * cells + _MORE
        self.floats: dict[int, int] = {}
        self.nodes: list[Node] = []
        nodes = self.nodes
        for run in document.runs:
            named = document.types[document.shapes[run.shape].type]
            nodes += [Node(named.name, None, named.role) for _ in range(run.count)]
        for place, node in enumerate(nodes):
            node.place = place
            node.graph = self
        for run, start in zip(document.runs, document.starts, strict=False):
            form = document.shapes[run.shape].form
            if form is None:
                for place, row in enumerate(run.columns, start):
                    nodes[place].items, nodes[place].stride = self._row(row)
                continue
            columns = [self._column(column, run.count) for column in run.columns]
            found = nodes[start : start + run.count]
            values: Iterable[Any] = zip(*columns, strict=True) if columns else [()] * run.count
            for node, cells in zip(found, values, strict=True):
                if isinstance(form, tuple):
                    node.has_names = True
                    node.attributes = dict(zip(form, cells, strict=True))
                else:
                    node.items, node.width = list(cells), form
        self.ahead = {
            (node.place, value.place)
            for node in nodes
            for value in node.values()
            if type(value) is Node and value.place >= node.place
        }
        root = document.root
        self.root = nodes[root[0]] if isinstance(root, list) else root

    def pay(self, count: int) -> None:
        """Count a look at so many items, which may be looked at for each object that has them.

        Raises
        ------
        LimitError
            There are many times as many looks as items.
        """
        self._left -= count
        if self._left < 0:
            raise LimitError(
                "the same items stand at too many places",
                path="schema.json",
                next_step="The file is damaged or crafted; do not load it.",
            )

    def by_type(self) -> dict[str, list[Node]]:
        """Return the instances of each class, in order."""
        out: dict[str, list[Node]] = {}
        for node in self.nodes:
            if node.role == CLASS:
                out.setdefault(node.type, []).append(node)
        return out

    def _column(self, column: Any, count: int) -> Sequence[Any]:
        nodes = self.nodes
        if isinstance(column, list):
            return [nodes[value[0]] if type(value) is list else value for value in column]
        if not isinstance(column, Column):
            return [column] * count
        if column.refs is not None:
            return [nodes[number] for number in column.refs]
        if column.ref is not None:
            return nodes[column.ref : column.ref + count] if column.step else [nodes[column.ref]] * count
        if column.floats is not None:
            self.floats[column.floats] = count
            return [Unread(column.floats, row) for row in range(count)]
        first = column.first or 0
        return range(first, first + count)

    def _row(self, row: Any) -> tuple[list[Any], int]:
        if not isinstance(row, Column):
            return list(self._column(row, len(row))), 0
        columns = [self._column(column, row.count) for column in row.columns or ()]
        stride = len(columns)
        values: list[Any] = [None] * (row.count * stride)
        for place, column in enumerate(columns):
            values[place::stride] = column
        return values, stride


def is_a(value: Any, *types: str) -> TypeGuard[Node]:
    """Tell whether a value refers to an instance of one of these classes."""
    return type(value) is Node and value.role == CLASS and value.type in types


def is_array(value: Any) -> TypeGuard[Node]:
    """Tell whether a value refers to an array of numbers, texts or the like."""
    return is_a(value, "numpy:ndarray") and is_stored(value.get("array"))


def shape_of(node: Any) -> tuple[Any, ...] | None:
    """Return the shape of an array, without reading it; None where nobody knows."""
    if not is_a(node, "numpy:ndarray"):
        return None
    number, shape = node.get("array"), node.get("shape")
    if type(number) is int and node.graph is not None:
        return node.graph.document.extent(number)
    if is_a(shape, "builtins:tuple") and len(shape.items) <= MOST_DIMENSIONS:
        return tuple(shape.items)
    return None


def is_stored(value: Any) -> TypeGuard[int | NewArray]:
    """Tell whether a value can be the number of an array, or is a new one."""
    return type(value) is int or type(value) is NewArray


def array(make: Callable[..., Array], *sources: Any, keeps: bool = True) -> Node:
    """Return an array that is made of others.

    Parameters
    ----------
    make : callable
        ``make(*arrays)`` returns it.
    *sources : Node
        Arrays of which it is made; see `is_array`.
    keeps : bool
        Whether these stay where they stand.
    """
    numbers = [source.get("array") for source in sources]
    return Node("numpy:ndarray", {"array": NewArray(make, numbers, keeps=keeps)})


def replace(node: Node, make: Callable[[Array], Array]) -> None:
    """Replace an array, wherever it stands, by a function of it."""
    found = node.attributes["array"]
    # Many objects may share it: it is made of itself only once.
    if not isinstance(found, NewArray) or found.make is not make:
        node.attributes["array"] = NewArray(make, (found,))


def value(name: str) -> Node:
    """Return a class or function as a value."""
    return Node(name, {}, VALUE)


def dtype(text: str) -> Node:
    """Return a dtype of numpy."""
    return Node("numpy:dtype", {"str": text})


def number(of: float) -> Node:
    """Return a float64 of numpy."""
    return Node("numpy:generic", {"dtype": "<f8", "value": of})


def sequence(kind: str, items: Iterable[Any] = ()) -> Node:
    """Return a list or tuple; of a dict, keys and values in turns."""
    out = Node(f"builtins:{kind}")
    out.items = list(items)
    return out


def float_of(node: Any) -> float | None:
    """Return the float that a value is: one of Python, or a float64 of numpy."""
    if is_a(node, "numpy:generic") and node.get("dtype") == "<f8":
        node = node.get("value")
    return node if type(node) is float else None


def open_state(node: Node) -> None:
    """Turn a state, in which an instance of a class that nobody reviewed is written, into its attributes."""
    state = node.node("()state", "builtins:dict")
    if state is None or len(node.attributes) != 1:
        return
    pairs = list(state.pairs())
    if all(type(name) is str and name.isidentifier() for name, _ in pairs):
        node.attributes = {name: value for name, value in pairs if name != "_sklearn_version"}


def as_floats(found: Array, ndim: int | None = None) -> Array:
    """Return an array of numbers as float64; of what is none, or has other dimensions, raise ValueError."""
    if found.dtype.kind not in "biuf" or (ndim is not None and found.ndim != ndim):
        raise ValueError("it is not an array of numbers of that many dimensions")
    return np.asarray(found, np.float64)
