"""Members of a tar come out where `tarfile` finds them, and also behind damage."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skopsafe
from skopsafe.archive.readable import Budget, Whole
from skopsafe.archive.tar_read import is_tar, tar_members

FORMS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
FILES = {"a": b"x" * 1000, "folder/" + "n" * 80: b"", "folder/" * 20 + "c": b"y" * 512}


def tarred(files: dict[str, bytes], form: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "l" * 150 if form != tarfile.USTAR_FORMAT else "l"
        archive.addfile(link)
    return out.getvalue()


def read(data: bytes, limits: skopsafe.Limits | None = None) -> dict[str, bytes]:
    source = Whole(io.BytesIO(data))
    found = tar_members(source, Budget(limits or skopsafe.Limits(), len(data)))
    return {member.name: source.read(member.start, member.size) for member in found}


@pytest.mark.parametrize("form", FORMS)
def test_members_come_out(form: int) -> None:
    data = tarred(FILES, form)
    assert is_tar(Whole(io.BytesIO(data)))
    assert read(data) == FILES


def test_members_behind_an_end_or_damage_come_out_with_a_note() -> None:
    first, second = tarred({"a": b"1"}, FORMS[0]), tarred({"b": b"2"}, FORMS[0])
    data = first + b"\xff" * 512 + second
    assert read(data) == {"a": b"1", "b": b"2"}
    source = Whole(io.BytesIO(data))
    one, two = tar_members(source, Budget(skopsafe.Limits(), len(data)))
    assert one.note == ""
    assert "readers may stop" in two.note


def test_what_follows_far_behind_is_not_searched_for_ever() -> None:
    assert read(tarred({"a": b"1"}, FORMS[0]) + bytes(512 * 2000) + tarred({"b": b""}, FORMS[0])) == {
        "a": b"1"
    }


def test_too_many_members_are_refused() -> None:
    data = tarred({str(n): b"" for n in range(20)}, FORMS[0])
    with pytest.raises(skopsafe.LimitError, match="members"):
        read(data, skopsafe.Limits(members=10))


@given(data=st.binary(max_size=600))
def test_noise_is_no_tar(data: bytes) -> None:
    assert not is_tar(Whole(io.BytesIO(data)))


@given(changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=5))
def test_mutants_give_members_within_their_file(changes: list[tuple[int, int]]) -> None:
    data = bytearray(tarred(FILES, FORMS[2]))
    for place, value in changes:
        data[place] = value
    for content in read(bytes(data)).values():
        assert len(content) <= len(data)
