"""Nodes of objects of numpy, scipy and scikit-learn, and of instances of any class. See `nodes`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skopsafe.foreign.pickles.values import Call, Dict, Global, List, Value
from skopsafe.foreign.skops.loaders import LOSS_MODULES
from skopsafe.foreign.skops.nodes import (
    OWN,
    At,
    Made,
    Node,
    Parts,
    Reading,
    inside,
    parts_of,
    reduced,
    wrong,
)

_PICKLED = "numpy.random._pickle"
_OBJECT = ("O8", False, True)
_OBJECT_STATE = (3, "|", None, None, None, -1, -1, 63)
_NEW_OBJECT = ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree", "sklearn.metrics._dist_metrics")
"""Modules of compiled classes that are pickled by a function ``newObj``, and a tuple as state."""
_WITH_PARAMETER = ("CyPinballLoss", "CyHuberLoss", "CyHalfTweedieLoss", "CyHalfTweedieLossIdentity")
_DEEPEST = 8


def _array(node: Node, at: At) -> Parts:
    if node.get("type") == "json":
        return _objects(node, at)
    if node.get("type") != "numpy":
        raise wrong("an array is of no known kind")
    found: Any = at.members.array(inside(node, "file"))
    name = at.name
    if name == "matrix":
        if found.ndim != 2:
            raise wrong("a matrix has not two dimensions")
        found = found.view(np.matrix)
    elif name not in ("ndarray", "memmap"):
        kind = np.sctypeDict.get(name)
        same = kind is not None and np.dtype(kind).kind == found.dtype.kind and found.ndim == 0
        if not same:
            raise wrong(f"an array stands for a scalar of type {name}")
        found = found.astype(kind)[()] if np.dtype(kind).itemsize == found.dtype.itemsize else found[()]
    return [], lambda _: found


def _objects(node: Node, at: At) -> Parts:
    """An array of objects: lists in lists, as deep as it has dimensions."""
    content = inside(node)
    if not isinstance(content, list):
        raise wrong("the objects of an array are no list")
    below = [(".shape", inside(node, "shape"))]
    below += [(f".content[{index}]", item) for index, item in enumerate(content)]

    def finish(made: Made) -> Value:
        shape, items = made[0], made[1:]
        if (
            not isinstance(shape, tuple)
            or not shape
            or not all(type(size) is int and size >= 0 for size in shape)
        ):
            raise wrong("the shape of an array is malformed")
        for size in shape[1:]:
            if not all(isinstance(item, List) and len(item.items) == size for item in items):
                raise wrong("an array has not as many objects as its shape says")
            if len(set(map(id, items))) < len(items):  # else a few lists could be any number of objects
                raise wrong("a list stands twice in an array")
            items = [part for item in items for part in item.items]
        if len(items) != math.prod(shape):
            raise wrong("an array has not as many objects as its shape says")
        dtype = at.call("numpy", "dtype", *_OBJECT, states=[_OBJECT_STATE])
        state = (1, shape, dtype, False, List(items, at.number))
        ndarray = Global("numpy", "ndarray", at.number)
        return at.call("numpy._core.multiarray", "_reconstruct", ndarray, (0,), b"b", states=[state])

    return below, finish


def _masked(node: Node, at: At) -> Parts:
    if at.name == "MaskedConstant":
        return [], lambda _: at.call(at.module, at.name)
    return parts_of(node, "data", "mask"), lambda made: at.call(OWN, "MaskedArrayNode", *made)


def _dtype(node: Node, at: At) -> Parts:
    def finish(made: Made) -> Value:
        # An empty array of the dtype; that of objects is no member.
        if isinstance(made[0], np.ndarray):
            return made[0].dtype
        if not isinstance(made[0], Call) or made[0].function.name != "_reconstruct":
            raise wrong("a dtype is not that of an array")
        return np.dtype(object)

    return [(".content", inside(node))], finish


def _named(state: Value) -> dict[str, Value]:
    if not isinstance(state, Dict) or not all(isinstance(key, str) for key, _ in state.pairs):
        raise wrong("the state of a random generator is no dict")
    return dict(state.pairs)


def _name_of(state: Value) -> str:
    name = _named(state).get("bit_generator")
    if not isinstance(name, str):
        raise wrong("a bit generator has no name")
    return name


def _random_state(node: Node, at: At) -> Parts:
    def finish(made: Made) -> Value:
        return at.call(_PICKLED, "__randomstate_ctor", _name_of(made[0]), states=[made[0]])

    return [(".content", inside(node))], finish


def _generator(node: Node, at: At) -> Parts:
    content = inside(node)
    if not isinstance(content, dict) or not isinstance(content.get("bit_generator"), dict):
        raise wrong("a random generator has no bit generator")
    if "__loader__" not in content["bit_generator"]:  # of protocol 0
        raw = _raw(content["bit_generator"], at)
        return [], lambda _: at.call(_PICKLED, "__generator_ctor", _name_of(raw), states=[raw])
    keys = ("bit_generator", "seed_seq") if "seed_seq" in content else ("bit_generator",)

    def finish(made: Made) -> Value:
        state: Value = made[0]
        if len(made) == 2:
            state = (state, _seed(_named(made[1]), at))
        inner = at.call(_PICKLED, "__bit_generator_ctor", _name_of(made[0]), states=[state])
        return at.call(_PICKLED, "__generator_ctor", inner)

    return parts_of(node, *keys), finish


def _seed(state: dict[str, Value], at: At) -> Value:
    if state.keys() != {"entropy", "spawn_key", "pool_size", "n_children_spawned"}:
        raise wrong("a seed sequence has other parts")
    parts = (state["entropy"], state["n_children_spawned"], None, state["pool_size"], state["spawn_key"])
    cls = Global("numpy.random.bit_generator", "SeedSequence", at.number)
    return at.call("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence", cls, 0, None, states=[parts])


def _raw(content: dict[str, Any], at: At, depth: int = 0) -> Dict:
    if depth > _DEEPEST or any(isinstance(value, list) for value in content.values()):
        raise wrong("the state of a random generator is malformed")
    pairs = [
        (key, _raw(value, at, depth + 1) if isinstance(value, dict) else value)
        for key, value in content.items()
    ]
    return Dict(pairs, at.number)


def _sparse(node: Node, at: At) -> Parts:
    found = at.members.sparse(inside(node, "file"))
    kind, _, form = at.name.partition("_")
    wrote, is_array = found.pop("format", None), found.pop("_is_array", None)
    spelled = {f"S{len(kind)}": kind.encode(), f"<U{len(kind)}": kind}  # scipy before 1.0 had texts
    agrees = wrote is not None and any(
        wrote.dtype == np.dtype(dtype) and wrote == text for dtype, text in spelled.items()
    )
    # Old releases wrote nothing of arrays, and read them as matrices: the name of the type says it.
    if not agrees or (is_array is not None and bool(is_array.all()) != (form == "array")):
        raise wrong(f"a {at.name} is of another format")
    shape = found.pop("shape", None)
    if shape is None or shape.ndim != 1 or shape.dtype.kind not in "iu":
        raise wrong("a sparse matrix has no shape")
    coords: Any = found.pop("coords", None)
    if coords is not None:  # one array for each dimension, if these are not two
        if coords.ndim != 2:
            raise wrong("the coordinates of a sparse array are malformed")
        found["coords"] = tuple(coords)  # type: ignore[assignment]
    pairs: list[tuple[Value, Value]] = [("_shape", tuple(shape.tolist())), *found.items()]
    cls = Global(f"scipy.sparse._{kind}", at.name, at.number)
    return [], lambda _: Call("new", cls, (), at.number, states=[Dict(pairs, at.number)])


def _object(node: Node, at: At) -> Parts:
    """An instance of a class: what pickles make by ``__new__`` and a state, or by a function of the class."""
    if at.module in LOSS_MODULES:
        # Up to 0.10, skops kept no parameters of losses, and reads them as zeros. Predictions ask for none.
        lost = (0.0,) if at.name in _WITH_PARAMETER else ()
        return [], lambda _: at.call(at.module, at.name, *lost)
    content = node.get("content")
    below = [] if content is None else [(".content", content)]

    def finish(made: Made) -> Value:
        states = [state for state in made if state is not None]
        if at.module in _NEW_OBJECT:
            return at.call(at.module, "newObj", at.type, states=states)
        return at.new(states=states)

    return below, finish


NODES: dict[str, Reading] = {
    "NdArrayNode": _array,
    "MaskedArrayNode": _masked,
    "DTypeNode": _dtype,
    "RandomStateNode": _random_state,
    "RandomGeneratorNode": _generator,
    "SparseMatrixNode": _sparse,
    "TreeNode": reduced,
    "LossNode": reduced,
    "SGDNode": reduced,
    "QuantileForestNode": reduced,
    "ObjectNode": _object,
}
