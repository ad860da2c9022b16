"""Estimators of older XGBoost get the parameters that today's ask for: files that those releases wrote."""

from __future__ import annotations

import copyreg
import importlib.metadata
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

xgboost = pytest.importorskip("xgboost")

from sklearn.base import clone  # noqa: E402

import skopsafe  # noqa: E402
from skopsafe.migrate.releases import before, release_of  # noqa: E402
from skopsafe.migrate.xgboost_ import RECORDS  # noqa: E402
from tests.convert.converting import converted  # noqa: E402

FOLDER = Path(__file__).parents[1] / "golden" / "libraries"
WROTE = {"xgboost-1.6": "1.6.2", "2022": "1.7.6", "2023": "2.0.3", "2024": "2.1.4", "oldest": "2.0.3"}
ESTIMATORS = ("classes", "two_classes", "numbers", "gaps", "dart", "linear", "ranker")
PRESENT = release_of(importlib.metadata.version("xgboost"))


def members(name: str) -> dict[str, bytes]:
    with zipfile.ZipFile(FOLDER / f"{name}.zip") as archive:
        return {member: archive.read(member) for member in archive.namelist()}


def needed(wrote: str) -> list[str]:
    """Return the changes between a release and the installed one."""
    old = release_of(wrote)
    assert old is not None
    assert PRESENT is not None
    return [
        record.name
        for record in RECORDS
        if before(old, record.release) and not before(PRESENT, record.release)
    ]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("name", sorted(WROTE))
def test_estimators_have_all_parameters(name: str, estimator: str) -> None:
    found = members(name)
    if release_of(WROTE[name]) > PRESENT:  # type: ignore[operator]
        pytest.skip("it is newer than what is installed")
    assert json.loads(found["versions.json"])["xgboost"] == WROTE[name]
    ours = found.get(f"xgboost-{estimator}.skops")
    assert (ours is not None) == (name == "oldest")
    files = [converted(found[f"xgboost-{estimator}.pkl"]), *([ours] if ours else [])]
    for data in files:
        audit = skopsafe.audit(data)
        assert [step.name for step in audit.migrations] == needed(WROTE[name])
        assert audit.writer["xgboost"] == WROTE[name]
        assert all(f"{step.name} (xgboost {step.release})  x1" in str(audit) for step in audit.migrations)
        assert audit.untrusted == []
        model = skopsafe.loads(data)
        assert clone(model).get_params() == model.get_params()
        assert type(model).__name__ in repr(model)


def test_every_change_was_seen() -> None:
    assert set(needed("1.6.2")) <= {record.name for record in RECORDS}
    assert len(needed("1.6.2")) >= 2, "the oldest XGBoost that is supported has two of them"


class _Booster:
    """Takes the state of a booster, and gives it to one that is pickled."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _Booster if (module, name) == ("xgboost.core", "Booster") else super().find_class(module, name)


class _Writer(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if not isinstance(obj, _Booster):
            return NotImplemented
        return copyreg._reconstructor, (xgboost.Booster, object, None), obj.state  # type: ignore[attr-defined]


@pytest.mark.parametrize("order", [("xgboost-1.6", "2022"), ("2022", "xgboost-1.6")])
def test_a_pickle_is_as_old_as_its_oldest_booster(order: tuple[str, str]) -> None:
    models = [_Reader(io.BytesIO(members(name)["xgboost-numbers.pkl"])).load() for name in order]
    out = io.BytesIO()
    _Writer(out, 4).dump(models)
    data = converted(out.getvalue())
    assert skopsafe.audit(data).writer["xgboost"] == "1.6.2"
    assert all(clone(model).get_params() for model in skopsafe.loads(data))
