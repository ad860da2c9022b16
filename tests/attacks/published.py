"""What the tests of published attacks share: files by renaming, and every way to look at a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import skopsafe
from skopsafe.cli import main
from skopsafe.testing.crafted import changed


def renamed(obj: Any, old: str, new: str, role: str | None = None) -> bytes:
    """Return the file of `obj` with the name `new` (and perhaps `role`) in place of `old`."""

    def rename(schema: dict[str, Any]) -> None:
        assert old in [row[0] for row in schema["types"]]
        schema["types"] = [[new, role or row[1]] if row[0] == old else row for row in schema["types"]]

    return changed(obj, rename)


LOOKS: dict[str, Callable[[Path], Any]] = {
    "load": skopsafe.load,
    "loads": lambda path: skopsafe.loads(path.read_bytes()),
    "map": lambda path: skopsafe.load(path, mmap_mode="r"),
    "audit": skopsafe.audit,
    "names": skopsafe.get_untrusted_types,
    "draw": lambda path: str(skopsafe.visualize(path)),
}


def assert_refused(data: bytes, match: str, folder: Path) -> None:
    """Assert that nothing can be made of a file in any way, and that all say why."""
    path = folder / "hostile.skops"
    path.write_bytes(data)
    for look in LOOKS.values():
        with pytest.raises(skopsafe.FormatError, match=match) as caught:
            look(path)
        assert caught.value.next_step
    for verb in ("audit", "visualize"):
        assert CliRunner().invoke(main, [verb, str(path)]).exit_code == 3


def needs(data: bytes) -> list[str]:
    """Return the names that a file needs approved, and assert that it is not loaded without."""
    names = skopsafe.get_untrusted_types(data=data)
    if names:
        with pytest.raises((skopsafe.UntrustedTypesFoundException, skopsafe.DeniedTypeError)):
            skopsafe.loads(data)
    return names
