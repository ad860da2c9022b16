"""Pickles by hand: pieces of streams for tests, which only a test that says so may load."""

from __future__ import annotations

import io

import skopsafe
from skopsafe.inspecting import inspect_pickle


def text(value: str) -> bytes:
    """Return opcodes that push a text."""
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + len(data).to_bytes(4, "little") + data


def name(module: str, qualname: str) -> bytes:
    """Return opcodes that push what a name means."""
    return text(module) + text(qualname) + b"\x93"


def call(spelled: str, *args: bytes) -> bytes:
    """Return opcodes that call ``module:qualname`` with what the opcodes of `args` push."""
    return name(*spelled.split(":", 1)) + b"(" + b"".join(args) + b"tR"


def stream(*parts: bytes) -> bytes:
    """Return a pickle of some opcodes."""
    return b"\x80\x04" + b"".join(parts) + b"."


def look(data: bytes) -> skopsafe.PickleReport:
    """Return the report of a pickle."""
    return inspect_pickle(io.BytesIO(data))
