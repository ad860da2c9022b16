"""How far inputs got: a fuzzer whose inputs all die at a checksum shows nothing."""

from __future__ import annotations

from collections import Counter

reached: Counter[str] = Counter()
"""How many inputs passed each stage."""


def require_printable(text: object) -> None:
    """Require that a text has no control character but the ends of its lines."""
    assert all(map(str.isprintable, str(text).split("\n"))), repr(text)


def reach(stage: str) -> None:
    """Count an input that passed a stage."""
    reached[stage] += 1
