"""What a run covers and costs, seen by a trace function: the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import skopsafe
from skopsafe import api
from skopsafe.handlers.catboost.flat import Kind

ROOT = str(Path(skopsafe.__file__).parent) + "/"
Arc = tuple[str, int, int]
"""A step from one line to another of a file of skopsafe; a call comes from line 0."""


def traced(run: Callable[[], Any], modules: tuple[str, ...] | None) -> tuple[set[Arc], int]:
    """Run, and return the arcs in these modules, and how many lines of Python were run in all.

    Parameters
    ----------
    run : callable
        What to trace.
    modules : tuple of str or None
        Files and folders of skopsafe; without them lines are counted alone, which is faster.
    """
    arcs: set[Arc] = set()
    prefixes = tuple(ROOT + module for module in modules or ())
    lines = 0

    def count(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    def follow(name: str) -> Any:
        last = 0

        def local(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal lines, last
            if event == "line":
                lines += 1
                arcs.add((name, last, frame.f_lineno))
                last = frame.f_lineno
            return local

        return local

    def start(frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        return follow(name) if prefixes and name.startswith(prefixes) else count

    before = sys.gettrace()
    sys.settrace(start)
    try:
        run()
    finally:
        sys.settrace(before)
    return arcs, lines


def forget(modules: tuple[str, ...]) -> None:
    """Empty what modules remember of earlier inputs: lines that a memory leaves out are not seen."""
    api._tables().memo.clear()
    for name, module in list(sys.modules.items()):
        path = name.removeprefix("skopsafe.").replace(".", "/") + ".py"
        if name.startswith("skopsafe.") and path.startswith(modules):
            for value in list(vars(module).values()):
                if isinstance(value, Kind):
                    value.shapes.clear()
                elif hasattr(value, "cache_clear") and getattr(value, "__module__", "") == name:
                    value.cache_clear()


def arcs_of(target: Callable[[bytes], None], data: bytes, modules: tuple[str, ...]) -> set[Arc]:
    """Return the arcs of an input."""
    forget(modules)
    return traced(lambda: target(data), modules)[0]


def lines_of(modules: Iterable[str]) -> dict[str, set[int]]:
    """Return the lines with code of files and folders of skopsafe, by file."""
    out = {}
    for module in modules:
        path = Path(ROOT) / module
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            code = compile(file.read_text("utf-8"), str(file), "exec")
            out[str(file)] = {line for function in _functions(code) for line in _lines(function)}
    return out


def _functions(code: Any) -> Iterator[Any]:
    """Return the code of all functions, without that of modules and classes: it runs at import."""
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            if constant.co_flags & 0x2:  # CO_NEWLOCALS: a function
                yield constant
            yield from _functions(constant)


def _lines(code: Any) -> set[int]:
    return {line for _, _, line in code.co_lines() if line is not None} - {code.co_firstlineno}
