"""Names of importable things."""

from __future__ import annotations

import pytest

from skopsafe import names

LONGEST = ".".join(["a" * 200] * 31)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a.b:C", True),
        (f"{LONGEST}:{LONGEST}", True),
        (f"{LONGEST}:{LONGEST}a", False),
        (f"{LONGEST}.a:a", False),
        ("a:b" * 10_000, False),
    ],
)
def test_a_name_has_a_bounded_length(text: str, is_one: bool) -> None:
    assert names.is_name(text) == is_one


def test_no_long_text_of_a_file_stays_in_memory() -> None:
    before = names._matches.cache_info().misses
    assert not names.is_name("a" * 1_000_000)
    assert names._matches.cache_info().misses == before, "it was looked at, and remembered"
