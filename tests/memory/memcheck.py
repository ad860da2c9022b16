"""What valgrind's memcheck reports of mutants: invalid reads and writes, and where they were.

What it reports before mutant 0 comes from imports, from a fit, or from the file as it is: not from a change.
A process tells of a place once for each way that leads to it; the same innermost frames are the same fault.
"""

from __future__ import annotations

import re
import shutil

IS_THERE = shutil.which("valgrind") is not None
COMMAND = (
    "valgrind",
    "--tool=memcheck",
    "--log-fd=1",  # between the lines of the worker, so that it is known which mutant it was
    "--undef-value-errors=no",  # of structures that are copied with their gaps there is no end
    "--error-limit=no",
    "--num-callers=12",
    "--redzone-size=512",
    "--freelist-vol=200000000",
)
_KIND = re.compile(r"==\d+== (Invalid (?:read|write) of size \d+|Invalid free.*|Jump to the invalid.*)")
_FRAME = re.compile(r"==\d+==\s+(?:at|by) 0x[0-9A-F]+: (.+)")
_PLACE = re.compile(r"==\d+==\s+(Address 0x.+)")
_INNERMOST = 3


class Reports:
    """The reports among the lines of memcheck.

    Parameters
    ----------
    new : list of str
        Gets one line for each place that only a changed file reached.

    Attributes
    ----------
    usual : int
        Reports of places that an unchanged file reaches, or the imports.
    """

    def __init__(self, new: list[str]) -> None:
        self.new = new
        self.usual = 0
        self._usual: set[tuple[str, ...]] = set()
        self.begin()

    def begin(self) -> None:
        """Know that a new process begins."""
        self._at = ("", -1)
        self._kind, self._frames = "", [""]

    def at(self, model: str, number: int) -> None:
        """Know which mutant the process has come to."""
        self._at = model, number

    def add(self, line: str) -> None:
        """Take a line of memcheck."""
        if found := _KIND.match(line):
            self._kind, self._frames = found[1], []
        elif self._kind and (found := _FRAME.match(line)):
            self._frames.append(found[1])
        elif self._kind and self._frames:
            place = _PLACE.match(line)
            self._add(place[1] if place else "")
            self._kind = ""

    def _add(self, place: str) -> None:
        model, number = self._at
        key = (self._kind.split(" of ")[0], *self._frames[:_INNERMOST])
        if number < 0:
            self._usual.add(key)
        if key in self._usual:
            self.usual += 1
        else:
            self.new.append(f"{model} {number}: {self._kind}: {' < '.join(self._frames[:6])}; {place}")
