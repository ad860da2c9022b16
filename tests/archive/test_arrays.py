"""The members that hold arrays."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest

import skopsafe
from skopsafe.archive.npy import dtype_of, parse
from skopsafe.testing.crafted import schema_of


def with_header(data: bytes, change: bytes, by: bytes) -> bytes:
    """Return the file with a part of its one array's header replaced by another of the same length."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".npy"):
                assert change in content[:128]
                content = content[:128].replace(change, by) + content[128:]
            new.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("size", [10, 20_000])
@pytest.mark.parametrize(
    ("change", "by"),
    [
        (b"}", b"("),
        (b"'descr'", b"'''escr"),
        (b"'<f8'", b"'|O8'"),
        (b"'<f8'", b"'<i8'"),
        (b"False", b"True "),
        (b"NUMPY", b"NUMPX"),
        (b"\x01\x00v", b"\x09\x00v"),
        (b"{", b"\xff"),
    ],
)
def test_a_damaged_header_is_an_error(size: int, change: bytes, by: bytes) -> None:
    data = skopsafe.dumps(np.arange(float(size)))
    assert len(schema_of(data)["members"]) == 1
    if size == 10:
        change, by = change.replace(b"<f8", b"|u1"), by.replace(b"<i8", b"|i1")
        if change == b"False":
            pytest.skip("the order of a pool does not matter: it has one dimension")
    with pytest.raises(skopsafe.FormatError):
        skopsafe.loads(with_header(data, change, by))


@pytest.mark.parametrize(
    ("descr", "shape"),
    [
        ("()", "(3,)"),
        ("('<f8',)", "(3,)"),
        ("[('',())]", "(3,)"),
        ("'(2,)<f8'", "(3,)"),
        ("('<f8',(2,))", "(3,)"),
        ("'f8,O'", "(3,)"),
        ("'<f8'", "(True,)"),
        ("'<f8'", "(-1,)"),
        ("'<f8'", "3"),
    ],
)
def test_a_header_of_no_array_is_an_error(descr: str, shape: str) -> None:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    with pytest.raises(skopsafe.FormatError):
        parse(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text, "x.npy")


def _deep(depth: int) -> Any:
    descr: Any = "<f8"
    for _ in range(depth):
        descr = [["field", descr]]
    return descr


NO_DTYPES: dict[str, Any] = {
    "subarray": "(2,)<f8",
    "objects": "f8,O",
    "title without a hash": [[[["title"], "name"], "<f8"]],
    "deep": _deep(450),
    "very deep": _deep(5000),
    "short field": [["a"]],
    "number": 5,
    "nothing": None,
}


@pytest.mark.parametrize("descr", NO_DTYPES.values(), ids=NO_DTYPES)
def test_a_description_of_no_dtype_is_an_error(descr: Any) -> None:
    with pytest.raises(skopsafe.FormatError):
        dtype_of(descr, 0)


@pytest.mark.filterwarnings("error")
def test_what_numpy_warns_of_is_an_error_where_warnings_are() -> None:
    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1L,)}"  # of Python 2
    with pytest.raises(skopsafe.FormatError, match="damaged"):
        parse(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text, "x.npy")


def test_a_header_with_other_padding_is_read() -> None:
    array = np.arange(20_000.0)
    data = skopsafe.dumps(array)
    spaced = with_header(data, b"'descr': '<f8', 'fortran_order'", b"'descr':'<f8',  'fortran_order'")
    assert spaced != data
    np.testing.assert_array_equal(skopsafe.loads(spaced), array)
