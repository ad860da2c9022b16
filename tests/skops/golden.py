"""The files that releases of skops wrote. See ``tests/golden/skops/make.py``."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from tests.golden.skops.measure import content

FOLDER = Path(__file__).parents[1] / "golden/skops"
RELEASES = sorted(
    (path.name.removesuffix(".tar.xz") for path in FOLDER.glob("*.tar.xz")),
    key=lambda name: [int(part) for part in name.split(".")],
)


@functools.lru_cache(maxsize=1)
def of(release: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what a release says of its files, and the files by kind."""
    return content(FOLDER / f"{release}.tar.xz")
