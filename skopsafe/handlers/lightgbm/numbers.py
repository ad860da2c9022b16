"""Numbers in a model text: exactly the forms that LightGBM writes, so that nobody can read them otherwise.

Integers come from ``{fmt}``'s ``{}``, floats from ``{:g}``, ``{:.17g}`` and C++ streams of up to 17 digits
(``include/LightGBM/utils/common.h``). The lines of many trees are looked at as one array. All that is no
digit in a number stands below "0" in ASCII, as blanks and ends of lines do, but for an "e" in front of a
sign, and "inf" and "nan". So there are marks, with nothing but digits between them, and letters to count.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from skopsafe.handlers.checks import require

Array = np.ndarray[Any, np.dtype[Any]]

INTEGER = rb"(?:0|-?[1-9]\d{0,9})"
FLOAT = rb"-?+(?:(?:0|[1-9]\d{0,16}+)(?:\.\d{1,21}+)?+(?:e[+-]\d{2,3}+)?+|inf|nan)"

_FLOATS = re.compile(FLOAT + rb"(?: " + FLOAT + rb")*+")
_INTEGERS = re.compile(INTEGER + rb"(?: " + INTEGER + rb")*+")
_WORD = re.compile(rb"(?<=[ =])-?+(?:inf|nan)(?=[ \n])")

_END, _BLANK, _PLUS, _MINUS, _POINT, _ZERO, _THREE, _NINE, _E = b"\n +-.039e"
_LONGEST, _LONGEST_FRACTION = 17, 21  # digits
_NOT_SO = "is not written as LightGBM writes numbers"


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
    is_odd : bool
        Whether there are infinities, NaN or numbers near the ends of the range, once the form is checked.
    """

    def __init__(self, text: Array) -> None:
        self._text = text
        self._marks = np.flatnonzero(text < _ZERO)
        self._kinds = text[self._marks]
        self._next = text[1:][self._marks[:-1]]  # what stands behind each mark
        low = self._marks.astype(np.uint8)
        # Steps from each mark to the next, modulo 256, without a key.
        self._gaps = low[1:] - low[:-1]
        self._are_near = self._gaps.sum(dtype=np.int64) == self._marks[-1] - self._marks[0]
        self._letters = int(np.count_nonzero(text > _NINE))
        # The marks of line i are behind that of number ends[i], up to that of number ends[i + 1].
        self._ends = np.flatnonzero(self._kinds == _END)
        self.starts = self._marks[self._ends[:-1]] + 1
        self.is_odd = False

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
        return bool(fits) and self._end_well(exponents, starts_with_zero)

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
            self.is_odd = bool(((length == 4) & (self._next[digits] >= _THREE)).any())
        if starts_with_zero.any():
            return False
        others = self._letters - len(exponents)
        if others:
            self.is_odd = True
            return others == 3 * len(_WORD.findall(self._text.tobytes()))
        return True

    def _are_empty(self) -> Array:
        lone: Array = (np.diff(self._ends) == 1) & (self._gaps[self._ends[:-1]] == 1)
        return lone

    def counts(self) -> Array:
        """Return how many numbers each line has."""
        blanks, kind = self._kinds == _BLANK, np.uint8 if np.diff(self._ends).max() < 256 else np.int64
        found = np.add.reduceat(blanks.astype(kind, copy=False), self._ends[:-1], dtype=kind)
        counts: Array = found.astype(np.int64) + ~self._are_empty()
        return counts

    def integers(self, lines: Array, where: str, low: int = -(2**31), high: int = 2**31 - 1) -> Array:
        """Return the numbers of lines, all of which are integers of ``low <= number <= high``."""
        gaps = self._gaps_of(lines)
        return self._read(gaps[self._gaps[gaps] > 1], where, low, high)

    def whole(self, lines: Array, which: Array, where: str) -> Array:
        """Return some of the numbers of lines, which are integers and not negative."""
        gaps = self._gaps_of(lines)
        last = gaps[self._kinds[gaps + 1] <= _BLANK][which]
        require((self._kinds[last] <= _BLANK).all(), "holds other numbers than integers", where)
        return self._read(last, where, 0, 2**31 - 1)

    def _gaps_of(self, lines: Array) -> Array:
        first = self._ends[lines]
        size = self._ends[lines + 1] - first
        ends = np.cumsum(size)
        return np.repeat(first - ends + size, size) + np.arange(ends[-1] if len(ends) else 0)

    def _read(self, gaps: Array, where: str, low: int, high: int) -> Array:
        """Return the integers whose digits stand in the gaps."""
        digits, last = self._gaps[gaps] - 1, self._marks[gaps + 1] - 1
        fits = (self._kinds[gaps + 1] <= _BLANK).all() and (not len(gaps) or digits.max() <= 10)
        require(fits, _NOT_SO, where)
        found = np.zeros(len(gaps), np.int64)
        rest = np.arange(len(gaps))
        for place in range(10):
            rest = rest[digits[rest] > place] if place else rest
            if not len(rest):
                break
            digit = self._text[last[rest] - place] - _ZERO
            require(digit.max() <= 9, _NOT_SO, where)
            found[rest] += digit * np.int64(10**place)
        is_negative = self._kinds[gaps] == _MINUS
        require(found[is_negative].all(), _NOT_SO, where)
        np.negative(found, out=found, where=is_negative)
        require(
            not len(found) or (low <= found.min() and found.max() <= high),
            f"holds numbers outside [{low}, {high}]",
            where,
        )
        return found


def floats(text: bytes, count: int, where: str) -> None:
    """Require so many floats with blanks between them."""
    _require(_FLOATS, text, count, where)


def integers(text: bytes, count: int, where: str, high: int = 2**31 - 1) -> list[int]:
    """Return so many integers of ``0 <= number <= high`` with blanks between them."""
    _require(_INTEGERS, text, count, where)
    found = [int(number) for number in text.split()]
    require(all(0 <= number <= high for number in found), f"holds numbers outside [0, {high}]", where)
    return found


def _require(pattern: re.Pattern[bytes], text: bytes, count: int, where: str) -> None:
    require(pattern.fullmatch(text) if text else not count, _NOT_SO, where)
    found = text.count(b" ") + 1 if text else 0
    require(found == count, f"{found} numbers instead of {count}", where)


def require_floats(line: bytes, where: str) -> None:
    """Require floats, as many as there may be, or nothing."""
    require(not line or _FLOATS.fullmatch(line), _NOT_SO, where)
