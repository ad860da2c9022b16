"""All nodes of a file of skops to records: a loop over an explicit stack, children first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skopsafe.archive.zip_records import SCHEMA as MEMBER
from skopsafe.errors import FormatError, LimitError, SkopsafeError
from skopsafe.foreign.pickles.values import Value
from skopsafe.foreign.skops import library_nodes, nodes
from skopsafe.foreign.skops.loaders import check, name_of
from skopsafe.foreign.skops.members import Members
from skopsafe.foreign.skops.nodes import At, Node, wrong
from skopsafe.limits import Limits

_NODES = nodes.NODES | library_nodes.NODES
_OPEN = object()
"""Stands for an object that is on its way: it would be a part of itself."""


class _Frame:
    """A node on its way: the nodes in it, those of their records that are there, and what makes its own."""

    __slots__ = ("below", "finish", "made", "number", "saved_id")

    def __init__(self, number: int, saved_id: int | None, parts: nodes.Parts) -> None:
        self.number = number
        self.saved_id = saved_id
        self.below, self.finish = parts
        self.made: list[Value] = []


class Tree:
    """The nodes of a file.

    Attributes
    ----------
    root : Value
        The record of the object that was saved.
    """

    def __init__(self, root: Node, members: Members, limits: Limits) -> None:
        self._members = members
        self._most = limits.nodes
        self._places: list[tuple[int, str]] = []
        self._known: dict[int, tuple[tuple[Any, ...], Value]] = {}
        try:
            self.root = self._translate(root)
        except SkopsafeError as error:
            if not isinstance(error, FormatError) or error.path != MEMBER or not self._places:
                raise
            raise type(error)(error.reason, path=self.path(self._at), next_step=error.next_step) from error

    def path(self, number: int) -> str:
        """Return where in the schema a node is, by its number."""
        parts: list[str] = []
        while 0 <= number < len(self._places) and len(parts) < 50:
            number, label = self._places[number]
            parts.append(label)
        start = "..." if number >= 0 else MEMBER
        return start + "".join(reversed(parts))

    def _translate(self, root: Any) -> Value:
        stack: list[_Frame] = []
        value = self._open(root, -1, "", stack)
        while stack:
            frame = stack[-1]
            self._at = frame.number
            place = len(frame.made)
            if place < len(frame.below):
                label, node = frame.below[place]
                height = len(stack)
                value = self._open(node, frame.number, label, stack)
                if len(stack) == height:
                    frame.made.append(value)
                continue
            value = frame.finish(frame.made)
            if frame.saved_id is not None:
                self._known[frame.saved_id] = self._known[frame.saved_id][0], value
            stack.pop()
            if stack:
                stack[-1].made.append(value)
        return value

    def _open(self, node: Any, parent: int, label: str, stack: list[_Frame]) -> Value:
        """Return the record of a node that is known; of others, put a frame on the stack."""
        number = self._at = len(self._places)
        self._places.append((parent, label))
        if number >= self._most:
            raise LimitError(
                f"the file has more nodes than the limit of {self._most}",
                path=MEMBER,
                next_step="Pass limits=Limits(nodes=...) if you expect so many objects.",
            )
        if not isinstance(node, dict):
            raise wrong("a part is no node")
        saved_id, loader = node.get("__id__"), node.get("__loader__")
        saved_id = saved_id if type(saved_id) is int else None
        kind = loader, node.get("__module__"), node.get("__class__")
        known = None if saved_id is None else self._known.get(saved_id)
        if known is not None:
            # What a repeated node holds is what it held the first time, and nobody looks at it again.
            if loader != "CachedNode" and known[0] != kind:
                raise wrong("two objects of different types have one number")
            if known[1] is _OPEN:
                raise wrong("an object is a part of itself")
            return known[1]
        read: Callable[..., nodes.Parts] | None = _NODES.get(loader) if isinstance(loader, str) else None
        if read is None or not isinstance(loader, str):
            if loader == "CachedNode":
                raise wrong("a node refers to no object before it")
            raise wrong(f"skops has no loader {str(loader)[:60]!r} that is known here")
        module, name = name_of(node)
        check(loader, f"{module}:{name}")
        parts = read(node, At(number, module, name, self._members))
        if saved_id is not None:
            self._known[saved_id] = kind, _OPEN
        if not parts[0]:
            value = parts[1]([])
            if saved_id is not None:
                self._known[saved_id] = kind, value
            return value
        stack.append(_Frame(number, saved_id, parts))
        return None
