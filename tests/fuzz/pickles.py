"""Target: verdicts on pickles, against the names that Python's own unpickler asks for."""

from __future__ import annotations

import contextlib
import io
import pickle
from typing import Any, ClassVar

from skopsafe.api import tables_in_use
from skopsafe.errors import SkopsafeError
from skopsafe.inspecting import inspect_pickle
from skopsafe.judge.calls import reviewed_call, reviewed_class, reviewed_value
from skopsafe.names import is_name
from tests.fuzz.stages import reach, require_printable


def verdicts(data: bytes) -> None:
    """Judge a pickle: where the unpickler asks for a denied name it is malicious."""
    asked = asked_for(data)
    if asked:
        reach("unpickler imports")
    try:
        report = inspect_pickle(io.BytesIO(data))
    except SkopsafeError as error:
        require_printable(error)
        return
    reach(report.verdict)
    assert all(map(str.isprintable, str(report).split("\n")))
    assert report.verdict != "safe" or not report.errors
    denied = tables_in_use().denied
    for module, name in asked:
        spelled = f"{module}:{name}"
        looks = (reviewed_call, reviewed_class, reviewed_value, tables_in_use().handled)
        if is_name(spelled) and denied(spelled) and not any(look(spelled) for look in looks):
            reach("denied name")
            assert report.verdict == "malicious", (spelled, report)


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
