"""The CRC of memory that is being filled."""

from __future__ import annotations

import time
import zlib
from pathlib import Path

import numpy as np
import pytest

import skopsafe
from skopsafe.archive import crc
from skopsafe.archive.tasks import Task

DATA = np.random.default_rng(0).integers(0, 256, crc.LARGE * 2 + 77, dtype=np.uint8)


@pytest.mark.parametrize("size", [0, 1, crc.LARGE - 1, crc.LARGE, crc.LARGE + 1, len(DATA)])
@pytest.mark.parametrize("before", [b"", b"head"])
@pytest.mark.parametrize("beside", [True, False])
def test_memory_is_filled_and_summed(size: int, before: bytes, beside: bool) -> None:
    target = np.zeros(size, np.uint8)

    def fill(view: memoryview, place: int) -> None:
        view[:] = memoryview(DATA)[place : place + len(view)]

    found = crc.filled(memoryview(target), fill, zlib.crc32(before), beside=beside)
    assert found == zlib.crc32(DATA[:size], zlib.crc32(before))
    assert np.array_equal(target, DATA[:size])
    assert crc.passed(size, fill, beside=beside) == zlib.crc32(DATA[:size])
    assert crc.of_chunks([before, DATA[:size]]) == zlib.crc32(before + DATA[:size].tobytes())


@pytest.mark.parametrize("wrong", [0, len(DATA) - 1])
def test_an_error_of_either_half_ends_both(wrong: int) -> None:
    left: set[int] = set()

    def fill(view: memoryview, place: int) -> None:
        left.add(place)
        time.sleep(0.001)
        left.discard(place)
        if place <= wrong < place + len(view):
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        crc.filled(memoryview(bytearray(len(DATA))), fill, 0, beside=True)
    assert not left, "a thread still reads"


def test_a_second_thread_reads_large_members_of_real_files_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, array = tmp_path / "large.skops", DATA[: crc.LARGE + 1].copy()
    skopsafe.dump(array, path)
    started = []
    monkeypatch.setattr(crc, "Task", lambda *work: started.append(1) or Task(*work))
    assert np.array_equal(skopsafe.load(path), array)
    assert len(started) == (crc.crc32_combine is not None)
    assert np.array_equal(skopsafe.loads(path.read_bytes()), array)
    with open(path, "rb") as file:
        assert np.array_equal(skopsafe.load(file), array)
    assert len(started) == 2 * (crc.crc32_combine is not None)
    monkeypatch.setattr(crc, "crc32_combine", None)
    assert np.array_equal(skopsafe.load(path), array)
    assert len(started) == 2 * (len(started) > 0)
