"""Targets: the symbolic machine against Python's own unpickler, and what finds pickles in files."""

from __future__ import annotations

import io
import re

from skopsafe.errors import SkopsafeError
from skopsafe.foreign.pickles.files import read, streams
from skopsafe.foreign.pickles.machine import Machine, Pickle
from skopsafe.foreign.pickles.reading import Memory
from skopsafe.foreign.pickles.values import Global
from skopsafe.limits import Limits
from tests.fuzz.pickles import asked_for
from tests.fuzz.stages import reach, require_printable

_LIMITS = Limits(opcodes=200_000, expansion_floor=2**22)
_PLAIN = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def machine(data: bytes) -> None:
    """Run a pickle; the unpickler must not ask for anything else, nor in another order, nor go on longer."""
    found = Machine(Memory(data)).run()
    reach("stopped" if found.error else "read to its end")
    if found.operations:
        reach("operations")
    assert 0 <= found.start <= found.end <= len(data)
    shown = _shown(found)
    asked = asked_for(data)
    if asked:
        reach("unpickler imports")
    assert len(asked) <= len(shown), (asked[len(shown) :], shown[-1:], found.error)
    for (module, name), told in zip(asked, shown, strict=False):
        assert told is None or told == f"{module}:{name}", (module, name, told)


def _shown(found: Pickle) -> list[str | None]:
    """Return the names that are imported, as they are written; None for one that could be any."""
    names = [operation.value for operation in found.operations if operation.kind == "import"]
    return [name.written if isinstance(name, Global) else None for name in names]


def files(data: bytes) -> None:
    """Find all pickles in a file; what the unpickler asks for in it is among what they show."""
    shown: set[str | None] = set()
    try:
        for stream in streams(io.BytesIO(data), _LIMITS):
            reach(stream.kind)
            require_printable(" ".join((stream.path,)))
            for found in read(stream, _LIMITS):
                reach(f"read by {found.reader}")
                assert 0 <= found.start <= found.end <= stream.source.size
                shown.update(_shown(found))
    except SkopsafeError as error:
        reach(f"refused: {error.reason[:20]}")
        require_printable(error)
        return
    asked = {f"{module}:{name}" for module, name in asked_for(data)}
    # A module whose name no file has is asked for by texts that begin as a pickle does.
    assert None in shown or {name for name in asked if _PLAIN.fullmatch(name)} <= shown, asked
