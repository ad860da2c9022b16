"""Numbers in a model text: exactly the forms that LightGBM writes, so that nobody can read them otherwise.

Integers come from ``{fmt}``'s ``{}``, floats from ``{:g}``, ``{:.17g}`` and C++ streams of up to 17 digits
(``include/LightGBM/utils/common.h``). The lines of many trees are looked at as one array. All that is no
digit in a number stands below "0" in ASCII, as blanks and ends of lines do, but for an "e" in front of a
sign, and "inf" and "nan". So there are marks, with nothing but digits between them, and letters to count.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np

from skopsafe.handlers.checks import require

Array = np.ndarray[Any, np.dtype[Any]]

INTEGER = rb"(?:0|-?[1-9]\d{0,9})"
FLOAT = rb"-?+(?:(?:0|[1-9]\d{0,16}+)(?:\.\d{1,21}+)?+(?:e[+-]\d{2,3}+)?+|inf|nan)"

ODD = re.compile(rb"inf|nan|e[+-]3\d\d")
"""Where LightGBM, after it has read its text, may write another one: what it drops, or rounds, in reading."""

_FLOATS = re.compile(FLOAT + rb"(?: " + FLOAT + rb")*+")
_INTEGERS = re.compile(INTEGER + rb"(?: " + INTEGER + rb")*+")
_WORD = re.compile(rb"(?<=[ =])-?+(?:inf|nan)(?=[ \n])")

_END, _BLANK, _PLUS, _MINUS, _POINT, _ZERO, _THREE, _NINE, _E = b"\n +-.039e"
_LONGEST, _LONGEST_FRACTION = 17, 21  # digits
_MOST_DIGITS, _SURE = 10, 9  # of an integer, and of one that is below 2**31 whatever it is
_LEAST, _LEAST_TEXT = sys.float_info.min, b"2.2250738585072014e-308"
_DIGIT = re.compile(rb"[1-9]")
NOT_SO = "is not written as LightGBM writes numbers"


class Numbers:
    """The numbers of lines ``key=number number ...``.

    Parameters
    ----------
    text : array of uint8
        The end of the line before, and the lines.

    Attributes
    ----------
    starts : array of int
        Places in `text` where lines begin.
    counts : array of int
        How many numbers each line has, once the form is checked.
    is_odd : bool
        Whether `ODD` is found in the numbers, once the form is checked.
    """

    def __init__(self, text: Array) -> None:
        self._text = text
        is_such = text < _ZERO
        self._marks = np.flatnonzero(is_such)
        self._kinds = text[self._marks]
        self._next = text[1:][self._marks[:-1]]  # what stands behind each mark
        low = self._marks.astype(np.uint8)
        # Steps from each mark to the next, modulo 256, without a key.
        self._gaps = low[1:] - low[:-1]
        self._are_near = self._gaps.sum(dtype=np.int64) == self._marks[-1] - self._marks[0]
        self._letters = int(np.count_nonzero(np.greater(text, _NINE, out=is_such)))
        # The marks of line i are behind that of number ends[i], up to that of number ends[i + 1].
        self._ends = np.flatnonzero(self._kinds == _END)
        self.starts = self._marks[self._ends[:-1]] + 1
        self._words = 0
        self.is_odd = False
        self.counts = self._ends[:0]

    def take_keys(self, lines: Array, lengths: Array) -> None:
        """Leave the keys of lines out, each with its equals sign."""
        marks = self._ends[lines]
        self._gaps[marks] -= lengths.astype(np.uint8)
        self._next[marks] = self._text[self.starts[lines] + lengths]
        self._letters -= int(lengths.sum())

    def are_well_formed(self) -> bool:
        """Tell whether all that stands behind the keys are numbers as LightGBM writes them, and blanks."""
        before, after, gaps = self._kinds[:-1], self._kinds[1:], self._gaps
        is_near, is_point, ends_one = gaps == 1, after == _POINT, after <= _BLANK
        is_minus = is_near & (after == _MINUS)
        in_fraction, is_long = before == _POINT, gaps > _LONGEST + 1
        exponents = np.flatnonzero(~(is_near | is_point | ends_one))
        starts_with_zero = (self._next == _ZERO) & (gaps > 2) & ~in_fraction
        fits = (
            self._are_near
            # blanks and ends of lines
            and np.count_nonzero(after == _BLANK) + len(self.starts) == np.count_nonzero(ends_one)
            # nothing to the left is a minus in front of a number, or a line without one
            and np.count_nonzero(is_near) == np.count_nonzero(is_minus) + np.count_nonzero(self._are_empty())
            and not (is_minus & (before > _BLANK)).any()
            # one point at most
            and not (is_point & in_fraction).any()
            and not (is_long & ~in_fraction).any()
            and gaps.max() <= _LONGEST_FRACTION + 1
        )
        if not fits or not self._end_well(exponents, starts_with_zero):
            return False
        self.counts = self._count()
        return True

    def _end_well(self, exponents: Array, starts_with_zero: Array) -> bool:
        """Look at exponents, each given by the gap in front of its sign, and at letters."""
        kinds, gaps, digits = self._kinds, self._gaps, exponents + 1
        if len(exponents):
            if digits[-1] == len(gaps):
                return False
            sign, length = kinds[digits], gaps[digits]
            fits = (
                ((sign == _PLUS) | (sign == _MINUS)).all()
                and (gaps[exponents] > 2).all()
                and (self._text[self._marks[digits] - 1] == _E).all()
                and ((length == 3) | (length == 4)).all()
                and (kinds[digits + 1] <= _BLANK).all()
            )
            if not fits:
                return False
            starts_with_zero[digits] = False
            starts_with_zero[exponents] &= gaps[exponents] > 3
            self.is_odd = bool(((length == 4) & (self._next[digits] >= _THREE)).any())
        if starts_with_zero.any():
            return False
        others = self._letters - len(exponents)
        self._words = len(_WORD.findall(self._text.tobytes())) if others else 0
        self.is_odd |= bool(others)
        return others == 3 * self._words

    def _are_empty(self) -> Array:
        lone: Array = (np.diff(self._ends) == 1) & (self._gaps[self._ends[:-1]] == 1)
        return lone

    def _count(self) -> Array:
        blanks, kind = self._kinds == _BLANK, np.uint8 if np.diff(self._ends).max() < 256 else np.int64
        found = np.add.reduceat(blanks.astype(kind, copy=False), self._ends[:-1], dtype=kind)
        counts: Array = found.astype(np.int64) + ~self._are_empty()
        return counts

    def are_counts(self, lines: Array) -> bool:
        """Tell whether lines hold integers from 0 up alone, which are below 2**31 by their digits."""
        have_other_marks = np.diff(self._ends)[lines] > np.maximum(self.counts[lines], 1)
        longest = np.maximum.reduceat(self._gaps, self._ends[:-1])[lines]
        return not (self._words or have_other_marks.any()) and bool(longest.max() <= _SURE + 1)

    def integers(self, lines: Array) -> Array | None:
        """Return the numbers of lines, or None if there are others than integers."""
        gaps = self._gaps_of(lines)
        lengths = self._gaps[gaps]
        are_numbers = lengths > 1
        return self._read(gaps[are_numbers], lengths[are_numbers])

    def chosen(self, lines: Array, which: Array) -> Array | None:
        """Return some of the numbers of lines, or None if there are others than integers from 0 up."""
        gaps = self._gaps_of(lines)
        gaps = gaps[self._kinds[gaps + 1] <= _BLANK][which]
        return self._read(gaps, self._gaps[gaps]) if (self._kinds[gaps] <= _BLANK).all() else None

    def _gaps_of(self, lines: Array) -> Array:
        first = self._ends[lines]
        size = self._ends[lines + 1] - first
        gaps: Array = np.repeat(first - np.cumsum(size) + size, size)
        gaps += np.arange(len(gaps))
        return gaps

    def _read(self, gaps: Array, lengths: Array) -> Array | None:
        """Return the integers whose digits stand in the gaps."""
        if not len(gaps):
            return gaps
        if lengths.max() > _MOST_DIGITS + 1 or (self._kinds[gaps + 1] > _BLANK).any():
            return None
        digits = self._next[gaps] - _ZERO
        found, largest = digits.astype(np.int64), digits.max()
        rest = np.flatnonzero(lengths > 2)
        place = self._marks[gaps[rest] + 1] - lengths[rest] + 2
        lengths = lengths[rest]
        for length in range(3, _MOST_DIGITS + 2):
            if not len(rest):
                break
            digits = self._text[place] - _ZERO
            largest = max(largest, digits.max())
            found[rest] = found[rest] * 10 + digits
            more = lengths > length
            rest, place, lengths = rest[more], place[more] + 1, lengths[more]
        negative = np.flatnonzero(self._kinds[gaps] == _MINUS)
        if largest > 9 or not found[negative].all():
            return None
        found[negative] *= -1
        return found


def doubles(text: bytes, count: int, where: str) -> None:
    """Require so many floats with blanks between them, which a double can hold.

    LightGBM reads them by ``std::stod``. What that throws, where no double is near, ends the process.
    """
    _require(_FLOATS, text, count, where)
    for number in text.split():
        size = abs(float(number))
        # Other texts are rounded to the least number too, and are then out of range for C++.
        fits = _LEAST < size < np.inf or number.endswith((_LEAST_TEXT, b"inf", b"nan"))
        if not fits and _DIGIT.search(number.partition(b"e")[0]):
            require(False, f"{number.decode()} is no double of full precision", where)


def integers(text: bytes, count: int, where: str, high: int = 2**31 - 1) -> list[int]:
    """Return so many integers of ``0 <= number <= high`` with blanks between them."""
    _require(_INTEGERS, text, count, where)
    found = [int(number) for number in text.split()]
    require(all(0 <= number <= high for number in found), f"holds numbers outside [0, {high}]", where)
    return found


def _require(pattern: re.Pattern[bytes], text: bytes, count: int, where: str) -> None:
    require(pattern.fullmatch(text) if text else not count, NOT_SO, where)
    found = text.count(b" ") + 1 if text else 0
    require(found == count, f"{found} numbers instead of {count}", where)


def require_floats(line: bytes, where: str) -> None:
    """Require floats, as many as there may be, or nothing."""
    require(not line or _FLOATS.fullmatch(line), NOT_SO, where)
