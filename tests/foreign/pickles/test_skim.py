"""What breaks off before it could do anything is told without running it."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.opcodes import TABLE
from skopsafe.foreign.pickles.reading import Memory
from skopsafe.foreign.pickles.skim import _OPCODES, could_act

OPCODES = st.sampled_from([bytes([code]) for code in sorted(_OPCODES)])
STREAMS = st.lists(st.one_of(OPCODES, OPCODES, st.binary(max_size=3))).map(b"".join)


def test_all_opcodes_are_known() -> None:
    unknown = TABLE[0]
    assert {code for code in range(256) if TABLE[code] is not unknown} == _OPCODES


@settings(max_examples=2000, deadline=None)
@given(st.one_of(STREAMS, st.binary()), st.integers(0, 2))
def test_what_could_not_act_does_nothing(data: bytes, place: int) -> None:
    if could_act(Memory(data), place):
        return
    found = Machine(Memory(data), place).run()
    assert not found.operations
    assert found.error


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_act(protocol: int) -> None:
    assert could_act(Memory(b"xx" + pickle.dumps([print], protocol)), 2)


@pytest.mark.parametrize(
    ("data", "is_found"),
    [
        (b"", False),
        (b"\0\0\0\0", False),
        (b"\x8c\xff", False),
        (b"X\xff\xff\xff\xff", False),
        (b"N" * 1000, True),  # too long to tell
        (b"N" * 50 + b"\0", False),
        (b"X\0\x20\0\0" + bytes(2**13) + b"R", True),  # beyond what is read
        (b"NNR", True),
    ],
)
def test_ends(data: bytes, is_found: bool) -> None:
    assert could_act(Memory(data), 0) is is_found
