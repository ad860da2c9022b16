"""A trace has every opcode, as pickletools reads it, with what it does to the stack and the memo."""

from __future__ import annotations

import io
import pickle
import pickletools
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.cli import main
from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.reading import Memory
from skopsafe.foreign.pickles.trace import Step, lines, trace
from tests.foreign.pickles.test_machine import OBJECTS, PROTOCOLS
from tests.foreign.pickles.test_script import EFFECTS
from tests.foreign.pickles.test_script_text import mutant


def steps(data: bytes) -> list[Step]:
    return list(trace(Memory(data)))


@given(obj=OBJECTS, protocol=st.sampled_from(PROTOCOLS))
@settings(max_examples=100, deadline=None)
def test_opcodes_and_places_are_those_of_pickletools(obj: Any, protocol: int) -> None:
    data = pickle.dumps(obj, protocol)
    wanted = [(place, opcode.name) for opcode, _, place in pickletools.genops(data)]
    assert [(step.offset, step.name) for step in steps(data)] == wanted


@pytest.mark.parametrize("name", EFFECTS)
def test_depths_marks_and_memo_are_those_of_the_machine(name: str) -> None:
    data = EFFECTS[name]
    machine = Machine(Memory(data))
    for step in steps(data):
        size = len(machine.memo)
        try:
            machine.step()
        except Exception:  # the end of the pickle, in several forms
            break
        assert (step.depth, step.marks) == (len(machine.stack), len(machine.marks))
        assert (step.memo >= 0) == (len(machine.memo) > size)
        assert step.memo < 0 or machine.memo[step.memo] is machine.stack[-1]


def test_a_trace_as_text() -> None:
    data = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x02ls\x85R]K\x01a\x8a\x02\xff\x00."
    assert list(lines(trace(Memory(data)))) == [
        "         0  PROTO            4                                 | 0:0",
        "         2  SHORT_BINUNICODE 'os'                              | 1:0 'os'",
        "         6  MEMOIZE                                            | 1:0 'os'  memo[0]",
        "         7  SHORT_BINUNICODE 'system'                          | 2:0 'system'",
        "        15  MEMOIZE                                            | 2:0 'system'  memo[1]",
        "        16  STACK_GLOBAL                                       | 1:0 os:system",
        "        17  MEMOIZE                                            | 1:0 os:system  memo[2]",
        "        18  SHORT_BINUNICODE 'ls'                              | 2:0 'ls'",
        "        22  TUPLE1                                             | 2:0 tuple of 1",
        "        23  REDUCE                                             | 1:0 reduce os:system",
        "        24  EMPTY_LIST                                         | 2:0 list of 0",
        "        25  BININT1          1                                 | 3:0 1",
        "        27  APPEND                                             | 2:0 list of 1",
        "        28  LONG1            255                               | 3:0 255",
        "        32  STOP                                               | 2:0 255",
    ]


def test_long_arguments_are_cut_short() -> None:
    data = pickle.dumps([np.zeros(10**5), "x" * 10**5, "y" * 3000, 10**3000, b"z" * 10**5], 5)
    text = list(lines(trace(Memory(data))))
    assert max(map(len, text)) < 250
    assert any("bytes that begin with" in line for line in text)
    assert any("bytearray of 800,000 bytes" in line for line in text)


def test_a_break_is_told() -> None:
    *_, last = lines(trace(Memory(b"cos\nsystem\n\xff")))
    assert last == "        11                   breaks off: there is no opcode 0xff"
    assert steps(b"")[-1].error
    assert steps(b"(R.")[-1].error


@given(seed=st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_a_trace_of_any_pickle_ends_without_controls(seed: int) -> None:
    for line in lines(trace(Memory(mutant(random.Random(seed))))):
        assert line.isprintable()
        assert len(line) < 300


def test_a_hundred_thousand_opcodes_take_linear_time() -> None:
    found = steps(b"N" + b"\x85" * 30_000 + b".")
    assert len(found) == 30_002
    assert len(steps(b"r".join([b"N"] + [struct.pack("<I", n) for n in range(2000)]) + b".")) == 2002


def test_more_opcodes_than_are_allowed_are_refused() -> None:
    with pytest.raises(skopsafe.LimitError, match="opcodes"):
        list(trace(Memory(b"N" * 100 + b"."), limit=50))


def test_the_command_traces(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps([1]))
    result = CliRunner().invoke(main, ["decompile", "--trace", str(path)])
    assert result.exit_code == 0
    assert "APPEND" in result.output
    assert io.StringIO(result.output).readline().split() == ["0", "PROTO", "4", "|", "0:0"]
    missing = CliRunner().invoke(main, ["decompile", "--trace", str(tmp_path / "y.pkl")])
    assert missing.exit_code == 3
