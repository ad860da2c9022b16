"""Files of skops that are changed at random end in an object or in a documented error."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

import skopsafe
from tests.skops import golden

LOADERS = (
    *("DictNode", "ListNode", "TupleNode", "SetNode", "ObjectNode", "TreeNode", "LossNode", "NdArrayNode"),
    *("JsonNode", "TypeNode", "FunctionNode", "ConstructorFromReduceNode", "SparseMatrixNode", "MethodNode"),
    *("PartialNode", "DefaultDictNode", "RandomGeneratorNode", "MaskedArrayNode", "CachedNode"),
)
SCALARS = (None, True, 0, -1, 2**63, 1e308, "", "a", "builtins", "numpy", "1", "[]", "\x1b[31m")
COUNT = 60


def parts(root: Any) -> Iterator[Any]:
    """Go through all lists and dicts of JSON."""
    todo = [root]
    while todo:
        part = todo.pop()
        if isinstance(part, dict | list):
            yield part
            todo += part.values() if isinstance(part, dict) else part


def mutated(data: bytes, others: list[str], rng: random.Random) -> bytes:
    source = zipfile.ZipFile(io.BytesIO(data))
    root = json.loads(source.read("schema.json"))
    if rng.random() < 0.7:  # so that a node can take the place of another
        for part in parts(root):
            if isinstance(part, dict):
                part.pop("__id__", None)
    for _ in range(rng.choice((1, 1, 2, 4))):
        part = rng.choice(list(parts(root)))
        other = json.loads(rng.choice(others))
        if isinstance(part, list):
            part.insert(rng.randint(0, len(part)), other)
        elif part:
            key = rng.choice(list(part))
            part[key] = rng.choice((other, rng.choice(SCALARS)))
            if "__loader__" in part and rng.random() < 0.3:
                part["__loader__"] = rng.choice(LOADERS)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for name in source.namelist():
            content = bytearray(source.read(name))
            if name == "schema.json":
                content = bytearray(json.dumps(root | {"protocol": 2}).encode())
            elif content and rng.random() < 0.2:
                content[rng.randrange(len(content))] = rng.randrange(256)
            zipped.writestr(name, bytes(content))
    return out.getvalue()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("release", ["0.5", "0.9", "0.13", "0.16"])
def test_a_changed_file_is_an_object_or_an_error(release: str) -> None:
    rng = random.Random(release)
    files = {kind: data for kind, data in golden.of(release)[1].items() if len(data) < 60_000}
    others = []
    for data in files.values():
        root = json.loads(zipfile.ZipFile(io.BytesIO(data)).read("schema.json"))
        others += [json.dumps(part) for part in rng.choices(list(parts(root)), k=4) if part]
    loaded = 0
    for _ in range(COUNT):
        data = mutated(files[rng.choice(list(files))], others, rng)
        problem = None
        try:
            asked = skopsafe.audit(data).untrusted
            skopsafe.loads(data)
        except skopsafe.SkopsafeError as error:
            problem = error
        if problem is None:
            assert not asked
            loaded += 1
        else:
            assert str(problem).replace("\n", "").isprintable()
            assert problem.next_step
    assert 0 < loaded < COUNT
