"""Schemas by hand, for files that no dump writes."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

from tests.archive.zips import Crafted
from tests.measuring import Outcome


def schema(types: list[str], shapes: list[Any], runs: list[Any], root: Any, **tables: Any) -> dict[str, Any]:
    """Return a schema; types are classes, but for those that are written as ``value module:qualname``."""
    rows = [row.partition(" ")[::2] if " " in row else ("class", row) for row in types]
    return {
        "format": "skopsafe",
        "protocol": 1,
        "__class__": "load",
        "__module__": "skopsafe",
        "__loader__": "skopsafe.load",
        "writer": {},
        "types": [[name, role] for role, name in rows],
        "shapes": shapes,
        "dtypes": [],
        "members": [],
        "arrays": [],
        "runs": runs,
        "root": root,
        **tables,
    }


def spelled(found: dict[str, Any], **replaced: str) -> bytes:
    """Return a schema as JSON without blanks, fields of it replaced by a text as it is."""
    marks = {name: f"@{name}@" for name in replaced}
    text = json.dumps({**found, **marks}, separators=(",", ":"))
    for name, mark in marks.items():
        text = text.replace(f'"{mark}"', replaced[name])
    return text.encode()


def numbers(count: int, first: int = 0) -> list[list[int]]:
    """Return references to nodes that follow each other."""
    return [[first + number] for number in range(count)]


def one_list(values: str) -> bytes:
    """Return the schema of one list, whose values are a text as it is."""
    return spelled(schema(["builtins:list"], [[0, None]], [], [0]), runs=f"[[0,1,[{values}]]]")


def npy(shape: tuple[int, ...], descr: str = "|u1", content: bytes = b"", text: str = "") -> bytes:
    """Return an ``.npy`` member; `text` replaces its header."""
    head = (text or f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}").encode("latin1")
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + content


def written(path: Path, content: bytes | dict[str, Any], members: dict[str, bytes] | None = None) -> Path:
    """Write a file of stored members, with the schema last."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for name, member in (members or {}).items():
            zipped.writestr(name, member)
        zipped.writestr("schema.json", content if isinstance(content, bytes) else spelled(content))
    path.write_bytes(out.getvalue())
    return path


def deflated(name: str, pieces: Any, level: int = 9) -> Crafted:
    """Return a member whose content comes in pieces, for it may be too large to have in memory."""
    deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    out, size, checksum = [], 0, 0
    for piece in pieces:
        out.append(deflate.compress(piece))
        size, checksum = size + len(piece), zlib.crc32(piece, checksum)
    out.append(deflate.flush())
    fields = {"method": 8}
    return Crafted(name.encode(), b"".join(out), fields, fields, size=size, checksum=checksum)


def assert_refused(found: Outcome, *kinds: str, peak: int, match: str = "") -> None:
    """Assert that a call ended by an error of ours, within so many bytes of memory."""
    assert found.is_ours, found
    assert found.ended in (kinds or ("LimitError", "FormatError", "ValidationError")), found
    assert match in found.message, found
    assert 0 <= found.peak <= peak, found
