"""Pickles of pyarrow become the files that the objects would be saved as; pyarrow is not imported for it."""

from __future__ import annotations

import datetime
import pickle
from typing import Any

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")

import skopsafe  # noqa: E402
from skopsafe.errors import SkopsafeError  # noqa: E402
from tests.convert.converting import content, converted  # noqa: E402
from tests.handlers.test_arrow import ARRAYS, CUTS  # noqa: E402

PROTOCOLS = (2, 5)


def through(obj: Any) -> Any:
    """Convert the pickles of an object, require the bytes in which it is saved, and load the file."""
    data = b""
    for protocol in PROTOCOLS:
        pickled = pickle.dumps(obj, protocol)
        data = converted(pickled)
        assert content(data) == content(skopsafe.dumps(pickle.loads(pickled))), protocol
    assert skopsafe.get_untrusted_types(data=data) == []
    return skopsafe.loads(data)


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_and_its_type_are_converted(name: str) -> None:
    for cut in ("whole", "middle", "nothing"):
        array = ARRAYS[name][CUTS[cut]]
        found = through(array)
        found.validate(full=True)
        known = pickle.loads(pickle.dumps(array.type))  # which forgets that the keys of a map are sorted
        assert found.type.equals(known, check_metadata=True)
        assert str(found.to_pylist()) == str(array.to_pylist())
    assert through(ARRAYS[name].type) == pickle.loads(pickle.dumps(ARRAYS[name].type))


@pytest.mark.parametrize("name", ARRAYS)
def test_a_column_is_converted_with_its_chunks(name: str) -> None:
    array = ARRAYS[name]
    column = pa.chunked_array([array, array[1:], array[:0]], array.type)
    assert [len(chunk) for chunk in through(column).chunks] == [5, 4, 0]


def test_tables_are_converted() -> None:
    columns = [pa.chunked_array([array, array[1:3]]) for array in ARRAYS.values()]
    fields = [
        pa.field(f"column {i}", column.type, metadata={b"\xff": b"\0"}) for i, column in enumerate(columns)
    ]
    table = pa.table(columns, pa.schema(fields, metadata={"pandas": '{"é": 1}'}))
    found = through(table)
    assert found.schema.equals(pickle.loads(pickle.dumps(table.schema)), check_metadata=True)
    assert str(found.to_pylist()) == str(table.to_pylist())
    batch = table.to_batches()[0]
    assert str(through(batch).to_pylist()) == str(batch.to_pylist())
    assert through(table.schema) == pickle.loads(pickle.dumps(table.schema))
    assert through(table.schema.field(3)) == table.schema.field(3)
    assert through(pa.table({})).num_columns == 0
    assert through(pa.chunked_array([], pa.int8())).num_chunks == 0


def test_columns_of_one_array_come_back_on_their_own() -> None:
    column = pa.chunked_array([ARRAYS["string"]])
    first, second, third = through([column, pa.table({"a": column}), pa.table({"b": column})])
    assert first == second["a"] == third["b"]


MOMENT = datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999)
PLAIN = [1, -1.5, True, "é", b"\xff", None, MOMENT, MOMENT.date(), datetime.timedelta(-1, 1, 1)]
OTHERS = [[1], {"a": 1}, np.datetime64("2020-01-01", "ns"), MOMENT.replace(tzinfo=datetime.UTC)]


@pytest.mark.parametrize(
    "value",
    [1, -1.5, True, "é", b"\xff", None, MOMENT, MOMENT.date(), datetime.timedelta(-1, 1, 1)],
    ids=repr,
)
def test_a_plain_scalar_is_converted(value: Any) -> None:
    kind = pa.int16() if value is None else None
    assert through(pa.scalar(value, kind)).as_py() == value


@pytest.mark.parametrize(
    "value", [[1], {"a": 1}, np.datetime64("2020-01-01", "ns"), MOMENT.astimezone(datetime.UTC)]
)
def test_other_scalars_are_refused(value: Any) -> None:
    with pytest.raises(SkopsafeError, match=r"scalar is not in the form.*save the object with"):
        converted(pickle.dumps(pa.scalar(value)))


def _array(kind: str, *parts: Any) -> bytes:
    """Return the pickle of an array with these data."""
    return pickle.dumps(_Made(kind, parts))


class _Made:
    def __init__(self, kind: str, parts: tuple[Any, ...]) -> None:
        self.parts = (pa.lib.type_for_alias(kind), *parts)

    def __reduce__(self) -> Any:
        return pa.lib._restore_array, (self.parts,)


BYTES = pa.py_buffer(bytes(range(64)))
CRAFTED = {
    "a buffer that is too short": ("int64", 9, 0, 0, [None, BYTES], [], None),
    "an offset behind its end": ("int64", 1, 0, 2**40, [None, BYTES], [], None),
    "a length that is none": ("int64", -1, 0, 0, [None, BYTES], [], None),
    "no buffer": ("int64", 1, 0, 0, [None, None], [], None),
    "too few buffers": ("int64", 1, 0, 0, [], [], None),
    "a mask that is too short": ("int8", 64, 0, 0, [pa.py_buffer(b"\1"), BYTES], [], None),
    "bits that are too few": ("bool", 1000, 0, 0, [None, BYTES], [], None),
    "offsets that lie outside": ("string", 3, 0, 0, [None, BYTES, BYTES], [], None),
    "offsets that decrease": (
        "string",
        2,
        0,
        0,
        [None, pa.py_buffer(np.array([0, 9, 1], "<i4")), pa.py_buffer(b"x" * 9)],
        [],
        None,
    ),
    "one buffer in two places": ("string", 0, 0, 0, [None, BYTES, BYTES], [], None),
    "a child that it cannot have": (
        "int64",
        1,
        0,
        0,
        [None, BYTES],
        [(pa.int8(), 1, 0, 0, [None, BYTES], [], None)],
        None,
    ),
    "a dictionary that it cannot have": (
        "int64",
        1,
        0,
        0,
        [None, BYTES],
        [],
        (pa.int8(), 1, 0, 0, [None, pa.py_buffer(b"x")], [], None),
    ),
}


@pytest.mark.parametrize("name", CRAFTED)
def test_what_an_array_says_of_itself_is_checked(name: str) -> None:
    kind, *parts = CRAFTED[name]
    with pytest.raises(SkopsafeError, match="not in the form"):
        converted(_array(kind, *parts))


def test_a_view_that_leads_outside_is_refused() -> None:
    if not hasattr(pa, "string_view"):
        pytest.skip("this pyarrow has no views")
    for number, start in ((0, 60), (1, 0), (-1, 0), (0, -4)):
        view = np.array([20, 0, number, start], "<i4").view(np.uint8)
        buffers = [None, pa.py_buffer(view), BYTES]
        with pytest.raises(SkopsafeError, match="leads outside"):
            converted(_array("string_view", 1, 0, 0, buffers, [], None))


def test_a_type_that_doubles_with_every_level_is_refused() -> None:
    """A few bytes for each level, and twice the description."""
    pickled = b"\x80\x04cpyarrow.lib\ntype_for_alias\n(\x8c\x04int8tR\x94"
    for level in range(60):
        field = b"(\x8c\x01ah" + bytes([level]) + b"\x88NtR"
        fields = b"](cpyarrow.lib\nfield\n" + field + b"cpyarrow.lib\nfield\n" + field + b"e"
        pickled += b"cpyarrow.lib\nstruct\n(" + fields + b"tR\x94"
    with pytest.raises(SkopsafeError, match="copied more often"):
        converted(pickled + b".")
