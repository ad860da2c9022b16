"""Tools that make crafted files: take a file apart, change it, put it together again."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any
from unittest import mock

import msgspec

import skopsafe
from skopsafe import api
from skopsafe.graph.parts import Leaf, Parts
from skopsafe.handlers import generic
from skopsafe.handlers.registry import Registry


def schema_of(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        result: dict[str, Any] = json.loads(archive.read("schema.json"))
    return result


def members_of(data: bytes) -> dict[str, bytes]:
    """Return the members of a file but for its schema."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        return {name: old.read(name) for name in old.namelist() if name != "schema.json"}


def zipped(schema: dict[str, Any] | bytes, members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for name, content in members.items():
            new.writestr(zipfile.ZipInfo(name), content)  # without the time, which `writestr` adds to a name
        text = schema if isinstance(schema, bytes) else json.dumps(schema)
        new.writestr(zipfile.ZipInfo("schema.json"), text)
    return out.getvalue()


def with_schema(data: bytes, schema: dict[str, Any] | bytes) -> bytes:
    return zipped(schema, members_of(data))


def changed(obj: Any, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Dump `obj` and apply `change` to the schema of the file."""
    data = skopsafe.dumps(obj)
    schema = schema_of(data)
    change(schema)
    return with_schema(data, schema)


def unchecked(obj: Any) -> bytes:
    """Dump an object with attributes that hide what its class says, which `dump` refuses as `load` does."""
    with mock.patch.object(generic, "replaces", return_value=None):
        generic._are_attributes.cache_clear()
        try:
            return skopsafe.dumps(obj)
        finally:
            generic._are_attributes.cache_clear()


def call(name: str, role: str = "call", *args: Any) -> bytes:
    """Return a file that asks for `name` in `role` with scalar arguments."""
    schema = {
        "format": "skopsafe",
        "protocol": 1,
        "__class__": "load",
        "__module__": "skopsafe",
        "__loader__": "skopsafe.load",
        "writer": {},
        "types": [["builtins:tuple", "class"], [name, role]],
        "shapes": [[0, None], [1, ["()args"] if role == "call" else []]],
        "dtypes": [],
        "members": [],
        "arrays": [],
        "runs": [[0, 1, [list(args)]], [1, 1, [{"ref": 0}] if role == "call" else []]],
        "root": [1],
    }
    return zipped(schema, {})


def forged(obj: Any, type_name: str, **changes: Callable[[Any], Any]) -> bytes:
    """Dump `obj` with parts of every instance of a handled type replaced.

    ``forged(model, "sklearn.tree._tree:Tree", max_depth=lambda old: 0)`` gives the file that a crafted
    object would give whose `max_depth` is 0. Attributes of plain instances need no such help: set them on
    the object and dump it.
    """
    registry = api._registry()
    genuine = registry.by_name(type_name)
    assert genuine is not None

    def replaced(change: Callable[[Any], Any], value: Any) -> Any:
        if not isinstance(value, Leaf):
            return change(value)
        made = change(value.array)
        return made if isinstance(made, Leaf) else Leaf(made)

    def get(instance: Any) -> Parts:
        parts = genuine.get(instance)
        assert parts.attributes is not None
        assert changes.keys() <= set(parts.attributes)
        values = [
            replaced(changes[name], value) if name in changes else value
            for name, value in zip(parts.attributes, parts.values, strict=True)
        ]
        return msgspec.structs.replace(parts, values=values)

    handlers = [registry.by_name(name) for name in sorted(registry.types) if name != type_name]
    forging = Registry(
        [dataclasses.replace(genuine, get=get, get_run=None), *(found for found in handlers if found)]
    )
    with mock.patch.object(api, "_registry", return_value=forging):
        return skopsafe.dumps(obj)
