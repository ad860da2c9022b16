"""A dtype that is read from a pickle is the one that was written, or an error where it contradicts itself."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.foreign.pickles.dtypes import Known, dtype_of
from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.reading import Memory

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

DTYPES: list[Any] = [
    *"?bBhHiIlLqQefdgFDGOSUVmM",
    *("<f8", ">f8", ">i2", "=u4", ">c16", "S0", "S5", "U5", ">U5", "V7", "O"),
    *("M8[D]", ">M8[ns]", "m8[25us]", "M8[generic]", "m8[3Y]"),
    [("a", "i4"), ("b", ">f4", (2, 3)), ("c", "O"), ("d", "U3"), ("e", "M8[ms]")],
    [(("title", "a"), "i4"), ("b", "S3")],
    [("a", [("b", [("c", ">i8")], (2,))]), ("d", [])],
    {"names": ["a", "b"], "formats": ["u1", "f8"], "offsets": [4, 16], "itemsize": 100},
    {"names": ["a", "b"], "formats": ["i4", "u1"], "offsets": [0, 2]},
    [],
    (np.record, [("x", "f8"), ("y", "i4")]),
    ("i4", (2, 3)),
    ([("a", "i2"), ("b", "O")], (4,)),
]
if hasattr(np.dtypes, "StringDType"):
    DTYPES += [
        np.dtypes.StringDType(),
        np.dtypes.StringDType(coerce=False),
        np.dtypes.StringDType(na_object=None),
    ]


def read(obj: Any, protocol: int) -> Any:
    return dtype_of(Machine(Memory(pickle.dumps(obj, protocol))).run().root)


def same(made: np.dtype[Any], dtype: np.dtype[Any]) -> None:
    assert made == dtype
    assert made.str == dtype.str
    assert (made.itemsize, made.hasobject, made.isalignedstruct) == (
        dtype.itemsize,
        dtype.hasobject,
        dtype.isalignedstruct,
    )
    assert made.fields == dtype.fields
    assert made.type is dtype.type


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("described", DTYPES, ids=repr)
def test_a_dtype_comes_back(described: Any, protocol: int) -> None:
    dtype = pickle.loads(pickle.dumps(np.dtype(described), protocol))
    same(read(dtype, protocol), dtype)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_aligned_structure_comes_back(protocol: int) -> None:
    dtype = np.dtype([("a", "u1"), ("b", "f8"), ("c", "u1")], align=True)
    same(read(dtype, protocol), dtype)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_metadata_changes_nothing(protocol: int) -> None:
    for described in ("f8", "M8[D]", [("a", "i4")]):
        dtype = np.dtype(described, metadata={"x": [1]})
        same(read(dtype, protocol), dtype)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [np.float32, np.str_, float, object, np.bool_, np.datetime64])
def test_classes_are_dtypes(kind: Any, protocol: int) -> None:
    same(read(kind, protocol), np.dtype(kind))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_classes_of_dtypes_are_dtypes(protocol: int) -> None:
    same(read(np.dtypes.Float64DType, protocol), np.dtype("f8"))
    same(read(np.dtypes.Int16DType, protocol), np.dtype("i2"))


@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from(["<f8", ">f4", "O", "S3", "U2", "M8[s]", "?", "V5"]),
            st.lists(st.integers(0, 3), max_size=2).map(tuple),
        ),
        min_size=1,
        max_size=6,
    ),
    align=st.booleans(),
    protocol=st.sampled_from(PROTOCOLS),
)
@settings(max_examples=100)
def test_structures_come_back(fields: list[tuple[str, tuple[int, ...]]], align: bool, protocol: int) -> None:
    dtype = np.dtype([(f"f{i}", *field) for i, field in enumerate(fields)], align=align)
    same(read(dtype, protocol), dtype)


class Made:
    """Is pickled as a dtype with any arguments and state."""

    def __init__(self, args: tuple[Any, ...], *states: Any, function: Any = np.dtype) -> None:
        self.made = (function, args, *states)

    def __reduce__(self) -> Any:
        return self.made


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sizes_of_texts_are_those_of_the_state(protocol: int) -> None:
    made = Made(("U5", False, True), (3, "<", None, None, None, 400, 4, 8))
    assert read(made, protocol) == np.dtype("U100")
    assert pickle.loads(pickle.dumps(made, protocol)) == np.dtype("U100")


WRONG = [
    Made((), None),
    Made(([("a", "i4")], False, True)),
    Made(("f8,f8", False, True)),
    Made(("(2,3)f8", False, True)),
    Made(("no such type", False, True)),
    Made(("f" * 40, False, True)),
    Made(("f8",), (1, "<", None, None, None, -1, -1, 0)),
    Made(("f8",), (3, "<", None)),
    Made(("f8",), (3, "x", None, None, None, -1, -1, 0)),
    Made(("f8",), (3, "<", None, None, None, -1, -1, 63)),
    Made(("O8",), (3, "|", None, None, None, -1, -1, 0)),
    Made(("U5",), (3, "<", None, None, None, 21, 4, 8)),
    Made(("U5",), (3, "<", None, None, None, -1, 4, 8)),
    Made(("V8",), (3, "|", (np.dtype("i4"), (3,)), None, None, 8, 4, 0)),
    Made(("V8",), (3, "|", (np.dtype("i4"), (-2,)), None, None, 8, 4, 0)),
    Made(("V8",), (3, "|", None, ("a",), {"a": (np.dtype("i4"), 100)}, 8, 4, 16)),
    Made(("V8",), (3, "|", None, ("a",), {"a": (np.dtype("i4"), 2**31 - 1)}, 8, 4, 16)),
    Made(("V8",), (3, "|", None, ("a",), {"a": (np.dtype("i4"), -4)}, 8, 4, 16)),
    Made(("V8",), (3, "|", None, ("a",), {"b": (np.dtype("i4"), 0)}, 8, 4, 16)),
    Made(("V8",), (3, "|", None, ("a",), {"a": (np.dtype("i4"), 0), "b": (np.dtype("O"), 0)}, 8, 4, 16)),
    Made(("V8",), (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 4, 16)),
    Made(("V8",), (3, "|", None, ("a",), None, 8, 4, 16)),
    Made(("f8",), (3, "|", None, ("a",), {"a": (np.dtype("f8"), 0)}, 8, 4, 16)),
    Made(("M8",), (4, "<", None, None, None, -1, -1, 0, (None, (b"no", 1, 1, 1)))),
    Made(("M8",), (4, "<", None, None, None, -1, -1, 0, (None, (b"D", 1, 0, 1)))),
    Made(("M8",), (4, "<", None, None, None, -1, -1, 0, 5)),
    Made(("f8",), function=np.array),
    3,
    None,
    [1],
]


@pytest.mark.parametrize("made", WRONG, ids=lambda made: str(getattr(made, "made", made)))
def test_what_contradicts_itself_is_an_error(made: Any) -> None:
    with pytest.raises(skopsafe.FormatError, match="a dtype cannot be understood"):
        read(made, 4)


def test_a_dtype_that_holds_itself_many_times_takes_no_time() -> None:
    dtype: Any = np.dtype("u1")
    for _ in range(12):
        dtype = np.dtype([("a", dtype), ("b", dtype)])
    assert read(dtype, 4).itemsize == 2**12
    for _ in range(12):
        dtype = np.dtype([("a", dtype)])
    with pytest.raises(skopsafe.FormatError, match="deep"):
        read(dtype, 4)


def test_flags_and_alignments_that_numpy_does_not_write_are_errors() -> None:
    state = (3, "|", None, None, None)
    for kind, rest in (("O8", (-1, -1, 61)), ("O8", (-1, -1, 1)), ("V8", (8, 0, 0)), ("V8", (8, 1, 2))):
        with pytest.raises(skopsafe.FormatError, match="a dtype cannot be understood"):
            read(Made((kind, False, True), (*state, *rest)), 4)


def test_what_was_made_before_a_second_state_is_not_used_again() -> None:
    data = pickle.dumps(np.dtype("f8"), 2)[:-1] + b"."
    made, known = Machine(Memory(data)).run().root, Known()
    assert dtype_of(made, known) == np.float64
    made.states.append(made.states[0])
    with pytest.raises(skopsafe.FormatError, match="more than one state"):
        dtype_of(made, known)


def test_a_second_state_is_an_error() -> None:
    data = pickle.dumps(np.dtype("f8"), 2)[:-1] + b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb."
    with pytest.raises(skopsafe.FormatError, match="more than one state"):
        dtype_of(Machine(Memory(data)).run().root)
