"""Crafted models of CatBoost: each is refused before the library sees it, and most kill it without that."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("catboost")

import skopsafe
from skopsafe.handlers.catboost import blob as binary
from skopsafe.handlers.catboost.check import check_model
from skopsafe.testing.crafted import changed, forged
from skopsafe.testing.mutants import run
from tests.attacks.crashes import Case, assert_most_kill
from tests.catboost_models import BLOB, MODELS

FAR = 2**30
MADE: dict[str, tuple[Any, Any, bytes]] = {}
Edit = Callable[["Editor"], None]


def made(name: str) -> tuple[Any, Any, bytes]:
    """Return a model, rows, and its binary form."""
    if name not in MADE:
        model, X = MODELS[name]()
        MADE[name] = model, X, binary.ordered(binary.parse(model._serialize_model()))
    return MADE[name]


class Table:
    """One table of a FlatBuffer, as its writer left it; nothing is checked."""

    def __init__(self, data: bytes | bytearray, place: int) -> None:
        self.data, self.place = data, place

    def at(self, field: int) -> int:
        """Return where the value of a field stands, or zero."""
        fields = self.place - struct.unpack_from("<i", self.data, self.place)[0]
        (size,) = struct.unpack_from("<H", self.data, fields)
        entry = 4 + 2 * field
        (offset,) = struct.unpack_from("<H", self.data, fields + entry) if entry < size else (0,)
        return self.place + offset if offset else 0

    def follow(self, place: int) -> int:
        return int(place + struct.unpack_from("<I", self.data, place)[0])

    def table(self, field: int) -> Table:
        return Table(self.data, self.follow(self.at(field)))

    def vector(self, field: int) -> tuple[int, int]:
        """Return where the items of a vector begin, and how many there are."""
        place = self.follow(self.at(field))
        return place + 4, struct.unpack_from("<I", self.data, place)[0]

    def rows(self, field: int) -> list[Table]:
        start, count = self.vector(field)
        return [Table(self.data, self.follow(start + 4 * number)) for number in range(count)]


class Editor:
    """Changes a model in place."""

    def __init__(self, blob: bytes) -> None:
        self.blob = bytearray(blob)
        root = Table(self.blob, 8 + struct.unpack_from("<I", blob, 8)[0])
        self.trees = root.table(1)
        self.behind = 8 + struct.unpack_from("<I", blob, 4)[0]

    def put(self, place: int, form: str, value: float) -> None:
        struct.pack_into(form, self.blob, place, value)

    def item(self, field: int, index: int, value: float, form: str = "<i", size: int = 4) -> None:
        """Change an item of a vector of the trees."""
        self.put(self.trees.vector(field)[0] + index * size, form, value)

    def count(self, field: int, value: int) -> None:
        """Change the length of a vector of the trees."""
        self.put(self.trees.vector(field)[0] - 4, "<I", value)

    def scalar(self, table: Table, field: int, value: float, form: str = "<i") -> None:
        assert table.at(field)
        self.put(table.at(field), form, value)

    def rows(self, field: int) -> list[Table]:
        return self.trees.rows(field)

    def table(self) -> Table:
        """Return the first table of statistics."""
        start = self.behind + 8
        return Table(self.blob, start + struct.unpack_from("<I", self.blob, start)[0])

    def inside(self, field: int, offset: int, form: str, value: int) -> None:
        """Change bytes of a vector of the first table of statistics."""
        self.put(self.table().vector(field)[0] + offset, form, value)

    def replace(self, old: bytes, new: bytes) -> None:
        assert len(old) == len(new)
        assert old in self.blob
        self.blob[:] = bytes(self.blob).replace(old, new)


def _all_filled(editor: Editor) -> None:
    for place in range(0, editor.table().vector(1)[1], 12):
        editor.inside(1, place, "<Q", place + 1)


def _hashes(editor: Editor) -> np.ndarray:
    start, size = editor.table().vector(1)
    return np.frombuffer(editor.blob[start : start + size], [("hash", "<u8"), ("place", "<u4")])["hash"]


def _displaced(editor: Editor) -> None:
    """Let the hash of a bucket be one that would stand behind it."""
    hashes = _hashes(editor)
    place = int(np.flatnonzero(hashes != np.uint64(2**64 - 1))[0])
    editor.inside(1, 12 * place, "<B", (place + 1) % len(hashes))


def _twice(editor: Editor) -> None:
    """Let a hash stand once more, in the empty bucket that a walk for it would end at."""
    hashes = _hashes(editor).tolist()
    place = next(
        place
        for place in range(len(hashes) - 1)
        if hashes[place] % len(hashes) == place and hashes[place + 1] == 2**64 - 1
    )
    editor.inside(1, 12 * (place + 1), "<Q", hashes[place])
    editor.inside(1, 12 * (place + 1) + 8, "<I", 0)


def _words(editor: Editor, change: Callable[[int, int], None]) -> None:
    """Apply a change to where the buckets of the first dictionary stand, and how many bytes they have."""
    start = editor.blob.index(b"MMapDictionary") + 16
    (options,) = struct.unpack_from("<Q", editor.blob, start + 8)
    place = start + 16 + options
    change(place, struct.unpack_from("<Q", editor.blob, place)[0])


def _fill_words(editor: Editor) -> None:
    def fill(place: int, size: int) -> None:
        for bucket in range(0, size, 16):
            editor.put(place + 16 + bucket, "<Q", 7)

    _words(editor, fill)


FLOATS, CATS, ONE_HOT, CTRS = 5, 4, 6, 7


def _bases(editor: Editor) -> list[Table]:
    return [row.table(0).table(0) for row in editor.rows(CTRS)]


def _unknown_kind(editor: Editor) -> None:
    base = next(base for base in _bases(editor) if base.at(1))  # zero is not written
    editor.scalar(base, 1, 77, "<b")


def _nest(editor: Editor) -> None:
    """Fill a text of the metadata with brackets."""
    place = editor.blob.index(b'"loss_function"')
    editor.blob[place : place + 1000] = b"[" * 1000


CASES: dict[str, tuple[str, Edit, str]] = {
    "a split outside": ("regressor", lambda e: e.item(1, 0, FAR), "TreeSplits"),
    "a negative split": ("regressor", lambda e: e.item(1, 0, -FAR), "TreeSplits"),
    "a tree too large": ("regressor", lambda e: e.item(2, 0, 30), "TreeStartOffsets"),
    "a tree of negative size": ("regressor", lambda e: e.item(2, 0, -5), "TreeSizes"),
    "a tree elsewhere": ("regressor", lambda e: e.item(3, 1, FAR), "TreeStartOffsets"),
    "fewer values": ("regressor", lambda e: e.count(8, 1), "LeafValues"),
    "more values than bytes": ("regressor", lambda e: e.count(8, FAR), "LeafValues"),
    "fewer weights": ("regressor", lambda e: e.count(9, 3), "LeafWeights"),
    "many outputs": ("regressor", lambda e: e.scalar(e.trees, 0, FAR), "LeafValues"),
    "no output": ("regressor", lambda e: e.scalar(e.trees, 0, 0), "ApproxDimension"),
    "a bias that is no number": ("regressor", lambda e: e.item(16, 0, np.nan, "<d", 8), "MultiBias"),
    "a step outside": ("leaves", lambda e: e.item(10, 0, 0xFFFF, "<H"), "NonSymmetricStepNodes"),
    "two ways to a node": ("leaves", lambda e: e.item(10, 0, 0x00010001, "<I"), "NonSymmetricStepNodes"),
    "a leaf outside": (
        "leaves",
        lambda e: [e.item(11, i, FAR) for i in range(9)],
        "NonSymmetricNodeIdToLeafId",
    ),
    "columns out of order": ("regressor", lambda e: e.scalar(e.rows(FLOATS)[1], 2, FAR), "FlatIndex"),
    "a column counted too far": ("categories", lambda e: e.scalar(e.rows(FLOATS)[0], 1, 16), "Index"),
    "a feature outside": (
        "regressor",
        lambda e: e.scalar(e.rows(FLOATS)[3], 1, FAR),
        r"FloatFeatures\.Index",
    ),
    "borders out of order": (
        "regressor",
        lambda e: e.put(e.rows(FLOATS)[0].vector(3)[0], "<f", 9e9),
        "Borders",
    ),
    "a one-hot feature of no category": (
        "one hot",
        lambda e: e.scalar(e.rows(ONE_HOT)[0], 0, 99),
        "OneHotFeatures",
    ),
    "statistics of no category": (
        "categories",
        lambda e: e.put(_bases(e)[0].table(0).vector(0)[0], "<i", 99),
        "CatFeatures",
    ),
    "statistics of an unknown kind": ("categories of numbers", _unknown_kind, "CtrType"),
    "a class outside": (
        "categories of classes",
        lambda e: e.scalar(e.rows(CTRS)[-1].table(0), 1, FAR),
        "TargetBorderIdx",
    ),
    "a bucket outside": (
        "categories",
        lambda e: [e.inside(1, 12 * i + 8, "<I", FAR) for i in range(8)],
        "IndexHashRaw",
    ),
    "a hash that no walk leads to": ("categories", _displaced, "IndexHashRaw"),
    "a hash that is there twice": ("categories", _twice, "IndexHashRaw"),
    "no bucket empty": ("categories", _all_filled, "IndexHashRaw"),
    "a number of classes": (
        "categories of classes",
        lambda e: e.put(e.table().at(4), "<i", FAR),
        "TargetClassesCount",
    ),
    "a table of statistics that is cut": ("categories", lambda e: e.put(e.behind + 4, "<I", FAR), "CtrData"),
    "a million tables": ("categories", lambda e: e.put(e.behind, "<I", 10**6), "CtrData"),
    "a dictionary that is full": ("texts", _fill_words, "Dictionary"),
    "a dictionary that ends within a bucket": (
        "texts",
        lambda e: _words(e, lambda place, size: e.put(place, "<Q", size - 8)),
        "Dictionary",
    ),
    "classes that are not there": (
        "classes",
        lambda e: e.replace(b'"class_to_label":[0,1,2]', b'"class_to_label":[0,1,9]'.replace(b"9", b"9")),
        "class_params",
    ),
    "a loss of two outputs": (
        "poisson",
        lambda e: e.replace(
            b'"loss_function":{"type":"Poisson","params":{}}',
            b'"loss_function":{"type":"RMSEWithUncertainty"}'[:46].ljust(46),
        ),
        "",
    ),
    "a text nested without end": ("metadata", _nest, "InfoMap"),
    "another format": (
        "regressor",
        lambda e: e.replace(b"FlabuffersModel_v1", b"FlabuffersModel_v2"),
        "FormatVersion",
    ),
    "another part": (
        "categories",
        lambda e: e.replace(b"static_provider_v1", b"static_provider_v9"),
        "ModelPartIds",
    ),
    "two gigabytes announced": ("regressor", lambda e: e.put(4, "<I", 2**31), "core"),
    "no model": ("regressor", lambda e: e.replace(b"CBM1", b"ONNX"), "header"),
}


def crafted(name: str) -> tuple[str, bytes, str]:
    model, edit, match = CASES[name]
    editor = Editor(made(model)[2])
    edit(editor)
    return model, bytes(editor.blob), match


@pytest.mark.parametrize("name", CASES)
def test_a_crafted_model_is_refused(name: str) -> None:
    which, blob, match = crafted(name)
    model, _, before = made(which)
    assert blob != before
    type_name, part = BLOB(model)
    data = forged(model, type_name, **{part: lambda _: np.frombuffer(blob, np.uint8)})
    with pytest.raises(skopsafe.ValidationError, match=rf"CatBoost\w*\.model.*{match}"):
        skopsafe.loads(data)


class Crafted:
    """Unpickles as an estimator whose model is crafted."""

    def __init__(self, cls: type, blob: bytes) -> None:
        self.cls, self.blob = cls, blob

    def __reduce__(self) -> Any:
        return self.cls, (), {"__model": self.blob}


KILL = (
    "a split outside",
    "a negative split",
    "a tree of negative size",
    "a tree too large",
    "a step outside",
    "a leaf outside",
    "a bucket outside",
    "a class outside",
    "a number of classes",
)


def _case(name: str) -> Case:
    def make() -> tuple[Any, str, tuple[Any, ...]]:
        which, blob, _ = crafted(name)
        model, X, _ = made(which)
        return Crafted(type(model), blob), "predict", (X,)

    return Case(make, "")


def test_crafted_models_kill_processes_without_the_checks(tmp_path: Path) -> None:
    assert_most_kill({name: _case(name) for name in KILL}, tmp_path)


def test_every_shorter_model_is_refused() -> None:
    _, _, blob = made("categories")
    for size in [*range(0, 64, 5), *range(64, len(blob), 29), len(blob) - 1]:
        with pytest.raises(skopsafe.ValidationError):
            check_model(blob[:size])


def test_embeddings_cannot_be_hidden() -> None:
    model, _ = MODELS["embeddings"]()

    def hide(schema: dict[str, Any]) -> None:
        shape = next(shape for shape in schema["shapes"] if shape[1] and "embedding_features" in shape[1])
        shape[1][shape[1].index("embedding_features")] = "other"

    data = changed(model, hide)
    assert skopsafe.get_untrusted_types(data=data) == []
    with pytest.raises(skopsafe.ValidationError, match=r"CatBoostClassifier\.embedding_features"):
        skopsafe.loads(data)


@pytest.mark.parametrize("name", ["_object", "_canonized_params", "predict", "is_fitted"])
def test_an_attribute_hides_nothing(name: str) -> None:
    model, _, _ = made("regressor")

    def put(schema: dict[str, Any]) -> None:
        shape = next(shape for shape in schema["shapes"] if shape[1] and "model" in shape[1])
        shape[1][shape[1].index("_tree_count")] = name

    with pytest.raises(skopsafe.ValidationError, match="CatBoostRegressor"):
        skopsafe.loads(changed(model, put))


def test_the_parameters_cannot_start_a_million_threads() -> None:
    from catboost import CatBoostClassifier

    data = skopsafe.dumps(CatBoostClassifier(thread_count=10**6))
    with pytest.raises(skopsafe.ValidationError, match="thread_count"):
        skopsafe.loads(data)


@pytest.mark.parametrize("name", ["leaves", "categories of classes", "texts of all kinds", "early stopping"])
def test_mutants_do_no_harm(name: str) -> None:
    tally = run("tests.catboost_models", name, 50)
    assert tally.bad == []
    assert tally.endings["loaded"]
    assert tally.endings["ValidationError"] > 15
