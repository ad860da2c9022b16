"""Files of skops whose nodes contradict themselves, hide names, or are more than they seem."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

import skopsafe
from tests.attacks.skops_files import (
    file,
    instance,
    items,
    mapping,
    method,
    name,
    node,
    operator,
    partial,
    value,
)

EXEC = name("builtins", "exec")
TREE = "sklearn.tree._tree", "Tree"


def factory(of: Any) -> Any:
    content = {"main": mapping({}), "default_factory": of}
    return node("DefaultDictNode", "collections", "defaultdict", content=content)


def old_function(module: str, function: str) -> Any:
    content = {"module_path": module, "function": function}
    return node("FunctionNode", "numpy", "ufunc", content=content)


def reduced(loader: str, module: str, kind: str) -> Any:
    return node(loader, module, kind, content=mapping({}), __reduce__={"args": items("tuple")})


CONTRADICTIONS = {
    "scalar-of-a-class": node("JsonNode", *TREE, content="1"),
    "object-for-a-tree": instance(*TREE, mapping({})),
    "tree-for-an-object": reduced("TreeNode", "mypkg", "Model"),
    "loss-of-any-class": reduced("LossNode", "os", "PathLike"),
    "old-loss-of-any-class": reduced("SGDNode", "subprocess", "Popen"),
    "forest-of-any-class": reduced("QuantileForestNode", "subprocess", "Popen"),
    "dict-for-a-list": node("DictNode", "builtins", "list", content={}, key_types=items("list")),
    "list-for-a-dict": node("ListNode", "builtins", "dict", content=[]),
    "array-of-any-class": node("NdArrayNode", "subprocess", "Popen", type="numpy", file="a.npy"),
    "partial-of-any-class": partial(EXEC, claimed=("sklearn.pipeline", "Pipeline")),
    "operator-of-another-name": operator("operator", "call", EXEC),
    "generator-of-any-class": node("RandomGeneratorNode", "subprocess", "Popen", content={}),
    "state-of-any-class": node("RandomStateNode", "os", "PathLike", content=mapping({})),
    "matrix-of-any-class": node("SparseMatrixNode", "os", "PathLike", type="scipy", file="a.npz"),
    "no-such-loader": node("EvalNode", "builtins", "str", content="1"),
    "loader-is-no-text": node(["JsonNode"], "builtins", "str", content="1"),  # type: ignore[arg-type]
    "loader-of-another-file": node("skopsafe.load", "builtins", "str", content="1"),
    "walk-through-modules": name("os", "path.join"),
    "name-of-markup": name("builtins", "<b>len</b>"),
    "name-is-a-list": node("TypeNode", ["os"], "system"),  # type: ignore[arg-type]
    "method-of-another-object": method(value("a"), "format", ("sklearn.pipeline", "Pipeline")),
    "method-with-a-path": method(value("a"), "__class__.__mro__"),
    "key-by-a-call": mapping({"code": value(1)}, EXEC),
    "key-by-a-method": mapping({"code": value(1)}, method(value("a"), "format")),
    "key-by-a-dtype": mapping({"code": value(1)}, name("numpy", "void")),
    "more-keys-than-types": mapping({"a": value(1), "b": value(2)}, name("builtins", "str")),
    "scalar-is-a-container": node("JsonNode", "builtins", "str", content="[1]"),
    "scalar-is-nested-deep": node("JsonNode", "builtins", "str", content="[" * 100_000),
    "scalar-of-many-digits": node("JsonNode", "builtins", "str", content="1" * 100_000),
    "reference-to-nothing": {"__loader__": "CachedNode", "__id__": 5, "__class__": None, "__module__": None},
    "no-node": items("list", [1]),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("root", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_file_that_contradicts_itself_is_refused(root: Any) -> None:
    for look in (skopsafe.loads, skopsafe.audit, skopsafe.visualize):
        with pytest.raises(skopsafe.FormatError) as caught:
            look(file(root))
        assert caught.value.next_step


def call(module: str, function: str) -> Any:
    return node("ConstructorFromReduceNode", module, function, content=items("tuple"))


def derived(loader: str, *content: Any, **parts: Any) -> Any:
    return node(loader, "subprocess", "Popen", content=parts.pop("of", list(content)), **parts)


LISTED = {
    "factory": (factory(EXEC), "builtins.exec"),
    "old-function": (old_function("os", "system"), ".system"),
    "old-function-in-a-partial": (partial(old_function("os", "system")), ".system"),
    "call": (call("builtins", "eval"), "builtins.eval"),
    "call-of-a-loader": (call("skops.io", "loads"), "skops"),
    "instance": (instance("subprocess", "Popen", mapping({})), "subprocess.Popen"),
    "derived-dict": (derived("DictNode", of={}, key_types=items("list")), "subprocess.Popen"),
    "derived-list": (derived("ListNode"), "subprocess.Popen"),
    "derived-set": (derived("SetNode", value("ls")), "subprocess.Popen"),
    "named-tuple": (derived("TupleNode", value("ls")), "subprocess.Popen"),
    "method": (method(value("{0.__class__}"), "format"), "str.format"),
    "type": (name("subprocess", "Popen"), "subprocess.Popen"),
}


@pytest.mark.parametrize(("root", "denied"), LISTED.values(), ids=LISTED)
def test_whatever_form_a_denied_name_has_it_is_denied(root: Any, denied: str) -> None:
    data = file(root)
    found = skopsafe.audit(data)
    assert any(denied in name for name in found.denied), found.untrusted
    with pytest.raises(skopsafe.DeniedTypeError):
        skopsafe.loads(data, trusted=found.untrusted)


def test_what_is_under_an_unknown_class_is_listed_too() -> None:
    data = file(instance("mypkg", "Model", mapping({"f": name("mypkg.sub", "function")})))
    assert skopsafe.get_untrusted_types(data=data) == ["mypkg.Model", "mypkg.sub.function"]
    with pytest.raises(skopsafe.UntrustedTypesFoundException):
        skopsafe.loads(data, trusted=["mypkg.Model"])


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_an_older_protocol_is_no_way_around(protocol: int) -> None:
    root = partial(old_function("os", "system")) | {"protocol": protocol}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("schema.json", json.dumps(root))
    assert skopsafe.audit(out.getvalue()).denied


@pytest.mark.parametrize("protocol", [3, -1, True, "2", None, 1e300])
def test_a_protocol_that_is_not_known_is_refused(protocol: Any) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("schema.json", json.dumps(value(1) | {"protocol": protocol}))
    with pytest.raises(skopsafe.FormatError):
        skopsafe.loads(out.getvalue())


def test_a_number_stands_for_one_object() -> None:
    one = value("harmless") | {"__id__": 7}
    hidden = instance("subprocess", "Popen") | {"__id__": 7}
    with pytest.raises(skopsafe.FormatError, match="one number"):
        skopsafe.audit(file(items("list", one, hidden)))
    # What skops would pass by, because the number is known, is not in the object either.
    passed_by = items("list", hidden) | {"__id__": 9}
    same = items("list", one) | {"__id__": 9}
    assert skopsafe.loads(file(items("list", same, passed_by))) == [["harmless"], ["harmless"]]


def test_an_object_that_holds_itself_is_refused() -> None:
    inner = items("list") | {"__id__": 3}
    with pytest.raises(skopsafe.FormatError, match="part of itself"):
        skopsafe.audit(file(items("list", items("tuple", inner)) | {"__id__": 3}))


def test_a_crafted_tree_is_validated() -> None:
    skops = pytest.importorskip("skops.io")
    X = np.arange(40.0).reshape(20, 2)
    data = skops.dumps(DecisionTreeClassifier().fit(X, X[:, 0] > 20))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if b"left_child" in content[:200]:
                array = np.load(io.BytesIO(content))
                array["left_child"][0] = 10_000
                buffer = io.BytesIO()
                np.save(buffer, array)
                content = buffer.getvalue()
            new.writestr(member, content)
    assert skopsafe.loads(data).tree_.node_count == 3
    with pytest.raises(skopsafe.ValidationError):
        skopsafe.loads(out.getvalue())
    skopsafe.update(io.BytesIO(out.getvalue()), new_file := io.BytesIO())
    with pytest.raises(skopsafe.ValidationError):
        skopsafe.loads(new_file.getvalue())


@pytest.mark.parametrize(
    ("function", "harmless", "harmful"),
    [
        ("attrgetter", "shape", "a.__class__"),
        ("methodcaller", "sum", "__reduce__"),
        ("methodcaller", "sum", "a.b"),
    ],
)
def test_a_getter_needs_approval_and_takes_public_names_only(
    function: str, harmless: str, harmful: str
) -> None:
    name = f"operator.{function}"
    for text in (harmless, harmful):
        data = file(operator("operator", function, value(text)))
        assert skopsafe.get_untrusted_types(data=data) == [name]
        with pytest.raises(skopsafe.UntrustedTypesFoundException):
            skopsafe.loads(data)
    assert skopsafe.loads(file(operator("operator", function, value(harmless))), trusted=[name]) is not None
    with pytest.raises(skopsafe.ValidationError, match=r"public name|name of a method"):
        skopsafe.loads(data, trusted=[name])


def test_a_state_of_any_kind_is_an_object_or_an_error() -> None:
    """An array where a dict or tuple is the state of a compiled object: comparing it gives an array."""
    for array in (np.arange(3), np.zeros((2, 0))):
        out = io.BytesIO()
        np.save(out, array)
        state = node("NdArrayNode", "numpy", "ndarray", type="numpy", file="a.npy")
        root = reduced("LossNode", "sklearn._loss._loss", "CyHuberLoss") | {"content": state}
        for look in (skopsafe.audit, skopsafe.loads, skopsafe.visualize):
            with pytest.raises(skopsafe.UnsupportedTypeError):
                look(file(root, **{"a.npy": out.getvalue()}))
