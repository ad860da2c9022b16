"""Optional libraries: an audit, and a load that is refused, import none; a load imports what it needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skopsafe
from skopsafe.handlers.registry import LIBRARIES

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)


def _xgboost() -> Any:
    return pytest.importorskip("xgboost").XGBClassifier(n_estimators=3).fit(X, Y)


def _lightgbm() -> Any:
    return pytest.importorskip("lightgbm").LGBMClassifier(n_estimators=3, verbose=-1).fit(X, Y)


def _catboost() -> Any:
    catboost = pytest.importorskip("catboost")
    return catboost.CatBoostClassifier(3, verbose=0, allow_writing_files=False).fit(X, Y)


def _pandas() -> Any:
    return pytest.importorskip("pandas").DataFrame({"a": ["x", "y"], "b": [1.0, 2.0]})


def _polars() -> Any:
    return pytest.importorskip("polars").DataFrame({"a": ["x", "y"], "b": [1.0, 2.0]})


def _pyarrow() -> Any:
    return pytest.importorskip("pyarrow").table({"a": ["x", "y"], "b": [1.0, 2.0]})


def _imblearn() -> Any:
    return pytest.importorskip("imblearn.over_sampling").SMOTE()


def _quantile_forest() -> Any:
    return pytest.importorskip("quantile_forest").RandomForestQuantileRegressor(3).fit(X, X[:, 0])


def _category_encoders() -> Any:
    return pytest.importorskip("category_encoders").TargetEncoder(cols=["a"])


def _feature_engine() -> Any:
    return pytest.importorskip("feature_engine.imputation").MeanMedianImputer()


MODELS: dict[str, Callable[[], Any]] = {
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "catboost": _catboost,
    "pandas": _pandas,
    "polars": _polars,
    "pyarrow": _pyarrow,
    "imblearn": _imblearn,
    "quantile_forest": _quantile_forest,
    "category_encoders": _category_encoders,
    "feature_engine": _feature_engine,
}

_LOOK = """
import sys
import skopsafe
from skopsafe.handlers.registry import LIBRARIES
path, *known = sys.argv[1:]
print(skopsafe.get_untrusted_types(path))
try:
    skopsafe.load(path)
except skopsafe.UntrustedTypesFoundException:
    print(sorted(set(known) & set(sys.modules)))
"""


class Unreviewed:
    """A class that nobody approves."""


@pytest.mark.parametrize("library", MODELS)
def test_nothing_is_imported_before_approval(library: str, tmp_path: Path) -> None:
    path = tmp_path / "m.skops"
    obj = MODELS[library]()
    skopsafe.dump(obj, path)
    assert skopsafe.get_untrusted_types(path) == []
    assert type(skopsafe.load(path)) is type(obj)
    skopsafe.dump([obj, Unreviewed()], path)
    known = ["sklearn", "scipy", *MODELS]
    folder = Path(skopsafe.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, str(path), *known],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    assert done.stdout.splitlines() == [f"['{__name__}.Unreviewed']", "[]"]


@pytest.mark.parametrize(
    ("library", "make"),
    [
        ("xgboost", lambda xgboost: xgboost.DMatrix(X)),
        ("lightgbm", lambda lightgbm: lightgbm.Dataset(X)),
        ("catboost", lambda catboost: catboost.Pool(X)),
    ],
)
def test_data_inside_of_a_booster_library_cannot_be_saved(library: str, make: Any) -> None:
    data = make(pytest.importorskip(library))
    with pytest.raises(skopsafe.UnsupportedTypeError, match="save the") as caught:
        skopsafe.dumps({"model": [data]})
    assert caught.value.path == "object['model'][0]"


@pytest.mark.parametrize("top", LIBRARIES)
def test_the_support_for_a_library_is_read_by_its_own_names(top: str) -> None:
    """Otherwise it would depend on what else a process has loaded whether a type has a loader."""
    support = LIBRARIES[top]()
    for name in (*(handler.type for handler in support.handlers), *support.checks):
        assert name.partition(":")[0].partition(".")[0] == top


def test_a_spline_of_scipy_needs_no_other_library() -> None:
    code = """
import numpy as np, scipy.interpolate, skopsafe
spline = scipy.interpolate.make_interp_spline(np.arange(9.0), np.arange(9.0) ** 2)
data = skopsafe.dumps(spline)
assert skopsafe.get_untrusted_types(data=data) == []
assert (skopsafe.loads(data)(np.linspace(0, 8)) == spline(np.linspace(0, 8))).all()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
