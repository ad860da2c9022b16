"""The format as ``docs/format.md`` tells it: files are read here with zipfile, json and numpy alone."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

import skopsafe

SQUARES = {f"{number}": [number, (number**2,), number / 7] for number in range(300)}
TABLE = np.asfortranarray(np.arange(60_000.0).reshape(300, 200))


class Plain:
    """A reader without skopsafe: names become dicts, containers become themselves."""

    def __init__(self, path: Path) -> None:
        self.zip = zipfile.ZipFile(path)
        self.schema = json.loads(self.zip.read("schema.json"))
        self.arrays = list(self.all_arrays())

    def all_arrays(self) -> Any:
        places: dict[str, int] = {}
        for number, member, fortran, count, shape in self.schema["arrays"]:
            name = self.schema["members"][member]
            dtype = np.lib.format.descr_to_dtype(self.schema["dtypes"][number])
            found = np.load(io.BytesIO(self.zip.read(name)), allow_pickle=False)
            assert found.dtype == (dtype if name.startswith("arrays/") else np.uint8)
            for row in range(count):
                sizes = [size[row] if isinstance(size, list) else size for size in shape]
                if name.startswith("arrays/"):
                    assert count == 1
                    assert found.shape == tuple(sizes)
                    yield found
                    continue
                start = places.get(name, 0)
                end = start + int(np.prod(sizes, dtype=int)) * dtype.itemsize
                places[name] = -(-end // 16) * 16
                yield found[start:end].view(dtype).reshape(sizes, order="F" if fortran else "C")

    def array(self, number: int) -> Any:
        return self.arrays[number]

    def nodes(self) -> Any:
        for shape, count, columns in self.schema["runs"]:
            if self.schema["shapes"][shape][1] is None:
                for row in columns:
                    if isinstance(row, dict):
                        items = range(row["count"])
                        yield shape, [self.cell(column, item) for item in items for column in row["columns"]]
                    else:
                        yield shape, row
                continue
            for row in range(count):
                yield shape, [self.cell(column, row) for column in columns]

    def cell(self, column: Any, row: int) -> Any:
        if isinstance(column, list):
            return column[row]
        if not isinstance(column, dict):
            return column
        if "refs" in column:
            return [column["refs"][row]]
        if "ref" in column:
            return [column["ref"] + row * column.get("step", 0)]
        if "floats" in column:
            return self.array(column["floats"])[row].item()
        return column["first"] + row

    def read(self) -> Any:
        built: list[Any] = []

        def value(item: Any) -> Any:
            return built[item[0]] if isinstance(item, list) else item

        for shape, items in self.nodes():
            row, attributes = self.schema["shapes"][shape]
            name, role = self.schema["types"][row]
            values = [value(item) for item in items]
            if name in ("numpy:ndarray", "numpy:generic") and attributes == ["array"]:
                built.append(self.array(values[0]))
            elif name in ("numpy:generic", "numpy:ndarray"):
                built.append(values[-1])
            elif name in ("builtins:list", "builtins:tuple"):
                built.append(values)
            elif name == "builtins:dict":
                built.append(dict(zip(values[::2], values[1::2], strict=True)))
            elif name == "sklearn.tree._tree:Tree":
                for place in (1, 4, 5):
                    values[place] = self.array(values[place])
                built.append({"": (name, role), **dict(zip(attributes, values, strict=True))})
            else:
                built.append({"": (name, role), **dict(zip(attributes, values, strict=True))})
        return value(self.schema["root"])


@pytest.fixture(scope="module")
def forest() -> Any:
    X, y = make_classification(400, 8, random_state=0)
    return RandomForestClassifier(5, random_state=0).fit(X, y)


@pytest.fixture(scope="module")
def path(forest: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("format") / "forest.skops"
    skopsafe.dump({"forest": forest, "table": TABLE, "squares": SQUARES}, path)
    return path


def test_a_forest_can_be_read_without_skopsafe(forest: Any, path: Path) -> None:
    found = Plain(path).read()
    assert np.array_equal(found["table"], TABLE)
    assert found["squares"] == {key: [n, list(square), root] for key, (n, square, root) in SQUARES.items()}
    assert found["forest"][""] == ("sklearn.ensemble._forest:RandomForestClassifier", "class")
    assert np.array_equal(found["forest"]["classes_"], forest.classes_)
    trees = [estimator["tree_"] for estimator in found["forest"]["estimators_"]]
    assert len(trees) == 5
    for tree, estimator in zip(trees, forest.estimators_, strict=True):
        assert tree[""] == ("sklearn.tree._tree:Tree", "class")
        state = estimator.tree_.__getstate__()
        assert np.array_equal(tree["values"], state["values"])
        assert tree["max_depth"] == estimator.tree_.max_depth
        for field in ("left_child", "right_child", "feature", "threshold"):
            assert np.array_equal(tree["nodes"][field], state["nodes"][field])


def test_the_schema_has_the_documented_fields(path: Path) -> None:
    schema = Plain(path).schema
    assert list(schema) == [
        "format",
        "protocol",
        "__class__",
        "__module__",
        "__loader__",
        "writer",
        "types",
        "shapes",
        "dtypes",
        "members",
        "arrays",
        "runs",
        "root",
    ]
    assert schema["format"] == "skopsafe"
    assert schema["protocol"] == 1
    assert {"skopsafe", "python", "scikit-learn"} <= set(schema["writer"])


def test_the_schema_is_the_last_member(path: Path) -> None:
    infos = zipfile.ZipFile(path).infolist()
    assert infos[-1].filename == "schema.json"
    assert max(infos, key=lambda info: info.header_offset).filename == "schema.json"


def test_the_data_of_stored_arrays_is_aligned_to_64_bytes(path: Path) -> None:
    content = path.read_bytes()
    names = []
    for info in zipfile.ZipFile(path).infolist():
        if not info.filename.endswith(".npy"):
            continue
        assert info.compress_type == zipfile.ZIP_STORED
        name, extra = struct.unpack_from("<HH", content, info.header_offset + 26)
        member = info.header_offset + 30 + name + extra
        assert content[member : member + 6] == b"\x93NUMPY"
        (header,) = struct.unpack_from("<H", content, member + 8)
        assert (member + 10 + header) % 64 == 0
        names.append(info.filename)
    assert any(name.startswith("arrays/") for name in names)
    assert any(name.startswith("pool/") for name in names)


def test_every_member_is_listed_or_the_schema(path: Path) -> None:
    reader = Plain(path)
    assert set(reader.zip.namelist()) == {*reader.schema["members"], "schema.json"}


def test_the_same_object_gives_the_same_bytes(forest: Any, path: Path) -> None:
    assert skopsafe.dumps({"forest": forest, "table": TABLE, "squares": SQUARES}) == path.read_bytes()


def test_a_closing_link_of_a_cycle_refers_ahead() -> None:
    loop: list[Any] = []
    loop.append([loop])
    with zipfile.ZipFile(io.BytesIO(skopsafe.dumps(loop))) as found:
        schema = json.loads(found.read("schema.json"))
    assert schema["runs"] == [[0, 1, [[[1]]]], [0, 1, [[[0]]]]]
    assert schema["root"] == [1]


def test_skops_says_whose_file_it_is(path: Path) -> None:
    skops = pytest.importorskip("skops.io")
    with pytest.raises(TypeError, match=r"Can't find loader skopsafe\.load"):
        skops.load(path)
