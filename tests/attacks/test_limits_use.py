"""What is short in a file and long to use, and what is long in a file and may be; memory is measured."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import scipy.sparse

import skopsafe
from skopsafe.archive import crc
from skopsafe.errors import UnsupportedTypeError, ValidationError
from skopsafe.handlers import content
from tests.attacks.graphs import assert_refused, schema, written
from tests.measuring import MEBIBYTE, VERBS, Meter, needs_linux

pytestmark = needs_linux

SMALL = 16 * MEBIBYTE
GIBIBYTE = 1024 * MEBIBYTE
FAR = 10**12
MODULES = [
    name
    for name in ("pandas", "pyarrow", "polars", "skopsafe.handlers.pandas", "scipy.sparse")
    if importlib.util.find_spec(name.partition(".")[0])
]


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    with Meter(*MODULES) as made:
        yield made


def arrow(make: Callable[[Any, int], Any]) -> Callable[[int], Any]:
    return lambda rows: make(pytest.importorskip("pyarrow"), rows)


def polars(make: Callable[[Any, int], Any]) -> Callable[[int], Any]:
    return lambda rows: make(pytest.importorskip("polars", "1.32"), rows)


def empty_arrow(pa: Any, type_: Any, rows: int) -> Any:
    return pa.Array.from_buffers(type_, rows, [None], children=[])


def nulls(pl: Any, rows: int) -> Any:
    return pl.Series("a", [None], dtype=pl.Null).new_from_index(0, rows)


FREE: dict[str, Callable[[int], Any]] = {
    "array": arrow(lambda pa, rows: pa.nulls(rows)),
    "chunks": arrow(lambda pa, rows: pa.chunked_array([pa.nulls(rows // 4)] * 4 + [pa.nulls(rows % 4)])),
    "table": arrow(lambda pa, rows: pa.table({"a": pa.nulls(rows)})),
    "batch": arrow(lambda pa, rows: pa.record_batch([pa.nulls(rows)], ["a"])),
    "records": arrow(lambda pa, rows: empty_arrow(pa, pa.struct([]), rows)),
    "rows without columns": arrow(lambda pa, rows: pa.table({"a": pa.nulls(rows)}).select([])),
    "list of nulls": arrow(
        lambda pa, rows: pa.LargeListArray.from_arrays(np.array([0, rows], np.int64), pa.nulls(rows))
    ),
    "series": polars(nulls),
    "frame": polars(lambda pl, rows: pl.DataFrame({"a": nulls(pl, rows)})),
    "lists": polars(lambda pl, rows: pl.Series([[]], dtype=pl.Array(pl.Int8, 0)).new_from_index(0, rows)),
}


@pytest.mark.parametrize("name", FREE)
def test_rows_without_content_are_bounded(meter: Meter, tmp_path: Path, name: str) -> None:
    obj = FREE[name](2**31 - 1 if name != "lists" else content.MOST_FREE + 1)
    with pytest.raises(UnsupportedTypeError, match="would not be loaded"):
        skopsafe.dumps(obj)
    with mock.patch.object(content, "MOST_FREE", 2**32):
        skopsafe.dump(obj, tmp_path / "file")
    assert (tmp_path / "file").stat().st_size < 2000
    assert_refused(meter(tmp_path / "file"), "ValidationError", peak=8 * SMALL)
    assert skopsafe.loads(skopsafe.dumps(FREE[name](1000))) is not None


def test_columns_of_nulls_stand_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred columns of nulls, and one that is none: before it and behind it."""
    monkeypatch.setattr(content, "MOST_FREE", 1000)
    pa, pl = pytest.importorskip("pyarrow"), pytest.importorskip("polars", "1.32")
    columns: dict[str, Any] = {f"a{number}": pa.nulls(5000) for number in range(100)}
    table = pa.table({**columns, "b": np.arange(5000), "c": pa.nulls(5000)})
    assert skopsafe.loads(skopsafe.dumps(table)).equals(table)
    frame = pl.DataFrame(table)
    assert skopsafe.loads(skopsafe.dumps(frame)).equals(frame)
    with pytest.raises(UnsupportedTypeError, match="no content"):
        skopsafe.dumps(table.drop_columns(["b"]))
    with pytest.raises(UnsupportedTypeError, match="no content"):
        skopsafe.dumps(frame.drop("b"))


def pandas(make: Callable[[Any], Any]) -> Callable[[], Any]:
    return lambda: make(pytest.importorskip("pandas"))


def sparse_array(pd: Any) -> Any:
    made = skopsafe.loads(skopsafe.dumps(pd.arrays.SparseArray([0.0, 1.0, 0.0], fill_value=0.0)))
    length = 2**31 - 1
    index = type(made.sp_index)(length, np.array([5], np.int32))
    return pd.arrays.SparseArray._simple_new(made.sp_values, index, made.dtype)


LONG: dict[str, Callable[[], Any]] = {
    "range": lambda: range(10**18),
    "RangeIndex": pandas(lambda pd: pd.RangeIndex(10**18)),
    "rows of a frame": pandas(lambda pd: pd.DataFrame(index=pd.RangeIndex(10**18))),
    "SparseArray": pandas(sparse_array),
    "coo": lambda: scipy.sparse.coo_array((np.ones(1), (np.array([5]), np.array([FAR - 1]))), (FAR, FAR)),
    "dok": lambda: scipy.sparse.dok_array((FAR, FAR)),
    "dia": lambda: scipy.sparse.dia_array((np.ones((1, 3)), np.array([0])), (FAR, FAR)),
    "csr": lambda: scipy.sparse.csr_array((1, FAR)),
    "csc": lambda: scipy.sparse.csc_array((FAR, 1)),
    "lil": lambda: scipy.sparse.lil_array((1, FAR)),
}


@pytest.mark.parametrize("name", LONG)
def test_ranges_and_sparse_arrays_without_end_take_nothing(meter: Meter, tmp_path: Path, name: str) -> None:
    """Their length is what they mean: they load, and only what writes them out takes memory."""
    skopsafe.dump(LONG[name](), tmp_path / "file")
    for verb in VERBS:
        found = meter(tmp_path / "file", verb, memory=256 * MEBIBYTE)
        assert found.ended == "returned", found
        assert found.peak < 8 * SMALL
    assert 0 < len(repr(skopsafe.load(tmp_path / "file"))) < 1000


@pytest.mark.parametrize("kind", ["csr", "csc", "bsr", "lil"])
def test_rows_of_a_sparse_array_are_in_the_file(tmp_path: Path, kind: str) -> None:
    made = getattr(scipy.sparse, f"{kind}_array")(np.eye(4))
    data = skopsafe.dumps(made)
    made._shape = (FAR, FAR)
    with pytest.raises(ValidationError):
        skopsafe.loads(skopsafe.dumps(made))
    assert skopsafe.loads(data).shape == (4, 4)


LONGEST = 10**6


@pytest.mark.parametrize(
    ("name", "values", "is_refused"),
    [
        ("builtins:int", ["0x" + "f" * LONGEST], False),
        ("decimal:Decimal", [0, "9" * LONGEST, 0], False),
        ("decimal:Decimal", [0, "9", 10**9], True),
        ("fractions:Fraction", [[0], 1], True),
        ("builtins:float", ["9" * LONGEST], True),
    ],
)
def test_numbers_of_a_million_digits_take_linear_time(
    meter: Meter, tmp_path: Path, name: str, values: list[Any], is_refused: bool
) -> None:
    runs = [[0, 1, [["0x" + "f" * LONGEST]]], [1, 1, [values]]]
    types = list(dict.fromkeys(["builtins:int", name]))
    content = schema(types, [[0, None], [len(types) - 1, None]], runs, [1])
    path = written(tmp_path / "file", content)
    for verb in VERBS:
        found = meter(path, verb, seconds=20)
        assert found.ended == ("ValidationError" if is_refused and verb == "load" else "returned"), found
        assert found.peak < 32 * found.size + SMALL


def doubled(kind: Callable[[Any], Any]) -> Any:
    made = kind([])
    for _ in range(60):
        made = kind([made, made])
    return made


@pytest.mark.parametrize(
    "kind", [list, tuple, lambda items: {"a": items, "b": items}], ids=["list", "tuple", "dict"]
)
def test_what_holds_another_twice_costs_what_is_in_the_file(meter: Meter, tmp_path: Path, kind: Any) -> None:
    """Sixty levels, and 2**60 ways down: `load` and reports go each once, while `repr` would never return."""
    path = tmp_path / "file"
    skopsafe.dump(doubled(kind), path)
    for verb in VERBS:
        found = meter(path, verb, seconds=20)
        assert found.ended == "returned", found
        assert found.peak < SMALL
    assert len(json.dumps(skopsafe.audit(path).to_dict())) < 10_000
    assert len(skopsafe.visualize(path, depth=100).lines) < 1000


class Holes(io.RawIOBase):
    """A file in which what is large is left out, so that it reads as zeros and takes no room."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        if size > MEBIBYTE:
            return self._file.seek(size, io.SEEK_CUR) and size
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def test_a_model_of_ten_gigabytes_loads(
    meter: Meter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default, where there is the memory for it, and mapped where there is not."""
    zeros = tmp_path / "zeros"
    with zeros.open("wb") as file:
        file.truncate(10 * GIBIBYTE)
    model = {"weights": np.memmap(zeros, np.float64, "r", shape=(5 * 2**27, 2)), "bias": np.ones(2)}
    path, sum_of = tmp_path / "model", crc.of_chunks
    # The checksum of zeros takes seconds, and nothing looks at it.
    monkeypatch.setattr(crc, "of_chunks", lambda some: 0 if len(some[-1]) > MEBIBYTE else sum_of(some))
    with Holes(path) as holes:
        skopsafe.dump(model, holes)
    if path.stat().st_blocks * 512 > 100 * MEBIBYTE:
        pytest.skip("this file system has no holes")
    assert path.stat().st_size > 10 * GIBIBYTE
    found = meter(path, memory=16 * GIBIBYTE, mmap_mode="r")
    assert (found.ended, found.message) == ("returned", "dict"), found
    assert found.peak < SMALL
    found = meter(path, "audit")
    assert found.ended == "returned", found
    # No limit is in the way: it is the memory that this process may not have.
    found = meter(path, memory=GIBIBYTE)
    assert found.ended == "OutOfMemoryError", found
    assert found.peak < SMALL
    loaded = skopsafe.load(path, mmap_mode="r")
    assert loaded["weights"].shape == (5 * 2**27, 2)
    assert loaded["weights"][-1].tolist() == [0.0, 0.0]
