"""What cannot be read fails with an error of ours: the reason, the place and the next step."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import re
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopsafe
from skopsafe import Limits
from skopsafe.errors import file_error
from skopsafe.testing.crafted import changed, schema_of, with_schema

X, Y = load_iris(return_X_y=True)
MODEL = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(X, Y)
GOOD = skopsafe.dumps({"model": MODEL, "large": np.arange(9000.0), "text": ["a", None, 1.5, b"b", {1, 2}]})


def fails(data: bytes, match: str | None = None) -> skopsafe.SkopsafeError:
    with pytest.raises(skopsafe.FormatError, match=match) as caught:
        skopsafe.loads(data)
    assert isinstance(caught.value, skopsafe.SkopsafeError)
    assert caught.value.reason
    assert caught.value.next_step
    assert str(caught.value).startswith(caught.value.reason)
    return caught.value


def loads_or_fails(data: bytes) -> None:
    """Nothing but an equal object or an error of ours."""
    try:
        loaded = skopsafe.loads(data)
    except skopsafe.SkopsafeError:
        return
    assert skopsafe.dumps(loaded)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "obj",
    [MODEL, {"a": 1}, [1], (1, "b"), "text", 5, 1.5, np.arange(3)],
    ids=lambda value: type(value).__name__,
)
def test_a_pickle_is_recognized(protocol: int, obj: Any) -> None:
    fails(pickle.dumps(obj, protocol), match=r"this is a pickle.*`skopsafe inspect`")


@pytest.mark.parametrize("compress", [0, 3, "zlib", "gzip", "bz2", "xz", "lzma"])
@pytest.mark.parametrize("level", [1, 3, 9])
def test_a_file_of_joblib_is_recognized(compress: Any, level: int, tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(MODEL, path, compress=(compress, level) if isinstance(compress, str) else compress)
    with pytest.raises(skopsafe.FormatError, match=r"pickle.*`skopsafe inspect`"):
        skopsafe.load(path)


def test_skops_given_a_file_of_ours_names_skopsafe() -> None:
    skops = pytest.importorskip("skops.io")
    with pytest.raises(TypeError, match="skopsafe"):
        skops.loads(GOOD)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "the file is empty"),
        (b"hello, this is a text.", "not a zip"),
        (b"code and more text\n(list of things).", "not a zip"),
        (b"Fine. It is so.", "not a zip"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "not a zip"),
        (b"\x93NUMPY\x01\x00" + bytes(100), "not a zip"),
        (b"PK\3\4" + bytes(100), "truncated"),
        (b"PK\5\6" + bytes(18), "not a zip"),
        (GOOD + b"more", "bytes behind it"),
    ],
    ids=range(9),
)
def test_other_files_are_told_apart(data: bytes, match: str) -> None:
    fails(data, match=match)


def test_a_zip_of_something_else_is_told_apart() -> None:
    out = io.BytesIO()
    np.savez(out, a=np.arange(3))
    fails(out.getvalue(), match=r"no schema\.json")


def test_another_schema_is_not_taken_for_that_of_skops() -> None:
    for content in (b"{}", b'{"format": "other"}', b'{"format": "other", "protocol": 1}'):
        fails(with_schema(GOOD, content), match="not that of a skopsafe file")


def test_a_newer_protocol_asks_for_an_upgrade() -> None:
    newer = changed([1], lambda schema: schema.update(protocol=99, something="new", runs="another form"))
    assert "Upgrade skopsafe" in fails(newer, match="protocol 99").next_step
    for protocol in (0, -1):
        fails(changed([1], lambda schema, p=protocol: schema.update(protocol=p)), match="unknown protocol")
    for protocol in ("1", 1.5, None, True, 2**80):
        fails(changed([1], lambda schema, p=protocol: schema.update(protocol=p)))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b'{"format": "skopsafe", "protocol": 1, "root": "\xff"}', "malformed"),
        (b'{"format": "skopsafe", "protocol": 1', "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"format":"skopsafe","protocol":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "malformed"),
        (b'{"format":"skopsafe","protocol":1,"root":' + b"9" * 100_000 + b"}", "malformed"),
        (b'{"format":"skopsafe","protocol":1e400}', "malformed"),
        (b"null", "malformed"),
        (b"NaN", "malformed"),
    ],
    ids=range(10),
)
def test_a_schema_that_is_no_document_is_refused(content: bytes, match: str) -> None:
    assert "schema.json" in fails(with_schema(GOOD, content), match=match).path


def test_every_field_of_the_schema_is_needed_and_typed() -> None:
    schema = schema_of(GOOD)
    for field in (name for name in schema if not name.startswith("__")):
        fails(with_schema(GOOD, {key: value for key, value in schema.items() if key != field}))
        for wrong in (None, 5, "text", 1.5, [None], {"a": None}, [[None]], [["x"]], [[-1]], [[2**70]], True):
            if field != "root" or wrong == [[None]]:
                loads_or_fails(with_schema(GOOD, {**schema, field: wrong}))
                if field not in ("writer",) and not (field == "protocol" and wrong is True):
                    fails(with_schema(GOOD, {**schema, field: wrong}))


def test_a_field_that_stands_twice_gives_one_meaning_or_none() -> None:
    text = json.dumps(schema_of(skopsafe.dumps([1, 2])))
    twice = text[:-1] + ', "types": [["os:system", "call"]]}'
    loads_or_fails(with_schema(skopsafe.dumps([1, 2]), twice.encode()))
    # The audit and the builder see the same Document, so that the last meaning is the only one.
    names = skopsafe.get_untrusted_types(data=with_schema(skopsafe.dumps([1, 2]), twice.encode()))
    assert names == ["os.system"]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99, 1.0])
def test_a_truncated_file_is_refused(share: float) -> None:
    for end in {int(len(GOOD) * share) + offset for offset in range(-30, 30)}:
        if 0 <= end < len(GOOD):
            fails(GOOD[:end])


def test_a_changed_byte_is_found_or_changes_nothing() -> None:
    rng = random.Random(0)
    places = sorted({*range(64), *range(len(GOOD) - 600, len(GOOD)), *rng.sample(range(len(GOOD)), 1200)})
    silent = 0
    for place in places:
        damaged = bytearray(GOOD)
        damaged[place] ^= rng.randrange(1, 256)
        try:
            loaded = skopsafe.loads(bytes(damaged))
        except skopsafe.SkopsafeError:
            continue
        silent += 1
        assert skopsafe.dumps(loaded) == GOOD
    assert silent < len(places) / 2


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\3\4", GOOD[:200], GOOD[:-22]]), st.booleans())
def test_random_bytes_are_refused(data: bytes, head: bytes, tail: bool) -> None:
    changed_file = head + data + (GOOD[-22:] if tail else b"")
    if changed_file != GOOD:
        fails(changed_file)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_schema_with_other_values_gives_an_error_of_ours(data: st.DataObject) -> None:
    schema = schema_of(GOOD)
    field = data.draw(st.sampled_from(["types", "shapes", "dtypes", "members", "arrays", "runs"]))
    row = data.draw(st.integers(0, len(schema[field]) - 1))
    value = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.just([0])
    if isinstance(schema[field][row], list) and schema[field][row]:
        place = data.draw(st.integers(0, len(schema[field][row]) - 1))
        schema[field][row][place] = data.draw(value)
    else:
        schema[field][row] = data.draw(value)
    loads_or_fails(with_schema(GOOD, json.dumps(schema).encode("utf-8", "surrogatepass")))


def test_a_header_of_an_array_that_is_no_literal_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b"'shape': (", b"'shape':L((") if "npy" in name else content)
    fails(out.getvalue(), match="header")


@pytest.mark.parametrize(
    ("limits", "parameter"),
    [
        (Limits(members=2), "members"),
        (Limits(directory_bytes=100), "directory_bytes"),
        (Limits(schema_bytes=100), "schema_bytes"),
        (Limits(nodes=5), "nodes"),
        pytest.param(Limits(array_bytes=1000), "array_bytes"),
        (Limits(total_bytes=1000), "total_bytes"),
        (Limits(expansion=0, expansion_floor=10), "expansion"),
        pytest.param(Limits(dimensions=0), "dimensions"),
        (Limits(work=0, work_floor=2), "work"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_limit_names_its_parameter(limits: Limits, parameter: str) -> None:
    with pytest.raises(skopsafe.LimitError, match=rf"limits=Limits\({parameter}=\.\.\.\)"):
        skopsafe.loads(GOOD, limits=limits)
    assert skopsafe.loads(GOOD, limits=None)["text"][0] == "a"


def test_every_limit_has_a_test() -> None:
    marks = test_every_limit_names_its_parameter.pytestmark[0].args[1]
    tested = {getattr(mark, "values", mark)[1] for mark in marks}
    # That of opcodes is for pickles, and stands in `foreign/pickles/test_files.py`.
    assert tested | {"expansion_floor", "work_floor", "opcodes"} == set(Limits.__dataclass_fields__)


def _pipe(path: Path) -> None:
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(b"not a model",), daemon=True).start()


@pytest.mark.parametrize(
    ("make", "kind", "match"),
    [
        (lambda path: None, skopsafe.MissingFileError, "No such file"),
        (lambda path: path.mkdir(), skopsafe.FileError, "Is a directory"),
        (lambda path: path.write_text("text"), skopsafe.FormatError, "not a zip"),
        (lambda path: path.symlink_to("/dev/null"), skopsafe.FormatError, "empty"),
        (_pipe, skopsafe.FormatError, "not a zip"),
    ],
    ids=["missing", "folder", "text", "null device", "pipe"],
)
@pytest.mark.parametrize("read", [skopsafe.load, skopsafe.get_untrusted_types, skopsafe.audit])
def test_a_path_to_no_file_of_ours_is_refused(
    make: Callable[[Path], None],
    kind: type[Exception],
    match: str,
    read: Callable[[Path], Any],
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    make(path)
    with pytest.raises(kind, match=match) as caught:
        read(path)
    if isinstance(caught.value, OSError):
        assert str(path) in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(GOOD)
    path.chmod(0)
    with pytest.raises(skopsafe.FileError, match="Permission denied"):
        skopsafe.load(path)


def test_a_refused_permission_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(skopsafe.FileError, match=r"Permission denied.*model\.skops") as caught:
        skopsafe.load("model.skops")
    assert caught.value.errno == 13


@pytest.mark.parametrize(
    "wrong",
    [None, 5, 1.5, [1], object(), np.zeros(3), b"PK", bytearray(b"PK"), io.StringIO("a")],
    ids=lambda value: type(value).__name__,
)
def test_arguments_of_wrong_types_are_refused(wrong: Any) -> None:
    calls: list[Callable[[], Any]] = [lambda: skopsafe.load(wrong)]
    if not isinstance(wrong, (bytes, bytearray)):
        calls += [lambda: skopsafe.loads(wrong), lambda: skopsafe.get_untrusted_types(wrong)]
    for call in calls:
        with pytest.raises((skopsafe.ArgumentError, skopsafe.PolicyError)) as caught:
            call()
        assert caught.value.next_step


def test_bytes_given_to_load_are_told_the_way() -> None:
    with pytest.raises(skopsafe.ArgumentError, match="Call loads"):
        skopsafe.load(GOOD)  # type: ignore[arg-type]
    with pytest.raises(skopsafe.ArgumentError, match="Call load for a path"):
        skopsafe.loads("model.skops")  # type: ignore[arg-type]
    with pytest.raises(skopsafe.ArgumentError, match="Limits"):
        skopsafe.loads(GOOD, limits=5)  # type: ignore[arg-type]
    for mode in ("w+", "r+", True):
        with pytest.raises(skopsafe.PolicyError, match="mmap_mode"):
            skopsafe.load("x", mmap_mode=mode)  # type: ignore[arg-type]


def test_errors_can_be_pickled_for_other_processes() -> None:
    for error in (
        skopsafe.FormatError("reason", path="p", next_step="do"),
        skopsafe.MissingFileError("reason", path="p", next_step="do"),
        skopsafe.UntrustedTypesFoundException(["a.b"], ["a.b: x"]),
        skopsafe.OutOfMemoryError("reason"),
        *(
            file_error(error, "cannot be read", "p")
            for error in (OSError(28, "full"), PermissionError(13, "no"))
        ),
        file_error(BrokenPipeError(32, "Broken pipe"), "cannot be written"),
        file_error(ValueError("embedded null byte"), "cannot be opened"),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
        assert getattr(copy, "errno", None) == getattr(error, "errno", None)
        assert re.match(r"\S", str(copy))
