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
        Uncompressed size of all members over the size of the file. Deflate reaches about 1032. A byte of the
        schema counts as `SCHEMA_WEIGHT` where there are more than `SCHEMA_FLOOR` of them.
    expansion_floor : int
        Total size in bytes below which `expansion` is not looked at.
    work : int
        Steps of work over the size of the file, where what is used at many places counts at each of them.
    work_floor : int
        Steps below which `work` is not looked at.
    dimensions : int
        Dimensions of one array; numpy itself stops at 64.
    opcodes : int
        Opcodes of all pickles in a file that is looked at, each way in which loaders read it on its own.
    """

    members: int = 100_000
    directory_bytes: int = 32 * 2**20
    schema_bytes: int = 2 * 2**30
    nodes: int = 100_000_000
    array_bytes: int = 2**40
    total_bytes: int = 2**41
    expansion: int = 1100
    expansion_floor: int = 2**20
    work: int = 100
    work_floor: int = 2**22
    dimensions: int = 64
    opcodes: int = 10_000_000

    def steps(self, size: int) -> int:
        """Return how much work a file of `size` bytes may make."""
        return max(self.work * size, self.work_floor)


DEFAULT_LIMITS = Limits()
SCHEMA_WEIGHT = 32
"""What a byte of the schema can become in memory: a reference such as ``[0],`` is a list of its own."""
SCHEMA_FLOOR = 2**22
"""Bytes of a schema up to which each counts as one."""
