"""Files of every release of skops are read, ask for no more than skops asks for, and come back equal."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import warnings
from typing import Any

import pytest

import skopsafe
from tests.golden.skops import kinds, measure
from tests.skops import golden

OTHER_LIBRARIES = {
    "xgboost": {"0.11": "2.1.4", "0.13": "3.0.5", "0.16": "3.2.0"},
    "lightgbm": {"0.11": "4.5.0", "0.13": "4.6.0", "0.16": "4.7.0"},
    "quantile-forest": {"0.11": "1.4.0", "0.16": "1.4.1"},
}
"""By library: which of its releases wrote the files that are read."""
LOST = {
    "value-bytes",
    "value-bytearray",
    "value-datetime",
    "value-zone",
    "value-range",
    "value-frozenset",
    "value-numbers",
    "value-builtin",
    "value-itemgetter",
    "value-attrgetter",
    "value-methodcaller",
}
"""What old releases saved without its content, and do not read either."""
ALWAYS = (
    *(
        "logistic",
        "logistic-texts",
        "ridge",
        "sgd-hinge",
        "sgd-huber",
        "graphical-lasso",
        "lda",
        "svc",
        "svr",
    ),
    *("gaussian-nb", "kmeans", "pca", "nmf", "mixture", "count", "scaler", "min-max", "polynomial", "sqrt"),
    *(
        "expit",
        "pipeline",
        "mlp",
        "gaussian-process",
        "k-best",
        "rfe",
        "isotonic",
        "dummy",
        "labels",
        "target",
    ),
)
"""Estimators that have the same attributes in all releases of scikit-learn since 1.1."""


def parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:2]]


def comes_back(kind: str, release: str, about: dict[str, Any]) -> bool:
    """Tell whether an object of a file is equal under the installed libraries."""
    sklearn = pytest.importorskip("sklearn")
    written, installed = parts(about["versions"]["sklearn"]), parts(sklearn.__version__)
    if kind in OTHER_LIBRARIES:
        wrote = OTHER_LIBRARIES[kind].get(release)
        if wrote is None or importlib.util.find_spec(kind.replace("-", "_")) is None:
            return False
        return parts(wrote) <= parts(importlib.metadata.version(kind)) and written <= installed
    if kind.startswith("value-") and kind not in ("value-tree", "value-kernel", "value-method"):
        return True
    return written == installed or (written < installed and kind in (*ALWAYS, "value-method"))


def loaded(data: bytes) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of another version of scikit-learn
        return skopsafe.loads(data, trusted=skopsafe.get_untrusted_types(data=data))


@pytest.mark.parametrize("release", golden.RELEASES)
def test_files_are_read_and_ask_for_no_more_than_in_skops(release: str) -> None:
    about, files = golden.of(release)
    assert len(files) >= 60
    unread, more = set(), set()
    for kind, data in files.items():
        expected = about["kinds"][kind]
        try:
            audit = skopsafe.audit(data)
        except skopsafe.SkopsafeError:
            unread.add(kind)
            continue
        assert not audit.denied
        names = {name.replace(":", ".") for name in audit.untrusted}
        # Up to 0.11, skops has one name for all methods of a module.
        allowed = {
            name.replace("_data.method", "_data.StandardScaler.transform")
            for name in expected["untrusted"] or ()
        }
        if names - allowed and not expected["skops"]:
            more.add(kind)
    assert {kind for kind in unread if not about["kinds"][kind]["skops"]} <= set(OTHER_LIBRARIES)
    assert unread <= {*LOST, *OTHER_LIBRARIES}
    assert not more


@pytest.mark.parametrize("release", golden.RELEASES)
def test_what_a_file_holds_comes_back_equal(release: str) -> None:
    about, files = golden.of(release)
    count = 0
    for kind, data in files.items():
        expected = about["kinds"][kind]
        if expected["skops"] or not comes_back(kind, release, about):
            continue
        assert kinds.problem(expected["looked"], kind, loaded(data)) == "", kind
        count += 1
    assert count >= 20


@pytest.mark.parametrize("release", ["0.3", "0.16"])
def test_a_file_that_is_converted_loads_as_the_file_does(release: str, tmp_path: Any) -> None:
    about, files = golden.of(release)
    for kind in ("pipeline", "value-csr", "value-generator", "value-shared", "value-masked"):
        if about["kinds"][kind]["skops"] or not comes_back(kind, release, about):
            continue
        (tmp_path / "old").write_bytes(files[kind])
        assert skopsafe.convert(tmp_path / "old", tmp_path / "new").ok
        assert (
            kinds.problem(about["kinds"][kind]["looked"], kind, loaded((tmp_path / "new").read_bytes())) == ""
        )


def test_the_page_on_files_of_skops_tells_what_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        measure.main([str(golden.FOLDER / "0.16.tar.xz")], tell=False)
    row = capsys.readouterr().out.splitlines()[-1]
    page = (golden.FOLDER.parents[2] / "docs/explanation/skops-files.md").read_text("utf-8")
    version = pytest.importorskip("sklearn").__version__
    assert f"under scikit-learn {version}." not in page or row in page
