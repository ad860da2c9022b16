"""Arrays where the runs of a schema say that they are."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skopsafe
from skopsafe.archive.arrays import ALIGNMENT, POOL
from skopsafe.testing.crafted import changed, schema_of

SMALL = [np.arange(float(number)) for number in range(1, 9)]
LARGE = [np.arange(10_000.0) + number for number in range(3)]


def run(number: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    fields = ("dtype", "member", "fortran", "count", "shape")

    def change(schema: dict[str, Any]) -> None:
        for name, value in changes.items():
            schema["arrays"][number][fields.index(name)] = value

    return change


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": 1},
        {"dtype": -1},
        {"member": 1},
        {"fortran": 2},
        {"count": 7},
        {"count": 9},
        {"count": 0},
        {"count": 10**12},
        {"shape": []},
        {"shape": [[1, 2, 3, 4, 5, 6, 7]]},
        {"shape": [[1, 2, 3, 4, 5, 6, 7, 9]]},
        {"shape": [[1, 2, 3, 4, 5, 6, 7, -8]]},
        {"shape": [[1, 2, 3, 4, 5, 6, 7, 2**70]]},
        {"shape": [2**62]},
        {"shape": [4, 2]},
        {"shape": [1] * 65},
        {"shape": ["1"]},
        {"shape": [[True] * 8]},
    ],
    ids=str,
)
def test_a_run_that_does_not_fill_its_pool_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(skopsafe.FormatError):
        skopsafe.loads(changed(SMALL, run(0, **changes)))


@pytest.mark.parametrize("shape", [[[16, 14, 12, 10, 8, 6, 4, 2]], [[2, 4, 6, 8, 10, 12, 14, 16], 1]])
def test_other_shapes_of_as_many_items_are_other_arrays(shape: Any) -> None:
    arrays = [np.arange(2.0 * number) for number in range(1, 9)]
    found = skopsafe.loads(changed(arrays, run(0, shape=shape)))
    assert np.array_equal(np.concatenate([a.ravel() for a in found]), np.concatenate(arrays))


def test_arrays_begin_where_malloc_would_have_put_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    dtypes = ["?", "i1", "<u2", ">i4", "f2", "f4", "f8", "c16", "g", "U3", "S5", "M8[s]"]
    dtypes += [[("a", "i1"), ("b", "f8")]]
    made = [
        rng.integers(0, 2, size).astype(dtype)
        for dtype in dtypes
        for size in (*rng.integers(0, 40, 20).tolist(), *[int(rng.integers(1, 9))] * 5, (3, 5), 70_000)
    ]
    path = tmp_path / "arrays.skops"
    for values in (made, made[::-1], rng.permutation(np.array([*made, None], object))[:100].tolist()):
        skopsafe.dump(values, path)
        for mode in (None, "r"):
            loaded = skopsafe.load(path, mmap_mode=mode)
            for old, new in zip(values, loaded, strict=True):
                if old is not None:
                    assert old.dtype == new.dtype
                    assert np.array_equal(old, new)
                    assert new.ctypes.data % ALIGNMENT == 0


def test_gaps_of_a_pool_are_zero_and_not_looked_at() -> None:
    data = skopsafe.dumps([np.array([1.5]), np.array([True, False]), np.array(["a"])])
    (name,) = schema_of(data)["members"]
    content = np.load(io.BytesIO(zipfile.ZipFile(io.BytesIO(data)).read(name)))
    assert content.dtype == np.uint8
    assert len(content) == 48
    assert not content[8:16].any()
    assert not content[18:32].any()
    assert not content[36:].any()
    spans, out = [(0, 8), (16, 18), (32, 36)], io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        member = bytearray(old.read(name))
        member[-48:] = b"".join([content[a:b].tobytes() + b"\xff" * (-(b - a) % 16) for a, b in spans])
        new.writestr(name, bytes(member))
        new.writestr("schema.json", old.read("schema.json"))
    found = skopsafe.loads(out.getvalue())
    assert [array.tolist() for array in found] == [[1.5], [True, False], ["a"]]


@pytest.mark.parametrize(
    "changes",
    [{"member": 1}, {"count": 2}, {"shape": [9_999]}, {"shape": [100, 100]}, {"shape": []}, {"fortran": 1}],
    ids=str,
)
def test_a_large_array_has_a_member_of_its_own(changes: dict[str, Any]) -> None:
    data = changed(LARGE, run(0, **changes))
    if changes == {"fortran": 1}:  # the order of one dimension is either; the header still says which
        with pytest.raises(skopsafe.FormatError, match="header"):
            skopsafe.loads(data)
        return
    with pytest.raises(skopsafe.FormatError):
        skopsafe.loads(data)


def test_pools_end_and_arrays_are_their_own() -> None:
    arrays = [np.full((100, 50), float(number)) for number in range(3 * POOL // 80_000)]
    data = skopsafe.dumps(arrays)
    assert len(schema_of(data)["members"]) == 2
    loaded = skopsafe.loads(data)
    for number, array in enumerate(loaded):
        array += 1
        assert array.flags.writeable
        assert array.flags.aligned
        assert (array == number + 1).all()
    assert skopsafe.dumps(skopsafe.loads(data)) == data


@pytest.mark.parametrize("dtype", ["V0", "S0", "U0"])
def test_items_of_no_bytes_come_back(dtype: str) -> None:
    made = [np.zeros((number, 2), dtype) for number in range(40)]
    assert [array.shape for array in skopsafe.loads(skopsafe.dumps(made))] == [a.shape for a in made]


@pytest.mark.parametrize("shape", [(2**59, 0), (0, 2**58, 2), (2**31, 0, 3)])
def test_empty_arrays_of_large_shapes_come_back(shape: tuple[int, ...]) -> None:
    made = [np.zeros(shape) for _ in range(8)]
    assert [array.shape for array in skopsafe.loads(skopsafe.dumps(made))] == [shape] * 8


def test_orders_and_dimensions_of_many_arrays_come_back() -> None:
    made = [
        np.asfortranarray(np.arange(24.0).reshape(shape)) if number % 3 else np.arange(24.0).reshape(shape)
        for number, shape in enumerate([(2, 12), (3, 8), (4, 3, 2), (24,), (24, 1)] * 10)
    ]
    made += [np.array(number, "f8") for number in range(40)]
    for old, new in zip(made, skopsafe.loads(skopsafe.dumps(made)), strict=True):
        assert np.array_equal(old, new)
        assert old.shape == new.shape
        assert (old.flags.c_contiguous, old.flags.f_contiguous) == (
            new.flags.c_contiguous,
            new.flags.f_contiguous,
        )
