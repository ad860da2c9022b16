"""Targets: what xgboost, LightGBM and CatBoost have for a model, read without them."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from skopsafe.errors import SkopsafeError
from skopsafe.handlers.catboost.blob import ordered, parse
from skopsafe.handlers.catboost.check import check_model
from skopsafe.handlers.lightgbm import text
from skopsafe.handlers.xgboost.booster import examine
from skopsafe.handlers.xgboost.nodes import TreeReader
from skopsafe.handlers.xgboost.ubjson import Reader
from tests.fuzz import ubjson
from tests.fuzz.stages import reach


def xgboost(data: bytes) -> None:
    """Read a document; another reader has to see the same in it, and all trees have to be trees."""
    try:
        found = Reader(data).read()
    except SkopsafeError:
        return
    reach("document")
    plain = ubjson.read(data)
    _compare(found, plain)
    try:
        facts, (start, end), threads = examine(data)
    except SkopsafeError as error:
        reach(f"refused: {error.path}")
        return
    reach("model")
    assert data[start:end] == ubjson.write(plain[b"Model"])
    assert abs(threads) <= 1024
    if facts.booster != "gblinear":
        _walk(plain[b"Model"])


def _compare(found: Any, plain: Any) -> None:
    if isinstance(found, dict):
        assert [key.encode("utf-8", "surrogateescape") for key in found] == list(plain)
        for value, other in zip(found.values(), plain.values(), strict=True):
            _compare(value, other)
    elif isinstance(found, TreeReader):
        _compare_trees(found, plain)
    elif isinstance(found, list):
        assert len(found) == len(plain)
        for value, other in zip(found, plain, strict=True):
            _compare(value, other)
    elif isinstance(found, np.ndarray):
        assert repr(found.tolist()) == repr(plain.items)
    elif isinstance(found, str):
        assert found.encode("utf-8", "surrogateescape") == plain
    elif isinstance(found, bool):
        assert found is plain
    else:
        assert repr(found) == repr(plain.value)


def _compare_trees(found: TreeReader, plain: list[Any]) -> None:
    assert found.count == len(plain)
    if not plain:
        return
    reach("trees")
    for name in ("left_children", "right_children", "parents", "split_indices", "default_left"):
        (joined,) = found.nodes(name)
        assert joined.tolist() == [item for tree in plain for item in tree[name.encode()].items]
    for name in ("categories", "categories_nodes", "categories_segments", "categories_sizes"):
        items = [item for tree in plain for item in tree[name.encode()].items]
        assert found.joined(name).tolist() == items
    assert found.ids.tolist() == [tree[b"id"].value for tree in plain]
    for name, values in found.params.items():
        assert values.tolist() == [int(tree[b"tree_param"][name.encode()]) for tree in plain]


def _walk(model: Any) -> None:
    """Follow every way through the trees of a model that was accepted."""
    learner = model[b"learner"]
    features = int(learner[b"learner_model_param"][b"num_feature"])
    booster = learner[b"gradient_booster"]
    for tree in booster.get(b"gbtree", booster)[b"model"][b"trees"]:
        left, right = tree[b"left_children"].items, tree[b"right_children"].items
        seen, todo = set(), [0]
        while todo:
            node = todo.pop()
            assert 0 <= node < len(left)
            assert node not in seen
            seen.add(node)
            if left[node] != -1:
                assert 0 <= tree[b"split_indices"].items[node] < features
                todo += [left[node], right[node]]
        reach("tree walked")


def lightgbm(data: bytes) -> None:
    """Read a text; what is accepted, is read again line by line, and its trees are walked."""
    try:
        model = text.read(data)
    except SkopsafeError as error:
        reach(f"refused: {error.path}")
        return
    reach("model")
    lines = data.split(b"\n")
    head = dict(line.split(b"=", 1) for line in lines[1 : lines.index(b"")] if b"=" in line)
    sizes = [int(size) for size in head[b"tree_sizes"].split()]
    assert int(head[b"max_feature_idx"]) + 1 == model.features
    assert len(sizes) == model.iterations * model.num_class
    place = data.index(b"\n\n") + 2
    for number, size in enumerate(sizes):
        tree = dict(line.split(b"=", 1) for line in data[place : place + size].strip().split(b"\n"))
        assert int(tree[b"Tree"]) == number
        _walk_lines(tree, model.features)
        place += size
    assert data.startswith(b"end of trees\n", place)


def _walk_lines(tree: dict[bytes, bytes], features: int) -> None:
    leaves = int(tree[b"num_leaves"])
    left, right, splits, decisions = (
        [int(number) for number in tree[key].split()]
        for key in (b"left_child", b"right_child", b"split_feature", b"decision_type")
    )
    thresholds = [float(number) for number in tree[b"threshold"].split()]
    assert len(tree[b"leaf_value"].split()) == leaves
    assert len(left) == len(right) == len(splits) == len(decisions) == len(thresholds) == leaves - 1
    bounds = [int(bound) for bound in tree.get(b"cat_boundaries", b"").split()]
    words = len(tree.get(b"cat_threshold", b"").split())
    seen, todo = set(), [0 if leaves > 1 else -1]
    while todo:
        node = todo.pop()
        assert node not in seen
        seen.add(node)
        assert -leaves <= node < leaves - 1
        if node < 0:
            continue
        assert 0 <= splits[node] < features
        todo += [left[node], right[node]]
        if decisions[node] & 1:
            which = int(thresholds[node])
            assert 0 <= bounds[which] <= bounds[which + 1] <= words
    assert len(seen) == 2 * leaves - 1
    reach("tree walked")


def catboost(data: bytes) -> None:
    """Read a blob; with its metadata in order it has to be the same model."""
    try:
        found = check_model(data)
    except SkopsafeError as error:
        reach(f"refused: {error.path}")
        return
    reach("model")
    model = parse(data)
    again = ordered(model)
    other = parse(again)
    assert (other.info, other.parts) == (model.info, model.parts)
    assert again[len(again) - (len(data) - model.behind.place) :] == data[model.behind.place :]
    assert check_model(again) == found
    assert ordered(other) == again
    assert struct.unpack_from("<I", again, 4)[0] % 4 == 0
