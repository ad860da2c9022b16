"""``schema.json`` of a file of skops: one object of JSON in another, down to the last attribute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from skopsafe.archive.container import Reader
from skopsafe.archive.zip_records import SCHEMA as MEMBER
from skopsafe.errors import FormatError, LimitError, shown
from skopsafe.limits import Limits

NEWEST = 2
"""The newest protocol that is known: that of skops 0.10 to 0.16."""
AGAIN = "Get the file again from its author."


@dataclass(frozen=True, slots=True)
class Schema:
    """A file of skops.

    Attributes
    ----------
    root : dict
        The node of the object that was saved.
    protocol : int
        0 was written up to skops 0.5, 1 up to 0.9.
    version : str
        Of skops; empty where the file does not say.
    size : int
        Of ``schema.json``, in bytes.
    """

    root: dict[str, Any]
    protocol: int
    version: str
    size: int


def read(reader: Reader, limits: Limits) -> Schema:
    """Read the schema of a file of skops.

    Raises
    ------
    FormatError
        It is damaged, nested deeper than Python goes, or of a newer protocol.
    LimitError
        It is too large.
    """
    size = reader.size(MEMBER)
    if size > limits.schema_bytes:
        raise LimitError(
            f"schema.json has {size} bytes, more than the limit of {limits.schema_bytes}",
            next_step="Pass limits=Limits(schema_bytes=...) if you expect so large a graph.",
        )
    try:
        root = msgspec.json.decode(reader.read(MEMBER))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise FormatError(f"the schema is malformed ({error})", path=MEMBER, next_step=AGAIN) from shown(
            error
        )
    except RecursionError as error:
        raise FormatError("the schema is nested too deep", path=MEMBER, next_step=AGAIN) from error
    if not isinstance(root, dict):
        raise FormatError("the schema is no object", path=MEMBER, next_step=AGAIN)
    protocol, version = root.get("protocol"), root.get("_skops_version", "")
    if type(protocol) is not int or protocol < 0:
        raise FormatError("the protocol of skops is no number", path=MEMBER, next_step=AGAIN)
    if protocol > NEWEST:
        raise FormatError(
            f"the file has protocol {protocol} of skops, and this version reads up to {NEWEST}",
            path=MEMBER,
            next_step="Upgrade skopsafe: pip install -U skopsafe.",
        )
    return Schema(root, protocol, version if isinstance(version, str) else "", size)
