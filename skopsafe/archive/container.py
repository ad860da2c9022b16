"""The zip: written deterministically and atomically, read strictly.

Format: PKWARE APPNOTE 6.3.10. Only `stored` and the compressions that `zipfile` knows are used.
"""

from __future__ import annotations

import contextlib
import lzma
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from skopsafe.archive.recognize import recognize
from skopsafe.errors import ArgumentError, FileError, FormatError, LimitError, SkopsafeError, file_error
from skopsafe.limits import Limits

ALIGNMENT = 64
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LOCAL = struct.Struct("<4s5H3I2H")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_SIZE = 20
_ALIGN_FIELD = 0xD935  # the extra field that Android's zipalign uses for the same purpose
_CHUNK = 1 << 24
# What zipfile and its decompressors raise on damaged members.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,
    OSError,
    RuntimeError,
    NotImplementedError,
    struct.error,
)
_AGAIN = "Get the file again from its author, or save the model again."


class Writer:
    """Adds members to a zip in order; the same members give the same bytes."""

    def __init__(self, file: IO[bytes], compression: int, compresslevel: int | None) -> None:
        self._zip = zipfile.ZipFile(file, "w", compression, compresslevel=compresslevel)
        self._compression = compression
        self._level = compresslevel

    def add(self, name: str, *chunks: Any) -> None:
        """Write one member from `chunks` of bytes-like objects; stored ones are aligned."""
        info = zipfile.ZipInfo(name, _EPOCH)
        info.compress_type = self._compression
        info.file_size = sum(memoryview(chunk).nbytes for chunk in chunks)
        info.create_system = 3
        large = info.file_size * 1.05 > zipfile.ZIP64_LIMIT
        if self._compression == zipfile.ZIP_STORED:
            start = self._zip.start_dir + 30 + len(name) + (20 if large else 0)
            padding = -(start + 4) % ALIGNMENT
            info.extra = struct.pack("<HH", _ALIGN_FIELD, padding) + b"\0" * padding
        info._compresslevel = self._level  # type: ignore[attr-defined]
        try:
            with self._zip.open(info, "w", force_zip64=large) as member:
                for chunk in chunks:
                    view = memoryview(chunk).cast("B") if memoryview(chunk).nbytes else memoryview(b"")
                    for start in range(0, len(view), _CHUNK):
                        member.write(view[start : start + _CHUNK])
        except BaseException:
            self._zip.fp = None  # or its finalizer would write a directory behind the fragment
            raise

    def close(self) -> None:
        """Write the directory."""
        self._zip.close()


_LEVELS = {
    zipfile.ZIP_STORED: (-1, 9),
    zipfile.ZIP_DEFLATED: (-1, 9),
    zipfile.ZIP_BZIP2: (1, 9),
    zipfile.ZIP_LZMA: (-1, 9),
}


def check_compression(compression: Any, level: Any) -> None:
    """Raise unless `zipfile` knows the compression and its level."""
    if not isinstance(compression, int) or compression not in _LEVELS:
        raise ArgumentError(
            f"compression {compression!r} is unknown",
            next_step="Use zipfile.ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2 or ZIP_LZMA.",
        )
    low, high = _LEVELS[compression]
    if level is not None and not (type(level) is int and low <= level <= high):
        raise ArgumentError(
            f"compresslevel {level!r} is unknown", next_step=f"Use an integer from {low} to {high}."
        )


class Reader:
    """The members of a zip, opened strictly.

    Raises
    ------
    FormatError
        The file is not a zip, is truncated, has members that overlap or stand twice.
    LimitError
        A limit of `limits` is passed.
    """

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self.file = file
        self._limits = limits
        size = file.seek(0, os.SEEK_END)
        self._look_at_the_end(size)
        try:
            self._zip = zipfile.ZipFile(file)
        except (
            zipfile.BadZipFile,
            struct.error,
            ValueError,
            NotImplementedError,
            EOFError,
            OSError,
        ) as error:
            raise FormatError(f"the zip directory is damaged ({error})", next_step=_AGAIN) from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        spans = []
        total = 0
        for info in self._zip.infolist():
            if info.filename in self._members:
                raise FormatError("a member stands twice", path=repr(info.filename), next_step=_AGAIN)
            if info.flag_bits & 0x1:
                raise FormatError("a member is encrypted", path=repr(info.filename), next_step=_AGAIN)
            if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
                raise FormatError("a stored member has two sizes", path=repr(info.filename), next_step=_AGAIN)
            self._members[info.filename] = info
            spans.append((info.header_offset, info.header_offset + 30 + info.compress_size))
            total += info.file_size
        spans.sort()
        ends = [0, *(end for _, end in spans)]
        if any(start < end for (start, _), end in zip(spans, ends[:-1], strict=True)) or ends[-1] > size:
            raise FormatError("members of the zip overlap or lie outside it", next_step=_AGAIN)
        if total > limits.total_bytes:
            raise _too_much("bytes in all members", total, "total_bytes", limits.total_bytes)
        if total > limits.expansion_floor and total > limits.expansion * size:
            raise _too_much("times its own size when expanded", total // size, "expansion", limits.expansion)

    def close(self) -> None:
        """Let go of the zip; the file stays open."""
        self._zip.close()

    def _look_at_the_end(self, size: int) -> None:
        """Refuse what is no zip, and a directory beyond the limits, before it is read."""
        self.file.seek(0)
        head = self.file.read(64)
        if size < _END.size or not head.startswith(b"PK\3\4"):
            self.file.seek(max(size - 1, 0))
            reason = recognize(head, self.file.read(1))
            raise FormatError(reason, next_step="Save the model with skopsafe.dump.")
        self.file.seek(size - _END.size)
        tail = self.file.read(_END.size)
        magic, disk, _, _, entries, directory, _, comment = _END.unpack(tail)
        if magic != b"PK\5\6" or comment or disk not in (0, 0xFFFF):
            raise FormatError(
                "the zip does not end with its directory: it is truncated or has bytes behind it",
                next_step=_AGAIN,
            )
        if directory == 0xFFFFFFFF or entries == 0xFFFF:
            entries, directory = self._look_at_zip64(size)
        if entries > self._limits.members:
            raise _too_much("members", entries, "members", self._limits.members)
        if directory > self._limits.directory_bytes:
            raise _too_much(
                "bytes of zip directory", directory, "directory_bytes", self._limits.directory_bytes
            )

    def _look_at_zip64(self, size: int) -> tuple[int, int]:
        """Return entries and bytes of a zip64 directory, whose end stands before that of the zip."""
        start = size - _END.size - _LOCATOR_SIZE - _END64.size
        if start >= 0:
            self.file.seek(start)
            magic, _, _, _, _, _, _, entries, directory, _ = _END64.unpack(self.file.read(_END64.size))
            if magic == b"PK\6\6":
                return entries, directory
        raise FormatError("the end of the zip64 directory is damaged", next_step=_AGAIN)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """Return the uncompressed size of a member in bytes."""
        return self._info(name).file_size

    def _info(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._members[name]
        except KeyError:
            raise FormatError(f"the member {name} is missing", next_step=_AGAIN) from None

    def read(self, name: str) -> bytes:
        """Read a whole member and check its CRC."""
        info = self._info(name)
        try:
            data = self._zip.read(info)
        except _DAMAGE as error:
            raise FormatError(f"the member is damaged ({error})", path=name, next_step=_AGAIN) from error
        if len(data) != info.file_size:
            raise FormatError("the member is shorter than the directory says", path=name, next_step=_AGAIN)
        return data

    def read_into(self, name: str, skip: int, target: NDArray[np.uint8], head: bytes) -> None:
        """Fill `target` with the member's bytes after the first `skip`; check the CRC.

        `head` holds those first bytes, which the caller has read already.
        """
        info = self._info(name)
        if info.compress_type != zipfile.ZIP_STORED:
            data = self.read(name)
            target[:] = np.frombuffer(data, np.uint8, len(target), skip)
            return
        self.file.seek(self.offset(name) + skip)
        view = memoryview(cast("Any", target))
        crc, done = zlib.crc32(head), 0
        while done < len(view):
            part = view[done : done + _CHUNK]
            count = cast("Any", self.file).readinto(part)
            if not count:
                raise FormatError("the file is truncated", path=name, next_step=_AGAIN)
            crc = zlib.crc32(part[:count], crc)
            done += count
        if crc != info.CRC:
            raise FormatError("the member is damaged (its CRC differs)", path=name, next_step=_AGAIN)

    def check(self, name: str) -> None:
        """Read a member in pieces and compare its CRC."""
        try:
            with self._zip.open(self._info(name)) as member:
                while member.read(_CHUNK):
                    pass
        except _DAMAGE as error:
            raise FormatError(f"the member is damaged ({error})", path=name, next_step=_AGAIN) from error

    def head(self, name: str, size: int) -> bytes:
        """Return the first `size` bytes of a member, unchecked."""
        info = self._info(name)
        if info.compress_type != zipfile.ZIP_STORED:
            return self.read(name)[:size]
        self.file.seek(self.offset(name))
        return self.file.read(min(size, info.file_size))

    def is_stored(self, name: str) -> bool:
        """Tell whether the member's bytes stand in the file as they are."""
        return self._info(name).compress_type == zipfile.ZIP_STORED

    def offset(self, name: str) -> int:
        """Return where in the file the data of a stored member begins, in bytes."""
        info = self._info(name)
        self.file.seek(info.header_offset)
        local = self.file.read(_LOCAL.size)
        if len(local) != _LOCAL.size:
            raise FormatError("the file is truncated", path=name, next_step=_AGAIN)
        fields = _LOCAL.unpack(local)
        start = info.header_offset + _LOCAL.size + int(fields[-2]) + int(fields[-1])
        stored = self.file.read(int(fields[-2]))
        if fields[0] != b"PK\3\4" or stored != name.encode() or fields[3] != info.compress_type:
            raise FormatError("a member's header contradicts the directory", path=name, next_step=_AGAIN)
        return start


def _too_much(what: str, count: int, limit: str, allowed: int) -> LimitError:
    return LimitError(
        f"the file has {count} {what}, more than the limit of {allowed}",
        next_step=f"Pass limits=Limits({limit}=...) if you know the file and expect so much.",
    )


@contextlib.contextmanager
def replacing(path: str) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path` that replaces it when all went well, atomically.

    A pipe or a device is written to and never replaced.

    Raises
    ------
    FileError
        The file cannot be written.
    """
    try:
        final = os.path.realpath(path)
        mode = _mode(final)
    except (OSError, ValueError) as error:
        raise file_error(error, "the file cannot be written", path) from error
    if stat.S_ISDIR(mode) or not path or path.endswith((os.sep, os.altsep or os.sep)):
        raise FileError("a folder cannot be written as a file", path=path, next_step="Name a file in it.")
    try:
        if stat.S_ISREG(mode):
            yield from _through_temporary(final, stat.S_IMODE(mode))
        else:
            with open(final, "wb") as file:
                yield file
    except SkopsafeError:
        raise
    except OSError as error:
        raise file_error(error, "the file cannot be written", path) from error


def _mode(path: str) -> int:
    """Return the mode of a file, or the one that a new file gets."""
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return stat.S_IFREG | (0o666 & ~mask)


def _through_temporary(final: str, mode: int) -> Iterator[IO[bytes]]:
    folder, base = os.path.split(final)
    # The name of the file itself may be as long as names can be.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{base[:50]}.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
        os.chmod(temporary, mode)
        os.replace(temporary, final)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
