"""The reader of LightGBM texts looks at all trees at once: it must see what one by one would show."""

from __future__ import annotations

import random
import re
from functools import cache
from typing import Any

import numpy as np
import pytest

lgb = pytest.importorskip("lightgbm")

import skopsafe  # noqa: E402
from skopsafe.handlers.lightgbm import lines, numbers, text, trees  # noqa: E402
from tests.attacks.lightgbm_texts import sized, text_of  # noqa: E402

# fmt: off
GOOD = (
    "0", "7", "-7", "10", "-123", "1234567890123456", "12345678901234567", "0.5", "-0.5", "1.25",
    "0.123456789012345678901", "1e+06", "-1e-05", "1.5e-300", "2.2250738585072014e-308",
    "1.7976931348623157e+308", "inf", "-inf", "nan", "-nan", "-0", "3e+100",
)
BAD = (
    "-", "--", "--1", "+1", "01", "-01", "00", "007", "1.", ".5", "-.5", "1.2.3", "1..2", "1e5", "1e+5",
    "1e+0005", "1e", "e+05", "-e+05", "1e+05e+05", "1e+5.5", "1e-05.5", "1-2", "1+2", "1e+-05", "1e+",
    "1E+05", "0x1p3", "infinity", "Inf",
    "+inf", "infinf", "1inf", "inf1", "-infnan", "--inf", "na", "in", "1e+inf",
    "NaN", "1_0", "1,2", "1/2", ",1", "x", "e", "a", "1e+05-", "1:2", "123456789012345678",
    "0.1234567890123456789012", "1.5f", "-1.-5", "5-", "5-inf", "1.nan", "01e+05", "\u00b2", "1\t", "1\v2",
)
# fmt: on
FLOAT_KEYS = ("split_gain", "threshold", "leaf_value", "leaf_weight", "internal_value", "internal_weight")
NODE_KEYS = ("split_feature", "decision_type", "left_child", "right_child", "internal_count", "leaf_count")


@cache
def good() -> bytes:
    return text_of("regression")


def changed(key: str, new: str, place: int = 0) -> bytes:
    """Return a text with another number in the last tree."""
    found = good()
    tree, end = found.rindex(b"\nTree="), found.index(b"\nend of trees")
    head, line, tail = re.split(rb"(?<=\n" + key.encode() + rb"=)([^\n]*)", found[tree:end], maxsplit=1)
    tokens = line.split(b" ")
    tokens[place] = new.encode()
    return sized(found[:tree] + head + b" ".join(tokens) + tail + found[end:])


@pytest.mark.parametrize("number", GOOD)
def test_numbers_as_lightgbm_writes_them_are_read(number: str) -> None:
    for key in FLOAT_KEYS:
        for place in (0, 1, -1):
            assert text.read(changed(key, number, place)).iterations == 4, (key, place)


@pytest.mark.parametrize(
    "number", [*BAD, "", "1" * 258, "0." + "1" * 257, "1" * 65537, "1e+" + "0" * 256 + "05"]
)
def test_a_number_in_any_other_form_is_refused(number: str) -> None:
    for key in FLOAT_KEYS + NODE_KEYS + ("Tree", "num_leaves", "num_cat", "is_linear", "shrinkage"):
        with pytest.raises(skopsafe.ValidationError, match=key):
            text.read(changed(key, number))


@pytest.mark.parametrize(
    "number", ["1.0", "0.5", "1e+00", "inf", "nan", "-nan", "-0", "12345678901", "2147483648"]
)
def test_where_an_integer_belongs_is_no_other_number(number: str) -> None:
    for key in (*NODE_KEYS, "Tree", "num_leaves", "num_cat", "is_linear"):
        with pytest.raises(skopsafe.ValidationError, match=key):
            text.read(changed(key, number))


def test_numbers_are_told_as_a_pattern_tells_them() -> None:
    """Random tokens: the marks of all of them together against a regular expression for each."""
    rng, seen = random.Random(0), {True: 0, False: 0}
    pieces = [
        "0",
        "1",
        "9",
        "-",
        "+",
        ".",
        "e",
        "e+",
        "e-0",
        "inf",
        "nan",
        "00",
        "12",
        "3.5",
        "e-05",
        "5e+10",
        " ",
    ]
    for _ in range(3000):
        tokens = [rng.choice(GOOD) for _ in range(rng.randrange(12))]
        tokens.insert(rng.randrange(len(tokens) + 1), "".join(rng.choices(pieces, k=rng.randrange(1, 5))))
        line = " ".join(tokens).encode()
        found = numbers.Numbers(b"\nkey=1 2\nkey=" + line + b"\nkey=3\n")
        found.take_keys(np.arange(3), np.full(3, 4))
        expected = re.fullmatch(numbers.FLOAT + rb"(?: " + numbers.FLOAT + rb")*+", line) is not None
        assert found.are_well_formed() == expected, line
        if expected:
            assert found.counts.tolist() == [2, len(line.split()), 1]
        seen[expected] += 1
    assert min(seen.values()) > 300


def test_integers_are_read_as_python_reads_them() -> None:
    rng = random.Random(0)
    rows = [
        [rng.randrange(-(10**size), 10**size) for _ in range(9)] for size in range(1, 10) for _ in range(9)
    ]
    whole = "".join("\n" + " ".join(map(str, row)) for row in rows) + "\n"
    found = numbers.Numbers(whole.encode())
    assert found.are_well_formed()
    read = found.integers(np.arange(len(rows)))
    assert read is not None
    assert read.reshape(-1, 9).tolist() == rows


def test_lines_of_more_numbers_than_a_byte_counts() -> None:
    """256 more numbers than there should be, or fewer, are seen; as many as there should be are read."""
    rng = np.random.RandomState(0)
    rows = rng.rand(2000, 3)
    params = {"num_leaves": 400, "min_data_in_leaf": 1, "verbose": -1, "num_threads": 1}
    booster = lgb.train(params, lgb.Dataset(rows, rng.rand(2000)), 2)
    large = booster.model_to_string()
    large = large[: large.rindex("\npandas_categorical:")].encode()
    assert re.search(rb"\nnum_leaves=[34]\d\d\n", large)
    assert text.read(large).iterations == 2
    for found in (large, good()):
        for key in (*FLOAT_KEYS, *NODE_KEYS, "Tree", "num_leaves", "num_cat", "is_linear", "shrinkage"):
            more = sized(re.sub(rb"\n(" + key.encode() + rb"=)", rb"\n\g<1>" + b"0 " * 256, found, count=1))
            with pytest.raises(skopsafe.ValidationError, match=key):
                text.read(more)
    fewer = sized(re.sub(rb"\n(split_gain=)(?:\S+ ){256}", rb"\n\1", large, count=1))
    with pytest.raises(skopsafe.ValidationError, match="split_gain"):
        text.read(fewer)


@pytest.mark.parametrize("name", ["multiclass", "frame", "linear", "one_leaf", "categories"])
def test_groups_of_trees_are_read_as_all_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = text_of(name)
    whole = text.read(found)
    places = [match.end() for match in re.finditer(rb"\nTree=\d+\nnum_leaves=", found)]
    for size in (1, 700, 1500):
        monkeypatch.setattr(text, "_AT_ONCE", size)
        assert text.read(found) == whole
        for number, place in enumerate(places):
            with pytest.raises(skopsafe.ValidationError, match=f"tree {number} .*num_cat"):
                text.read(sized(found[:place] + b"9" + found[place:].replace(b"\nnum_cat", b"\nnum_dog", 1)))


@pytest.mark.parametrize("key", [*lines.KEYS, "cat_boundaries", "cat_threshold"])
def test_each_line_has_its_place(key: str) -> None:
    found = text_of("categories")
    line = re.search(rb"\n" + key.encode() + rb"=[^\n]*", found)
    assert line is not None
    here, row = line.start(), line[0]
    rest = found[line.end() :]
    following = rest.index(b"\n", 1)
    for changes in (
        found[:here] + rest,
        found[:here] + row + row + rest,
        found[:here] + rest[:following] + row + rest[following:],
        found[:here] + row.replace(b"=", b" =") + rest,
        found[:here] + row.replace(b"=", b"") + rest,
        found[:here] + row.replace(b"=", b"==") + rest,
        found[:here] + row.upper() + rest,
        found[:here] + row + b" " + rest,
        found[:here] + row.replace(b"=", b"= ") + rest,
        found[:here] + row + b"\t" + rest,
        found[:here] + b"\n" + row + rest,
    ):
        for crafted in (sized(changes), changes):
            with pytest.raises(skopsafe.ValidationError, match=r"Booster\.model"):
                text.read(crafted)


def test_a_tree_has_the_shape_of_a_tree() -> None:
    """All ways to hang four nodes and five leaves together: trees are read, and nothing else."""
    rng = random.Random(0)
    found, seen = good(), {True: 0, False: 0}
    start = re.search(rb"\nnum_leaves=5\n(?s:.*?)\nleft_child=", found)
    assert start is not None
    end = found.index(b"\nleaf_value=", start.end())
    for _ in range(1500):
        children: list[Any] = [1, 2, 3, -1, -2, -3, -4, -5]
        rng.shuffle(children)
        for _ in range(rng.randrange(2)):
            children[rng.randrange(8)] = rng.randrange(-6, 5)
        left, right = children[:4], children[4:]
        expected = sorted(children) == [-5, -4, -3, -2, -1, 1, 2, 3] and all(
            child < 0 or child > node for side in (left, right) for node, child in enumerate(side)
        )
        middle = f"{' '.join(map(str, left))}\nright_child={' '.join(map(str, right))}".encode()
        crafted = sized(found[: start.end()] + middle + found[end:])
        if expected:
            assert text.read(crafted).iterations == 4
        else:
            with pytest.raises(skopsafe.ValidationError, match="_child"):
                text.read(crafted)
        seen[expected] += 1
    assert min(seen.values()) > 40


@pytest.mark.parametrize("key", [*FLOAT_KEYS, "leaf_const", "leaf_coeff", "feature_infos"])
def test_numbers_that_lightgbm_may_write_otherwise_are_noticed(key: str) -> None:
    """Of a text with such numbers, the one is kept that comes out again of what was read from it."""
    found = text_of("linear")
    assert not text.read(found).is_odd
    for number in (b"nan", b"inf", b"-inf", b"1e+308", b"1e-305"):
        if key != "feature_infos":
            crafted = sized(re.sub(rb"\n(" + key.encode() + rb")=[^ \n]+", rb"\n\1=" + number, found))
            assert text.read(crafted).is_odd
        else:
            crafted = re.sub(rb"\nfeature_infos=[^:]*:", rb"\nfeature_infos=[-inf:", found)
        booster = lgb.Booster(model_str=crafted.decode())
        data = skopsafe.dumps(booster)
        assert skopsafe.dumps(skopsafe.loads(data)) == data


def test_parameters_are_lines_of_a_key_and_a_value() -> None:
    found = good()
    for old, new in (
        (b"[boosting: gbdt]", b"x[boosting: gbdt]"),
        (b"[boosting: gbdt]", b"[boosting: gbdt]x"),
        (b"[boosting: gbdt]", b"[boosting:gbdt]"),
        (b"[boosting: gbdt]", b"[boosting]\n[boosting: gbdt]"),
        (b"[boosting: gbdt]\n", b"[boosting: gbdt]\n\n"),
        (b"[boosting: gbdt]\n", b""),
    ):
        assert old in found
        crafted = found.replace(old, new)
        if new:
            with pytest.raises(skopsafe.ValidationError, match=r"parameters|in place of"):
                text.read(crafted)
        else:
            assert text.read(crafted).iterations == 4
    assert trees.DEEPEST == 1000
