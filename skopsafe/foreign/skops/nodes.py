"""Nodes of Python's own types, and of any class, as the records that a pickle has for them.

Each function looks at a node and returns the nodes in it, by where they stand, and what makes the record of
it once these have theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skopsafe.errors import FormatError
from skopsafe.foreign.pickles.values import ByteArray, Call, Dict, Global, List, Set, Value
from skopsafe.foreign.skops.loaders import name_of
from skopsafe.foreign.skops.members import Members
from skopsafe.foreign.skops.schema import AGAIN

Node = dict[str, Any]
Made = list[Value]
Parts = tuple[list[tuple[str, Any]], Callable[[Made], Value]]

OWN = "skops.io"
"""The module of what only skops has: no rule for pickles knows it."""
_KEYS: dict[str, Callable[[str], Any]] = {
    "builtins:str": str,
    "builtins:int": int,
    "builtins:float": float,
    # As JSON spells the key; skops itself makes True of both, and nothing of None.
    "builtins:bool": {"true": True, "false": False, "True": True, "False": False}.__getitem__,
    "builtins:NoneType": {"null": None}.__getitem__,
    **dict.fromkeys(
        ("numpy:bool", "numpy:bool_"), {"true": np.True_, "false": np.False_}.__getitem__
    ),  # by release of numpy
}


@dataclass(frozen=True, slots=True)
class At:
    """What a node is read with.

    Attributes
    ----------
    number : int
        Its number, in the order of the file; records have it in place of an offset.
    module, name : str
        The name of its type.
    members : Members
        The other members of the zip.
    """

    number: int
    module: str
    name: str
    members: Members

    @property
    def type(self) -> Global:
        """The type as a record."""
        return Global(self.module, self.name, self.number)

    def call(self, module: str, name: str, *args: Value, states: list[Value] | None = None) -> Call:
        """Return a call of a function."""
        return Call("reduce", Global(module, name, self.number), args, self.number, states=states or [])

    def new(self, args: tuple[Value, ...] = (), **parts: Any) -> Call:
        """Return an instance of the type."""
        return Call("new", self.type, args, self.number, **parts)


def wrong(reason: str) -> FormatError:
    """Return the error for a node that is not as skops writes it."""
    return FormatError(reason, path="schema.json", next_step=AGAIN)


def inside(node: Node, key: str = "content") -> Any:
    """Return what a node has under a key."""
    if key not in node:
        raise wrong(f"a node has no {key}")
    return node[key]


def parts_of(node: Node, *keys: str) -> list[tuple[str, Any]]:
    """Return the nodes that the content of a node has under keys."""
    content = inside(node)
    if not isinstance(content, dict) or not all(key in content for key in keys):
        raise wrong(f"the content of a node is not {', '.join(keys)}")
    return [(f".content.{key}", content[key]) for key in keys]


def _sequence(node: Node) -> list[tuple[str, Any]]:
    content = inside(node)
    if not isinstance(content, list):
        raise wrong("the content of a node is no list")
    return [(f".content[{index}]", item) for index, item in enumerate(content)]


def _list(node: Node, at: At) -> Parts:
    if at.type.spelled == "builtins:list":
        return _sequence(node), lambda made: List(made, at.number)
    return _sequence(node), lambda made: at.new(items=made)


def _set(node: Node, at: At) -> Parts:
    if at.type.spelled == "builtins:set":
        return _sequence(node), lambda made: Set(made, at.number)
    return _sequence(node), lambda made: at.call(at.module, at.name, List(made, at.number))


def _tuple(node: Node, at: At) -> Parts:
    if at.type.spelled == "builtins:tuple":
        return _sequence(node), tuple
    return _sequence(node), lambda made: at.new(tuple(made))  # a namedtuple


def _dict(node: Node, at: At) -> Parts:
    content = inside(node)
    if not isinstance(content, dict):
        raise wrong("the content of a dict is none")
    spelled = list(content)
    below = [(".key_types", inside(node, "key_types"))]
    below += [(f".content.{key}", value) for key, value in content.items()]

    def finish(made: Made) -> Value:
        pairs = list(zip(_keys(spelled, made[0]), made[1:], strict=True))
        match at.type.spelled:
            case "builtins:dict":
                return Dict(pairs, at.number)
            case "collections:OrderedDict" | "collections:defaultdict":
                # Of a defaultdict, the factory was not written before skops 0.11.
                call = at.call(at.module, at.name)
                call.pairs = pairs
                return call
            case "collections:Counter":
                return at.call(at.module, at.name, Dict(pairs, at.number))
        return at.new(pairs=pairs)

    return below, finish


def _keys(spelled: list[str], types: Value) -> list[Value]:
    if not isinstance(types, List) or len(types.items) != len(spelled):
        raise wrong("a dict has not one type for each key")
    return [_key(text, kind) for text, kind in zip(spelled, types.items, strict=True)]


def _key(text: str, kind: Value) -> Value:
    name = kind.spelled if isinstance(kind, Global) else "builtins:NoneType" if _is_none_type(kind) else ""
    make = _KEYS.get(name)
    if make is None and name.startswith("numpy:"):
        make = np.sctypeDict.get(name[6:])
        if make is not None and not issubclass(make, np.number | np.str_):
            make = None
    if make is None:
        raise wrong(f"{name.replace(':', '.') or 'something else'} is no type of a key in a file of skops")
    try:
        return make(text)
    except (ValueError, KeyError, OverflowError, TypeError):
        raise wrong("a key of a dict is not of its type") from None


def _is_none_type(kind: Value) -> bool:
    return isinstance(kind, Call) and kind.args == (None,)


def _default_dict(node: Node, at: At) -> Parts:
    def finish(made: Made) -> Value:
        main, factory = made
        if not isinstance(main, Dict):
            raise wrong("a defaultdict is made of no dict")
        call = at.call("collections", "defaultdict", factory)
        call.pairs = main.pairs
        return call

    return parts_of(node, "main", "default_factory"), finish


def _json(node: Node, at: At) -> Parts:
    content = inside(node)
    if not isinstance(content, str):
        raise wrong("a scalar is no text of JSON")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise wrong("a scalar is no text of JSON") from None
    if isinstance(value, list | dict):
        raise wrong("a scalar is a list or dict")
    return [], lambda _: value


def _bytes(node: Node, at: At) -> Parts:
    content = at.members.content(inside(node, "file"))
    return [], lambda _: content if at.module == "builtins" else np.bytes_(content)


def _bytearray(node: Node, at: At) -> Parts:
    content = at.members.content(inside(node, "file"))
    return [], lambda _: ByteArray(content, at.number)


def _slice(node: Node, at: At) -> Parts:
    ends = [value for _, value in parts_of(node, "start", "stop", "step")]
    if any(isinstance(end, list | dict) for end in ends):
        raise wrong("an end of a slice is no scalar")
    return [], lambda _: at.call("builtins", "slice", *ends)


def _type(node: Node, at: At) -> Parts:
    if at.type.spelled == "builtins:NoneType":
        return [], lambda _: at.call("builtins", "type", None)
    return [], lambda _: at.type


def _function(node: Node, at: At) -> Parts:
    if "content" not in node:
        return [], lambda _: at.type
    # Of protocol 0, where the type is that of functions.
    module, name = (value for _, value in parts_of(node, "module_path", "function"))
    found = Global(*name_of({"__module__": module, "__class__": name}), at.number)
    return [], lambda _: found


def _partial(node: Node, at: At) -> Parts:
    below = parts_of(node, "func", "args", "kwds", "namespace")
    return below, lambda made: at.call("functools", "partial", made[0], states=[tuple(made)])


def _method(node: Node, at: At) -> Parts:
    content = inside(node)
    if not isinstance(content, dict) or not isinstance(content.get("obj"), dict):
        raise wrong("the content of a method is not its object")
    function, obj = content.get("func"), content["obj"]
    owner = name_of(obj)
    # Up to protocol 1 the type was that of methods, in the module of the class.
    if at.name != "method" and owner != (at.module, at.name):
        raise wrong("a method is of another class than its object")
    if not isinstance(function, str) or not function.isidentifier():
        raise wrong("a method has no name")
    named = Global(owner[0], f"{owner[1]}.{function}", at.number)
    return [(".content.obj", obj)], lambda made: at.call(OWN, "MethodNode", named, made[0])


def _operator(node: Node, at: At) -> Parts:
    return [(".attrs", inside(node, "attrs"))], lambda made: at.call(at.module, at.name, *_args(made[0]))


def _args(made: Value) -> tuple[Value, ...]:
    if made is None:
        return ()
    if not isinstance(made, tuple):
        raise wrong("arguments are no tuple")
    return made


def _constructor(node: Node, at: At) -> Parts:
    def finish(made: Made) -> Value:
        args = _args(made[0])
        if at.type.spelled == "zoneinfo:ZoneInfo":
            method = at.call("builtins", "getattr", at.type, "_unpickle")
            return Call("reduce", method, (*args, True), at.number)
        return at.call(at.module, at.name, *args)

    return [(".content", inside(node))], finish


def reduced(node: Node, at: At) -> Parts:
    """Read the node of an object with arguments and a state."""
    reduce = node.get("__reduce__")
    if not isinstance(reduce, dict) or "args" not in reduce:
        raise wrong("a node has no arguments")
    below = [(".content", inside(node)), (".__reduce__.args", reduce["args"])]

    def finish(made: Made) -> Value:
        is_empty = made[0] is None or (type(made[0]) is tuple and not made[0])
        is_empty = is_empty or (isinstance(made[0], Dict) and not made[0].pairs)
        return at.call(at.module, at.name, *_args(made[1]), states=[] if is_empty else [made[0]])

    return below, finish


Reading = Callable[[Node, At], Parts]

NODES: dict[str, Reading] = {
    "DictNode": _dict,
    "DefaultDictNode": _default_dict,
    # A dict with the names that some keys had before.
    "_DictWithDeprecatedKeysNode": lambda node, _: (parts_of(node, "main"), lambda made: made[0]),
    "ListNode": _list,
    "SetNode": _set,
    "TupleNode": _tuple,
    "JsonNode": _json,
    "BytesNode": _bytes,
    "BytearrayNode": _bytearray,
    "SliceNode": _slice,
    "TypeNode": _type,
    "FunctionNode": _function,
    "PartialNode": _partial,
    "MethodNode": _method,
    "OperatorFuncNode": _operator,
    "ConstructorFromReduceNode": _constructor,
}
