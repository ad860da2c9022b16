"""Writes the corpus into a folder: ``malicious/`` and ``benign/``. Nothing is loaded."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.corpus.benign import samples
from tests.corpus.malicious import MALICIOUS


def write(folder: Path, every: int = 1) -> tuple[int, int]:
    """Write all samples, and return how many malicious and benign ones there are."""
    marker = str(folder / "no-such-folder" / "marker")
    count = 0
    for kind in ("malicious", "benign"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for sample in MALICIOUS:
        (folder / "malicious" / f"{sample.name}.pkl").write_bytes(sample.make(marker))
    for name, content in samples(every):
        (folder / "benign" / name).write_bytes(content)
        count += 1
    return len(MALICIOUS), count


if __name__ == "__main__":
    bad, good = write(Path(sys.argv[1]))
    sys.stdout.write(f"{bad} malicious, {good} benign\n")
