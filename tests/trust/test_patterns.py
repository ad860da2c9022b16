"""Which regular expressions are known to be matched in sane time."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skopsafe.trust.patterns import is_safe

COMMON = [
    r"(?u)\b\w\w+\b",
    r"(?u)\b\w+\b",
    r"(?u)\b\w+\b|\S",
    r"(?u)\b[a-zA-Z]{2,}\b",
    r"\b[a-z]+\b",
    r"\b[^\d\W]+\b",
    r"\w{1,}",
    r"[^ ]+",
    r"\S+",
    r"\w+|[^\w\s]",
    r"\w+(?:[-']\w+)*",
    r"[A-Za-z]+(?:'[a-z]+)?",
    r"(?:[A-Z]\.)+|\w+(?:-\w+)*|\$?\d+(?:\.\d+)?%?|\.\.\.|[][.,;\"'?():_`-]",
    r"#\w+|@\w+|https?://\S+",
    r"\d+\.?\d*",
    r"\S+@\S+",
    r"<[^>]+>",
    r"^\s+|\s+$",
    r"\b(?!the\b)\w+\b",
    r"(?i)[a-zäöüß]+",
    "[\u4e00-\u9fff]|[a-z]+",
    r"^num_|_cat$|col\d+",
    r".*_id$",
    "",
    "|".join(first + last for first in "abcdefghij" for last in ("ing", "ed", "er", "s")),
]


@pytest.mark.parametrize("pattern", COMMON)
def test_common_patterns_are_safe(pattern: str) -> None:
    assert is_safe(pattern)


HOSTILE = [
    r"(a+)+$",
    r"(\w+\s?)*x",
    r"(?:a|a)*b",
    r"(a|aa)+b",
    r"a*a*b",
    r"\s*\s*x",
    r"[^a]*[^b]*x",
    r"(.*,){11}P",
    r"(?:a?){25}a{25}",
    "a?" * 25 + "a" * 25,
    r"(?:a{1,10}){1,10}b",
    r"(?=(a+)+b)a",
    r"(a*)*b",
    r"(?:a*?)*?b",
    "(?i)(s+\u017f*)+x",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    # Where the end is not the end yet: of two rounds only one may have been made.
    r"(?:^(?:[ab]|[ab]){2,}){2}",
]


@pytest.mark.parametrize("pattern", HOSTILE)
def test_ways_without_end_are_not_safe(pattern: str) -> None:
    assert not is_safe(pattern)
    assert not is_safe(pattern.encode()) or not pattern.isascii()


@pytest.mark.parametrize(
    "pattern",
    [
        r"(\w+)\1",
        r"(?P<a>x)(?P=a)",
        r"(x)?(?(1)a|b)",
        r"(?:){1000000000}",
        r"(\b){1000000000}",
        "(" * 2000 + ")" * 2000,
        "[\u0100-\u0200]" * 200,
        "(?i)" + "[\u0100-\u9000]" * 10,
        "(?:a|b|cc)" * 1000,
        "a" * 20_000,
    ],
)
def test_what_costs_too_much_otherwise_is_not_safe(pattern: str) -> None:
    assert not is_safe(pattern)


def test_what_follows_decides() -> None:
    """A search is done where nothing follows; where the whole text has to match, it may start again."""
    assert is_safe(r"(?:a+)+")
    assert not is_safe(r"(?:a+)+", whole=True)
    assert not is_safe(r"(?:a+)+\b")
    assert is_safe(r"\w+", whole=True)


def test_flags_decide() -> None:
    assert is_safe(r"(?:[a-z][A-Z]*)+!")
    assert not is_safe(r"(?:[a-z][A-Z]*)+!", re.I.value)
    assert is_safe(r"(?:\w[é]*)+!", re.A.value)
    assert not is_safe(r"(?:\w[é]*)+!")
    assert is_safe("x # (a+)+b", re.X.value)
    assert not is_safe("x # (a+)+b")
    assert is_safe(rb"(?:\w\xe9*)+!")
    assert not is_safe(rb"(?:\w\xe9*)+!", re.L.value)


def test_what_is_no_pattern_is_left_to_the_loader() -> None:
    for pattern in ("(", "*", "[b-a]", "a{5,2}", r"(?<=a+)b"):
        assert is_safe(pattern)
        with pytest.raises(re.error):
            re.compile(pattern)


_ATOMS = st.sampled_from(["a", "b", ".", r"\w", "[ab]", "[^a]", r"\b", "^", "$", ""])
_REPEATS = st.sampled_from(["*", "+", "?", "{2,}", "{0,3}", "{2}", "{3,5}", "*?", "+?", "??", "*+", "{2}+"])
_GROUPS = st.sampled_from(["(?:", "(?=", "(?!", "(?>", "("])


def _larger(inner: Any) -> Any:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(_GROUPS, inner).map(lambda two: f"{two[0]}{two[1]})"),
        st.tuples(inner, _REPEATS).map(lambda two: f"(?:{two[0]}){two[1]}"),
    )


@settings(max_examples=400, deadline=None, derandomize=True)
@given(pattern=st.recursive(_ATOMS, _larger, max_leaves=8), whole=st.booleans())
def test_a_safe_pattern_is_matched_at_once(pattern: str, whole: bool) -> None:
    """Where ways double with each letter, the longest of these texts take minutes and more."""
    try:
        compiled = re.compile(pattern)
    except re.error:
        return
    if not is_safe(pattern, whole=whole):
        return
    started = time.process_time()
    for text in ("a" * 40, "a" * 40 + "!", "ab" * 20 + "!", "aab" * 13 + "!", "a" * 400 + "b!"):
        _ = compiled.fullmatch(text) if whole else compiled.findall(text)
    assert time.process_time() - started < 2
