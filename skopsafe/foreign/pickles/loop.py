"""The loop that runs opcodes: the table, and the few that are most of any pickle, without a call each.

What stands here must do what the table does; a test runs both. Where less than an opcode is there, and
where anything is odd, the table says what happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skopsafe.foreign.pickles.constants import BYTES_BEGINNINGS, DOUBLE, TEXT_BEGINNINGS
from skopsafe.foreign.pickles.opcodes import TABLE
from skopsafe.foreign.pickles.reading import AHEAD, LONG
from skopsafe.foreign.pickles.values import Global, Value

if TYPE_CHECKING:
    from skopsafe.foreign.pickles.machine import Machine


_UNKNOWN = -2
_LEAST = 2
"""Bytes of an opcode that does not look by itself how long it is."""


def run(m: Machine, limit: int) -> None:
    """Run opcodes until one of them raises.

    Parameters
    ----------
    m : Machine
        Says how far it has come: ``at``, ``offset``, and ``found.opcodes``.
    limit : int
        Opcodes that are run at most. Some more may be, before that is noticed.

    Raises
    ------
    Stop, Broken, Truncated, IndexError, UnicodeDecodeError
        As opcodes do.
    LimitError
        There are more opcodes than are allowed.
    """
    found, table, memo, marks, double = m.found, TABLE, m.memo, m.marks, DOUBLE
    stack, at, buffer = m.stack, m.at, m.buffer
    is_whole, ready = False, _UNKNOWN
    count = found.opcodes
    made: tuple[Value, ...]
    # Codes stand here as numbers, each with its letter or name: to look a name up takes as long as the rest.
    try:
        while True:
            if at <= ready:
                code = buffer[at]
                if code >= 128:
                    if code == 0x94:  # MEMOIZE
                        count += 1
                        memo[len(memo)] = stack[-1]
                        at += 1
                        continue
                    if code == 0x8C:  # SHORT_BINUNICODE
                        start = at + 2
                        end = start + buffer[at + 1]
                        if end <= ready:
                            count += 1
                            text = buffer[start:end].decode("utf-8", "surrogatepass")
                            if buffer[start] in TEXT_BEGINNINGS:
                                found.texts.append(text)
                            stack.append(text)
                            at = end
                            if buffer[at] == 0x94:
                                count += 1
                                memo[len(memo)] = text
                                at += 1
                            continue
                    elif code == 0x85:  # TUPLE1
                        count += 1
                        last = stack[-1]
                        stack[-1] = made = (last,)
                        if type(last) is Global:
                            found.holders.append(made)
                        at += 1
                        continue
                    elif code == 0x86:  # TUPLE2
                        if len(stack) > 1:
                            count += 1
                            last = stack.pop()
                            stack[-1] = made = (stack[-1], last)
                            if Global in map(type, made):
                                found.holders.append(made)
                            at += 1
                            continue
                    elif code == 0x87:  # TUPLE3
                        if len(stack) > 2:
                            count += 1
                            last = stack.pop()
                            middle = stack.pop()
                            stack[-1] = made = (stack[-1], middle, last)
                            if Global in map(type, made):
                                found.holders.append(made)
                            at += 1
                            continue
                    elif code == 0x89 or code == 0x88:  # NEWFALSE, NEWTRUE  # noqa: PLR1714 - faster
                        count += 1
                        stack.append(code == 0x88)
                        at += 1
                        continue
                elif code == 104:  # h, BINGET
                    if (number := buffer[at + 1]) in memo:
                        count += 1
                        stack.append(memo[number])
                        at += 2
                        continue
                elif code == 75:  # K, BININT1
                    count += 1
                    stack.append(buffer[at + 1])
                    at += 2
                    continue
                elif code == 113:  # q, BINPUT
                    count += 1
                    memo[buffer[at + 1]] = stack[-1]
                    at += 2
                    continue
                elif code == 40:  # (, MARK
                    count += 1
                    marks.append(stack)
                    stack = m.stack = []
                    at += 1
                    continue
                elif code == 78:  # N, NONE
                    count += 1
                    stack.append(None)
                    at += 1
                    continue
                elif code == 116:  # t, TUPLE
                    if marks:
                        count += 1
                        made = tuple(stack)
                        stack = m.stack = marks.pop()
                        stack.append(made)
                        if Global in map(type, made):
                            found.holders.append(made)
                        at += 1
                        continue
                elif code == 71:  # G, BINFLOAT
                    end = at + 9
                    if end <= ready:
                        count += 1
                        stack.append(double(buffer, at + 1)[0])
                        at = end
                        continue
                elif code == 77 or code == 74:  # M, BININT2 and J, BININT  # noqa: PLR1714 - faster
                    end = at + 3 if code == 77 else at + 5
                    if end <= ready:
                        count += 1
                        stack.append(int.from_bytes(buffer[at + 1 : end], "little", signed=code == 74))
                        at = end
                        continue
                elif code == 67:  # C, SHORT_BINBYTES
                    start = at + 2
                    end = start + buffer[at + 1]
                    if end <= ready:
                        count += 1
                        data = buffer[start:end]
                        if buffer[start] in BYTES_BEGINNINGS:
                            found.texts.append(data)
                        stack.append(data)
                        at = end
                        continue
                elif code == 88:  # X, BINUNICODE
                    start = at + 5
                    end = start + int.from_bytes(buffer[at + 1 : start], "little")
                    if end <= ready and end - start <= LONG:
                        count += 1
                        text = buffer[start:end].decode("utf-8", "surrogatepass")
                        if buffer[start] in TEXT_BEGINNINGS:
                            found.texts.append(text)
                        stack.append(text)
                        at = end
                        continue
            elif not is_whole and (ready == _UNKNOWN or at + AHEAD > len(buffer)):
                m.at = at
                m._fill(AHEAD)
                at, buffer = m.at, m.buffer
                is_whole = m.base + len(buffer) >= m.source.size
                ready = _ready(m, is_whole)
                continue
            count += 1
            m.offset = m.base + at
            frame = m.frame
            if count > limit:
                m.refuse()
            code = buffer[at]
            m.at = at + 1
            table[code](m)
            at = m.at
            stack = m.stack
            if at > ready or code == 0x95 or m.buffer is not buffer:  # FRAME, or what may end one
                m.pass_frame(frame)
                ready = _ready(m, is_whole)
            if m.buffer is not buffer:
                buffer, is_whole, ready = m.buffer, False, _UNKNOWN
            elif at <= ready and buffer[at] == 0x94:
                count += 1
                memo[len(memo)] = stack[-1]
                at += 1
    finally:
        found.opcodes = count
        # An opcode of the table has gone on by itself.
        if m.buffer is buffer and at > m.at:
            m.at = at


def _ready(m: Machine, is_whole: bool) -> int:
    """Return the last place of the window at which an opcode may be run here, and not by the table."""
    # At the end of the stream, an opcode and a byte behind it are still there.
    ready = len(m.buffer) - (_LEAST if is_whole else AHEAD)
    # The table runs those at the end of a frame, which must end with one.
    return max(-1, min(ready, m.frame - m.base - _LEAST)) if m.frame > m.base + m.at else max(-1, ready)
