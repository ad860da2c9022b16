"""Patterns that are compiled: while loading, or by a vectorizer. Costly ones need approval."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from sklearn.compose import make_column_selector
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

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
    data = crafted(pattern, flags)
    with pytest.raises(skopsafe.FormatError, match=r"Pattern"):
        skopsafe.loads(data, skopsafe.get_untrusted_types(data=data))


@pytest.mark.parametrize("flag", [1, re.DEBUG.value, 1 << 20])
def test_flags_that_nobody_documents_do_nothing(flag: int, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = skopsafe.loads(crafted("a+", flag | re.IGNORECASE))
    assert loaded.match("AA")
    assert loaded.flags == re.IGNORECASE | re.UNICODE
    assert capsys.readouterr().out == ""


COSTLY = r"(\w+\s?)+x"


def test_a_costly_pattern_hangs() -> None:
    """What the approvals below are about: ten letters more take a thousand times as long."""
    command = [sys.executable, "-c", f"import re; re.findall({COSTLY!r}, 'a' * 60)"]
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(command, check=False, timeout=3)


@pytest.mark.parametrize("kind", [CountVectorizer, TfidfVectorizer, HashingVectorizer])
def test_a_costly_pattern_of_a_vectorizer_needs_approval(kind: Any) -> None:
    model = make_pipeline(kind(token_pattern=COSTLY))
    name = f"sklearn.feature_extraction.text.{kind.__name__}:token_pattern"
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == [name]
    with pytest.raises(skopsafe.UntrustedTypesFoundException, match="any time to match"):
        skopsafe.loads(data)
    assert skopsafe.loads(data, [name])[0].token_pattern == COSTLY
    for pattern in (r"(?u)\b\w+\b|\S", r"[^ ]+", None):
        assert skopsafe.audit(kind(token_pattern=pattern)).ok


def test_a_costly_pattern_of_a_selector_needs_approval() -> None:
    name = "sklearn.compose._column_transformer.make_column_selector:pattern"
    assert skopsafe.audit(make_column_selector(COSTLY)).untrusted == [name]
    assert skopsafe.audit(make_column_selector("^num_")).ok
    assert skopsafe.audit(make_column_selector(dtype_include=float)).ok


def test_a_costly_pattern_in_a_grid_needs_approval() -> None:
    name = "sklearn.model_selection._search.GridSearchCV:param_grid"
    for values, untrusted in (([r"\w+", COSTLY], [name]), ([r"\w+", r"\S+", None], [])):
        grid = {"vect__token_pattern": values, "vect__lowercase": [True]}
        assert skopsafe.audit(GridSearchCV(CountVectorizer(), grid)).untrusted == untrusted
        assert skopsafe.audit(GridSearchCV(CountVectorizer(), [grid, {}])).untrusted == untrusted


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [(COSTLY, 0), (COSTLY.encode(), 0), (r"(?:[a-z][A-Z]*)+!", re.I), (r"(\w+)\1", 0), ("(a+)+\ud800", 0)],
)
def test_a_costly_compiled_pattern_needs_approval(pattern: Any, flags: int) -> None:
    compiled = re.compile(pattern, flags)
    data = skopsafe.dumps({"tokenizer": compiled.findall})
    assert skopsafe.get_untrusted_types(data=data) == ["re.Pattern:pattern"]
    assert skopsafe.loads(data, ["re.Pattern:pattern"])["tokenizer"].__self__ == compiled


def test_usual_compiled_patterns_need_none() -> None:
    patterns = [re.compile(r"(?u)\b\w\w+\b"), re.compile(rb"[^ ]+", re.I), re.compile(r"\d+(?:\.\d+)?", re.A)]
    assert skopsafe.loads(skopsafe.dumps(patterns)) == patterns


def test_no_form_hides_a_costly_pattern() -> None:
    """The loader looks at no names, so the audit may not either."""
    forms: list[tuple[Any, list[Any]]] = [
        (["a", "b"], [COSTLY, 0]),
        (2, [[COSTLY], [0]]),
        (None, [[COSTLY, 0]]),
    ]
    for form, columns in forms:

        def change(schema: dict[str, Any], form: Any = form, columns: list[Any] = columns) -> None:
            schema["shapes"][0] = [0, form]
            schema["runs"][0][2] = columns

        data = changed(re.compile("a+"), change)
        assert skopsafe.get_untrusted_types(data=data) == ["re.Pattern:pattern"]


def test_patterns_hidden_behind_references_need_approval() -> None:
    def flags_elsewhere(schema: dict[str, Any]) -> None:
        schema["types"].append(["builtins:int", "class"])
        schema["shapes"].append([1, None])
        schema["runs"] = [[1, 1, [["0x2"]]], [0, 1, [[r"(?:[a-z][A-Z]*)+!", [0]]]]]
        schema["root"] = [1]

    data = changed(re.compile("a+"), flags_elsewhere)
    assert skopsafe.get_untrusted_types(data=data) == ["re.Pattern:pattern"]


def test_many_different_patterns_need_approval() -> None:
    """Each takes a while to look into, and to compile."""
    patterns = [re.compile(f"a{number}") for number in range(101)]
    assert skopsafe.audit(patterns[:100] * 3).ok
    assert skopsafe.audit(patterns).untrusted == ["re.Pattern:pattern"]
