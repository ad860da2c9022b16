"""Files of another version of scikit-learn: a warning and an object, or an error that says why not."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import skopsafe
from skopsafe.testing.crafted import changed, forged

X, Y = load_iris(return_X_y=True)
INSTALLED = sklearn.__version__


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A file that scikit-learn 0.24.2 wrote, of which nothing was measured."""
    with monkeypatch.context() as patch:
        patch.setattr(sklearn, "__version__", "0.24.2")
        return skopsafe.dumps([Ridge(), LogisticRegression(), Ridge()])


def test_another_version_gives_one_warning_with_both_versions(older: bytes) -> None:
    with pytest.warns(skopsafe.VersionSkewWarning) as caught:
        loaded = skopsafe.loads(older)
    assert len(caught) == 1
    message = str(caught[0].message)
    assert "0.24.2" in message
    assert INSTALLED in message
    assert isinstance(loaded[0], Ridge)
    assert caught[0].filename == __file__


def test_the_warning_points_to_the_caller_of_load_too(older: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(older)
    with pytest.warns(skopsafe.VersionSkewWarning) as caught:
        skopsafe.load(path)
    assert caught[0].filename == __file__


def test_every_load_warns(older: bytes) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        skopsafe.loads(older)
        skopsafe.loads(older)
    assert len(caught) == 2


def test_the_same_version_and_files_without_scikit_learn_do_not_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        skopsafe.loads(skopsafe.dumps(Ridge()))
        monkeypatch.setattr(sklearn, "__version__", "0.24.2")
        data = skopsafe.dumps({"a": np.arange(3)})
        monkeypatch.undo()
        skopsafe.loads(data)


def test_an_audit_does_not_warn(older: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert skopsafe.get_untrusted_types(data=older) == []
        assert skopsafe.audit(older).writer["scikit-learn"] == "0.24.2"


def test_the_warning_can_be_made_an_error(older: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", skopsafe.VersionSkewWarning)
        with pytest.raises(skopsafe.VersionSkewWarning):
            skopsafe.loads(older)


def test_nothing_is_built_before_the_warning(older: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("built")

    monkeypatch.setattr("skopsafe.api.Builder", fail)
    with warnings.catch_warnings():
        warnings.simplefilter("error", skopsafe.VersionSkewWarning)
        with pytest.raises(skopsafe.VersionSkewWarning):
            skopsafe.loads(older)


@pytest.mark.parametrize("written", ["99.0.1", "1.99.0", "1.6.dev0", "who knows", ""])
def test_a_file_of_a_newer_or_unknown_version_is_never_guessed_at(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sklearn, "__version__", written)
    data = skopsafe.dumps(Ridge())
    monkeypatch.undo()
    audit = skopsafe.audit(data)
    assert (audit.predictions, audit.migrations) == ("unknown", ())
    with pytest.warns(skopsafe.VersionSkewWarning):
        skopsafe.loads(data)


def test_a_file_that_tells_no_version_warns_if_it_holds_an_estimator() -> None:
    data = changed(Ridge(), lambda schema: schema["writer"].pop("scikit-learn"))
    assert skopsafe.audit(data).predictions == "unknown"
    with pytest.warns(skopsafe.VersionSkewWarning, match="of which it does not tell"):
        skopsafe.loads(data)


def test_an_older_version_that_is_known_to_keep_predictions_does_not_warn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sklearn, "__version__", "1.5.1")
    data = skopsafe.dumps(LogisticRegression())
    monkeypatch.undo()
    audit = skopsafe.audit(data)
    assert audit.predictions == "kept"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        skopsafe.loads(data)


def test_an_audit_tells_versions_and_changes_as_text_and_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sklearn, "__version__", "1.5.2")
    model = make_pipeline(StandardScaler())
    del model.transform_input
    data = skopsafe.dumps(model)
    monkeypatch.undo()
    audit = skopsafe.audit(data)
    text = str(audit)
    assert "written under scikit-learn 1.5.2; predictions: known to be those of that release" in text
    assert "pipeline-transform-input (scikit-learn 1.6)  x1" in text
    found = audit.to_dict()
    assert found["predictions"] == "kept"
    assert found["refused"] == ""
    (step,) = found["migrations"]
    assert (step["name"], step["library"]) == ("pipeline-transform-input", "scikit-learn")
    assert step["link"].startswith("https://scikit-learn.org/")
    assert skopsafe.loads(data).transform_input is None


def test_versions_of_a_file_are_only_text_in_a_message() -> None:
    data = changed(
        Ridge(), lambda schema: schema["writer"].update({"scikit-learn": "\x1b[31m" + "9" * 10_000})
    )
    with pytest.warns(skopsafe.VersionSkewWarning) as caught:
        skopsafe.loads(data)
    assert "\x1b" not in str(caught[0].message)
    assert len(str(caught[0].message)) < 400


def test_what_the_installed_version_cannot_hold_names_the_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    model = DecisionTreeClassifier(max_depth=2).fit(X, Y)

    def without_last_field(nodes: Any) -> Any:
        return nodes[list(nodes.dtype.names[:-1])].copy()

    monkeypatch.setattr(sklearn, "__version__", "99.0.1")
    data = forged(model, "sklearn.tree._tree:Tree", nodes=without_last_field)
    monkeypatch.undo()
    with (
        pytest.warns(skopsafe.VersionSkewWarning),
        pytest.raises(skopsafe.ValidationError, match=r"Tree\.nodes.*scikit-learn '99\.0\.1'"),
    ):
        skopsafe.loads(data)


def test_a_name_that_is_gone_says_which_version_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sklearn, "__version__", "0.24.2")

    def rename(schema: dict[str, Any]) -> None:
        for row in schema["types"]:
            row[0] = row[0].replace("_ridge:Ridge", "_gone:Ridge")

    data = changed(Ridge(), rename)
    monkeypatch.undo()
    with (
        pytest.warns(skopsafe.VersionSkewWarning),
        pytest.raises(
            skopsafe.MissingTypeError, match=r"_gone\.Ridge.*written under scikit-learn '0\.24\.2'"
        ),
    ):
        skopsafe.loads(data, trusted=["sklearn.linear_model._gone.Ridge"])


def test_under_another_version_too_a_library_that_is_absent_is_to_be_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sklearn, "__version__", "0.24.2")

    def rename(schema: dict[str, Any]) -> None:
        for row in schema["types"]:
            row[0] = row[0].replace("sklearn.linear_model._ridge:Ridge", "absentlib.models:Ridge")

    data = changed([Ridge(), StandardScaler()], rename)
    monkeypatch.undo()
    with (
        pytest.warns(skopsafe.VersionSkewWarning),
        pytest.raises(skopsafe.MissingTypeError, match="Install the distribution that has it: absentlib"),
    ):
        skopsafe.loads(data, trusted=["absentlib.models.Ridge"])


def test_without_scikit_learn_the_error_says_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    skopsafe.dump(Ridge(), path)
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import skopsafe\n"
        f"assert skopsafe.get_untrusted_types({str(path)!r}) == []\n"
        f"try: skopsafe.load({str(path)!r})\n"
        "except skopsafe.MissingTypeError as error: print(error)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=Path(skopsafe.__file__).parents[1],
        capture_output=True,
        text=True,
    )
    assert "Install the distribution that has it: scikit-learn" in found.stdout, found.stderr


@pytest.mark.parametrize(("metric", "predictions"), [("cosine", "kept"), ("yule", "unknown")])
def test_neighbours_that_ties_decide_are_not_known_to_be_kept(metric: str, predictions: str) -> None:
    model = NearestNeighbors(metric=metric).fit(X > 1)
    data = changed(model, lambda schema: schema["writer"].update({"scikit-learn": "1.4.2"}))
    assert skopsafe.audit(data).predictions == predictions
