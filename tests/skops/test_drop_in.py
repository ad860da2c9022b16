"""Code that was written for ``skops.io`` runs with ``skopsafe`` in its place."""

from __future__ import annotations

import importlib
import io
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tests.skops import own

X = np.arange(60.0).reshape(20, 3)
Y = X[:, 0] > 30


@pytest.fixture(params=["skops.io", "skopsafe"])
def sio(request: pytest.FixtureRequest) -> Any:
    return pytest.importorskip(request.param)


@pytest.fixture
def model() -> Any:
    return make_pipeline(
        StandardScaler(), FunctionTransformer(own.double), LogisticRegression(max_iter=500)
    ).fit(X, Y)


NAME = "tests.skops.own.double"


def test_a_model_is_saved_reviewed_and_loaded(sio: Any, model: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    sio.dump(model, path)
    unknown = sio.get_untrusted_types(file=path)
    assert unknown == [NAME]
    loaded = sio.load(path, trusted=unknown)
    assert (loaded.predict_proba(X) == model.predict_proba(X)).all()
    assert sio.get_untrusted_types(file=str(path)) == unknown


def test_bytes_and_files_are_as_good_as_paths(sio: Any, model: Any) -> None:
    data = sio.dumps(model)
    assert isinstance(data, bytes)
    assert sio.get_untrusted_types(data=data) == [NAME]
    out = io.BytesIO()
    sio.dump(model, out)
    out.seek(0)
    for loaded in (sio.loads(data, trusted=[NAME]), sio.load(out, trusted=[own.double])):
        assert (loaded.predict(X) == model.predict(X)).all()


def test_files_are_compressed(sio: Any, model: Any, tmp_path: Path) -> None:
    plain = len(sio.dumps(model))
    sio.dump(model, tmp_path / "a", compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    assert (tmp_path / "a").stat().st_size < plain
    assert len(sio.dumps(model, compression=zipfile.ZIP_DEFLATED, compresslevel=9)) < plain


def test_what_was_not_approved_raises(sio: Any, model: Any) -> None:
    errors = importlib.import_module(
        {"skops.io": "skops.io.exceptions"}.get(sio.__name__, "skopsafe.exceptions")
    )
    data = sio.dumps(model)
    with pytest.raises(errors.UntrustedTypesFoundException, match=NAME):
        sio.loads(data)
    with pytest.raises(TypeError):
        sio.loads(data, trusted=["tests.skops.own.other"])
    assert issubclass(errors.UnsupportedTypeException, TypeError)


def test_wrong_calls_raise_the_same(sio: Any, model: Any) -> None:
    data = sio.dumps(model)
    with pytest.raises(TypeError):
        sio.loads(data, trusted=True)
    with pytest.raises(TypeError):
        sio.loads("text")
    with pytest.raises(ValueError, match="one of"):
        sio.get_untrusted_types()
    with pytest.raises(ValueError, match="one of"):
        sio.get_untrusted_types(data=data, file="model.skops")
    with pytest.raises(TypeError):
        sio.dumps(x for x in range(3))


def collect(found: list[Any], nodes: Any, show: str, **kwargs: Any) -> None:
    found += [(show, kwargs), *nodes]


def test_a_sink_gets_the_nodes(sio: Any, model: Any, tmp_path: Path) -> None:
    sio.dump(model, tmp_path / "model.skops")
    for file in (tmp_path / "model.skops", str(tmp_path / "model.skops"), sio.dumps(model)):
        found: list[Any] = []
        sio.visualize(file, show="untrusted", sink=partial(collect, found), depth_of_mine=3)
        assert found[0] == ("untrusted", {"depth_of_mine": 3})
        root = found[1]
        assert (root.level, root.key, root.val) == (0, "root", "sklearn.pipeline.Pipeline")
        assert (root.is_self_safe, root.is_safe) == (True, False)
        (function,) = [node for node in found[1:] if not node.is_self_safe]
        assert "tests.skops.own.double" in function.val
        assert function.key == "func"


def test_what_a_caller_trusts_is_safe_to_a_sink(sio: Any, model: Any) -> None:
    found: list[Any] = []
    sio.visualize(sio.dumps(model), trusted=[NAME], sink=partial(collect, found))
    assert all(node.is_safe for node in found[1:])


def test_options_of_the_tree(sio: Any, model: Any, capsys: pytest.CaptureFixture[str]) -> None:
    options = {"use_colors": False, "tag_safe": "[ok]", "tag_unsafe": "[look]"}
    drawing = sio.visualize(sio.dumps(model), show="untrusted", **options)
    text = capsys.readouterr().out or str(drawing)  # skops prints, skopsafe returns what print shows
    lines = text.splitlines()
    assert lines[0] == "root: sklearn.pipeline.Pipeline [ok]"
    assert "double" in lines[-1]
    assert lines[-1].endswith("[look]")
    assert "StandardScaler" not in text
    with pytest.raises(TypeError):
        sio.visualize(sio.dumps(model), color_of_nothing="red")
