"""Whether a regular expression from a stranger can be compiled and matched in sane time.

Python matches by trying: where a text can be split between the parts of a pattern in many ways, a text that
does not match in the end is tried in all of them. So the pattern is turned into an automaton, and all texts
are fed to it at once: what counts is how many ways through the pattern are open at the same time. Where
that never exceeds `_OPEN`, whatever the text, a match takes time in proportion to the text, and a search
from each of its places its square. Two repeats that can take the same letter side by side, or one inside of
another, open ways without end.

The pattern is parsed by `re` itself, which is linear and runs nothing. It is not compiled. All that is left
open here is taken for the worst: repeats have no upper end, assertions hold or do not, letters beyond ASCII
are told apart by four kinds.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_parser: Any = re._parser  # type: ignore[attr-defined]  # public as sre_parse before Python 3.11

_OPEN = 100
"""Ways through a pattern that may be open at once."""
_STATES = 3000
_SETS = 2000
"""Sets of open ways that are looked at before giving up."""
_STEPS = 200_000
_FOLDED = 100_000
"""Letters that compiling may fold one by one, where case is ignored."""
_WIDE = 25
"""Sets of letters beyond Latin-1: each takes `re` a table of 65,536 entries."""
_LONGEST = 10_000

_FLAGS = int(re.A | re.I | re.L | re.M | re.S | re.U | re.X)

# A set of letters is a number with a bit for each of ASCII, and for four kinds of others.
_WORD, _DIGIT, _SPACE, _OTHER = (1 << bit for bit in range(128, 132))
_BEYOND = _WORD | _DIGIT | _SPACE | _OTHER
_ALL = (1 << 132) - 1


def _ascii(letters: Iterable[int]) -> int:
    return sum(1 << letter for letter in letters)


_WORDS = _ascii(letter for letter in range(128) if chr(letter).isalnum() or letter == ord("_"))
_DIGITS = _ascii(b"0123456789")
_SPACES = _ascii(b" \t\n\r\f\v")
_SEPARATORS = _ascii(range(0x1C, 0x20))
_FOLDING = _ascii(b"iksIKS")
"""ASCII letters that letters beyond ASCII are folded to."""


class _Unsafe(Exception):
    """The pattern is not known to be safe."""


@dataclass(slots=True)
class _State:
    """A state of the automaton: it takes a letter of a set and goes on, or goes on without one.

    Attributes
    ----------
    letters : int
        The set that it takes; 0 for none.
    after : int
        Where it goes on then.
    free : list of int
        Where it can go on without a letter.
    asserts : bool
        Whether going on without a letter depends on what stands there.
    """

    letters: int = 0
    after: int = -1
    free: list[int] = field(default_factory=list)
    asserts: bool = False


@dataclass(slots=True)
class _Automaton:
    """A pattern as states; the state 0 is its end."""

    is_text: bool
    states: list[_State] = field(default_factory=lambda: [_State()])
    folded: int = 0
    wide: int = 0

    def add(self, *free: int, letters: int = 0, after: int = -1, asserts: bool = False) -> int:
        if len(self.states) >= _STATES:
            raise _Unsafe
        self.states.append(_State(letters, after, list(free), asserts))
        return len(self.states) - 1

    def sequence(self, items: Any, after: int, flags: int) -> int:
        """Return the state from which `items` lead to the state `after`."""
        for op, argument in reversed(list(items)):
            after = self.item(str(op), argument, after, flags)
        return after

    def item(self, op: str, argument: Any, after: int, flags: int) -> int:
        match op:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                letters = self.letters(op, argument, flags)
                return self.add(letters=letters, after=after)
            case "BRANCH":
                return self.add(*(self.sequence(branch, after, flags) for branch in argument[1]))
            case "SUBPATTERN":
                _, added, taken, items = argument
                return self.sequence(items, after, (flags | added) & ~taken)
            case "ATOMIC_GROUP":
                return self.sequence(argument, after, flags)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, items = argument
                return self.repeat(least, most, items, after, flags)
            case "AT":
                return self.add(after, asserts=True)
            case "ASSERT" | "ASSERT_NOT":
                # What it looks at is a way of its own, which ends nowhere.
                return self.add(self.sequence(argument[1], self.add(), flags), after, asserts=True)
            case "FAILURE":
                return self.add()
        raise _Unsafe  # references back, and what a newer Python has

    def repeat(self, least: int, most: Any, items: Any, after: int, flags: int) -> int:
        if most == 0:
            return after
        if most == 1:
            body = self.sequence(items, after, flags)
            return body if least else self.add(body, after)
        if items.getwidth()[0] == 0:
            raise _Unsafe  # what takes no letter is matched as often as it says, or in as many ways
        single = all(str(op) in ("LITERAL", "NOT_LITERAL", "ANY", "IN") for op, _ in items)
        if least == most and single and least * len(items) <= 100:
            for _ in range(int(least)):
                after = self.sequence(items, after, flags)
            return after
        # Where more than one round is asked for, the end of a round need not be the end.
        loop = self.add(after, asserts=least > 1)
        body = self.sequence(items, loop, flags)
        self.states[loop].free.insert(0, body)
        return body if least else loop

    def letters(self, op: str, argument: Any, flags: int) -> int:
        """Return the letters that may be taken."""
        if op == "ANY":
            return _ALL
        items = argument if op == "IN" else [(op.removeprefix("NOT_"), argument)]
        may = must = 0
        widest = 0
        for kind, value in items:
            if str(kind) == "NEGATE":
                continue
            some, all_ = self.part(str(kind), value, flags)
            may, must = may | some, must | all_
            if str(kind) in ("LITERAL", "RANGE"):
                low, high = value if str(kind) == "RANGE" else (value, value)
                self.folded += (high - low + 1) * bool(flags & re.I)
                widest = max(widest, high)
        self.wide += widest > 255 and op == "IN"
        if self.folded > _FOLDED or self.wide > _WIDE:
            raise _Unsafe
        if flags & re.I:
            may = _with_cases(may)
        return _ALL & ~must if op == "NOT_LITERAL" or str(items[0][0]) == "NEGATE" else may

    def part(self, kind: str, value: Any, flags: int) -> tuple[int, int]:
        """Return the letters that a part of a set may have, and those that it has for certain."""
        if kind == "CATEGORY":
            name = str(value).removeprefix("CATEGORY_")
            if flags & re.L:
                return _ALL, 0
            found = _category(name.removeprefix("NOT_"), self.is_text and not flags & re.A)
            return (_ALL & ~found,) * 2 if name.startswith("NOT_") else (found, found)
        low, high = value if kind == "RANGE" else (value, value)
        plain = ((1 << min(high + 1, 128)) - 1) & ~((1 << min(low, 128)) - 1)
        if high < 128:
            return plain, plain
        beyond = _kind(chr(low)) if low == high and self.is_text else _BEYOND
        return plain | beyond, plain | (_BEYOND if low <= 128 and high == 0x10FFFF else 0)


def _category(name: str, is_unicode: bool) -> int:
    if name == "DIGIT":
        return _DIGITS | (_DIGIT if is_unicode else 0)
    if name == "SPACE":
        return _SPACES | (_SEPARATORS | _SPACE if is_unicode else 0)
    if name == "WORD":
        return _WORDS | (_WORD | _DIGIT if is_unicode else 0)
    raise _Unsafe


def _kind(letter: str) -> int:
    if letter.isdecimal():
        return _DIGIT
    if letter.isspace():
        return _SPACE
    return _WORD if letter.isalnum() else _OTHER


def _with_cases(letters: int) -> int:
    """Return letters with all that are the same where case is ignored, and more."""
    upper, lower = ((letters >> ord(first)) & ((1 << 26) - 1) for first in "Aa")
    both = upper | lower
    letters |= both << ord("A") | both << ord("a")
    if letters & _FOLDING or letters & _BEYOND:
        letters |= _WORD | _OTHER
    return letters | _FOLDING if letters & _WORD else letters


@functools.lru_cache(maxsize=1024)
def is_safe(pattern: str | bytes, flags: int = 0, *, whole: bool = False) -> bool:
    """Tell whether a pattern is known to be compiled and matched in sane time.

    Parameters
    ----------
    pattern : str or bytes
        What `re.compile` would be given.
    flags : int
        Flags of `re`.
    whole : bool
        Whether the whole of a text may have to match (`re.fullmatch`). Otherwise a search is done once it can
        end, whatever follows.

    Returns
    -------
    bool
        Whether matching takes time in proportion to a text at most, from each place where it starts.
    """
    if len(pattern) > _LONGEST:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = _parser.parse(pattern, flags & _FLAGS)
        automaton = _Automaton(isinstance(pattern, str))
        start = automaton.sequence(parsed, 0, parsed.state.flags)
        return _is_narrow(automaton.states, start, whole)
    except (_Unsafe, RecursionError):
        return False
    except (re.error, OverflowError, ValueError):
        return True  # it is no pattern: compiling it fails as soon


def _closure(states: list[_State], start: int) -> tuple[dict[int, int], bool]:
    """Return the states with letters that `start` leads to without one, each with the number of ways.

    And whether the end is reached so, whatever stands there.
    """
    found: dict[int, int] = {}
    ends = False
    # Each way to a state, and whether nothing on it was asserted. Without a letter no way leads in a circle.
    stack = [(start, True)]
    for _ in range(_STEPS):
        if not stack:
            return found, ends
        number, is_free = stack.pop()
        state = states[number]
        if state.letters:
            found[number] = found.get(number, 0) + 1
        ends = ends or (number == 0 and is_free)
        stack += [(to, is_free and not state.asserts) for to in state.free]
    raise _Unsafe


def _is_narrow(states: list[_State], start: int, whole: bool) -> bool:
    """Tell whether few ways are open at once, whatever the text."""
    places = {state.after for state in states if state.letters} | {start}
    closures = {place: _closure(states, place) for place in places}
    # From these there is no way that fails: whatever comes, the pattern has matched.
    done = set() if whole else {place for place, (_, ends) in closures.items() if ends}
    while True:
        failing = {p for p in done if any(states[to].after not in done for to in closures[p][0])}
        if not failing:
            break
        done -= failing
    # Letters that all states treat alike need be looked at once.
    sets = {state.letters for state in states if state.letters}
    letters = {tuple(bool(one >> bit & 1) for one in sets): bit for bit in range(132)}.values()
    first: tuple[tuple[int, int], ...] = ((start, 1),)
    seen, left, steps = {first}, [first], 0
    while left:
        open_ = left.pop()
        for letter in letters:
            ways: dict[int, int] = {}
            for place, count in open_:
                steps += 1 + len(closures[place][0])
                for number, more in closures[place][0].items():
                    state = states[number]
                    if state.letters >> letter & 1 and state.after not in done:
                        ways[state.after] = ways.get(state.after, 0) + count * more
            after = tuple(sorted(ways.items()))
            if sum(ways.values()) > _OPEN or steps > _STEPS or len(seen) > _SETS:
                return False
            if after not in seen:
                seen.add(after)
                left.append(after)
    return True
