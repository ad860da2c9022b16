"""Rows of bits must say of each character what a loop over the text would."""

from __future__ import annotations

import random
import re
from functools import partial

import numpy as np
import pytest

pytest.importorskip("lightgbm")

from skopsafe.handlers.lightgbm import bits


def kinds(text: bytes, *chars: bytes) -> list[bits.Words]:
    def is_one_of(these: bytes, piece: bits.Array, out: bits.Array) -> None:
        out[:] = np.isin(piece, np.frombuffer(these, np.uint8))

    return bits.find(np.frombuffer(text, np.uint8), [partial(is_one_of, these) for these in chars])


@pytest.mark.parametrize("at_once", [64, 192, 2**18])
def test_bits_are_those_of_the_characters(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bits, "_AT_ONCE", at_once)
    rng = random.Random(0)
    for size in [*range(1, 140), 1000]:
        text = bytes(rng.choices(b"aab-", k=size))
        those, dashes, others = kinds(text, b"a", b"-")
        for found, char in ((those, b"a"), (dashes, b"-"), (others, b"b")):
            places = [match.start() for match in re.finditer(char, text)]
            assert bits.places(found).tolist() == places
            assert bits.count(found) == len(places)
            assert bits.places(bits.after(found)[: len(found)]).tolist() == [
                place + 1 for place in places if place + 1 < 64 * len(found)
            ]
            for steps in (1, 2, 8, 16, 63):
                expected = [place - steps for place in places if place >= steps]
                assert bits.places(bits.before(found, steps)).tolist() == expected


@pytest.mark.parametrize("numpy_counts", [True, False])
def test_ranks_count_what_is_in_front(numpy_counts: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bits, "_NUMPY_COUNTS", numpy_counts and hasattr(np, "bitwise_count"))
    rng = random.Random(1)
    for share in (b"ab", b"a", b"b", b"abbbbbbb"):
        text = bytes(rng.choices(share, k=1000))
        found, _ = kinds(text, b"a")
        ranks = bits.ranks(found, np.arange(len(text)))
        assert ranks.tolist() == [text[:place].count(b"a") for place in range(len(text))]
        assert bits.count(found) == text.count(b"a")


def test_the_bit_behind_a_run_is_found_across_words() -> None:
    for place in range(1, 130):
        for size in range(1, 64, 3):
            text = b"-" * place + b"a" * size + b"-aa-" + b"-" * 70
            runs, _ = kinds(text, b"a")
            starts, _ = kinds(text[: place - 1] + b"x" + text[place:], b"x")
            behind = bits.behind_runs(runs, bits.after(starts))
            assert bits.places(behind).tolist() == [place + size, place + size + 1, place + size + 2]
