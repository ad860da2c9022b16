"""An interrupt at every place of a call where Python would let one come."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import skopsafe

ROOT = str(Path(skopsafe.__file__).parent)
_CHECKS = ("CALL", "RESUME", "JUMP_BACKWARD")
"""Instructions behind which the interpreter looks for signals."""


class Interrupt(KeyboardInterrupt):
    """As ``Ctrl-C`` raises it."""


def _handlers(code: CodeType) -> list[int]:
    """Return for every instruction where an error of it is handled, or -1."""
    found = [-1] * len(code.co_code)
    for entry in dis._parse_exception_table(code):  # type: ignore[attr-defined]
        found[entry.start : entry.end] = [entry.target] * (entry.end - entry.start)
    return found


class _Tracer:
    """Counts the places that a call passes, and raises at one of them."""

    def __init__(self, wanted: int, modules: tuple[str, ...]) -> None:
        self.passed = 0
        self.place = ""
        self._wanted = wanted
        self._modules = tuple(f"{ROOT}/{module}" for module in modules)

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(self._modules) or self.place:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        code, handlers, before = frame.f_code.co_code, _handlers(frame.f_code), -1

        def within(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal before
            if event != "opcode":
                return within
            last, before = before, frame.f_lasti
            # What is raised here must be handled as if it had been raised one instruction before.
            if (
                last >= 0
                and dis.opname[code[last]].startswith(_CHECKS)
                and handlers[last] == handlers[before]
            ):
                self.passed += 1
                if self.passed == self._wanted:
                    self.place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                    sys.settrace(None)
                    raise Interrupt
            return within

        return within


def interrupted(call: Callable[[], object], *modules: str, step: int = 1) -> Iterator[str]:
    """Call again and again, each time with an interrupt at another place; yield the place.

    Parameters
    ----------
    call : callable
        What is called.
    *modules : str
        Beginnings of the paths of modules, below the package, where interrupts come.
    step : int
        How many places there are between one interrupt and the next.
    """
    before, wanted = sys.gettrace(), 1
    while True:
        tracer = _Tracer(wanted, modules)
        sys._getframe().f_trace_opcodes = True  # without which 3.12 traces none in other frames
        sys.settrace(tracer)
        try:
            call()
        except Interrupt:
            pass
        finally:
            sys.settrace(before)
        if not tracer.place:
            assert wanted > 1, "no place was passed"
            return
        yield tracer.place
        wanted += step
