"""Numbers in a model text: exactly the forms that LightGBM writes, so that nobody can read them otherwise.

Integers come from ``{fmt}``'s ``{}``, floats from ``{:g}``, ``{:.17g}`` and C++ streams of up to 17 digits
(``include/LightGBM/utils/common.h``). The lines of many trees are looked at together: each kind of character
is a row of bits, and what must not stand beside what is a few steps for all of them (`bits`).
"""

from __future__ import annotations

import re
import sys
from functools import partial

import numpy as np

from skopsafe.handlers.checks import require
from skopsafe.handlers.lightgbm import bits
from skopsafe.handlers.lightgbm.bits import Array, Words

INTEGER = rb"(?:0|-?[1-9]\d{0,9})"
FLOAT = rb"-?+(?:(?:0|[1-9]\d{0,16}+)(?:\.\d{1,21}+)?+(?:e[+-]\d{2,3}+)?+|inf|nan)"

ODD = re.compile(rb"inf|nan|e[+-]3\d\d")
"""Where LightGBM, after it has read its text, may write another one: what it drops, or rounds, in reading."""

_FLOATS = re.compile(FLOAT + rb"(?: " + FLOAT + rb")*+")
_INTEGERS = re.compile(INTEGER + rb"(?: " + INTEGER + rb")*+")
_WORD = re.compile(rb"(?<=[ =])-?+(?:inf|nan)(?=[ \n])")
_LETTERS_TO_DIGITS = bytes.maketrans(b"infa", b"1111")

_END, _BLANK, _PLUS, _MINUS, _POINT, _ZERO, _THREE, _E = b"\n +-.03e"
_MOST_DIGITS = 10  # of an integer
_LEAST, _LEAST_TEXT = sys.float_info.min, b"2.2250738585072014e-308"
_DIGIT = re.compile(rb"[1-9]")
NOT_SO = "is not written as LightGBM writes numbers"


def _are_digits(text: Array, out: Array | None = None) -> Array:
    found: Array = np.less_equal(text - _ZERO, 9, out=out)
    return found


def _are(char: int, text: Array, out: Array) -> None:
    np.equal(text, char, out=out)


_KINDS: list[bits.Kind] = [
    _are_digits,
    *(partial(_are, char) for char in (_ZERO, _END, _BLANK, _MINUS, _POINT)),
]
_DIGITS, _ENDS, _BLANKS = 0, 2, 3  # their places there


class Numbers:
    """The numbers of lines ``key=number number ...``.

    Parameters
    ----------
    text : bytes
        What the lines stand in.
    start : int
        Where the end of the line before them is.
    size : int
        How many bytes they have together with that; all that there are if not given.

    Attributes
    ----------
    starts : array of int
        Places behind `start` where lines begin.
    counts : array of int
        How many numbers each line has, once the form is checked.
    is_odd : bool
        Whether `ODD` is found in the numbers, once the form is checked.
    """

    def __init__(self, text: bytes, start: int = 0, size: int = -1) -> None:
        self._whole, self._start = text, start
        self._text = np.frombuffer(text, np.uint8, size, start)
        self._bits = bits.find(self._text, _KINDS)
        self._ends = bits.places(self._bits[_ENDS])
        self.starts, self._stops = self._ends[:-1] + 1, self._ends[1:]
        self._values = self.starts.copy()
        self._tens = self._bits[_DIGITS]
        self.is_odd = False
        self.counts = self.starts[:0]

    def take_keys(self, lines: Array, lengths: Array) -> None:
        """Leave the keys of lines out, each with its equals sign."""
        self._values[lines] += lengths

    def are_well_formed(self) -> bool:
        """Tell whether all that stands behind the keys are numbers as LightGBM writes them, and blanks."""
        if self._fit(self._text, self._bits):
            return True
        # The only letters of numbers, but for an "e", are these two words.
        plain, words = _WORD.subn(lambda word: word[0].translate(_LETTERS_TO_DIGITS), self._text.tobytes())
        self.is_odd = True
        text = np.frombuffer(plain, np.uint8)
        return words > 0 and self._fit(text, bits.find(text, _KINDS))

    def _fit(self, text: Array, kinds: list[Words]) -> bool:
        """Look at what stands beside each character, and count the numbers of each line."""
        values = text[self._values]
        are_empty = values == _END
        if not (are_empty | (values == _MINUS) | _are_digits(values)).all():
            return False
        digits, zeros, ends, blanks, minuses, points, others = kinds
        # No value begins with one of the others, so that a run of them at the start of a line is a key alone.
        keys = others & ~bits.behind_runs(others, bits.after(ends))
        letters = others & ~keys
        white = blanks | ends | keys
        firsts = bits.after(white)
        # blanks that are not between two numbers
        wrong = (white & bits.after(blanks)) | (blanks & firsts)
        signs = minuses & firsts
        behind = bits.after(signs)
        firsts |= behind
        fractions = bits.after(points)
        behind |= fractions
        wrong |= behind & ~digits  # a sign or a point without digits behind it
        # a point without digits in front of it, or behind another, with digits between them
        wrong |= points & (~bits.after(digits) | bits.behind_runs(digits, fractions))
        twos = digits & bits.before(digits)
        wrong |= firsts & zeros & twos  # 0 in front of other digits
        self._tens, eighteens = _long_runs(twos)
        # more than 17 digits in front of a point, or 21 behind it
        wrong |= eighteens & (firsts | (fractions & bits.before(eighteens, 4)))
        if wrong.any() or not self._are_exponents(text, letters, minuses & ~signs):
            return False
        ranks = bits.ranks(blanks, self._ends)
        self.counts = ranks[1:] - ranks[:-1] + ~are_empty
        return True

    def _are_exponents(self, text: Array, letters: Words, minuses: Words) -> bool:
        """Tell whether all of these letters and plus signs, and these minus signs, are those of exponents."""
        if not letters.any():
            return not minuses.any()
        places = bits.places(letters)
        are_e = text[places] == _E
        # From the digit in front of an "e" to what stands behind three digits.
        parts = text.take(places[are_e] + np.arange(-1, 6)[:, None], mode="clip")
        have_digit, have_end, signs = _are_digits(parts), parts <= _BLANK, parts[2]
        are_long = have_digit[5]
        plus, minus = np.count_nonzero(signs == _PLUS), np.count_nonzero(signs == _MINUS)
        self.is_odd |= bool((are_long & (parts[3] >= _THREE)).any())
        return bool(
            have_digit[[0, 3, 4]].all()
            and np.where(are_long, have_end[6], have_end[5]).all()
            and plus + minus == parts.shape[1]
            and plus == len(places) - parts.shape[1] == np.count_nonzero(text[places] == _PLUS)
            and minus == bits.count(minuses)
        )

    def are_counts(self, lines: Array) -> bool:
        """Tell whether lines hold integers from 0 up alone, which are below 2**31 by their digits."""
        plain = (self._bits[_DIGITS] | self._bits[_BLANKS]) & ~self._tens
        places = np.array([self._values[lines], self._stops[lines]])
        ranks = bits.ranks(plain, places)
        return bool((ranks[1] - ranks[0] == places[1] - places[0]).all())

    def integers(self, lines: Array) -> Array | None:
        """Return the numbers of lines, or None if there are others than integers."""
        return _integers(self._joined(lines))

    def scalars(self, lines: Array) -> Array | None:
        """Return the numbers of lines of one each, or None if there are others than integers from 0 up."""
        starts, stops = self._values[lines, None], self._stops[lines, None]
        places = stops - np.arange(_MOST_DIGITS, 0, -1)
        digits = self._text.take(places, mode="clip") - _ZERO
        digits[places < starts] = 0
        if (stops - starts).max(initial=0) > _MOST_DIGITS or digits.max(initial=0) > 9:
            return None
        found: Array = digits @ 10 ** np.arange(_MOST_DIGITS - 1, -1, -1)
        return found

    def chosen(self, lines: Array, which: Array) -> Array | None:
        """Return some of the numbers of lines, or None if there are others than integers."""
        numbers = self._joined(lines).split(b" ")
        return _integers(b" ".join([numbers[place] for place in which.tolist()]))

    def _joined(self, lines: Array) -> bytes:
        """Return what stands in lines, with blanks between them."""
        starts, stops = self._values[lines] + self._start, self._stops[lines] + self._start
        text, places = self._whole, zip(starts.tolist(), stops.tolist(), strict=True)
        return b" ".join([text[start:stop] for start, stop in places if start < stop])


def _long_runs(twos: Words) -> tuple[Words, Words]:
    """Return where ten and eighteen digits begin, given where two do."""
    eights = twos & bits.before(twos, 2)
    eights &= bits.before(eights, 4)
    tens = eights & bits.before(twos, 8)
    return tens, tens & bits.before(eights, 10)


def _integers(text: bytes) -> Array | None:
    """Return well-formed numbers with blanks between them, or None if others than integers are among them."""
    found = np.frombuffer(b" " + text + b" " * bool(text), np.uint8)
    are_blanks, are_signs, digits = found == _BLANK, found == _MINUS, found - _ZERO
    are_digits = digits <= 9
    others = len(found) - sum(map(np.count_nonzero, (are_blanks, are_signs, are_digits)))
    if others or (are_signs[:-1] & (digits[1:] == 0)).any():
        return None
    blanks = are_blanks.nonzero()[0]
    ends, are_negative = blanks[1:], are_signs[1:].take(blanks[:-1])
    # No number is as long as a byte counts.
    sizes = (ends - blanks[:-1]).astype(np.uint8) - np.uint8(1) - are_negative
    longest = int(sizes.max(initial=0))
    if longest > _MOST_DIGITS:
        return None
    digits *= are_digits
    pairs = np.zeros_like(digits)  # what the two digits in front of each place say
    pairs[1:] = digits[:-1]
    pairs[2:] += digits[:-2] * np.uint8(10)
    numbers: Array = pairs.take(ends).astype(np.int64)
    for size in range(2, longest, 2):
        those = np.flatnonzero(sizes > size)
        numbers[those] += pairs.take(ends[those] - size).astype(np.int64) * 10**size
    numbers *= 1 - 2 * are_negative.view(np.int8)
    return numbers


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
