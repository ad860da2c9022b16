"""The loop does what the table does, opcode by opcode."""

from __future__ import annotations

import pickle
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.foreign.pickles.machine import Machine
from skopsafe.foreign.pickles.reading import Broken, Memory, Stop, Truncated
from skopsafe.foreign.pickles.skim import _OPCODES
from skopsafe.judge.shown import show

PARTS = [
    *(bytes([code]) for code in sorted(_OPCODES)),
    *(
        b"\x8c\x03abc",
        b"\x8c\x02\xff\xff",
        b"X\x02\0\0\0hi",
        b"C\x02c\n",
        b"K\x07",
        b"h\0",
        b"q\1",
        b"NN\x86",
    ),
    *(b"\x8c\x05\xc2\x80abc", b"(NNt", b"NNN\x87", b"\x8c\2os\x8c\6system\x93\x94"),
]
STREAMS = st.lists(st.one_of(st.sampled_from(PARTS), st.binary(max_size=2)), max_size=30).map(b"".join)


def by_steps(data: bytes) -> Machine:
    machine = Machine(Memory(data))
    try:
        while True:
            machine.step()
    except Stop:
        pass
    except (Broken, Truncated) as error:
        machine.found.error = str(error)
    except UnicodeDecodeError:
        machine.found.error = "a text is not UTF-8"
    return machine


def told(machine: Machine) -> tuple[object, ...]:
    found = machine.found
    stacks = [[show(value) for value in stack] for stack in (machine.stack, *machine.marks)]
    return (
        *(found.opcodes, bool(found.error), show(found.root), found.notes, stacks),
        {place: show(value) for place, value in machine.memo.items()},
        [(op.kind, op.offset, show(op.value)) for op in found.operations],
        [show(text) for text in found.texts],
        [show(holder) for holder in found.holders],
        found.drops,
    )


@settings(max_examples=1500, deadline=None)
@given(STREAMS)
def test_both_do_the_same(data: bytes) -> None:
    machine = Machine(Memory(data))
    machine.run()
    assert told(machine) == told(by_steps(data))


@pytest.mark.parametrize("protocol", range(6))
def test_both_do_the_same_with_pickles(protocol: int) -> None:
    thing = OrderedDict(a=[1, -2, 2**40, 0.5, None, True], b=np.arange(5), c="x" * 300, d={(1, 2, 3): b"c\n"})
    data = pickle.dumps([thing, thing, *range(400)], protocol)
    machine = Machine(Memory(data))
    machine.run()
    assert not machine.found.error
    assert told(machine) == told(by_steps(data))


def test_a_text_that_is_not_utf_8_breaks_off() -> None:
    found = Machine(Memory(b"\x80\4\x8c\2\xff\xfe" + b"N" * 30 + b".")).run()
    assert "not UTF-8" in found.error
    assert found.end < 8


@pytest.mark.parametrize("opcode", [b"N", b"N0", b"]\x94", b"K\1", b"(1", b"\x8c\1a"])
def test_the_limit_holds_in_the_loop(opcode: bytes) -> None:
    data = b"N" + opcode * 3000 + b"." + bytes(20)
    with pytest.raises(skopsafe.LimitError, match="more than 1000 opcodes"):
        Machine(Memory(data), 0, 1000).run()
