"""Read files of skops under the installed scikit-learn, and print a table of what came of them.

Usage: ``python -m tests.golden.skops.measure FILE.tar.xz ...``, with files of ``make.py``; with ``--missed``,
also what came of those that skops reads equal and we do not.
"""

from __future__ import annotations

import json
import sys
import tarfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import sklearn

import skopsafe
from tests.golden.skops import kinds

COLUMNS = (
    *("skops", "scikit-learn", "Objects", "skops reads equal"),
    *("Read here", "No more to approve", "Equal here", "Refused"),
)
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def content(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what a file of ``make.py`` says, and the files of skops in it by kind."""
    with tarfile.open(path) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    return json.loads(found.pop("expected.json")), {
        name.removesuffix(".skops"): data for name, data in found.items()
    }


def came_of(data: bytes, kind: str, expected: dict[str, Any]) -> tuple[set[str], str]:
    """Return what holds for a file: ``read``, ``no more``, ``equal``, ``refused``; and what is wrong."""
    try:
        audit = skopsafe.audit(data)
    except skopsafe.SkopsafeError as error:
        return set(), str(error)
    found = {"read"}
    if {name.replace(":", ".") for name in audit.untrusted} <= set(expected["untrusted"] or ()):
        found.add("no more")
    try:
        problem = kinds.problem(expected["looked"], kind, skopsafe.loads(data, trusted=audit.untrusted))
    except skopsafe.MigrationError as error:
        return found | {"refused"}, str(error)
    except skopsafe.SkopsafeError as error:
        return found, str(error)
    return (found, problem) if problem else (found | {"equal"}, "")


def main(paths: list[str], tell: bool) -> None:
    """Print a row for each file."""
    print(f"Under scikit-learn {sklearn.__version__}:\n\n{HEAD}")
    for path in paths:
        about, files = content(Path(path))
        counts: Counter[str] = Counter()
        missed = []
        for kind, expected in about["kinds"].items():
            holds, problem = came_of(files[kind], kind, expected)
            by_skops = not expected["skops"]
            # Equal counts where skops reads it equal, too: the two numbers can be compared.
            counts.update(holds if by_skops else holds - {"equal"})
            counts["by skops"] += by_skops
            if by_skops and "equal" not in holds:
                missed.append(f"{kind}: {problem[:150]}")
        versions = about["versions"]
        numbers = [counts[name] for name in ("by skops", "read", "no more", "equal", "refused")]
        cells = [versions["skops"], versions["sklearn"], len(about["kinds"]), *numbers]
        print(f"| {' | '.join(map(str, cells))} |")
        if tell:
            print(*missed, sep="\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main([name for name in sys.argv[1:] if name != "--missed"], "--missed" in sys.argv)
