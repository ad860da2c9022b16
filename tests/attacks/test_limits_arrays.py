"""Arrays and dtypes that say more than there is; memory is measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skopsafe
from skopsafe.archive.npy import MOST_FIELDS
from skopsafe.graph.plain import MOST_DIMENSIONS, has_rules, unsound
from tests.attacks.graphs import assert_refused, npy, schema, spelled, written
from tests.measuring import MEBIBYTE, Meter, needs_linux
from tests.test_growth import steps

SMALL = 16 * MEBIBYTE
FAR = 10**12


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    with Meter() as made:
        yield made


def arrays(dtype: Any, shape: list[Any], count: int = 1, member: str = "pool/0.npy") -> dict[str, Any]:
    """Return the schema of a list of arrays of one shape."""
    refs = [[[number] for number in range(count)]]
    runs = [[0, count, [{"first": 0} if count > 1 else 0]], [1, 1, refs]]
    tables: dict[str, Any] = {"dtypes": [dtype], "members": [member], "arrays": [[0, 0, 0, count, shape]]}
    return schema(["numpy:ndarray", "builtins:list"], [[0, ["array"]], [1, None]], runs, [count], **tables)


EMPTY = {"pool/0.npy": npy((0,))}


@needs_linux
@pytest.mark.parametrize("member", ["pool/0.npy", "arrays/0.npy"])
@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        ("<f8", [FAR]),
        ("<f8", [2**62]),
        ("<f8", [2**62] * 60),
        ("<f8", [FAR, 0, FAR]),
        ("<f8", [0, 2**63]),
        ("<f8", [1] * (MOST_DIMENSIONS + 1)),
        ("<f8", [2**62] * 10_000),
        ("|V1", [FAR]),
        ("|S0", [FAR]),
        ("<U0", [FAR]),
        ("|V0", [FAR]),
        ("|V0", [10**6, 10**6]),
        ([["a", "|V0"]], [FAR]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_shape_is_not_believed(
    meter: Meter, tmp_path: Path, dtype: Any, shape: list[int], member: str
) -> None:
    content = npy(tuple(shape), dtype) if member[:3] == "arr" and len(shape) < 100 else npy((0,))
    path = written(tmp_path / "file", arrays(dtype, shape, member=member), {member: content})
    found = meter(path, memory=256 * MEBIBYTE)
    assert_refused(found, "FormatError", "LimitError", peak=SMALL)
    assert len(found.message) < 500


@needs_linux
@pytest.mark.parametrize("dtype", ["<f8", "|V1", "|S0", "<U0", "|V0"])
def test_a_shape_without_items_takes_nothing(meter: Meter, tmp_path: Path, dtype: str) -> None:
    for shape in ([0, FAR], [FAR, 0], [0] * MOST_DIMENSIONS):
        path = written(tmp_path / "file", arrays(dtype, shape), EMPTY)
        found = meter(path, memory=256 * MEBIBYTE)
        assert (found.ended, found.message) == ("returned", "list"), found
        assert found.peak < SMALL


@needs_linux
def test_many_arrays_of_items_without_bytes_are_counted_together(meter: Meter, tmp_path: Path) -> None:
    path = written(tmp_path / "file", arrays("|V0", [10**6], 1000), EMPTY)
    found = meter(path)
    assert_refused(found, "LimitError", peak=SMALL, match="Limits(work=...)")
    few = written(tmp_path / "few", arrays("|V0", [1000], 1000), EMPTY)
    assert {array.shape for array in skopsafe.load(few)} == {(1000,)}


@pytest.mark.parametrize("dtype", ["S0", "U0", "V0"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (70_000,)])
def test_items_without_bytes_come_back(dtype: str, shape: tuple[int, ...]) -> None:
    for array in (
        np.ndarray(shape, dtype, b""),
        np.zeros(shape, [("a", dtype), ("b", "i4")])["a"],
        np.ndarray((*shape, 2), dtype, b"").T,
    ):
        loaded = skopsafe.loads(skopsafe.dumps([array]))[0]
        assert (loaded.dtype, loaded.shape) == (array.dtype, array.shape)


@needs_linux
@pytest.mark.parametrize(
    "dtype",
    [
        [[f"f{number}", "<f8"] for number in range(100_000)],
        "<f8," * 100_000 + "<f8",
        [["a", "<f8," * 100 + "<f8"]],
        [["a", "<f8", [10**9]]],
        [["a", "<f8", [1] * 100_000]],
        "(" * 100_000 + "1" + ")" * 100_000 + "f8",
        "<M8[" + "9" * 100_000 + "s]",
        "f8, (" + "9" * 100_000 + ",)i4",
        "O",
        {"a": 1},
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_dtype_is_as_large_as_it_has_to_be(meter: Meter, tmp_path: Path, dtype: Any) -> None:
    path = written(tmp_path / "file", arrays(dtype, [0]), EMPTY)
    found = meter(path)
    assert_refused(found, "FormatError", peak=16 * found.size + SMALL, match="dtypes[0]")


@needs_linux
@pytest.mark.parametrize("depth", [30, 400, 100_000])
def test_a_dtype_may_be_nested_as_deep_as_json_is_read(meter: Meter, tmp_path: Path, depth: int) -> None:
    text = '[["a",' * depth + '"<f8"' + "]]" * depth
    found = arrays("<f8", [0])
    path = written(tmp_path / "file", spelled(found, dtypes=f"[{text}]"), EMPTY)
    got = meter(path)
    assert got.ended == "returned" if depth < 100 else got.is_ours, got
    assert 0 <= got.peak < 20 * got.size + SMALL


def test_a_structure_of_many_fields_comes_back() -> None:
    dtype = np.dtype([(f"f{number}", "?" if number == 7 else "f4") for number in range(MOST_FIELDS)])
    array = np.zeros(2, dtype)
    array["f7"][1] = True
    loaded = skopsafe.loads(skopsafe.dumps(array))
    assert loaded.dtype == dtype
    assert loaded["f7"].tolist() == [False, True]


def test_a_structure_of_too_many_fields_is_refused_when_it_is_saved() -> None:
    dtype = np.dtype([(f"f{number}", "f4") for number in range(MOST_FIELDS + 1)])
    for obj in (np.zeros(2, dtype), dtype):
        with pytest.raises(skopsafe.UnsupportedTypeError, match="fields"):
            skopsafe.dumps(obj)


def test_only_fields_that_have_rules_and_bytes_are_looked_at() -> None:
    """A structure may have thousands of fields that take no bytes, and an item of it a single one."""
    many = np.dtype([*((f"f{number}", "V0") for number in range(2000)), ("b", "?"), ("u", "U0")])
    assert many.itemsize == 1
    assert has_rules(many)
    assert not has_rules(np.dtype([("u", "U0"), ("n", "f8")]))
    unsound(np.zeros(1, many))
    assert steps(lambda: unsound(np.zeros(1, many))) < 1000
    assert steps(lambda: unsound(np.zeros(0, many))) < 100
    assert unsound(np.full(1, 2, np.uint8).view(many)) == "a bool is neither 0 nor 1"


LINE = "{'descr': '<f8', 'fortran_order': False, 'shape': @}"


@needs_linux
@pytest.mark.parametrize(
    "text",
    [
        LINE.replace("@", f"({'9' * 60_000},)"),
        LINE.replace("@", f"(0x{'9' * 60_000},)"),
        LINE.replace("@", f"({'9' * 4000},)"),
        LINE.replace("@", "(" * 30_000 + ")" * 30_000),
        LINE.replace("@", f"({'-' * 60_000}9,)"),
        LINE.replace("@", f"({'9,' * 30_000})"),
        # Numbers that all have one hash, as the keys of a dict and the members of a set.
        "{" + ",".join(f"{(2**61 - 1) * number}:1" for number in range(2600)) + "}",
        "{" + ",".join(f"{(2**61 - 1) * number}" for number in range(2600)) + "}",
    ],
    ids=lambda text: text[40:70],
)
def test_a_header_is_short_enough_for_whatever_it_says(meter: Meter, tmp_path: Path, text: str) -> None:
    found = arrays("<f8", [5], member="arrays/0.npy")
    path = written(tmp_path / "file", found, {"arrays/0.npy": npy((5,), "<f8", text=text)})
    assert_refused(meter(path), "FormatError", peak=64 * MEBIBYTE, match="header")


@needs_linux
def test_a_header_of_four_gigabytes_is_not_read(meter: Meter, tmp_path: Path) -> None:
    found = arrays("<f8", [5], member="arrays/0.npy")
    content = b"\x93NUMPY\2\0\xff\xff\xff\xff{"
    path = written(tmp_path / "file", found, {"arrays/0.npy": content})
    assert_refused(meter(path), "FormatError", peak=SMALL, match="header")
