"""Published tricks with files: arrays that are pickles, and zips that two readers read differently."""

from __future__ import annotations

import io
import json
import pickle
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import skopsafe
from skopsafe.testing.crafted import members_of, schema_of, with_schema, zipped
from tests.attacks.published import assert_refused

LARGE = {"array": np.arange(9000.0), "text": "a"}


class Touches:
    """Pickled, a call of a function that touches a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return (Path.touch, (self.marker,))


def pickled_array(marker: Path) -> bytes:
    """Return an ``.npy`` that holds a pickle, and show that it runs where pickles are allowed."""
    out = io.BytesIO()
    np.save(out, np.array([Touches(marker)], dtype=object), allow_pickle=True)
    np.load(io.BytesIO(out.getvalue()), allow_pickle=True)
    assert marker.exists()
    marker.unlink()
    return out.getvalue()


def array_of(data: bytes) -> str:
    (name,) = (name for name in members_of(data) if name.startswith("arrays/"))
    return name


@pytest.mark.parametrize(
    "descr", ["|O", "O", [["a", "|O"]], [["a", "<f8"], ["b", [["c", "|O", [2]]]]], ["|O", [2]], "|O8"]
)
def test_an_array_is_no_pickle(descr: Any, tmp_path: Path) -> None:
    """What ``numpy.load(allow_pickle=True)`` runs (CVE-2019-6446); schemas that ask for objects too."""
    marker = tmp_path / "marker"
    content = pickled_array(marker)
    data = skopsafe.dumps(LARGE)
    member = array_of(data)
    schema = schema_of(data)
    as_written = zipped(schema, members_of(data) | {member: content})
    assert skopsafe.audit(as_written).ok  # which reads no array
    with pytest.raises(skopsafe.FormatError, match=r"objects|contradicts"):
        skopsafe.loads(as_written)
    (place,) = (number for number, dtype in enumerate(schema["dtypes"]) if dtype == "<f8")
    schema["dtypes"][place] = descr
    for members in (members_of(data), members_of(data) | {member: content}):
        with pytest.raises(skopsafe.FormatError, match="dtype"):
            skopsafe.loads(zipped(schema, members))
    assert not marker.exists()


@pytest.mark.parametrize("version", [1, 2, 3, 4, 255])
def test_headers_of_arrays_are_no_code(version: int) -> None:
    """``.npy`` headers are Python literals; others are refused, whatever their version."""
    data = skopsafe.dumps(LARGE)
    member = array_of(data)
    for text in (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').getpid(),), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (9000,), }",
        "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (9000,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (9000,), 'more': 1}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-9000,), }",
        "(" * 5000,
    ):
        line = text.encode() + b" " * (-len(text) % 64) + b"\n"
        size = struct.pack("<H" if version == 1 else "<I", len(line))
        content = b"\x93NUMPY" + bytes([version, 0]) + size + line + bytes(72000)
        with pytest.raises(skopsafe.FormatError):
            skopsafe.loads(zipped(schema_of(data), members_of(data) | {member: content}))


def test_a_sparse_matrix_is_no_archive_of_pickles(tmp_path: Path) -> None:
    """skops hands an ``.npz`` in its file to scipy."""
    marker = tmp_path / "marker"
    content = pickled_array(marker)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as inner:
        for name in ("indices", "indptr", "format", "shape", "data"):
            inner.writestr(f"{name}.npy", content)
    data = skopsafe.dumps({**LARGE, "sparse": scipy.sparse.eye(3, format="csr")})
    for member in members_of(data):
        for swapped in (archive.getvalue(), content, pickle.dumps(Touches(marker))):
            with pytest.raises(skopsafe.FormatError):
                skopsafe.loads(zipped(schema_of(data), members_of(data) | {member: swapped}))
    assert not marker.exists()


PATHS = [
    "../escaped",
    "..\\escaped",
    "/tmp/escaped",
    "C:\\escaped",
    "a/../../escaped",
    "~/escaped",
    "//host/share/escaped",
    ".",
    "..",
    "con",
    "arrays/",
    "schema.json/",
    "SCHEMA.JSON",
    "./schema.json",
    "schema.json ",
]


@pytest.mark.parametrize("name", PATHS)
def test_a_name_of_a_member_is_no_path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is unpacked: models of MLeap and ONNX wrote to such paths (CVE-2023-5245, CVE-2024-5187)."""
    folder = tmp_path / "deep" / "deeper"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    data = skopsafe.dumps(LARGE)
    members = members_of(data) | {name: b"escaped"}
    loaded = skopsafe.loads(zipped(schema_of(data), members))
    assert (loaded["array"] == LARGE["array"]).all()
    # As the member of an array it is a name in the archive, and the file of that name is not looked at.
    (tmp_path / "escaped").write_bytes(members_of(data)[array_of(data)])
    text = json.dumps(schema_of(data)).replace(json.dumps(array_of(data)), json.dumps(name))
    for missing in (with_schema(data, json.loads(text)),):
        with pytest.raises(skopsafe.FormatError, match="missing"):
            skopsafe.loads(missing)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "deeper", "escaped"]


def test_a_link_in_an_archive_is_followed_by_nobody(tmp_path: Path) -> None:
    """A member that is a symbolic link, as in the archives that Keras unpacked (CVE-2025-12060)."""
    secret = tmp_path / "secret.npy"
    np.save(secret, np.arange(9000.0) + 1)
    data = skopsafe.dumps(LARGE)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for name, content in members_of(data).items():
            link = zipfile.ZipInfo(name)
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            new.writestr(link, str(secret) if name == array_of(data) else content)
        new.writestr("schema.json", json.dumps(schema_of(data)))
    with pytest.raises(skopsafe.FormatError, match="header"):
        skopsafe.loads(out.getvalue())


def swapped_local_name(data: bytes) -> bytes:
    """Give one member another name in its own header: CVE-2025-1944 of picklescan."""
    assert data.count(b"schema.json") == 2
    return data.replace(b"schema.json", b"schema.jsox", 1)


def flagged(data: bytes) -> bytes:
    """Set the bit of encryption in the headers of a member: CVE-2025-1945 of picklescan."""
    out = bytearray(data)
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        out[out.rindex(magic) + offset] |= 1
    return bytes(out)


def wrong_checksum(data: bytes) -> bytes:
    """Give a member a wrong CRC, at which scanners stop and loaders do not: CVE-2025-10156 of picklescan."""
    out = bytearray(data)
    for magic, offset in ((b"PK\3\4", 14), (b"PK\1\2", 16)):
        out[out.rindex(magic) + offset] ^= 1
    return bytes(out)


def twice(data: bytes) -> bytes:
    """Add a second schema: scanners read one, loaders the other."""
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as more, pytest.warns(UserWarning, match="Duplicate"):
        more.writestr("schema.json", json.dumps(schema_of(skopsafe.dumps([2]))))
    return out.getvalue()


CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "another name in the member's own header": (swapped_local_name, "contradicts the directory"),
    "a flag": (flagged, "encrypted"),
    "a wrong checksum": (wrong_checksum, "CRC differs"),
    "two members of one name": (twice, "stands twice"),
    "a second archive behind": (
        lambda data: data + skopsafe.dumps([2]),
        "before the first|overlap|not where",
    ),
    "a second archive before": (
        lambda data: skopsafe.dumps([2]) + data,
        "before the first|overlap|not where",
    ),
    "a pickle before": (lambda data: pickle.dumps([2]) + data, "pickle|not a zip"),
    "a pickle behind": (lambda data: data + pickle.dumps([2]), "bytes behind it"),
    "a script before": (lambda data: b"#!/bin/sh\ntouch marker\n" + data, "not a zip"),
    "a comment": (lambda data: data[:-2] + b"\x05\x00hello", "not end with its directory"),
    "an archive in the comment": (
        lambda data: data[:-2] + struct.pack("<H", len(data)) + data,
        "before the first|overlap|not where",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_has_one_meaning_or_none(change: str, tmp_path: Path) -> None:
    alter, match = CHANGES[change]
    good = skopsafe.dumps([1])
    data = alter(good)
    assert data != good
    assert_refused(data, match, tmp_path)


@pytest.mark.parametrize("suffix", ["pkl", "pt", "joblib", "txt", "npy", "zip", "skops", ""])
def test_the_ending_of_a_path_decides_nothing(suffix: str, tmp_path: Path) -> None:
    """Scanners chose by it what to look at: CVE-2025-1889 and CVE-2025-10155 of picklescan."""
    marker, path = tmp_path / "marker", tmp_path / f"model.{suffix}"
    path.write_bytes(pickle.dumps(Touches(marker)))
    with pytest.raises(skopsafe.FormatError, match="this is a pickle"):
        skopsafe.load(path)
    path.write_bytes(skopsafe.dumps([1]))
    assert skopsafe.load(path) == [1]
    assert not marker.exists()


@pytest.mark.parametrize("first", [True, False])
def test_a_key_that_stands_twice_has_one_meaning_for_all(first: bool) -> None:
    """Readers of JSON take the first or the last; the audit and the builder here take the same."""
    harmless, hostile = '"types": [["builtins:list", "class"]]', '"types": [["evil.module:f", "call"]]'
    text = json.dumps(schema_of(skopsafe.dumps([1])))
    assert harmless in text
    both = f"{hostile}, {harmless}" if first else f"{harmless}, {hostile}"
    data = with_schema(skopsafe.dumps([1]), text.replace(harmless, both).encode())
    assert skopsafe.get_untrusted_types(data=data) == ([] if first else ["evil.module.f"])
    if first:
        assert skopsafe.loads(data) == [1]
    else:
        with pytest.raises(skopsafe.UntrustedTypesFoundException):
            skopsafe.loads(data)
    escaped = text.replace(harmless, f"{harmless}, {hostile}".replace('"types"', '"\\u0074ypes"'))
    data = with_schema(skopsafe.dumps([1]), escaped.encode())
    assert skopsafe.get_untrusted_types(data=data) == ["evil.module.f"]


def test_a_file_is_not_one_of_skops_as_well() -> None:
    """The fields that skops reads are the same in every file, so that no file means something to both."""
    for field, value in (
        ("__loader__", "ListNode"),
        ("__module__", "builtins"),
        ("__class__", "list"),
        ("content", []),
    ):
        schema = schema_of(skopsafe.dumps([1])) | {field: value}
        with pytest.raises(skopsafe.FormatError, match="malformed"):
            skopsafe.loads(with_schema(skopsafe.dumps([1]), schema))
