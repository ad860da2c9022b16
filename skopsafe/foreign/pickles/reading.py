"""Bytes of a stream through a window, so that long texts and arrays are passed by and never read."""

from __future__ import annotations

from skopsafe.archive import readable

WINDOW = 2**18
"""Bytes of the stream that are held at a time."""
LONG = 2**16
"""Longest argument of an opcode that is read at once, in bytes."""
AHEAD = 16
"""Bytes that the fixed part of an opcode takes at most: it is read without asking whether it is there."""


Source = readable.Readable
"""What a stream is read from: at any place, and of known size."""
Part = readable.Part
"""A part of a source."""


class Memory:
    """A source in memory.

    Parameters
    ----------
    data : bytes-like
        Its content.
    """

    __slots__ = ("_data", "size")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data)
        self.size = len(self._data)

    def read(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on, or as many as there are."""
        return bytes(self._data[offset : offset + size])


class Truncated(Exception):
    """The stream has fewer bytes than it says."""


class Broken(Exception):
    """Every unpickler stops here with an error."""


class Lost(Broken):
    """This machine stops here, and some loader may go on: nobody knows with what."""


class Stop(Exception):
    """The pickle has come to its end."""
