"""What is known of a change between releases: data, and a small function of a node.

A migration makes what an older release wrote into what the next one would have written. A refusal says that
no file can be changed so, and that the outputs would be others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skopsafe.migrate.nodes import Node, open_state, value

Apply = Callable[[Node], bool]
"""Changes a node, and tells whether there was something to change."""

SKLEARN = "scikit-learn"
CHANGELOG = "https://scikit-learn.org/stable/whats_new/v{}.html"


@dataclass(frozen=True, slots=True)
class Migration:
    """A change that a file can follow.

    Attributes
    ----------
    name : str
        What it is called in audits and tests.
    release : str
        The first release that has the change, such as ``"1.3"``, or ``"1.3.1"`` where a patch brought it.
    types : tuple of str
        The classes whose instances change, as the release before names them.
    reason : str
        What changed.
    apply : callable
        ``apply(node)`` changes one instance, and tells whether it did. What it finds may be anything.
    link : str
        Where it is told.
    library : str
        The distribution that changed.
    """

    name: str
    release: str
    types: tuple[str, ...]
    reason: str
    apply: Apply
    link: str = ""
    library: str = SKLEARN


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change that no file can follow, since outputs would be others.

    Attributes
    ----------
    name, release, types, reason, link, library
        As of a `Migration`.
    applies : callable
        ``applies(node)`` tells whether an instance is one that would give other outputs.
    last : str
        The last release that reads such a file.
    """

    name: str
    release: str
    types: tuple[str, ...]
    reason: str
    applies: Apply
    last: str
    link: str = ""
    library: str = SKLEARN


Record = Migration | Refusal


def adds(values: Mapping[str, Any]) -> Apply:
    """Return what adds attributes with values that are scalars, or functions that make a node."""

    def apply(node: Node) -> bool:
        found = False
        for name, given in values.items():
            if name not in node.attributes:
                found |= node.add(name, given() if callable(given) else given)
        return found

    return apply


def renames(names: Mapping[str, str]) -> Apply:
    """Return what gives attributes other names."""

    def apply(node: Node) -> bool:
        renamed = [node.rename(old, new) for old, new in names.items()]
        return any(renamed)

    return apply


def takes_over(names: Mapping[str, str]) -> Apply:
    """Return what moves parameters to others, and leaves the mark of a deprecated one in their place."""

    def apply(node: Node) -> bool:
        renamed = [node.rename(old, new) and node.add(old, "deprecated") for old, new in names.items()]
        return any(renamed)

    return apply


def copies(names: Mapping[str, str]) -> Apply:
    """Return what adds attributes with the value that another has."""

    def apply(node: Node) -> bool:
        found = False
        for source, target in names.items():
            if source in node.attributes:
                found |= node.add(target, node.attributes[source])
        return found

    return apply


def becomes(name: str) -> Apply:
    """Return what gives instances another class."""

    def apply(node: Node) -> bool:
        node.type = name
        open_state(node)
        return True

    return apply


def refers_to(name: str) -> Callable[[], Node]:
    """Return what makes a reference to a class or function."""
    return lambda: value(name)
