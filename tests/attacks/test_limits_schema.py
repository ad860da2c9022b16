"""Schemas that become more in memory than they are in a file; memory is measured."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skopsafe
from skopsafe.archive.compression import BZIP2, DEFLATED
from skopsafe.limits import SCHEMA_FLOOR, SCHEMA_WEIGHT
from tests.archive.zips import Crafted, craft
from tests.attacks.graphs import assert_refused, deflated, npy, numbers, one_list, schema, spelled, written
from tests.measuring import MEBIBYTE, VERBS, Meter, needs_linux

pytestmark = needs_linux

SMALL = 8 * MEBIBYTE


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    with Meter() as made:
        yield made


def repeated(unit: str, size: int) -> Iterator[bytes]:
    """Yield the schema of a list of one value again and again, about `size` bytes of it."""
    head, _, tail = one_list(f"[{unit}@{unit}]").partition(b"@")
    yield head + b","
    block = (unit + ",").encode() * (MEBIBYTE // (len(unit) + 1))
    for _ in range(size // len(block)):
        yield block
    yield tail


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("size", [32 * MEBIBYTE, pytest.param(1024 * MEBIBYTE, marks=pytest.mark.large)])
def test_a_large_schema_of_a_small_file_is_not_even_read(
    meter: Meter, tmp_path: Path, verb: str, size: int
) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(craft(deflated("schema.json", repeated("[0]", size), 6)))
    assert path.stat().st_size < size / 300
    assert_refused(meter(path, verb), "LimitError", peak=SMALL, match="Limits(expansion=...)")


@pytest.mark.parametrize("unit", ["[0]", "[]", "0", '"ab"', "1e1"])
def test_a_byte_of_the_schema_becomes_no_more_than_its_weight(
    meter: Meter, tmp_path: Path, unit: str
) -> None:
    """The weight is measured, by a schema that is as large as a small file may have it."""
    path = tmp_path / "schema"
    path.write_bytes(craft(deflated("schema.json", repeated(unit, SCHEMA_FLOOR - 2 * MEBIBYTE), 6)))
    size = skopsafe_size(path)
    found = meter(path)
    assert found.ended in ("returned", "FormatError"), found
    assert found.peak <= SCHEMA_WEIGHT * size + SMALL, found


def skopsafe_size(path: Path) -> int:
    with zipfile.ZipFile(path) as zipped:
        return zipped.getinfo("schema.json").file_size


@pytest.mark.parametrize("method", [DEFLATED, BZIP2])
@pytest.mark.parametrize("values", [[0] * 2_200_000, ["category"] * 400_000], ids=["zeros", "texts"])
def test_a_large_schema_that_shrinks_well_is_written_so_that_it_can_be_read(
    method: int, values: list[Any]
) -> None:
    data = skopsafe.dumps(values, compression=method)
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        found = zipped.getinfo("schema.json")
    assert found.file_size > SCHEMA_FLOOR
    assert found.compress_size < found.file_size / 3
    assert skopsafe.loads(data) == values


@pytest.mark.parametrize("size", [128 * MEBIBYTE, pytest.param(1024 * MEBIBYTE, marks=pytest.mark.large)])
def test_a_hole_in_a_file_is_no_schema(meter: Meter, tmp_path: Path, size: int) -> None:
    """A gigabyte that takes no room on the disk is a gigabyte: the limits are for what a file says it has."""
    path = tmp_path / "hole"
    sizes = {"packed": size, "size": size}
    head = craft(Crafted(data=b"", local=sizes)).partition(b"PK\1\2")[0]
    end = craft(Crafted(data=b"", entry=sizes), place=len(head) + size).partition(b"PK\1\2")
    with path.open("wb") as file:
        file.write(head)
        file.seek(size, os.SEEK_CUR)
        file.write(end[1] + end[2])
    assert path.stat().st_size > size > 100 * 512 * path.stat().st_blocks
    limits = {"schema_bytes": size - 1}
    assert_refused(meter(path, limits=limits), "LimitError", peak=SMALL, match="schema_bytes")
    found = meter(path, memory=2 * size)
    assert_refused(found, "FormatError", peak=size + SMALL, match="damaged")


TEMPLATE = schema(["builtins:list"], [[0, None]], [[0, 1, [[]]]], [0])
LONG = 10**6


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("runs", "[[0,1,[" + "[" * LONG + "]" * LONG + "]]]"),
        ("dtypes", "[" * LONG + "]" * LONG),
        ("writer", '{"a":' * LONG + "1" + "}" * LONG),
        ("root", "[" * LONG + "]" * LONG),
        ("runs", "[[0,1,[[[[0]]]]]]"),
        ("runs", f"[[0,1,[[{'9' * LONG}]]]]"),
        ("runs", f"[[0,1,[[1e{'9' * LONG}]]]]"),
        ("runs", f"[[0,{'9' * LONG},[[]]]]"),
        ("runs", f"[[{'9' * LONG},1,[[]]]]"),
        ("shapes", f"[[{'9' * LONG},null]]"),
        ("dtypes", f"[[{'9' * LONG}]]"),
        ("protocol", "9" * LONG),
        ("root", "9" * LONG),
        ("types", f'[["builtins:{"a" * LONG}","class"]]'),
        ("writer", '{"a":"b","a":1}'),
    ],
    ids=lambda value: value if len(value) < 20 else value[:12],
)
def test_a_schema_is_as_deep_and_its_numbers_are_as_long_as_they_have_to_be(
    meter: Meter, tmp_path: Path, field: str, text: str
) -> None:
    path = written(tmp_path / "file", spelled(TEMPLATE, **{field: text}))
    for verb in ("load", "visualize"):
        found = meter(path, verb)
        assert_refused(found, "FormatError", peak=5 * found.size + SMALL)
        assert len(found.message) < 1000


@pytest.mark.parametrize("number", ["0." + "9" * LONG, "0." + "0" * LONG + "1", "1" + "0" * 300 + ".0"])
def test_a_float_may_have_many_digits(meter: Meter, tmp_path: Path, number: str) -> None:
    """They are read in linear time, and what they give is a double."""
    path = written(tmp_path / "file", one_list(f"[{number}]"))
    found = meter(path)
    assert (found.ended, found.message) == ("returned", "list")
    assert found.peak < 3 * found.size + SMALL


def test_keys_of_json_cannot_collide(meter: Meter, tmp_path: Path) -> None:
    """They are texts, whose hashes are seeded; of equal ones the last counts, as in most readers of JSON."""
    keys = ",".join(f'"{number}":"{number}"' for number in range(100_000))
    path = written(tmp_path / "file", spelled(TEMPLATE, writer="{" + keys + "}"))
    found = meter(path)
    assert found.ended == "returned"
    assert found.peak < 20 * found.size
    twice = spelled(TEMPLATE, writer='{"numpy":"1"}').replace(b'"root":[0]', b'"root":5,"root":[0]')
    assert skopsafe.load(written(path, twice)) == []


MANY = "[[0,1000000,[]]]"


@pytest.mark.parametrize(
    ("shapes", "runs", "match"),
    [
        ([[0, None]], "[[0,1000000000000000000,[[]]]]", "nodes than bytes"),
        ([[0, 1]], "[[0,1000000000000000000,[5]]]", "nodes than bytes"),
        ([[0, 1]], "[" + ",".join(["[0,1000000000000000000,[5]]"] * 50) + "]", "nodes than bytes"),
    ],
)
def test_nodes_out_of_nothing_are_refused(
    meter: Meter, tmp_path: Path, shapes: list[Any], runs: str, match: str
) -> None:
    found = schema(["builtins:list"], shapes, [], [0])
    path = written(tmp_path / "file", spelled(found, runs=runs))
    for verb in VERBS:
        assert_refused(meter(path, verb), "LimitError", peak=SMALL, match=match)


def rows_of_rules() -> bytes:
    """Return a schema of lists, each of which refers to ten thousand nodes by a rule of a few letters."""
    count = 10_000
    rows = ",".join(['{"columns":[{"ref":0,"step":1}],"count":10000}'] * count)
    tables = schema(["builtins:object", "builtins:list"], [[0, []], [1, None]], [], [count])
    return spelled(tables, runs=f"[[0,{count},[]],[1,{count},[{rows}]]]")


def columns_of_scalars(count: int = 100_000, letters: int = 100_000) -> bytes:
    """Return a schema of tuples of a thousand values each, which all have in common."""
    zeros = ",".join(["0"] * 1024)
    tables = schema(["builtins:tuple", "builtins:list"], [[0, 1024], [1, None]], [], [0])
    return spelled(tables, runs=f'[[0,{count},[{zeros}]],[1,1,[["{"x" * letters}"]]]]')


def attributes_in_common() -> bytes:
    """Return a schema of objects of a thousand attributes each, whose values all have in common."""
    count = 100_000
    names = [f"a{number}" for number in range(1000)]
    zeros = ",".join(["0"] * 1000)
    types = ["sklearn.preprocessing._data:StandardScaler", "builtins:list"]
    tables = schema(types, [[0, names], [1, None]], [], [0])
    return spelled(tables, runs=f'[[0,{count},[{zeros}]],[1,1,[["{"x" * count}"]]]]')


@pytest.mark.parametrize("make", [rows_of_rules, columns_of_scalars, attributes_in_common])
def test_values_out_of_nothing_are_refused(meter: Meter, tmp_path: Path, make: Any) -> None:
    """A hundred million values and more, of a file of less than a megabyte."""
    path = written(tmp_path / "file", make())
    for verb in VERBS:
        found = meter(path, verb)
        assert_refused(found, "LimitError", peak=20 * found.size + SMALL, match="Limits(work=...)")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (columns_of_scalars(4000, 4000), "for each of its bytes"),
        (columns_of_scalars(100_000, 3_300_000), "Limits(work=...)"),
    ],
    ids=["a small file", "a schema that shrinks"],
)
def test_both_bounds_of_values_are_needed(meter: Meter, tmp_path: Path, content: bytes, match: str) -> None:
    """Four million values of a few kilobytes, of which one says nothing; a hundred million of as few."""
    path = tmp_path / "file"
    path.write_bytes(craft(deflated("schema.json", [content])))
    assert path.stat().st_size < 12_000
    for verb in VERBS:
        assert_refused(meter(path, verb), "LimitError", peak=3 * len(content) + SMALL, match=match)


def test_values_in_common_can_be_allowed(tmp_path: Path) -> None:
    tables = schema(["builtins:tuple", "builtins:list"], [[0, 1024], [1, None]], [], [10_000])
    zeros, refs = ",".join(["0"] * 1024), str(numbers(10_000)).replace(" ", "")
    path = written(tmp_path / "file", spelled(tables, runs=f"[[0,10000,[{zeros}]],[1,1,[{refs}]]]"))
    with pytest.raises(skopsafe.LimitError, match="work"):
        skopsafe.load(path)
    loaded = skopsafe.load(path, limits=skopsafe.Limits(work=1000))
    assert len(loaded) == 10_000
    assert set(map(len, loaded)) == {1024}


def test_arrays_out_of_nothing_are_refused(meter: Meter, tmp_path: Path) -> None:
    """Each of them is a bit of memory, though no more than one is used."""
    for count in (99_000_000, 10**15):
        found = schema(
            ["numpy:ndarray"],
            [[0, ["array"]]],
            [[0, 1, [0]]],
            [0],
            dtypes=["<f8"],
            members=["pool/0.npy"],
            arrays=[[0, 0, 0, count, [0]]],
        )
        path = written(tmp_path / "file", found, {"pool/0.npy": npy((0,))})
        for verb in VERBS:
            assert_refused(meter(path, verb), "LimitError", peak=SMALL)


def test_what_many_have_in_common_is_written_so_that_it_can_be_read() -> None:
    """Real objects: what they have in common is written once, and there are far more values than bytes."""
    rows: list[Any] = [(1, 2.5, None, "a") * 5 for _ in range(20_000)]
    rows = [tuple(row) for row in map(list, rows)]
    rows += [dict.fromkeys(("first", "second", "third"), 0) for _ in range(20_000)]
    rows += [np.float64(0.0) for _ in range(20_000)]
    for method in ("stored", "deflate"):
        assert skopsafe.loads(skopsafe.dumps(rows, compression=method)) == rows
