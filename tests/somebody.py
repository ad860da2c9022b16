"""Runs code as a user who owns nothing: to root, who runs many tests, nothing is forbidden."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import skopsafe

SOMEBODY = 54321
"""A user and a group that nobody is in."""
is_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else"
)

_BECOME = f"""
import os, sys
import skopsafe.api
import skopsafe.archive.container
skopsafe.dumps([1])  # all is imported now, for somebody else may not even read the modules
os.chdir(sys.argv[1])  # nor the folders above
os.setgroups([])
os.setgid({SOMEBODY})
os.setuid({SOMEBODY})
"""


def as_somebody(code: str, folder: Path) -> str:
    """Run code in a folder, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", _BECOME + code, str(folder)],
        cwd=Path(skopsafe.__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
