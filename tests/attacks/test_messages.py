"""What skopsafe says of a file: no text of it gets out as a control, as a line of its own, or as markup."""

from __future__ import annotations

import enum
import io
import json
import pickle
import re
import traceback
import warnings
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression

import skopsafe
from skopsafe import errors
from skopsafe.cli import main
from skopsafe.testing.crafted import changed, forged, members_of, schema_of, zipped

HOSTILE = "\x1b[31m\x07\x9b2J\r\u202e\u2066\u200f\x00\n  reviewed  all is well\n<script>xQx</script>"
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class Loud:
    """A class of a user that repeats its state when it fails."""

    def __setstate__(self, state: Any) -> None:
        raise ValueError(f"what is {state['a']}?")

    def __getstate__(self) -> Any:
        return {"a": "instead"}


class Colour(enum.Enum):
    RED = 1


LOUD = [f"{__name__}.{cls.__name__}" for cls in (Loud, Colour)]
MODEL = LogisticRegression().fit([[0.0], [1.0]], ["a", "b"])


def put(place: Any, value: Any = HOSTILE) -> Any:
    """Return a change of a schema that replaces the text ``instead`` everywhere, or puts one at a place."""

    def replace(below: Any) -> None:
        for key, item in below.items() if isinstance(below, dict) else enumerate(below):
            if item == "instead":
                below[key] = value
            elif isinstance(item, dict | list):
                replace(item)

    def change(schema: dict[str, Any]) -> None:
        if place is None:
            replace(schema)
            return
        owner: Any = schema
        for key in place[:-1]:
            owner = owner[key]
        owner[place[-1]] = value

    return change


def renamed(data: bytes, name: str) -> bytes:
    """Give the one array of a file another name in the zip."""
    ((old, content),) = members_of(data).items()
    text = json.dumps(schema_of(data)).replace(json.dumps(old)[1:-1], json.dumps(name)[1:-1])
    return zipped(json.loads(text), {name: content})


def with_header(data: bytes, header: bytes) -> bytes:
    """Give the arrays of a file another header."""
    members = {
        name: content[:10] + header.ljust(len(content[:128]) - 11)[: 128 - 11] + b"\n" + content[128:]
        for name, content in members_of(data).items()
    }
    return zipped(schema_of(data), members)


LARGE = np.arange(100_000.0)

FILES: dict[str, bytes] = {
    "keys and values": changed({"instead": "instead"}, put(None)),
    "key of a mapping": changed([1], lambda schema: schema.update({HOSTILE: 1})),
    "a class without a name": changed(Loud(), put(("types", 0, 0))),
    "a role": changed([1], put(("types", 0, 1))),
    "names of attributes": changed(Colour.RED, put(("shapes", 0, 1, 0))),
    "a member of an enum": changed(Colour.RED, put(("runs", 0, 2, 0))),
    "a state": changed(Loud(), put(None)),
    "versions": changed(
        MODEL, lambda schema: schema["writer"].update({"scikit-learn": HOSTILE, HOSTILE: HOSTILE})
    ),
    "a dtype": changed(np.arange(5), put(("dtypes", 0))),
    "fields": skopsafe.dumps(np.zeros(2, [("a", "i4")])),
    "a member of the zip": renamed(skopsafe.dumps(LARGE), f"arrays/{HOSTILE}"),
    "a header": with_header(skopsafe.dumps(LARGE), f"{{'descr': {HOSTILE!r}, ".encode()),
    "a header with controls": with_header(skopsafe.dumps(LARGE), HOSTILE.encode()),
    "a time zone": changed(
        __import__("zoneinfo").ZoneInfo("Europe/Berlin"), put(("runs", 0, 2, 0), [HOSTILE])
    ),
    "a pattern": changed(re.compile("instead"), put(None)),
    "a broken pattern": changed(re.compile("instead"), put(None, f"({HOSTILE}")),
    "a fraction": changed(__import__("fractions").Fraction(1, 2), put(("runs", 0, 2, 0), [HOSTILE, 1])),
    "a parameter": changed(
        LogisticRegression(n_jobs=1),
        lambda s: s["runs"][-1].__setitem__(2, [HOSTILE] * len(s["runs"][-1][2])),
    ),
    "labels": forged(MODEL, "numpy:ndarray"),
    "no zip": HOSTILE.encode(),
    "no JSON": zipped(HOSTILE.encode(), {}),
    "a broken text of JSON": zipped(f'{{"format": "{HOSTILE}'.encode(), {}),
    "a comment": b"",
}


def _comment() -> bytes:
    out = io.BytesIO(skopsafe.dumps([1]))
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = HOSTILE.encode()
    return out.getvalue()


FILES["a comment"] = _comment()


class _Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)


def told(data: bytes, trusted: list[str]) -> tuple[list[str], list[str]]:
    """Return all that the package says of a file: texts, and pages."""
    texts, pages = [], []
    for look in (
        lambda: skopsafe.loads(data, trusted),
        lambda: skopsafe.audit(data),
        lambda: skopsafe.visualize(io.BytesIO(data)),
        lambda: skopsafe.get_untrusted_types(data=data),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                found = look()
            except skopsafe.SkopsafeError as error:
                texts += [str(error), repr(error), error.reason, error.path]
                texts += traceback.format_exception(error)
            else:
                if isinstance(found, skopsafe.Audit) or hasattr(found, "lines"):
                    texts += [str(found), repr(found)]
                    pages.append(found._repr_html_())
                elif isinstance(found, list):
                    texts += map(str, found)
        texts += [str(warning.message) for warning in caught]
    return texts, pages


@pytest.mark.parametrize("name", FILES)
def test_nothing_that_is_said_of_a_file_carries_its_controls(name: str) -> None:
    for trusted in ([], LOUD):
        texts, pages = told(FILES[name], trusted)
        assert texts
        for text in texts:
            assert not _CONTROLS.search(text), text
            assert "\n  reviewed  all is well" not in text
        for page in pages:
            assert not _CONTROLS.search(page)
            assert _Page(page).tags == ["pre"]


@pytest.mark.parametrize("name", FILES)
def test_nothing_that_is_printed_of_a_file_carries_its_controls(name: str, tmp_path: Path) -> None:
    path = tmp_path / "x.skops"
    path.write_bytes(FILES[name])
    for command in (["audit"], ["audit", "--json"], ["visualize"], ["inspect"], ["decompile"]):
        result = CliRunner().invoke(main, [*command, str(path)])
        assert result.exit_code in (0, 1, 2, 3), result.output
        assert not _CONTROLS.search(result.output), command
        assert "\n  reviewed  all is well" not in result.output
        if "--json" in command:
            assert isinstance(json.loads(result.output), dict)


def test_no_name_in_a_pickle_is_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    name = HOSTILE.replace("\x00", "")
    for content in (
        b"\x80\x04" + b"".join(_text(part) for part in (name, f"os{name}")) + b"\x93.",
        b"\x80\x04" + b"".join(_text(part) for part in ("os", "system")) + b"\x93.",
        b"cos\nsystem\x1b[31m\n.",
        pickle.dumps({name: name}),
    ):
        path.write_bytes(content)
        for command in (["inspect"], ["decompile"], ["decompile", "--complete"], ["decompile", "--trace"]):
            output = CliRunner().invoke(main, [*command, str(path)]).output
            assert not _CONTROLS.search(output)
            assert "\n  reviewed  all is well" not in output


def _text(text: str) -> bytes:
    data = text.encode()
    return b"\x8c" + len(data).to_bytes(1, "little") + data


def test_the_cause_of_an_error_is_left_out_where_it_would_show_controls() -> None:
    """Python prints the texts of all errors that led to one, as they are."""
    with pytest.raises(skopsafe.FormatError, match=r"\\x1b\[31m") as caught:
        skopsafe.loads(FILES["a state"], LOUD)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    harmless = changed(Loud(), lambda schema: None)
    with pytest.raises(skopsafe.FormatError) as caught:
        skopsafe.loads(harmless, LOUD)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_chain_of_causes_is_looked_through() -> None:
    first, second = ValueError("a\x1b[31m"), ValueError("b")
    second.__cause__ = first
    assert errors.shown(second) is None
    first.__context__ = second
    assert errors.shown(ValueError("a\nb")) is not None


def test_every_error_is_one_line_but_the_list_of_names() -> None:
    for kind in (skopsafe.FormatError, skopsafe.LimitError, skopsafe.PolicyError, skopsafe.ValidationError):
        error = kind("a\nb", path="c\nd\x1b")
        assert str(error) == r"a\nb (at c\nd\x1b)."
        again = pickle.loads(pickle.dumps(error))
        assert (again.reason, again.path, str(again)) == (error.reason, error.path, str(error))
    assert "\n  - " in str(skopsafe.UntrustedTypesFoundException(["a.b"], ["c\x1b"]))
