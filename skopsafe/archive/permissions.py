"""Who may do what with a file: what a new one takes over from the file that it replaces."""

from __future__ import annotations

import os

_ACL = "system.posix_acl_access"
"""The attribute in which Linux keeps an access control list."""


def resemble(descriptor: int, path: str, final: str, old: os.stat_result) -> None:
    """Give a new file the owner, group and permissions of an old one, as far as that is allowed.

    Where group or list cannot be kept, members of the new group may only do what everybody may: they are
    others than those for whom the permissions of the group were meant. Set-user-ID bits are not taken over.

    Parameters
    ----------
    descriptor, path : int, str
        The new file.
    final : str
        The old file.
    old : os.stat_result
        What is known of it.
    """
    mode = old.st_mode & 0o777
    if not (_has_owner(descriptor, old) and _has_list(descriptor, final)):
        mode &= ~0o070 | (mode & 0o007) << 3
    os.chmod(descriptor if os.chmod in os.supports_fd else path, mode)


def _has_owner(descriptor: int, old: os.stat_result) -> bool:
    """Give a file its owner and group, or the group alone; tell whether it has the group now."""
    if not hasattr(os, "fchown"):
        return True
    new = os.fstat(descriptor)
    for user in (old.st_uid, -1):
        if (new.st_uid if user == -1 else user, old.st_gid) == (new.st_uid, new.st_gid):
            return True
        try:
            os.fchown(descriptor, user, old.st_gid)
        except OSError:
            continue  # only root may give files away
        return True
    return False


def _has_list(descriptor: int, final: str) -> bool:
    """Give a file the access control list of another, or none; tell whether it has it."""
    if not hasattr(os, "getxattr"):
        return True
    wanted, found = _list_of(final), _list_of(descriptor)
    if wanted == found:
        return True
    try:
        if wanted is None:  # and the folder gives one to what is new in it
            os.removexattr(descriptor, _ACL)
        else:
            os.setxattr(descriptor, _ACL, wanted)
    except OSError:
        return False
    return True


def _list_of(file: int | str) -> bytes | None:
    try:
        return os.getxattr(file, _ACL)
    except OSError:  # it has none, or the file system does not know them
        return None
