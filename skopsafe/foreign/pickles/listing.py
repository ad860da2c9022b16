"""What a pickle would import and call, read from its opcodes. Nothing is unpickled.

The opcodes are those of `pickletools`. Names are followed through constants and the memo; a name that a
stream computes in any other way is shown as unknown, and never as harmless.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from skopsafe.errors import FormatError, LimitError
from skopsafe.limits import DEFAULT_LIMITS

_STRINGS = frozenset(
    ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING")
)
_CALLS = frozenset(
    ("REDUCE", "NEWOBJ", "NEWOBJ_EX", "INST", "OBJ", "BUILD", "EXT1", "EXT2", "EXT4", "BINPERSID", "PERSID")
)
_OPCODES = DEFAULT_LIMITS.opcodes
_PIECE = 1 << 20
# What makes every instance in protocols 0 and 1, and every array in a joblib file: the names say nothing of
# what is made.
_MACHINERY = frozenset(
    ("copy_reg:_reconstructor", "copyreg:_reconstructor", "joblib.numpy_pickle:NumpyArrayWrapper")
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One opcode that imports or calls.

    Attributes
    ----------
    offset : int
        Where it stands in the stream, in bytes.
    opcode : str
        Its name in `pickletools`.
    name : str or None
        ``module:qualname`` that it imports; None for a call, or where it cannot be told.
    denied : str or None
        Why no approval would unlock the name.
    """

    offset: int
    opcode: str
    name: str | None
    denied: str | None


class _Pieces:
    """Reads no more at a time than there may be: a file allocates what it is asked for before it looks.

    Parameters
    ----------
    stream : binary file object
        What is read.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.readline = stream.readline
        if hasattr(stream, "tell"):
            self.tell = stream.tell

    def read(self, size: int) -> bytes:
        """Return so many bytes, or as many as there are."""
        data = self._stream.read(min(size, _PIECE))
        if size <= _PIECE:
            return data
        found = [data]
        left = size - len(data)
        while data and left:
            data = self._stream.read(min(left, _PIECE))
            left -= len(data)
            found.append(data)
        return b"".join(found)


def operations(stream: IO[bytes], denied: Callable[[str], str | None]) -> Iterator[Operation]:
    """List what the first pickle of a stream would import and call, in order.

    Parameters
    ----------
    stream : binary file object
        Positioned at the pickle.
    denied : callable
        ``denied("module:qualname")`` returns why a name is on the deny floor, or None.

    Raises
    ------
    FormatError
        The stream is no pickle, or breaks off.
    LimitError
        It has more opcodes than the limits allow.
    """
    strings: list[Any] = [None, None]
    memo: dict[Any, Any] = {}
    pieces: Any = _Pieces(stream)
    try:
        for count, (opcode, argument, place) in enumerate(pickletools.genops(pieces)):
            if count > _OPCODES:
                raise LimitError(
                    f"the pickle has more than {_OPCODES} opcodes",
                    next_step="Look at its beginning with python -m pickletools.",
                )
            kind, offset = opcode.name, place or 0
            if kind in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
                memo[len(memo) if kind == "MEMOIZE" else argument] = strings[-1]
                continue
            name = None
            if kind in ("GLOBAL", "INST"):
                name = ":".join(str(argument).split(" ", 1))
            elif kind == "STACK_GLOBAL" and None not in strings:
                name = ":".join(strings)
            if name is not None or kind in _CALLS or kind == "STACK_GLOBAL":
                reason = None if name is None or name in _MACHINERY else denied(name)
                yield Operation(offset, kind, name, reason)
            if kind in _STRINGS:
                pushed = argument
            elif kind in ("GET", "BINGET", "LONG_BINGET"):
                pushed = memo.get(argument)
            else:
                pushed = None
            if kind not in ("PROTO", "FRAME"):
                strings = [strings[-1], pushed]
    except (ValueError, UnicodeDecodeError, OverflowError) as error:
        raise FormatError(
            f"this is no pickle, or a damaged one ({error})", next_step="Get the file again from its author."
        ) from error
