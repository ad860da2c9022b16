"""Releases of scikit-learn as numbers that can be compared. What a file claims is read, never trusted."""

from __future__ import annotations

import re
from typing import NamedTuple

_RELEASE = re.compile(
    r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?((?:\.?(?:dev|a|b|rc|post)\d*)*)(?:\+[\w.]+)?", re.ASCII
)


class Release(NamedTuple):
    """A release: major, minor and patch."""

    major: int
    minor: int
    patch: int = 0

    @property
    def line(self) -> str:
        """Major and minor, as they are written."""
        return f"{self.major}.{self.minor}"


def release_of(written: str | None) -> Release | None:
    """Return the release that a text names; None where it names none, or one that was never final."""
    found = _RELEASE.fullmatch(written) if written is not None and len(written) < 50 else None
    if found is None or (found[4] and "post" not in found[4]):
        return None
    return Release(int(found[1]), int(found[2]), int(found[3] or 0))


def before(release: Release, other: str) -> bool:
    """Tell whether a release is older than all of a line such as ``"1.3"``, or than a patch of one."""
    parts = tuple(map(int, other.split(".")))
    return release[: len(parts)] < parts
