"""Pickles that are to be converted: none runs, none is trusted, none ends but in a file or an error."""

from __future__ import annotations

import io
import json
import pickle
import random
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skopsafe
from tests.convert.converting import converted
from tests.sklearn_models import fitted


class _Touch:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return exec, (f"open({str(self.marker)!r}, 'w')",)


def test_what_a_pickle_calls_is_not_called(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    data = pickle.dumps([_Touch(marker)])
    with pytest.raises(skopsafe.DeniedTypeError, match=r"builtins\.exec, which can never be approved"):
        converted(data)
    assert not marker.exists()
    pickle.loads(data)
    assert marker.exists()


def _state(content: str) -> bytes:
    return f"cmodule\nClass\n)\x81}}(S'a'\n{content}ub.".encode("latin-1")


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"(cos\nsystem\nS'true'\no.",
        b"cposix\nsystem\n(S'true'\ntR.",
        b"cos\nsystem\n.",
        _state("cos\nsystem\n"),
        b"cbuiltins\ngetattr\n(cbuiltins\ngetattr\n(cos\npath\nS'join'\ntRS'a'\ntR.",
        b"\x80\x04\x8c\x02oscbuiltins\nstr\n\x8c\x06system\x85R\x93.",
        b"cfunctools\npartial\n(cos\nsystem\ntR(cos\nsystem\n(S'true'\nt}Ntb.",
        b"ccollections\ndefaultdict\n(cos\nsystem\ntR.",
        b"Pos\n.",
        b"\x82\x01.",
        b"\x97.",
    ],
)
def test_what_is_denied_is_not_converted(data: bytes, tmp_path: Path) -> None:
    target = tmp_path / "model.skops"
    with pytest.raises(skopsafe.SkopsafeError):
        skopsafe.convert(io.BytesIO(data), target)
    assert not target.exists()


def test_what_nobody_reviewed_is_listed_and_not_trusted() -> None:
    file = converted(_state("I1\n"))
    assert skopsafe.get_untrusted_types(data=file) == ["module.Class"]
    file = converted(b"cmodule\nmake\n(I1\ntR}(S'a'\nI1\nub.")
    assert skopsafe.get_untrusted_types(data=file) == ["module.make"]
    with pytest.raises(skopsafe.UntrustedTypesFoundException):
        skopsafe.loads(file)


def test_a_state_of_a_trusted_class_is_judged_by_its_rules() -> None:
    model = make_pipeline(StandardScaler(), memory="/a/cache")
    assert skopsafe.get_untrusted_types(data=converted(pickle.dumps(model))) == [
        "sklearn.pipeline.Pipeline:memory"
    ]


def test_a_loader_checks_what_comes_from_a_pickle() -> None:
    # A tree with a child that is no node: pickle believes it, and predict reads outside of memory.
    estimator, _ = fitted("DecisionTreeClassifier")
    nodes = estimator.tree_.__getstate__()["nodes"]
    broken = nodes.copy()
    broken["left_child"][0] = 2**40
    data = pickle.dumps(estimator, 4)
    assert nodes.tobytes() in data
    file = converted(data.replace(nodes.tobytes(), broken.tobytes()))
    assert skopsafe.get_untrusted_types(data=file) == []
    with pytest.raises(skopsafe.ValidationError, match="child"):
        skopsafe.loads(file)


def test_a_conversion_imports_no_library_of_an_estimator(tmp_path: Path) -> None:
    estimator, _ = fitted("RandomForestClassifier")
    source = tmp_path / "model.pkl"
    source.write_bytes(pickle.dumps(estimator))
    code = (
        "import sys, skopsafe; skopsafe.convert(sys.argv[1], sys.argv[1] + '.skops');"
        "print({'sklearn', 'scipy', 'pandas', 'xgboost', 'lightgbm', 'catboost'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(source)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_keys_that_collide_are_refused() -> None:
    keys = [number * (2**61 - 1) for number in range(5000)]
    data = b"}(" + b"".join(b"L%dL\nN" % key for key in keys) + b"u."
    with pytest.raises(skopsafe.SkopsafeError, match=r"hash|collide"):
        converted(data)


@pytest.mark.parametrize(
    ("head", "each", "tail"),
    [
        (b"ccollections\nOrderedDict\n)R(", b"L%dL\nN", b"u."),
        (b"ccollections\nCounter\n(}(", b"L%dL\nN", b"utR."),
        (b"cbuiltins\nset\n((", b"L%dL\n", b"ltR."),
    ],
)
def test_keys_that_collide_are_refused_in_objects_with_a_rule(head: bytes, each: bytes, tail: bytes) -> None:
    keys = b"".join(each % (number * (2**61 - 1)) for number in range(5000))
    with pytest.raises(skopsafe.SkopsafeError, match="collide"):
        converted(head + keys + tail)


@pytest.mark.parametrize("made", [b"cmodule\nClass\n)\x81", b"cmodule\nmake\n(tR"])
def test_what_has_no_hash_is_no_key_of_a_strangers_object(made: bytes) -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match="no hash"):
        converted(made + b"(}Nu.")


@pytest.mark.parametrize("version", ["\ud800", "\x1b[31m", "1" * 60])
def test_a_version_of_a_library_is_one_or_is_left_out(version: str) -> None:
    data = pickle.dumps({"a": 1, "_sklearn_version": version}, 2)[2:-1]
    file = converted(b"csklearn.preprocessing._data\nStandardScaler\n)\x81" + data + b"b.")
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert "scikit-learn" not in json.loads(archive.read("schema.json"))["writer"]


def test_a_state_of_a_distribution_is_one() -> None:
    with pytest.raises(skopsafe.UnsupportedTypeError, match="no text"):
        converted(b"cscipy.stats._distn_infrastructure\nrv_continuous_frozen\n)\x81}K\1K\2sb.")


def test_deep_and_wide_streams_end() -> None:
    depth = 100_000
    with pytest.raises(skopsafe.SkopsafeError):
        converted(b"N" + b"\x85" * depth + b".")
    laugh = b"\x80\x04]\x94" + b"".join(b"(h%ch%cl\x94" % (n, n) for n in range(200)) + b"."
    assert skopsafe.get_untrusted_types(data=converted(laugh)) == []


def test_no_shape_takes_more_than_its_bytes() -> None:
    array = pickle.dumps(np.arange(5.0), 2)
    for shape in (b"J\xff\xff\xff\x7f\x85", b"\x8a\x08" + b"\xff" * 7 + b"\x7f\x85"):
        data = array.replace(b"K\x05\x85", shape)
        assert data != array
        with pytest.raises(skopsafe.SkopsafeError):
            converted(data)


def _mutants(data: bytes, count: int, seed: int) -> Any:
    rng = random.Random(seed)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 4))):
            place = rng.randrange(len(changed))
            kind = rng.random()
            if kind < 0.5:
                changed[place] = rng.randrange(256)
            elif kind < 0.75:
                del changed[place : place + rng.randrange(1, 9)]
            else:
                other = rng.randrange(len(changed))
                changed[place:place] = changed[other : other + rng.randrange(1, 30)]
        yield bytes(changed)


@pytest.mark.parametrize(
    "name", ["LogisticRegression", "DecisionTreeRegressor", "KNeighborsClassifier", "MLPClassifier"]
)
def test_no_mutant_of_a_pickle_ends_but_in_a_file_or_an_error(name: str) -> None:
    estimator, _ = fitted(name)
    endings = {True: 0, False: 0}
    for protocol in (0, 2, 5):
        data = pickle.dumps(estimator, protocol)
        for changed in _mutants(data, 60, protocol):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    file = converted(changed)
                    skopsafe.get_untrusted_types(data=file)
                    endings[True] += 1
                except skopsafe.SkopsafeError:
                    endings[False] += 1
    assert min(endings.values()) > 10
