"""Streams of joblib are followed as joblib reads them, and as those do that know nothing of it."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import re
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from joblib.numpy_pickle import NumpyArrayWrapper
from joblib.numpy_pickle_compat import NDArrayWrapper, ZNDArrayWrapper

import skopsafe
from skopsafe.foreign.pickles.files import OLD_JOBLIB, read, streams
from skopsafe.foreign.pickles.joblib import Arrays
from skopsafe.foreign.pickles.machine import Machine, Pickle
from skopsafe.foreign.pickles.reading import Memory
from skopsafe.foreign.pickles.values import Stored
from tests.foreign.pickles.walking import walk

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
ARRAYS = [
    np.arange(300.0),
    np.asfortranarray(np.arange(12, dtype=">i4").reshape(3, 4)),
    np.array(3 + 4j),
    np.zeros((0, 5)),
    np.array(["a", "bc"]),
    np.array([(1, 2.0), (3, 4.0)], [("x", "i2"), ("y", "f8")]),
    np.array(["2020-01-01"], "M8[D]"),
    np.arange(3)[::2],
    np.ones(2, [("x", "f4", (2, 3))]),
]


def dumped(obj: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    joblib.dump(obj, file, **options)
    return file.getvalue()


def run(data: bytes, **options: Any) -> Pickle:
    return Machine(Memory(data), 0, 10**6, Arrays(10**6, **options)).run()


def readings(data: bytes) -> dict[str, list[Pickle]]:
    (stream,) = streams(io.BytesIO(data))
    found: dict[str, list[Pickle]] = {}
    for one in read(stream):
        found.setdefault(one.reader, []).append(one)
    return found


def imported(found: list[Pickle] | Pickle) -> set[str]:
    pickles = found if isinstance(found, list) else [found]
    return {op.value.spelled for one in pickles for op in one.operations if op.kind == "import"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_are_where_they_are(protocol: int) -> None:
    data = dumped([*ARRAYS, "end"], protocol=protocol)
    found = run(data)
    assert found.error == ""
    assert found.end == len(data)
    stored = [value for value in walk(found.root) if isinstance(value, Stored)]
    assert len(stored) == len(ARRAYS)
    for made, array in zip(stored, ARRAYS, strict=True):
        content = np.frombuffer(data[made.offset : made.offset + made.size], made.dtype)
        assert made.shape == array.shape
        np.testing.assert_array_equal(content.reshape(made.shape, order=made.order), np.asarray(array))
        assert content.dtype == array.dtype


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_without_alignment_too(protocol: int) -> None:
    class Unplaced(io.BytesIO):
        def tell(self) -> int:
            raise io.UnsupportedOperation

    file = Unplaced()
    joblib.dump([np.arange(5), 7], file, protocol=protocol)
    data = file.getvalue()
    found = run(data)
    assert (found.error, found.end) == ("", len(data))
    assert found.root.items[1] == 7


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pickles_within_arrays_of_objects_are_run(protocol: int) -> None:
    array = np.array([complex, [np.arange(3), print], None], object)
    data = dumped([array, 7], protocol=protocol)
    found = run(data)
    assert (found.error, found.end) == ("", len(data))
    assert {"builtins:print", "builtins:complex"} <= imported(found)
    stored, seven = found.root.items
    assert seven == 7
    assert stored.dtype == np.dtype("O")
    assert "_reconstruct" in stored.objects.function.name


def test_what_is_shared_is_so_within_joblib() -> None:
    array = np.arange(4)
    found = run(dumped([array, {"a": array}]))
    assert sum(isinstance(value, Stored) for value in walk(found.root)) >= 1
    assert found.error == ""


class Counting(io.RawIOBase):
    """A file that counts what is read, and has holes where zeros are written."""

    def __init__(self, path: Path) -> None:
        self.file = open(path, "w+b")  # noqa: SIM115 - closed with this
        self.count = 0

    def write(self, data: Any) -> int:
        if len(data) >= 4096 and not np.frombuffer(data, np.uint8).any():
            self.file.seek(len(data), 1)
            return len(data)
        return self.file.write(data)

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.count += len(data)
        return data

    def tell(self) -> int:
        return self.file.tell()

    def seek(self, place: int, whence: int = 0) -> int:
        return self.file.seek(place, whence)

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self.file.close()
        super().close()


def test_arrays_are_passed_by(tmp_path: Path) -> None:
    with Counting(tmp_path / "a.joblib") as file:
        joblib.dump([np.broadcast_to(0.0, (2**24,)), "end", np.zeros(3)], file)
        assert file.tell() > 2**27
        (stream,) = streams(file)  # type: ignore[arg-type]
        (found,) = read(stream)
        assert found.error == ""
        assert found.root.items[0].size == 2**27
        assert file.count < 5 * 2**20


class Touch:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


def wrapper(size: int, alignment: int | None = None, dtype: Any = "u1", **more: Any) -> bytes:
    """Return the opcodes that make an instance of joblib's class, to the BUILD."""
    made = NumpyArrayWrapper(np.ndarray, (size,), "C", np.dtype(dtype), numpy_array_alignment_bytes=alignment)
    made.__dict__.update(more)
    return pickle.dumps(made, 2)[:-1]


def loads(load: Any, data: bytes) -> None:
    with contextlib.suppress(Exception):  # of many kinds: what comes before it has happened
        load(io.BytesIO(data))


def test_what_joblib_passes_by_runs_in_other_unpicklers(tmp_path: Path) -> None:
    payload = b"0" + pickle.dumps(Touch(tmp_path / "marker"), 2)[2:]
    data = wrapper(len(payload)) + payload + b"."
    loads(joblib.load, data)
    assert not (tmp_path / "marker").exists()
    loads(pickle.load, data)
    assert (tmp_path / "marker").exists()
    found = readings(data)
    assert list(found) == ["joblib", "pickle"]
    assert not any("mkdir" in name for name in imported(found["joblib"]))
    assert any("mkdir" in name for name in imported(found["pickle"]))
    assert found["joblib"][0].error == ""


def test_what_others_pass_by_runs_in_joblib(tmp_path: Path) -> None:
    data = wrapper(1) + b"." + b"0" + pickle.dumps(Touch(tmp_path / "marker"), 2)[2:]
    loads(pickle.load, data)
    assert not (tmp_path / "marker").exists()
    loads(joblib.load, data)
    assert (tmp_path / "marker").exists()
    found = readings(data)
    assert any("mkdir" in name for name in imported(found["joblib"]))
    # Another pickle begins where the first ends, for others.
    assert any("mkdir" in name for name in imported(found.get("pickle", found["joblib"])))


def test_older_releases_of_joblib_read_on_earlier(tmp_path: Path) -> None:
    payload = b"0" + pickle.dumps(Touch(tmp_path / "marker"), 2)[2:]
    content = b"x" * 20
    data = wrapper(20, 16) + bytes([len(payload) - 1]) + content[1:] + payload
    # Since 1.2 joblib passes by as many bytes as the first says; before, twenty bytes are the array.
    data += b"x" * 20 + b"."
    found = readings(data)
    assert not any("mkdir" in name for name in imported(found["joblib"]))
    assert any("mkdir" in name for name in imported(found[OLD_JOBLIB]))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (wrapper(-1), "negative or huge"),
        (wrapper(2**70), "negative or huge"),
        (wrapper(2**62), "array has"),
        (wrapper(10), "array has"),
        (wrapper(1, shape=(2**40, 2**40, 2**40)), "more than 2\\*\\*63"),
        (wrapper(1, shape=(1,) * 65), "negative or huge"),
        (wrapper(1, shape="a"), "cannot be told"),
        (wrapper(1, shape=(1.5,)), "cannot be told"),
        (pickle.dumps(object.__new__(NumpyArrayWrapper), 2)[:-1] + b"}b" + b"N.", "cannot be told"),
        (wrapper(1, dtype="O") + b"\xff", "within an array of objects"),
    ],
)
def test_arrays_that_cannot_be_are_errors(data: bytes, reason: str) -> None:
    found = run(data + b"." * 3)
    assert re.search(reason, found.error), found.error


STATE = b"}(X\x05\0\0\0shapeK\x01\x85X\x05\0\0\0dtypecnumpy\nuint8\nub"
COMPUTED = b"cbuiltins\nstr\nC\x05dtypeX\x05\0\0\0ascii\x86R"
CLASS = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n"


@pytest.mark.parametrize(
    "made",
    [
        CLASS + b")\x81",
        b"ccopyreg\n_reconstructor\n(" + CLASS + b"c__builtin__\nobject\nNtR",
        b"ccopyreg\n__newobj__\n(" + CLASS + b"tR",
        b"\x80\x04\x8c\x06joblib\x8c\x1enumpy_pickle.NumpyArrayWrapper\x93)\x81",
        b"csklearn.externals.joblib.numpy_pickle\nNumpyArrayWrapper\n)\x81",
        CLASS + b")}\x92",
    ],
)
def test_instances_are_known_however_they_are_made(made: bytes) -> None:
    found = run(made + STATE + b"\xffK\x07\x86.")
    assert found.error == ""
    assert isinstance(found.root[0], Stored)
    assert (found.root[0].size, found.root[1]) == (1, 7)


def test_what_a_constructor_takes_is_known() -> None:
    args = b"(cnumpy\nndarray\nK\x03\x85X\x01\0\0\0Fcnumpy\nuint8\nI00\nNtR"
    found = run(CLASS + args + b"}b" + b"abc" + b".")
    assert found.error == ""
    assert (found.root.size, found.root.order) == (3, "F")
    padded = CLASS + args.replace(b"NtR", b"tR") + b"}b" + b"\x02\xff\xffabc" + b"."
    assert run(padded).root.size == 3


@pytest.mark.parametrize(
    "data",
    [
        b"ccopy\ncopy\n(" + CLASS + b")\x81tR" + STATE,
        b"cfunctools\npartial\n(" + CLASS + b"tR" + STATE,
        CLASS + b"N}b0" + CLASS + b")\x81cos\nenviron\nb",
        CLASS + b"N}X\x05\0\0\0shapeK\x01s\x86b",
        b"\x80\x04\x95\x60\0\0\0\0\0\0\0" + CLASS + b")\x81" + STATE + b"N" * 99,
        wrapper(1, dtype="O") + b"\x80\x04\x95\x60\0\0\0\0\0\0\0N." + b"N" * 200,
        wrapper(1)[:-1] + b"cos\nsystem\n\x86b",
        CLASS + b")\x81" + STATE[:-2] + COMPUTED + b"cnumpy\nobject_\nub",
    ],
)
def test_where_nobody_knows_what_follows_it_says_so(data: bytes) -> None:
    found = run(data + b"abcdefg.")
    assert found.error
    assert not found.followed


def test_a_name_that_is_computed_does_not_hide_a_pickle(tmp_path: Path) -> None:
    """joblib goes by the last of two dtypes, of which one has a name that is text only when it is loaded."""
    payload = pickle.dumps(Touch(tmp_path / "marker"), 4)
    plain, objects = (pickle.dumps(np.dtype(kind), 2)[2:-1] for kind in ("u1", "O"))
    state = b"}(X\x05\0\0\0shapeK" + bytes([len(payload)]) + b"\x85X\x05\0\0\0dtype" + plain
    state += b"X\x0a\0\0\0allow_mmap\x89X\x05\0\0\0orderX\x01\0\0\0C"
    # Those that know nothing of joblib stop at the first array, whose byte is no opcode.
    data = wrapper(1) + b"\xff" + CLASS + b")\x81" + state + COMPUTED + objects + b"ub" + payload + b"."
    loads(joblib.load, data)
    assert (tmp_path / "marker").exists()
    assert skopsafe.inspect_pickle(io.BytesIO(data)).verdict == "suspicious"


def test_names_of_classes_alone_are_nothing() -> None:
    found = run(CLASS + b".")
    assert (found.error, found.followed) == ("", True)


@pytest.mark.parametrize(
    "made",
    [NDArrayWrapper("../x.npy", np.ndarray), ZNDArrayWrapper("../x.npy", (np.ndarray, (0,), "b"), ())],
)
def test_arrays_in_files_beside_come_from_outside(made: Any) -> None:
    found = run(pickle.dumps([made, 7], 2))
    assert found.error == ""
    assert found.root.items[0].file == "../x.npy"
    assert found.beside == [found.root.items[0]]
    calls = [op.value for op in found.operations if op.kind == "call"]
    assert ("file", ("../x.npy",)) in [(call.way, call.args) for call in calls]


def test_many_tiny_pickles_within_take_the_time_of_their_opcodes() -> None:
    # The instance is at place 1 of the memo, and is built again and again.
    many = wrapper(1, dtype="O") + b"N." + b"0h\x01}bN." * 20_000 + b"."
    found = run(many)
    assert (found.error, found.end) == ("", len(many))
    assert found.opcodes > 80_000
    with pytest.raises(skopsafe.LimitError):
        Machine(Memory(many), 0, 10**6, Arrays(10**5)).run()


def test_many_states_and_many_fields_take_the_time_of_their_size() -> None:
    names = ["x" + str(n) for n in range(2000)]
    fields = np.dtype([(name, "V0") for name in names])
    one = pickle.dumps(NumpyArrayWrapper(np.ndarray, (0,), "C", fields, numpy_array_alignment_bytes=None), 2)[
        :-1
    ]
    state = b"".join(b"X\x01\0\0\0aN" for _ in range(2000))
    again = one + b"0h\x01" + b"}(" + state + b"uq\xffb" + b"0h\x01h\xffb" * 2000 + b"."
    with pytest.raises(skopsafe.LimitError):
        Machine(Memory(again), 0, 10**6, Arrays(10**6)).run()


def test_opcodes_within_arrays_count() -> None:
    data = dumped(np.array([None] * 1000, object))
    (stream,) = streams(io.BytesIO(data))
    assert read(stream)[0].opcodes > 1000
    with pytest.raises(skopsafe.LimitError, match="opcodes"):
        read(stream, skopsafe.Limits(opcodes=500))
