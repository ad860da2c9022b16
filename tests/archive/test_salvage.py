"""Members of damaged and crafted zips come out, as any reader shows them, and bombs do not."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skopsafe
from skopsafe.archive.readable import Budget, Whole
from skopsafe.archive.salvage import Member, content, members
from skopsafe.errors import SkopsafeError

CONTENT = {"a.txt": b"first " * 100, "dir/b.bin": bytes(range(256)) * 300, "c": b""}
METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def zipped(
    method: int = zipfile.ZIP_DEFLATED, files: dict[str, bytes] = CONTENT, *, behind: bool = False
) -> bytes:
    class Piped(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise AttributeError

    out = Piped() if behind else io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def salvaged(data: bytes, limits: skopsafe.Limits | None = None) -> list[tuple[Member, bytes | None]]:
    source = Whole(io.BytesIO(data))
    budget = Budget(limits or skopsafe.Limits(), len(data))
    out = []
    for member in members(source, budget):
        found = content(source, member, budget)
        out.append((member, None if found is None else found.read(0, found.size)))
    return out


def contents(data: bytes) -> dict[str, bytes | None]:
    return {member.name: found for member, found in salvaged(data)}


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_members_of_a_good_zip_come_out_without_notes(method: int, behind: bool) -> None:
    data = zipped(method, behind=behind)
    found = salvaged(data)
    assert {member.name: out for member, out in found} == CONTENT
    assert all(not member.notes for member, _ in found)


def test_zstd_where_it_is() -> None:
    zstd = pytest.importorskip("backports.zstd")
    packed = zstd.compress(CONTENT["a.txt"])
    data = bytearray(zipped(zipfile.ZIP_STORED, {"a": packed}))
    for place in (data.find(b"PK\3\4") + 8, data.find(b"PK\1\2") + 10):
        struct.pack_into("<H", data, place, 93)
    assert contents(bytes(data)) == {"a": CONTENT["a.txt"]}


def test_zip64_is_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a", "w", force_zip64=True) as file:
        file.write(b"content")
    assert contents(out.getvalue()) == {"a": b"content"}


def patched(at: bytes, offset: int, form: str, *values: int, data: bytes | None = None) -> bytes:
    out = bytearray(zipped() if data is None else data)
    place = out.find(at)
    while place >= 0:
        struct.pack_into(form, out, place + offset, *values)
        place = out.find(at, place + 4)
    return bytes(out)


LOCAL, ENTRY, END = b"PK\3\4", b"PK\1\2", b"PK\5\6"


@pytest.mark.parametrize(
    "data",
    [
        patched(LOCAL, 14, "<I", 0xDEADBEEF),
        patched(ENTRY, 16, "<I", 0xDEADBEEF),
        patched(LOCAL, 6, "<H", 1),
        patched(ENTRY, 8, "<H", 1),
        patched(ENTRY, 8, "<H", 0xFFFF),
        patched(LOCAL, 4, "<H", 0xFFFF),
        patched(ENTRY, 0, "<4s", b"XXXX"),
        patched(END, 0, "<4s", b"XXXX"),
        patched(END, 4, "<2H", 7, 7),
        patched(END, 8, "<2H", 1, 1),
        patched(END, 16, "<I", 0),
        patched(END, 12, "<I", 0),
        zipped()[: zipped().find(ENTRY)],
        zipped()[: zipped().find(END)],
        b"something in front" + zipped(),
        b"x" * 100_000 + zipped(),
        zipped() + b"something behind" * 100,
        patched(ENTRY, 20, "<I", 3),
        patched(ENTRY, 24, "<I", 3),
        patched(LOCAL, 18, "<2I", 2**31, 2**31),
        patched(LOCAL, 18, "<2I", 3, 3),
        patched(LOCAL, 0, "<4s", b"XXXX"),
        patched(ENTRY, 34, "<H", 3),
    ],
    ids=range(23),
)
def test_members_of_a_broken_zip_come_out(data: bytes) -> None:
    found = contents(data)
    for name, out in CONTENT.items():
        assert found[name] == out


@pytest.mark.parametrize(("at", "offset"), [(LOCAL, 8), (ENTRY, 10)])
def test_a_method_that_differs_is_tried_in_both_ways(at: bytes, offset: int) -> None:
    found = salvaged(patched(at, offset, "<H", 0))
    assert {(member.name, member.method) for member, _ in found} >= {("a.txt", 0), ("a.txt", 8)}
    assert CONTENT["a.txt"] in [out for _, out in found]


@pytest.mark.parametrize("at", [LOCAL, ENTRY])
def test_an_unknown_method_is_said(at: bytes) -> None:
    data = patched(LOCAL, 8, "<H", 77, data=patched(ENTRY, 10, "<H", 77))
    found = salvaged(data)
    assert [out for _, out in found] == [None] * 3
    assert all("compression 77 is unknown" in member.notes for member, _ in found)


def test_names_that_differ_are_said() -> None:
    data = zipped().replace(b"a.txt", b"z.txt", 1)
    (member, _), *_ = salvaged(data)
    assert member.name == "a.txt"
    assert any("z.txt" in note for note in member.notes)


def test_a_member_that_only_its_header_shows_is_said() -> None:
    data = zipped()
    whole = zipped(files={"hidden": b"secret"})
    data = whole[: whole.find(ENTRY)] + data
    found = {member.name: (member, out) for member, out in salvaged(data)}
    assert found["hidden"][1] == b"secret"
    assert found["hidden"][0].notes == ["the directory does not show it"]
    assert not found["a.txt"][0].notes


def test_flags_of_encryption_are_passed_over_and_said() -> None:
    for data in (patched(LOCAL, 6, "<H", 1), patched(ENTRY, 8, "<H", 1)):
        for member, out in salvaged(data):
            assert member.is_encrypted
            assert out == CONTENT[member.name]


def test_damage_within_keeps_what_comes_before() -> None:
    data = bytearray(zipped(files={"a": bytes(range(256)) * 1000 + b"end"}))
    data = data[:600]
    ((member, out),) = salvaged(bytes(data))
    assert member.notes == ["the zip has no directory", "its compressed data end early"]
    assert out
    assert (bytes(range(256)) * 1000).startswith(out)


def test_a_bomb_is_refused() -> None:
    # bzip2 makes more of a byte than deflate, which cannot reach the limit alone.
    bomb = zipped(zipfile.ZIP_BZIP2, {"a": bytes(2**24)})
    with pytest.raises(skopsafe.LimitError, match="expansion"):
        salvaged(bomb)
    data = zipped(files={"a": bytes(2**20)})
    assert len(salvaged(data)) == 1
    with pytest.raises(skopsafe.LimitError, match="total_bytes"):
        salvaged(data, skopsafe.Limits(total_bytes=2**19))


def test_members_that_share_their_data_are_one() -> None:
    packed = zlib.compressobj(9, wbits=-15)
    data = packed.compress(bytes(2**20)) + packed.flush()
    # Each header has those behind it for an extra field, and so the data behind them all for its own.
    headers = b"".join(
        struct.pack("<4s5H3I2H", LOCAL, 20, 0, 8, 0, 0, 0, 0, 0, 1, 31 * (99 - n)) + b"b" for n in range(100)
    )
    ((_, out),) = salvaged(headers + data)
    assert out == bytes(2**20)


def test_too_many_members_are_refused() -> None:
    data = zipped(files={f"f{n}": b"" for n in range(50)})
    assert len(salvaged(data)) == 50
    with pytest.raises(skopsafe.LimitError, match="members"):
        salvaged(data, skopsafe.Limits(members=49))
    with pytest.raises(skopsafe.LimitError, match="directory_bytes"):
        salvaged(data, skopsafe.Limits(directory_bytes=100))


def test_a_large_member_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skopsafe.archive.readable.HELD", 1000)
    data = CONTENT["dir/b.bin"]
    source = Whole(io.BytesIO(zipped(files={"a": data})))
    budget = Budget(skopsafe.Limits(), source.size)
    (member,) = members(source, budget)
    found = content(source, member, budget)
    assert found is not None
    assert found.size == len(data)
    for place, size in ((0, 10), (50_000, 20_000), (100, 5), (70_000, 10**6), (76_000, 0), (10**6, 5)):
        assert found.read(place, size) == data[place : place + size]


def _pieces() -> Iterator[bytes]:
    yield from (zipped(method) for method in METHODS)
    yield zipped(behind=True)


BASES = list(_pieces())


@given(
    base=st.sampled_from(BASES),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8),
    cut=st.floats(0, 1),
)
@settings(max_examples=200, deadline=5000)
def test_mutants_give_members_or_an_error_of_ours(
    base: bytes, changes: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(base)
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    with contextlib.suppress(SkopsafeError):
        for member, _ in salvaged(bytes(data[: int(cut * len(data)) + 1])):
            assert member.start >= 0
