"""Arrays of Python objects, texts above all: `NumpyExtensionArray` and `StringArray`.

A column of texts is written as one text, the lengths of its pieces, and where each piece stands. That is as
large as the texts, and reading it makes each of them once.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from skopsafe.errors import MissingTypeError
from skopsafe.graph.parts import Context, Handler, Leaf, Parts
from skopsafe.handlers.checks import array, in_range, integer, require
from skopsafe.handlers.depth import require_shallow
from skopsafe.handlers.pandas.common import PLAIN, Names, form, leaf, pandas

_TEXTS = ("letters", "lengths", "places")
STRING_FORM = ("missing", *_TEXTS)
_FEW = 32
"""Up to so many items are written one by one, where people and tools can read them."""


def _is_missing(value: Any, na: Any) -> bool:
    return value is None or value is na or (type(value) is float and value != value)  # noqa: PLR0124


def encode(items: list[Any], na: Any) -> list[Any] | None:
    """Return letters, lengths and places of texts, or None if something else is among them.

    Places are None if the texts follow each other; otherwise the number of the text for each item, or -1 for
    None, -2 for NaN, -3 for `na`, which is `pandas.NA` or the only one of its type that stands for it.
    """
    kinds = set(map(type, items))
    if not kinds <= {str, type(None), float, type(na)}:
        return None
    if kinds == {str}:
        numbers = {text: number for number, text in enumerate(dict.fromkeys(items))}
        if len(numbers) > len(items) // 2:
            return [*_joined(items), None]
        places: Iterator[int] = map(numbers.__getitem__, items)
    else:
        if not all(_is_missing(item, na) for item in items if type(item) is not str):
            return None
        texts = dict.fromkeys(item for item in items if type(item) is str)
        numbers = {text: number for number, text in enumerate(texts)}
        missing = {type(None): -1, float: -2, type(na): -3}
        places = (numbers[item] if type(item) is str else missing[type(item)] for item in items)
    return [*_joined(list(numbers)), Leaf(np.fromiter(places, _signed(len(numbers)), len(items)))]


def _signed(count: int) -> np.dtype[Any]:
    return np.dtype(next(kind for kind in ("i1", "i2", "i4", "i8") if count <= np.iinfo(kind).max))


def _joined(texts: list[str]) -> list[Leaf]:
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    letters = np.frombuffer("".join(texts).encode("utf-8", "surrogatepass"), np.uint8)
    return [Leaf(letters), Leaf(lengths.astype(np.min_scalar_type(int(lengths.max(initial=0)))))]


def decode(context: Context, values: list[Any], where: str) -> Any:
    """Return the object array of texts and missing values that `encode` took apart."""
    import pandas as pd

    letters = leaf(context, values[0], f"{where}.letters", kinds="u", ndim=1)
    require(letters.dtype == np.uint8, "not bytes", f"{where}.letters")
    lengths = leaf(context, values[1], f"{where}.lengths", kinds="u", ndim=1)
    try:
        text = letters.tobytes().decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        require(False, "not UTF-8", f"{where}.letters")
        raise
    require(int(lengths.max(initial=0)) <= len(text), "longer than the text", f"{where}.lengths")
    ends = np.cumsum(lengths, dtype=np.int64).tolist()
    require((ends[-1] if ends else 0) == len(text), "do not add up to the text", f"{where}.lengths")
    texts: Any = np.empty(len(ends) + 3, object)
    texts[: len(ends)] = [text[start:end] for start, end in itertools.pairwise([0, *ends])]
    if values[2] is None:
        return texts[: len(ends)]
    places = leaf(context, values[2], f"{where}.places", kinds="i", ndim=1)
    in_range(places, f"{where}.places", -3, len(ends))
    texts[-3:] = [pd.NA, np.nan, None]
    return texts[places]


def is_plain(values: Any) -> bool:
    """Tell whether an array is written as its bytes."""
    return values.dtype.kind in PLAIN and not values.dtype.hasobject


def is_fortran(values: Any) -> bool:
    """Tell whether the items of an array are written column by column."""
    return bool(values.flags.f_contiguous and not values.flags.c_contiguous)


def _get_values(obj: Any) -> Parts:
    import pandas as pd

    values = obj._ndarray
    items = [] if is_plain(values) else values.ravel(order="F" if is_fortran(values) else "C").tolist()
    return parts_of_values(values, items, pd.NA)


def parts_of_values(values: Any, items: list[Any], na: Any) -> Parts:
    """Return the parts of an array.

    Parameters
    ----------
    values : ndarray
        The array.
    items : list
        Of an array of objects, its items in their order in memory; else empty.
    na : object
        See `encode`.
    """
    if is_plain(values):
        return Parts(("array",), [Leaf(values)])
    fortran = is_fortran(values)
    texts = encode(items, na) if len(items) > _FEW else None
    if texts is None:
        return Parts(("shape", "fortran", "objects"), [values.shape, fortran, items])
    return Parts(("shape", "fortran", *_TEXTS), [values.shape, fortran, *texts])


def _load_values(names: Names, values: list[Any], context: Context, where: str) -> Any:
    if names == ("array",):
        return array(context.array(values[0]).view(np.ndarray), where, kinds=PLAIN)
    if names == ("shape", "fortran", "objects"):
        items = values[2]
        require(type(items) is list, "the items are malformed", where)
        require_shallow(items, where, context.account)
        flat: Any = np.empty(len(items), object)
        for index, item in enumerate(items):
            flat[index] = item
    else:
        require(names == ("shape", "fortran", *_TEXTS), "unknown form", where)
        flat = decode(context, values[2:], where)
    shape = values[0]
    require(type(shape) is tuple and 1 <= len(shape) <= 2, "the shape is malformed", where)
    count = 1
    for size in shape:
        count *= integer(size, where, 0, 2**40)
    require(count == len(flat), f"shape {shape} has not {len(flat)} items", where)
    return flat.reshape(shape, order="F" if values[1] is True else "C")


def _load_numpy(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    found = _load_values(names, values, context, "NumpyExtensionArray")
    require(found.ndim in (1, 2), "not one or two dimensions", "NumpyExtensionArray")
    return pd.arrays.NumpyExtensionArray(found)


def missing_of(dtype: Any) -> str:
    """Return how a dtype of texts marks what is missing: ``"NaN"`` or ``"NA"``."""
    return "NaN" if isinstance(dtype.na_value, float) else "NA"


def string_dtype(storage: object, missing: object, where: str) -> Any:
    """Return the dtype of texts with a storage and a mark for what is missing."""
    import pandas as pd

    require(storage in ("python", "pyarrow"), "unknown", f"{where}.storage")
    require(missing in ("NA", "NaN"), "unknown", f"{where}.missing")
    knows_nan = "na_value" in inspect.signature(pd.StringDtype).parameters
    if not knows_nan and (storage, missing) == ("python", "NaN"):
        raise MissingTypeError(
            f"pandas {pd.__version__} has no dtype str: texts with NaN for what is missing",
            next_step="Install pandas 2.3 or newer.",
        )
    try:
        if knows_nan:
            return pd.StringDtype(storage, na_value=np.nan if missing == "NaN" else pd.NA)
        return pd.StringDtype("pyarrow_numpy" if missing == "NaN" else storage)
    except ImportError as error:
        raise MissingTypeError(
            f"its texts are held by pyarrow ({error})", next_step="Install pyarrow."
        ) from error


def _get_string(obj: Any) -> Parts:
    import pandas as pd

    texts = encode(obj._ndarray.tolist(), pd.NA)
    return Parts(STRING_FORM, [missing_of(obj.dtype), *(texts or ())])


def _load_string(names: Names, values: list[Any], context: Context) -> Any:
    pd = pandas(context)
    form(names, values, STRING_FORM, "StringArray")
    dtype = string_dtype("python", values[0], "StringArray")
    return pd.array(decode(context, values[1:], "StringArray"), dtype=dtype, copy=False)


HANDLERS = (
    Handler("pandas.arrays:NumpyExtensionArray", _get_values, _load_numpy),
    Handler("pandas.arrays:StringArray", _get_string, _load_string),
)
