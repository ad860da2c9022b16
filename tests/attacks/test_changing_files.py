"""Files that are others at every look: what is built is what was audited and validated."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import skopsafe
from skopsafe import api
from skopsafe.testing.crafted import call, changed

GOOD = skopsafe.dumps({"large": np.arange(20_000.0), "small": [np.arange(9), "text"], "x": 1})
MATRIX = scipy.sparse.csr_matrix(np.arange(40_000.0).reshape(200, 200))


class Changing(io.BytesIO):
    """A file that is one for so many looks, and then another."""

    def __init__(self, first: bytes, then: bytes, looks: int) -> None:
        super().__init__(first)
        self._then = then
        self._left = looks
        self.looks = 0

    def _look(self) -> None:
        if self._left == 0:
            place = self.tell()
            self.seek(0)
            self.truncate()
            self.write(self._then)
            self.seek(place)
        self._left -= 1
        self.looks += 1

    def read(self, size: int | None = -1) -> bytes:
        self._look()
        return super().read(size)

    def readinto(self, view: Any) -> int:
        self._look()
        return super().readinto(view)


def looks_at(data: bytes) -> int:
    file = Changing(data, b"", -1)
    skopsafe.load(file)
    assert file.looks > 1
    return file.looks


def refusals(first: bytes, then: bytes) -> int:
    """Let a file change at one look after the other; return how often it was refused."""
    refused = 0
    for looks in range(looks_at(first) + 2):
        try:
            loaded = skopsafe.load(Changing(first, then, looks))
        except skopsafe.SkopsafeError:
            refused += 1
            continue
        assert skopsafe.dumps(loaded) in (first, then)  # one of them, and never a mixture
    return refused


def test_a_file_that_becomes_another_builds_nothing_of_it(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    hostile = [
        call("os:system", "call", f"touch {marker}"),
        call("pathlib:Path.touch", "call", str(marker)),
        skopsafe.dumps({"large": np.zeros(20_000), "small": [np.zeros(9, int), "TEXT"], "x": 2}),
        changed(
            {"large": np.arange(20_000.0), "small": [np.arange(9), "text"], "x": 1},
            lambda schema: schema.update(types=[["os:system", "call"], *schema["types"][1:]]),
        ),
        b"",
        GOOD[:-1],
    ]
    for then in hostile:
        assert refusals(GOOD, then)
        with pytest.raises(skopsafe.SkopsafeError):
            skopsafe.load(Changing(then, GOOD, 2))
    assert not marker.exists()


def with_checksum(content: bytes, wanted: int, place: int) -> bytes:
    """Change four bytes at a place so that the CRC-32 of all is as wanted."""
    zeros = bytes(len(content))
    base = zlib.crc32(zeros)
    rows = []
    for bit in range(32):
        one = bytearray(zeros)
        one[place + bit // 8] = 1 << bit % 8
        rows.append((zlib.crc32(one) ^ base, 1 << bit))
    left = zlib.crc32(content) ^ wanted
    flips = 0
    for column in range(32):  # Gauss, over bits
        pivot = next(row for row in rows if row[0] >> column & 1)
        rows.remove(pivot)
        rows = [(row[0] ^ pivot[0], row[1] ^ pivot[1]) if row[0] >> column & 1 else row for row in rows]
        if left >> column & 1:
            left, flips = left ^ pivot[0], flips ^ pivot[1]
    out = bytearray(content)
    out[place : place + 4] = (int.from_bytes(out[place : place + 4], "little") ^ flips).to_bytes(4, "little")
    assert zlib.crc32(out) == wanted
    return bytes(out)


def with_wild_indices() -> bytes:
    """Return the file of a matrix that has indices outside, and the checksums of the genuine one."""
    data = skopsafe.dumps(MATRIX)
    indices = MATRIX.indices.tobytes()
    start = data.index(indices)
    wild = (10**6).to_bytes(4, "little") + indices[4:]
    forged = with_checksum(wild, zlib.crc32(indices), len(wild) // 2)
    return data[:start] + forged + data[start + len(forged) :]


def test_a_change_that_the_checksum_does_not_show_is_not_built_either() -> None:
    wild = with_wild_indices()
    with pytest.raises(skopsafe.ValidationError):
        skopsafe.loads(wild)
    assert refusals(skopsafe.dumps(MATRIX), wild)
    for looks in range(looks_at(skopsafe.dumps(MATRIX))):
        try:
            loaded = skopsafe.load(Changing(wild, skopsafe.dumps(MATRIX), looks))
        except skopsafe.SkopsafeError:
            continue
        assert loaded.indices.max() < MATRIX.shape[1]


@pytest.mark.parametrize("mode", [None, "r", "c"])
@pytest.mark.parametrize(
    "change",
    [
        lambda path, data: path.write_bytes(data),
        lambda path, data: os.replace(path.with_name("other"), path),
        lambda path, data: path.unlink(),
    ],
    ids=["written to", "replaced", "gone"],
)
def test_a_path_that_changes_between_audit_and_build(
    change: Callable[[Path, bytes], None], mode: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that was opened is read to its end, whatever its path leads to by then."""
    path, marker = tmp_path / "model", tmp_path / "marker"
    path.write_bytes(GOOD)
    hostile = call("os:system", "call", f"touch {marker}")
    path.with_name("other").write_bytes(hostile)
    approve = api.trust.approve

    def change_then(*arguments: Any) -> Any:
        approved = approve(*arguments)
        change(path, hostile)
        return approved

    monkeypatch.setattr(api.trust, "approve", change_then)
    try:
        loaded = skopsafe.load(path, mmap_mode=mode)
    except skopsafe.SkopsafeError:
        assert path.read_bytes() == hostile
    else:
        assert skopsafe.dumps(loaded) == GOOD
    assert not marker.exists()
