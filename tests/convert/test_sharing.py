"""What stands once in a pickle, and is part of very many objects, is not copied for each of them."""

from __future__ import annotations

import struct

import pytest

from skopsafe.errors import UnsupportedTypeError
from tests.convert.converting import converted

BIG = b"\x42" + struct.pack("<I", 2**17) + b"\0" * 2**17 + b"\x94"
SIZE = b"J" + struct.pack("<i", 2**17)
LIST = b"]\x94(" + b"N" * 20_000 + b"e"
CRAFTED = {
    "bytes of arrays": BIG
    + b"0cnumpy\ndtype\n(\x8c\x02u1\x89\x88tR\x940cnumpy._core.numeric\n_frombuffer\n\x940"
    + (b"h\x02(h\x00h\x01" + SIZE + b"\x85\x8c\x01CtR") * 2000,
    "bytes of bytearrays": BIG + b"0cbuiltins\nbytearray\n\x940" + b"h\x01h\x00\x85R" * 2000,
    "items of deques": LIST + b"0ccollections\ndeque\n\x940" + b"h\x01h\x00\x85R" * 2000,
}


@pytest.mark.parametrize("name", CRAFTED)
def test_copies_are_counted(name: str) -> None:
    with pytest.raises(UnsupportedTypeError, match="copied more often"):
        converted(b"\x80\x04(" + CRAFTED[name] + b"l.")


def test_containers_are_looked_into_once() -> None:
    """A thousand times a list of a thousand times a list is a billion items on paper."""
    lists = b"]\x94(" + b"N" * 1000 + b"e0"
    for level in range(3):
        lists += b"]\x94(" + (b"h" + bytes([level])) * 1000 + b"e0"
    data = converted(b"\x80\x04" + lists + b"ccollections\ndeque\n(h\x03tR.")
    assert len(data) < 200_000
