"""Models that older releases really wrote: the same outputs as theirs, or an error that says what changed."""

from __future__ import annotations

import functools
import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

import skopsafe
from skopsafe.cli import main
from skopsafe.migrate.migrating import RECORDS
from skopsafe.migrate.records import Migration, Record, Refusal
from skopsafe.migrate.releases import before, release_of
from skopsafe.skew import installed
from tests.golden.sklearn.compare import EQUAL, REFUSED, Stored, converted, outcome, releases, stored
from tests.golden.sklearn.examples import EXAMPLES
from tests.golden.sklearn.models import UNFITTED
from tests.golden.sklearn.report import PAGE, changes, row

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

PRESENT = release_of(installed())
assert PRESENT is not None
OLDER = [release for release in releases() if before(release_of(release), PRESENT.line)]  # type: ignore[arg-type]


@functools.cache
def models_of(release: str) -> dict[str, Stored]:
    return {model.key: model for model in stored(release)}


@pytest.mark.parametrize("release", OLDER)
def test_outputs_are_those_of_the_release_or_the_file_is_refused(release: str) -> None:
    found = [outcome(model) for model in models_of(release).values()]
    assert len(found) > 700
    assert [result for result in found if result.outcome not in (EQUAL, REFUSED)] == []
    equal = [result for result in found if result.outcome == EQUAL]
    fitted = [result for result in found if not result.key.endswith(UNFITTED)]
    assert len(fitted) > 500
    counts = Counter(result.outcome for result in fitted)
    assert counts[EQUAL] >= 0.95 * len(fitted)
    # The page tells what is measured here, where it tells of the installed release.
    unfitted = Counter(result.outcome for result in found if result.key.endswith(UNFITTED))
    reader = str(installed())
    assert reader not in PAGE.read_text("utf-8") or row(release, reader, counts, unfitted) in PAGE.read_text(
        "utf-8"
    )
    # What is known to be kept needs no warning.
    assert [result.key for result in equal if result.warned] == []
    assert all(result.audit.predictions == "kept" for result in equal)


CHANGES = [record for record in RECORDS if not before(PRESENT, record.release)]


def test_each_change_has_a_file_that_shows_it() -> None:
    assert EXAMPLES.keys() == {record.name for record in RECORDS}
    assert len(EXAMPLES) == len(RECORDS)


@pytest.mark.parametrize("record", CHANGES, ids=lambda record: record.name)
def test_a_change_is_seen_in_a_file_of_the_release_before(record: Record) -> None:
    release, key = EXAMPLES[record.name]
    audit = skopsafe.audit(converted(models_of(release)[key].content))
    assert audit.writer["scikit-learn"] == release
    if isinstance(record, Migration):
        (step,) = [step for step in audit.migrations if step.name == record.name]
        assert step.count >= 1
        assert (step.release, step.reason) == (record.release, record.reason)
        assert audit.predictions == "kept"
    else:
        assert record.reason in audit.refused
        assert audit.predictions == "refused"
        assert audit.migrations == ()


REFUSALS = [record for record in CHANGES if isinstance(record, Refusal)]


@pytest.mark.parametrize("record", REFUSALS, ids=lambda record: record.name)
def test_a_refusal_names_the_change_and_the_last_release_that_reads_the_file(record: Refusal) -> None:
    release, key = EXAMPLES[record.name]
    data = converted(models_of(release)[key].content)
    with pytest.raises(skopsafe.MigrationError) as caught:
        skopsafe.loads(data, trusted=skopsafe.get_untrusted_types(data=data))
    message = str(caught.value)
    assert record.reason in message
    assert f"scikit-learn {record.last}," in message
    assert re.search(r"https://\S+", message)
    assert isinstance(caught.value, skopsafe.FormatError)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_a_change_is_told_in_full(record: Record) -> None:
    assert record.types
    assert len(set(record.types)) == len(record.types)
    assert record.link.startswith("https://")


def test_all_changes_are_in_the_documents() -> None:
    assert PAGE.read_text("utf-8").endswith(changes())


def test_changes_stand_in_the_order_of_their_releases() -> None:
    found = [tuple(map(int, record.release.split("."))) for record in RECORDS]
    assert found == sorted(found)


@pytest.mark.parametrize(
    "key", ["GridSearchCV accuracy", "LogisticRegression liblinear", "GradientBoostingClassifier"]
)
def test_a_conversion_returns_the_audit_of_what_is_loaded_today(key: str) -> None:
    """Names of the older release that are gone need no approval, and shapes of arrays are known."""
    out = io.BytesIO()
    audit = skopsafe.convert(io.BytesIO(models_of("1.2.2")[key].content), out)
    assert audit == skopsafe.audit(out.getvalue())
    assert (audit.ok, audit.predictions) == (True, "kept")
    assert audit.migrations or (key, before(PRESENT, "1.7")) == ("LogisticRegression liblinear", True)


def test_an_older_file_that_is_saved_again_is_one_of_today() -> None:
    """What is loaded after migrations is written without any."""
    content = models_of("1.2.2")["GradientBoostingClassifier"].content
    data = skopsafe.dumps(skopsafe.loads(converted(content)))
    audit = skopsafe.audit(data)
    assert audit.predictions == "same"
    assert audit.migrations == ()
    assert audit.ok


def test_the_command_ends_with_an_error_where_a_file_is_refused(tmp_path: Path) -> None:
    release, key = EXAMPLES["adaboost-real"]
    path = tmp_path / "old.skops"
    path.write_bytes(converted(models_of(release)[key].content))
    done = CliRunner().invoke(main, ["audit", "--json", str(path)])
    found = json.loads(done.output)
    assert done.exit_code == 3
    assert not found["ok"]
    assert (found["predictions"], found["untrusted"]) == ("refused", [])
    assert "SAMME.R" in found["refused"]
