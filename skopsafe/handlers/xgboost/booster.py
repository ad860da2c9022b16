"""`xgboost.Booster`: the serialized model as one array of bytes, checked before xgboost reads it.

The bytes are those of ``XGBoosterSerializeToBuffer``, which pickle stores as well: the document of the model
and its configuration. xgboost reads a configuration only in the release that wrote it; in another one the
model alone is loaded, with the number of threads.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import numpy as np

from skopsafe.errors import ValidationError
from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import require
from skopsafe.handlers.generic_load import set_attributes
from skopsafe.handlers.refused import refused
from skopsafe.handlers.xgboost import config, document, params
from skopsafe.handlers.xgboost.document import Facts
from skopsafe.handlers.xgboost.layout import Octets
from skopsafe.handlers.xgboost.nodes import TreeReader
from skopsafe.handlers.xgboost.params import members
from skopsafe.handlers.xgboost.ubjson import Reader
from skopsafe.handlers.xgboost.written import UnusualError, WrittenTrees

Names = tuple[str, ...] | None

_FORMS = (
    ("content",),
    ("content", "caution"),
    ("content", "attributes"),
    ("content", "caution", "attributes"),
)


def examine(
    content: Octets, read_trees: type[TreeReader | WrittenTrees] = TreeReader
) -> tuple[Facts, tuple[int, int], int]:
    """Check a serialized booster.

    Parameters
    ----------
    content : bytes or bytearray
        What ``Booster.__getstate__`` has as handle.
    read_trees : type
        As for `skopsafe.handlers.xgboost.ubjson.Reader`.

    Returns
    -------
    facts : Facts
        What the model is.
    span : tuple of int
        Where the document of the model stands.
    threads : int
        The number of threads of its configuration.
    """
    reader = Reader(content, read_trees)
    both = members(reader.read(), {"Config", "Model"}, "Booster.content")
    facts = document.check(both["Model"])
    sizes = both["Model"]["learner"]["learner_model_param"]
    return facts, reader.spans["Model"], config.check(both["Config"], facts, sizes)


def _get(obj: Any) -> Parts:
    from xgboost.core import XGBoostError

    try:
        state = obj.__getstate__()
    except XGBoostError as error:
        reason = str(error).partition("Stack trace")[0].strip()
        raise TypeError(f"xgboost does not serialize it ({reason}); a Booster needs a model first") from error
    content = state.pop("handle")
    if content is None:
        raise TypeError("this Booster has been freed")
    try:
        return parts_of(content, facts_of(content), state)
    except ValidationError as error:
        raise TypeError(
            f"its model would not be loaded again, {error.path}: {error.reason}; "
            "a newer release of skopsafe may know it"
        ) from error


def facts_of(content: Octets) -> Facts:
    """Return what a serialized booster is, for a dump.

    Raises
    ------
    ValidationError
        It is none.
    """
    try:
        return examine(content, WrittenTrees)[0]
    except UnusualError:
        return examine(content)[0]


def parts_of(content: Octets, facts: Facts, attributes: dict[str, Any]) -> Parts:
    """Return the parts of a booster out of its serialized form and its attributes."""
    names = ["content"]
    values: list[Any] = [Leaf(np.frombuffer(content, np.uint8))]
    if facts.cautions:
        names.append("caution")
        values.append(True)
    if attributes:
        names.append("attributes")
        values.append(attributes)
    return Parts(tuple(names), values)


def installed() -> tuple[int, int, int]:
    """Return the version of the installed xgboost."""
    import xgboost

    found = re.match(r"(\d+)\.(\d+)\.(\d+)", xgboost.__version__)
    assert found is not None, xgboost.__version__
    return int(found[1]), int(found[2]), int(found[3])


def _refuse(what: str, next_step: str) -> NoReturn:
    raise ValidationError(what, path="Booster.content.version", next_step=next_step)


def _load(names: Names, values: list[Any], context: Context) -> Any:
    require(names in _FORMS, "unknown form", "Booster")
    given = dict(zip(names or (), values, strict=True))
    (array,) = context.arrays([given["content"]])
    require(array.dtype == np.uint8 and array.ndim == 1, "not bytes", "Booster.content")
    if isinstance(array, np.memmap) or not array.flags.writeable:
        array = np.array(array)  # xgboost is to read what was checked, and wants memory that it could write
    content = array.tobytes()
    facts, span, threads = examine(content)
    if facts.cautions or "caution" in given:
        # The audit has seen the mark; a model that needs it and has none was not approved.
        told = given.get("caution") is True and bool(facts.cautions)
        require(told, f"the mark does not fit the model: {', '.join(facts.cautions)}", "Booster.caution")
    attributes = given.get("attributes", {})
    fits = type(attributes) is dict and all(type(key) is str for key in attributes)
    require(fits and "handle" not in attributes, "not attributes", "Booster.attributes")
    cls = context.resolve()
    version, present = facts.version, installed()
    if version[:2] > present[:2]:
        wrote = ".".join(map(str, version))
        _refuse(
            f"the model was written by xgboost {wrote}, which is newer than the installed one",
            f"Install xgboost {wrote} or newer.",
        )
    if facts.tree_form == 2 and present >= (3, 2, 0):
        _refuse(
            "trees of several outputs written before xgboost 3.2 end the process in 3.2 and later",
            "Load the file with xgboost 3.1 or older; newer ones have no way to read such models.",
        )
    try:
        # Of an old configuration the threads alone were looked at.
        is_own = version == present and version >= params.ENDS
        obj = _make(cls, array, None if is_own else span, threads, facts)
    except ValueError as error:  # XGBoostError is one
        reason = str(error).partition("Stack trace")[0].strip()
        _refuse(f"xgboost refuses the model: {reason}", "The file is damaged or crafted; do not load it.")
    set_attributes(obj, tuple(attributes), list(attributes.values()))
    return obj


def _make(cls: Any, content: Any, span: tuple[int, int] | None, threads: int, facts: Facts) -> Any:
    """Make a booster of a checked document, or of the part of it that holds the model."""
    obj = cls.__new__(cls)
    if span is None:
        obj.__setstate__({"handle": content})
    else:
        obj.__init__()
        obj.load_model(bytearray(content[span[0] : span[1]]))
        if threads:
            obj.set_param({"nthread": threads})
    if facts.tree_form:
        # Methods that know no vectors ask this parameter before they read trees, and not the trees.
        obj.set_param({"multi_strategy": "multi_output_tree"})
    return obj


_DATA = ("DMatrix", "QuantileDMatrix", "ExtMemQuantileDMatrix", "DataIter", "_ProxyDMatrix")

HANDLERS = (
    Handler("xgboost.core:Booster", _get, _load),
    *(
        refused(
            f"xgboost.core:{name}",
            f"a {name} holds data in memory of xgboost; save the array or table that it was made from",
        )
        for name in _DATA
    ),
)
