"""The metadata of a model: JSON texts that the library reads again, some of them for each prediction.

Source: ``catboost/libs/model/model.cpp`` (``GetModelClassLabels``), ``private/libs/labels/`` and
``libs/eval_result/eval_helpers.cpp`` (where outputs go), ``libs/loggers/catboost_logger_helpers.cpp`` and
``_catboost.pyx`` (``_get_metrics_evals_pydict``), in CatBoost 1.2.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import numpy as np

from skopsafe.errors import ValidationError, shown
from skopsafe.handlers.checks import require

_READ = (b"params", b"training", b"class_params", b"multiclass_params", b"loss_function", b"output_options")
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TESTS, _NO_TEST = b"test_metrics_history", b'"test_metrics_history":[]'
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_DEEPEST = 200
MOST_CLASSES = 2**16
_LOSSES = frozenset(
    ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll", "RMSE", "MAE", "Quantile", "Poisson")
)
"""Losses that are often used, and that every CatBoost knows."""
_WHERE = "CatBoost.model.InfoMap"


class _Loss(msgspec.Struct):
    type: str
    params: dict[str, str]


class _Params(msgspec.Struct):
    loss_function: _Loss


_PARAMS = msgspec.json.Decoder(_Params)


def has_plain_loss(info: dict[bytes, bytes]) -> bool:
    """Tell whether the library can plainly read which loss it was, without asking it."""
    try:
        return b"loss_function" not in info and _PARAMS.decode(info[b"params"]).loss_function.type in _LOSSES
    except (KeyError, ValueError, RecursionError):
        return False


def check_info(info: dict[bytes, bytes], dimension: int) -> None:
    """Check the metadata.

    Parameters
    ----------
    info : dict of bytes to bytes
        Names and values.
    dimension : int
        How many outputs the trees have.
    """
    for name in _READ:
        text = info.get(name, b"")
        opened = text.count(b"{") + text.count(b"[")
        # Where one is closed and the next opened, it goes no deeper.
        if opened > _DEEPEST and opened - text.count(b"},{") > _DEEPEST:
            _check_depth(text, f"{_WHERE}[{name.decode()!r}]")
    for name in (b"class_params", b"multiclass_params"):
        if name in info:
            where = f"{_WHERE}[{name.decode()!r}]"
            _check_classes(_read(info[name], where), dimension, where)
    training = info.get(b"training", b"")
    # Without a test there is nothing to compare; the library reads the rest, once, when it loads.
    if not _is_without_tests(training):
        where = f"{_WHERE}['training']"
        _check_history(_of(_read(training, where), "metrics"), where)


def _is_without_tests(training: bytes) -> bool:
    """Tell whether a history plainly has no tests, wherever it speaks of them."""
    place = training.find(_TESTS)
    while place >= 0:
        if not training.startswith(_NO_TEST, place - 1):
            return False
        place = training.find(_TESTS, place + len(_TESTS))
    return b"\\" not in training


def _check_depth(text: bytes, where: str) -> None:
    """Values hold values, and the library frees them by recursion."""
    outside = _TEXT.sub(b"", text) if b"\\" in text else b"".join(text.split(b'"')[::2])
    brackets = outside.translate(_ONE_KIND, _NO_BRACKETS)
    # A pair that holds nothing adds one to the depth of what is around it.
    less = brackets.replace(b"[]", b"")
    if len(less) >= _DEEPEST:
        steps = 1 - 2 * (np.frombuffer(brackets, np.uint8) == ord("]")).astype(np.int64)
        deepest = int(np.max(np.cumsum(steps), initial=0))
        require(deepest <= _DEEPEST, "is nested too deeply", where)


def _read(text: bytes, where: str) -> Any:
    """Return what a JSON text says; what we read otherwise than the library would, is refused."""
    try:
        return _DECODER.decode(text.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise ValidationError(f"is not readable ({error})", path=where) from shown(error)


def _integer(digits: str) -> float:
    return int(digits) if len(digits) < 20 else float(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


_DECODER = json.JSONDecoder(parse_int=_integer, object_pairs_hook=_unique)


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _check_classes(options: Any, dimension: int, where: str) -> None:
    """Check the names of classes: outputs are written to the places that these say, without looking."""
    require(isinstance(options, dict), "is not readable", where)
    count, names = options.get("classes_count", 0), options.get("class_names", [])
    places = options.get("class_to_label", [])
    known = isinstance(count, int) and isinstance(names, list) and isinstance(places, list)
    require(known, "is of another form", where)
    require(0 <= count <= max(MOST_CLASSES, 64 * dimension), f"{count} classes", where)
    visible = max(count, len(names))
    if dimension > 1:
        require(len(places) >= dimension, f"{len(places)} classes of {dimension} outputs", where)
        numbers = all(isinstance(place, int | float) and not isinstance(place, bool) for place in places)
        require(numbers, "a class is no number", where)
        if visible:
            require(all(0 <= place < visible for place in places), "names a class that is not there", where)


def _check_history(metrics: Any, where: str) -> None:
    """Check the metrics of each iteration: those of the tests are read up to the last of the training."""
    learn, test = _of(metrics, "learn_metrics_history"), _of(metrics, "test_metrics_history")
    if isinstance(learn, list) and isinstance(test, list) and test:
        require(len(test) >= len(learn), f"{len(test)} iterations of {len(learn)}", where)
