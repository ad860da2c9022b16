"""The nodes of a Document one by one, and which are safe: what ``visualize`` of skops gives to sinks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skopsafe.errors import ArgumentError
from skopsafe.graph.document import Document
from skopsafe.graph.references import references

SHOWN = ("all", "untrusted", "trusted")

Children = Callable[[int], tuple[str, list[tuple[str, Any]]]]
"""Returns the title of a node, and its children as (label, value)."""


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """A node as a sink gets it.

    Attributes
    ----------
    level : int
        How deep it is; 0 for the root.
    key : str
        What it is called in the node above.
    val : str
        Its type, or its value.
    is_self_safe, is_safe : bool
        Whether it loads without approval, alone and with all that is in it.
    is_last : bool
        Whether it is the last in the node above.
    """

    level: int
    key: str
    val: str
    is_self_safe: bool
    is_safe: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class Look:
    """How nodes are labelled: the parameters that the default sink of skops takes.

    Attributes
    ----------
    tag_safe, tag_unsafe : str
        What stands behind nodes that load without approval, and behind others.
    use_colors : bool
        Whether there are colors.
    color_safe, color_unsafe, color_child_unsafe : str
        Colors, by their names.
    """

    tag_safe: str = ""
    tag_unsafe: str = "[UNSAFE]"
    use_colors: bool = True
    color_safe: str = "cyan"
    color_unsafe: str = "orange1"
    color_child_unsafe: str = "magenta"

    def label(self, node: NodeInfo) -> str:
        """Return what is shown of a node."""
        tag = self.tag_safe if node.is_self_safe else self.tag_unsafe
        return f"{node.key}: {node.val}" + (f" {tag}" if tag else "")

    def color(self, node: NodeInfo) -> str:
        """Return the color of a node; nothing where there are none."""
        if not self.use_colors:
            return ""
        if node.is_safe:
            return self.color_safe
        return self.color_child_unsafe if node.is_self_safe else self.color_unsafe


def look_of(options: dict[str, Any]) -> Look:
    """Return the look that a caller asks for."""
    try:
        return Look(**options)
    except TypeError as error:
        unknown = ", ".join(sorted(options.keys() - Look.__dataclass_fields__.keys()))
        raise ArgumentError(
            f"visualize takes no {unknown}", next_step="Pass options of your own along with a sink."
        ) from error


def walk(
    document: Document, unsafe_types: set[str], children: Children, scalar: Callable[[Any], str]
) -> Iterator[NodeInfo]:
    """Go through all nodes, parents first. What stands in several places is gone into at the first of them.

    Parameters
    ----------
    document : Document
        What to go through.
    unsafe_types : set of str
        Names in the type table that need approval.
    children : callable
        Tells what is in a node.
    scalar : callable
        Returns the text for a value that is no node.
    """
    unsafe, above = _unsafe(document, unsafe_types)
    seen: set[int] = set()
    stack: list[tuple[int, str, Any, bool]] = [(0, "root", document.root, True)]
    while stack:
        level, key, value, is_last = stack.pop()
        if not isinstance(value, list):
            yield NodeInfo(level, key, scalar(value), True, True, is_last)
            continue
        number = value[0]
        title, below = children(number)
        if number in seen:
            title, below = f"-> {title}", []
        seen.add(number)
        yield NodeInfo(level, key, title, number not in unsafe, number not in above, is_last)
        for place in range(len(below) - 1, -1, -1):
            label, child = below[place]
            key = label.removesuffix(": ") or str(place)
            stack.append((level + 1, key, child, place == len(below) - 1))


def _unsafe(document: Document, unsafe_types: set[str]) -> tuple[set[int], set[int]]:
    """Return the nodes of some types, and these with all that lead to them."""
    unsafe: set[int] = set()
    for run, start in zip(document.runs, document.starts, strict=False):
        if document.types[document.shapes[run.shape].type].name in unsafe_types:
            unsafe.update(range(start, start + run.count))
    if not unsafe:
        return unsafe, unsafe
    parents: defaultdict[int, list[int]] = defaultdict(list)
    for _, _, owners, numbers in references(document):
        count = max(len(owners), len(numbers))
        for place in range(count):
            parents[numbers[place if len(numbers) > 1 else 0]].append(owners[place if len(owners) > 1 else 0])
    above, todo = set(unsafe), list(unsafe)
    while todo:
        for parent in parents.get(todo.pop(), ()):
            if parent not in above:
                above.add(parent)
                todo.append(parent)
    return unsafe, above


def drawn(
    nodes: Iterator[NodeInfo], show: str, look: Look, *, depth: int, lines: int
) -> tuple[list[str], list[str]]:
    """Draw nodes as a tree: lines, and their colors."""
    found: list[NodeInfo] = []
    is_cut = False
    for node in nodes:
        is_shown = {"all": True, "untrusted": not node.is_safe, "trusted": node.is_self_safe}[show]
        if node.level > depth or not (is_shown or not node.level):
            continue
        if len(found) == lines:
            is_cut = True
            break
        found.append(node)
    out = _branches(found, look)
    colors = [look.color(node) for node in found]
    if is_cut:
        out.append(f"... more than {lines} lines")
        colors.append("")
    return out, colors


def _branches(found: Sequence[NodeInfo], look: Look) -> list[str]:
    """Return a line for each node, with the branches of the tree before it."""
    out: list[str] = []
    following: set[int] = set()  # levels on which more nodes follow, below the same nodes above
    for node in reversed(found):
        following = {level for level in following if level <= node.level}
        if not node.level:
            out.append(look.label(node))
            continue
        bars = "".join("│  " if level in following else "   " for level in range(1, node.level))
        out.append(f"{bars}{'├─ ' if node.level in following else '└─ '}{look.label(node)}")
        following.add(node.level)
    return out[::-1]
