"""Crafted models of xgboost: refused, because xgboost believes the indices and lengths that it reads."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

xgb = pytest.importorskip("xgboost")

import skopsafe  # noqa: E402
from skopsafe.testing.crafted import changed, forged  # noqa: E402
from tests.attacks.xgboost_crafted import (  # noqa: E402
    BEFORE,
    CASES,
    CATEGORIES,
    DROPS,
    VECTORS,
    before,
    booster_of,
    document,
    model_of,
    ubj,
)
from tests.xgboost_models import MODELS, VERSION, X  # noqa: E402

NAME = "xgboost.core:Booster"
ALL = CASES | BEFORE | (CATEGORIES if VERSION >= (3, 1) else {}) | (VECTORS if VERSION >= (3, 2) else {})
ALL |= DROPS if VERSION >= (3, 3) else {}

# These end by a signal. Others read a little beside an array, or take all memory.
CRASHES = (
    "category_negative",
    "feature_outside",
    "left_negative",
    "left_outside",
    "linear_of_more_features",
    "same_id",
    "segment_outside",
    "tree_of_no_output",
)

_PREDICT = """
import sys, pickle, resource, xgboost
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
content, X = pickle.load(sys.stdin.buffer)
booster = xgboost.Booster.__new__(xgboost.Booster)
booster.__setstate__({"handle": bytearray(content)})
booster.predict(xgboost.DMatrix(X), validate_features=False)
"""


def content_of(name: str) -> bytes:
    model, change, _ = ALL[name]
    found = document(booster_of(model))
    change(found)
    return ubj(found)


def with_content(booster: Any, content: bytes) -> bytes:
    return forged(booster, NAME, content=lambda _: np.frombuffer(content, np.uint8))


def test_the_writer_of_these_tests_writes_as_xgboost_does() -> None:
    for name in ("booster", "booster_of_categories", "dart", "linear", "deleted"):
        booster = booster_of(name)
        skopsafe.loads(with_content(booster, ubj(document(booster))))
        # In JSON, xgboost writes fewer digits of some numbers.
        assert len(ubj(document(booster))) == len(content_of_model(name))


ALONE = () if VERSION >= (3, 3) else ("dart",)
"""Since 3.3 it is a form of `gbtree`."""


@pytest.mark.parametrize("name", ["binary", "booster", "multiclass", "forest", *ALONE])
def test_what_the_crafted_ones_before_2_are_made_of_is_loaded(name: str) -> None:
    booster = booster_of(name)
    found = document(booster)
    before(found)
    loaded = skopsafe.loads(with_content(booster, ubj(found)))
    matrix = xgb.DMatrix(X)
    assert loaded.num_boosted_rounds() == booster.num_boosted_rounds()
    assert loaded.predict(matrix).tobytes() == booster.predict(matrix).tobytes()


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_crafted_model_is_refused(name: str) -> None:
    data = with_content(booster_of(ALL[name][0]), content_of(name))
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=ALL[name][2]) as caught:
        skopsafe.loads(data)
    assert caught.value.path.startswith("Booster.")


def ends_well(name: str) -> bool:
    data = pickle.dumps((content_of(name), np.nan_to_num(X)[:, :3] if "categor" in ALL[name][0] else X))
    command = [sys.executable, "-c", _PREDICT]
    try:
        done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=30)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode >= 0


def test_xgboost_alone_crashes() -> None:
    # What stands beside an array is chance, and differs between releases.
    well = [name for name in CRASHES if ends_well(name)]
    assert len(well) <= 0.3 * len(CRASHES), well


_INTERACT = _PREDICT.replace("validate_features=False", "pred_interactions=True, validate_features=False")


@pytest.mark.skipif(VERSION < (3, 3), reason="before, the size was counted in 64 bits")
def test_xgboost_alone_writes_outside_for_pairs_of_features() -> None:
    # 65536 columns squared are 2**32, which 32 bits count as none.
    done = subprocess.run(
        [sys.executable, "-c", _INTERACT],
        input=pickle.dumps((content_of("pairs_of_features"), X)),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode < 0


def test_many_features_need_approval() -> None:
    for name, count in (("binary", 65_000), ("binary", 65_535), ("multiclass", 40_000), ("linear", 70_000)):
        found = document(booster_of(name))
        found["Model"]["learner"]["learner_model_param"]["num_feature"] = str(count)
        if name == "linear":
            model_of(found)["weights"] = [0.5] * (count + 1)
        wide = xgb.Booster()
        wide.load_model(bytearray(json.dumps(found["Model"]).encode()))
        needed = [] if count == 65_000 or name == "linear" else ["xgboost.core.Booster:caution"]
        data = skopsafe.dumps(wide)
        assert skopsafe.get_untrusted_types(data=data) == needed
        loaded = skopsafe.loads(data, trusted=needed)
        matrix = xgb.DMatrix(np.nan_to_num(X))
        expected, given = (one.predict(matrix, validate_features=False) for one in (wide, loaded))
        assert given.tobytes() == expected.tobytes()


def number(value: int) -> bytes:
    return b"L" + value.to_bytes(8, "big", signed=True)


HEAD = b"{" + number(1) + b"A"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: c[:-1], "ends too early"),
        (lambda c: c[: len(c) // 2], "."),
        (lambda c: c + b"\0", "behind the end"),
        (lambda c: b"[" + c[1:], "start with an object"),
        (lambda c: c.replace(number(5) + b"Model", number(2**62) + b"Model"), "a length"),
        (lambda c: c.replace(number(5) + b"Model", number(-1) + b"Model"), "a length"),
        (lambda c: c[:-1] + c[1:], "ascending order"),
        (lambda c: HEAD + b"Z}", "no value"),
        (lambda c: HEAD + (b"[#" + number(1)) * 40 + b"T}", "too deeply"),
        (lambda c: HEAD + b"[$d#" + number(2**60) + b"}", "a length"),
        (lambda c: HEAD + b"[$H#" + number(0) + b"}", "unknown type"),
        (lambda c: HEAD + b"[TT]}", "without a count"),
    ],
)
def test_what_the_writer_never_writes_is_refused(change: Any, match: str) -> None:
    booster = booster_of("booster")
    content = change(content_of_model("booster"))
    with pytest.raises(skopsafe.ValidationError, match=match):
        skopsafe.loads(with_content(booster, content))


def test_a_deep_tree_needs_approval() -> None:
    booster = booster_of("booster")
    found = document(booster)
    tree = found["Model"]["learner"]["gradient_booster"]["model"]["trees"][0]
    depth = 600
    count = 2 * depth + 1
    links = [(2 * i + 1) if i < depth else -1 for i in range(depth + 1)]
    left, right, parents = [-1] * count, [-1] * count, [2**31 - 1] * count
    node = 0
    for level in range(depth):
        left[node], right[node] = links[level], links[level] + 1
        parents[links[level]] = parents[links[level] + 1] = node
        node = links[level]
    tree.update(left_children=left, right_children=right, parents=parents)
    for name in ("default_left", "split_indices", "split_type"):
        tree[name] = [0] * count
    for name in ("base_weights", "loss_changes", "split_conditions", "sum_hessian"):
        tree[name] = [1.0] * count
    for name in ("categories", "categories_nodes", "categories_segments", "categories_sizes"):
        tree[name] = []
    tree["tree_param"]["num_nodes"] = str(count)
    with pytest.raises(skopsafe.ValidationError, match=r"Booster\.caution"):
        skopsafe.loads(with_content(booster, ubj(found)))
    deep = xgb.Booster()
    deep.load_model(bytearray(json.dumps(found["Model"]).encode()))
    data = skopsafe.dumps(deep)
    assert skopsafe.get_untrusted_types(data=data) == ["xgboost.core.Booster:caution"]
    loaded = skopsafe.loads(data, trusted=["xgboost.core.Booster:caution"])
    assert loaded.predict(xgb.DMatrix(X)).tobytes() == deep.predict(xgb.DMatrix(X)).tobytes()


@pytest.mark.parametrize("value", [None, True, "x", -1, 10**6, 0.5])
def test_a_booster_is_an_array_of_bytes_and_nothing_else(value: Any) -> None:
    def change(schema: dict[str, Any]) -> None:
        (run,) = (run for run in schema["runs"] if schema["shapes"][run[0]][1] == ["content"])
        run[2][0] = value

    with pytest.raises((skopsafe.ValidationError, skopsafe.FormatError)):
        skopsafe.loads(changed(booster_of("booster"), change))
    with pytest.raises(skopsafe.ValidationError, match="not bytes"):
        skopsafe.loads(forged(booster_of("booster"), NAME, content=lambda old: old.astype(np.int32)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_Booster", None),
        ("_Booster", [1]),
        ("n_jobs", 10**6),
        ("n_jobs", "9"),
        ("n_jobs", 2.5),
        ("kwargs", {"nthread": 10**6}),
        ("kwargs", 3),
        ("n_classes_", "many"),
        ("n_classes_", -1),
    ],
)
def test_a_crafted_estimator_is_refused(name: str, value: Any) -> None:
    model = MODELS["binary"]()[0]
    setattr(model, name, value)
    data = skopsafe.dumps(model)
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=rf"XGBClassifier\.{name}"):
        skopsafe.loads(data)


def test_an_attribute_of_a_booster_cannot_hide_a_method() -> None:
    booster = booster_of("booster")
    booster.predict = 3
    with pytest.raises(skopsafe.ValidationError, match="predict"):
        skopsafe.loads(skopsafe.dumps(booster))


_MUTANTS = """
import random, sys, warnings
warnings.simplefilter("ignore")
import skopsafe
from tests.attacks.test_xgboost import content_of_model, with_content
from tests.xgboost_models import MODELS, VERSION, mutate, outputs
first, count = int(sys.argv[1]), int(sys.argv[2])
names = [name for name in sorted(MODELS) if name != "no_trees" and not name.startswith("vectors")]
names += [name for name in sorted(MODELS) if name.startswith("vectors") and VERSION >= (3, 0)]
made = {}
refused = 0
for seed in range(first, first + count):
    name = names[seed % len(names)]
    if name not in made:
        made[name] = (*MODELS[name](), content_of_model(name))
    model, data, content = made[name]
    print(seed, name, flush=True)
    try:
        loaded = skopsafe.loads(with_content(model, mutate(content, random.Random(seed))))
    except skopsafe.SkopsafeError:
        refused += 1
        continue
    outputs(loaded, data)
print(f"refused {refused}", flush=True)
"""


def content_of_model(name: str) -> bytes:
    return bytes(booster_of(name).__getstate__()["handle"])


def test_mutants_are_refused_or_harmless() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _MUTANTS, "0", "300"], capture_output=True, text=True, check=False, timeout=300
    )
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 0, (last, done.stderr[-2000:])
    assert 150 < int(last.split()[1]) < 300
