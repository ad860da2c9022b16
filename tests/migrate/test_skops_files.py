"""Files that skops wrote under an older scikit-learn follow the same changes."""

from __future__ import annotations

import warnings

import pytest

import skopsafe
from skopsafe.migrate.releases import before, release_of
from skopsafe.skew import installed
from tests.golden.skops import kinds
from tests.skops import golden

UNMEASURED = {"1.1.3", "1.2.0", "1.2.1"}
"""Too old, or patches whose outputs are not those of the patches after them."""


@pytest.mark.parametrize("release", golden.RELEASES)
def test_what_is_known_to_keep_predictions_does(release: str) -> None:
    about, files = golden.of(release)
    written, present = release_of(about["versions"]["sklearn"]), release_of(installed())
    assert written is not None
    assert present is not None
    if not before(written, present.line):
        pytest.skip("it is not older than what is installed")
    count = 0
    for kind, data in files.items():
        expected = about["kinds"][kind]
        try:
            audit = skopsafe.audit(data)
        except skopsafe.SkopsafeError:
            continue
        # New parameters have been added to what has no predictions.
        if audit.predictions != "kept" or expected["skops"] or kind == "unfitted":
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", skopsafe.VersionSkewWarning)
            found = skopsafe.loads(data, trusted=audit.untrusted)
        assert kinds.problem(expected["looked"], kind, found) == "", kind
        count += 1
    assert count >= 25 or about["versions"]["sklearn"] in UNMEASURED


def test_trees_of_skops_files_are_changed_too() -> None:
    """A forest and a boosting that skops 0.8 wrote under scikit-learn 1.3.0."""
    _, files = golden.of("0.8")
    steps = {step.name for step in skopsafe.audit(files["hist"]).migrations}
    assert "hist-boosting-features" in steps
    assert "tree-shares" in {step.name for data in files.values() for step in _steps(data)}


def _steps(data: bytes) -> tuple[object, ...]:
    try:
        return skopsafe.audit(data).migrations
    except skopsafe.SkopsafeError:
        return ()
