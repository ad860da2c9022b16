"""Follows the attributes of ``self`` through one function: where they come from, and where they go."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from tests.gadgets.sinks import OF_ARRAYS, PASSING, last, sinks

Origin = tuple[str, str]
"""A parameter, and its attribute; the value itself where there is none."""


@dataclass
class Summary:
    """What a function does with its parameters and with attributes of them.

    Attributes
    ----------
    sinks : set of tuple
        The kind, the place ``module:qualname``, the line, and where the value comes from.
    returns : set of tuple
        Where what it returns comes from.
    """

    sinks: set[tuple[str, str, str, Origin]] = field(default_factory=set)
    returns: set[Origin] = field(default_factory=set)


@functools.cache
def held(owner: Any, name: str) -> Any:
    """Return the function, class or property that a class or module has under a name, without asking it."""
    bases = owner.__mro__ if isinstance(owner, type) else (owner,)
    found = next((vars(base)[name] for base in bases if name in vars(base)), None)
    return found if callable(found) or hasattr(type(found), "__get__") else None


@functools.cache
def source(name: str) -> tuple[dict[str, ast.FunctionDef], list[str]]:
    """Return the functions of a module by qualname, and its lines; nothing where it has no source."""
    try:
        text = inspect.getsource(sys.modules[name])
    except (OSError, TypeError):
        return {}, []
    found: dict[str, ast.FunctionDef] = {}

    def collect(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef):
                found[prefix + node.name] = node
                collect(node.body, f"{prefix}{node.name}.<locals>.")
            elif isinstance(node, ast.ClassDef):
                collect(node.body, f"{prefix}{node.name}.")
            else:
                for part in ("body", "orelse", "finalbody"):
                    collect(getattr(node, part, []), prefix)

    collect(ast.parse(text).body, "")
    return found, text.splitlines()


def parameters(func: FunctionType) -> tuple[list[str], list[str]]:
    """Return the names of the parameters, and those that take any number of arguments."""
    code = func.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    several = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return list(code.co_varnames[:count]), list(code.co_varnames[count : count + several])


class Function:
    """One function, read as a method of `owner` or by itself.

    Parameters
    ----------
    reader : object
        Finds functions that are called, and their summaries.
    func : function
        What to read.
    owner : type or None
        The class whose instance the first parameter is.
    """

    def __init__(self, reader: Any, func: FunctionType, owner: type | None) -> None:
        self.reader, self.owner, self.scope = reader, owner, func.__globals__
        self.place = f"{func.__module__}:{func.__qualname__}"
        functions, self.lines = source(func.__module__)
        self.node = functions.get(func.__qualname__)
        names, several = parameters(func)
        self.flows: dict[str, set[Origin]] = {name: {(name, "")} for name in (*names, *several)}
        self.first = names[0] if names and owner is not None else ""
        self.private = func.__qualname__.rpartition(".")[0].rpartition(".")[2].lstrip("_")
        self.summary = Summary()
        self.lookups: dict[str, Any] = {}
        self.inside: dict[str, ast.FunctionDef] = {}

    def read(self) -> None:
        """Follow everything; twice where a loop or a function inside carries values back."""
        if self.node is None:
            return
        inside = (node for statement in self.node.body for node in ast.walk(statement))
        again = any(isinstance(node, ast.For | ast.While | ast.FunctionDef) for node in inside)
        for _ in range(1 + again):
            for statement in self.node.body:
                self.statement(statement)

    def look(self, name: str) -> Any:
        """Return what the class has under a name, and remember that this was asked."""
        if name.startswith("__") and not name.endswith("__"):
            name = f"_{self.private}{name}"
        found = self.lookups[name] = held(self.owner, name)
        return found

    def statement(self, node: ast.AST) -> None:
        """Follow one statement and those below it."""
        match node:
            case ast.FunctionDef():
                self.inside[node.name] = node
                for argument in (*node.args.args, *node.args.kwonlyargs):
                    self.flows.setdefault(argument.arg, set())
            case ast.ClassDef():
                return
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                found = self.value(node.value)
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    self.assign(target, found)
                return
            case ast.For():
                self.assign(node.target, self.value(node.iter))
            case ast.Return():
                self.summary.returns |= self.value(node.value)
                return
            case ast.withitem(optional_vars=ast.expr() as variable):
                self.assign(variable, self.value(node.context_expr))
        for below in ast.iter_child_nodes(node):
            if isinstance(below, ast.expr):
                self.value(below)
            else:
                self.statement(below)

    def assign(self, target: ast.expr, found: set[Origin]) -> None:
        """Let a variable, or all in a pattern of them, have what a value has."""
        if isinstance(target, ast.Subscript):
            self.value(target.slice)
        if isinstance(target, ast.Subscript | ast.Attribute):
            if isinstance(target.value, ast.Name) and target.value.id != self.first and found:
                self.flows.setdefault(target.value.id, set()).update(found)
            return
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                self.flows.setdefault(node.id, set()).update(found)

    def value(self, node: ast.AST | None) -> set[Origin]:
        """Return where a value comes from, noting what is done on the way."""
        match node:
            case None | ast.Constant():
                return set()
            case ast.Name():
                return self.flows.get(node.id, set())
            case ast.Attribute():
                return self.attribute(node)
            case ast.Call():
                return self.call(node)
            case ast.Lambda():
                return self.value(node.body)
            case ast.NamedExpr():
                self.assign(node.target, self.value(node.value))
                return self.value(node.value)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                for part in node.generators:
                    self.assign(part.target, self.value(part.iter))
                    self.all(*part.ifs)
                return self.all(*((node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)))
            case ast.Compare() | ast.UnaryOp():
                self.all(*ast.iter_child_nodes(node))
                return set()
            case ast.BinOp():
                left, right = self.value(node.left), self.value(node.right)
                if isinstance(node.op, ast.Mod):
                    self.note("format", node, left)
                return left | right if isinstance(node.op, ast.Mod | ast.Add | ast.BitOr) else set()
            case ast.IfExp():
                self.value(node.test)
                return self.all(node.body, node.orelse)
            case ast.expr_context() | ast.operator() | ast.boolop():
                return set()
            case _:
                return self.all(*ast.iter_child_nodes(node))

    def all(self, *nodes: ast.AST | None) -> set[Origin]:
        """Return where any of some values comes from."""
        return set().union(*map(self.value, nodes))

    def attribute(self, node: ast.Attribute) -> set[Origin]:
        """Return where an attribute comes from: of a parameter, it is told apart from the others."""
        found = self.value(node.value)
        if not isinstance(node.value, ast.Name) or (node.value.id, "") not in found:
            return set() if node.attr in OF_ARRAYS else found
        name = node.value.id
        others = found - {(name, "")}
        if node.attr == "__class__":
            return others
        if name == self.first:
            own = self.look(node.attr)
            if isinstance(own, property) and isinstance(own.fget, FunctionType):
                return others | self.enter(
                    own.fget, self.owner, ast.Call(node, [node.value], [], lineno=node.lineno)
                )
            if callable(own) or isinstance(own, staticmethod | classmethod | property):
                return others
        return others | {(name, node.attr)}

    def call(self, node: ast.Call) -> set[Origin]:
        """Follow a call: into the function where it can be found, or by its name."""
        func, name = node.func, last(node.func)
        # delayed(f)(...) and partial(f, ...) hand on what they are given.
        if isinstance(func, ast.Call) and last(func.func) == "delayed" and func.args:
            return self.call(ast.Call(func.args[0], node.args, node.keywords, lineno=node.lineno))
        if name == "partial" and node.args:
            self.call(ast.Call(node.args[0], node.args[1:], node.keywords, lineno=node.lineno))
        if name == "getattr" and isinstance(func, ast.Name) and isinstance(node.args[1], ast.Constant):
            self.all(*node.args[2:])
            return self.attribute(ast.Attribute(node.args[0], str(node.args[1].value), lineno=node.lineno))
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        every = self.all(*given)
        if isinstance(func, ast.Name) and func.id in self.inside:
            arguments = self.inside[func.id].args
            for parameter, value in matched([a.arg for a in (*arguments.args, *arguments.kwonlyargs)], node):
                self.flows.setdefault(parameter, set()).update(self.value(value))
            return every
        target, owner, bound = self.target(func)
        if target is not None:
            first = [ast.Name(self.first)] if bound else []
            return self.enter(
                target, owner, ast.Call(func, [*first, *node.args], node.keywords, lineno=node.lineno)
            )
        of_self = (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and func.value.id == self.first
        )
        if not isinstance(func, ast.Attribute) or (of_self and self.first):
            self.note("call", node, self.value(func))
        for kind, values in sinks(node):
            self.note(kind, node, self.all(*values))
        return (
            every | (self.value(func.value) if isinstance(func, ast.Attribute) else set())
            if name in PASSING
            else set()
        )

    def note(self, kind: str, node: Any, found: set[Origin]) -> None:
        """Note a place where a value matters."""
        if found:
            text = self.lines[node.lineno - 1].strip()
            self.summary.sinks |= {(kind, self.place, text, origin) for origin in found}

    def target(self, func: ast.expr) -> tuple[FunctionType | None, type | None, bool]:
        """Find the function of the library that is called; with its class, and whether it is bound."""
        if isinstance(func, ast.Name) and func.id not in self.flows:
            return self.reader.function(self.scope.get(func.id)), None, False
        base = func.value if isinstance(func, ast.Attribute) else None
        if not isinstance(func, ast.Attribute) or base is None:
            return None, None, False
        if isinstance(base, ast.Name) and base.id == self.first and self.first:
            found = self.look(func.attr)
            is_static = isinstance(found, staticmethod)
            return self.reader.function(found), None if is_static else self.owner, not is_static
        if isinstance(base, ast.Call) and last(base.func) == "super" and self.owner is not None:
            bases = [vars(cls).get(func.attr) for cls in self.owner.__mro__]
            functions = [found for found in map(self.reader.function, bases) if found is not None]
            own = [f"{found.__module__}:{found.__qualname__}" for found in functions]
            later = functions[own.index(self.place) + 1 :] if self.place in own else functions
            return (later[0], self.owner, True) if later else (None, None, False)
        if isinstance(base, ast.Name) and base.id not in self.flows:
            holder = self.scope.get(base.id)
            if isinstance(holder, type | ModuleType):
                found = held(holder, func.attr)
                is_method = isinstance(holder, type) and not isinstance(found, staticmethod)
                return self.reader.function(found), holder if is_method else None, False
        return None, None, False

    def enter(self, target: FunctionType, owner: type | None, node: ast.Call) -> set[Origin]:
        """Take over what a called function does with what it is given."""
        below = self.reader.summary(target, owner, self)
        names, several = parameters(target)
        given: dict[str, list[ast.expr]] = {}
        for name, value in matched(names, node):
            for parameter in [name] if name else several:
                given.setdefault(parameter, []).append(value)
        origins = {sink[3] for sink in below.sinks} | below.returns
        mapped = {
            (name, attribute): self.mapped(given.get(name, []), attribute) for name, attribute in origins
        }
        for kind, place, text, origin in list(below.sinks):
            self.summary.sinks |= {(kind, place, text, found) for found in mapped.get(origin, ())}
        return set().union(*(mapped.get(origin, set()) for origin in list(below.returns)))

    def mapped(self, values: list[ast.expr], attribute: str) -> set[Origin]:
        """Return where an attribute of what was given comes from."""
        found: set[Origin] = set()
        for value in values:
            whole = self.value(value)
            if isinstance(value, ast.Name) and (value.id, "") in whole:
                found |= {(value.id, attribute)} | (whole - {(value.id, "")})
            elif attribute not in OF_ARRAYS:
                found |= whole
        return found


def matched(names: list[str], node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Match arguments with parameters; what could be any of them is matched with all, others with ''."""
    left = list(names)
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            yield from ((name, argument.value) for name in (*left, ""))
        else:
            yield left.pop(0) if left else "", argument
    for keyword in node.keywords:
        if keyword.arg is None:
            yield from ((name, keyword.value) for name in (*left, ""))
        else:
            yield keyword.arg if keyword.arg in names else "", keyword.value
