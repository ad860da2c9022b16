"""Target: the machine for pickles and the verdicts, against Python's own unpickler."""

from __future__ import annotations

import contextlib
import io
import pickle
from typing import Any, ClassVar

from skopsafe.errors import SkopsafeError
from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.reading import Memory
from skopsafe.foreign.pickles.values import Global
from skopsafe.inspecting import inspect_pickle, names
from tests.fuzz.stages import reach, require_printable

_KNOWN = names()
_OPCODES = 100_000


def opcodes(data: bytes) -> None:
    """Run a pickle on the machine; the unpickler must not ask for anything else, nor in another order."""
    try:
        found = Machine(Memory(data), limit=_OPCODES).run()
    except SkopsafeError as error:
        require_printable(error)
        return
    if not found.error:
        reach("read to its end")
    if found.operations:
        reach("operations")
    shown = [op.value for op in found.operations if op.kind == "import"]
    asked = _asked(data)
    if asked:
        reach("unpickled")
    if found.error:
        # The unpickler in Python goes on behind the end of a line that breaks off; that in C does not.
        asked = asked[: len(shown)]
    assert len(asked) <= len(shown), (asked, shown)
    for (module, name), told in zip(asked, shown, strict=False):
        # A name that the stream computes may be any.
        assert not isinstance(told, Global) or (told.written == f"{module}:{name}"), (module, name, told)
    try:
        report = inspect_pickle(io.BytesIO(data), known=_KNOWN)
    except SkopsafeError as error:
        require_printable(error)
        return
    assert all(map(str.isprintable, str(report).split("\n")))
    assert report.verdict != "safe" or not found.error
    reach(report.verdict)


class _Unpickler(pickle._Unpickler):  # type: ignore[name-defined]
    """Imports nothing: it notes names, and gives a class without content for each."""

    def __init__(self, data: bytes, asked: list[tuple[str, str]]) -> None:
        super().__init__(io.BytesIO(data))
        self._asked = asked

    def find_class(self, module: str, name: str) -> Any:
        self._asked.append((module, name))
        return type("Stub", (), {"__init__": lambda self, *_, **__: None})

    def get_extension(self, code: int) -> Any:
        raise ValueError("extensions are not read")

    def persistent_load(self, pid: Any) -> Any:
        return None

    def load_bytearray8(self) -> None:
        """Make no more of it than there is."""
        size = int.from_bytes(self.read(8), "little")
        self.append(bytearray(self.read(min(size, 1 << 20))))  # type: ignore[has-type]

    dispatch: ClassVar[dict[int, Any]] = {**pickle._Unpickler.dispatch, pickle.BYTEARRAY8[0]: load_bytearray8}  # type: ignore[attr-defined]


def _asked(data: bytes) -> list[tuple[str, str]]:
    asked: list[tuple[str, str]] = []
    with contextlib.suppress(Exception):
        _Unpickler(data, asked).load()
    return asked
