"""Every limit of the reader, with its default and its reason.

A limit is checked before the memory it protects is allocated.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds for one file.

    Attributes
    ----------
    members : int
        Members of the zip. Small arrays are pooled, so real files have few.
    directory_bytes : int
        Size of the zip directory, in bytes.
    schema_bytes : int
        Size of the uncompressed ``schema.json``, in bytes.
    nodes : int
        Objects in the graph.
    array_bytes : int
        Uncompressed size of one array, in bytes.
    total_bytes : int
        Uncompressed size of all members together, in bytes.
    expansion : int
        Uncompressed size of all members over the size of the file. Deflate reaches about 1032.
    expansion_floor : int
        Total size in bytes below which `expansion` is not looked at.
    dimensions : int
        Dimensions of one array; numpy itself stops at 64.
    """

    members: int = 100_000
    directory_bytes: int = 32 * 2**20
    schema_bytes: int = 2 * 2**30
    nodes: int = 100_000_000
    array_bytes: int = 2**40
    total_bytes: int = 2**41
    expansion: int = 1100
    expansion_floor: int = 2**20
    dimensions: int = 64


DEFAULT_LIMITS = Limits()
