"""What names mean, read from the source of the modules that are installed. Nothing is imported or run.

A module is looked for in the folders of `sys.path`, its source is parsed by `ast`, and a name is followed
through ``import``, ``from ... import``, and assignments of one name to another. What is compiled, what is
not installed and what a module computes stays unknown.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Literal

from skopsafe.judge.definitions import Binding
from skopsafe.judge.outline import Outline

_LARGEST = 2**21
"""Bytes of the source of a module that are parsed."""
_HOPS = 40
"""Names that are looked up to follow one."""
_MODULES = 400
"""Modules that are kept."""

Kind = Literal["class", "function", "module", "value", "compiled", "missing"]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name could mean.

    Attributes
    ----------
    names : tuple of str
        ``module:qualname`` of all that it was followed to, in order; ``module:`` for a module itself.
    kind : str
        What the last of them is.
    calls : tuple of str
        Names that its own code calls, as far as they can be told, if it is a function or class.
    """

    names: tuple[str, ...]
    kind: Kind
    calls: tuple[str, ...] = ()


class Sources:
    """Looks names up in the source of installed modules, and keeps what was parsed.

    Parameters
    ----------
    path : list of str, optional
        Folders to look in; those of `sys.path` unless given.
    """

    def __init__(self, path: list[str] | None = None) -> None:
        self._path = [folder or "." for folder in (sys.path if path is None else path)]
        self._modules: dict[str, Outline | None] = {}
        self._files: dict[str, str | None] = {}

    def meaning(self, module: str, qualname: str) -> Meaning:
        """Follow a name through the source of installed modules, breadth first."""
        todo: list[tuple[str, tuple[str, ...]]] = [(module, tuple(qualname.split(".")))]
        seen: dict[tuple[str, tuple[str, ...]], None] = {}
        kind: Kind = "missing"
        calls: tuple[str, ...] = ()
        while todo and len(seen) < _HOPS:
            state = todo.pop(0)
            if state in seen:
                continue
            seen[state] = None
            if not state[1]:
                kind = "module"
                continue
            found, inner, more = self._step(*state)
            todo += more
            if not more:
                kind, calls = found, calls + inner
        return Meaning(tuple(f"{name}:{'.'.join(parts)}" for name, parts in seen), kind, calls)

    def _step(
        self, module: str, parts: tuple[str, ...]
    ) -> tuple[Kind, tuple[str, ...], list[tuple[str, tuple[str, ...]]]]:
        """Return what a name is, what its code calls, and where it leads."""
        found = self._definitions(module)
        head, rest = parts[0], parts[1:]
        submodule = f"{module}.{head}"
        if found is None:
            kind: Kind = "compiled" if self._file(module) == "" else "missing"
            return kind, (), []
        bindings = found.bindings(head)
        more: list[tuple[str, tuple[str, ...]]] = []
        for binding in bindings:
            match binding.kind:
                case "import":
                    more.append((binding.module, rest))
                case "from":
                    more.append((binding.module, (binding.name, *rest)))
                    inner = f"{binding.module}.{binding.name}"
                    if self._file(inner) is not None:
                        more.append((inner, rest))
                case "alias":
                    more.append((module, (*binding.name.split("."), *rest)))
        if more:
            return "value", (), more
        if not bindings:
            stars = [(star, parts) for star in found.stars if self._has(star, head)]
            if stars:
                return "value", (), stars
            if self._file(submodule) is not None:
                return "module", (), [(submodule, rest)]
            return "missing", (), []
        return self._defined(module, bindings[-1], rest)

    def _defined(
        self, module: str, binding: Binding, rest: tuple[str, ...]
    ) -> tuple[Kind, tuple[str, ...], list[tuple[str, tuple[str, ...]]]]:
        if binding.kind == "value":
            return "value", (), []
        methods = (
            ("__init__", "__new__", "__post_init__", "__call__", "__setstate__") if not rest else rest[:1]
        )
        calls = binding.calls if binding.kind == "function" else ()
        if binding.kind == "class":
            calls = tuple(call for method in methods for call in binding.methods.get(method, ()))
        inner = [self._called(module, call) for call in calls]
        # One step further, into functions of the same module.
        found = self._definitions(module)
        for call in calls:
            for other in found.bindings(call) if found is not None and "." not in call else ():
                inner += [self._called(module, more) for more in other.calls]
        return (
            "class" if binding.kind == "class" and not rest else "function",
            tuple(dict.fromkeys(inner)),
            [],
        )

    def _called(self, module: str, call: str) -> str:
        """Return the full name of what a module knows as ``call``."""
        found = self._definitions(module)
        head, _, rest = call.partition(".")
        for binding in found.bindings(head) if found is not None else ():
            if binding.kind == "import":
                return f"{binding.module}:{rest}"
            if binding.kind == "from":
                return f"{binding.module}:{binding.name}{'.' if rest else ''}{rest}"
        if found is not None and found.has(head):
            return f"{module}:{call}"
        return f"builtins:{call}"

    def _has(self, module: str, name: str) -> bool:
        found = self._definitions(module)
        return found is not None and (found.has(name) or any(self._defines(s, name) for s in found.stars))

    def _defines(self, module: str, name: str) -> bool:
        found = self._definitions(module)
        return found is not None and found.has(name)

    def _definitions(self, module: str) -> Outline | None:
        if module not in self._modules:
            if len(self._modules) >= _MODULES:
                self._modules.clear()
            self._modules[module] = self._parse(module)
        return self._modules[module]

    def _parse(self, module: str) -> Outline | None:
        file = self._file(module)
        if not file:
            return None
        try:
            with open(file, "rb") as stream:
                source = stream.read(_LARGEST + 1)
            if len(source) > _LARGEST:
                return None
            is_package = os.path.basename(file) == "__init__.py"
            package = module if is_package else module.rpartition(".")[0]
            return Outline(_decoded(source), package, file)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def _file(self, module: str) -> str | None:
        """Return the source of a module; empty for a compiled one; None if there is none."""
        if module not in self._files:
            if len(self._files) >= 10 * _MODULES:
                self._files.clear()
            self._files[module] = self._find(module)
        return self._files[module]

    def _find(self, module: str) -> str | None:
        if module in sys.builtin_module_names:
            return ""
        folders = self._path
        parts = module.split(".")
        for number, part in enumerate(parts):
            if not part.isidentifier():
                return None
            is_last = number == len(parts) - 1
            packages = []
            for folder in folders:
                place = os.path.join(folder, part)
                if os.path.isfile(os.path.join(place, "__init__.py")):
                    if is_last:
                        return os.path.join(place, "__init__.py")
                    packages = [place]
                    break
                if is_last:
                    if os.path.isfile(f"{place}.py"):
                        return f"{place}.py"
                    if _is_compiled(folder, part):
                        return ""
                if os.path.isdir(place):
                    packages.append(place)
            if not packages:
                return None
            folders = packages
        return ""


def _decoded(source: bytes) -> str:
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Names are ASCII in any encoding that such a source may say it has.
        text = source.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_compiled(folder: str, part: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(
                entry.name.startswith(f"{part}.") and entry.name.endswith((".so", ".pyd", ".pyc"))
                for entry in entries
            )
    except OSError:
        return False
