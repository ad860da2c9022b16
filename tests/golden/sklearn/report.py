"""Writes ``docs/explanation/migrations.md``: what was measured, and all changes that are known.

``python -m tests.golden.sklearn.report`` measures under the installed release, and leaves the rows of others.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import sklearn

from skopsafe.migrate.migrating import RECORDS
from skopsafe.migrate.records import Refusal
from skopsafe.migrate.releases import Release
from tests.golden.sklearn.compare import DIFFERENT, EQUAL, ERROR, REFUSED, outcome, releases, stored
from tests.golden.sklearn.kept import line
from tests.golden.sklearn.models import UNFITTED

PAGE = Path(__file__).parents[3] / "docs/explanation/migrations.md"

INTRODUCTION = """\
# Models of older scikit-learn

<!-- Made by `python -m tests.golden.sklearn.report`; do not edit. -->

A file of an older scikit-learn is read as a description of objects, changed to what the installed
release would have written, and then audited, approved, validated and built like any other. Each change
is a record with its release, its reason and a link, and a small function of the description. None of it
runs code from the file, and none of it works on live objects, so that it is safe on files that nobody
has approved. The same holds for converted pickles.

Where outputs cannot be kept, there is a refusal in place of a migration: an error that names the change,
and the last release that reads the file. [Load files of another version](../how-to/version-skew.md)
shows what you see.

## What was measured

All estimators of each release, with their defaults and in variants that differ in layout, were fitted
**in that release**, pickled by `pickle`, and asked for all their outputs on data that they had not seen:
`predict`, `predict_proba`, `decision_function`, `transform` and its inverse, `score_samples`,
neighbours, staged predictions, samples, scores, names of features, and more. Each class was pickled once
more without a fit. The pickles are stored with the tests. Each is converted, audited, loaded under the
release that reads, and asked again.

*Equal* is: every output as its own release gave it, to a relative 1e-9, with nothing to approve that a
new file would not ask for, and `repr` and `clone` work. Items near zero are compared with the largest
item of their output, to 1e-12 of it. Of models without a fit, *equal* is that they load, and that `repr`
and `clone` work; they are counted in the last column alone.

"""

AFTER = """\

The types that stand in equal models are in the table of what is known to keep predictions,
`skopsafe/migrate/kept.json`, for each release that reads and each that wrote; it is made by `python -m
tests.golden.sklearn.kept`. `nox -s golden_sklearn` makes the models, and `nox -s kept_sklearn` the table
and this page.

Patches change things, too: 1.3.1 counts votes in AdaBoost otherwise than 1.3.0.
`skopsafe/migrate/kept.py` has the patches of each line that were measured; a file of another patch is
loaded with a warning.

What the numbers do not say: an estimator with other parameters than those measured, a class of your own,
or one of a library on top of scikit-learn. A `VersionSkewWarning` stays wherever a file holds a type
that was not measured for the release that wrote it, and for neighbours by the distance `yule`: most of its
distances are equal, and which of them are neighbours is up to `numpy.argpartition`.

## What changed, release by release

"""


def measured(release: str) -> tuple[Counter[str], Counter[str]]:
    """Return how many models of a release had each outcome: those that are fitted, and those that are not."""
    fitted: Counter[str] = Counter()
    unfitted: Counter[str] = Counter()
    for model in stored(release):
        (unfitted if model.key.endswith(UNFITTED) else fitted)[outcome(model).outcome] += 1
    return fitted, unfitted


def row(release: str, reader: str, fitted: Counter[str], unfitted: Counter[str]) -> str:
    """Return a row of the table of results."""
    total = fitted.total()
    share = f"{100 * fitted[EQUAL] / total:.1f} %"
    cells = [release, reader, total, fitted[EQUAL], share, fitted[REFUSED], fitted[DIFFERENT], fitted[ERROR]]
    return f"| {' | '.join(map(str, [*cells, f'{unfitted[EQUAL]} of {unfitted.total()}']))} |"


def rows_of_others(reader: str) -> list[str]:
    """Return the rows that were measured under other releases."""
    if not PAGE.exists():
        return []
    lines = PAGE.read_text("utf-8").splitlines()
    rows = [text for text in lines if re.match(r"\| \d+\.\d+\.\d+ \| \d", text)]
    return [text for text in rows if text.split(" | ")[1] != reader]


def changes() -> str:
    """Return the tables of changes."""
    out = []
    for release in dict.fromkeys(record.release for record in RECORDS):
        found = [record for record in RECORDS if record.release == release]
        out += [f"### [scikit-learn {release}]({found[0].link})", ""]
        out += ["| Change | What changed | Concerns |", "|---|---|---|"]
        for record in found:
            classes = [name.rpartition(":")[2] for name in record.types]
            shown = ", ".join(f"`{name}`" for name in classes[:4])
            shown += f" and {len(classes) - 4} more" if len(classes) > 4 else ""
            refused = f" **Refused**: load it with {record.last}." if isinstance(record, Refusal) else ""
            out.append(f"| `{record.name}` | {record.reason}.{refused} | {shown} |")
        out.append("")
    return "\n".join(out)


def _place(text: str) -> tuple[Release, Release]:
    written, reader = text.strip("| ").split(" | ")[:2]
    return line(reader), line(written)


def main() -> None:
    """Measure, and write the page anew."""
    reader = sklearn.__version__
    old = [release for release in releases() if line(release)[:2] < line(reader)[:2]]
    rows = [*rows_of_others(reader), *(row(release, reader, *measured(release)) for release in old)]
    rows.sort(key=_place, reverse=True)
    head = (
        "| Written by | Read by | Models | Equal | Share | Refused | Different | Errors | Not fitted |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    PAGE.write_text(INTRODUCTION + head + "\n".join(rows) + "\n" + AFTER + changes(), "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
