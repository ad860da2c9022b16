"""Trees of xgboost are read all at once: one that differs from the others must not get by."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

xgb = pytest.importorskip("xgboost")

import skopsafe  # noqa: E402
from skopsafe.handlers.xgboost.booster import examine  # noqa: E402
from skopsafe.handlers.xgboost.layout import FORMS  # noqa: E402
from skopsafe.handlers.xgboost.ubjson import Reader  # noqa: E402
from skopsafe.handlers.xgboost.written import UnusualError, WrittenTrees  # noqa: E402
from tests.attacks.xgboost_crafted import CASES, booster_of, document, tree_of, ubj  # noqa: E402
from tests.xgboost_models import MODELS, NUMBERS, TARGETS, X  # noqa: E402

OWN = {"categories", "categories_nodes", "categories_segments", "categories_sizes"}
PER_NODE = sorted(name for name, kind in FORMS[0].items() if kind and name not in OWN)
START = b"{" + struct.pack(">cq", b"L", 12) + b"base_weights[$d#L"


def key(name: str) -> bytes:
    return struct.pack(">cq", b"L", len(name)) + name.encode()


@pytest.fixture(scope="module")
def content() -> bytes:
    return ubj(document(booster_of("booster")))


def second(content: bytes) -> int:
    """Return where the second tree starts."""
    return content.index(START, content.index(START) + 1)


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    """Replace what the second tree has once."""
    at = second(content)
    found = content.index(old, at)
    return content[:found] + new + content[found + len(old) :]


def refuses(content: bytes) -> str:
    with pytest.raises(skopsafe.ValidationError) as caught:
        examine(content)
    return f"{caught.value.path}: {caught.value.reason}"


@pytest.mark.parametrize("name", [name for name, kind in FORMS[0].items() if kind])
@pytest.mark.parametrize("change", [1, -1, 1000, 2**31, 2**62, -(2**63)])
def test_a_length_without_its_items(content: bytes, name: str, change: int) -> None:
    head = key(name) + f"[${FORMS[0][name]}#L".encode()
    at = content.index(head, second(content)) + len(head)
    (length,) = struct.unpack_from(">q", content, at)
    changed = (length + change + 2**63) % 2**64 - 2**63
    assert refuses(content[:at] + struct.pack(">q", changed) + content[at + 8 :])


@pytest.mark.parametrize("name", PER_NODE)
@pytest.mark.parametrize("more", [1, -1])
def test_items_for_other_nodes(name: str, more: int) -> None:
    found = document(booster_of("booster"))
    items = tree_of(found)[name]
    tree_of(found)[name] = [*items, items[-1]] if more > 0 else items[:-1]
    message = refuses(ubj(found))
    assert message.startswith("Booster.content.trees")
    if name not in ("base_weights", "default_left"):  # by which the others are counted
        assert f"trees.{name}: not one item for each node" in message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (key("parents"), key("parentz")),
        (key("parents"), b"T"),
        (key("base_weights") + b"[$d", key("base_weights") + b"[$l"),
        (key("split_type") + b"[$U", key("split_type") + b"[$i"),
        (key("id"), key("it")),
        (key("id") + b"i\1", key("id") + b"i\2"),
        (key("id") + b"i\1", key("id") + b"i\0"),
        (key("id") + b"i\1", key("id") + b"I\1\1"),
        (key("id") + b"i\1", key("id") + b"L" + bytes(7) + b"\1"),
        (key("id") + b"i\1", key("id") + b"T"),
        (key("id") + b"i\1", key("id") + b"i\1" + key("ie") + b"i\1"),
        (key("tree_param") + b"{", key("tree_param") + b"{" + key("a") + b"T"),
        (key("num_deleted") + b"SL" + bytes(7) + b"\0010", key("num_deleted") + b"SL" + bytes(7) + b"\0011"),
        (key("num_deleted") + b"SL" + bytes(7) + b"\0010", key("num_deleted") + b"SL" + bytes(7) + b"\00200"),
        (key("num_deleted") + b"SL" + bytes(7) + b"\0010", key("num_deleted") + b"SL" + bytes(7) + b"\0020"),
        (key("num_deleted") + b"SL" + bytes(7) + b"\0010", key("num_deleted") + b"SL" + bytes(7) + b"\2-1"),
        (key("num_deleted") + b"SL" + bytes(7) + b"\0010", b""),
        (b"}}", b"}" + key("z") + b"T}"),
        (b"}}", b"}"),
        (b"}}", b"}} "),
    ],
)
def test_what_one_tree_alone_has(content: bytes, old: bytes, new: bytes) -> None:
    assert "Booster.content.trees" in refuses(replaced(content, old, new))


def test_members_in_another_order(content: bytes) -> None:
    at = second(content)
    first, middle, last = (
        content.index(key(name), at) for name in ("left_children", "loss_changes", "parents")
    )
    swapped = content[:first] + content[middle:last] + content[first:middle] + content[last:]
    assert "not the next member of a tree" in refuses(swapped)


def test_a_tree_of_another_form() -> None:
    for change in (
        lambda tree: tree.update(leaf_weights=[1.0]),
        lambda tree: (tree.pop("loss_changes"), tree.pop("sum_hessian")),
    ):
        found = document(booster_of("booster"))
        change(tree_of(found))
        assert "Booster.content.trees" in refuses(ubj(found))


def test_a_tree_that_is_missing_or_too_many(content: bytes) -> None:
    head = key("trees") + b"[#L"
    at = content.index(head) + len(head)
    (count,) = struct.unpack_from(">q", content, at)
    for other in (0, 1, count - 1, count + 1, 2**40):
        assert refuses(content[:at] + struct.pack(">q", other) + content[at + 8 :])


def test_every_end_that_comes_too_early(content: bytes) -> None:
    for end in range(0, len(content), 23):
        with pytest.raises(skopsafe.ValidationError):
            examine(content[:end])


def test_numbers_of_trees_of_every_width(content: bytes) -> None:
    facts, _, _ = examine(content)
    for mark, kind in ((b"I", ">h"), (b"l", ">i")):
        wide = content
        for number in range(4):
            old = key("id") + struct.pack(">cb", b"i", number)
            assert wide.count(old) == 1
            wide = wide.replace(old, key("id") + mark + struct.pack(kind, number))
        assert examine(wide)[0] == facts
    many = xgb.train({"max_depth": 1}, xgb.DMatrix(np.eye(4), np.arange(4)), 300)
    assert examine(bytes(many.__getstate__()["handle"]))[0].booster == "gbtree"


def test_numbers_that_spell_the_start_of_a_tree() -> None:
    text = np.frombuffer(START + b"\0", ">f4").tolist()
    found = document(booster_of("booster"))
    tree = tree_of(found)
    assert len(tree["base_weights"]) > len(text)
    for name in ("base_weights", "split_conditions", "sum_hessian"):
        tree[name][: len(text)] = text
    content = ubj(found)
    assert content.count(START) == 4 + 3
    assert examine(content)[0] == examine(ubj(document(booster_of("booster"))))[0]


def test_no_tree_is_left_out_for_one_as_long_as_two() -> None:
    model = document(booster_of("booster"))["Model"]["learner"]["gradient_booster"]["model"]
    first, second, third = model["trees"][:3]
    third["tree_param"]["num_feature"] = "1" * (1 + -len(ubj(third)) % 4)
    long = {**second, "categories": [0] * (len(ubj(third)) // 4)}
    assert len(ubj(long)) == len(ubj(second)) + len(ubj(third))
    trees = [long, second, third, first, long, second, third, second]
    found = Reader(ubj({"trees": trees, "with": "what follows"})).read()["trees"]
    assert found.sizes.tolist() == [len(tree["parents"]) for tree in trees]


def test_lists_of_numbers_of_several_widths() -> None:
    expected = [1] * 300 + [1000] * 300 + [1, 1000] * 20 + [0.5, "x", True, 3, [4, 5], 6, 2**40, 2**20, -1]
    data = b"{" + key("A") + ubj(expected) + b"}"
    found = Reader(data).read()["A"]
    assert found == expected
    assert list(map(type, found)) == list(map(type, expected))
    for end in range(len(data)):
        with pytest.raises(skopsafe.ValidationError):
            Reader(data[:end]).read()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_look_finds_what_reading_does(name: str) -> None:
    content = bytes(booster_of(name).__getstate__()["handle"])
    unusual = name == "no_trees" or "vectors" in name or "categories" in name
    try:
        assert examine(content, WrittenTrees) == examine(content)
    except UnusualError:
        assert unusual
    else:
        assert not unusual


@pytest.mark.parametrize("updater", ["grow_histmaker,grow_histmaker", "grow_histmaker,prune,grow_histmaker"])
def test_trees_that_grow_twice_are_not_saved(updater: str) -> None:
    # xgboost warns that behavior is undefined.
    for rounds in (3, 100):
        made = xgb.train({"updater": updater, "gamma": 1.5, "max_depth": 4}, xgb.DMatrix(X, NUMBERS), rounds)
        with pytest.raises(skopsafe.UnsupportedTypeError, match=r"would not be loaded again.*left_children"):
            skopsafe.dumps(made)


def test_trees_of_two_forms_are_not_saved() -> None:
    data = xgb.DMatrix(X, TARGETS)
    ways = ("multi_output_tree", "one_output_per_tree")
    for first, second in (ways, ways[::-1]):
        made = xgb.train({"tree_method": "hist", "multi_strategy": first}, data, 3)
        made = xgb.train({"tree_method": "hist", "multi_strategy": second}, data, 2, xgb_model=made)
        with pytest.raises(skopsafe.UnsupportedTypeError, match=r"would not be loaded again.*trees"):
            skopsafe.dumps(made)


def test_a_tree_of_many_nodes_is_read() -> None:
    data = xgb.DMatrix(np.arange(3000)[:, None], np.random.default_rng(0).normal(size=3000))
    made = xgb.train({"max_depth": 30, "max_bin": 3000, "min_child_weight": 0, "lambda": 0}, data, 2)
    content = bytes(made.__getstate__()["handle"])
    with pytest.raises(UnusualError):
        examine(content, WrittenTrees)
    skopsafe.loads(skopsafe.dumps(made))


@pytest.mark.parametrize(
    "name", ["feature_outside", "fewer_features", "left_negative", "left_outside", "loop", "right_apart"]
)
def test_what_xgboost_takes_from_a_crafted_file_is_not_loaded(name: str) -> None:
    # xgboost writes these models again, of which a dump looks at few trees.
    found = document(booster_of(CASES[name][0]))
    CASES[name][1](found)
    made = xgb.Booster()
    made.load_model(bytearray(json.dumps(found["Model"]).encode()))
    assert refuses(bytes(made.__getstate__()["handle"]))
    data = skopsafe.dumps(made)
    with pytest.raises(skopsafe.ValidationError):
        skopsafe.loads(data)
