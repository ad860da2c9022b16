"""Read files of skops under the installed scikit-learn, and print a table of what came of them.

Usage: ``python -m tests.golden.skops.measure FILE.tar.xz ...``, with files of ``make.py``; with ``--missed``,
also what came of those that skops reads equal and we do not. With ``--beside``, what the installed skops
makes of the same files under the same scikit-learn.
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
BESIDE = ("skops", "Objects", "Equal there", "Equal here", "Equal there alone", "More to approve here")


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


def beside(paths: list[str], tell: bool) -> None:
    """Print a row for each file: what the installed skops reads equal, and what we do."""
    import skops
    from skops import io as sio

    print(f"skops {skops.__version__} under scikit-learn {sklearn.__version__}:\n\n{head(BESIDE)}")
    for path in paths:
        about, files = content(Path(path))
        there, here, more = set(), set(), set()
        for kind, expected in about["kinds"].items():
            untrusted: set[str] = set()
            try:
                untrusted = set(sio.get_untrusted_types(data=files[kind]))
                found = sio.loads(files[kind], trusted=sorted(untrusted))
                is_equal = not kinds.problem(expected["looked"], kind, found)
            except Exception:  # skops and the libraries raise whatever comes for what they do not read
                is_equal = False
            holds, _ = came_of(files[kind], kind, {**expected, "untrusted": untrusted})
            if is_equal:
                there.add(kind)
                more |= set() if "no more" in holds else {kind}
            if "equal" in holds:
                here.add(kind)
        counts = len(about["kinds"]), len(there), len(here), len(there - here), len(more)
        print(f"| {about['versions']['skops']} | {' | '.join(map(str, counts))} |", flush=True)
        for kind in sorted((there - here) | more) if tell else ():
            print(kind)


def head(columns: tuple[str, ...]) -> str:
    """Return the two lines above the rows of a table."""
    return f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|"


def main(paths: list[str], tell: bool) -> None:
    """Print a row for each file."""
    print(f"Under scikit-learn {sklearn.__version__}:\n\n{head(COLUMNS)}")
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
    table = beside if "--beside" in sys.argv else main
    table([name for name in sys.argv[1:] if not name.startswith("--")], "--missed" in sys.argv)
