"""What a stream of bytes is, told by its content and never by a name."""

from __future__ import annotations

import ast
import math
import re
import struct
from typing import Any

from numpy.lib import format as npy

from skopsafe.archive.readable import Budget
from skopsafe.errors import LimitError
from skopsafe.foreign.pickles.joblib import Arrays
from skopsafe.foreign.pickles.machine import Machine, Operation, Pickle
from skopsafe.foreign.pickles.reading import Source
from skopsafe.foreign.pickles.values import OUTSIDE, Call, Global

UNREADABLE = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"MSCF": "a cabinet archive",
    b"\x1f\x9d": "a stream of compress",
    b"LZIP": "a stream of lzip",
    b"\x89LZO": "a stream of lzop",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file",
}
"""By the first bytes: what may hold pickles and is not read."""

_MAGICS = tuple(UNREADABLE)
_PROBED = 5_000
"""Opcodes after which a stream is taken for a pickle."""
_NPY = b"\x93NUMPY"
_LONGEST_HEADER = 2**16
_MOST_ARRAYS = 100_000
"""Arrays behind each other that are passed by."""
_NAME = re.compile(r"[^\W\d]\w*(\.([^\W\d]\w*|<\w+>))*")
_FAILURES = (
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    SyntaxError,
    OverflowError,
    MemoryError,
    RecursionError,
    Warning,
)


def unreadable(head: bytes) -> str | None:
    """Say what a stream is that may hold pickles and is not read, by its first bytes."""
    if not head.startswith(_MAGICS):
        return None
    return next(what for magic, what in UNREADABLE.items() if head.startswith(magic))


def behind_arrays(source: Source, place: int, most: int = _MOST_ARRAYS) -> tuple[int, bool]:
    """Return where the pickle of an ``.npy`` of objects begins, or what is behind arrays of others.

    Arrays may stand behind each other: each ``numpy.load`` of an open file reads one. At most so many are
    passed by.

    Returns
    -------
    (int, bool)
        The place, and whether an array of objects is there. A header that cannot be understood may be of one.
    """
    for _ in range(most):
        head = source.read(place, 12)
        if not head.startswith(_NPY) or len(head) < 12:
            break
        start, form = (10, "<H") if head[6] == 1 else (12, "<I")
        (length,) = struct.unpack_from(form, head, 8)
        start += place
        behind = min(start + int(length), source.size)
        if length > _LONGEST_HEADER:
            return behind, True
        try:
            header = ast.literal_eval(source.read(start, length).decode("latin-1").strip())
            dtype = npy.descr_to_dtype(header["descr"])
        except _FAILURES:
            return behind, True
        if dtype.hasobject:
            return behind, True
        shape = header.get("shape")
        if not isinstance(shape, tuple) or not all(
            isinstance(number, int) and number >= 0 for number in shape
        ):
            return behind, False  # numpy reads nothing of it
        size = dtype.itemsize * math.prod(shape)
        place = min(behind + size, source.size)
    return place, False


def probe(source: Source, start: int, budget: Budget) -> tuple[str, tuple[Machine, Arrays] | None] | None:
    """Return ``pickle`` or ``joblib`` if a stream is one, else None.

    It is one if it comes to an end as a pickle, or does something before it breaks off. With it comes the
    machine and its arrays, if it went through all of the pickle.

    Raises
    ------
    LimitError
        The budget has no opcodes left.
    """
    if budget.opcodes <= 0:
        raise LimitError(
            f"the pickles in the file have more than {budget.limits.opcodes} opcodes",
            next_step="Pass limits=Limits(opcodes=...) if you expect so large a file.",
        )
    arrays = Arrays(_PROBED)
    machine = Machine(source, start, min(_PROBED, budget.opcodes), arrays)
    try:
        found = machine.run()
    except LimitError:
        budget.opcodes -= _PROBED
        return ("joblib" if arrays.count else "pickle"), None
    budget.opcodes -= found.opcodes + arrays.spent
    if not is_pickle(found):
        return None
    return ("joblib" if arrays.count else "pickle"), (machine, arrays)


def is_pickle(found: Pickle) -> bool:
    """Tell whether a run was one of a pickle.

    It is one that comes to its end, or does something before it breaks off. A text may begin with the letter
    of an opcode that imports: then, what it names must look like names.
    """
    if not found.followed or any(map(_does, found.operations)):
        return True
    return not found.error and all(operation.kind != "import" for operation in found.operations)


def _does(operation: Operation) -> bool:
    """Tell whether an operation is one that a text or noise would hardly have."""
    value: Any = operation.value
    if isinstance(value, Global):
        return operation.kind != "import" or _NAME.fullmatch(f"{value.module}.{value.name}") is not None
    if isinstance(value, Call):
        # What a name makes that is none does not happen: its import is looked at.
        return value.way not in OUTSIDE and not isinstance(value.function, Global)
    return True
