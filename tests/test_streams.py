"""File objects that break, wait, or say what is not so."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import socket
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import skopsafe
from skopsafe import Limits

OBJECT = {"large": np.arange(50_000.0), "small": [np.arange(9), "text", {1, 2}]}
DATA = skopsafe.dumps(OBJECT)


def same(loaded: Any) -> bool:
    return skopsafe.dumps(loaded) == DATA


@pytest.fixture(autouse=True)
def nobody_fails_unseen() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pytest.PytestUnraisableExceptionWarning)
        yield


class Refused(Exception):
    """What a file object of others may raise."""


class Target:
    """A file object that only writes, with an answer to each `write`."""

    def __init__(self, answer: Callable[[int], Any]) -> None:
        self.content = bytearray()
        self._answer = answer

    def write(self, data: Any) -> Any:
        found = self._answer(len(data))
        self.content += data[:found] if type(found) is int and found >= 0 else data
        return found


class RawTarget(io.RawIOBase):
    """The same as a raw file, which may take less than it is given."""

    def __init__(self, answer: Callable[[int], Any]) -> None:
        self.target = Target(answer)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> Any:
        return self.target.write(data)


def test_many_write_methods_say_nothing_and_have_taken_all() -> None:
    target = Target(lambda size: None)
    skopsafe.dump(OBJECT, target)  # type: ignore[arg-type]
    assert bytes(target.content) == DATA


@pytest.mark.parametrize("most", [1, 7, 4096])
def test_a_raw_file_that_takes_little_at_a_time_gets_all(most: int) -> None:
    if most == 1:
        raw = RawTarget(lambda size: 1)
        skopsafe.dump([1], raw)  # type: ignore[arg-type]
        assert skopsafe.loads(bytes(raw.target.content)) == [1]
        return
    raw = RawTarget(lambda size: min(size, most))
    skopsafe.dump(OBJECT, raw)  # type: ignore[arg-type]
    assert bytes(raw.target.content) == DATA


@pytest.mark.parametrize("kind", [Target, RawTarget])
@pytest.mark.parametrize("count", [0, -1, -(10**9), 10**9, "all", 1.5, b"x", [1]], ids=repr)
def test_a_count_that_cannot_be_is_an_error(kind: Any, count: Any) -> None:
    with pytest.raises(skopsafe.FileError, match="cannot be written to") as caught:
        skopsafe.dump(OBJECT, kind(lambda size: count))
    assert caught.value.next_step


def test_a_file_that_took_less_than_it_was_given_is_an_error() -> None:
    """Where it is no raw file, nobody can tell whether it counts what it took or what it made of it."""
    with pytest.raises(skopsafe.FileError, match=r"given \d+ bytes and says that it has taken 10"):
        skopsafe.dump(OBJECT, Target(lambda size: min(size, 10)))  # type: ignore[arg-type]


def test_a_raw_file_that_does_not_wait_is_an_error() -> None:
    with pytest.raises(BlockingIOError, match="takes no more") as caught:
        skopsafe.dump(OBJECT, RawTarget(lambda size: None))  # type: ignore[arg-type]
    assert isinstance(caught.value, skopsafe.FileError)


ERRORS = [
    OSError(5, "Input/output error"),
    BrokenPipeError(32, "Broken pipe"),
    ConnectionResetError(104, "Connection reset by peer"),
    TimeoutError("timed out"),
    PermissionError(13, "Permission denied"),
    ValueError("write to closed file"),
    BufferError("Existing exports of data: object cannot be re-sized"),
    EOFError(),
    Refused("no"),
    RuntimeError("no"),
]


def raising(error: BaseException) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise error

    return refuse


def is_one_of_ours(found: BaseException, error: BaseException) -> bool:
    """Tell whether an error is ours and, where the system raised it, caught as what it was."""
    kind = type(error) if isinstance(error, OSError) else Exception
    same_number = getattr(found, "errno", None) == getattr(error, "errno", None)
    return isinstance(found, skopsafe.FileError) and isinstance(found, kind) and same_number


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_whatever_a_file_object_raises_in_dump_is_an_error_of_ours(error: Exception) -> None:
    class Flushing(io.BytesIO):
        flush = raising(error)

    for target in (Target(raising(error)), RawTarget(raising(error)), Flushing()):
        with pytest.raises(skopsafe.FileError) as caught:
            skopsafe.dump(OBJECT, target)  # type: ignore[arg-type]
        assert is_one_of_ours(caught.value, error)
        assert caught.value.__cause__ is error
        assert (getattr(error, "strerror", None) or str(error)) in str(caught.value)


def test_an_array_that_changes_while_it_is_written_is_called_damaged() -> None:
    array = np.zeros(100_000)

    def change(size: int) -> int:
        array[5] += 1
        return size

    target = Target(change)
    skopsafe.dump(array, target)  # type: ignore[arg-type]
    with pytest.raises(skopsafe.FormatError, match="CRC"):
        skopsafe.loads(bytes(target.content))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), GeneratorExit()], ids=repr)
def test_what_is_no_failure_passes(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        skopsafe.dump(OBJECT, Target(raising(error)))  # type: ignore[arg-type]
    assert caught.value is error
    with pytest.raises(type(error)) as caught:
        skopsafe.load(Odd(read=raising(error)))  # type: ignore[arg-type]
    assert caught.value is error


def test_memory_that_is_viewed_is_not_written_to() -> None:
    out = io.BytesIO(b"some")
    with out.getbuffer(), pytest.raises(skopsafe.FileError, match="Existing exports"):
        skopsafe.dump(OBJECT, out)


class Odd(io.BytesIO):
    """A file in memory, some of whose methods are others."""

    def __init__(self, content: bytes = DATA, **methods: Callable[..., Any]) -> None:
        super().__init__(content)
        vars(self).update(methods)


class NoReadinto:
    """A file object that has not got `readinto`, and gives a few bytes at a time."""

    def __init__(self, content: bytes, most: int) -> None:
        self._file = io.BytesIO(content)
        self._most = most

    def seekable(self) -> bool:
        return True

    def seek(self, *place: int) -> None:  # many say nothing
        self._file.seek(*place)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, self._most))


@pytest.mark.parametrize("most", [1000, 1 << 30])
@pytest.mark.parametrize("seekable", [True, False])
def test_a_file_that_gives_little_at_a_time_is_read(most: int, seekable: bool) -> None:
    file = NoReadinto(DATA, most)
    file.seekable = lambda: seekable  # type: ignore[method-assign]
    assert same(skopsafe.load(file))  # type: ignore[arg-type]
    file.seek(0)
    assert skopsafe.get_untrusted_types(file) == []


class Sips(io.BytesIO):
    """Fills a few bytes at a time."""

    def readinto(self, view: Any) -> int:
        return super().readinto(view[:1000])


def test_a_file_that_fills_little_at_a_time_is_read() -> None:
    assert same(skopsafe.load(Sips(DATA)))


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("method", ["read", "readinto", "seek", "seekable"])
def test_whatever_a_file_object_raises_in_load_is_an_error_of_ours(error: Exception, method: str) -> None:
    with pytest.raises(skopsafe.FileError, match="cannot be read") as caught:
        skopsafe.load(Odd(**{method: raising(error)}))
    assert is_one_of_ours(caught.value, error)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "methods",
    [
        {"read": lambda size: "text"},
        {"read": lambda size: None},
        {"read": lambda size: bytes(size + 1)},
        {"read": lambda size: [0] * size},
        {"read": lambda size: 5},
        {"readinto": lambda view: None},
        {"readinto": lambda view: -1},
        {"readinto": lambda view: len(view) + 1},
        {"readinto": lambda view: "all"},
        {"seek": lambda *place: -1},
        {"seek": lambda *place: "end"},
        {"seek": lambda *place: None, "tell": lambda: None},
    ],
    ids=range(12),
)
def test_what_no_file_would_give_is_an_error(methods: dict[str, Callable[..., Any]]) -> None:
    with pytest.raises(skopsafe.FileError, match="cannot be read") as caught:
        skopsafe.load(Odd(**methods))
    assert caught.value.next_step


@pytest.mark.parametrize(
    "methods",
    [
        {"seek": lambda *place: 0},
        {"seek": lambda *place: 100},
        {"seek": lambda *place: len(DATA) - 1},
        {"seek": lambda *place: len(DATA) + 1},
        {"seek": lambda *place: 10**15},
        {"read": lambda size: b""},
        {"read": bytes},
        {"readinto": lambda view: 0},
        {"readinto": len},
    ],
    ids=range(9),
)
def test_a_file_that_lies_about_its_size_or_content_is_no_file_of_ours(methods: dict[str, Any]) -> None:
    with pytest.raises(skopsafe.SkopsafeError):
        skopsafe.load(Odd(**methods))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_stream_that_breaks_off_or_is_damaged_is_an_error(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    opened: Any = {gzip.compress: gzip.open, bz2.compress: bz2.open, lzma.compress: lzma.open}[pack]
    packed = pack(np.random.default_rng(0).bytes(1000) + DATA)
    changed = bytearray(packed)
    changed[len(packed) // 2] ^= 255
    for content in (packed[:-20], packed[: len(packed) // 2], bytes(changed), b"no such stream"):
        with opened(io.BytesIO(content)) as file, pytest.raises(skopsafe.FileError, match="cannot be read"):
            skopsafe.load(file)


def test_a_stream_without_end_is_read_no_further_than_the_limits_allow() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, view: Any) -> int:
            self.given += len(view)
            return len(view)

    endless = Endless()
    with pytest.raises(skopsafe.LimitError, match=r"Limits\(total_bytes=\.\.\.\)"):
        skopsafe.load(endless, limits=Limits(total_bytes=10**6, directory_bytes=10**6))  # type: ignore[arg-type]
    assert endless.given < 10**7


def test_limits_that_a_file_keeps_hold_for_a_stream_of_it() -> None:
    many = skopsafe.dumps([np.arange(8200) + number for number in range(200)])
    total, directory = len(many), 200 * 80
    file = NoReadinto(many, 1 << 20)
    file.seekable = lambda: False  # type: ignore[method-assign]
    limits = Limits(total_bytes=total, directory_bytes=directory)
    assert len(skopsafe.load(file, limits=limits)) == 200  # type: ignore[arg-type]


def test_a_pipe_that_has_nothing_yet_and_does_not_wait_is_an_error() -> None:
    receiver, sender = os.pipe()
    os.set_blocking(receiver, False)
    with open(receiver, "rb", 0) as reads, open(sender, "wb", 0):
        with pytest.raises(BlockingIOError, match="does not wait") as caught:
            skopsafe.load(reads)
        assert isinstance(caught.value, skopsafe.FileError)


def test_a_pipe_that_takes_no_more_and_does_not_wait_is_an_error() -> None:
    receiver, sender = os.pipe()
    os.set_blocking(sender, False)
    with open(receiver, "rb", 0), open(sender, "wb", 0) as writes, pytest.raises(BlockingIOError) as caught:
        skopsafe.dump(OBJECT, writes)
    assert isinstance(caught.value, skopsafe.FileError)


def test_a_reader_that_goes_away_is_a_broken_pipe(tmp_path: Path) -> None:
    receiver, sender = os.pipe()
    os.close(receiver)
    with open(sender, "wb", 0) as writes, pytest.raises(BrokenPipeError) as caught:
        skopsafe.dump(OBJECT, writes)
    assert isinstance(caught.value, skopsafe.FileError)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def leave() -> None:
        with open(pipe, "rb", 0) as reads:
            reads.read(100)

    thread = threading.Thread(target=leave)
    thread.start()
    with pytest.raises(BrokenPipeError, match=r"Broken pipe.*pipe") as caught:
        skopsafe.dump(OBJECT, pipe)
    thread.join()
    assert isinstance(caught.value, skopsafe.FileError)


def test_a_socket_is_read_and_written_and_breaks() -> None:
    one, other = socket.socketpair()
    with one, other, other.makefile("rb") as reads, one.makefile("wb") as writes:
        thread = threading.Thread(
            target=lambda: (skopsafe.dump(OBJECT, writes), writes.flush(), one.shutdown(socket.SHUT_WR))
        )
        thread.start()
        assert same(skopsafe.load(reads))
        thread.join()
    one, other = socket.socketpair()
    other.close()
    raw = socket.SocketIO(one, "w")
    with one, raw, pytest.raises(ConnectionError) as caught:
        skopsafe.dump(OBJECT, raw)  # type: ignore[arg-type]
    assert isinstance(caught.value, skopsafe.FileError)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no such device")
def test_a_device_that_is_full_is_an_error_of_ours() -> None:
    with pytest.raises(skopsafe.FileError, match=r"No space left on device.*/dev/full") as caught:
        skopsafe.dump(OBJECT, "/dev/full")
    assert caught.value.errno == 28
    asked = []
    for buffering in (0, -1, 1 << 24):
        with (
            contextlib.suppress(OSError),
            open("/dev/full", "wb", buffering) as file,
        ):  # to close it fails too
            with pytest.raises(skopsafe.FileError, match="No space left on device"):
                skopsafe.dump(OBJECT, file)
            asked.append(buffering)
    assert len(asked) == 3
    skopsafe.dump(OBJECT, os.devnull)
    assert not os.path.isfile(os.devnull)


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_temporary_file_is_written_and_read(buffering: int) -> None:
    for make in (tempfile.TemporaryFile, tempfile.NamedTemporaryFile):
        with make(buffering=buffering) as file:
            skopsafe.dump(OBJECT, file)
            assert same(skopsafe.load(file))
    with tempfile.SpooledTemporaryFile(1000) as spooled:
        skopsafe.dump(OBJECT, spooled)  # type: ignore[arg-type]
        assert same(skopsafe.load(spooled))  # type: ignore[arg-type]


class NoPath:
    def __fspath__(self) -> Any:
        return 5


def test_a_path_that_is_none_is_refused() -> None:
    for call in (skopsafe.load, skopsafe.audit, lambda path: skopsafe.dump([1], path)):
        with pytest.raises(skopsafe.ArgumentError, match="no path"):
            call(NoPath())  # type: ignore[arg-type]
