"""Parameters of LightGBM: which are harmless whatever they say, and which open files or connections.

They stand in the text of a model, in ``Booster.params`` and in the wrappers for scikit-learn. The wrappers
hand all of theirs to each prediction, as one text of ``key=value`` that C++ splits at blanks
(``Config::Str2Map``), and C++ starts as many threads as it is told to.
"""

from __future__ import annotations

import numbers
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from skopsafe.errors import ValidationError
from skopsafe.handlers.checks import MOST_THREADS, require
from skopsafe.handlers.lightgbm.numbers import FLOAT

MOST_CLASSES = 10_000
"""Each prediction of a wrapper makes a matrix of classes by classes: 800 MB here."""
FEW_CLASSES = 1000
"""Up to here it is small, and need not be borne out by trees."""

_FILES = """
config config_file data train train_data train_data_file data_filename valid test valid_data valid_data_file
test_data test_data_file valid_filenames input_model model_input model_in output_model model_output model_out
save_binary is_save_binary is_save_binary_file forcedsplits_filename fs forced_splits_filename
forced_splits_file forced_splits forcedbins_filename parser_config_file output_result predict_result
prediction_result predict_name prediction_name pred_name name_pred convert_model convert_model_file
"""
_MACHINES = "machine_list_filename machine_list_file machine_list mlist machines workers nodes"
_METHODS_AND_COLUMNS = """
boosting objective metric tree_learner device_type data_sample_strategy monotone_constraints_method
interaction_constraints label_column weight_column group_column ignore_column categorical_feature
gpu_device_id_list
"""

DOORS = frozenset(f"{_FILES} {_MACHINES}".split())
"""Parameters that need approval, for they name files or machines that training would turn to."""

_THREADS = frozenset({"num_threads", "num_thread", "nthread", "nthreads", "n_jobs"})
_CLASSES = frozenset({"num_class", "num_classes"})
_SIZES = _THREADS | _CLASSES
_TEXTS = frozenset(_METHODS_AND_COLUMNS.split())
"""Lines of a model text whose value may be a text, and is harmless: names of methods and columns."""

_MARK = b"\nparameters:\n"
_LINE = re.compile(rb"\[([a-z][a-z0-9_]{0,63}): ([^\n]*)\]\n")
_NUMBERS = re.compile(FLOAT + rb"(?:," + FLOAT + rb")*+")
_KEY = re.compile(r"[^\W\d][\w.\-]*")
_SECOND = re.compile(r"\s\S*=")
_DEEPEST = 2  # LightGBM writes lists of lists, and no more


def _opens(key: str, value: bytes) -> bool:
    """Tell whether a line of a model text must not stand there without approval.

    A key that nobody here knows may be one of a newer LightGBM: numbers are harmless, a text may be a path.
    """
    return bool(value) and key not in _TEXTS and not _NUMBERS.fullmatch(value)


def check_lines(section: bytes, where: str) -> None:
    """Check lines ``[key: value]`` of a model text."""
    found = _LINE.findall(section)
    # Whatever the pattern passes over is missing here.
    size = sum(len(key) + len(value) + len("[: ]\n") for key, value in found)
    require(found and size == len(section), "is not [key: value] on each line", where)
    lines = {key.decode(): value for key, value in found}
    if len(lines) < len(found):
        keys = [key.decode() for key, _ in found]
        twice = next(key for key in keys if keys.count(key) > 1)
        require(False, "stands twice", f"{where} {twice}")
    for key, value in lines.items():
        if _opens(key, value):
            require(False, "may name a file or a machine", f"{where} {key}")
        if key in _TEXTS:
            _check_text(value.decode("utf-8"), f"{where} {key}")
        elif value and key in _SIZES:
            _check_size(key, value.decode(), f"{where} {key}", MOST_CLASSES)


def check(given: Mapping[Any, Any], where: str, most_classes: int = FEW_CLASSES) -> None:
    """Check parameters that LightGBM joins to a text of ``key=value``, so that none hides another.

    Parameters
    ----------
    given : mapping
        Parameters by name, aliases among them.
    where : str
        Where they stand, for the error.
    most_classes : int
        How many classes ``num_class`` may tell of.
    """
    for key, value in given.items():
        require(isinstance(key, str) and _KEY.fullmatch(key), "a key is not a name", where)
        _check_size(key, value, f"{where}.{key}", most_classes)
        _check_value(value, f"{where}.{key}", _DEEPEST)


def _check_size(key: str, value: Any, where: str, most_classes: int) -> None:
    most = MOST_THREADS if key in _THREADS else most_classes if key in _CLASSES else None
    if most is None or value is None:
        return
    try:
        number = float(value) if isinstance(value, (int, float, str, np.number)) else np.nan
    except (ValueError, OverflowError):
        number = np.nan
    require(-(2**31) <= number <= most, f"is not a number up to {most}", where)


def _check_value(value: Any, where: str, depth: int) -> None:
    if isinstance(value, (str, PurePath)):
        _check_text(str(value), where)
    elif isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            return
        for item in value.ravel() if isinstance(value, np.ndarray) else value:
            # LightGBM writes whatever stands here by its str: only these say nothing but what they are.
            plain = item is None or isinstance(item, (numbers.Number, np.bool_, str, PurePath))
            inner = isinstance(item, (list, tuple)) and depth > 1
            require(plain or inner, "holds something else than numbers and texts", where)
            _check_value(item, where, depth - 1)
    elif not isinstance(value, (numbers.Number, np.bool_)):
        # What can be taken for a number is written by its str, such as a Series of pandas with its name.
        fits = not hasattr(type(value), "__float__") and not hasattr(type(value), "__index__")
        require(fits, "is not a plain number", where)


def _check_text(value: str, where: str) -> None:
    require("\0" not in value and not _SECOND.search(value), "holds a second parameter", where)


def take_doors(given: dict[Any, Any]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Return parameters with None for those that need approval, and those."""
    taken = {key: value for key, value in given.items() if key in DOORS and value is not None}
    return ({**given, **dict.fromkeys(taken)} if taken else given), taken


def take_lines(text: bytes) -> tuple[bytes, dict[str, str]]:
    """Return a model text with the lines emptied that need approval, and what stood there."""
    place, taken = text.rfind(_MARK) + len(_MARK), {}

    def emptied(line: re.Match[bytes]) -> bytes:
        key = line[1].decode()
        if not _opens(key, line[2]):
            return line[0]
        taken[key] = line[2].decode("utf-8")
        return f"[{key}: ]\n".encode()

    if place < len(_MARK):
        return text, {}
    section = _LINE.sub(emptied, text[place:])
    return (text[:place] + section if taken else text), taken


def put_lines(text: bytes, taken: Any) -> bytes:
    """Give a checked text back what `take_lines` took out of it, once that is approved."""
    require(type(taken) is dict, "is not a dict", "Booster.reaches")
    head, mark, tail = text.rpartition(_MARK)
    for key, value in taken.items():
        fits = isinstance(key, str) and isinstance(value, str) and not set(value) & set("\0\r\n")
        empty = f"[{key}: ]\n".encode()
        if not fits or not mark or empty not in tail:
            raise ValidationError("has no empty line for it in the text", path=f"Booster.reaches {key}")
        tail = tail.replace(empty, f"[{key}: {value}]\n".encode(), 1)
    return head + mark + tail
