"""``lightgbm.Booster``: its text and its Python attributes.

Pickling a Booster keeps the text and ``__dict__``, and drops the data sets (``Booster.__getstate__``); so
does this. Where a parameter names files or machines, ``reaches`` holds it, and a rule asks for approval.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from skopsafe.errors import ValidationError
from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import integer, require
from skopsafe.handlers.generic_load import slots_to_set
from skopsafe.handlers.lightgbm import parameters, text
from skopsafe.handlers.lightgbm.lines import WHERE
from skopsafe.handlers.lightgbm.numbers import ODD
from skopsafe.handlers.refused import refused

Names = tuple[str, ...] | None

_FORM = ("model", "reaches", "state")
DROPPED = ("_handle", "handle", "train_set", "valid_sets")
_FIRST_TREE, _BEHIND_TREES = b"\nTree=0\n", b"\nend of trees\n"
_BYTES_OF_A_TREE = 2**12  # of 31 leaves, as trees have unless told otherwise

PREDICTOR = frozenset(
    {
        "_InnerPredictor__is_manage_handle",
        "num_class",
        "num_total_iteration",
        "pandas_categorical",
        "pred_parameter",
    }
)


def _get(obj: Any) -> Parts:
    state = {name: value for name, value in vars(obj).items() if name not in DROPPED}
    handle = vars(obj).get("_handle")
    if handle is None or handle.value is None:
        raise TypeError("it holds no model; LightGBM would follow an empty address")
    try:
        found, lines = _text_of(obj)
    except ValidationError as error:
        raise TypeError(f"its text could not be loaded again: {error.reason} (at {error.path})") from error
    return parts_of(found, lines, state)


def parts_of(found: bytes, lines: dict[str, str], state: dict[str, Any]) -> Parts:
    """Return the parts of a booster.

    Parameters
    ----------
    found : bytes
        The text of the model, without the lines that need approval.
    lines : dict of str to str
        These lines, by key.
    state : dict
        Its other attributes.
    """
    taken: dict[str, Any] = {"model": lines} if lines else {}
    if type(state.get("params")) is dict:
        state["params"], doors = parameters.take_doors(state["params"])
        if doors:
            taken["params"] = doors
    if state.get("_network"):
        taken["network"] = state["_network"]
        state["_network"] = False
    # Predictions for data sets that are not kept. C++ would write into such a buffer, whatever its size.
    for name, empty in (("inner_predict_buffer", None), ("is_predicted_cur_iter", False)):
        if isinstance(state.get(f"_Booster__{name}"), list):
            state[f"_Booster__{name}"] = [empty] * len(state[f"_Booster__{name}"])
    return Parts(_FORM, [Leaf(np.frombuffer(found, np.uint8)), taken or None, state])


def _text_of(booster: Any) -> tuple[bytes, dict[str, str]]:
    """Return the text of the model that comes out again of a Booster made from it.

    What names files or machines is taken out of it, and returned by itself.
    """
    from lightgbm import Booster

    written = _written(booster)
    first = written.find(_FIRST_TREE)
    found, lines = parameters.take_lines(written)
    if first < 0 or text.read(found).is_odd or _is_odd(found, first):
        found, lines = parameters.take_lines(_written(Booster(model_str=written.decode("utf-8"))))
        text.read(found)
    return found, lines


def _written(booster: Any) -> bytes:
    """Return the text of a model without the last line, ``pandas_categorical``, which is kept by itself.

    ``Booster.model_to_string`` has room for a megabyte, and lets C++ write a longer text a second time. So
    the function of the C API that it calls (``LGBM_BoosterSaveModelToString``) is given more room here.
    """
    import ctypes

    from lightgbm.basic import _LIB, _safe_call  # type: ignore[attr-defined]

    size, needed = max(2**20, _BYTES_OF_A_TREE * booster.num_trees()), ctypes.c_int64(0)
    while True:
        room = ctypes.create_string_buffer(size)
        _safe_call(
            _LIB.LGBM_BoosterSaveModelToString(
                booster._handle, 0, -1, 0, ctypes.c_int64(size), ctypes.byref(needed), room
            )
        )
        if needed.value <= size:
            return ctypes.string_at(room, needed.value - 1)
        size = needed.value


def _is_odd(found: bytes, first: int) -> bool:
    """Tell whether there are such numbers in front of the trees, or behind them."""
    parts = found[:first].replace(b"feature_infos=", b""), found[found.rindex(_BEHIND_TREES) :]
    return any(map(ODD.search, parts))


def _load(names: Names, values: list[Any], context: Context) -> Any:
    require(names == _FORM, "unknown form", "Booster")
    number, taken, state = values
    require(type(state) is dict, "not a dict", "Booster.state")
    require(taken is None or type(taken) is dict, "not a dict", "Booster.reaches")
    array = context.arrays([number])[0]
    require(array.dtype == np.uint8 and array.ndim == 1, "not bytes", WHERE)
    found = array.tobytes()
    model = text.read(found)
    if taken and "model" in taken:
        found = parameters.put_lines(found, taken["model"])
    cls = context.resolve()
    _check_state(cls, state, model)
    state = dict(state)
    if taken and "params" in taken:
        require(type(taken["params"]) is dict, "not a dict", "Booster.reaches")
        state["params"] = {**state["params"], **taken["params"]}
    if taken and "network" in taken:
        state["_network"] = taken["network"]
    obj = cls.__new__(cls)
    obj._handle = _read_by_lightgbm(found)
    obj.__setstate__(state)
    return obj


def _read_by_lightgbm(found: bytes) -> Any:
    """Return the handle of a model, as ``Booster.__setstate__`` makes it of a str, which it encodes first."""
    import ctypes

    from lightgbm.basic import _LIB, _safe_call  # type: ignore[attr-defined]

    handle, iterations = ctypes.c_void_p(), ctypes.c_int(0)
    _safe_call(
        _LIB.LGBM_BoosterLoadModelFromString(
            ctypes.c_char_p(found), ctypes.byref(iterations), ctypes.byref(handle)
        )
    )
    return handle


def _check_state(cls: Any, state: dict[Any, Any], model: text.Model) -> None:
    slots_to_set(cls, tuple(state))
    for name in DROPPED:
        require(name not in state, "is nothing that a file can give", f"Booster.{name}")
    for name, empty in (("inner_predict_buffer", None), ("is_predicted_cur_iter", False)):
        value = state.get(f"_Booster__{name}", [])
        fits = type(value) is list and all(item is empty for item in value)
        require(fits, "is not empty", f"Booster.{name}")
    require(state.get("_network", False) is False, "is set", "Booster._network")
    given = state.get("params", {})
    require(type(given) is dict, "not a dict", "Booster.params")
    classes = max(parameters.FEW_CLASSES, model.num_class)
    parameters.check(given, "Booster.params", classes)
    for key in parameters.DOORS & given.keys():
        require(given[key] is None, "may name a file or a machine", f"Booster.params.{key}")
    # C++ multiplies it by the trees of an iteration, in 32 bits.
    most = (2**31 - 1) // model.num_class
    if state.get("best_iteration") is not None:
        integer(state["best_iteration"], "Booster.best_iteration", -1, most)
    if "_Booster__num_class" in state:
        integer(state["_Booster__num_class"], "Booster.num_class", model.num_class, model.num_class)
    # Room for as many results of metrics is made.
    count = integer(state.get("_Booster__num_inner_eval", 0), "Booster.num_inner_eval", 0, 10_000)
    if count:
        labels = state.get("_Booster__name_inner_eval")
        require(
            type(labels) is list and len(labels) == count, "has another length", "Booster.name_inner_eval"
        )
    predictor = state.get("_Booster__init_predictor")
    if predictor is not None:
        known = type(predictor).__module__ == cls.__module__ and type(predictor).__name__ == "_InnerPredictor"
        require(known, "not an _InnerPredictor", "Booster.init_predictor")


def _get_predictor(obj: Any) -> Parts:
    """What is left of a predictor without its handle, as when it is pickled."""
    state = {name: value for name, value in vars(obj).items() if name not in ("_handle", "handle")}
    if not state.keys() <= PREDICTOR:
        raise TypeError("it has attributes that are not known")
    return Parts(tuple(state), list(state.values()))


def _load_predictor(names: Names, values: list[Any], context: Context) -> Any:
    # A handle is an address: whatever a file gave would be freed and followed.
    require(names is not None and set(names) <= PREDICTOR, "unknown attributes", "_InnerPredictor")
    cls = context.resolve()
    obj = cls.__new__(cls)
    obj.__dict__.update(zip(names or (), values, strict=True))
    return obj


_DATASET = (
    "a Dataset holds binned data inside of LightGBM that cannot be read out; save the data and the "
    "parameters that it was made of, or use Dataset.save_binary. A Booster is saved without its Dataset"
)

HANDLERS = (
    Handler("lightgbm.basic:Booster", _get, _load),
    Handler("lightgbm.basic:_InnerPredictor", _get_predictor, _load_predictor),
    refused("lightgbm.basic:Dataset", _DATASET),
)
