"""Who may do what with a file that took the place of another."""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

import pytest

from skopsafe.archive.container import replace
from tests.somebody import SOMEBODY, as_somebody, is_root

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
USER_OBJ, USER, GROUP_OBJ, MASK, OTHER = 1, 2, 4, 16, 32


def acl(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def for_somebody(rights: int, group: int) -> bytes:
    """Return a list that gives rights to somebody, and others to the group that has the file."""
    none = 0xFFFFFFFF
    mine = ((USER_OBJ, 6, none), (USER, rights, SOMEBODY), (GROUP_OBJ, group, none))
    return acl(*mine, (MASK, rights | group, none), (OTHER, 0, none))


def old_file(path: Path, mode: int) -> Path:
    path.write_bytes(b"old")
    path.chmod(mode)
    return path


def replaced(path: Path) -> os.stat_result:
    replace(str(path), lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"
    return path.stat()


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1644, 0o6777])
def test_bits_that_lend_the_rights_of_the_owner_are_not_taken_over(mode: int, tmp_path: Path) -> None:
    assert stat.S_IMODE(replaced(old_file(tmp_path / "file", mode)).st_mode) == mode & 0o777


@is_root
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_file_of_somebody_else_stays_theirs(mode: int, tmp_path: Path) -> None:
    path = old_file(tmp_path / "file", mode)
    os.chown(path, SOMEBODY, SOMEBODY)
    found = replaced(path)
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (SOMEBODY, SOMEBODY, mode)


@pytest.mark.parametrize(("mode", "left"), [(0o640, 0o600), (0o664, 0o644), (0o600, 0o600), (0o666, 0o666)])
def test_another_group_may_only_do_what_everybody_may(
    mode: int, left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where somebody without the group of the file saves to it."""
    path = old_file(tmp_path / "file", mode)
    asked: list[tuple[int, int]] = []

    def refuse(descriptor: int, user: int, group: int) -> None:
        asked.append((user, group))
        raise PermissionError(1, "Operation not permitted")

    class Elsewhere:
        """The file as it would be if it belonged to somebody."""

        st_mode, st_uid, st_gid = path.stat().st_mode, SOMEBODY, SOMEBODY

    lstat = os.lstat
    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr(os, "lstat", lambda name: Elsewhere if name == str(path) else lstat(name))
    assert stat.S_IMODE(replaced(path).st_mode) == left
    assert asked == [(SOMEBODY, SOMEBODY), (-1, SOMEBODY)]


@is_root
def test_somebody_without_the_group_of_a_file_does_not_give_it_to_his_own(tmp_path: Path) -> None:
    path = old_file(tmp_path / "file", 0o660)
    tmp_path.chmod(0o777)
    as_somebody("skopsafe.archive.container.replace('file', lambda file: file.write(b'new'))", tmp_path)
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (SOMEBODY, SOMEBODY, 0o600)


def with_list(path: Path, name: str, content: bytes) -> None:
    try:
        os.setxattr(path, name, content)
    except (OSError, AttributeError):
        pytest.skip("there are no access control lists here")


def test_an_access_control_list_stays(tmp_path: Path) -> None:
    path = old_file(tmp_path / "file", 0o600)
    with_list(path, ACCESS, for_somebody(6, 0))
    before = os.getxattr(path, ACCESS)
    found = replaced(path)
    assert os.getxattr(path, ACCESS) == before
    assert (
        stat.S_IMODE(found.st_mode) == 0o660
    )  # which is the mask of the list, and not what the group may do


def test_a_list_that_cannot_be_kept_gives_nothing_to_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_file(tmp_path / "file", 0o600)
    with_list(path, ACCESS, for_somebody(6, 0))

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    assert stat.S_IMODE(replaced(path).st_mode) == 0o600


def test_what_the_folder_gives_to_new_files_is_not_given_to_a_file_that_had_it_not(tmp_path: Path) -> None:
    path = old_file(tmp_path / "file", 0o640)
    with_list(tmp_path, DEFAULT, for_somebody(7, 0))
    found = replaced(path)
    assert stat.S_IMODE(found.st_mode) == 0o640
    with pytest.raises(OSError, match="No data available"):
        os.getxattr(path, ACCESS)
    replace(str(tmp_path / "new"), lambda file: file.write(b"new"))
    assert os.getxattr(tmp_path / "new", ACCESS)
