"""scipy.sparse: every format, matrix and array forms, with their canonical-format flags."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from skopsafe.graph.parts import Context, Handler, Parts
from skopsafe.graph.plain import MOST_DIMENSIONS
from skopsafe.handlers.checks import array, in_range, integer, require

Names = tuple[str, ...] | None

_COMPRESSED = ("csr", "csc", "bsr")
_FLAGS = ("_has_canonical_format", "_has_sorted_indices")


def _get(obj: Any) -> Parts:
    names = ["shape"]
    values: list[Any] = [tuple(map(int, obj.shape))]
    if obj.format in _COMPRESSED:
        parts = ["data", "indices", "indptr"]
    elif obj.format == "coo":
        parts = ["data", "coords"] if hasattr(obj, "coords") else ["data", "row", "col"]
    elif obj.format == "dia":
        parts = ["data", "offsets"]
    elif obj.format == "lil":
        names.append("dtype")
        values.append(obj.dtype)
        parts = ["data", "rows"]
    else:
        names += ["dtype", "items"]
        values += [obj.dtype, dict(obj.items())]
        parts = []
    names += parts
    values += [getattr(obj, part) for part in parts]
    for flag in (*_FLAGS, "has_canonical_format"):
        if flag in vars(obj):
            names.append("flag:" + flag)
            values.append(bool(vars(obj)[flag]))
    return Parts(tuple(names), values)


def _shape(value: object, where: str) -> tuple[int, ...]:
    require(isinstance(value, tuple) and 1 <= len(value) <= MOST_DIMENSIONS, "the shape is malformed", where)
    assert isinstance(value, tuple)
    return tuple(integer(size, f"{where}.shape", 0, 2**62) for size in value)


def check_compressed(kind: str, shape: tuple[int, ...], parts: dict[str, Any], where: str) -> None:
    """Raise unless the parts of a compressed matrix, by their names, fit its shape and each other."""
    data = array(parts.get("data"), f"{where}.data", kinds="biufc", ndim=3 if kind == "bsr" else 1)
    indices = array(parts.get("indices"), f"{where}.indices", kinds="i", ndim=1)
    indptr = array(parts.get("indptr"), f"{where}.indptr", kinds="i", ndim=1)
    for name, part in (("indices", indices), ("indptr", indptr)):
        require(part.dtype in (np.int32, np.int64), f"dtype {part.dtype}", f"{where}.{name}")
    require(indices.dtype == indptr.dtype, "differs in dtype from indices", f"{where}.indptr")
    require(len(data) == len(indices), "has another length than indices", f"{where}.data")
    rows, columns = shape if len(shape) == 2 else (1, shape[0])
    if kind == "csc":
        rows, columns = columns, rows
    if kind == "bsr":
        height, width = data.shape[1:]
        require(
            height and width and rows % height == 0 and columns % width == 0,
            "blocks do not fit",
            f"{where}.data",
        )
        rows, columns = rows // height, columns // width
    require(len(indptr) == rows + 1, f"has length {len(indptr)} instead of {rows + 1}", f"{where}.indptr")
    require(indptr[0] == 0 and indptr[-1] == len(indices), "does not span indices", f"{where}.indptr")
    require(bool((indptr[1:] >= indptr[:-1]).all()), "decreases", f"{where}.indptr")
    in_range(indices, f"{where}.indices", 0, columns)
    _flags(parts, indices, indptr, where)


def _flags(parts: dict[str, Any], indices: Any, indptr: Any, where: str) -> None:
    """The flags are promises that compiled code relies on: they must be true if they are set."""
    canonical, ordered = (parts.get("flag:" + flag) for flag in _FLAGS)
    if canonical or ordered:
        steps = np.diff(indices.astype(np.int64, copy=False))
        same_row = np.ones(len(steps), bool)
        inner = indptr[1:-1]
        same_row[inner[(inner > 0) & (inner < len(indices))] - 1] = False
        require(not (steps[same_row] < 0).any(), "are not sorted as the flag says", f"{where}.indices")
        require(not canonical or not (steps[same_row] == 0).any(), "hold duplicates", f"{where}.indices")


def _load(cls_name: str) -> Any:
    kind = cls_name[:3]

    def load(names: Names, values: list[Any], _: Context) -> Any:
        import scipy.sparse

        require(names is not None, "unknown form", cls_name)
        parts = dict(zip(names or (), values, strict=True))
        shape = _shape(parts.get("shape"), cls_name)
        require(
            len(shape) == 2 or (kind in ("csr", "coo", "dok") and cls_name.endswith("array")),
            "shape",
            cls_name,
        )
        cls = getattr(scipy.sparse, cls_name)
        if kind in _COMPRESSED:
            check_compressed(kind, shape, parts, cls_name)
            out = cls((parts["data"], parts["indices"], parts["indptr"]), shape=shape, copy=False)
            # The constructor may narrow the index dtype; what was saved comes back.
            out.data, out.indices, out.indptr = parts["data"], parts["indices"], parts["indptr"]
        elif kind == "coo":
            out = _load_coo(cls, shape, parts, cls_name)
        elif kind == "dia":
            data = array(parts.get("data"), f"{cls_name}.data", kinds="biufc", ndim=2)
            offsets = array(parts.get("offsets"), f"{cls_name}.offsets", kinds="i", shape=(data.shape[0],))
            in_range(offsets, f"{cls_name}.offsets", -shape[0] - 1, shape[1] + 1)
            out = cls((data, offsets), shape=shape)
        elif kind == "lil":
            out = _load_lil(cls, shape, parts, cls_name)
        else:
            out = _load_dok(cls, shape, parts, cls_name)
        for name, value in parts.items():
            if name.startswith("flag:"):
                flag = name.removeprefix("flag:")
                require(
                    flag in (*_FLAGS, "has_canonical_format") and type(value) is bool,
                    "unknown flag",
                    cls_name,
                )
                vars(out)[flag] = value
        return out

    return load


def _load_coo(cls: Any, shape: tuple[int, ...], parts: dict[str, Any], where: str) -> Any:
    data = array(parts.get("data"), f"{where}.data", kinds="biufc", ndim=1)
    coords = parts.get("coords", (parts.get("row"), parts.get("col")))
    require(isinstance(coords, tuple) and len(coords) == len(shape), "malformed", f"{where}.coords")
    for axis, size in zip(coords, shape, strict=True):
        in_range(array(axis, f"{where}.coords", kinds="i", shape=(len(data),)), f"{where}.coords", 0, size)
    if parts.get("flag:has_canonical_format") and len(data):
        order = np.lexsort(coords)
        step = np.zeros(len(data) - 1, bool)
        for axis in coords:
            step |= axis[order][1:] != axis[order][:-1]
        require(bool(step.all()), "hold duplicates", f"{where}.coords")
    out = cls((data, coords), shape=shape, copy=False)
    if hasattr(out, "coords"):
        out.coords = coords
    return out


def _lists(part: Any) -> Any:
    out = np.empty(len(part), object)
    for index, row in enumerate(part):
        out[index] = row.copy() if type(row) is list else row
    return out


def _load_lil(cls: Any, shape: tuple[int, ...], parts: dict[str, Any], where: str) -> Any:
    data = array(parts.get("data"), f"{where}.data", kinds="O", shape=(shape[0],))
    rows = array(parts.get("rows"), f"{where}.rows", kinds="O", shape=(shape[0],))
    # Copies: the lists could be filled, or be changed through another reference, after this check.
    data, rows = (_lists(part) for part in (data, rows))
    for row, values in zip(rows, data, strict=True):
        require(
            type(row) is list and type(values) is list and len(row) == len(values),
            "malformed",
            f"{where}.rows",
        )
        require(all(type(c) in (int, np.int32, np.int64) for c in row), "not integers", f"{where}.rows")
        require(all(0 <= c < shape[1] for c in row), "outside the matrix", f"{where}.rows")
        require(all(a < b for a, b in itertools.pairwise(row)), "not sorted", f"{where}.rows")
        require(all(isinstance(v, (np.generic, int, float, complex)) for v in values), "not numbers", where)
    require(isinstance(parts.get("dtype"), np.dtype), "malformed", f"{where}.dtype")
    out = cls(shape, dtype=parts["dtype"])
    out.data, out.rows = data, rows
    return out


def _load_dok(cls: Any, shape: tuple[int, ...], parts: dict[str, Any], where: str) -> Any:
    items = parts.get("items")
    require(isinstance(items, dict) and isinstance(parts.get("dtype"), np.dtype), "malformed", where)
    assert isinstance(items, dict)
    out = cls(shape, dtype=parts["dtype"])
    for key, value in items.items():
        place = key if isinstance(key, tuple) else (key,)
        require(len(place) == len(shape), "malformed key", where)
        for index, size in zip(place, shape, strict=True):
            integer(index, f"{where}.items", 0, size - 1)
        require(isinstance(value, (np.generic, int, float, complex)), "malformed value", where)
        dict.__setitem__(getattr(out, "_dict", out), key, value)  # before scipy 1.13 it is a dict itself
    return out


def _module(name: str) -> str:
    return f"scipy.sparse._{name[:3]}"


CLASSES = tuple(
    f"{kind}_{form}"
    for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
    for form in ("matrix", "array")
)

HANDLERS = tuple(Handler(f"{_module(name)}:{name}", _get, _load(name)) for name in CLASSES)
