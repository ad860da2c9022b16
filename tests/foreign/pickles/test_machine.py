"""The symbolic machine makes what the unpickler makes, and stops where it stops."""

from __future__ import annotations

import collections
import io
import pickle
import pickletools
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.foreign.pickles import reading
from skopsafe.foreign.pickles.machine import Machine, Pickle
from skopsafe.foreign.pickles.opcodes import TABLE, _unknown
from skopsafe.foreign.pickles.reading import Memory
from skopsafe.foreign.pickles.values import Call, Computed, Global, List, Span
from tests.foreign.pickles.replay import replay
from tests.foreign.pickles.walking import walk

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
)
_HASHABLE = st.recursive(
    _SCALARS, lambda part: st.tuples(part, part) | st.frozensets(part, max_size=3), max_leaves=4
)
OBJECTS = st.recursive(
    _SCALARS | st.sets(_HASHABLE, max_size=3) | st.binary(max_size=8).map(bytearray),
    lambda part: (
        st.lists(part, max_size=4)
        | st.dictionaries(_HASHABLE, part, max_size=4)
        | st.tuples(part, part, part, part)
    ),
    max_leaves=20,
)
_NAMES = {
    "builtins:set": set,
    "builtins:frozenset": frozenset,
    "builtins:bytearray": bytearray,
    "builtins:bytes": bytes,
    "_codecs:encode": lambda text, encoding: text.encode(encoding),
}


def run(data: bytes, **options: Any) -> Pickle:
    return Machine(Memory(data), **options).run()


def test_every_opcode_of_python_is_known() -> None:
    for opcode in pickletools.opcodes:
        assert TABLE[ord(opcode.code)] is not _unknown, opcode.name
    assert sum(action is not _unknown for action in TABLE) == len(pickletools.opcodes)


@given(obj=OBJECTS, protocol=st.sampled_from(PROTOCOLS))
@settings(max_examples=120)
def test_it_makes_what_the_unpickler_makes(obj: Any, protocol: int) -> None:
    data = pickle.dumps(obj, protocol)
    found = run(data)
    assert found.error == ""
    assert found.end == len(data)
    assert found.opcodes == sum(1 for _ in pickletools.genops(data))
    assert replay(found.root, _NAMES) == obj


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_shared_and_what_holds_itself_stays_so(protocol: int) -> None:
    shared: list[Any] = [1]
    loop: list[Any] = [shared, shared, (shared,)]
    loop.append(loop)
    made = replay(run(pickle.dumps(loop, protocol)).root, {})
    assert made[0] is made[1] is made[2][0]
    assert made[3] is made


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_objects_come_with_their_calls_states_and_items(protocol: int) -> None:
    obj = collections.OrderedDict(a=collections.deque([1, 2], 5), b=range(3))
    found = run(pickle.dumps(obj, protocol))
    names = {op.value.spelled for op in found.operations if op.kind == "import"}
    assert names >= {"collections:OrderedDict", "collections:deque", "builtins:range"}
    calls = [op.value for op in found.operations if op.kind == "call"]
    assert {call.function.name for call in calls} >= {"OrderedDict", "deque", "range"}


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_names_of_python_2_are_those_of_today(protocol: int) -> None:
    found = run(pickle.dumps(range, protocol))
    assert (found.root.spelled, found.root.written) == ("builtins:range", "__builtin__:xrange")


def test_a_name_that_is_computed_could_be_any() -> None:
    found = run(b"\x80\x04\x8c\x02os" + b"cbuiltins\nstr\n" + b"\x8c\x06system\x85R\x93.")
    assert isinstance(found.root, Computed)
    assert [op.kind for op in found.operations][-1] == "import"


def test_long_texts_and_arrays_are_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    class Counting(Memory):
        def read(self, offset: int, size: int) -> bytes:
            sizes.append(size)
            return super().read(offset, size)

    data = pickle.dumps({"array": np.zeros(10**6), "text": "x" * 10**6, "bytes": b"x" * 10**6}, 5)
    found = Machine(Counting(data)).run()
    assert found.error == ""
    assert sum(sizes) < 6 * reading.WINDOW
    spans = [value for value in walk(found.root) if isinstance(value, Span)]
    assert sorted((span.kind, span.size) for span in spans) == [
        ("bytearray", 8 * 10**6),
        ("bytes", 10**6),
        ("str", 10**6),
    ]


@given(obj=OBJECTS, protocol=st.sampled_from(PROTOCOLS), window=st.integers(16, 64))
@settings(max_examples=100)
def test_a_small_window_changes_nothing(obj: Any, protocol: int, window: int) -> None:
    data = pickle.dumps(obj, protocol)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skopsafe.foreign.pickles.machine.WINDOW", window)
        assert replay(run(data).root, _NAMES) == obj


@given(obj=OBJECTS, protocol=st.sampled_from(PROTOCOLS), cut=st.floats(0, 1, exclude_max=True))
@settings(max_examples=80)
def test_a_pickle_that_breaks_off_says_so(obj: Any, protocol: int, cut: float) -> None:
    data = pickle.dumps(obj, protocol)
    assert run(data[: int(cut * len(data))]).error


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x06N.",
        b"\xffN.",
        b".",
        b"R.",
        b"(.",
        b"t.",
        b"NNa.",
        b"]N\x90.",
        b"(Nd.",
        b"NNs.",
        b"K\x01)R.",
        b"h\x00.",
        b"I1x\n.",
        b"S'a\n.",
        b"U\xff.",
        b"X\xff\xff\xff\xff.",
        b"\x8e" + b"\xff" * 8 + b".",
        b"\x8c\x01\xff.",
        b"T\xff\xff\xff\xff.",
        b"\x82\x00.",
        b"(o.",
        b"0.",
        b"Np" + b"9" * 10**6 + b"\n.",
        b"I08\n.",
        b"L_1\n.",
        b"N1.",
    ],
)
def test_what_no_unpickler_takes_is_an_error(data: bytes) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 - of many kinds, and all end it
        pickle.loads(data)
    assert run(data).error


def test_operations_before_an_error_are_kept() -> None:
    found = run(b"cos\nsystem\n(S'true'\ntR\xff")
    assert [op.kind for op in found.operations] == ["import", "call"]
    assert "0xff" in found.error


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b")(e", ""),
        (b"N(u", ""),
        (b"\x80\x04)(\x90", ""),
        (b"\x80\x05\x96\x01\0\0\0\0\0\0\0aK\x01a", "append"),
        (b"\x80\x05\x96\x01\0\0\0\0\0\0\0aK\x00K\x01s", "setitem"),
        (b"\x80\x05\x96\x00\x00\x02\0\0\0\0\0" + b"a" * 2**17 + b"K\x01a", "append"),
        # C reads numbers by functions of its own: octal, to a zero byte, and places in base ten.
        (b"I010\n", ""),
        (b"I8\0x\n", ""),
        (b"I\0x\n", ""),
        (b"L8\0x\n", ""),
        (b"F8\0x\n", ""),
        (b"I0x" + b"1" * 5000 + b"\n", ""),
        (b"L-0b" + b"1" * 5000 + b"L\n", ""),
        (b"Np 05\n0g+5\n", ""),
        (b"Np0_5\n0g0_05\n", ""),
        (b"Np5\0x\n0g5\0\n", ""),
    ],
)
def test_what_is_no_error_in_c_does_not_hide_what_follows(start: bytes, kind: str) -> None:
    data = start + b"0cbuiltins\nlen\n."
    assert pickle.loads(data) is len
    found = run(data)
    assert found.error == ""
    assert [op.kind for op in found.operations] == [*([kind] if kind else []), "import"]


def test_what_is_put_into_a_name_is_an_operation() -> None:
    found = run(b"cos\nenviron\n(S'a'\nS'b'\nucos\npath\n(S'join'\nNtb.")
    assert [op.kind for op in found.operations] == ["import", "setitem", "import", "build"]
    assert isinstance(found.operations[-1].value, Global)


@pytest.mark.parametrize(
    ("data", "way"),
    [
        (b"Pabc\n.", "persistent"),
        (b"K\x01Q.", "persistent"),
        (b"\x82\x01.", "extension"),
        (b"\x84" + struct.pack("<i", 70000) + b".", "extension"),
        (b"\x97\x98.", "buffer"),
        (b"(S'a'\nios\nsystem\n.", "instantiate"),
        (b"(cos\nsystem\nS'a'\no.", "instantiate"),
    ],
)
def test_what_comes_from_elsewhere_is_a_call(data: bytes, way: str) -> None:
    found = run(data)
    assert isinstance(found.root, Call)
    assert found.root.way == way


def test_places_far_behind_the_end_of_the_memo_are_noted() -> None:
    found = run(b"Nr\xff\xff\xff\x7f.")
    assert found.error == ""
    assert "memo" in found.notes[0][1]


def test_a_laugh_takes_no_more_than_its_opcodes() -> None:
    found = run(b"\x80\x04]\x94" + b"".join(b"(h%ch%cl\x94" % (n, n) for n in range(200)) + b".")
    assert found.error == ""
    assert isinstance(found.root, List)
    assert sum(1 for _ in walk(found.root)) < 500


def test_a_long_name_that_is_imported_often_takes_its_memory_once() -> None:
    data = (
        b"\x80\x04X" + struct.pack("<I", 60_000) + b"x" * 60_000 + b"\x94" + b"h\x00h\x00\x930" * 2000 + b"."
    )
    tracemalloc.start()
    try:
        found = run(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.operations) == 2000
    assert peak < 20 * 2**20


def test_a_hundred_thousand_levels_are_no_recursion() -> None:
    depth = 100_000
    found = run(b"N" + b"\x85" * depth + b".")
    assert found.error == ""
    assert sum(1 for _ in walk(found.root)) == depth + 1


def test_more_opcodes_than_are_allowed_are_refused() -> None:
    with pytest.raises(skopsafe.LimitError, match="opcodes"):
        run(b"N" * 100 + b".", limit=50)


def test_it_goes_on_where_the_unpickler_in_python_does() -> None:
    behind = b"cos\nsystem\n."
    for data in (
        b"cbuiltins\nstr\n]R",
        b"cbuiltins\nstr\n(lR",
        b"cbuiltins\nstr\nX\1\0\0\0xR",
        b"cbuiltins\nstr\nC\1xR",
        b"}I0\nb",
        b"]C\0b",
        b"}]]\x86b",
        b"\x96\1\0\0\0\0\0\0\0xK\1a(K\1K\2eK\0K\5s",
        b"K\1(u",
    ):
        found = run(data + behind)
        assert (found.error, found.root.spelled) == ("", "os:system")
        pickle._loads(data + behind)  # type: ignore[attr-defined]


def test_a_number_of_too_many_digits_does_not_hide_what_follows() -> None:
    """Python before 3.11 reads it, and others do that were told to."""
    found = run(b"L" + b"9" * 10**6 + b"L\n0cos\nsystem\n.")
    assert (found.error, found.root.spelled) == ("", "os:system")
    assert "digits" in found.notes[0][1]


def test_an_argument_across_the_end_of_a_frame_is_said() -> None:
    """From a file without look-ahead, C drops what is within the frame: two places of the memo for one."""
    start = b"\x80\x04Vbuiltins\np1\n0Vlen\np2\n0Vnumpy\np91\n0Vsin\np92\n0"
    frame = b"\x95" + (2).to_bytes(8, "little")
    data = start + frame + b"g91\n" + frame + b"g92\n" + b"\x93."
    assert pickle.load(io.BytesIO(data)) is len
    assert pickle.loads(data) is np.sin
    assert "across the end of a frame" in run(data).notes[0][1]
    assert skopsafe.inspect_pickle(io.BytesIO(data)).verdict == "suspicious"
    for argument in (b"P\xff\n", b"Ix\x31\n"):  # without what is dropped it is no error
        found = run(frame + argument + b"cos\nsystem\n.")
        assert (found.followed, len(found.notes)) == (False, 1)


def test_a_frame_within_another_is_said() -> None:
    inner = b"\x95" + (3).to_bytes(8, "little") + b"NN"
    found = run(b"\x95" + (len(inner)).to_bytes(8, "little") + inner + b"0.")
    assert "within another" in found.notes[0][1]


@pytest.mark.parametrize("size", [10, 100, 1000, 100_000, 200_000])
@pytest.mark.parametrize("window", [1, 100, 2**18])
def test_frames_as_picklers_write_them_are_no_news(
    size: int, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skopsafe.foreign.pickles.machine.WINDOW", window)
    obj = [("text", 1.5, b"data", [index], str(index), index) for index in range(size // 10)]
    data = pickle.dumps(obj, 4)
    assert data.count(b"\x95") >= 1
    assert (run(data).error, run(data).notes) == ("", [])


def test_putting_nothing_into_anything_is_nothing() -> None:
    data = b"K\1(eK\1(uK\1(\x90cos\nsystem\n."
    assert pickle.loads(data)
    assert (run(data).error, run(data).root.spelled) == ("", "os:system")


def test_a_line_may_end_with_the_stream() -> None:
    found = run(b"cos\nsystem.")
    assert [op.value.spelled for op in found.operations] == ["os:system"]
    assert "ends in the middle" in found.error


def test_a_name_is_imported_before_the_mark_is_looked_for() -> None:
    found = run(b"ios\nsystem\n.")
    assert [op.value.spelled for op in found.operations] == ["os:system"]
    assert "mark" in found.error
