"""The verdicts on an operation or a file, from best to worst, and the findings that lead to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

Level = Literal["safe", "unknown", "suspicious", "malicious"]

LEVELS: tuple[Level, ...] = ("safe", "unknown", "suspicious", "malicious")
"""From best to worst: reviewed; not reviewed; what no library writes; what attacks are made of."""

_RANKS = {level: number for number, level in enumerate(LEVELS)}


class Finding(msgspec.Struct, frozen=True):
    """What a rule says of an operation.

    Attributes
    ----------
    level : str
        See `LEVELS`.
    rule : str
        The name of the rule.
    reason : str
        Why, in words that are shown; those of the file are escaped.
    """

    level: Level
    rule: str
    reason: str


def rank(level: Level) -> int:
    """Return how bad a verdict is, from 0 on."""
    return _RANKS[level]


def worst(findings: Iterable[Finding], otherwise: Finding) -> Finding:
    """Return the worst of some findings, the first of several, or what there is `otherwise`."""
    return max((otherwise, *findings), key=lambda finding: rank(finding.level))


def worst_level(levels: Iterable[Level]) -> Level:
    """Return the worst of some verdicts; of none, ``safe``."""
    return max(set(levels), key=rank, default="safe")
