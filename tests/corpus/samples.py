"""A malicious sample, and the opcodes that samples are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """A malicious pickle.

    Attributes
    ----------
    name : str
        That of its file.
    make : callable
        ``make(marker)`` returns the pickle. Loading it makes a file at that path, and does nothing else.
    works : bool
        Whether it does so where `needs` can be imported; others name what is not installed, or would talk
        to the network or start what goes on, and are never loaded.
    needs : str
        A module that it needs.
    verdict : str
        What it has to be called at least.
    """

    name: str
    make: Callable[[str], bytes]
    works: bool = True
    needs: str = ""
    verdict: str = "malicious"


def text(value: str) -> bytes:
    """Return opcodes that push a text."""
    data = value.encode()
    return b"X" + len(data).to_bytes(4, "little") + data


def data(value: bytes) -> bytes:
    """Return opcodes that push bytes."""
    return b"B" + len(value).to_bytes(4, "little") + value


def number(value: int) -> bytes:
    """Return opcodes that push a number."""
    return b"J" + value.to_bytes(4, "little", signed=True)


def array(*items: bytes) -> bytes:
    """Return opcodes that push a list."""
    return b"](" + b"".join(items) + b"e"


def table(*pairs: bytes) -> bytes:
    """Return opcodes that push a dict."""
    return b"}(" + b"".join(pairs) + b"u"


def name(spelled: str) -> bytes:
    """Return opcodes that push what ``module:qualname`` means."""
    module, _, qualname = spelled.partition(":")
    return text(module) + text(qualname) + b"\x93"


def apply(function: bytes, *args: bytes) -> bytes:
    """Return opcodes that call what `function` pushes."""
    return function + b"(" + b"".join(args) + b"tR"


def call(spelled: str, *args: bytes) -> bytes:
    """Return opcodes that call ``module:qualname``."""
    return apply(name(spelled), *args)


def stream(*parts: bytes) -> bytes:
    """Return a pickle of protocol 4 of some opcodes."""
    return b"\x80\x04" + b"".join(parts) + b"."


def code(marker: str) -> str:
    """Return an expression that makes the marker."""
    return f"open({marker!r}, 'w').close()"


def shell(marker: str) -> str:
    """Return a command that makes the marker."""
    return f": > '{marker}'"
