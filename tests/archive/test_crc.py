"""The CRC of memory that is being filled."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from skopsafe.archive import crc

DATA = np.random.default_rng(0).integers(0, 256, crc.LARGE * 2 + 77, dtype=np.uint8)


@pytest.mark.parametrize("size", [0, 1, crc.LARGE - 1, crc.LARGE, crc.LARGE + 1, len(DATA)])
@pytest.mark.parametrize("before", [b"", b"head"])
def test_memory_is_filled_and_summed(size: int, before: bytes) -> None:
    target = np.zeros(size, np.uint8)

    def fill(view: memoryview, place: int) -> None:
        view[:] = memoryview(DATA)[place : place + len(view)]

    assert crc.filled(memoryview(target), fill, zlib.crc32(before)) == zlib.crc32(
        DATA[:size], zlib.crc32(before)
    )
    assert np.array_equal(target, DATA[:size])
    assert crc.passed(size, fill) == zlib.crc32(DATA[:size])
    assert crc.of_chunks([before, DATA[:size]]) == zlib.crc32(before + DATA[:size].tobytes())
