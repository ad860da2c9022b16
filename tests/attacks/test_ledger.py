"""The ledger names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_test_in_the_ledger_exists() -> None:
    named = re.findall(r"`([\w./]+\.py)(?:::(\w+))?`", (HERE / "README.md").read_text("utf-8"))
    assert len(named) > 40
    for file, test in named:
        source = (HERE / file).read_text("utf-8")
        assert not test or f"def {test}(" in source, (file, test)


def test_every_file_of_attacks_is_in_the_ledger() -> None:
    text = (HERE / "README.md").read_text("utf-8")
    for path in HERE.glob("test_*.py"):
        assert path.name in text or path == Path(__file__), path.name
