"""Files whose arrays come into memory of their own, as no real one's do: small ones share pools.

What reads outside of an array in a pool reads its neighbour, and no allocator could see it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import msgspec
import numpy as np

from skopsafe.archive.arrays import ALIGNMENT, ArrayRun
from skopsafe.archive.container import Reader
from skopsafe.archive.npy import header
from skopsafe.archive.source import Joined, Source, _Place, npy_descr
from skopsafe.limits import DEFAULT_LIMITS
from skopsafe.testing.crafted import schema_of, zipped

Array = np.ndarray[Any, Any]


@contextmanager
def separate_arrays() -> Iterator[None]:
    """Copy each array out of its pool while this lasts."""
    take = _Place.take

    def copied(place: Any, pool: Array, first: int, last: int) -> Joined:
        flat, arrays = take(place, pool, first, last)
        # In the order that they have, with nothing behind the last item.
        return flat, [array.copy(order="K") for array in arrays]

    with mock.patch.object(_Place, "take", copied):
        yield


def unpacked(data: bytes) -> tuple[dict[str, Any], list[Array]]:
    """Return the schema of a file and its arrays by number."""
    schema = schema_of(data)
    runs = msgspec.convert(schema["arrays"], list[ArrayRun])
    reader = Reader(io.BytesIO(data), DEFAULT_LIMITS)
    source = Source(reader, schema["dtypes"], schema["members"], runs, DEFAULT_LIMITS, None)
    groups = source.joined(range(source.count))
    return schema, [array.copy(order="K") for _, group in groups for array in group]


def packed(schema: dict[str, Any], arrays: list[Array]) -> bytes:
    """Return a file with the nodes of `schema` and such arrays; the reverse of `unpacked`."""
    dtypes: list[Any] = []
    rows: dict[str, int] = {}
    runs, pieces, size = [], [], 0
    for array in arrays:
        key = repr(npy_descr(array.dtype))
        if key not in rows:
            rows[key] = len(dtypes)
            dtypes.append(npy_descr(array.dtype))
        is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
        runs.append([rows[key], 0, int(is_fortran), 1, list(array.shape)])
        content = array.tobytes("F" if is_fortran else "C")
        pieces.append(content + b"\0" * (-len(content) % ALIGNMENT))
        size += len(pieces[-1])
    pool = header("|u1", (size,), False) + b"".join(pieces)
    changed = {**schema, "arrays": runs, "dtypes": dtypes, "members": ["pool/0.npy"] if arrays else []}
    return zipped(changed, {"pool/0.npy": pool} if arrays else {})
