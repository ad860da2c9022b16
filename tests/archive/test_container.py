"""The zip: strict reading, atomic writing, limits before memory."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

import skopsafe
from skopsafe.testing.crafted import changed, schema_of, with_schema


def test_the_limit_of_members_holds_for_zip64_too() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for number in range(70_000):
            zipped.writestr(f"arrays/{number}.npy", b"")
    data = out.getvalue()
    assert struct.unpack("<H", data[-12:-10]) == (0xFFFF,), "not a zip64 file"
    with pytest.raises(skopsafe.LimitError, match="members"):
        skopsafe.loads(data, limits=skopsafe.Limits(members=60_000))
    with pytest.raises(skopsafe.LimitError, match="directory_bytes"):
        skopsafe.loads(data, limits=skopsafe.Limits(directory_bytes=1000))
    with pytest.raises(skopsafe.FormatError, match=r"no schema\.json"):
        skopsafe.loads(data)


def test_a_damaged_zip64_end_is_an_error() -> None:
    data = bytearray(skopsafe.dumps([1]))
    data[-12:-10] = b"\xff\xff"
    with pytest.raises(skopsafe.FormatError, match="zip64"):
        skopsafe.loads(bytes(data))


def test_a_member_that_is_listed_twice_is_refused() -> None:
    data = changed(np.arange(3), lambda schema: schema["members"].append(schema["members"][0]))
    with pytest.raises(skopsafe.FormatError, match="listed twice"):
        skopsafe.loads(data)


def test_an_array_that_is_used_twice_cannot_multiply_memory() -> None:
    def again(schema: dict[str, Any]) -> None:
        schema["runs"] = [[0, 2, [[0, 0]]], [1, 1, [[[0], [1]]]]]
        schema["shapes"] = [[0, ["array"]], [1, None]]
        schema["types"] = [["numpy:ndarray", "class"], ["builtins:list", "class"]]
        schema["root"] = [2]

    for array in (np.arange(1000.0), np.arange(100_000.0)):
        with pytest.raises(skopsafe.FormatError, match="used twice"):
            skopsafe.loads(changed(array, again))


def test_more_nodes_than_bytes_are_refused() -> None:
    def many(schema: dict[str, Any]) -> None:
        schema["types"] = [["builtins:object", "class"], ["builtins:list", "class"]]
        schema["shapes"] = [[0, []], [1, None]]
        schema["runs"] = [[0, 1_000_000, []], [1, 1, [[[0]]]]]
        schema["root"] = [1_000_000]

    with pytest.raises(skopsafe.LimitError, match="more nodes than bytes"):
        skopsafe.loads(changed([1], many))


def test_more_arrays_than_values_are_refused_before_there_is_room_for_them() -> None:
    def many(schema: dict[str, Any]) -> None:
        (run,) = schema["arrays"]
        run[3:] = [90_000_000, [0]]

    data = changed(np.zeros(0), many)
    tracemalloc.start()
    with pytest.raises(skopsafe.FormatError, match=r"more arrays than values|values and 90000000 arrays"):
        skopsafe.loads(data)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("shapes", "runs"),
    [
        # 500 attributes that are the same in all of 1,500 instances; 100 lists of the same 3,000 objects
        ([[0, 500]], [[0, 1500, [0] * 500]]),
        (
            [[0, 1], [0, None]],
            [[0, 3000, [0]], [1, 100, [{"columns": [{"ref": 0, "step": 1}], "count": 3000}] * 100]],
        ),
    ],
)
@pytest.mark.parametrize("look", [skopsafe.loads, skopsafe.audit])
def test_columns_cannot_make_values_out_of_few_bytes(look: Any, shapes: Any, runs: Any) -> None:
    def many(schema: dict[str, Any]) -> None:
        schema["types"], schema["shapes"], schema["runs"] = [["builtins:list", "class"]], shapes, runs

    data = changed([1], many)
    with pytest.raises(skopsafe.LimitError, match="values, more than 32 for each of its bytes"):
        look(data)


def test_many_attributes_that_are_all_alike_are_written_so_that_they_can_be_read() -> None:
    alike, shared = [], Plain()
    for number in range(600):
        alike.append(Plain())
        vars(alike[-1]).update({f"a{place}": None for place in range(300)}, b=np.zeros(1), c=shared, d=number)
    with mock.patch("skopsafe.archive.schema.VALUES_FOR_A_BYTE", 4):  # a hundred attributes come near to 32
        data = skopsafe.dumps(alike)
    columns = next(run[2] for run in schema_of(data)["runs"] if len(run[2]) > 300)
    assert columns[0] == [None] * 600, "a scalar is not spelled out"
    numbers = next(run[2] for run in schema_of(data)["runs"] if run[1] == 600 and len(run[2]) == 1)
    assert numbers == [list(range(600))], "the arrays are not spelled out"
    loaded = skopsafe.loads(data, trusted=[Plain])
    assert loaded[7].c is loaded[0].c
    assert loaded[7].b.tolist() == [0.0]
    assert loaded[599].d == 599


def test_what_a_reader_would_take_for_a_bomb_is_not_written() -> None:
    floats = [float(number) for number in range(300)]
    with (
        mock.patch("skopsafe.archive.schema.VALUES_FOR_A_BYTE", 0),
        pytest.raises(skopsafe.UnsupportedTypeError),
    ):
        skopsafe.dumps(floats)


def test_many_nodes_that_are_all_alike_are_written_so_that_they_can_be_read() -> None:
    alike = [Plain() for _ in range(3000)]
    for item in alike:
        inner = item
        for _ in range(20):
            inner.child = Plain()
            inner = inner.child
    data = skopsafe.dumps(alike)
    assert len(schema_of(data)["runs"]) < 30
    assert len(schema_of(data)["runs"][2][2][0]["refs"]) == 3000, "the rule is not spelled out"
    loaded = skopsafe.loads(data, trusted=[Plain])
    assert skopsafe.dumps(loaded) == data
    assert loaded[7].child.child is not loaded[8].child.child


class Plain:
    """An object of which there are many."""

    child: Any


def test_a_change_of_any_byte_of_an_array_is_seen(tmp_path: Path) -> None:
    array = np.arange(20_000.0)
    data = bytearray(skopsafe.dumps(array))
    place = data.index(array[777:780].tobytes())
    data[place] ^= 1
    with pytest.raises(skopsafe.FormatError, match="CRC"):
        skopsafe.loads(bytes(data))
    path = tmp_path / "changed.skops"
    path.write_bytes(data)
    with pytest.raises(skopsafe.FormatError, match="CRC"):
        skopsafe.load(path, mmap_mode="r", verify=True)


def test_the_schema_must_be_what_its_member_says() -> None:
    data = skopsafe.dumps([1])
    assert skopsafe.loads(with_schema(data, schema_of(data))) == [1]
    with pytest.raises(skopsafe.FormatError, match="malformed"):
        skopsafe.loads(with_schema(data, b"[" * 100_000))
