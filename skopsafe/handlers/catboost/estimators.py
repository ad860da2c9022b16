"""`CatBoost` and its three estimators: parameters, the model in its binary form, and what they remember.

The model is loaded only after our own reader went through all of it: see `check_model`. Source of what an
estimator holds: ``catboost/core.py`` (``_CatBoostBase.__getstate__``) and ``_catboost.pyx``, in CatBoost 1.2.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from skopsafe.errors import ValidationError, shown
from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.catboost.blob import ordered, parse
from skopsafe.handlers.catboost.check import Found, check_model, check_written
from skopsafe.handlers.catboost.info import has_plain_loss
from skopsafe.handlers.checks import MOST_THREADS, array, integer, require
from skopsafe.handlers.generic_load import set_attributes
from skopsafe.handlers.refused import refused

Names = tuple[str, ...] | None

TYPES = tuple(
    f"catboost.core:{name}"
    for name in ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker")
)
_PARAMS, _MODEL = "params", "model"
_MARKS = ("embedding_features", "no_splits")
"""What shows in the schema that a model needs approval."""
_KEPT = ("_object", "_init_params", "_canonized_params")
_RESERVED = frozenset((_PARAMS, _MODEL, *_MARKS, *_KEPT))


def _get(obj: Any) -> Parts:
    state = dict(vars(obj))
    params = state["_init_params"]
    attributes = {name: state[name] for name in sorted(set(state) - set(_KEPT))}
    return parts_of(params, _blob(obj) if obj.is_fitted() else None, attributes)


def parts_of(params: Any, model: tuple[bytes, Found] | None, attributes: dict[str, Any]) -> Parts:
    """Return the parts of an estimator.

    Parameters
    ----------
    params : dict
        What it was made with.
    model : tuple of (bytes, Found) or None
        The binary form of the model, in order, and what was found in it.
    attributes : dict
        What it remembers besides, in the order of the names.
    """
    names, values = [_PARAMS], [params]
    if model is not None:
        names.append(_MODEL)
        values.append(Leaf(np.frombuffer(model[0], np.uint8)))
        for mark in _marks(model[1]):
            names.append(mark)
            values.append(True)
    for name, value in attributes.items():
        if name in _RESERVED:
            raise TypeError(f"its attribute {name!r} has a name that the format needs for another thing")
        names.append(name)
        values.append(value)
    return Parts(tuple(names), values)


def _blob(obj: Any) -> tuple[bytes, Found]:
    """Return the binary form of a model that can be loaded again."""
    try:
        obj._object._get_class_labels()
        model = parse(obj._object._serialize_model())
        if not has_plain_loss(model.info):
            obj._object._get_loss_function_name()
        found = check_written(model)
        return ordered(model), found
    except ValidationError as error:
        # After a pickle the library writes dictionaries of texts without their options.
        raise TypeError(
            f"the library writes a model that could not be loaded again ({error.path}: {error.reason})"
        ) from error


def _load(names: Names, values: list[Any], context: Context) -> Any:
    """Make the estimator, and its model if it has one."""
    cls = context.resolve()
    where = cls.__name__
    given = dict(zip(names or (), values, strict=True))
    params = given.pop(_PARAMS, None)
    require(isinstance(params, dict), "are no dict", f"{where}.params")
    for name in ("thread_count", "n_jobs"):
        if isinstance(params.get(name), int | float | np.number):
            few = bool(-MOST_THREADS <= params[name] <= MOST_THREADS)
            require(few, "is not a sane number of threads", f"{where}.params[{name!r}]")
    obj = cls.__new__(cls)
    obj.__setstate__({})
    if _MODEL in given:
        _give_model(obj, given, params, context)
    require(not _RESERVED & set(given), "unknown form", where)
    set_attributes(obj, tuple(given), list(given.values()))
    obj._init_params = params
    fitted = obj.is_fitted()
    require(
        fitted == (_MODEL in (names or ())), "is there without a model, or missing", f"{where}._random_seed"
    )
    return obj


def _give_model(obj: Any, given: dict[str, Any], params: dict[Any, Any], context: Context) -> None:
    where = type(obj).__name__
    data = array(context.arrays([given.pop(_MODEL)])[0], f"{where}.model", kinds="u", ndim=1)
    require(data.dtype == np.uint8 and data.flags.c_contiguous, "is not bytes", f"{where}.model")
    blob = data.tobytes()  # what has been checked does not change
    found = check_model(blob)
    for mark in _MARKS:
        marked = given.pop(mark, None) is True
        require(marked or mark not in _marks(found), "is not said, and the model is such", f"{where}.{mark}")
    trees = given.get("_tree_count", found.n_trees)
    integer(trees, f"{where}._tree_count", found.n_trees, found.n_trees)
    try:
        # Not from the bytes: a model that views them cannot be changed, and loses options of dictionaries.
        obj._object._load_from_stream(io.BytesIO(blob))
        loss = _require_readable(obj)
    except MemoryError:
        raise
    except Exception as error:  # whatever the library raises: an older one does not know all of a newer one
        raise ValidationError(
            f"the installed CatBoost cannot read the model: {error}",
            path=f"{where}.model",
            next_step="Install the version that wrote the file, or a newer one.",
        ) from shown(error)
    # The loss decides what is read of the outputs when nothing else is asked for; the library does not look.
    losses = {"model": loss} | {
        f"params[{name!r}]": params.get(name) for name in ("loss_function", "objective")
    }
    for place, value in losses.items():
        if isinstance(value, str) and value == "RMSEWithUncertainty":
            require(found.dimension == 2, f"{found.dimension} outputs of two", f"{where}.{place}")


def _marks(found: Found) -> list[str]:
    return [
        mark
        for mark, needed in zip(_MARKS, (found.reads_embeddings, not found.splits), strict=True)
        if needed
    ]


def _require_readable(obj: Any) -> str:
    """Let the library read the metadata that it reads again in threads: there an error ends the process."""
    obj._object._get_class_labels()
    loss: str = obj._object._get_loss_function_name()
    return loss


_POOL = (
    "a Pool keeps its data in compiled code that does not give them back; save the arrays, data frame "
    "or the path of the file that it was made from, and make it again"
)

HANDLERS = (
    *(Handler(name, _get, _load) for name in TYPES),
    refused("catboost.core:Pool", _POOL),
)
