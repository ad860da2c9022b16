"""A zip, written forwards: the same members give the same bytes, whatever they are written to."""

from __future__ import annotations

import errno
import io
from collections.abc import Sequence
from typing import IO, Any

from skopsafe.archive import compression as codecs
from skopsafe.archive import crc
from skopsafe.archive import zip_records as records
from skopsafe.archive.chunks import flat, size_of
from skopsafe.archive.replace import Replacement
from skopsafe.archive.tasks import Task
from skopsafe.errors import file_error

ALIGNMENT = 64
_DATE = 1 << 5 | 1  # the first day of 1980
_UNIX = 3
_VERSION = 20
_VERSION64 = 45
_MODE = 0o600 << 16
_HELD = 1 << 18
_CRC_PLACE = 14
_MOST = 1 << 30
"""Bytes that are written at once: Linux takes 2 GB at most, and only raw files say how many it took."""
_UNWRITABLE = "the file object cannot be written to"


class Writer:
    """Adds members to a zip in order."""

    def __init__(self, file: IO[bytes], compression: int, compresslevel: int | None) -> None:
        self._sink = _Sink(file)
        self._directory: list[bytes] = []
        self._members = (
            None if compression == codecs.STORED else codecs.Compressed(compression, compresslevel, self._put)
        )

    def add(self, name: str, *chunks: Any) -> None:
        """Write one member from `chunks` of C-contiguous bytes-like objects; stored ones are aligned.

        The chunks may be read until `close` returns, and must not change before.
        """
        if self._members is not None:
            self._members.add(name, chunks)
            return
        size = sum(map(size_of, chunks))
        if size < crc.LARGE or not self._sink.can_go_back:
            self._put(name, size, crc.of_chunks(chunks), size, chunks)
            return
        task = None
        try:
            task = Task(crc.of_chunks, chunks)
            place = self._sink.place
            self._put(name, size, 0, size, chunks)
        except BaseException:
            if task is not None:
                task.wait()
            raise
        changed = task.result().to_bytes(4, "little")
        self._sink.replace(place + _CRC_PLACE, changed)
        entry = self._directory[-1]
        self._directory[-1] = entry[: _CRC_PLACE + 2] + changed + entry[_CRC_PLACE + 6 :]

    def _put(
        self, name: str, size: int, checksum: int, packed: int, chunks: Any, method: int = codecs.STORED
    ) -> None:
        """Write the header and the data of a member, and note it for the directory."""
        spelled = name.encode()
        flags = (0 if name.isascii() else records.UTF8) | codecs.FLAGS[method]
        place = self._sink.place
        extra = b""
        sizes = (packed, size)
        version = codecs.VERSIONS[method]
        if max(sizes) >= records.FULL32:
            extra = _field(records.ZIP64_FIELD, size.to_bytes(8, "little") + packed.to_bytes(8, "little"))
            sizes = (records.FULL32, records.FULL32)
            version = max(version, _VERSION64)
        local = extra
        if method == codecs.STORED:
            start = place + records.LOCAL.size + len(spelled) + len(extra) + 4
            local += _field(records.ALIGN_FIELD, bytes(-start % ALIGNMENT))
        if place >= records.FULL32:
            extra = _field(records.ZIP64_FIELD, extra[4:] + place.to_bytes(8, "little"))
            version = max(version, _VERSION64)
            place = records.FULL32
        common = (flags, method, 0, _DATE, checksum, *sizes, len(spelled))
        header = records.LOCAL.pack(records.LOCAL_MAGIC, version, *common, len(local)) + spelled + local
        self._sink.write((header, *chunks), len(header) + packed)
        entry = records.ENTRY.pack(
            records.ENTRY_MAGIC,
            _UNIX << 8 | max(version, _VERSION),
            version,
            *common,
            len(extra),
            0,
            0,
            0,
            _MODE,
            place,
        )
        self._directory.append(entry + spelled + extra)

    def give_up(self) -> None:
        """Let all threads end."""
        if self._members is not None:
            self._members.give_up()

    def close(self) -> None:
        """Write the directory."""
        if self._members is not None:
            self._members.finish()
        place, count = self._sink.place, len(self._directory)
        directory = b"".join(self._directory)
        size = len(directory)
        self._sink.write((directory,), size)
        if count >= records.FULL16 or max(size, place) >= records.FULL32:
            end64 = records.END64.pack(
                records.END64_MAGIC,
                records.END64.size - 12,
                _UNIX << 8 | _VERSION64,
                _VERSION64,
                0,
                0,
                count,
                count,
                size,
                place,
            )
            locator = records.LOCATOR.pack(records.LOCATOR_MAGIC, 0, place + size, 1)
            self._sink.write((end64, locator), len(end64) + len(locator))
            count, size = min(count, records.FULL16), min(size, records.FULL32)
            place = min(place, records.FULL32)
        end = records.END.pack(records.END_MAGIC, 0, 0, count, count, size, place, 0)
        self._sink.write((end,), len(end))
        self._sink.close()


def _field(number: int, content: bytes) -> bytes:
    return number.to_bytes(2, "little") + len(content).to_bytes(2, "little") + content


class _Sink:
    """Puts small pieces together, and hands on large ones as they are.

    Attributes
    ----------
    place : int
        How many bytes came before.
    can_go_back : bool
        Whether `replace` works. Files of others may say so and append all the same.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.place = 0
        self.can_go_back = type(file) in (io.BytesIO, Replacement)
        self._file = file
        self._may_write_less = isinstance(file, io.RawIOBase)
        self._pieces: list[Any] = []
        self._held = 0

    def write(self, pieces: Sequence[Any], size: int) -> None:
        """Write bytes-like objects that have `size` bytes together."""
        self.place += size
        if self._held + size < _HELD:
            self._pieces += pieces
            self._held += size
            return
        for piece in pieces:
            size = size_of(piece)
            if size < _HELD:
                self._pieces.append(piece)
                self._held += size
                if self._held >= _HELD:
                    self.flush()
            else:
                self.flush()
                self._write(flat(piece))

    def flush(self) -> None:
        if self._pieces:
            self._write(b"".join(self._pieces))
            self._pieces, self._held = [], 0

    def close(self) -> None:
        """Hand on what is left, so that a full disk is an error here and not where the file is closed."""
        self.flush()
        if hasattr(self._file, "flush"):
            try:
                self._file.flush()
            except (OSError, MemoryError):
                raise
            except Exception as error:
                raise file_error(error, _UNWRITABLE) from error

    def _write(self, data: bytes | memoryview) -> None:
        while data:
            piece = data if len(data) <= _MOST else memoryview(data)[:_MOST]
            count = self._taken(piece)
            if count == len(data):
                return
            data = memoryview(data)[count:]

    def _taken(self, piece: bytes | memoryview) -> int:
        """Return how many bytes of a piece the file has taken."""
        try:
            count = self._file.write(piece)
        except (OSError, MemoryError):
            raise
        except Exception as error:  # files of others raise whatever they like
            raise file_error(error, _UNWRITABLE) from error
        size = len(piece)
        if count is None and not self._may_write_less:  # many files of others say nothing
            return size
        if not count:
            raise BlockingIOError(errno.EAGAIN, "it takes no more and does not wait")
        # One that compresses may count what it made of them: only raw files are known to mean bytes taken.
        if not isinstance(count, int) or not 0 < count <= size or (count < size and not self._may_write_less):
            raise OSError(errno.EIO, f"it was given {size} bytes and says that it has taken {count!r:.100}")
        return count

    def replace(self, place: int, piece: bytes) -> None:
        """Write over what was written before."""
        self.flush()
        end = self._file.tell()
        self._file.seek(end - self.place + place)
        self._write(piece)
        self._file.seek(end)
