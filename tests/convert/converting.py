"""What the tests of conversions share."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import skopsafe


def converted(data: bytes) -> bytes:
    """Return the file that a pickle becomes."""
    out = io.BytesIO()
    skopsafe.convert(io.BytesIO(data), out)
    return out.getvalue()


def content(data: bytes) -> tuple[Any, dict[str, bytes]]:
    """Return what is in a file, but for who wrote it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members.pop("schema.json"))
    del schema["writer"]
    return schema, members
