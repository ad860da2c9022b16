"""Getters of ``operator``: what takes items, attributes or the result of a method of what it is given.

They need approval, for what they do is up to the text in them. Their loaders take public names and constants.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

from skopsafe.errors import ValidationError
from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.handlers.checks import require

_CONSTANTS = (str, bytes, int, float, bool, type(None), slice)
_MOST = 1000
"""Items and attributes, parts of a dotted name, and arguments of one."""

Names = tuple[str, ...] | None


def _arguments(require_sound: Callable[[list[Any]], None]) -> Callable[[Any], Parts]:
    def get(obj: Any) -> Parts:
        values = list(obj.__reduce__()[1])
        _require_loadable(require_sound, values)
        return Parts(None, values)

    return get


def _require_loadable(require_sound: Callable[[list[Any]], None], values: list[Any]) -> None:
    """Refuse in a dump what could not be loaded again."""
    try:
        require_sound(values)
    except ValidationError as error:
        raise TypeError(f"{error.path}: {error.reason}") from error


def _require_constants(values: Any, where: str) -> None:
    """Take constants, and tuples of them: with others, a method of an array could write into these."""
    flat = [part for value in values for part in (value if type(value) is tuple else (value,))]
    require(len(flat) <= _MOST, "too many arguments", where)
    for value in flat:
        parts = (value.start, value.stop, value.step) if type(value) is slice else (value,)
        require(all(type(part) in _CONSTANTS for part in parts), "not a constant", where)


def _require_public(name: Any, where: str) -> None:
    """Take names of attributes by which nothing but the object itself can be reached."""
    parts = name.split(".") if type(name) is str and len(name) <= _MOST else [""]
    is_public = all(part.isidentifier() and not part.startswith("_") for part in parts)
    require(is_public, "not a public name", where)


def _require_items(values: list[Any]) -> None:
    require(len(values) > 0, "no item", "operator.itemgetter")
    _require_constants(values, "operator.itemgetter")


def _require_attributes(values: list[Any]) -> None:
    require(0 < len(values) <= _MOST, "no attribute, or too many", "operator.attrgetter")
    for name in values:
        _require_public(name, "operator.attrgetter")


def _load(make: Callable[..., Any], require_sound: Callable[[list[Any]], None]) -> Any:
    def load(_: Names, values: list[Any], __: Context) -> Any:
        require_sound(values)
        return make(*values)

    return load


def _get_method(obj: Any) -> Parts:
    make, args = obj.__reduce__()
    # With keywords, it is made by a partial of its class.
    name, *rest = make.args + args if isinstance(make, functools.partial) else args
    keywords = make.keywords if isinstance(make, functools.partial) else {}
    values = [name, tuple(rest), dict(keywords)]
    _require_loadable(_require_method, values)
    return Parts(("name", "args", "keywords"), values)


def _require_method(values: list[Any]) -> None:
    where = "operator.methodcaller"
    require(len(values) == 3 and type(values[1]) is tuple and type(values[2]) is dict, "malformed", where)
    name, args, keywords = values
    _require_public(name, where)
    require("." not in name, "not the name of a method", where)
    require(all(type(key) is str for key in keywords), "a keyword is no text", where)
    _require_constants((*args, *keywords.values()), where)


def _load_method(_: Names, values: list[Any], __: Context) -> Any:
    _require_method(values)
    name, args, keywords = values
    return operator.methodcaller(name, *args, **keywords)


HANDLERS = (
    Handler("operator:itemgetter", _arguments(_require_items), _load(operator.itemgetter, _require_items)),
    Handler(
        "operator:attrgetter",
        _arguments(_require_attributes),
        _load(operator.attrgetter, _require_attributes),
    ),
    Handler("operator:methodcaller", _get_method, _load_method),
)
