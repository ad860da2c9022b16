"""Target: the reader of opcodes, against `pickletools` and against Python's own unpickler."""

from __future__ import annotations

import contextlib
import io
import pickle
import pickletools
from typing import Any, ClassVar

from skopsafe.errors import SkopsafeError
from skopsafe.foreign.pickles.listing import Operation, operations
from tests.fuzz.stages import reach, require_printable

_IMPORTS = ("GLOBAL", "INST", "STACK_GLOBAL")


def opcodes(data: bytes) -> None:
    """List what a pickle would import; the unpickler must not ask for anything else, nor in another order."""
    found: list[Operation] = []
    # A file allocates what a read asks for before it looks whether that is there.
    stream = io.BufferedReader(io.BytesIO(data))  # type: ignore[arg-type]
    complete = True
    try:
        found.extend(operations(stream, lambda name: f"{name} is denied"))
    except SkopsafeError as error:
        complete = False
        require_printable(error)
    if complete:
        reach("read to its end")
        kinds = [code.name for code, _, _ in pickletools.genops(data)]
        assert kinds[-1] == "STOP"
        assert [operation.opcode for operation in found if operation.opcode in _IMPORTS] == [
            kind for kind in kinds if kind in _IMPORTS
        ]
    if found:
        reach("operations")
    shown = [operation.name for operation in found if operation.opcode in _IMPORTS]
    asked = asked_for(data)
    if asked:
        reach("unpickler imports")
    if not complete:
        asked = asked[: len(shown)]
    assert len(asked) <= len(shown), (asked, shown)
    for (module, name), told in zip(asked, shown, strict=False):
        # An odd name may be shown otherwise, but not for another name that can be imported.
        odd = not (module + name).isascii() or set(module + name) & set(" \\") or "\n" in module + name
        assert told is None or odd or told == f"{module}:{name}", (module, name, told)


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


def asked_for(data: bytes) -> list[tuple[str, str]]:
    """Return the names that Python's unpickler asks for, in order, until it stops."""
    asked: list[tuple[str, str]] = []
    with contextlib.suppress(Exception):
        _Unpickler(data, asked).load()
    return asked
