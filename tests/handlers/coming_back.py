"""What holds for any model that was saved and loaded without approvals."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from typing import Any

import skopsafe
from tests.sklearn_models import same


def back(obj: Any) -> Any:
    """Save and load; what is loaded is written in the same bytes again, and has the same parameters."""
    data = skopsafe.dumps(obj)
    assert skopsafe.get_untrusted_types(data=data) == []
    assert skopsafe.dumps(obj) == data, "two dumps of one object differ"
    loaded = skopsafe.loads(data)
    assert skopsafe.dumps(loaded) == data, "the loaded object is written in other bytes"
    assert type(loaded) is type(obj)
    if hasattr(obj, "get_params"):
        assert parameters(loaded) == parameters(obj)
    return loaded


def parameters(model: Any) -> str:
    """Spell the parameters, without the addresses of objects."""
    try:
        found = model.get_params(deep=True)
    except AttributeError as error:  # some keep a parameter under another name
        return str(error)
    return re.sub(r" at 0x\w+", "", repr(found))


def call(model: Any, method: str, *args: Any) -> Any:
    """Return what a method gives for copies of `args`, or its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return getattr(model, method)(*(arg.copy() for arg in args))
        except Exception as error:  # the original and its copy must fail alike
            return type(error).__name__, str(error)


def assert_alike(original: Any, loaded: Any, calls: Iterable[tuple[Any, ...]]) -> None:
    """Assert that calls of methods, ``(name, *args)``, give the same and that one of them works."""
    worked = 0
    for method, *args in calls:
        if not hasattr(original, method):
            assert not hasattr(loaded, method), method
            continue
        expected, found = call(original, method, *args), call(loaded, method, *args)
        assert same(expected, found), (method, expected, found)
        worked += not (isinstance(expected, tuple) and isinstance(expected[0], str))
    assert worked, "no method worked"
