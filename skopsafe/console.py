"""What commands write to a terminal: escaped, and in letters that it has."""

from __future__ import annotations

import sys
from collections.abc import Collection

import click

from skopsafe.errors import escape_lines

OK, APPROVE, DENIED, UNREADABLE = 0, 1, 2, 3
"""Exit codes, the same for all commands."""
_WORST_FIRST = (DENIED, UNREADABLE, APPROVE, OK)
_ASCII = str.maketrans({"├": "|", "└": "`", "─": "-", "│": "|"})


def worst(codes: Collection[int]) -> int:
    """Return the exit code for several files: denied, unreadable, to approve, nothing to approve."""
    return next((code for code in _WORST_FIRST if code in codes), OK)


def say(text: str, *, err: bool = False) -> None:
    """Print text that may hold words of the file: no control character but the line end gets out."""
    stream = sys.stderr if err else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    text = escape_lines(text)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    click.echo(text, err=err)
