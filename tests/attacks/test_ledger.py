"""The ledger and the threat model name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
THREATS = HERE.parents[1] / "docs/explanation/threat-model.md"


def _named(text: str) -> list[tuple[str, str]]:
    return re.findall(r"`([\w./]+\.py)(?:::(\w+))?`", text)


def test_every_test_in_the_ledger_exists() -> None:
    named = _named((HERE / "README.md").read_text("utf-8"))
    assert len(named) > 40
    for file, test in named:
        source = (HERE / file).read_text("utf-8")
        assert not test or f"def {test}(" in source, (file, test)


def test_every_file_of_attacks_is_in_the_ledger() -> None:
    text = (HERE / "README.md").read_text("utf-8")
    for path in HERE.glob("test_*.py"):
        assert path.name in text or path == Path(__file__), path.name


def test_every_promise_names_tests_that_exist() -> None:
    text = THREATS.read_text("utf-8")
    section = text[text.index("## What must hold") : text.index("## What is out of scope")]
    promises = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(promises) > 10
    for promise in promises:
        tests = _named(promise.rsplit("|", 2)[1])
        assert tests, promise
        for file, test in tests:
            source = (HERE.parent / file).read_text("utf-8")
            assert f"def {test or 'test_'}" in source, (file, test)
