"""Patterns are compiled while loading: what is no pattern is refused, and odd flags do nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

import skopsafe
from skopsafe.testing.crafted import changed


def crafted(pattern: Any, flags: Any) -> bytes:
    def change(schema: dict[str, Any]) -> None:
        schema["runs"][0][2] = [[pattern, flags]]

    return changed(re.compile("a+"), change)


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [("a+(", 0), ("*", 0), ("é", re.L), ("a", True), (5, 0), ("a" * 20_000, 0), ("(?i", 2)],
)
def test_what_is_no_pattern_is_refused(pattern: Any, flags: Any) -> None:
    with pytest.raises(skopsafe.FormatError, match=r"Pattern"):
        skopsafe.loads(crafted(pattern, flags))


@pytest.mark.parametrize("flag", [1, re.DEBUG.value, 1 << 20])
def test_flags_that_nobody_documents_do_nothing(flag: int, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = skopsafe.loads(crafted("a+", flag | re.IGNORECASE))
    assert loaded.match("AA")
    assert loaded.flags == re.IGNORECASE | re.UNICODE
    assert capsys.readouterr().out == ""
