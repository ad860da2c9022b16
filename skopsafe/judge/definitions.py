"""What the source of a module defines, imports and calls, as far as its text tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

_CALLS = 200
"""Calls that are kept of one function."""


class Methods(Protocol):
    """What the methods of a class call."""

    def get(self, name: str, default: tuple[str, ...], /) -> tuple[str, ...]:
        """Return the dotted names that a method calls."""
        ...


@dataclass(frozen=True, slots=True)
class Binding:
    """One way in which a module binds a name.

    Attributes
    ----------
    kind : str
        ``import`` of a module, ``from`` a module, ``alias`` of another name; else what it is.
    module, name : str
        What is imported; the dotted name that an alias is for.
    calls : tuple of str
        Dotted names that a function calls.
    methods : Methods
        The same for the methods of a class, by name.
    """

    kind: Literal["import", "from", "alias", "class", "function", "value"]
    module: str = ""
    name: str = ""
    calls: tuple[str, ...] = ()
    methods: Methods = field(default_factory=dict[str, tuple[str, ...]])


@dataclass(frozen=True, slots=True)
class Definitions:
    """What a module binds.

    Attributes
    ----------
    names : dict of str to tuple of Binding
        By name; several where it does so at several places.
    stars : tuple of str
        Modules all of whose names it imports.
    """

    names: dict[str, tuple[Binding, ...]]
    stars: tuple[str, ...]


def definitions(tree: ast.Module, package: str) -> Definitions:
    """Return what a module binds at its top level, also under conditions.

    Parameters
    ----------
    tree : ast.Module
        Its source.
    package : str
        What relative imports are relative to.
    """
    names: dict[str, list[Binding]] = {}
    stars: list[str] = []
    for node in _statements(tree.body):
        match node:
            case ast.Import():
                for alias in node.names:
                    # ``import a.b`` binds a, and ``import a.b as c`` binds c to a.b.
                    bound = alias.asname or alias.name.partition(".")[0]
                    module = alias.name if alias.asname else bound
                    names.setdefault(bound, []).append(Binding("import", module))
            case ast.ImportFrom():
                module = _absolute(node, package)
                for alias in node.names:
                    if alias.name == "*":
                        stars.append(module)
                    else:
                        found = Binding("from", module, alias.name)
                        names.setdefault(alias.asname or alias.name, []).append(found)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                names.setdefault(node.name, []).append(Binding("function", calls=_calls(node)))
            case ast.ClassDef():
                inside = [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]
                methods = {inner.name: _calls(inner) for inner in inside}
                names.setdefault(node.name, []).append(Binding("class", methods=methods))
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                dotted = _dotted(node.value)
                for target in targets:
                    if isinstance(target, ast.Name):
                        kind = Binding("alias", name=dotted) if dotted else Binding("value")
                        names.setdefault(target.id, []).append(kind)
    return Definitions({name: tuple(found) for name, found in names.items()}, tuple(stars))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Go through the statements that run when a module is imported, outside of functions and classes."""
    todo = list(reversed(body))
    while todo:
        node = todo.pop()
        yield node
        inner: list[ast.stmt] = []
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner += getattr(node, name, [])
        for handler in getattr(node, "handlers", []):
            inner += handler.body
        todo += reversed(inner)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _dotted(node: ast.expr | None) -> str:
    """Return ``a.b.c`` if that is what an expression is, or an empty text."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _calls(function: ast.AST) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and len(found) < _CALLS:
            dotted = _dotted(node.func)
            if dotted:
                found[dotted] = None
    return tuple(found)
