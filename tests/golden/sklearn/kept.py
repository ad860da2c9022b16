"""Writes the table of what is known to keep predictions: ``python -m tests.golden.sklearn.kept``.

Run it under each release that reads, after changes of migrations or of the archives. It adds the line of the
installed release, and leaves those of others as they are.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import skopsafe
from skopsafe import api
from skopsafe.migrate import kept
from skopsafe.migrate.releases import Release, release_of
from skopsafe.skew import installed
from tests.golden.sklearn.compare import EQUAL, FOLDER, converted, outcome, releases, stored

TABLE = Path(kept.__file__).with_name("kept.json")


def line(release: str | None) -> Release:
    """Return a release as numbers."""
    found = release_of(release)
    assert found is not None, release
    return found


def names_of(content: bytes) -> set[str]:
    """Return all types of a pickle, as the release that wrote it calls them."""
    with api.described(io.BytesIO(converted(content))) as document:
        return {row.name for row in document.types}


def measured(release: str, folder: Path = FOLDER) -> set[str]:
    """Return all types that stand in models of a release whose outputs are equal under the installed one."""
    return {
        name
        for model in stored(release, folder)
        if outcome(model).outcome == EQUAL
        for name in names_of(model.content)
        if not kept.is_whatever(name)
    }


def grouped(found: dict[str, set[str]]) -> dict[str, list[str]]:
    """Return names by all lines that wrote them."""
    out: dict[str, list[str]] = {}
    for name in sorted(set().union(*found.values())):
        out.setdefault(" ".join(old for old in found if name in found[old]), []).append(name)
    return out


def main() -> None:
    """Measure, and write the table anew."""
    present = line(installed())
    old = [release for release in releases() if line(release)[:2] < present[:2]]
    table = json.loads(TABLE.read_text("utf-8"))
    table[present.line] = grouped({line(release).line: measured(release) for release in old})
    lines = sorted(table, key=line)
    TABLE.write_text(json.dumps({new: table[new] for new in lines}, indent=1) + "\n", "utf-8")
    print(f"{TABLE} has {len(table)} lines; skopsafe {skopsafe.__version__}")


if __name__ == "__main__":
    main()
